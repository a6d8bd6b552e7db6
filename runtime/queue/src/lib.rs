//! The spool: mail we took responsibility for that has not been placed yet.
//!
//! A recipient of a message is in one of these states; each step is one commit of the store. What follows a try is [`step`],
//! a pure function; when a try comes, and in which order, is [`schedule`].
//!
//! | state | step to it | what a crash right after it leaves |
//! |---|---|---|
//! | (none) | a client sends the message | nothing: no 250 was said, the client sends again |
//! | waiting | `Enqueue`, in the commit the 250 waits for | the message, due at once |
//! | waiting, later | `Attempt`: a try decided nothing; a word on the delay, once, in the same commit | the reply and the time of the next try |
//! | blocked | `Attempt`: the destination refuses this server; its messages wait for a probe or an operator | the provider's words, the time of the probe |
//! | held | `Progress`, by an operator: nobody tries until it is released | the message, held |
//! | delivered | `Settle(Delivered)`: a next hop said 250, or with `Deliver` in one commit for a mailbox here; with a DSN where it was asked for | done; a crash between the next hop's 250 and the commit sends a second copy, as RFC 5321 4.1.1.4 has it |
//! | failed | `Settle(Failed)` with a loss record and a DSN, or the reason why nobody is told, in one commit | done, and told |
//! | expired | the same, after the first try past `retention.queue` | done, and told |
//! | removed | `Settle(Removed)` with a loss record, by an operator | done, in the audit |
//!
//! The message leaves the spool with its last waiting recipient. A DSN is a message of the spool itself, or is in the mailbox
//! of one of our people in the commit that settles what it tells of; its reverse-path is `<>`, so one that fails is a loss
//! record and nothing more.
//!
//! INVARIANT (never-lost): no step ends a recipient without one of delivered, failed (and told) or removed.

mod block;
pub mod dsn;
pub mod facts;
mod retry;
mod route;
pub mod schedule;
pub mod srs;
mod step;

pub use block::is_block;
pub use facts::{MessageFacts, RecipientFacts};
pub use retry::{end_s, next_attempt_s};
pub use route::{BadRoute, Destination, Route, destination};
pub use step::{Before, Came, PROBE_AFTER_S, Silence, Step, Told, Tried, step};
