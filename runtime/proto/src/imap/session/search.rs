//! SEARCH and UID SEARCH (RFC 9051 6.4.4, RFC 4731 for RETURN, RFC 5182 for `$`); SORT and THREAD search alike (`sort`).
//!
//! What the view knows decides most messages. If many are left and the keys look for texts, the index is asked once which of
//! them may hold the texts. Of the others identities and summaries are asked when they can decide, and of those still open the
//! octets, in slices, only as much of them as the keys look at.

use std::collections::VecDeque;
use std::ops::Range;

use super::context::{Context, is_steady};
use super::dispatch::key_has_numbers;
use super::found::{Answering, saved};
use super::live::no_update;
use super::matching::{Needles, Verdict, needs_now};
use super::multisearch::Many;
use super::sort;
use super::state::{Expunges, Selected, Turn, ask};
use crate::imap::command::{FetchItem, Key, Purpose, Returns, Search, Tag};
use crate::imap::question::{Answer, Content, Identity, Message, Need, Question, Trouble};
use crate::imap::response::{Code, Out, Reply};
use mail::mime::SummaryParts;

/// Most summaries in one slice, and most identities.
const SLICE_SUMMARIES: usize = 256;
const SLICE_IDENTITIES: usize = 1_024;
/// Most messages in one slice, and the octets after which a slice of whole messages ends.
const SLICE_MESSAGES: usize = 128;
const SLICE_OCTETS: u64 = 1024 * 1024;
/// Of a message of which only the header is asked, so much counts: most are short, and one may be nothing else.
const HEADER_SHARE: u64 = 16;

/// So many messages are looked into sooner than the index is asked.
const FEW: usize = 16;

/// After so many slices the clock is looked at, and a client that waited so long hears how far the search is (RFC 9585 3).
const SLICES_TO_CLOCK: u32 = 16;
const PROGRESS_S: i64 = 5;

/// A search on its way.
pub(super) struct Searching {
    pub(super) state: Box<Selected>,
    pub(super) tag: Tag,
    pub(super) by_uid: bool,
    expunges: Expunges,
    pub(super) purpose: Purpose,
    needles: Needles,
    /// The index was not asked yet.
    unasked: bool,
    /// Index of the next message to look at.
    at: usize,
    /// Messages that must be looked into, and how much of them, by index.
    open: VecDeque<(usize, Content)>,
    /// Of the messages looked at last, ascending.
    identities: Vec<Identity>,
    /// Indexes of the messages found.
    pub(super) found: Vec<usize>,
    slices: u32,
    /// The mailbox is one of several that are searched.
    many: Option<Box<Many>>,
    /// Places to look at, ascending.
    scope: Vec<Range<usize>>,
    /// The result is to be kept up to date, with what is fetched then.
    update: Option<(Key, Vec<FetchItem>)>,
    /// It is searched again for a result that is kept.
    again: Option<Again>,
    /// When the client was told of progress, or the clock was looked at first.
    told_s: Option<i64>,
}

/// What becomes of the UIDs that are found again.
pub(super) type Again = Box<dyn FnOnce(Box<Selected>, Result<Vec<u32>, Trouble>, &mut Out) -> Turn + Send>;

pub fn search(state: Box<Selected>, tag: Tag, search: Search, out: &mut Out) -> Turn {
    if search.purpose.returns().is_some_and(|returns| returns.update) && state.view.live.has(&tag) {
        let reply = Reply::bad("the tag is that of a search that is kept up to date").with(Code::ClientBug);
        return refuse(state, &tag, &search.purpose, &reply, out);
    }
    // RFC 6855 3: every text is UTF-8 then.
    if search.charset.is_some() && state.shared.enabled.utf8 {
        let reply = Reply::bad("no charset is named once UTF8=ACCEPT is enabled");
        return refuse(state, &tag, &search.purpose, &reply, out);
    }
    let known = |name: &String| ["UTF-8", "US-ASCII"].iter().any(|each| each.eq_ignore_ascii_case(name));
    if search.charset.as_ref().is_some_and(|name| !known(name)) {
        return refuse(state, &tag, &search.purpose, &Reply::no(Code::BadCharset, "that charset is not known"), out);
    }
    if !needs_now(&search.key) {
        return begin(state, tag, search, 0);
    }
    ask(Question::Now, move |answer, out| match answer.now() {
        Ok(now_s) => begin(state, tag, search, now_s),
        Err(trouble) => refuse(state, &tag, &search.purpose, &trouble.into(), out),
    })
}

