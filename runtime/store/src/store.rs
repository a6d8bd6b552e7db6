//! The store: one data folder, one owner, one or more shards.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use mail::Login;
use rusqlite::Transaction;

use crate::body::{BodyRef, Inserted, RecordEnvelope, Segments, Source, Spill};
use crate::error::{CommitError, OpenError, PutError, ReadError};
use crate::id::{MailboxId, SHARDS_MAX};
use crate::lock::Lock;
use crate::metrics::Metrics;
use crate::op::{Op, OpResult};
use crate::options::{Fatally, Options};
use crate::read::Indexes;
use crate::route::Routes;
use crate::search::{Candidates, Search};
use crate::shard::{self, Shard, Shared};
use crate::space::Space;
use crate::warn::Levels;
use crate::watch::{Watcher, Watchers};
use crate::writer::Answers;

/// Hears how a commit ended. Runs on a thread of the store: it may send and wake, and must not block.
pub type Done = Box<dyn FnOnce(Result<Vec<OpResult>, CommitError>) + Send>;

/// The durable state of one data folder. Shared by reference between threads; dropping it finishes what was queued.
pub struct Store {
    data_dir: PathBuf,
    segments: Arc<Segments>,
    pub(crate) routes: Routes,
    pub(crate) shards: Arc<Vec<Shard>>,
    indexes: Indexes,
    watchers: Arc<Watchers>,
    search: Vec<Search>,
    metrics: Arc<Metrics>,
    space: Arc<Space>,
    pub(crate) levels: Arc<Levels>,
    /// Held by whoever removes segments or needs them all to stay: one at a time.
    pub(crate) tidying: Mutex<()>,
    /// In the order they end.
    threads: Vec<JoinHandle<()>>,
    /// Released last.
    _lock: Lock,
}

