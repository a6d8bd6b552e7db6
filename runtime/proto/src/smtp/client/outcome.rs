//! What became of each recipient, and what a reply is about.

use mail::Reply;

use super::reply::BadReply;

/// Where a handover stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Before a connection: what DNS and the recipient domain's own policies say.
    Lookup,
    Greeting,
    Hello,
    Tls,
    Login,
    Mail,
    Recipient,
    /// DATA and the content.
    Content,
    /// After the final dot: the server may have the message.
    End,
}

/// Why there is no reply to tell of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    Disconnected,
    BadReply(BadReply),
    /// TLS is required and not to be had.
    NoTls,
    /// A login is needed, and no mechanism of ours under TLS is to be had.
    NoLogin,
    /// The message needs SMTPUTF8 and the server has none (RFC 6531 3.2).
    NoUtf8,
    /// Larger than the server's SIZE.
    TooLarge,
    /// A BINARYMIME content, and the server has no BINARYMIME with CHUNKING (RFC 3030 3).
    NoBinary,
    /// The sender asked for REQUIRETLS and the server does not offer it (RFC 8689 4.2.1).
    NoRequireTls,
}

/// What became of one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The next hop has it; where recipients were only asked about, it would take it.
    Delivered(Reply),
    Refused {
        stage: Stage,
        reply: Reply,
    },
    Broken {
        stage: Stage,
        trouble: Trouble,
    },
}

impl Outcome {
    /// May another attempt go better?
    pub fn is_temporary(&self) -> bool {
        match self {
            Outcome::Delivered(_) => false,
            Outcome::Refused { reply, .. } => reply.code.is_temporary(),
            Outcome::Broken { trouble, .. } => match trouble {
                Trouble::Disconnected | Trouble::BadReply(_) | Trouble::NoTls | Trouble::NoLogin => true,
                Trouble::NoUtf8 | Trouble::TooLarge | Trouble::NoBinary | Trouble::NoRequireTls => false,
            },
        }
    }
}
