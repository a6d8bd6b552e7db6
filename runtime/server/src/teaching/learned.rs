//! What the learned pass counts of a message.

use spam::view::View;

pub const TOKENS_VERSION: u32 = 1;

/// The token under which the messages themselves are counted: how many were taught as spam, and how many as other mail.
/// No message has it.
pub const MESSAGES: u64 = 0;

/// The tokens of a message as it came, sorted, each once.
pub fn tokens(octets: &[u8]) -> Vec<u64> {
    let view = View::read(octets);
    let mut tokens: Vec<u64> = view
        .own_texts()
        .flat_map(|t| {
            t.text
                .split_whitespace()
                .map(|w| u64::from_le_bytes(std::array::from_fn(|at| blake3::hash(w.as_bytes()).as_bytes()[at])))
                .collect::<Vec<_>>()
        })
        .collect();
    tokens.sort_unstable();
    tokens.dedup();
    tokens.retain(|token| *token != MESSAGES);
    tokens
}
