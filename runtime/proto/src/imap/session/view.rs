//! What the client knows about the selected mailbox: which message has which number.
//!
//! INVARIANT (numbers): `rows` is the mailbox as the client sees it. A row leaves only while its EXPUNGE is written, a row
//! comes only with EXISTS. Messages that vanished in the store wait in `vanished` until they may be told.
//!
//! The rows are read when a command needs them and shared with everybody who looks at the mailbox (`mail::index`). Without
//! them the view is the mailbox as of `mod_seq`: what came and went since then is enough to find that moment again.

use std::collections::{BTreeSet, VecDeque};
use std::ops::{Range, RangeInclusive};

use super::live::Live;
use super::state::Enabled;
use crate::imap::command::{Messages, SequenceSet, Set};
use crate::imap::question::{Changes, Flagged, MailboxId, Question, Row, Selection, Trouble, Vanished};
use crate::imap::response::{Out, Reply};
use mail::date::DateTime;
use mail::index::{Entry, Index};
use mail::{Flags, Keyword, SystemFlags};

/// Changed rows lie in chunks of the session's own. After so many the shared ones are asked for again; in tests soon.
const OWN_ROWS_MAX: usize = if cfg!(test) { 3 } else { 1_000 };

#[derive(Debug)]
pub struct View {
    mailbox: MailboxId,
    read_only: bool,
    /// Ascending by UID; the message number is the place plus one. Empty when not read.
    rows: Index,
    are_read: bool,
    /// Messages while the rows are not read.
    count: u32,
    /// Rows changed since they were read.
    own_rows: usize,
    /// UIDs among `rows` that are gone from the store.
    vanished: BTreeSet<u32>,
    /// The largest UID the mailbox had at `mod_seq`, so that a late word about an expunged message is no news.
    uid_max: u32,
    mod_seq: u64,
    /// The client knows of changes of its own behind `mod_seq`.
    is_ahead: bool,
    /// The largest MODSEQ of its own changes of flags.
    own_mod_seq: u64,
    /// Whatever happened up to this MODSEQ was told (RFC 7162 3.2): a message that vanished and was not told is behind it.
    complete: u64,
    keywords: BTreeSet<Keyword>,
    /// UIDs of messages whose new flags the client was not told: between commands it asked for no such news.
    held: BTreeSet<u32>,
    /// The client is told nothing of flags now.
    pub holds_flags: bool,
    /// Searches that are kept up to date.
    pub live: Live,
    /// `$`: UIDs of the last SEARCH RETURN (SAVE), ascending (RFC 5182).
    pub saved: Vec<u32>,
}

impl View {
    pub fn new(selection: Selection, read_only: bool) -> View {
        View {
            mailbox: selection.mailbox,
            read_only,
            rows: Index::default(),
            are_read: false,
            count: selection.messages,
            own_rows: 0,
            vanished: BTreeSet::new(),
            uid_max: selection.uid_next.saturating_sub(1),
            mod_seq: selection.highest_mod_seq,
            is_ahead: false,
            own_mod_seq: 0,
            complete: selection.highest_mod_seq,
            keywords: selection.keywords,
            held: BTreeSet::new(),
            holds_flags: false,
            live: Live::new(selection.uid_next.saturating_sub(1)),
            saved: Vec::new(),
        }
    }

    /// Changes a result that is kept, and tells it.
    pub fn change_context(
        &mut self,
        at: usize,
        difference: (&BTreeSet<u32>, &BTreeSet<u32>),
        found: Option<Vec<u32>>,
        out: &mut Out,
    ) {
        self.live.change(at, difference, found, &self.rows, out);
    }

    /// Are the messages there?
    pub fn is_read(&self) -> bool {
        self.are_read
    }

    /// The largest UID the client knows of.
    pub fn uid_max(&self) -> u32 {
        self.uid_max
    }

    /// Was the client not told yet which flags the message has now?
    pub fn is_held(&self, uid: u32) -> bool {
        self.held.contains(&uid)
    }

    pub fn mailbox(&self) -> MailboxId {
        self.mailbox
    }

