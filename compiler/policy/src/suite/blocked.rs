//! The entries of `blocked`, as the server judges by them. Blocks of managers are no part of a policy.

use decide::{Block, BlockFacts, Client, LiveBlocks, Refusal, Tables};
use mail::{Address, ReversePath};

/// The refusal of a recipient or, with its authors, of a content. Whoever has a complaint is judged by none.
pub fn blocked(
    tables: &Tables,
    client: &Client,
    block: Block,
    reverse_path: &ReversePath,
    authors: &[Address],
    today: &str,
) -> Option<Refusal> {
    let facts = BlockFacts {
        outgoing: matches!(block, Block::Send(_)),
        client: Some(client.address),
        reverse_path: reverse_path.address(),
        authors,
        today,
        ..BlockFacts::default()
    };
    // No moment matters where nothing but days ends.
    decide::blocked(tables, &LiveBlocks::default(), &facts, 0)
}
