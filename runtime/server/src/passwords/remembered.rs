//! Logins that succeeded: a table under a clock it is given, and its rows as the store keeps them.
//!
//! An entry is named by a keyed hash of login, secret and verifier, so that it opens nothing else, nothing after the
//! password changed, and nothing without the key. Entries end by whichever clock says so first, the wall's or the one that
//! only runs forward: setting a clock back prolongs none.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::Name;

/// How long a success is remembered, restarts included.
pub const REMEMBERED: Duration = Duration::from_secs(86_400);
/// Successes remembered at a time: some 5 MB. What finds no place is hashed again.
const ENTRIES_MAX: usize = 65_536;
/// Octets of an entry in a row: name, account, seconds left.
const ENTRY_OCTETS: usize = 32 + 8 + 4;
/// Octets in front of them: the Unix second the row was written at.
const HEADER_OCTETS: usize = 8;

/// A row holds the entries whose name begins with its number.
pub type Row = u8;

/// Now, by both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Since this process started.
    pub running: Duration,
    pub unix_s: i64,
}

/// The table.
#[derive(Debug, Default)]
pub struct Remembered {
    entries: HashMap<Name, Entry>,
    /// Rows that are not in the store as they are here.
    changed: BTreeSet<Row>,
}

#[derive(Debug)]
struct Entry {
    /// Whose it is, as a keyed hash.
    account: u64,
    until: Duration,
    until_s: i64,
}

impl Entry {
    fn of(account: u64, left_s: u32, now: Moment) -> Entry {
        let left = Duration::from_secs(u64::from(left_s)).min(REMEMBERED);
        let until_s = now.unix_s.saturating_add(i64::try_from(left.as_secs()).unwrap_or(0));
        Entry { account, until: now.running.saturating_add(left), until_s }
    }

    fn left_s(&self, now: Moment) -> u32 {
        let running = self.until.saturating_sub(now.running).as_secs();
        let wall = u64::try_from(self.until_s.saturating_sub(now.unix_s)).unwrap_or(0);
        u32::try_from(running.min(wall)).unwrap_or(u32::MAX)
    }
}

/// Octets that are no row, or one from later than now: the clock was set back, and how long ago it was is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRow {
    Damaged,
    FromLater,
}

impl Remembered {
    pub fn holds(&self, name: &Name, now: Moment) -> bool {
        self.entries.get(name).is_some_and(|entry| entry.left_s(now) > 0)
    }

    /// Remembers a success of now.
    pub fn put(&mut self, name: Name, account: u64, now: Moment) {
        self.insert(name, Entry::of(account, u32::MAX, now), now);
        self.changed.insert(name[0]);
    }

    fn insert(&mut self, name: Name, entry: Entry, now: Moment) {
        if self.entries.len() >= ENTRIES_MAX {
            self.sweep(now);
        }
        if self.entries.len() < ENTRIES_MAX || self.entries.contains_key(&name) {
            self.entries.insert(name, entry);
        }
    }

    /// Forgets all successes of an account.
    pub fn forget(&mut self, account: u64) {
        self.retain(|entry| entry.account != account);
    }

    /// Forgets what has ended.
    pub fn sweep(&mut self, now: Moment) {
        self.retain(|entry| entry.left_s(now) > 0);
    }

    fn retain(&mut self, stays: impl Fn(&Entry) -> bool) {
        let changed = &mut self.changed;
        self.entries.retain(|name, entry| {
            let stays = stays(entry);
            if !stays {
                changed.insert(name[0]);
            }
            stays
        });
    }

    /// Rows that changed since they were last asked for, as the store is to keep them; empty ones are to go.
    pub fn changed(&mut self, now: Moment) -> Vec<(Row, Vec<u8>)> {
        let mut rows: Vec<(Row, Vec<u8>)> =
            std::mem::take(&mut self.changed).into_iter().map(|row| (row, Vec::new())).collect();
        if rows.is_empty() {
            return rows;
        }
        for (name, entry) in &self.entries {
            let left_s = entry.left_s(now);
            let Ok(at) = rows.binary_search_by_key(&name[0], |(row, _)| *row) else { continue };
            if left_s > 0 {
                let octets = &mut rows[at].1;
                if octets.is_empty() {
                    octets.extend(now.unix_s.to_le_bytes());
                }
                octets.extend(name);
                octets.extend(entry.account.to_le_bytes());
                octets.extend(left_s.to_le_bytes());
            }
        }
        rows
    }

    /// These rows have to be written (again).
    pub fn unwritten(&mut self, rows: impl IntoIterator<Item = Row>) {
        self.changed.extend(rows);
    }

    /// Takes a row of an earlier run in.
    pub fn load(&mut self, row: Row, octets: &[u8], now: Moment) -> Result<(), NoRow> {
        let (written_s, entries) = octets.split_first_chunk::<HEADER_OCTETS>().ok_or(NoRow::Damaged)?;
        let (entries, rest) = entries.as_chunks::<ENTRY_OCTETS>();
        if !rest.is_empty() || entries.iter().any(|entry| entry[0] != row) {
            return Err(NoRow::Damaged);
        }
        let age_s = now.unix_s.saturating_sub(i64::from_le_bytes(*written_s));
        let age_s = u64::try_from(age_s).map_err(|_| NoRow::FromLater)?;
        for entry in entries {
            let (name, account, left_s) = read(entry);
            let left_s = u64::from(left_s).min(REMEMBERED.as_secs()).saturating_sub(age_s);
            if let Some(left_s) = u32::try_from(left_s).ok().filter(|left_s| *left_s > 0) {
                self.insert(name, Entry::of(account, left_s, now), now);
            }
        }
        Ok(())
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }
}