    /// The client may resynchronise from here and loses nothing.
    pub fn complete(&self) -> u64 {
        self.complete
    }

    /// Was the client told a MODSEQ behind something it was not told?
    pub fn is_incomplete(&self) -> bool {
        self.mod_seq.max(self.own_mod_seq) > self.complete
    }

    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// The messages, once a command has asked for them (`Selected::with_news`).
    pub fn rows(&self) -> &Index {
        &self.rows
    }

    /// How many messages the client knows.
    pub fn count(&self) -> u32 {
        if self.are_read { u32::try_from(self.rows.len()).unwrap_or(u32::MAX) } else { self.count }
    }

    pub fn is_gone(&self, uid: u32) -> bool {
        !self.vanished.is_empty() && self.vanished.contains(&uid)
    }

    pub fn index_of(&self, uid: u32) -> Option<usize> {
        self.rows.place_of(uid)
    }

    /// UIDs of the messages with these flags.
    pub fn uids_with(&self, flags: SystemFlags) -> Vec<u32> {
        self.rows.iter().filter(|row| row.flags.system.contains(flags)).map(|row| row.uid).collect()
    }

    /// All flags of the mailbox, for FLAGS.
    pub fn flags(&self) -> String {
        let system = SystemFlags::ALL.iter().map(|(_, name)| *name);
        let names: Vec<&str> = system.chain(self.keywords.iter().map(Keyword::as_str)).collect();
        names.join(" ")
    }

    /// Asks for the news, and for the rows if they are `wanted` and not read yet.
    pub fn refresh(&self, wanted: bool) -> Question {
        Question::Refresh { mailbox: self.mailbox, since: self.mod_seq, rows: wanted && !self.are_read }
    }

    /// Can these changes only be told with the rows? A number, of FETCH or EXPUNGE, is a place among them.
    pub fn lacks_rows_for(&self, changes: &Changes) -> bool {
        let uids = changes.rows.iter().map(|row| row.uid).chain(changes.vanished.iter().copied());
        !self.are_read && changes.index.is_none() && uids.into_iter().any(|uid| uid <= self.uid_max)
    }

    /// Takes the news. EXISTS and FETCH are written now (RFC 9051 5.2 lets them come in any command), EXPUNGE later. Fails when
    /// the rows contradict what the client was told.
    pub fn apply(&mut self, changes: Changes, enabled: Enabled, out: &mut Out) -> Result<(), Trouble> {
        let Changes { mut rows, vanished, highest_mod_seq, index } = changes;
        rows.sort_unstable_by_key(|row| row.uid);
        let vanished: BTreeSet<u32> = vanished.into_iter().collect();
        rows.retain(|row| row.uid <= self.uid_max || !vanished.contains(&row.uid));
        let (known, arrived) = rows.split_at(rows.partition_point(|row| row.uid <= self.uid_max));
        let told = self.count();
        self.live.changed(known.iter().map(|row| row.uid));
        self.learn_keywords(rows.iter().flat_map(|row| &row.flags.keywords), out);
        let changed = match index {
            Some(index) if !self.are_read => {
                self.read(index, &vanished, out)?;
                known.iter().filter_map(|row| self.index_of(row.uid)).collect()
            }
            _ if self.are_read => self.merge(known, arrived, &vanished, enabled.condstore),
            _ => {
                self.count = self.count.saturating_add(u32::try_from(arrived.len()).unwrap_or(u32::MAX));
                Vec::new()
            }
        };
        self.uid_max = arrived.last().map_or(self.uid_max, |row| row.uid);
        self.mod_seq = self.mod_seq.max(highest_mod_seq);
        self.is_ahead = false;
        if self.count() > told {
            out.message_data(self.count(), "EXISTS");
        }
        self.tell_changed(changed, enabled, out);
        if self.vanished.is_empty() && self.held.is_empty() {
            self.complete = self.mod_seq;
        }
        Ok(())
    }

