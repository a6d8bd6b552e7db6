//! The thread that keeps the index behind the store, as far behind as is good for the store.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use mail::mime::Searched;

use super::feed::{self, News};
use super::index::{Cursor, Index, is_damage};
use super::order;
use super::terms::Terms;
use super::{Progress, Shared};
use crate::body::{BodyRef, Segments};
use crate::error::ReadError;
use crate::metrics::Metrics;
use crate::read::Pool;

/// Behind a change the index waits so long for more of them. Who searches meanwhile looks into what came.
const COMPANY: Duration = Duration::from_secs(1);
/// After trouble of the machine, a full device above all.
const PAUSE: Duration = Duration::from_secs(30);
/// Changed mailboxes read at a time.
const MAILBOXES_MAX: usize = 4_096;
/// Messages of a mailbox read at a time.
const MESSAGES_MAX: usize = 256;
/// What one transaction takes: octets of terms, and messages.
const BATCH_TERMS_BYTES: usize = 16 << 20;
const BATCH_MESSAGES: usize = 1_024;
/// Longer messages are looked into each time: reading one takes as much memory.
const MESSAGE_OCTETS_MAX: u64 = 64 << 20;
/// And messages with more text than this.
const TEXT_BYTES_MAX: usize = 16 << 20;

pub(super) struct Indexer {
    shared: Arc<Shared>,
    pool: Pool,
    segments: Arc<Segments>,
    metrics: Arc<Metrics>,
    /// What was published when the store was opened.
    opened_at: u64,
}

/// Why a pass ended early.
enum Stop {
    Closing,
    /// The store cannot be read.
    Store(ReadError),
    Index(rusqlite::Error),
    /// The index has to be made anew: what it is.
    Unfit(&'static str),
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Stop {
        Stop::Store(error)
    }
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Stop {
        Stop::Index(error)
    }
}

impl Indexer {
    pub(super) fn new(shared: Arc<Shared>, pool: Pool, segments: Arc<Segments>, metrics: Arc<Metrics>) -> Indexer {
        let opened_at = shared.published.reached().unwrap_or(0);
        Indexer { shared, pool, segments, metrics, opened_at }
    }

    pub(super) fn run(self) {
        lower_priority();
        // A file that was made anew and has not come through a pass is not made anew at once.
        let mut fresh = false;
        loop {
            let damaged = match self.follow(&mut fresh) {
                Stop::Closing | Stop::Store(ReadError::Poisoned) => break,
                Stop::Store(error) => {
                    tracing::warn!("the search index cannot read the store: {error}");
                    false
                }
                Stop::Index(error) => {
                    tracing::warn!("the search index cannot be used: {error}");
                    is_damage(&error)
                }
                Stop::Unfit(what) => {
                    tracing::warn!("the search index is {what}");
                    true
                }
            };
            let again_at_once = damaged && !fresh;
            if damaged {
                match self.shared.readers.remove() {
                    Ok(()) => tracing::warn!("the search index is made anew"),
                    Err(error) => tracing::warn!("the search index cannot be deleted: {error}"),
                }
                Metrics::add(&self.metrics.search_rebuilds, 1);
                self.shared.lock().seq = 0;
                fresh = true;
            }
            if !again_at_once {
                self.shared.lock().failures += 1;
                self.shared.moved.notify_all();
                self.wait(PAUSE);
            }
            if self.shared.is_closing() {
                break;
            }
        }
        self.shared.lock().ended = true;
        self.shared.moved.notify_all();
    }

    /// Pass after pass until something stops it.
    fn follow(&self, fresh: &mut bool) -> Stop {
        let index = match Index::open(self.shared.readers.path()) {
            Ok(Some(index)) => index,
            Ok(None) => return Stop::Unfit("of another format or cut"),
            Err(error) => return Stop::Index(error),
        };
        if let Err(stop) = self.compare(&index) {
            return stop;
        }
        self.shared.readers.open();
        loop {
            let Some(seq) = self.shared.published.reached() else { return Stop::Store(ReadError::Poisoned) };
            if let Err(stop) = self.pass(&index) {
                index.roll_back();
                return stop;
            }
            *fresh = false;
            self.shared.lock().seq = seq;
            self.shared.moved.notify_all();
            let stop = || self.shared.is_closing() || self.shared.readers.is_damaged();
            self.shared.published.wait_behind(seq, stop);
            self.wait(COMPANY);
            if self.shared.is_closing() {
                return Stop::Closing;
            }
        }
    }

