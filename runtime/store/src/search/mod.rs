//! Full-text search: which messages of a mailbox may hold a text, and what messages are ordered by. Feeds `search-NN.db` from
//! the change numbers of the store, on a thread of low priority.
//!
//! What a caller relies on:
//! - INVARIANT (never-too-little): of the messages up to `known_to`, those that hold the text are in `maybe`. Whoever looks
//!   into `maybe` and into the messages above `known_to` has the exact answer, at any moment.
//! - INVARIANT (rebuildable): nothing is in the file that is not in the store. A file that is missing, damaged, of another
//!   format or ahead of its store is made anew; meanwhile everything is looked into.
//! - A commit to the store never waits for the index.
//!
//! | step | crash after it |
//! |---|---|
//! | a group is published | the next pass finds it behind the cursor |
//! | what a mailbox is ordered by is committed, its terms are not | its cursor stays; the next pass goes on with the terms |
//! | terms are inserted, not committed | the transaction is rolled back, its cursors with it |
//! | the transaction is committed, not flushed | rows and cursors are there or are not, together |
//! | the file is half deleted | it is made anew |

mod feed;
mod index;
mod indexer;
mod order;
mod readers;
mod terms;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use mail::order::{KeyParts, Keys};

use crate::body::Segments;
use crate::id::MailboxId;
use crate::metrics::Metrics;
use crate::publish::Published;
use crate::read::Pool;
use indexer::Indexer;
use readers::Readers;

/// Messages of a mailbox that may hold a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    /// Messages up to this UID are known. 0 when none is: the index is behind, or the text too short for it.
    pub known_to: u32,
    /// Of those, the ones that may hold the text: ascending UIDs. Some may be expunged.
    pub maybe: Vec<u32>,
}

/// The index of one shard.
pub(crate) struct Search {
    shared: Arc<Shared>,
}

struct Shared {
    readers: Readers,
    published: Arc<Published>,
    closing: AtomicBool,
    progress: Mutex<Progress>,
    moved: Condvar,
}

#[derive(Default)]
struct Progress {
    /// The index holds every change up to this number.
    seq: u64,
    /// Passes that failed.
    failures: u64,
    /// Callers that wait for the index: it does not wait for company then.
    waiting: usize,
    ended: bool,
}

impl Search {
    /// Starts the thread; the file is opened there. `database` is the shard's metadata, which is read on a connection of
    /// the index's own.
    pub(crate) fn spawn(
        path: &Path,
        database: &Path,
        segments: Arc<Segments>,
        published: Arc<Published>,
        metrics: Arc<Metrics>,
    ) -> std::io::Result<(Search, JoinHandle<()>)> {
        let shared = Arc::new(Shared {
            readers: Readers::new(path.to_owned()),
            published: published.clone(),
            closing: AtomicBool::new(false),
            progress: Mutex::default(),
            moved: Condvar::new(),
        });
        let pool = Pool::new(database.to_owned(), 1, published);
        let indexer = Indexer::new(shared.clone(), pool, segments, metrics);
        let thread = std::thread::Builder::new().name("store-search".to_owned()).spawn(move || indexer.run())?;
        Ok((Search { shared }, thread))
    }

    /// For each of `texts`, folded by `mail::fold`: which messages may hold it, in the header or in the body.
    pub(crate) fn candidates(&self, mailbox: MailboxId, texts: &[String]) -> Vec<Candidates> {
        let found = self.shared.readers.candidates(mailbox.0, texts);
        self.hear_of_damage();
        found
    }

    /// What those of the messages that the index knows are ordered by. `uids` ascend.
    pub(crate) fn order_keys(&self, mailbox: MailboxId, uids: &[u32], parts: KeyParts) -> Keys {
        let found = self.shared.readers.ask(|db| order::read(db, mailbox.0, uids, parts)).unwrap_or_default();
        self.hear_of_damage();
        found
    }

    fn hear_of_damage(&self) {
        if self.shared.readers.is_damaged() {
            self.shared.published.wake();
        }
    }

    /// Waits until the index holds everything published before the call. False when it cannot now.
    pub(crate) fn settle(&self) -> bool {
        let Some(seq) = self.shared.published.reached() else { return false };
        let mut progress = self.shared.lock();
        let failures = progress.failures;
        progress.waiting += 1;
        self.shared.moved.notify_all();
        let waits = |progress: &mut Progress| {
            (progress.seq < seq || self.shared.readers.is_damaged()) && progress.failures == failures && !progress.ended
        };
        let mut progress = self.shared.moved.wait_while(progress, waits).unwrap_or_else(PoisonError::into_inner);
        progress.waiting -= 1;
        progress.seq >= seq
    }

    /// The thread ends before its next message.
    pub(crate) fn close(&self) {
        self.shared.closing.store(true, Ordering::Release);
        self.shared.readers.close();
        // Taken and let go, so that a thread between its look and its wait does not miss this.
        drop(self.shared.lock());
        self.shared.moved.notify_all();
        self.shared.published.wake();
    }
}

impl Shared {
    fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
