//! Durable state of one data folder: mailboxes, people, spool, records. SQLite (WAL, synchronous=FULL) holds the metadata,
//! append-only checksummed segments hold the bodies, one writer thread commits in groups.
//!
//! What a caller relies on:
//! - INVARIANT (durable-before-done): `done` hears `Ok` only after the WAL and the segments of its group are on the device.
//! - INVARIANT (publish-after-both): no read returns a row of a group before both flushes of the group ended.
//!   People, addresses and what an account uses need the first alone: they lead to no segment.
//! - INVARIANT (one-commit): the ops of one `commit` are one transaction; all of them hold or none does.
//! - INVARIANT (uid-forward): a UID, a MODSEQ and a UIDVALIDITY never go back, also across a crash.
//! - INVARIANT (one-sync-error): after a failed flush nothing is acknowledged any more; the process has to start again.
//!
//! What a crash leaves behind, step by step:
//!
//! | step | crash after it |
//! |---|---|
//! | a body is written into its segment | an orphan record, no row points at it |
//! | the transaction is in the WAL, not flushed | SQLite drops it: nobody was told |
//! | the WAL is flushed, the segment is not | rows with a bad body are expunged on open; nobody was told |
//! | both are flushed | everything is there; the client may not have heard and may send again |
//!
//! The waist: a cluster store would stand behind [`Store::commit`], the reads in `read/` and [`Store::put_body`]. Its ops
//! are [`Op`]; traits come with that second implementation.

mod body;
mod checkpoint;
mod error;
mod flush;
mod id;
mod lock;
mod metrics;
mod op;
mod options;
mod publish;
mod read;
mod recover;
mod schema;
mod search;
mod spool;
mod store;
mod summary;
#[cfg(test)]
mod tests;
mod verify;
mod watch;
mod writer;

pub use body::{BodyRef, RecordEnvelope, Spill};
pub use error::{CommitError, Fatal, OpenError, PutError, ReadError, Refusal};
pub use id::{DeliveryId, InternalDate, MailboxId, Modseq, QueueId, UidSet};
pub use metrics::{Metrics, MetricsNow};
pub use op::{
    Append, DefaultMailbox, Deliver, FlagMode, FlagRow, Loss, Op, OpResult, Placed, Quarantined, Ring, Target,
};
pub use op::{Expunged, SetFlags};
pub use options::Options;
pub use read::{Changes, Counts, MailboxInfo, MessageRow, PersonRow, Resolution, Selected};
pub use search::Candidates;
pub use spool::{Enqueue, NextHop, QueueItem, QueueRecipient, Settled, WaitingRecipient};
pub use store::{Done, Store};
pub use summary::Summary;
pub use verify::{Finding, Report};
pub use watch::Watcher;
