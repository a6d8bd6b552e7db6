//! SEARCH and UID SEARCH (RFC 9051 6.4.4, RFC 4731 for RETURN, RFC 5182 for `$`).
//!
//! What the view knows decides most messages. If many are left and the keys look for texts, the index is asked once which of
//! them may hold the texts. Of the others the summaries are asked when they can decide, and of those still open the octets, in
//! slices, only as much of them as the keys look at.

use std::collections::VecDeque;

use super::matching::{Needles, Verdict};
use super::state::{Expunges, Selected, Turn, ask};
use crate::imap::command::{Returns, Search, Tag};
use crate::imap::question::{Content, Message, Need, Question};
use crate::imap::response::{Code, Out, Reply, set};
use mail::mime::SummaryParts;

/// Most summaries in one slice.
const SLICE_SUMMARIES: usize = 256;
/// Most messages in one slice, and the octets after which a slice of whole messages ends.
const SLICE_MESSAGES: usize = 128;
const SLICE_OCTETS: u64 = 1024 * 1024;
/// Of a message of which only the header is asked, so much counts: most are short, and one may be nothing else.
const HEADER_SHARE: u64 = 16;

/// So many messages are looked into sooner than the index is asked.
const FEW: usize = 16;

/// A SEARCH on its way.
struct Searching {
    state: Box<Selected>,
    tag: Tag,
    by_uid: bool,
    returns: Option<Returns>,
    needles: Needles,
    /// The index was not asked yet.
    unasked: bool,
    /// Index of the next message to look at.
    at: usize,
    /// Messages that must be looked into, and how much of them, by index.
    open: VecDeque<(usize, Content)>,
    /// Indexes of the messages found.
    found: Vec<usize>,
}

pub fn search(state: Box<Selected>, tag: Tag, search: Search, out: &mut Out) -> Turn {
    let Search { uid, returns, charset, key } = search;
    let saves = returns.is_some_and(|returns| returns.save);
    let known = charset.is_none_or(|name| ["UTF-8", "US-ASCII"].iter().any(|each| each.eq_ignore_ascii_case(&name)));
    if !known {
        return refuse(state, &tag, saves, &Reply::no(Code::BadCharset, "that charset is not known"), out);
    }
    state.with_news(tag, move |state, tag, out| match Needles::new(&key, &state.view) {
        Ok(needles) => {
            let (open, found) = (VecDeque::new(), Vec::new());
            Searching { state, tag, by_uid: uid, returns, needles, unasked: true, at: 0, open, found }.next(out)
        }
        Err(reply) => refuse(state, &tag, saves, &reply, out),
    })
}

/// A search that fails empties `$` (RFC 5182 2.1).
fn refuse(mut state: Box<Selected>, tag: &Tag, saves: bool, reply: &Reply, out: &mut Out) -> Turn {
    if saves {
        state.view.saved.clear();
    }
    state.done(tag, reply, Expunges::Held, out)
}

impl Searching {
    fn next(mut self, out: &mut Out) -> Turn {
        if self.open.is_empty() {
            let undecided = self.undecided();
            if std::mem::take(&mut self.unasked) && undecided.len() > FEW && !self.needles.texts().is_empty() {
                return self.ask_index();
            }
            let summary = self.needles.summary_parts();
            if summary != SummaryParts::NONE && !undecided.is_empty() {
                let uids = self.uids_of(undecided.iter().map(|(index, _)| *index));
                return self.ask(uids, Need { summary, content: Content::None }, Searching::read_summary);
            }
            self.open = undecided.into();
        }
        let (uids, content) = self.slice();
        if uids.is_empty() {
            return self.finish(out);
        }
        self.ask(uids, Need { summary: SummaryParts::NONE, content }, Searching::look_inside)
    }

    /// Then begins again, knowing more. Without an answer every message is looked into.
    fn ask_index(mut self) -> Turn {
        let texts = self.needles.texts().to_vec();
        let question = Question::Candidates { mailbox: self.state.view.mailbox(), texts };
        ask(question, move |answer, out| {
            self.needles.learn(answer.candidates().unwrap_or_default());
            self.at = 0;
            self.found.clear();
            self.next(out)
        })
    }

    fn ask(mut self, uids: Vec<u32>, need: Need, read: fn(&mut Searching, &Message)) -> Turn {
        let question = Question::Fetch { mailbox: self.state.view.mailbox(), uids, need };
        ask(question, move |answer, out| match answer.messages() {
            Ok(messages) => {
                messages.iter().for_each(|message| read(&mut self, message));
                self.next(out)
            }
            Err(trouble) => {
                let saves = self.returns.is_some_and(|returns| returns.save);
                refuse(self.state, &self.tag, saves, &trouble.into(), out)
            }
        })
    }