    /// A store that was put back is behind its index somewhere, or its mailboxes have other UIDVALIDITYs. Mailboxes that were
    /// deleted while nobody listened are taken out.
    fn compare(&self, index: &Index) -> Result<(), Stop> {
        // The index takes what is published, so one that was ahead when the store was opened saw another store.
        if self.opened_at < index.reach()? {
            return Err(Stop::Unfit("ahead of the store"));
        }
        let there = self.pool.read(feed::mailboxes)?;
        for (mailbox, cursor) in index.cursors()? {
            let Ok(at) = there.binary_search_by_key(&mailbox, |(id, _)| *id) else {
                self.take_out(index, mailbox)?;
                continue;
            };
            let now = there[at].1;
            if now.uidvalidity != cursor.uidvalidity || now.uid < cursor.uid || now.modseq < cursor.modseq {
                return Err(Stop::Unfit("of another store"));
            }
        }
        Ok(())
    }

    /// Indexes what changed, as far as it is published when the last mailbox is read.
    fn pass(&self, index: &Index) -> Result<(), Stop> {
        let seq = index.seq()?;
        let mut after = if seq == 0 { (0, 0) } else { (seq, u32::MAX) };
        loop {
            if self.shared.readers.is_damaged() {
                return Err(Stop::Unfit("damaged"));
            }
            let changed = self.pool.read(|tx| feed::changed(tx, after, MAILBOXES_MAX))?;
            let Some(last) = changed.last() else { return Ok(()) };
            self.catch_up(index, changed.iter().map(|(_, mailbox)| *mailbox).collect())?;
            after = *last;
            // Others may have changed with the last number too.
            index.set_seq(if changed.len() < MAILBOXES_MAX { after.0 } else { after.0 - 1 })?;
        }
    }

    /// Ascending, as FTS5 likes it.
    fn catch_up(&self, index: &Index, mailboxes: BTreeSet<u32>) -> Result<(), Stop> {
        let mut batch = Batch { index, terms: Terms::new(), messages: 0, terms_bytes: 0 };
        index.begin()?;
        for mailbox in &mailboxes {
            self.keys_ahead(index, *mailbox)?;
        }
        for mailbox in mailboxes {
            while self.step(&mut batch, mailbox)? {
                self.commit_when_full(&mut batch)?;
            }
            self.commit_when_full(&mut batch)?;
        }
        self.commit(index)?;
        self.metrics.search_waiting.store(0, Ordering::Relaxed);
        Ok(())
    }

    fn commit_when_full(&self, batch: &mut Batch<'_>) -> Result<(), Stop> {
        if batch.messages >= BATCH_MESSAGES || batch.terms_bytes >= BATCH_TERMS_BYTES {
            self.commit(batch.index)?;
            batch.index.begin()?;
            (batch.messages, batch.terms_bytes) = (0, 0);
        }
        Ok(())
    }

    /// What was read was published before.
    fn commit(&self, index: &Index) -> Result<(), Stop> {
        let reach = self.shared.published.reached().ok_or(ReadError::Poisoned)?;
        Ok(index.commit(reach)?)
    }

