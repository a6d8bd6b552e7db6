//! What the learned pass counts of a message.

pub use spam::learned::MESSAGES;
pub use spam::tokens::TOKENS_VERSION;
use spam::view::View;

/// The tokens of a message as it came, sorted, each once.
pub fn tokens(octets: &[u8]) -> Vec<u64> {
    let mut tokens = spam::tokens::tokens(&View::read(octets));
    // The messages themselves are counted there.
    tokens.retain(|token| *token != MESSAGES);
    tokens
}
