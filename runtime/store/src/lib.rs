//! Durable state of one data folder: mailboxes, people, spool, records. SQLite (WAL, synchronous=FULL) holds the metadata in
//! one or more shards, append-only checksummed segments hold the bodies, one writer thread a shard commits in groups.
//!
//! What a caller relies on:
//! - INVARIANT (durable-before-done): `done` hears `Ok` only after the WAL and the segments of its group are on the device.
//! - INVARIANT (publish-after-both): no read returns a row of a group before both flushes of the group ended.
//!   People, addresses and what an account uses need the first alone: they lead to no segment.
//! - INVARIANT (one-commit): the ops of one `commit` are one transaction; all of them hold or none does. In a store of several
//!   shards that is so in each of them; see `route`.
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
//! The waist are the traits [`MetaStore`] and [`BlobStore`]: a cluster store would stand behind them, with the same [`Op`]s.

mod body;
mod checkpoint;
mod compact;
mod error;
mod flush;
mod given;
mod id;
mod join;
mod lock;
mod metrics;
mod op;
mod options;
mod progress;
mod publish;
mod putback;
mod read;
mod recover;
mod restore;
mod route;
mod schema;
mod search;
mod shard;
pub mod snapshot;
mod space;
mod spool;
mod stats;
mod store;
mod summary;
#[cfg(test)]
mod tests;
mod transfer;
mod verify;
mod waist;
mod warn;
mod watch;
mod writer;

pub use body::{BodyRef, Inserted, RecordEnvelope, Source, Spill};
pub use compact::{CompactError, Compacted};
pub use error::{CommitError, Fatal, OpenError, PutError, ReadError, Refusal};
pub use given::{Access, Given, GivenKind, Origin, PersonSource, holder_of};
pub use id::{DeliveryId, InternalDate, MailboxId, Modseq, ObjectId, QueueId, SHARDS_MAX, UidSet};
pub use metrics::{Metrics, MetricsNow};
pub use op::{
    Append, DefaultMailbox, Deliver, FlagMode, FlagRow, FlagScope, Kept, Loss, Op, OpResult, Placed, Quarantined, Ring,
    Target,
};
pub use op::{
    Expunged, Import, Imported, Part, PutBackTaken, Replace, SetFlags, SetRights, TakeOut, TokenCount, Until,
};
pub use options::Options;
pub use progress::Progress;
pub use putback::{PutBack, PutBackError, not_owned, put_back};
pub use read::{
    AuditRow, Changes, CopyOf, Counts, Delivery, KeptAmounts, Leads, Listing, MailboxInfo, MessageIdentity, MessageRow,
    PersonRow, Renderings, Resolution, Selected, SharedMailbox, TakenCopy, TokenCounts, Usage, Vanished,
};
pub use restore::{RestoreError, Restored, Wanted};
pub use schema::{FORMAT, FORMATS, Formats};
pub use search::Candidates;
pub use spool::{Enqueue, NextHop, QueueItem, QueueRecipient, Settled, WaitingRecipient, Waits};
pub use stats::Amounts;
pub use store::{Done, Store};
pub use summary::Summary;
pub use verify::{Finding, Holder, Interrupt, Report, VerifyPart, VerifyPlace};
pub use waist::{BlobStore, MetaStore};
pub use watch::Watcher;