fn begin(state: Box<Selected>, tag: Tag, search: Search, now_s: i64) -> Turn {
    state.with_news(tag, move |mut state, tag, out| {
        let Search { uid, purpose, key, update_items, .. } = search;
        let has_numbers = key_has_numbers(&key);
        let needles = match Needles::new(&key, &state.view, now_s) {
            Ok(needles) => needles,
            Err(reply) => return refuse(state, &tag, &purpose, &reply, out),
        };
        if needles.ask_mod_seq() {
            state.use_mod_seq(out);
        }
        let mut searching = Searching::new(state, tag, uid, purpose, needles);
        // RFC 9051 7.5.1: EXPUNGE may come behind commands that named UIDs, and no numbers beside them.
        if uid && !has_numbers {
            searching.expunges = Expunges::Told;
        }
        if searching.purpose.returns().is_some_and(|returns| returns.update) {
            searching.update = Some((key, update_items));
        }
        searching.next(out)
    })
}

/// Searches only at these places, which ascend, for a result that is kept.
pub(super) fn search_again(
    state: Box<Selected>,
    (tag, key): (Tag, &Key),
    places: Vec<Range<usize>>,
    again: Again,
    out: &mut Out,
) -> Turn {
    let needles = match Needles::new(key, &state.view, 0) {
        Ok(needles) => needles,
        Err(_) => return again(state, Err(Trouble::Bug), out),
    };
    let mut searching = Searching::new(state, tag, true, Purpose::Search(None), needles);
    searching.scope = places;
    searching.again = Some(again);
    searching.next(out)
}

/// Searches a mailbox whose rows are there, for one of many.
pub(super) fn search_one(state: Box<Selected>, many: Box<Many>, out: &mut Out) -> Turn {
    let needles = match Needles::new(&many.search.key, &state.view, many.now_s) {
        Ok(needles) => needles,
        Err(reply) => return many.end(reply, out),
    };
    let purpose = Purpose::Search(many.search.returns);
    let mut searching = Searching::new(state, many.tag.clone(), true, purpose, needles);
    searching.many = Some(many);
    searching.next(out)
}

/// A search that fails empties `$` (RFC 5182 2.1).
pub(super) fn refuse(mut state: Box<Selected>, tag: &Tag, purpose: &Purpose, reply: &Reply, out: &mut Out) -> Turn {
    if purpose.returns().is_some_and(|returns| returns.save) {
        state.view.saved.clear();
    }
    state.done(tag, reply, Expunges::Held, out)
}

impl Searching {
    fn new(state: Box<Selected>, tag: Tag, by_uid: bool, purpose: Purpose, needles: Needles) -> Searching {
        let everywhere = 0..state.view.rows().len();
        Searching {
            state,
            tag,
            by_uid,
            expunges: Expunges::Held,
            purpose,
            needles,
            unasked: true,
            at: 0,
            open: VecDeque::new(),
            identities: Vec::new(),
            found: Vec::new(),
            slices: 0,
            many: None,
            scope: std::iter::once(everywhere).collect(),
            update: None,
            again: None,
            told_s: None,
        }
    }

    fn next(mut self, out: &mut Out) -> Turn {
        if !self.open.is_empty() {
            return self.open_next(out);
        }
        let undecided = self.undecided();
        if std::mem::take(&mut self.unasked) && undecided.len() > FEW && !self.needles.texts().is_empty() {
            return self.ask_index();
        }
        match self.needles.ask_identities() && !undecided.is_empty() {
            true => self.ask_identities(undecided),
            false => self.ask_summaries(undecided, out),
        }
    }

