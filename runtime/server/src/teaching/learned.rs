//! What the learned pass counts of a message.

use spam::view::View;

pub use spam::tokens::TOKENS_VERSION;

/// The token under which the messages themselves are counted: how many were taught as spam, and how many as other mail.
/// No message has it.
pub const MESSAGES: u64 = 0;

/// The tokens of a message as it came, sorted, each once.
pub fn tokens(octets: &[u8]) -> Vec<u64> {
    let mut tokens = spam::tokens::tokens(&View::read(octets));
    tokens.retain(|token| *token != MESSAGES);
    tokens
}
