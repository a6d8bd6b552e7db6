//! IMAP4rev1 (RFC 3501) and IMAP4rev2 (RFC 9051), the server's side, without I/O.
//!
//! `grammar` reads commands, `command` is what they say, `session` decides what happens, `question` is what the session
//! wants to know from the store, `response` writes the answers. A driver owns the socket and the store: it feeds octets,
//! asks `Session::next` what to do, does it, and asks again.

pub mod command;
pub mod event;
pub mod grammar;
mod question;
mod response;
mod session;
pub mod utf7;

pub use question::{
    Answer, Candidates, Changes, Content, Copied, Counts, EmailId, FlagChange, Flagged, Identity, MailboxId,
    MailboxRow, Message, Need, Question, Quota, Renderings, Replaced, Row, SPECIAL_USE, Selection, Source,
    SourceMailbox, Stored, Summary, ThreadId, Trouble, Vanished,
};
pub use session::{CAPABILITIES, Config, Mask, NEVER_MASKED, Session, Step};

/// The law of a session over a store in memory, for builds with `--cfg fuzzing`.
#[cfg(fuzzing)]
pub use session::fuzz;