    /// Then begins again, knowing more. Without an answer every message is looked into.
    fn ask_index(self) -> Turn {
        let texts = self.needles.texts().to_vec();
        let question = Question::Candidates { mailbox: self.state.view.mailbox(), texts };
        self.ask(question, |mut it, answer, out| {
            it.needles.learn(answer.candidates().unwrap_or_default());
            it.at = 0;
            it.found.clear();
            it.next(out)
        })
    }

    fn ask_identities(self, undecided: Vec<(usize, Content)>) -> Turn {
        let uids = self.uids_of(undecided.iter().map(|(index, _)| *index));
        let question = Question::Identities { mailbox: self.state.view.mailbox(), uids };
        self.ask(question, move |mut it, answer, out| match answer.identities() {
            Ok(identities) => {
                it.identities = identities;
                let left = undecided.into_iter().filter_map(|(index, _)| Some((index, it.judge_identity(index)?)));
                let left = left.collect();
                it.ask_summaries(left, out)
            }
            Err(trouble) => it.fail(trouble, out),
        })
    }

    fn ask_summaries(mut self, undecided: Vec<(usize, Content)>, out: &mut Out) -> Turn {
        let summary = self.needles.summary_parts();
        if summary == SummaryParts::NONE || undecided.is_empty() {
            self.open = undecided.into();
            return self.open_next(out);
        }
        let uids = self.uids_of(undecided.iter().map(|(index, _)| *index));
        self.ask_messages(uids, Need { summary, content: Content::None }, Searching::read_summary)
    }

    /// Looks into the messages that are open, then goes on.
    fn open_next(mut self, out: &mut Out) -> Turn {
        let (uids, content) = self.slice();
        match uids.is_empty() {
            true if self.at < self.scope.last().map_or(0, |range| range.end) => self.next(out),
            true => self.finish(out),
            false => self.ask_messages(uids, Need { summary: SummaryParts::NONE, content }, Searching::look_inside),
        }
    }

    fn ask_messages(self, uids: Vec<u32>, need: Need, read: fn(&mut Searching, &Message)) -> Turn {
        let question = Question::Fetch { mailbox: self.state.view.mailbox(), uids, need };
        self.ask(question, move |mut it, answer, out| match answer.messages() {
            Ok(messages) => {
                messages.iter().for_each(|message| read(&mut it, message));
                it.next(out)
            }
            Err(trouble) => it.fail(trouble, out),
        })
    }

    /// Asks, and looks at the clock before it once in a while.
    pub(super) fn ask(
        mut self,
        question: Question,
        then: impl FnOnce(Searching, Answer, &mut Out) -> Turn + Send + 'static,
    ) -> Turn {
        self.slices += 1;
        if !self.slices.is_multiple_of(SLICES_TO_CLOCK) {
            return ask(question, move |answer, out| then(self, answer, out));
        }
        ask(Question::Now, move |answer, out| {
            if let Ok(now_s) = answer.now() {
                self.tell_progress(now_s, out);
            }
            ask(question, move |answer, out| then(self, answer, out))
        })
    }

    fn tell_progress(&mut self, now_s: i64, out: &mut Out) {
        let told_s = *self.told_s.get_or_insert(now_s);
        if self.again.is_none() && now_s - told_s >= PROGRESS_S {
            self.told_s = Some(now_s);
            let code = Code::InProgress(self.tag.clone(), self.at as u64, u64::from(self.state.view.count()));
            out.untagged_reply(&Reply::ok("still searching").with(code));
            out.send_soon();
        }
    }

    pub(super) fn fail(self, trouble: Trouble, out: &mut Out) -> Turn {
        if let Some(many) = self.many {
            return many.failed(trouble, out);
        }
        if let Some(again) = self.again {
            return again(self.state, Err(trouble), out);
        }
        refuse(self.state, &self.tag, &self.purpose, &trouble.into(), out)
    }

