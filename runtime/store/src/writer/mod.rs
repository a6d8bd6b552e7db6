//! The writer: takes what is queued, makes one transaction of it, and hands on the answers when WAL and segments are flushed.

mod annotations;
mod blobs;
mod copy;
mod deliver;
mod erase;
mod expunge;
mod flags;
mod follows;
mod given;
mod group;
mod import;
mod mailboxes;
mod people;
pub(crate) mod queue;
mod records;
mod rights;
mod spool;
mod taken;
mod tally;
mod threads;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc;

use rusqlite::{Connection, ErrorCode};

use crate::body::BodyRef;
use crate::checkpoint::Checkpointer;
use crate::error::{CommitError, Fatal, Refusal};
use crate::flush::Flusher;
use crate::id::MailboxId;
use crate::metrics::Metrics;
use crate::op::{Op, OpResult};
use crate::options::Fatally;
use crate::publish::Published;
use crate::space::Space;
use crate::store::Done;
use crate::warn::Levels;
use crate::watch::Watchers;

use group::Group;
use queue::{Queue, Queued};
use tally::Tallies;

/// Answers on their way to the completion thread.
pub(crate) type Answers = Vec<(Done, Answer)>;
type Answer = Result<Vec<OpResult>, CommitError>;

/// Why an op or a group stopped.
enum Stop {
    Refused(Refusal),
    Sql(rusqlite::Error),
}

impl From<Refusal> for Stop {
    fn from(why: Refusal) -> Stop {
        Stop::Refused(why)
    }
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Stop {
        Stop::Sql(error)
    }
}

/// Everything the writer thread owns or shares.
pub(crate) struct Writer {
    pub(crate) shard: u8,
    pub(crate) db: Connection,
    pub(crate) queue: Arc<Queue>,
    pub(crate) flusher: Flusher,
    pub(crate) checkpointer: Arc<Checkpointer>,
    pub(crate) published: Arc<Published>,
    pub(crate) watchers: Arc<Watchers>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) answers: mpsc::Sender<Answers>,
    pub(crate) group_ops_max: usize,
    pub(crate) group_body_bytes_max: u64,
    pub(crate) decision_rows_max: u64,
    pub(crate) seq: u64,
    pub(crate) space: Arc<Space>,
    pub(crate) levels: Arc<Levels>,
    pub(crate) on_fatal: Arc<Fatally>,
}

/// How a group ended, when nothing fatal happened.
enum Ended {
    /// Durable in both places: the answers, the mailboxes it changed, the bodies it took.
    Durable { answers: Vec<Answer>, changed: BTreeSet<u32>, taken: Vec<(BodyRef, i64)> },
    /// Rolled back, this is why.
    Failed(rusqlite::Error),
}

/// Where a commit finds room on the device.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Room {
    /// As always.
    Hoped,
    /// It met a full device before, and the ballast went.
    Ballast,
}

impl Writer {
    pub(crate) fn run(mut self) {
        let mut tallies = match Tallies::load(&self.db) {
            Ok(tallies) => tallies,
            Err(error) => {
                return self.stop(Fatal { what: format!("the counters cannot be read: {error}") }, Vec::new());
            }
        };
        while let Some(group) = self.queue.take_group(self.group_ops_max, self.group_body_bytes_max) {
            let under_load = group.len() > 1;
            self.metrics.queue_ops.store(self.queue.ops() as u64, std::sync::atomic::Ordering::Relaxed);
            if self.published.is_poisoned() {
                self.answer_all(group, &CommitError::Poisoned);
                continue;
            }
            if self.flusher.is_poisoned() {
                self.stop(Fatal { what: "a segment could not be flushed".to_owned() }, group);
                continue;
            }
            let ended = match self.checkpointer.catch_up(&self.db) {
                Ok(()) => self.commit(group, &mut tallies, Room::Hoped),
                Err(fatal) => Err((fatal, group)),
            };
            if let Err((fatal, group)) = ended {
                self.stop(fatal, group);
            }
            if under_load {
                // Whoever heard of the last group and is ready to run may join the next one: fewer flushes, no delay for
                // a lone message.
                std::thread::yield_now();
            }
        }
        self.end(&tallies);
    }