    /// Tells the flags of the messages at these places and of those held back before, or holds them back.
    fn tell_changed(&mut self, changed: Vec<usize>, enabled: Enabled, out: &mut Out) {
        let uids = changed.iter().filter_map(|place| self.rows.get(*place)).map(|row| row.uid);
        if self.holds_flags {
            self.held.extend(uids.collect::<Vec<_>>());
            return;
        }
        if self.held.is_empty() {
            return changed.into_iter().for_each(|place| self.tell_flags(place, true, enabled, out));
        }
        let all: BTreeSet<u32> = uids.chain(std::mem::take(&mut self.held)).collect();
        let places = all.into_iter().filter(|uid| !self.is_gone(*uid)).filter_map(|uid| self.index_of(uid));
        places.for_each(|place| self.tell_flags(place, true, enabled, out));
    }

    /// Takes the rows as of now and finds in them the mailbox as the client knows it: with the messages that vanished since,
    /// of which nobody needs more than that they were there.
    fn read(&mut self, mut index: Index, vanished: &BTreeSet<u32>, out: &mut Out) -> Result<(), Trouble> {
        let known = self.uid_max.checked_add(1).map_or(index.len(), |uid| index.place_from(uid));
        let gone: Vec<u32> = vanished.range(..=self.uid_max).copied().collect();
        if known + gone.len() != self.count as usize {
            return Err(Trouble::Bug);
        }
        self.learn_keywords(&index.keywords(), out);
        if !gone.is_empty() {
            let flags = Flags::default();
            let internal_date = DateTime::utc(0);
            let entry = |uid: &u32| Entry { uid: *uid, mod_seq: 0, flags: &flags, size_octets: 0, internal_date };
            index.insert(&gone.iter().map(entry).collect::<Vec<_>>());
        }
        self.own_rows = gone.len();
        self.vanished.extend(gone);
        self.rows = index;
        self.are_read = true;
        Ok(())
    }

    /// Takes the news into the rows. Returns the places of the messages whose flags are new to the client, or whose MODSEQ is
    /// if it is told them.
    fn merge(&mut self, known: &[Row], arrived: &[Row], vanished: &BTreeSet<u32>, mod_seqs: bool) -> Vec<usize> {
        let mut changed = Vec::new();
        for row in known {
            let Some(place) = self.rows.place_of(row.uid) else { continue };
            let is_new = |before: Entry<'_>| *before.flags != row.flags || (mod_seqs && before.mod_seq != row.mod_seq);
            if self.rows.get(place).is_some_and(is_new) {
                changed.push(place);
            }
        }
        self.rows.replace(known.iter().map(Row::entry));
        self.rows.append(arrived.iter().map(Row::entry));
        self.own_rows += known.len() + arrived.len();
        let gone = vanished.iter().filter(|uid| self.rows.place_of(**uid).is_some()).copied();
        self.vanished.extend(gone);
        changed
    }

    /// Gives the rows back, unless they say what the store would not say again.
    pub fn let_go(&mut self) {
        if self.are_read && self.vanished.is_empty() && self.held.is_empty() && !self.is_ahead {
            self.count = self.count();
            self.rows = Index::default();
            self.are_read = false;
        }
    }

    /// The same when the session has many of its own.
    pub fn let_go_own(&mut self) {
        if self.own_rows > OWN_ROWS_MAX {
            self.let_go();
        }
    }

    /// Takes flags that a STORE of this session answered, without a word to the client.
    pub fn replace(&mut self, flagged: &[Flagged], out: &mut Out) {
        self.learn_keywords(flagged.iter().flat_map(|message| &message.flags.keywords), out);
        for Flagged { uid, mod_seq, flags } in flagged {
            let Some(before) = self.rows.place_of(*uid).and_then(|place| self.rows.get(place)) else { continue };
            let Entry { size_octets, internal_date, .. } = before;
            self.rows.replace([Entry { uid: *uid, mod_seq: *mod_seq, flags, size_octets, internal_date }]);
        }
        self.live.changed(flagged.iter().map(|message| message.uid));
        self.own_rows += flagged.len();
        self.own_mod_seq = flagged.iter().map(|message| message.mod_seq).fold(self.own_mod_seq, u64::max);
        self.is_ahead = true;
    }