    /// Decides messages from what the view knows until enough of them need more.
    fn undecided(&mut self) -> Vec<(usize, Content)> {
        let only_identities = self.needles.ask_identities() && self.needles.summary_parts() == SummaryParts::NONE;
        let slice = if only_identities { SLICE_IDENTITIES } else { SLICE_SUMMARIES };
        let (view, at) = (&self.state.view, self.at);
        let mut undecided = Vec::new();
        let ranges = self.scope.iter().map(|range| range.start.max(at)..range.end).filter(|range| !range.is_empty());
        let runs = ranges.flat_map(|range| view.rows().runs(range));
        for (index, _, row) in runs.flat_map(|run| run.entries()) {
            if undecided.len() >= slice {
                break;
            }
            self.at = index + 1;
            if view.is_gone(row.uid) {
                continue;
            }
            match self.needles.known(&row, index, None, None) {
                Verdict::Yes => self.found.push(index),
                Verdict::No => (),
                Verdict::Look(need) => undecided.push((index, need)),
            }
        }
        undecided
    }

    /// The next messages to look into, all of them equally deep.
    fn slice(&mut self) -> (Vec<u32>, Content) {
        let (mut uids, mut content, mut octets) = (Vec::new(), Content::None, 0);
        while let Some((index, need)) = self.open.front().copied() {
            let other = !uids.is_empty() && need != content;
            if other || uids.len() >= SLICE_MESSAGES || octets >= SLICE_OCTETS {
                break;
            }
            self.open.pop_front();
            let Some(row) = self.state.view.rows().get(index) else { continue };
            uids.push(row.uid);
            content = need;
            octets += match need {
                Content::None => 0,
                Content::Header => row.size_octets / HEADER_SHARE,
                Content::Whole => row.size_octets,
            };
        }
        (uids, content)
    }

    /// What has to be looked at still when the identity is there; a message without one is gone.
    fn judge_identity(&mut self, index: usize) -> Option<Content> {
        let row = self.state.view.rows().get(index)?;
        match self.needles.known(&row, index, Some(self.identity(row.uid)?), None) {
            Verdict::Yes => self.found.push(index),
            Verdict::No => (),
            Verdict::Look(need) => return Some(need),
        }
        None
    }

    fn read_summary(&mut self, message: &Message) {
        let view = &self.state.view;
        let Some(index) = view.index_of(message.uid) else { return };
        let Some(row) = view.rows().get(index) else { return };
        match self.needles.known(&row, index, self.identity(row.uid), message.summary.as_ref()) {
            Verdict::Yes => self.found.push(index),
            Verdict::No => (),
            Verdict::Look(need) => self.open.push_back((index, need)),
        }
    }

    fn look_inside(&mut self, message: &Message) {
        let view = &self.state.view;
        let Some(index) = view.index_of(message.uid) else { return };
        let Some(row) = view.rows().get(index) else { return };
        if self.needles.inside(&row, index, self.identity(row.uid), &message.content) {
            self.found.push(index);
        }
    }

    fn identity(&self, uid: u32) -> Option<&Identity> {
        let at = self.identities.binary_search_by_key(&uid, |identity| identity.uid).ok()?;
        self.identities.get(at)
    }

    pub(super) fn uids_of(&self, indexes: impl Iterator<Item = usize>) -> Vec<u32> {
        indexes.filter_map(|index| self.state.view.rows().get(index)).map(|row| row.uid).collect()
    }

    fn finish(mut self, out: &mut Out) -> Turn {
        // Messages that needed a look come behind their neighbours that did not.
        self.found.sort_unstable();
        if let Some(again) = self.again.take() {
            let found = self.uids_of(self.found.iter().copied());
            return again(self.state, Ok(found), out);
        }
        match &self.purpose {
            Purpose::Search(_) => {
                // RFC 9051 6.4.4: under IMAP4rev2 every SEARCH is answered by ESEARCH.
                let rev2 = self.state.shared.enabled.rev2.then_some(Returns { all: true, ..Returns::default() });
                let found = std::mem::take(&mut self.found);
                self.answer("SEARCH", rev2, &found, "SEARCH done", out)
            }
            Purpose::Sort { .. } | Purpose::Thread(_) => sort::order(self, out),
        }
    }

