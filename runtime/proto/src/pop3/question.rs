//! What a POP3 session asks the store, and what it may be told.

use mail::index::Index;

use crate::sasl::{Claim, LoginFailure, Salt};

/// What the session wants. Everything but the first two concerns the account of the last `Answer::Authenticated`.
#[derive(Debug)]
pub enum Question {
    /// PASS or AUTH. Answer: `Authenticated`, with the server's signature of SCRAM, or `NotAuthenticated`.
    Authenticate(Claim),
    /// How is the verifier of this login salted? Answer: `Salt`, also for logins nobody has, or `NotAuthenticated`.
    Salt { login: String },
    /// INBOX, for this session alone until the connection ends (RFC 1939 4). Answer: `Maildrop`; `Failed(InUse)`.
    Maildrop,
    /// So many octets of a message from `from` on, which the message has. A driver that is to send a `whole` message looks
    /// whether all of it is sound when it is asked for the first. Answer: `Octets`, exactly so many; `Failed(Gone)`.
    Read { uid: u32, from: u64, octets: usize, whole: bool },
    /// QUIT (RFC 1939 6): removes these messages in one step, those that still exist, and lets go of the maildrop whatever comes
    /// of that. Answer: `Done` when it is durable; `Failed(Renamed)`.
    Update { removed: Vec<u32> },
}

/// What the driver says. Each question has one kind of answer, or `Failed`.
#[derive(Debug)]
pub enum Answer {
    Authenticated { server_signature: Option<Vec<u8>> },
    NotAuthenticated(LoginFailure),
    Salt(Salt),
    Maildrop(Maildrop),
    Octets(Vec<u8>),
    Done,
    Failed(Trouble),
}

/// The mailbox as of one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maildrop {
    pub uid_validity: u32,
    /// Its messages in the order of their numbers.
    pub index: Index,
}

/// Why the store did not do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Another session has the maildrop.
    InUse,
    /// The message was removed meanwhile, by IMAP.
    Gone,
    /// INBOX was renamed meanwhile: its messages are somewhere else on purpose.
    Renamed,
    /// Temporary: the store is read-only or overloaded.
    Unavailable,
    /// A contradiction inside the server.
    Bug,
}

/// What an answer holds, or why it does not. A driver that answers another question than the one asked contradicts itself.
impl Answer {
    fn trouble(&self) -> Trouble {
        match self {
            Answer::Failed(trouble) => *trouble,
            Answer::Authenticated { .. }
            | Answer::NotAuthenticated(_)
            | Answer::Salt(_)
            | Answer::Maildrop(_)
            | Answer::Octets(_)
            | Answer::Done => Trouble::Bug,
        }
    }

    pub(super) fn maildrop(self) -> Result<Maildrop, Trouble> {
        if let Answer::Maildrop(maildrop) = self { Ok(maildrop) } else { Err(self.trouble()) }
    }

    /// `octets` of them.
    pub(super) fn octets(self, octets: usize) -> Result<Vec<u8>, Trouble> {
        match self {
            Answer::Octets(found) if found.len() == octets => Ok(found),
            other => Err(other.trouble()),
        }
    }

    pub(super) fn done(self) -> Result<(), Trouble> {
        if let Answer::Done = self { Ok(()) } else { Err(self.trouble()) }
    }
}