    fn learn_keywords<'a>(&mut self, keywords: impl IntoIterator<Item = &'a Keyword>, out: &mut Out) {
        let known = self.keywords.len();
        for keyword in keywords {
            if !self.keywords.contains(keyword) {
                self.keywords.insert(keyword.clone());
            }
        }
        if self.keywords.len() > known {
            // RFC 9051 7.3.5: the client learns of a new keyword before it meets it.
            out.untagged(&format!("FLAGS ({})", self.flags()));
        }
    }

    /// `* n FETCH (UID u FLAGS (…) MODSEQ (m))`, the last for those who are told it.
    pub fn tell_flags(&self, index: usize, with_uid: bool, enabled: Enabled, out: &mut Out) {
        let Some(row) = self.rows.get(index) else { return };
        tell_begins(index, row.uid, with_uid, enabled, out);
        out.flags(row.flags);
        if enabled.condstore {
            out.text(" ");
            out.mod_seq(row.mod_seq);
        }
        out.text(")");
        out.end_line();
    }

    /// `* n FETCH (UID u MODSEQ (m))`: the flags are what the client thinks they are.
    pub fn tell_mod_seq(&self, index: usize, with_uid: bool, enabled: Enabled, out: &mut Out) {
        let Some(row) = self.rows.get(index) else { return };
        tell_begins(index, row.uid, with_uid, enabled, out);
        out.mod_seq(row.mod_seq);
        out.text(")");
        out.end_line();
    }

    /// This session removed these; the client hears of it when it may.
    pub fn vanish(&mut self, uids: impl IntoIterator<Item = u32>) {
        let gone = uids.into_iter().filter(|uid| self.rows.place_of(*uid).is_some());
        self.vanished.extend(gone);
        self.is_ahead = true;
    }

    /// Writes EXPUNGE, or VANISHED (RFC 7162 3.2.10), for everything that vanished and forgets it. Each number counts the ones
    /// before it as gone already (RFC 9051 7.5.1).
    pub fn tell_expunged(&mut self, enabled: Enabled, out: &mut Out) {
        if self.vanished.is_empty() {
            return;
        }
        if self.held.is_empty() {
            self.complete = self.mod_seq;
        }
        let vanished: Vec<u32> = std::mem::take(&mut self.vanished).into_iter().collect();
        // RFC 5267 4.3.4: a result is taken away while its number still means the message.
        self.live.expunged(&vanished, &self.rows, out);
        if enabled.qresync || enabled.uid_only {
            out.vanished(&vanished);
        } else {
            let places = vanished.iter().filter_map(|uid| self.rows.place_of(*uid));
            for (before, place) in places.enumerate() {
                out.message_data(u32::try_from(place - before + 1).unwrap_or(u32::MAX), "EXPUNGE");
            }
        }
        self.rows.remove(&vanished);
        self.own_rows += vanished.len();
        self.saved.retain(|uid| vanished.binary_search(uid).is_err());
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
            let at = |uid: u32| self.rows.place_from(uid);
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

    /// The places of these UIDs, or of all.
    pub fn places(&self, uids: Option<&SequenceSet>) -> Vec<Range<usize>> {
        let Some(uids) = uids else { return std::iter::once(0..self.rows.len()).collect() };
        let place = |uid: u32| self.rows.place_from(uid);
        let ranges = uids.ranges(self.uid_max).into_iter();
        let places =
            ranges.map(|range| place(*range.start())..range.end().checked_add(1).map_or(self.rows.len(), place));
        places.filter(|range| !range.is_empty()).collect()
    }

    /// Of these places those whose messages have a larger MODSEQ and are still there.
    pub fn changed_since(&self, places: Vec<Range<usize>>, since: u64) -> Vec<Range<usize>> {
        let mut changed: Vec<Range<usize>> = Vec::new();
        let runs = places.into_iter().flat_map(|range| self.rows.runs(range));
        for (place, _, row) in runs.flat_map(|run| run.entries()) {
            if row.mod_seq <= since || self.is_gone(row.uid) {
                continue;
            }
            match changed.last_mut() {
                Some(last) if last.end == place => last.end = place + 1,
                _ => changed.push(place..place + 1),
            }
        }
        changed
    }

    /// UIDs of messages that are gone, of those named and above `above`: not those that are told as news. Where nobody names
    /// them all, it is every UID that no message has (RFC 7162 3.2.10.1).
    pub fn gone_before(
        &self,
        gone: Vanished,
        among: Option<&SequenceSet>,
        above: u32,
    ) -> VecDeque<RangeInclusive<u32>> {
        let all = || std::iter::once(1..=self.uid_max).collect();
        let named: Vec<RangeInclusive<u32>> = among.map_or_else(all, |set| set.ranges(self.uid_max));
        let first = above.saturating_add(1);
        let named = named.into_iter().map(|range| first.max(*range.start())..=self.uid_max.min(*range.end()));
        let named: Vec<RangeInclusive<u32>> = named.filter(|range| !range.is_empty()).collect();
        let mut found = VecDeque::new();
        match gone {
            Vanished::Uids(uids) => {
                let is_named = |uid: u32| {
                    let at = named.partition_point(|range| *range.end() < uid);
                    named.get(at).is_some_and(|range| range.contains(&uid))
                };
                for uid in uids.into_iter().filter(|uid| is_named(*uid) && self.rows.place_of(*uid).is_none()) {
                    add(&mut found, uid..=uid);
                }
            }
            Vanished::Many => named.into_iter().for_each(|range| self.absent(range, &mut found)),
        }
        found
    }

    /// The UIDs of the range that no message has.
    fn absent(&self, range: RangeInclusive<u32>, found: &mut VecDeque<RangeInclusive<u32>>) {
        let mut next = *range.start();
        let places = self.rows.place_from(next)..self.rows.len();
        for (_, _, row) in
            self.rows.runs(places).flat_map(|run| run.entries()).take_while(|(_, _, row)| row.uid <= *range.end())
        {
            if next < row.uid {
                add(found, next..=row.uid - 1);
            }
            next = row.uid.saturating_add(1);
        }
        if next <= *range.end() {
            add(found, next..=*range.end());
        }
    }

    /// The last UID up to which these numbers still have these UIDs: no message before it is gone that the client has
    /// (RFC 7162 3.2.5.2). 0 when the first does not match.
    pub fn matching_up_to(&self, numbers: &SequenceSet, uids: &SequenceSet) -> u32 {
        let pairs = numbers.numbers(0).zip(uids.numbers(0));
        let place = |number: u32| usize::try_from(number).unwrap_or(usize::MAX).checked_sub(1);
        let holds = |(number, uid): &(u32, u32)| {
            place(*number).and_then(|place| self.rows.get(place)).is_some_and(|row| row.uid == *uid)
        };
        pairs.take_while(holds).last().map_or(0, |(_, uid)| uid)
    }

    /// The UIDs a command names, without those that are gone.
    pub fn uids(&self, messages: &Messages) -> Result<Vec<u32>, Reply> {
        let ranges = self.resolve(messages)?;
        let runs = ranges.into_iter().flat_map(|range| self.rows.runs(range));
        let uids = runs.flat_map(|run| run.entries().map(|(_, _, row)| row.uid));
        Ok(uids.filter(|uid| !self.is_gone(*uid)).collect())
    }
}

/// Adds a range behind the others.
fn add(ranges: &mut VecDeque<RangeInclusive<u32>>, range: RangeInclusive<u32>) {
    match ranges.back_mut() {
        Some(last) if last.end().checked_add(1) == Some(*range.start()) => *last = *last.start()..=*range.end(),
        _ => ranges.push_back(range),
    }
}

fn tell_begins(index: usize, uid: u32, with_uid: bool, enabled: Enabled, out: &mut Out) {
    out.fetch_begins(index, uid, enabled.uid_only);
    if (with_uid || enabled.qresync) && !enabled.uid_only {
        out.text("UID ");
        out.number(uid);
        out.text(" ");
    }
}
