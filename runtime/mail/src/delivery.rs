//! What a client asks of the delivery of a message: notifications (RFC 3461), the kind of its content, TLS on the way.

use serde::{Deserialize, Serialize};

/// What the client says of the content (RFC 6152 2, RFC 3030 3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Body {
    #[default]
    SevenBit,
    EightBitMime,
    /// Octets without lines. A next hop that does not offer it gets nothing: the message goes back (RFC 3030 3).
    BinaryMime,
}

/// RFC 3461 4.3: how much of the message a notification returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Return {
    Full,
    Headers,
}

/// RFC 3461 4.1: when the sender wants to hear of a recipient. Nothing set is `NEVER`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notify {
    pub success: bool,
    pub failure: bool,
    pub delay: bool,
}
