//! What the client knows about the selected mailbox: which message has which number.
//!
//! INVARIANT (numbers): `rows` is the mailbox as the client sees it. A row leaves only while its EXPUNGE is written, a row
//! comes only with EXISTS. Messages that vanished in the store wait in `vanished` until they may be told.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::imap::command::{Messages, Set};
use crate::imap::question::{Changes, MailboxId, Question, Row, Selection};
use crate::imap::response::{Out, Reply};
use mail::{Keyword, SystemFlags};

#[derive(Debug)]
pub struct View {
    mailbox: MailboxId,
    read_only: bool,
    /// Ascending by UID; the message number is the index plus one.
    rows: Vec<Row>,
    /// UIDs among `rows` that are gone from the store.
    vanished: BTreeSet<u32>,
    /// The largest UID ever seen, so that a late word about an expunged message is no news.
    uid_max: u32,
    mod_seq: u64,
    keywords: BTreeSet<Keyword>,
    /// `$`: UIDs of the last SEARCH RETURN (SAVE), ascending (RFC 5182).
    pub saved: Vec<u32>,
}

impl View {
    pub fn new(selection: Selection, read_only: bool) -> View {
        let keywords = selection.rows.iter().flat_map(|row| row.flags.keywords.iter().cloned()).collect();
        View {
            mailbox: selection.mailbox,
            read_only,
            uid_max: selection.rows.last().map_or(0, |row| row.uid),
            rows: selection.rows,
            vanished: BTreeSet::new(),
            mod_seq: selection.highest_mod_seq,
            keywords,
            saved: Vec::new(),
        }
    }

    pub fn mailbox(&self) -> MailboxId {
        self.mailbox
    }

    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// How many messages the client knows.
    pub fn count(&self) -> u32 {
        u32::try_from(self.rows.len()).unwrap_or(u32::MAX)
    }

    pub fn is_gone(&self, uid: u32) -> bool {
        self.vanished.contains(&uid)
    }

    pub fn index_of(&self, uid: u32) -> Option<usize> {
        self.rows.binary_search_by_key(&uid, |row| row.uid).ok()
    }

    /// The number of the first message without `\Seen`.
    pub fn first_unseen(&self) -> Option<u32> {
        let index = self.rows.iter().position(|row| !row.flags.system.contains(SystemFlags::SEEN))?;
        u32::try_from(index + 1).ok()
    }

    /// All flags of the mailbox, for FLAGS.
    pub fn flags(&self) -> String {
        let system = SystemFlags::ALL.iter().map(|(_, name)| *name);
        let names: Vec<&str> = system.chain(self.keywords.iter().map(Keyword::as_str)).collect();
        names.join(" ")
    }

    pub fn refresh(&self) -> Question {
        Question::Refresh { mailbox: self.mailbox, since: self.mod_seq }
    }

    /// Takes the news. EXISTS and FETCH are written now (RFC 9051 5.2 lets them come in any command), EXPUNGE later.
    pub fn apply(&mut self, changes: Changes, out: &mut Out) {
        self.mod_seq = self.mod_seq.max(changes.highest_mod_seq);
        let mut rows = changes.rows;
        rows.sort_unstable_by_key(|row| row.uid);
        let vanished: BTreeSet<u32> = changes.vanished.into_iter().collect();
        let known = self.rows.len();
        let mut changed = Vec::new();
        for row in rows {
            if let Some(index) = self.index_of(row.uid) {
                if self.rows[index].flags != row.flags {
                    changed.push(index);
                }
                self.learn_keywords(&row, out);
                self.rows[index] = row;
            } else if row.uid > self.uid_max && !vanished.contains(&row.uid) {
                self.learn_keywords(&row, out);
                self.uid_max = row.uid;
                self.rows.push(row);
            }
        }
        self.vanish(vanished);
        if self.rows.len() > known {
            out.message_data(self.count(), "EXISTS");
        }
        for index in changed {
            self.tell_flags(index, true, out);
        }
    }

    /// Takes rows that a STORE of this session answered, without a word to the client.
    pub fn replace(&mut self, rows: &[Row], out: &mut Out) {
        for row in rows {
            if let Some(index) = self.index_of(row.uid) {
                self.learn_keywords(row, out);
                self.rows[index] = row.clone();
            }
        }
    }

    fn learn_keywords(&mut self, row: &Row, out: &mut Out) {
        let known = self.keywords.len();
        self.keywords.extend(row.flags.keywords.iter().cloned());
        if self.keywords.len() > known {
            // RFC 9051 7.3.5: the client learns of a new keyword before it meets it.
            out.untagged(&format!("FLAGS ({})", self.flags()));
        }
    }

    /// `* n FETCH (UID u FLAGS (…))`
    pub fn tell_flags(&self, index: usize, with_uid: bool, out: &mut Out) {
        let Some(row) = self.rows.get(index) else { return };
        out.text("* ");
        out.number(index as u64 + 1);
        out.text(" FETCH (");
        if with_uid {
            out.text("UID ");
            out.number(row.uid);
            out.text(" ");
        }
        out.flags(&row.flags);
        out.text(")");
        out.end_line();
    }

    /// These are gone; the client hears of it when it may.
    pub fn vanish(&mut self, uids: impl IntoIterator<Item = u32>) {
        for uid in uids {
            if self.index_of(uid).is_some() {
                self.vanished.insert(uid);
            }
        }
    }

    /// Writes EXPUNGE for everything that vanished and forgets it. Each number counts the ones before it as gone already
    /// (RFC 9051 7.5.1).
    pub fn tell_expunged(&mut self, out: &mut Out) {
        if self.vanished.is_empty() {
            return;
        }
        let vanished = std::mem::take(&mut self.vanished);
        let mut number = 0;
        self.rows.retain(|row| {
            if vanished.contains(&row.uid) {
                out.message_data(number + 1, "EXPUNGE");
                return false;
            }
            number += 1;
            true
        });
        self.saved.retain(|uid| !vanished.contains(uid));
    }

    /// The messages a command names, as ranges of indexes, ascending. A number that no message has is the client's mistake
    /// (RFC 9051 9, `seq-number`); a UID that no message has is not.
    pub fn resolve(&self, messages: &Messages) -> Result<Vec<Range<usize>>, Reply> {
        let set = match &messages.set {
            Set::Saved => {
                return Ok(self.saved.iter().filter_map(|uid| self.index_of(*uid)).map(|i| i..i + 1).collect());
            }
            Set::Numbers(set) => set,
        };
        if messages.uid {
            let last = self.rows.last().map_or(0, |row| row.uid);
            let at = |uid: u32| self.rows.partition_point(|row| row.uid < uid);
            let ranges = set.ranges(last).into_iter();
            return Ok(ranges
                .map(|range| at(*range.start())..range.end().checked_add(1).map_or(self.rows.len(), at))
                .filter(|range| !range.is_empty())
                .collect());
        }
        let count = self.count();
        if count == 0 || set.largest(count) > count {
            return Err(Reply::bad("there is no message with that number"));
        }
        let ranges = set.ranges(count).into_iter();
        Ok(ranges.map(|range| *range.start() as usize - 1..*range.end() as usize).collect())
    }

    /// The UIDs a command names, without those that are gone.
    pub fn uids(&self, messages: &Messages) -> Result<Vec<u32>, Reply> {
        let ranges = self.resolve(messages)?;
        let uids = ranges.into_iter().flat_map(|range| self.rows[range].iter().map(|row| row.uid));
        Ok(uids.filter(|uid| !self.is_gone(*uid)).collect())
    }
}