    /// After a clean end recovery has nothing to judge: a body that is found bad later was acknowledged.
    fn end(&self, tallies: &Tallies) {
        if self.published.is_poisoned() || self.flusher.is_poisoned() {
            return;
        }
        let sql = "UPDATE meta SET value = ?1 WHERE key = 'tail_blob' AND value < ?1";
        if let Err(error) = self.db.execute(sql, [tallies.counters.next_blob]) {
            tracing::warn!("the end of the store is not marked: {error}");
        }
    }

    /// One group, and when it failed for a reason that may lie in one of its commits, each of them alone.
    fn commit(&mut self, group: Vec<Queued>, tallies: &mut Tallies, room: Room) -> Result<(), (Fatal, Vec<Queued>)> {
        let ended = match self.attempt(&group, tallies) {
            Ok(ended) => ended,
            Err(fatal) => return Err((fatal, group)),
        };
        match ended {
            Ended::Durable { answers, changed, taken } => {
                taken.iter().for_each(|(body, blob)| body.take(self.shard, *blob));
                self.published.publish(self.seq);
                self.watchers.fire(changed.into_iter().map(MailboxId));
                self.levels.look(tallies.take_filled());
                self.hand_on(group, answers);
            }
            Ended::Failed(error) if group.len() > 1 && !is_disk_trouble(&error) => {
                tracing::warn!("a group failed, its commits are tried one by one: {error}");
                for alone in group {
                    self.commit(vec![alone], tallies, room)?;
                }
            }
            Ended::Failed(error) => {
                tracing::error!("a group could not be written: {error}");
                if !is_full(&error) {
                    self.answer_all(group, &CommitError::Failed);
                } else {
                    self.space.trouble();
                    self.commit_into_ballast(group, tallies, room)?;
                }
            }
        }
        Ok(())
    }

    /// The group that found the device full may itself make room: what does goes through, with the ballast that was just
    /// given up for it.
    fn commit_into_ballast(
        &mut self,
        group: Vec<Queued>,
        tallies: &mut Tallies,
        room: Room,
    ) -> Result<(), (Fatal, Vec<Queued>)> {
        let once_more = |queued: &Queued| room == Room::Hoped && Space::admits(&queued.ops);
        let (freeing, taking): (Vec<_>, Vec<_>) = group.into_iter().partition(once_more);
        self.answer_all(taking, &CommitError::Full);
        for alone in freeing {
            self.commit(vec![alone], tallies, Room::Ballast)?;
        }
        Ok(())
    }

    /// Transaction, WAL flush and segment flush, the two flushes at the same time.
    // INVARIANT (durable-before-done), (publish-after-both): established here, the caller publishes and answers after it.
    fn attempt(&mut self, group: &[Queued], tallies: &mut Tallies) -> Result<Ended, Fatal> {
        let bodies = group.iter().flat_map(|queued| &queued.ops).flat_map(Op::bodies);
        let segments: BTreeSet<u32> = bodies.filter(|body| !body.is_flushed()).map(BodyRef::segment).collect();
        let mut flushing = self.flusher.start(segments);
        if group.iter().any(|queued| is_bodies_first(&queued.ops)) {
            flushing.wait().map_err(|error| Fatal { what: format!("a segment could not be flushed: {error}") })?;
            flushing = self.flusher.start(BTreeSet::new());
        }
        let seq = self.seq + 1;
        let bounds = group::Bounds { shard: self.shard, seq, decision_rows_max: self.decision_rows_max };
        let written = Group::run(&self.db, tallies, bounds, group);
        let written = match written {
            Ok(written) if written.held == 0 => {
                // Nothing to make durable: only refusals.
                self.roll_back().map(|()| written)
            }
            Ok(written) => self.db.execute_batch("COMMIT").map(|()| written),
            Err(error) => Err(error),
        };
        let flushed = flushing.wait();
        match (written, flushed) {
            (_, Err(error)) => Err(Fatal { what: format!("a segment could not be flushed: {error}") }),
            (Err(error), Ok(())) => {
                if is_failed_flush(&error) {
                    return Err(Fatal { what: format!("the WAL could not be flushed: {error}") });
                }
                self.roll_back().map_err(|error| Fatal { what: format!("a group could not be undone: {error}") })?;
                *tallies = Tallies::load(&self.db)
                    .map_err(|error| Fatal { what: format!("the counters cannot be read: {error}") })?;
                Ok(Ended::Failed(error))
            }
            (Ok(written), Ok(())) => {
                if written.held > 0 {
                    self.seq = seq;
                    self.count(&written);
                }
                Ok(Ended::Durable { answers: written.answers, changed: tallies.take_changed(), taken: written.taken })
            }
        }
    }