impl Store {
    /// Takes the folder (creating it), recovers what a crash left, and starts the writers.
    pub fn open(data_dir: impl AsRef<Path>, options: Options) -> Result<Store, OpenError> {
        let data_dir = data_dir.as_ref().to_owned();
        let io = |error| OpenError::Io { path: data_dir.clone(), error };
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&data_dir).map_err(io)?;
        let lock = Lock::take(&data_dir)?;
        if crate::putback::is_half_done(&data_dir) {
            return Err(OpenError::HalfPutBack);
        }
        let count = shard_count(&data_dir, options.shards)?;
        let metrics = Arc::new(Metrics::default());
        let space = Arc::new(Space::open(&data_dir, options.reserve_bytes, options.ballast_bytes));
        let mut options = options;
        let on_fatal = std::mem::replace(&mut options.on_fatal, Box::new(|_| {}));
        let on_fatal = Arc::new(Fatally::new(on_fatal));
        let bytes_max = options.segment_bytes_max;
        let segments = Segments::open(&data_dir, bytes_max, metrics.clone(), space.clone(), on_fatal.clone());
        let segments = Arc::new(segments.map_err(io)?);
        let watchers = Arc::new(Watchers::default());
        let levels = Arc::new(Levels::default());
        let (answers, answering) = spawn_answering().map_err(io)?;
        let shared = Shared {
            segments: segments.clone(),
            watchers: watchers.clone(),
            metrics: metrics.clone(),
            space: space.clone(),
            levels: levels.clone(),
            answers,
            on_fatal,
        };
        let (mut shards, mut threads) = (Vec::new(), Vec::new());
        for number in 0..count {
            let (shard, started) = Shard::open(&data_dir, number, &options, shared.clone())?;
            shards.push(shard);
            threads.extend(started);
        }
        let mut search = Vec::new();
        for shard in &shards {
            let (index, indexing) = shard.search(&data_dir, segments.clone()).map_err(io)?;
            search.push(index);
            threads.push(indexing);
        }
        drop(shared);
        threads.push(answering);
        let shards = Arc::new(shards);
        let (routes, routing) = Routes::open(shards.clone(), segments.clone())?;
        threads.extend(routing);
        Ok(Store {
            data_dir,
            segments,
            routes,
            shards,
            indexes: Indexes::default(),
            search,
            watchers,
            metrics,
            space,
            levels,
            tidying: Mutex::default(),
            threads,
            _lock: lock,
        })
    }

    /// Queues `ops` as one transaction. `done` is called once: on a thread of the store when the group is durable or
    /// failed, or right here when the queue is full, the store is closed or poisoned, or there is no room on the device.
    ///
    /// Ops of accounts in different shards are one transaction in each of them. When one fails others may hold: try again
    /// with the same ids, which doubles nothing.
    pub fn commit(&self, ops: Vec<Op>, done: Done) {
        if self.space.is_read_only() && !Space::admits(&ops) {
            drop(ops);
            return done(Err(CommitError::Full));
        }
        match self.shards.as_slice() {
            [only] => only.commit(ops, done),
            _ => self.routes.commit(ops, done),
        }
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
    pub fn put_body(&self, content: &[&[u8]]) -> Result<BodyRef, PutError> {
        self.segments.put(&RecordEnvelope::default(), b"", content)
    }

    /// The same with `head` (trace fields) before the content, and the envelope in front of the record.
    pub fn put_body_for(&self, envelope: &RecordEnvelope, head: &[u8], content: &[&[u8]]) -> Result<BodyRef, PutError> {
        self.segments.put(envelope, head, content)
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

    /// Writes `head` and the content with octets of ours inside it as one body. Its delivery is known by the hash of the
    /// content as it came.
    pub fn put_body_with(
        &self,
        envelope: &RecordEnvelope,
        head: &[u8],
        content: &Source<'_>,
        inserted: &Inserted<'_>,
    ) -> Result<BodyRef, PutError> {
        self.segments.put_inserted(envelope, head, content, inserted)
    }

    /// The whole body, its checksum verified.
    pub fn read_body(&self, body: &BodyRef) -> Result<Vec<u8>, ReadError> {
        match self.segments.read(&body.0.place) {
            Err(ReadError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {
                self.segments.read(&self.body_again(body)?.0.place)
            }
            read => read,
        }
    }

    /// At most `len` octets from `offset`, fewer at the end; without the checksum.
    pub fn read_body_range(&self, body: &BodyRef, offset: u64, len: u64) -> Result<Vec<u8>, ReadError> {
        match self.segments.read_range(&body.0.place, offset, len) {
            Err(ReadError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {
                self.segments.read_range(&self.body_again(body)?.0.place, offset, len)
            }
            read => read,
        }
    }

    /// Compaction moved the body since its row was read: where it lies now.
    fn body_again(&self, body: &BodyRef) -> Result<BodyRef, ReadError> {
        let (shard, blob) = body.row().ok_or(ReadError::Damaged)?;
        self.read_in(shard, |tx| crate::read::body(tx, shard, blob))?.ok_or(ReadError::Damaged)
    }

    /// `waker` is called after each group that changed the mailbox, unless the bit is still set from before.
    pub fn watch(&self, mailbox: MailboxId, waker: Box<dyn Fn() + Send + Sync>) -> Watcher {
        self.watchers.watch(mailbox, waker)
    }

    /// Wakes whoever watches the mailbox, as if it had changed: something beside it did.
    pub fn wake_watchers(&self, mailbox: MailboxId) {
        self.watchers.fire(std::iter::once(mailbox));
    }

    /// For each of `texts`, folded by [`mail::fold`]: which messages of the mailbox may hold it, anywhere in header and body.
    /// Never fails: what the index does not know has to be looked into.
    pub fn search_candidates(&self, mailbox: MailboxId, texts: &[String]) -> Vec<Candidates> {
        match self.search_of(mailbox) {
            Some(search) => search.candidates(mailbox, texts),
            None => vec![Candidates::default(); texts.len()],
        }
    }

    pub(crate) fn search_of(&self, mailbox: MailboxId) -> Option<&Search> {
        self.search.get(usize::from(mailbox.shard()))
    }

    /// Waits until the search index holds everything published before the call. False when it cannot now: the log says why.
    pub fn settle_search(&self) -> bool {
        self.search.iter().all(Search::settle)
    }

    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Does the store take nothing new because the device is full?
    pub fn is_read_only(&self) -> bool {
        self.space.is_read_only()
    }

    /// Octets free on the device of the data folder, when it says.
    pub fn free_bytes(&self) -> Option<u64> {
        self.space.free_bytes()
    }

    /// Octets of that device, when it says.
    pub fn device_bytes(&self) -> Option<u64> {
        self.space.device_bytes()
    }

    /// The shards, by number.
    pub fn shard_numbers(&self) -> std::ops::Range<u8> {
        0..self.shards.len() as u8
    }

    /// Reads in shard 0: people, spool, records.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Transaction) -> Result<T, ReadError>) -> Result<T, ReadError> {
        self.shards[0].pool.read(work)
    }

    /// Reads where a mailbox lies. One of a shard there is not is nobody's.
    pub(crate) fn read_in<T>(
        &self,
        shard: u8,
        work: impl FnOnce(&Transaction) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        self.shards.get(usize::from(shard)).ok_or(ReadError::NoSuchShard)?.pool.read(work)
    }

    /// Reads in the shard of `login`, which is told; shard 0 for nobody.
    pub(crate) fn read_of<T>(
        &self,
        login: &Login,
        work: impl FnOnce(&Transaction, u8) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        let shard = self.routes.shard_of(login)?.unwrap_or(0);
        self.read_in(shard, |tx| work(tx, shard))
    }

    /// For rows of shard 0 that lead to no segment; see the pool.
    pub(crate) fn read_at_once<T>(
        &self,
        work: impl FnOnce(&Transaction) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        self.shards[0].pool.read_at_once(work)
    }

    pub(crate) fn indexes(&self) -> &Indexes {
        &self.indexes
    }

    pub(crate) fn segments(&self) -> &Arc<Segments> {
        &self.segments
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.routes.close();
        self.shards.iter().for_each(Shard::close);
        self.search.iter().for_each(Search::close);
        let this = std::thread::current().id();
        for thread in self.threads.drain(..) {
            // The last reference may go in an answer, on a thread of ours: that one ends by itself.
            if thread.thread().id() != this && thread.join().is_err() {
                tracing::error!("a thread of the store panicked");
            }
        }
    }
}

/// As many as there are or as many as are asked for, whichever is more.
fn shard_count(data_dir: &Path, asked: u8) -> Result<u8, OpenError> {
    if asked > SHARDS_MAX {
        return Err(OpenError::TooManyShards { asked });
    }
    let there = (0..SHARDS_MAX).take_while(|number| shard::path(data_dir, *number).exists()).count() as u8;
    // A hole would give the accounts behind it to nobody.
    match (there..SHARDS_MAX).find(|number| shard::path(data_dir, *number).exists()) {
        Some(file) => Err(OpenError::WrongShard { file, is: i64::from(there) }),
        None => Ok(asked.max(there).max(1)),
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
