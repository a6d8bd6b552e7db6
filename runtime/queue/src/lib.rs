//! The spool: mail we took responsibility for that has not been placed yet.
//!
//! A recipient of a message is in one of these states; each step is one commit of the store.
//!
//! | state | step to it | what a crash right after it leaves |
//! |---|---|---|
//! | (none) | a client sends the message | nothing: no 250 was said, the client sends again |
//! | waiting | `Enqueue`, in the commit the 250 waits for | the message, due at once |
//! | waiting, later | `Attempt`: a try decided nothing, `retry` says when next | the reply and the time of the next try |
//! | refused | `Attempt` due `NEVER_S`, with a loss record in one commit: a next hop said 5yz, or cannot take such a message | the reply and the record; no try comes any more |
//! | delivered | `Settle(Delivered)`: a next hop said 250, or with `Deliver` in one commit for a mailbox here | done; a crash between the next hop's 250 and the commit sends a second copy, as RFC 5321 4.1.1.4 has it |
//! | failed | `Settle(Failed)` with a DSN or a loss record in one commit | done, and told |
//! | removed | `Settle(Removed)`, by an operator | done, in the audit |
//!
//! The message leaves the spool with its last waiting recipient.
//!
//! INVARIANT (never-lost): no step ends a recipient without one of delivered, failed (and told) or removed.
//! Until DSNs are built a refused recipient stays in the spool: its sender has not been told yet.
//! Past `retention.queue` a recipient stays waiting at the longest interval until DSNs are built: late, and not lost.

pub mod facts;
mod retry;
mod route;
pub mod srs;

pub use facts::{MessageFacts, RecipientFacts};
pub use retry::{Life, NEVER_S, life, next_attempt_s};
pub use route::{BadRoute, Destination, Route, destination};
