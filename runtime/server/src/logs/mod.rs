//! Where log lines go besides standard error: the journal with its fields, a syslog server over TLS, and a short memory
//! of the newest for `facteur doctor bundle`. A line that finds no room is dropped and counted; nobody waits for one.

mod entry;
mod export;
mod journal;
mod recent;
mod syslog;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::sync::mpsc;

pub use entry::Entry;
pub(crate) use export::{end, keep, open};
pub use journal::{Journal, is_journal};
pub(crate) use recent::{Recent, Remembered};

/// Lines that wait for the syslog server.
const WAITING_MAX: usize = 8_192;

static SENT: AtomicU64 = AtomicU64::new(0);
static DROPPED: AtomicU64 = AtomicU64::new(0);
static UP: AtomicBool = AtomicBool::new(false);
static JOURNAL_DROPPED: AtomicU64 = AtomicU64::new(0);
static QUEUE: RwLock<Option<mpsc::Sender<Arc<Entry>>>> = RwLock::new(None);
static RECENT: Mutex<Recent> = Mutex::new(Recent::new());

/// What became of lines since the process started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    pub sent: u64,
    pub dropped: u64,
    pub up: bool,
    pub journal_dropped: u64,
}

pub(crate) fn counts() -> Counts {
    Counts {
        sent: SENT.load(Ordering::Relaxed),
        dropped: DROPPED.load(Ordering::Relaxed),
        up: UP.load(Ordering::Relaxed),
        journal_dropped: JOURNAL_DROPPED.load(Ordering::Relaxed),
    }
}

/// Takes a line: it is remembered, and sent where lines are sent. Never waits.
pub fn note(entry: Entry) {
    RECENT.lock().unwrap_or_else(PoisonError::into_inner).take(&entry);
    let queue = QUEUE.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(queue) = &*queue
        && queue.try_send(Arc::new(entry)).is_err()
    {
        DROPPED.fetch_add(1, Ordering::Relaxed);
    }
}

/// The newest lines, the oldest of them first.
pub(crate) fn remembered() -> Vec<Remembered> {
    RECENT.lock().unwrap_or_else(PoisonError::into_inner).all()
}

/// A line the journal did not take.
pub(super) fn journal_dropped() {
    JOURNAL_DROPPED.fetch_add(1, Ordering::Relaxed);
}
