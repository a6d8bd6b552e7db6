//! The index of a mailbox (`mail::index`), kept between uses and shared by all who look at the mailbox.
//!
//! Bringing a kept index up to date costs what changed; only a mailbox nobody looked at lately is read row by row.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use mail::Flags;
use mail::date::DateTime;
use mail::index::{Builder, Entry, Index};
use rusqlite::Transaction;

use super::mailboxes::mailbox_with_id;
use super::messages::{MESSAGE, changes_in, flags_from};
use super::{Changes, Listing, MailboxInfo, MessageRow};
use crate::error::ReadError;
use crate::id::{InternalDate, MailboxId, Modseq};
use crate::schema::{message_key, uid_of};
use crate::store::Store;

/// Octets of all kept indexes together: those of two million messages.
const OCTETS_MAX: usize = 64 << 20;
/// Changes of a mailbox that are soon read.
const NEAR: Modseq = 64;

impl Store {
    /// All messages of a mailbox and what changed after `since`, both at one moment. `None` when it is deleted.
    pub fn listing(&self, mailbox: MailboxId, since: Modseq) -> Result<Option<Listing>, ReadError> {
        self.indexes()
            .bring_up_to_date(mailbox, |kept| self.read_in(mailbox.shard(), |tx| listing(tx, mailbox, since, kept)))
    }

    /// Is an index of the mailbox at hand that little happened since? `listing` costs no more than that then.
    pub fn has_index(&self, mailbox: &MailboxInfo) -> bool {
        self.indexes().has(mailbox.id, mailbox.highestmodseq.saturating_sub(NEAR))
    }
}

impl MessageRow {
    /// The same as it stands in an index.
    pub fn entry(&self) -> Entry<'_> {
        Entry {
            uid: self.uid,
            mod_seq: self.modseq,
            flags: &self.flags,
            size_octets: self.size_octets,
            internal_date: date_time(self.internal_date),
        }
    }
}

fn date_time(date: InternalDate) -> DateTime {
    DateTime { unix_seconds: date.seconds, offset_minutes: date.offset_minutes }
}

/// An index, the MODSEQ it is as of, and what it takes.
struct Known {
    index: Index,
    modseq: Modseq,
    octets: usize,
}

fn listing(
    tx: &Transaction,
    mailbox: MailboxId,
    since: Modseq,
    kept: Option<Known>,
) -> Result<Option<Listing>, ReadError> {
    let Some(info) = mailbox_with_id(tx, mailbox)? else { return Ok(None) };
    let changes = changes_in(tx, &info, since)?;
    let kept = match kept {
        Some(known) if known.modseq == info.highestmodseq => Some(known.index),
        Some(known) if known.modseq == since => Some(changed(known.index, &changes)),
        Some(known) => Some(changed(known.index, &changes_in(tx, &info, known.modseq)?)),
        None => None,
    };
    // The sum is kept beside the rows: an index that disagrees is not used.
    let index = match kept.filter(|index| index.len() == info.counts.messages as usize) {
        Some(index) => index,
        None => read_index(tx, &info)?,
    };
    Ok(Some(Listing { changes, index }))
}

fn changed(mut index: Index, changes: &Changes) -> Index {
    if !changes.vanished.is_empty() {
        index.remove(&changes.vanished);
    }
    index.replace(changes.messages.iter().map(MessageRow::entry));
    index.append(changes.messages.iter().map(MessageRow::entry));
    index
}

/// In one pass, without a row of its own for any message.
fn read_index(tx: &Transaction, mailbox: &MailboxInfo) -> rusqlite::Result<Index> {
    let mut query = tx.prepare_cached(&format!("{MESSAGE} WHERE id BETWEEN ?1 AND ?2 ORDER BY id"))?;
    let mut rows = query.query((message_key(mailbox.id.0, 0), message_key(mailbox.id.0, u32::MAX)))?;
    let mut index = Builder::default();
    // Neighbours mostly have the same flags.
    let (mut flags, mut spelled) = (Flags::default(), None::<String>);
    while let Some(row) = rows.next()? {
        let (bits, keywords) = (row.get(2)?, row.get_ref(3)?.as_str_or_null()?);
        if bits != flags.system.bits() || keywords != spelled.as_deref() {
            flags = flags_from(bits, keywords);
            spelled = keywords.map(str::to_owned);
        }
        index.push(Entry {
            uid: uid_of(row.get(0)?),
            mod_seq: row.get::<_, i64>(1)? as u64,
            flags: &flags,
            size_octets: row.get::<_, i64>(4)? as u64,
            internal_date: DateTime { unix_seconds: row.get(5)?, offset_minutes: row.get(6)? },
        });
    }
    Ok(index.finish())
}

/// The indexes that are kept: those used last, as many as fit.
pub(crate) struct Indexes {
    octets_max: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    of: HashMap<MailboxId, Place>,
    octets: usize,
    /// Counts the uses.
    now: u64,
}

/// Where the index of a mailbox is kept. Whoever brings it up to date holds the lock: others who want it wait rather than do
/// the same.
struct Place {
    known: Arc<Mutex<Option<Known>>>,
    octets: usize,
    modseq: Modseq,
    used: u64,
}