    /// Answers with the messages in this order. `otherwise` is what is returned when the client did not say.
    pub(super) fn answer(
        mut self,
        word: &str,
        otherwise: Option<Returns>,
        found: &[usize],
        done: &'static str,
        out: &mut Out,
    ) -> Turn {
        self.keep(found, out);
        let view = &mut self.state.view;
        if let Some(returns) = self.purpose.returns().filter(|returns| returns.save) {
            view.saved = saved(returns, view, found);
        }
        let mod_seq = self.needles.ask_mod_seq();
        let answering = Answering { view, found, by_uid: self.by_uid, mod_seq };
        if let Some(many) = self.many.take() {
            return many.answered(&answering, out);
        }
        match self.purpose.returns().or(otherwise) {
            Some(returns) => answering.esearch(&self.tag, returns, out),
            None => answering.plain(word, out),
        }
        self.done(done, out)
    }

    /// RFC 5267 4.3: from here on changes of the result are told, or it is said that they are not.
    fn keep(&mut self, found: &[usize], out: &mut Out) {
        let Some((key, items)) = self.update.take() else { return };
        if !is_steady(&key) {
            let text = "message numbers, *, $, OLDER and YOUNGER mean something else each time";
            return no_update(self.tag.clone(), text, out);
        }
        let order = match &self.purpose {
            Purpose::Sort { criteria, .. } => Some(criteria.clone()),
            Purpose::Search(_) | Purpose::Thread(_) => None,
        };
        let (tag, by_uid, found) = (self.tag.clone(), self.by_uid, self.uids_of(found.iter().copied()));
        self.state.view.live.keep(Context { tag, by_uid, key, order, items, found }, out);
    }

    pub(super) fn done(self, done: &'static str, out: &mut Out) -> Turn {
        self.state.done(&self.tag, &Reply::ok(done), self.expunges, out)
    }
}

#[cfg(test)]
mod tests {
    use crate::imap::session::tests::Client;

    fn client() -> Client {
        let mut client = Client::with_inbox(&[
            "From: Zoé <z@a.example>\nSubject: =?utf-8?q?=C3=89t=C3=A9?=\nDate: Mon, 1 Feb 2021 00:30:00 +0100\n\none\n",
            "From: b@b.example\nTo: c@c.example\nX-Spam: no\nContent-Transfer-Encoding: base64\n\nZmF0IENhdAo=\n",
            "Subject: long\nCc: d@d.example\n\nthree three three three three three three three three three three three and four\n",
        ]);
        client.say("a STORE 2 +FLAGS.SILENT (\\Seen \\Answered $Work)");
        client
    }

    #[track_caller]
    fn check(keys: &str, expected: &str) {
        client().check(&format!("a SEARCH {keys}"), &format!("* SEARCH{expected}\na OK SEARCH done\n"));
    }

    #[test]
    fn flags_sets_sizes_and_dates_are_compared() {
        check("ALL", " 1 2 3");
        check("SEEN", " 2");
        check("UNSEEN UNANSWERED", " 1 3");
        check("KEYWORD $work", " 2");
        check("UNKEYWORD $Work", " 1 3");
        check("NEW", "");
        check("OLD", " 1 2 3");
        check("2:*", " 2 3");
        check("UID 1,3", " 1 3");
        check("NOT 2", " 1 3");
        check("OR 1 SEEN", " 1 2");
        check("(OR 1 (2 SEEN)) NOT 1", " 2");
        check("LARGER 108 SMALLER 1000", " 3");
        check("ON 1-Jan-2021", " 1 2 3");
        check("BEFORE 1-Jan-2021", "");
        check("SINCE 2-Jan-2021", "");
        check("SENTON 1-Feb-2021", " 1");
        check("SENTBEFORE 1-Feb-2021", "");
        check("SENTSINCE 31-Jan-2021", " 1");
    }

    #[test]
    fn texts_are_decoded_and_letters_are_small_or_large() {
        check("SUBJECT \"éT\"", " 1");
        check("SUBJECT ET", " 1");
        check("FROM \"zOÉ\"", " 1");
        check("FROM example", " 1 2");
        check("TO c@c", " 2");
        check("CC D.EXAMPLE", " 3");
        check("BCC x", "");
        check("HEADER X-Spam \"\"", " 2");
        check("HEADER Subject long", " 3");
        check("BODY \"FAT cat\"", " 2");
        check("BODY example", "");
        check("TEXT example", " 1 2 3");
        check("TEXT x-spam BODY cat", " 2");
        check("NOT BODY three", " 1 2");
        check("OR SUBJECT \"été\" BODY cat", " 1 2");
    }