fn read(entry: &[u8; ENTRY_OCTETS]) -> (Name, u64, u32) {
    let (mut name, mut account, mut left_s) = ([0; 32], [0; 8], [0; 4]);
    name.copy_from_slice(&entry[..32]);
    account.copy_from_slice(&entry[32..40]);
    left_s.copy_from_slice(&entry[40..]);
    (name, u64::from_le_bytes(account), u32::from_le_bytes(left_s))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_S: i64 = 86_400;

    fn at(running_s: u64, unix_s: i64) -> Moment {
        Moment { running: Duration::from_secs(running_s), unix_s }
    }

    /// A table after a restart at `now` of one whose only entry is `name`, put and written at `written`.
    fn restarted(written: Moment, now: Moment) -> (Remembered, Result<(), NoRow>) {
        let mut before = Remembered::default();
        before.put([7; 32], 1, written);
        let [(row, octets)] = &before.changed(written)[..] else { panic!("one row changed") };
        let mut after = Remembered::default();
        let loaded = after.load(*row, octets, now);
        (after, loaded)
    }

    #[test]
    fn a_success_ends_after_a_day_by_either_clock() {
        let mut table = Remembered::default();
        table.put([7; 32], 1, at(100, 1_000));
        for (now, held) in [
            (at(100, 1_000), true),
            (at(100 + 86_399, 1_000 + DAY_S - 1), true),
            (at(100 + 86_400, 1_000), false),
            (at(100, 1_000 + DAY_S), false),
            // The wall clock was set back by a year; the other one runs on.
            (at(100 + 86_400, 1_000 - 365 * DAY_S), false),
            (at(100 + 3_600, 1_000 - 365 * DAY_S), true),
        ] {
            assert_eq!(table.holds(&[7; 32], now), held, "{now:?}");
        }
        assert!(!table.holds(&[8; 32], at(100, 1_000)));
    }

    #[test]
    fn a_restart_keeps_what_is_left_and_no_more() {
        for (down_s, held) in [(0, true), (DAY_S - 1, true), (DAY_S, false), (400 * DAY_S, false)] {
            let (after, loaded) = restarted(at(5_000, 1_000), at(0, 1_000 + down_s));
            assert_eq!((after.holds(&[7; 32], at(0, 1_000 + down_s)), loaded), (held, Ok(())), "{down_s}");
        }
        let (after, _) = restarted(at(0, 0), at(0, DAY_S - 10));
        assert!(after.holds(&[7; 32], at(9, DAY_S - 1)));
        assert!(!after.holds(&[7; 32], at(10, DAY_S - 1)), "a restart does not begin the day again");
    }

    #[test]
    fn a_row_from_later_than_now_is_forgotten() {
        let (after, loaded) = restarted(at(0, 5_000), at(0, 4_999));
        assert_eq!((after.len(), loaded), (0, Err(NoRow::FromLater)));
    }

    #[test]
    fn rows_are_written_once_and_again_when_they_change() {
        let (mut table, now) = (Remembered::default(), at(0, 0));
        table.put([1; 32], 1, now);
        table.put([2; 32], 2, now);
        table.put([[2; 31].as_slice(), &[9]].concat().try_into().unwrap(), 1, now);
        let rows = table.changed(now);
        assert_eq!(rows.iter().map(|(row, octets)| (*row, octets.len())).collect::<Vec<_>>(), [(1, 52), (2, 96)]);
        assert!(table.changed(now).is_empty());
        table.unwritten([1]);
        assert_eq!(table.changed(now), rows[..1]);
        table.forget(1);
        let lengths: Vec<(Row, usize)> =
            table.changed(now).into_iter().map(|(row, octets)| (row, octets.len())).collect();
        assert_eq!(lengths, [(1, 0), (2, 52)], "an empty row goes");
        table.sweep(at(0, DAY_S));
        assert_eq!((table.changed(at(0, DAY_S)), table.len()), (vec![(2, Vec::new())], 0));
    }

    #[test]
    fn what_is_no_row_is_not_believed() {
        let mut before = Remembered::default();
        before.put([7; 32], 1, at(0, 0));
        let row = before.changed(at(0, 0)).remove(0).1;
        let mut table = Remembered::default();
        for octets in [&row[1..], &row[..7], &[], &[row.as_slice(), &[0]].concat()] {
            assert_eq!(table.load(7, octets, at(0, 0)), Err(NoRow::Damaged));
        }
        assert_eq!(table.load(8, &row, at(0, 0)), Err(NoRow::Damaged), "it stands in another row");
        assert_eq!(table.len(), 0);
        // More than a day is never left.
        let mut long = row;
        long[HEADER_OCTETS + 40..].copy_from_slice(&u32::MAX.to_le_bytes());
        table.load(7, &long, at(0, 0)).unwrap();
        assert!(!table.holds(&[7; 32], at(86_400, 0)));
    }

    #[test]
    fn the_table_has_an_end_and_old_entries_make_way() {
        let mut table = Remembered::default();
        let name = |number: u64| [number.to_be_bytes(), [0; 8], [0; 8], [0; 8]].concat().try_into().unwrap();
        for number in 0..ENTRIES_MAX as u64 + 10 {
            table.put(name(number), number, at(0, 0));
        }
        assert_eq!(table.len(), ENTRIES_MAX);
        table.put(name(u64::MAX), 1, at(0, DAY_S));
        assert_eq!(table.len(), 1);
    }
}
