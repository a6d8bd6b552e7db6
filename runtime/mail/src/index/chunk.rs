//! Some hundred neighbouring messages, 32 octets each, and the sets of flags among them.

use super::Entry;
use crate::date::DateTime;
use crate::{Flags, Keyword};

/// Most messages in a chunk. A change copies one chunk: more of them would make it dearer, fewer would make the list of
/// chunks long.
pub(super) const CHUNK: usize = 512;
/// So many sets of flags are compared before one is kept twice.
const COMPARED: usize = 16;
/// More sets than messages can have: time to forget those that none has any more.
const SETS_MAX: usize = 2 * CHUNK;

#[derive(Clone, Copy, Debug)]
struct Packed {
    mod_seq: u64,
    size_octets: u64,
    unix_seconds: i64,
    uid: u32,
    offset_minutes: i16,
    /// Place in `flag_sets`, which never has more than `SETS_MAX`.
    flag_set: u16,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Chunk {
    rows: Vec<Packed>,
    flag_sets: Vec<Flags>,
}

impl Chunk {
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// 0 for a chunk without messages.
    pub(super) fn last_uid(&self) -> u32 {
        self.rows.last().map_or(0, |row| row.uid)
    }

    pub(super) fn flag_sets(&self) -> &[Flags] {
        &self.flag_sets
    }

    pub(super) fn flag_set(&self, at: usize) -> usize {
        usize::from(self.rows[at].flag_set)
    }

    pub(super) fn entry(&self, at: usize) -> Entry<'_> {
        let row = &self.rows[at];
        Entry {
            uid: row.uid,
            mod_seq: row.mod_seq,
            flags: &self.flag_sets[usize::from(row.flag_set)],
            size_octets: row.size_octets,
            internal_date: DateTime { unix_seconds: row.unix_seconds, offset_minutes: row.offset_minutes },
        }
    }

    pub(super) fn place_of(&self, uid: u32) -> Option<usize> {
        self.rows.binary_search_by_key(&uid, |row| row.uid).ok()
    }

    pub(super) fn place_from(&self, uid: u32) -> usize {
        self.rows.partition_point(|row| row.uid < uid)
    }

    pub(super) fn octets(&self) -> usize {
        let keywords: usize =
            self.flag_sets.iter().flat_map(|set| &set.keywords).map(|it| it.as_str().len() + 64).sum();
        self.rows.capacity() * size_of::<Packed>() + self.flag_sets.capacity() * size_of::<Flags>() + keywords
    }

    pub(super) fn push(&mut self, entry: Entry<'_>) {
        let row = self.pack(entry);
        self.rows.push(row);
    }

    pub(super) fn set(&mut self, at: usize, entry: Entry<'_>) {
        let row = self.pack(entry);
        self.rows[at] = row;
    }

    pub(super) fn append(&mut self, other: &Chunk) {
        (0..other.len()).for_each(|at| self.push(other.entry(at)));
    }

    pub(super) fn shrink(&mut self) {
        self.rows.shrink_to_fit();
        self.flag_sets.shrink_to_fit();
    }

    /// Without the messages with these UIDs, which ascend.
    pub(super) fn without(&self, uids: &[u32]) -> Chunk {
        let rows = self.rows.iter().filter(|row| uids.binary_search(&row.uid).is_err()).copied().collect();
        Chunk { rows, flag_sets: self.flag_sets.clone() }
    }

    /// With these messages, which ascend, between the others; in more than one chunk when one does not hold them. One
    /// whose UID is here already is left out.
    pub(super) fn with(&self, entries: &[Entry<'_>]) -> Vec<Chunk> {
        let mut new = entries.iter().copied().filter(|entry| self.place_of(entry.uid).is_none()).peekable();
        let mut chunks = vec![Chunk::default()];
        let mut push = |entry| match chunks.last_mut() {
            Some(last) if last.len() < CHUNK => last.push(entry),
            _ => {
                let mut next = Chunk::default();
                next.push(entry);
                chunks.push(next);
            }
        };
        for at in 0..self.len() {
            while let Some(entry) = new.next_if(|entry| entry.uid < self.rows[at].uid) {
                push(entry);
            }
            push(self.entry(at));
        }
        new.for_each(push);
        chunks
    }

    fn pack(&mut self, entry: Entry<'_>) -> Packed {
        Packed {
            mod_seq: entry.mod_seq,
            size_octets: entry.size_octets,
            unix_seconds: entry.internal_date.unix_seconds,
            uid: entry.uid,
            offset_minutes: entry.internal_date.offset_minutes,
            flag_set: self.intern(entry.flags),
        }
    }

    /// The place of these flags. The newest sets are compared only, so that no mailbox is slow to build, whatever its flags.
    fn intern(&mut self, flags: &Flags) -> u16 {
        let newest = self.flag_sets.len().saturating_sub(COMPARED);
        let known = self.flag_sets[newest..].iter().rposition(|set| same(set, flags)).map(|at| newest + at);
        let at = known.unwrap_or_else(|| {
            if self.flag_sets.len() >= SETS_MAX {
                self.forget_unused();
            }
            self.flag_sets.push(flags.clone());
            self.flag_sets.len() - 1
        });
        // Fewer than `SETS_MAX`, see above.
        at as u16
    }

    /// Keeps the sets that a message has: at most one for each.
    fn forget_unused(&mut self) {
        let sets = std::mem::take(&mut self.flag_sets);
        let mut moved = vec![None; sets.len()];
        for row in &mut self.rows {
            let old = usize::from(row.flag_set);
            row.flag_set = *moved[old].get_or_insert_with(|| {
                self.flag_sets.push(sets[old].clone());
                (self.flag_sets.len() - 1) as u16
            });
        }
    }
}

/// Equal to the letter: keywords compare without case, but each message keeps its spelling.
fn same(one: &Flags, other: &Flags) -> bool {
    one.system == other.system
        && one.keywords.len() == other.keywords.len()
        && one.keywords.iter().map(Keyword::as_str).eq(other.keywords.iter().map(Keyword::as_str))
}
