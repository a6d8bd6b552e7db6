//! Copies the WAL into the database, on a thread and a connection of its own.
//!
//! A passive checkpoint copies what was there when it began. Under load more comes meanwhile, and SQLite starts the WAL
//! afresh only when nothing is left to copy; so after the long part the writer copies the short rest between two groups.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;

use crate::error::Fatal;
use crate::metrics::Metrics;
use crate::schema::{self, Purpose};
use crate::writer::is_failed_flush;

const PAGE_BYTES: u64 = 4096;
/// Pages the writer may copy itself between two groups.
const REST_PAGES_MAX: u64 = 1024;
const COMMITS_BETWEEN_LOOKS: u64 = 16;
/// Rounds of the thread before the writer takes over all the same.
const ROUNDS_MAX: u32 = 4;

pub(crate) struct Checkpointer {
    pages_max: u64,
    commits: AtomicU64,
    /// Pages in the WAL when the writer looked last.
    pages: AtomicU64,
    /// The thread is done, the rest is the writer's.
    rest: AtomicBool,
    /// A long read keeps the WAL from starting afresh: copying would be work for nothing.
    paused: AtomicBool,
    state: Mutex<State>,
    moved: Condvar,
    metrics: Arc<Metrics>,
}

#[derive(Default)]
struct State {
    wanted: bool,
    closed: bool,
    failed: Option<Fatal>,
}

impl Checkpointer {
    pub(crate) fn spawn(
        database: &Path,
        wal_bytes_checkpoint: u64,
        metrics: Arc<Metrics>,
    ) -> Result<(Arc<Checkpointer>, JoinHandle<()>), crate::error::OpenError> {
        let db = schema::connect(database, Purpose::Checkpoint)?;
        let checkpointer = Arc::new(Checkpointer {
            pages_max: (wal_bytes_checkpoint / PAGE_BYTES).max(1),
            commits: AtomicU64::new(0),
            pages: AtomicU64::new(0),
            rest: AtomicBool::new(false),
            paused: AtomicBool::new(false),
            state: Mutex::default(),
            moved: Condvar::new(),
            metrics,
        });
        let shared = checkpointer.clone();
        let thread = std::thread::Builder::new()
            .name("store-checkpoint".to_owned())
            .spawn(move || shared.run(&db))
            .map_err(|error| crate::error::OpenError::Io { path: database.to_owned(), error })?;
        Ok((checkpointer, thread))
    }

    /// Writer: looks how long the WAL got, now and then, and wakes the thread. Gives the pages written since it looked last.
    pub(crate) fn after_commit(&self, db: &Connection) -> u64 {
        // SQLite prepares this pragma each time, which is dear for a group of one.
        if !self.commits.fetch_add(1, Ordering::Relaxed).is_multiple_of(COMMITS_BETWEEN_LOOKS) {
            return 0;
        }
        let Ok((pages, copied)) = wal(db, "PRAGMA wal_checkpoint(NOOP)") else { return 0 };
        let before = self.pages.swap(pages, Ordering::Relaxed);
        let idle = !self.rest.load(Ordering::Acquire) && !self.paused.load(Ordering::Acquire);
        if pages >= self.pages_max && copied < pages && idle {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.wanted = true;
            self.moved.notify_one();
        }
        // A WAL that became shorter was started afresh by this commit.
        if pages >= before { pages - before } else { pages }
    }

    /// While `paused` no checkpoint begins.
    pub(crate) fn pause(&self, paused: bool) {
        self.paused.store(paused, Ordering::Release);
    }

    /// Writer, between two groups: copies what the thread left.
    pub(crate) fn catch_up(&self, db: &Connection) -> Result<(), Fatal> {
        if !self.rest.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        if let Some(fatal) = self.state.lock().unwrap_or_else(PoisonError::into_inner).failed.clone() {
            return Err(fatal);
        }
        self.checkpoint(db).map(|_| ())
    }

    pub(crate) fn close(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.moved.notify_all();
    }

    fn run(&self, db: &Connection) {
        loop {
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let idle = |state: &mut State| !state.wanted && !state.closed;
            let mut state = self.moved.wait_while(state, idle).unwrap_or_else(PoisonError::into_inner);
            if state.closed {
                return;
            }
            state.wanted = false;
            drop(state);
            for _ in 0..ROUNDS_MAX {
                match self.checkpoint(db) {
                    Ok(left) if left > REST_PAGES_MAX => {}
                    Ok(_) => break,
                    Err(fatal) => {
                        self.state.lock().unwrap_or_else(PoisonError::into_inner).failed = Some(fatal);
                        break;
                    }
                }
            }
            self.rest.store(true, Ordering::Release);
        }
    }

    /// Pages that are left. A full device is no harm here: the WAL keeps what could not be copied.
    fn checkpoint(&self, db: &Connection) -> Result<u64, Fatal> {
        match wal(db, "PRAGMA wal_checkpoint(PASSIVE)") {
            Ok((_, copied)) => {
                Metrics::add(&self.metrics.checkpoints, 1);
                Metrics::add(&self.metrics.flushes_checkpoint, 2);
                Ok(self.pages.load(Ordering::Relaxed).saturating_sub(copied))
            }
            Err(error) if is_failed_flush(&error) => {
                Err(Fatal { what: format!("the database could not be flushed: {error}") })
            }
            Err(error) => {
                tracing::warn!("a checkpoint did not finish: {error}");
                Ok(0)
            }
        }
    }
}

/// Pages in the WAL, and how many of them are in the database already.
fn wal(db: &Connection, pragma: &str) -> rusqlite::Result<(u64, u64)> {
    db.prepare_cached(pragma)?
        .query_row([], |row| Ok((row.get::<_, i64>(1)?.max(0) as u64, row.get::<_, i64>(2)?.max(0) as u64)))
}