    /// What messages are ordered by is made in a small part of the time that their terms take. Where many wait, it comes before
    /// the terms of any, so that few have to be ordered by their summaries.
    fn keys_ahead(&self, index: &Index, mailbox: u32) -> Result<(), Stop> {
        let since = index.cursor(mailbox)?;
        let now = self.pool.read(|tx| feed::mailbox(tx, mailbox))?;
        let Some(now) = now.filter(|now| since.is_none_or(|since| since.uidvalidity == now.uidvalidity)) else {
            return Ok(());
        };
        if now.uid.saturating_sub(since.map_or(0, |since| since.uid)) as usize <= MESSAGES_MAX {
            return Ok(());
        }
        // A mailbox without a cursor would not be missed when it is deleted.
        if since.is_none() {
            index.set_cursor(mailbox, Cursor { uid: 0, ..now })?;
        }
        let mut keyed = order::last(index.db(), mailbox)?;
        loop {
            if self.shared.is_closing() {
                return Err(Stop::Closing);
            }
            let keys = self.pool.read(|tx| feed::keys(tx, mailbox, keyed, BATCH_MESSAGES))?;
            let Some((last, _)) = keys.last() else { return Ok(()) };
            keyed = *last;
            order::add(index.db(), mailbox, &keys)?;
            self.commit(index)?;
            index.begin()?;
        }
    }

    /// A part of what is new in a mailbox; true when there is more.
    fn step(&self, batch: &mut Batch<'_>, mailbox: u32) -> Result<bool, Stop> {
        let since = batch.index.cursor(mailbox)?;
        let keyed = order::last(batch.index.db(), mailbox)?;
        let news = self.pool.read(|tx| feed::news(tx, mailbox, since, keyed, MESSAGES_MAX))?;
        let Some(news) = news.filter(|news| since.is_none_or(|since| since.uidvalidity == news.cursor.uidvalidity))
        else {
            self.commit(batch.index)?;
            self.take_out(batch.index, mailbox)?;
            batch.index.begin()?;
            // A deleted one is gone now, the other begins again.
            return Ok(since.is_some());
        };
        let News { cursor, more, vanished, bodies, keys, waiting } = news;
        self.metrics.search_waiting.store(waiting, Ordering::Relaxed);
        batch.index.remove(mailbox, &vanished)?;
        order::add(batch.index.db(), mailbox, &keys)?;
        for (uid, body) in &bodies {
            if self.shared.is_closing() {
                return Err(Stop::Closing);
            }
            if self.read_terms(body, &mut batch.terms)? {
                batch.index.add(mailbox, *uid, batch.terms.text())?;
            } else {
                batch.index.add_unindexed(mailbox, *uid)?;
            }
            batch.messages += 1;
            batch.terms_bytes += batch.terms.text().len();
        }
        if since != Some(cursor) {
            batch.index.set_cursor(mailbox, cursor)?;
        }
        Metrics::add(&self.metrics.search_indexed, bodies.len() as u64);
        Ok(more)
    }

    /// False when the message has to be looked into each time.
    fn read_terms(&self, body: &BodyRef, terms: &mut Terms) -> Result<bool, Stop> {
        terms.clear();
        if body.len() > MESSAGE_OCTETS_MAX {
            return Ok(false);
        }
        let content = match self.segments.read(&body.0.place) {
            Ok(content) => content,
            // It may be expunged and gone by now; if it is not, who looks into it hears of the damage.
            Err(ReadError::Damaged) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let searched = Searched::of(&content);
        let short = searched.header.len() + searched.body.len() <= TEXT_BYTES_MAX;
        Ok(searched.whole && short && terms.add(&searched.header) && terms.add(&searched.body))
    }

    fn take_out(&self, index: &Index, mailbox: u32) -> Result<(), Stop> {
        loop {
            if self.shared.is_closing() {
                return Err(Stop::Closing);
            }
            index.begin()?;
            let done = index.remove_mailbox(mailbox, BATCH_MESSAGES)?;
            self.commit(index)?;
            if done {
                return Ok(());
            }
        }
    }

    /// Less when somebody waits for the index.
    fn wait(&self, time: Duration) {
        let calm = |progress: &mut Progress| progress.waiting == 0 && !self.shared.is_closing();
        let progress = self.shared.lock();
        drop(self.shared.moved.wait_timeout_while(progress, time, calm).unwrap_or_else(PoisonError::into_inner));
    }
}

/// One transaction of the index.
struct Batch<'a> {
    index: &'a Index,
    terms: Terms,
    messages: usize,
    terms_bytes: usize,
}

/// On Linux niceness belongs to a thread.
fn lower_priority() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(19) {
        tracing::debug!("the search index runs at ordinary priority: {error}");
    }
}
