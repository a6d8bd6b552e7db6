//! The store: one data folder, one owner.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Transaction;

use crate::body::{BodyRef, RecordEnvelope, Segments, Spill};
use crate::error::{CommitError, OpenError, PutError, ReadError};
use crate::id::MailboxId;
use crate::metrics::Metrics;
use crate::op::{Op, OpResult};
use crate::options::Options;
use crate::publish::Published;
use crate::read::Pool;
use crate::watch::{Watcher, Watchers};

/// Hears how a commit ended. Runs on a thread of the store: it may send and wake, and must not block.
pub type Done = Box<dyn FnOnce(Result<Vec<OpResult>, CommitError>) + Send>;

/// The durable state of one data folder. Shared by reference between threads; dropping it finishes what was queued.
pub struct Store {
    data_dir: PathBuf,
    segments: Arc<Segments>,
    pool: Pool,
    watchers: Arc<Watchers>,
    metrics: Arc<Metrics>,
}

impl Store {
    /// Takes the folder (creating it), recovers what a crash left, and starts the writer.
    pub fn open(data_dir: impl AsRef<Path>, options: Options) -> Result<Store, OpenError> {
        let data_dir = data_dir.as_ref().to_owned();
        let io = |error| OpenError::Io { path: data_dir.clone(), error };
        let metrics = Arc::new(Metrics::default());
        let segments = Arc::new(Segments::open(&data_dir, options.segment_bytes_max, metrics.clone()).map_err(io)?);
        let published = Arc::new(Published::new(0));
        let pool = Pool::new(data_dir.join("meta-00.db"), options.readers_max, published);
        Ok(Store { data_dir, segments, pool, watchers: Arc::default(), metrics })
    }

    /// Queues `ops` as one transaction. `done` is called once: on a thread of the store when the group is durable or
    /// failed, or right here when the queue is full or the store is closed or poisoned.
    pub fn commit(&self, ops: Vec<Op>, done: Done) {
        let _ = ops;
        done(Err(CommitError::Closed));
    }

    /// The same, waiting for the answer. Not for async code.
    pub fn commit_wait(&self, ops: Vec<Op>) -> Result<Vec<OpResult>, CommitError> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        let done = move |result| {
            let _ = sender.send(result);
        };
        self.commit(ops, Box::new(done));
        receiver.recv().unwrap_or(Err(CommitError::Closed))
    }

    /// Writes a body, in the caller's thread. It is durable once a commit that names it is.
    pub fn put_body(&self, parts: &[&[u8]]) -> Result<BodyRef, PutError> {
        self.segments.put(&RecordEnvelope::default(), parts)
    }

    /// The same with the envelope in front of the record.
    pub fn put_body_for(&self, envelope: &RecordEnvelope, parts: &[&[u8]]) -> Result<BodyRef, PutError> {
        self.segments.put(envelope, parts)
    }

    /// A file for content longer than 256 KiB.
    pub fn spill(&self) -> std::io::Result<Spill> {
        Spill::create(&self.data_dir)
    }

    /// Writes `head` (trace fields) and then the content of `spill` as one body.
    pub fn put_body_from_spill(
        &self,
        envelope: &RecordEnvelope,
        head: &[u8],
        spill: &Spill,
    ) -> Result<BodyRef, PutError> {
        self.segments.put_spill(envelope, head, spill)
    }

    /// `waker` is called after each group that changed the mailbox, unless the bit is still set from before.
    pub fn watch(&self, mailbox: MailboxId, waker: Box<dyn Fn() + Send + Sync>) -> Watcher {
        self.watchers.watch(mailbox, waker)
    }

    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    pub(crate) fn read<T>(&self, work: impl FnOnce(&Transaction) -> Result<T, ReadError>) -> Result<T, ReadError> {
        self.pool.read(work)
    }

    pub(crate) fn segments(&self) -> &Segments {
        &self.segments
    }
}