impl Default for Indexes {
    fn default() -> Indexes {
        Indexes::of(OCTETS_MAX)
    }
}

impl Indexes {
    fn of(octets_max: usize) -> Indexes {
        Indexes { octets_max, kept: Mutex::default() }
    }

    fn has(&self, mailbox: MailboxId, modseq: Modseq) -> bool {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.of.get(&mailbox).is_some_and(|place| place.octets > 0 && place.modseq >= modseq)
    }

    fn bring_up_to_date(
        &self,
        mailbox: MailboxId,
        read: impl FnOnce(Option<Known>) -> Result<Option<Listing>, ReadError>,
    ) -> Result<Option<Listing>, ReadError> {
        let place = self.place(mailbox);
        let mut known = place.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.as_ref().map(|known| (known.modseq, known.octets));
        // Taken out, not cloned: a change copies no chunk that nobody else holds. After a failed read it is read anew.
        let listing = read(known.take())?;
        *known = listing.as_ref().map(|listing| {
            let modseq = listing.changes.highestmodseq;
            let same = before.filter(|(kept, _)| *kept == modseq);
            let octets = same.map_or_else(|| listing.index.octets(), |(_, octets)| octets);
            Known { index: listing.index.clone(), modseq, octets }
        });
        let noted = known.as_ref().map(|known| (known.octets, known.modseq));
        drop(known);
        self.note(mailbox, &place, noted);
        Ok(listing)
    }

    fn place(&self, mailbox: MailboxId) -> Arc<Mutex<Option<Known>>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let place = || Place { known: Arc::default(), octets: 0, modseq: 0, used: 0 };
        kept.of.entry(mailbox).or_insert_with(place).known.clone()
    }

    /// Notes the use and the size, and forgets a deleted mailbox and what does not fit.
    fn note(&self, mailbox: MailboxId, noted: &Arc<Mutex<Option<Known>>>, kept_now: Option<(usize, Modseq)>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.now += 1;
        let now = kept.now;
        // It may have been forgotten meanwhile, and be kept anew by somebody else.
        let Some(place) = kept.of.get_mut(&mailbox).filter(|place| Arc::ptr_eq(&place.known, noted)) else { return };
        let before = place.octets;
        place.used = now;
        // An empty index takes a place too.
        let octets = kept_now.map_or(0, |(octets, _)| octets + size_of::<Place>() + size_of::<Known>());
        (place.octets, place.modseq) = (octets, kept_now.map_or(0, |(_, modseq)| modseq));
        kept.octets = kept.octets - before + octets;
        if kept_now.is_none() {
            kept.of.remove(&mailbox);
        }
        if kept.octets > self.octets_max {
            kept.shrink(self.octets_max / 4 * 3);
        }
    }
}

impl Kept {
    /// Forgets what was used longest ago.
    fn shrink(&mut self, octets_max: usize) {
        let mut oldest: Vec<(u64, MailboxId)> = self.of.iter().map(|(mailbox, place)| (place.used, *mailbox)).collect();
        oldest.sort_unstable();
        for (_, mailbox) in oldest {
            if self.octets <= octets_max {
                break;
            }
            self.octets -= self.of.remove(&mailbox).map_or(0, |place| place.octets);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(messages: u32) -> Listing {
        let none = Flags::default();
        let mut index = Index::default();
        let internal_date = DateTime::utc(0);
        index.append((1..=messages).map(|uid| Entry { uid, mod_seq: 1, flags: &none, size_octets: 1, internal_date }));
        let changes = Changes { highestmodseq: 1, uidnext: 1, messages: Vec::new(), vanished: Vec::new() };
        Listing { changes, index }
    }

    #[test]
    fn the_indexes_used_last_are_kept_within_the_bound() {
        let indexes = Indexes::of(100_000);
        let look = |mailbox: u32| {
            let mut read = false;
            let found = indexes.bring_up_to_date(MailboxId(mailbox), |kept| {
                read = kept.is_none();
                Ok(Some(listing(500)))
            });
            assert_eq!(found.unwrap().unwrap().index.len(), 500);
            assert!(indexes.kept.lock().unwrap().octets <= 100_000);
            read
        };
        assert!((1..=4).all(look), "nothing is kept yet");
        assert!(!(1..=4).any(look));
        (5..=40).for_each(|mailbox| assert!(look(mailbox) && !look(1), "what is used stays"));
        assert!(look(4), "what was used long ago went");
    }

    #[test]
    fn a_deleted_mailbox_and_a_failed_read_leave_nothing_behind() {
        let indexes = Indexes::of(1 << 20);
        let one = MailboxId(1);
        indexes.bring_up_to_date(one, |_| Ok(Some(listing(3)))).unwrap();
        assert!(indexes.has(one, 1) && !indexes.has(one, 2));
        assert!(indexes.bring_up_to_date(one, |_| Err(ReadError::Busy)).is_err());
        indexes.bring_up_to_date(one, |kept| Ok(kept.is_none().then(|| listing(3)))).unwrap().unwrap();
        assert!(indexes.bring_up_to_date(one, |_| Ok(None)).unwrap().is_none());
        assert!(!indexes.has(one, 0) && indexes.kept.lock().unwrap().octets == 0);
    }
}
