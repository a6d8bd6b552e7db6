//! The store: one data folder, one owner.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::Transaction;

use crate::body::{BodyRef, RecordEnvelope, Segments, Spill};
use crate::checkpoint::Checkpointer;
use crate::error::{CommitError, OpenError, PutError, ReadError};
use crate::flush::Flusher;
use crate::id::MailboxId;
use crate::lock::Lock;
use crate::metrics::Metrics;
use crate::op::{Op, OpResult};
use crate::options::Options;
use crate::publish::Published;
use crate::read::Pool;
use crate::recover::recover;
use crate::schema::{self, Purpose};
use crate::search::{Candidates, Search};
use crate::watch::{Watcher, Watchers};
use crate::writer::queue::{Queue, Queued};
use crate::writer::{Answers, Writer};

/// Hears how a commit ended. Runs on a thread of the store: it may send and wake, and must not block.
pub type Done = Box<dyn FnOnce(Result<Vec<OpResult>, CommitError>) + Send>;

/// The durable state of one data folder. Shared by reference between threads; dropping it finishes what was queued.
pub struct Store {
    data_dir: PathBuf,
    segments: Arc<Segments>,
    pool: Pool,
    queue: Arc<Queue>,
    checkpointer: Arc<Checkpointer>,
    watchers: Arc<Watchers>,
    search: Search,
    metrics: Arc<Metrics>,
    /// In the order they end.
    threads: Vec<JoinHandle<()>>,
    /// Released last.
    _lock: Lock,
}

impl Store {
    /// Takes the folder (creating it), recovers what a crash left, and starts the writer.
    pub fn open(data_dir: impl AsRef<Path>, options: Options) -> Result<Store, OpenError> {
        let data_dir = data_dir.as_ref().to_owned();
        let io = |error| OpenError::Io { path: data_dir.clone(), error };
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&data_dir).map_err(io)?;
        let lock = Lock::take(&data_dir)?;
        let metrics = Arc::new(Metrics::default());
        let segments = Arc::new(Segments::open(&data_dir, options.segment_bytes_max, metrics.clone()).map_err(io)?);
        let database = data_dir.join("meta-00.db");
        let mut db = schema::connect(&database, Purpose::Write)?;
        // Seconds of today, so that a store made again after a loss does not give an old UIDVALIDITY again.
        let now_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_secs());
        schema::prepare(&mut db, u32::try_from(now_s).unwrap_or(1))?;
        std::fs::File::open(&data_dir).and_then(|folder| folder.sync_all()).map_err(io)?;
        let (seq, bad) = recover(&mut db, &segments)?;
        Metrics::add(&metrics.recovered_bad_bodies, bad);

        let published = Arc::new(Published::new(seq));
        let (flusher, flushing) = Flusher::spawn(segments.clone()).map_err(io)?;
        let (checkpointer, checkpointing) =
            Checkpointer::spawn(&database, options.wal_bytes_checkpoint, metrics.clone())?;
        let (answers, answering) = spawn_answering().map_err(io)?;
        let (queue, watchers) = (Arc::new(Queue::new(options.queue_ops_max)), Arc::new(Watchers::default()));
        let writer = Writer {
            db,
            queue: queue.clone(),
            flusher,
            checkpointer: checkpointer.clone(),
            published: published.clone(),
            watchers: watchers.clone(),
            metrics: metrics.clone(),
            answers,
            group_ops_max: options.group_ops_max,
            group_body_bytes_max: options.group_body_bytes_max,
            decision_rows_max: options.decision_rows_max,
            seq,
            on_fatal: options.on_fatal,
        };
        let writing =
            std::thread::Builder::new().name("store-write".to_owned()).spawn(move || writer.run()).map_err(io)?;
        let (search, indexing) = Search::spawn(
            &data_dir.join("search-00.db"),
            &database,
            segments.clone(),
            published.clone(),
            metrics.clone(),
        )
        .map_err(io)?;
        let pool = Pool::new(database, options.readers_max, published);
        let threads = vec![writing, flushing, answering, checkpointing, indexing];
        Ok(Store { data_dir, segments, pool, queue, checkpointer, watchers, search, metrics, threads, _lock: lock })
    }

    /// Queues `ops` as one transaction. `done` is called once: on a thread of the store when the group is durable or
    /// failed, or right here when the queue is full or the store is closed or poisoned.
    pub fn commit(&self, ops: Vec<Op>, done: Done) {
        let Err((queued, why)) = self.queue.push(Queued { ops, done }) else { return };
        if why == CommitError::Busy {
            Metrics::add(&self.metrics.busy, 1);
        }
        let Queued { ops, done } = queued;
        drop(ops);
        done(Err(why));
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

    /// For each of `texts`, folded by [`mail::fold`]: which messages of the mailbox may hold it, anywhere in header and body.
    /// Never fails: what the index does not know has to be looked into.
    pub fn search_candidates(&self, mailbox: MailboxId, texts: &[String]) -> Vec<Candidates> {
        self.search.candidates(mailbox, texts)
    }

    /// Waits until the search index holds everything published before the call. False when it cannot now: the log says why.
    pub fn settle_search(&self) -> bool {
        self.search.settle()
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

    /// For rows that lead to no segment; see the pool.
    pub(crate) fn read_at_once<T>(
        &self,
        work: impl FnOnce(&Transaction) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        self.pool.read_at_once(work)
    }

    pub(crate) fn segments(&self) -> &Segments {
        &self.segments
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.queue.close(CommitError::Closed);
        self.checkpointer.close();
        self.search.close();
        let this = std::thread::current().id();
        for thread in self.threads.drain(..) {
            // The last reference may go in an answer, on a thread of ours: that one ends by itself.
            if thread.thread().id() != this && thread.join().is_err() {
                tracing::error!("a thread of the store panicked");
            }
        }
    }
}

/// The thread that runs `done`, so that a slow listener does not hold up the writer.
fn spawn_answering() -> std::io::Result<(mpsc::Sender<Answers>, JoinHandle<()>)> {
    let (answers, incoming) = mpsc::channel::<Answers>();
    let thread = std::thread::Builder::new().name("store-answer".to_owned()).spawn(move || {
        for group in incoming {
            group.into_iter().for_each(|(done, answer)| done(answer));
        }
    })?;
    Ok((answers, thread))
}