    fn roll_back(&self) -> rusqlite::Result<()> {
        if self.db.is_autocommit() { Ok(()) } else { self.db.execute_batch("ROLLBACK") }
    }

    fn count(&self, written: &group::Written) {
        Metrics::add(&self.metrics.groups, 1);
        Metrics::add(&self.metrics.flushes_wal, 1);
        Metrics::add(&self.metrics.deliveries, written.delivered);
        let pages = self.checkpointer.after_commit(&self.db);
        Metrics::add(&self.metrics.wal_bytes, pages * 4096);
    }

    fn hand_on(&self, group: Vec<Queued>, answers: Vec<Answer>) {
        for (queued, answer) in group.iter().zip(&answers) {
            match answer {
                Ok(_) => Metrics::add(&self.metrics.commits, 1),
                Err(_) => Metrics::add(&self.metrics.commits_failed, 1),
            }
            Metrics::add(&self.metrics.ops, queued.ops.len() as u64);
        }
        // The bodies of refused commits become void when `ops` goes, before anybody hears of it.
        let answers = group.into_iter().map(|queued| queued.done).zip(answers).collect();
        // The completion thread ends after this one.
        let _ = self.answers.send(answers);
    }

    fn answer_all(&self, group: Vec<Queued>, why: &CommitError) {
        let answers = vec![Err(why.clone()); group.len()];
        self.hand_on(group, answers);
    }

    // INVARIANT (one-sync-error): nothing is acknowledged after this.
    fn stop(&self, fatal: Fatal, group: Vec<Queued>) {
        self.published.poison();
        self.flusher.poison();
        self.queue.close(CommitError::Poisoned);
        self.answer_all(group, &CommitError::Poisoned);
        self.on_fatal.tell(&fatal);
    }
}

/// The device, not the statement: trying the commits one by one would only make it worse.
fn is_disk_trouble(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure | ErrorCode::OutOfMemory))
}

/// Recovery takes back what a commit added when its body is not on the device; it cannot bring back what the same commit took
/// away. So a commit that does both is not written before its bodies are durable.
fn is_bodies_first(ops: &[Op]) -> bool {
    let adds = |op: &Op| match op {
        Op::Replace(_) | Op::PutBackTaken(_) => false,
        Op::LogDecision { .. } | Op::FlushRings(_) => true,
        op => op.bodies().next().is_some(),
    };
    let mut unflushed = ops.iter().flat_map(Op::bodies).filter(|body| !body.is_flushed());
    let Some(first) = unflushed.next() else { return false };
    !ops.iter().all(adds) || unflushed.any(|body| body.0.place != first.0.place)
}

fn is_full(error: &rusqlite::Error) -> bool {
    // A full device shows as SQLITE_FULL, a full quota of the file system as a failed write.
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
        || error.sqlite_error().is_some_and(|e| e.extended_code == rusqlite::ffi::SQLITE_IOERR_WRITE)
}

/// After these the content of the device is unknown.
pub(crate) fn is_failed_flush(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi::{SQLITE_IOERR_DIR_FSYNC, SQLITE_IOERR_FSYNC};
    error.sqlite_error().is_some_and(|e| [SQLITE_IOERR_FSYNC, SQLITE_IOERR_DIR_FSYNC].contains(&e.extended_code))
        || error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt)
}
