//! One shard: a database `meta-NN.db` with its writer, its readers and its checkpoints. Accounts live whole in one shard.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::body::Segments;
use crate::checkpoint::Checkpointer;
use crate::error::{CommitError, OpenError};
use crate::flush::Flusher;
use crate::metrics::Metrics;
use crate::op::{Op, OpResult};
use crate::options::{Fatally, Options};
use crate::publish::Published;
use crate::read::Pool;
use crate::recover::recover;
use crate::schema::{self, Purpose};
use crate::search::Search;
use crate::space::Space;
use crate::store::Done;
use crate::warn::Levels;
use crate::watch::Watchers;
use crate::writer::queue::{Queue, Queued};
use crate::writer::{Answers, Writer};

/// What all shards of a store share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) segments: Arc<Segments>,
    pub(crate) watchers: Arc<Watchers>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) space: Arc<Space>,
    pub(crate) levels: Arc<Levels>,
    pub(crate) answers: mpsc::Sender<Answers>,
    pub(crate) on_fatal: Arc<Fatally>,
}

pub(crate) struct Shard {
    number: u8,
    database: PathBuf,
    pub(crate) pool: Pool,
    queue: Arc<Queue>,
    checkpointer: Arc<Checkpointer>,
    published: Arc<Published>,
    metrics: Arc<Metrics>,
}

/// The file of a shard.
pub(crate) fn path(data_dir: &Path, shard: u8) -> PathBuf {
    data_dir.join(format!("meta-{shard:02}.db"))
}

impl Shard {
    /// Creates or recovers the database and starts its threads, which are given in the order they end.
    pub(crate) fn open(
        data_dir: &Path,
        number: u8,
        options: &Options,
        shared: Shared,
    ) -> Result<(Shard, Vec<JoinHandle<()>>), OpenError> {
        let database = path(data_dir, number);
        let io = |error| OpenError::Io { path: database.clone(), error };
        let mut db = schema::connect(&database, Purpose::Write)?;
        // Seconds of today, so that a shard made again after a loss does not give an old UIDVALIDITY again.
        let now_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_secs());
        schema::prepare(&mut db, number, u32::try_from(now_s).unwrap_or(1))?;
        std::fs::File::open(data_dir).and_then(|folder| folder.sync_all()).map_err(io)?;
        let (seq, bad) = recover(&mut db, number, &shared.segments)?;
        Metrics::add(&shared.metrics.recovered_bad_bodies, bad);

        let published = Arc::new(Published::new(seq));
        let (flusher, flushing) = Flusher::spawn(shared.segments).map_err(io)?;
        let (checkpointer, checkpointing) =
            Checkpointer::spawn(&database, options.wal_bytes_checkpoint, shared.metrics.clone())?;
        let queue = Arc::new(Queue::new(options.queue_ops_max));
        let writer = Writer {
            shard: number,
            db,
            queue: queue.clone(),
            flusher,
            checkpointer: checkpointer.clone(),
            published: published.clone(),
            watchers: shared.watchers,
            metrics: shared.metrics.clone(),
            answers: shared.answers,
            group_ops_max: options.group_ops_max,
            group_body_bytes_max: options.group_body_bytes_max,
            decision_rows_max: options.decision_rows_max,
            seq,
            space: shared.space,
            levels: shared.levels,
            on_fatal: shared.on_fatal,
        };
        let writing = std::thread::Builder::new()
            .name(format!("store-write-{number:02}"))
            .spawn(move || writer.run())
            .map_err(io)?;
        let pool = Pool::new(database.clone(), options.readers_max, published.clone());
        let shard = Shard { number, database, pool, queue, checkpointer, published, metrics: shared.metrics };
        Ok((shard, vec![writing, flushing, checkpointing]))
    }

    /// One transaction of this shard; see [`crate::Store::commit`].
    pub(crate) fn commit(&self, ops: Vec<Op>, done: Done) {
        let Err((queued, why)) = self.queue.push(Queued { ops, done }) else { return };
        if why == CommitError::Busy {
            Metrics::add(&self.metrics.busy, 1);
        }
        let Queued { ops, done } = queued;
        drop(ops);
        done(Err(why));
    }

    /// The same, waiting for the answer.
    pub(crate) fn commit_wait(&self, ops: Vec<Op>) -> Result<Vec<OpResult>, CommitError> {
        let (sender, receiver) = mpsc::sync_channel(1);
        let done = move |result| {
            let _ = sender.send(result);
        };
        self.commit(ops, Box::new(done));
        receiver.recv().unwrap_or(Err(CommitError::Closed))
    }

    pub(crate) fn database(&self) -> &Path {
        &self.database
    }

    /// The number of the newest group that is durable; see `changelog`.
    pub(crate) fn published_seq(&self) -> u64 {
        self.published.seq()
    }

    /// While a long read goes on.
    pub(crate) fn pause_checkpoints(&self, paused: bool) {
        self.checkpointer.pause(paused);
    }

    /// Starts the search index of this shard.
    pub(crate) fn search(&self, data_dir: &Path, segments: Arc<Segments>) -> std::io::Result<(Search, JoinHandle<()>)> {
        let path = data_dir.join(format!("search-{:02}.db", self.number));
        Search::spawn(&path, &self.database, segments, self.published.clone(), self.metrics.clone())
    }

    /// No more commits; what is queued still ends.
    pub(crate) fn close(&self) {
        self.queue.close(CommitError::Closed);
        self.checkpointer.close();
    }
}