    #[test]
    fn charsets_other_than_utf_8_are_refused() {
        let mut client = client();
        client.check("a SEARCH CHARSET utf-8 SUBJECT {3+}\r\n\u{e9}t", "* SEARCH 1\na OK SEARCH done\n");
        client.check("a SEARCH CHARSET us-ascii SEEN", "* SEARCH 2\na OK SEARCH done\n");
        client.check("a SEARCH CHARSET KOI8-R ALL", "a NO [BADCHARSET (UTF-8 US-ASCII)] that charset is not known\n");
        assert_eq!(client.say_octets(b"a SEARCH SUBJECT {1+}\r\n\xff\r\n"), "a BAD the text is not UTF-8\n");
        client.check("a SEARCH 4", "a BAD there is no message with that number\n");
    }

    #[test]
    fn more_keys_on_bodies_than_anybody_needs_are_refused() {
        let keys = |count: usize| "BODY cat ".repeat(count).trim_end().to_owned();
        check(&keys(32), " 2");
        let mut client = client();
        let refusal = "a NO [LIMIT] too many BODY and TEXT keys in one SEARCH\n";
        client.check(&format!("a SEARCH NOT ({} TEXT x)", keys(32)), refusal);
    }

    #[test]
    fn only_open_messages_are_looked_into() {
        let mut client = client();
        client.asked.clear();
        client.check("a SEARCH SEEN BODY cat", "* SEARCH 2\na OK SEARCH done\n");
        assert_eq!(client.asked, ["Refresh", "Fetch"]);
        client.asked.clear();
        client.check("a SEARCH OR ALL BODY cat", "* SEARCH 1 2 3\na OK SEARCH done\n");
        assert_eq!(client.asked, ["Refresh"]);
    }

    #[test]
    fn summaries_answer_without_the_messages() {
        let mut client = client();
        for (keys, found, questions) in [
            ("SUBJECT long", " 3", 2),
            ("OR FROM a.example NOT HEADER Message-ID \"\"", " 1 2 3", 3),
            ("SENTSINCE 3-Feb-2021", "", 2),
            ("SENTON 1-Feb-2021", " 1", 3),
            ("SUBJECT long BODY four", " 3", 3),
            ("SEEN SUBJECT x", "", 2),
            ("HEADER X-Spam no", " 2", 2),
        ] {
            client.asked.clear();
            client.check(&format!("a SEARCH {keys}"), &format!("* SEARCH{found}\na OK SEARCH done\n"));
            assert_eq!(client.asked.len(), questions, "{keys}: {:?}", client.asked);
        }
    }

    #[test]
    fn a_long_search_is_asked_in_slices() {
        let mut client = Client::with_inbox(&["Subject: a\n\nx\n", "Subject: b\nSubject: a\n\nx\n"].repeat(300));
        client.asked.clear();
        let said = client.say("a SEARCH RETURN (COUNT) SUBJECT a");
        assert_eq!(said, "* ESEARCH (TAG \"a\") COUNT 600\na OK SEARCH done\n");
        // The index, then 256, 256 and 88 summaries, each time half of them undecided.
        assert_eq!(client.asked.len(), 1 + 1 + 3 + 3);
        client.asked.clear();
        client.say("a SEARCH BODY x");
        assert_eq!(client.asked.len(), 1 + 1 + 2 + 2 + 1);
    }