    /// Decides messages from what the view knows until enough of them need more.
    fn undecided(&mut self) -> Vec<(usize, Content)> {
        let view = &self.state.view;
        let mut undecided = Vec::new();
        for (index, _, row) in view.rows().runs(self.at..view.rows().len()).flat_map(|run| run.entries()) {
            if undecided.len() >= SLICE_SUMMARIES {
                break;
            }
            self.at = index + 1;
            if view.is_gone(row.uid) {
                continue;
            }
            match self.needles.known(&row, index, None) {
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

    fn read_summary(&mut self, message: &Message) {
        let view = &self.state.view;
        let Some(index) = view.index_of(message.uid) else { return };
        let Some(row) = view.rows().get(index) else { return };
        match self.needles.known(&row, index, message.summary.as_ref()) {
            Verdict::Yes => self.found.push(index),
            Verdict::No => (),
            Verdict::Look(need) => self.open.push_back((index, need)),
        }
    }

    fn look_inside(&mut self, message: &Message) {
        let view = &self.state.view;
        let Some(index) = view.index_of(message.uid) else { return };
        let Some(row) = view.rows().get(index) else { return };
        if self.needles.inside(&row, index, &message.content) {
            self.found.push(index);
        }
    }

    fn uids_of(&self, indexes: impl Iterator<Item = usize>) -> Vec<u32> {
        indexes.filter_map(|index| self.state.view.rows().get(index)).map(|row| row.uid).collect()
    }

    fn finish(mut self, out: &mut Out) -> Turn {
        // Messages that needed a look come behind their neighbours that did not.
        self.found.sort_unstable();
        let uids = self.uids_of(self.found.iter().copied());
        let view = &mut self.state.view;
        let numbers: Vec<u32> = match self.by_uid {
            true => uids.clone(),
            false => self.found.iter().map(|index| u32::try_from(index + 1).unwrap_or(u32::MAX)).collect(),
        };
        if let Some(returns) = self.returns.filter(|returns| returns.save) {
            view.saved = saved(returns, uids);
        }
        // RFC 9051 6.4.4: under IMAP4rev2 every SEARCH is answered by ESEARCH.
        let rev2 = self.state.shared.enabled.rev2.then_some(Returns { all: true, ..Returns::default() });
        match self.returns.or(rev2) {
            Some(returns) => esearch(&self.tag, self.by_uid, returns, &numbers, out),
            None => plain(&numbers, out),
        }
        let expunges = if self.by_uid { Expunges::Told } else { Expunges::Held };
        self.state.done(&self.tag, &Reply::ok("SEARCH done"), expunges, out)
    }
}

/// RFC 5182 2.4: MIN and MAX alone save only those.
fn saved(returns: Returns, uids: Vec<u32>) -> Vec<u32> {
    if returns.all || returns.count || !(returns.min || returns.max) {
        return uids;
    }
    let first = uids.first().filter(|_| returns.min);
    let last = uids.last().filter(|_| returns.max);
    let mut kept: Vec<u32> = first.into_iter().chain(last).copied().collect();
    kept.dedup();
    kept
}

/// `* SEARCH 2 84 882`
fn plain(numbers: &[u32], out: &mut Out) {
    out.text("* SEARCH");
    for number in numbers {
        out.text(" ");
        out.number(*number);
    }
    out.end_line();
}

/// `esearch-response = "ESEARCH" [search-correlator] [SP "UID"] *(SP search-return-data)`. MIN, MAX and ALL say nothing when
/// nothing was found; with SAVE alone nothing is answered at all (RFC 5182 2.1).
fn esearch(tag: &Tag, by_uid: bool, returns: Returns, numbers: &[u32], out: &mut Out) {
    if returns == (Returns { save: true, ..Returns::default() }) {
        return;
    }
    out.text("* ESEARCH (TAG ");
    out.string(tag.as_str().as_bytes());
    out.text(")");
    if by_uid {
        out.text(" UID");
    }
    if let (Some(first), Some(last)) = (numbers.first(), numbers.last()) {
        if returns.min {
            out.text(&format!(" MIN {first}"));
        }
        if returns.max {
            out.text(&format!(" MAX {last}"));
        }
        if returns.all {
            out.text(" ALL ");
            out.text(&set(numbers));
        }
    }
    if returns.count {
        out.text(&format!(" COUNT {}", numbers.len()));
    }
    out.end_line();
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
