//! The messages as they were at login, by number, and which of them are marked as deleted.
//!
//! INVARIANT (one moment): nothing another session does changes a number, a size or a unique-id of this one.

use mail::index::{Entry, Index};

use crate::pop3::question::Maildrop;
use crate::pop3::response::Refusal;

#[derive(Debug)]
pub struct Numbered {
    uid_validity: u32,
    index: Index,
    marked: Marks,
    /// Of the messages that are not marked.
    messages: usize,
    octets: u64,
}

/// A message that is not marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    pub number: u32,
    pub uid: u32,
    pub size_octets: u64,
}

impl Numbered {
    pub fn new(maildrop: Maildrop) -> Numbered {
        let Maildrop { uid_validity, index } = maildrop;
        let octets = index.iter().map(|entry| entry.size_octets).sum();
        Numbered { uid_validity, messages: index.len(), octets, marked: Marks::default(), index }
    }

    /// How many messages are not marked.
    pub fn messages(&self) -> usize {
        self.messages
    }

    /// Their octets.
    pub fn octets(&self) -> u64 {
        self.octets
    }

    /// `n messages (m octets)`
    pub fn in_words(&self) -> String {
        format!("{} messages ({} octets)", self.messages, self.octets)
    }

    pub fn get(&self, number: u32) -> Result<Found, Refusal> {
        let place = (number as usize).checked_sub(1);
        let entry = place.and_then(|place| self.index.get(place)).ok_or_else(|| Refusal::new("no such message"))?;
        if self.marked.has(number) {
            return Err(Refusal::new(format!("message {number} is deleted")));
        }
        Ok(found(number, &entry))
    }

    /// Those of the next `count` numbers from `number` on that are not marked, and the number behind them, while there is one.
    pub fn slice(&self, number: u32, count: usize) -> (impl Iterator<Item = Found>, Option<u32>) {
        let from = (number as usize).saturating_sub(1).min(self.index.len());
        let to = (from + count).min(self.index.len());
        let entries = self.index.runs(from..to).flat_map(|run| run.entries());
        let numbered = entries.filter_map(|(place, _, entry)| Some(found(u32::try_from(place + 1).ok()?, &entry)));
        let more = (to < self.index.len()).then(|| u32::try_from(to + 1).ok()).flatten();
        (numbered.filter(|found| !self.marked.has(found.number)), more)
    }

    /// Stable for as long as the message is in the mailbox, never another's: 1 to 21 octets of the 70 there may be (RFC 1939
    /// 7).
    pub fn unique_id(&self, found: Found) -> String {
        format!("{}.{}", self.uid_validity, found.uid)
    }

    pub fn mark(&mut self, found: Found) {
        if self.marked.set(found.number) {
            self.messages -= 1;
            self.octets -= found.size_octets;
        }
    }

    pub fn unmark_all(&mut self) {
        if !self.marked.is_empty() {
            self.marked = Marks::default();
            self.messages = self.index.len();
            self.octets = self.index.iter().map(|entry| entry.size_octets).sum();
        }
    }

    /// The UIDs of those that are marked, ascending.
    pub fn marked(&self) -> Vec<u32> {
        if self.marked.is_empty() {
            return Vec::new();
        }
        let numbered = (1..).zip(self.index.iter());
        numbered.filter(|(number, _)| self.marked.has(*number)).map(|(_, entry)| entry.uid).collect()
    }
}

fn found(number: u32, entry: &Entry<'_>) -> Found {
    Found { number, uid: entry.uid, size_octets: entry.size_octets }
}

/// A bit for each number, as far as they go.
#[derive(Debug, Default)]
struct Marks(Vec<u64>);

impl Marks {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn has(&self, number: u32) -> bool {
        self.0.get(number as usize / 64).is_some_and(|bits| bits >> (number % 64) & 1 == 1)
    }

    /// False when it was set before.
    fn set(&mut self, number: u32) -> bool {
        let at = number as usize / 64;
        if self.0.len() <= at {
            self.0.resize(at + 1, 0);
        }
        let before = self.has(number);
        self.0[at] |= 1 << (number % 64);
        !before
    }
}

#[cfg(test)]
mod tests {
    use mail::Flags;
    use mail::date::DateTime;

    use super::*;

    fn numbered(messages: u32) -> Numbered {
        let (flags, internal_date) = (Flags::default(), DateTime::utc(0));
        let mut index = Index::default();
        let entry = |uid| Entry { uid: uid * 2, mod_seq: 1, flags: &flags, size_octets: 10, internal_date };
        index.append((1..=messages).map(entry));
        Numbered::new(Maildrop { uid_validity: 7, index })
    }

    #[test]
    fn marks_are_counted_once_and_taken_back_together() {
        let mut drop = numbered(200);
        for number in [1, 64, 65, 128, 200, 64] {
            if let Ok(found) = drop.get(number) {
                drop.mark(found);
            }
        }
        assert_eq!((drop.messages(), drop.octets()), (195, 1_950));
        assert_eq!(drop.marked(), [2, 128, 130, 256, 400]);
        assert_eq!(drop.get(64), Err(Refusal::new("message 64 is deleted")));
        drop.unmark_all();
        assert_eq!((drop.messages(), drop.octets(), drop.marked()), (200, 2_000, Vec::new()));
        for number in [0, 201, u32::MAX] {
            assert_eq!(drop.get(number), Err(Refusal::new("no such message")));
        }
    }

    #[test]
    fn slices_pass_over_what_is_marked() {
        let mut drop = numbered(10);
        (2..=4).for_each(|number| drop.mark(drop.get(number).unwrap()));
        let slice = |from, count| {
            let (found, more) = drop.slice(from, count);
            (found.map(|found| found.number).collect::<Vec<_>>(), more)
        };
        assert_eq!(slice(1, 3), (vec![1], Some(4)));
        assert_eq!(slice(4, 3), (vec![5, 6], Some(7)));
        assert_eq!(slice(7, 99), (vec![7, 8, 9, 10], None));
        assert_eq!(slice(11, 3), (vec![], None));
    }

    #[test]
    fn the_longest_unique_id_is_short() {
        let drop = Numbered { uid_validity: u32::MAX, ..numbered(0) };
        let id = drop.unique_id(Found { number: 1, uid: u32::MAX, size_octets: 0 });
        assert!(id == "4294967295.4294967295" && id.len() <= 70);
    }
}