    #[test]
    fn the_index_spares_a_look_and_changes_no_answer() {
        let messages: Vec<String> = (1..=60)
            .map(|n| format!("Subject: number {n}\nX-Even: {}\n\nC\u{153}ur n\u{ba}{n}.\n", n % 2 == 0))
            .collect();
        let messages: Vec<&str> = messages.iter().map(String::as_str).collect();
        let mut client = Client::with_inbox(&messages);
        for (keys, found, fetches) in [
            ("BODY \"COEUR NO37\"", " 37", 1),
            ("BODY nowhere", "", 0),
            ("NOT BODY nowhere SMALLER 10", "", 0),
            ("OR BODY no12. SUBJECT \"number 37\"", " 12 37", 2),
            ("TEXT \"number 59\" NOT BODY no59", "", 1),
            ("HEADER X-Even true TEXT no60.", " 60", 1),
            ("NOT HEADER X-Even u TEXT no60.", "", 1),
        ] {
            let said = [0, 1, 30, 60].map(|known_to| {
                client.store.borrow_mut().known_to = known_to;
                client.asked.clear();
                client.say(&format!("a SEARCH {keys}"))
            });
            assert_eq!(said, [(); 4].map(|()| format!("* SEARCH{found}\na OK SEARCH done\n")), "{keys}");
            let asked = client.asked.iter().filter(|kind| *kind == "Fetch").count();
            assert_eq!(asked, fetches, "{keys}: {:?}", client.asked);
        }
    }

    #[test]
    fn a_few_messages_are_looked_into_without_the_index() {
        let mut client = Client::with_inbox(&["Subject: a\n\nx\n"].repeat(40));
        client.asked.clear();
        client.check("a SEARCH 3:5 BODY x", "* SEARCH 3 4 5\na OK SEARCH done\n");
        client.check("a SEARCH HEADER X-None \"\"", "* SEARCH\na OK SEARCH done\n");
        assert!(!client.asked.iter().any(|kind| kind == "Candidates"), "{:?}", client.asked);
    }

    #[test]
    fn identities_saved_dates_and_ages_are_compared() {
        let mut client = client();
        client.store.borrow_mut().now_s = 1_609_459_200 + 3_600;
        for (keys, found) in [
            ("OLDER 3600", " 1 2 3"),
            ("OLDER 3601", ""),
            ("YOUNGER 3600", " 1 2 3"),
            ("YOUNGER 3599", ""),
            ("NOT YOUNGER 3599 2", " 2"),
            ("SAVEDATESUPPORTED", " 1 2 3"),
            ("SAVEDON 1-Jan-2021", " 1 2 3"),
            ("SAVEDBEFORE 1-Jan-2021", ""),
            ("SAVEDSINCE 1-Jan-2021 2:3 BODY cat", " 2"),
            ("NOT SAVEDSINCE 2-Jan-2021", " 1 2 3"),
            ("EMAILID M0", ""),
            ("NOT THREADID x", " 1 2 3"),
        ] {
            client.check(&format!("a SEARCH {keys}"), &format!("* SEARCH{found}\na OK SEARCH done\n"));
        }
        let (email, thread) = client.store.borrow_mut().names_of("INBOX", 2);
        client.check(&format!("a SEARCH EMAILID {email}"), "* SEARCH 2\na OK SEARCH done\n");
        client.check(&format!("a SEARCH EMAILID {}", email.to_uppercase()), "* SEARCH\na OK SEARCH done\n");
        client.check(&format!("a SEARCH OR SUBJECT long THREADID {thread}"), "* SEARCH 2 3\na OK SEARCH done\n");
        client.check(&format!("a SEARCH THREADID {email}"), "* SEARCH\na OK SEARCH done\n");
    }

    #[test]
    fn a_search_for_a_mod_seq_tells_the_highest() {
        let mut client = client();
        let highest = "* OK [HIGHESTMODSEQ 5] told up to here\n";
        client.check("a SEARCH MODSEQ 4", &format!("{highest}* SEARCH 2 3 (MODSEQ 5)\na OK SEARCH done\n"));
        client.check("a SEARCH MODSEQ \"/flags/\\\\seen\" all 5", "* SEARCH 2 (MODSEQ 5)\na OK SEARCH done\n");
        client.check("a SEARCH MODSEQ 6", "* SEARCH\na OK SEARCH done\n");
        client.check("a SEARCH RETURN (MAX) MODSEQ 2", "* ESEARCH (TAG \"a\") MAX 3 MODSEQ 4\na OK SEARCH done\n");
        client.check("a SEARCH RETURN (COUNT) MODSEQ 2", "* ESEARCH (TAG \"a\") COUNT 3 MODSEQ 5\na OK SEARCH done\n");
        client.check("a SORT (REVERSE ARRIVAL) UTF-8 MODSEQ 4", "* SORT 2 3 (MODSEQ 5)\na OK SORT done\n");
    }

    #[test]
    fn a_result_is_returned_in_windows() {
        let mut client = client();
        let mut check = |returns: &str, said: &str| {
            let expected = format!("* ESEARCH (TAG \"a\") UID {said}\na OK SEARCH done\n");
            client.check(&format!("a UID SEARCH RETURN ({returns}) ALL"), &expected);
        };
        check("PARTIAL 1:2", "PARTIAL (1:2 1:2)");
        check("PARTIAL 3:2 COUNT", "COUNT 3 PARTIAL (3:2 2:3)");
        check("PARTIAL 4:9", "PARTIAL (4:9 NIL)");
        check("PARTIAL -1:-1 MIN", "MIN 1 PARTIAL (-1:-1 3)");
        check("SAVE PARTIAL -1:-1 MIN", "MIN 1 PARTIAL (-1:-1 3)");
        client.check("a SEARCH $", "* SEARCH 1 3\na OK SEARCH done\n");
        client.check("a SEARCH RETURN (PARTIAL 1:2 ALL) ALL", "a BAD SEARCH does not take that\n");
        client.check("a SEARCH RETURN (PARTIAL 0:2) ALL", "a BAD SEARCH does not take that\n");
        client.check("a SEARCH RETURN (PARTIAL 1:2 PARTIAL 1:2) ALL", "a BAD SEARCH does not take that\n");
    }

    #[test]
    fn whoever_waits_long_hears_how_far_it_is() {
        let mut client = Client::with_inbox(&["Subject: a\n\nx\n"].repeat(4_000));
        assert!(!client.say("a SEARCH BODY y").contains("INPROGRESS"));
        client.store.borrow_mut().seconds_pass = 5;
        let said = client.say("a SEARCH BODY y");
        assert!(said.starts_with("* OK [INPROGRESS (\"a\" "), "{said}");
        assert!(said.contains(" 4000)] still searching\n") && said.ends_with("* SEARCH\na OK SEARCH done\n"), "{said}");
    }

    #[test]
    fn return_answers_in_numbers_and_sets() {
        let mut client = client();
        client.check(
            "a UID SEARCH RETURN (MIN MAX COUNT ALL) ALL",
            "* ESEARCH (TAG \"a\") UID MIN 1 MAX 3 ALL 1:3 COUNT 3\na OK SEARCH done\n",
        );
        client.check("a SEARCH RETURN () UNSEEN", "* ESEARCH (TAG \"a\") ALL 1,3\na OK SEARCH done\n");
        client.check("a SEARCH RETURN (MIN COUNT) DRAFT", "* ESEARCH (TAG \"a\") COUNT 0\na OK SEARCH done\n");
    }

    #[test]
    fn what_was_saved_can_be_named_by_a_dollar() {
        let mut client = client();
        client.check("a SEARCH RETURN (SAVE) UNSEEN", "a OK SEARCH done\n");
        client.check("a FETCH $ UID", "* 1 FETCH (UID 1)\n* 3 FETCH (UID 3)\na OK FETCH done\n");
        client.check("a SEARCH $ SMALLER 109", "* SEARCH 1\na OK SEARCH done\n");
        client.check("a SEARCH RETURN (SAVE MAX) ALL", "* ESEARCH (TAG \"a\") MAX 3\na OK SEARCH done\n");
        client.check("a UID SEARCH UID $", "* SEARCH 3\na OK SEARCH done\n");
        client.check(
            "a SEARCH RETURN (SAVE) CHARSET x ALL",
            "a NO [BADCHARSET (UTF-8 US-ASCII)] that charset is not known\n",
        );
        client.check("a FETCH $ UID", "a OK FETCH done\n");
    }
}
