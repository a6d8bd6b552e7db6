//! FETCH of what rows, renderings and identities say: flags, UID, size, dates, ENVELOPE, BODY, BODYSTRUCTURE, PREVIEW, EMAILID,
//! THREADID. No message is opened and
//! nothing is made for any of them but its line.

use std::collections::VecDeque;
use std::ops::Range;

use super::ending::Ending;
use super::fetch::is_identity;
use super::state::{Selected, Turn, ask};
use crate::imap::command::FetchItem;
use crate::imap::grammar::Coding;
use crate::imap::question::{Identity, Question, Renderings};
use crate::imap::response::{Out, Reply, identity};
use mail::Flags;
use mail::index::Entry;
use mail::mime::SummaryParts;

/// Messages in one question for renderings; the store gives fewer when they are long.
const SLICE_MESSAGES: usize = 4_096;

/// A FETCH without content on its way.
pub struct Listing {
    state: Box<Selected>,
    ending: Ending,
    items: Vec<FetchItem>,
    /// The renderings among the items.
    parts: SummaryParts,
    /// An item asks for identities.
    identified: bool,
    /// Places still to do.
    waiting: VecDeque<Range<usize>>,
    /// A message was gone when its renderings were asked for.
    missed: bool,
}

impl Listing {
    pub fn new(
        state: Box<Selected>,
        ending: Ending,
        items: Vec<FetchItem>,
        parts: SummaryParts,
        places: Vec<Range<usize>>,
    ) -> Listing {
        let identified = items.iter().any(is_identity);
        Listing { state, ending, items, parts, identified, waiting: places.into(), missed: false }
    }

    pub fn next(mut self, out: &mut Out) -> Turn {
        if self.parts == SummaryParts::NONE && !self.identified {
            return match self.write_rows(out) {
                true => self.finish(out),
                false => Turn::More(Box::new(|out| self.next(out))),
            };
        }
        if out.is_full() {
            return Turn::More(Box::new(|out| self.next(out)));
        }
        let view = &self.state.view;
        let (mut uids, mut taken) = (Vec::new(), 0);
        for range in &self.waiting {
            let rows = view.rows().runs(range.clone()).flat_map(|run| run.entries());
            let room = SLICE_MESSAGES - taken;
            let uids_here = rows.take(room).map(|(_, _, row)| row.uid);
            uids.extend(uids_here.filter(|uid| !view.is_gone(*uid)));
            taken += range.len().min(room);
            if taken == SLICE_MESSAGES {
                break;
            }
        }
        if uids.is_empty() && taken < SLICE_MESSAGES {
            return self.finish(out);
        }
        if self.parts == SummaryParts::NONE {
            return self.identify(uids, taken, None);
        }
        let question = Question::Renderings { mailbox: view.mailbox(), uids: uids.clone(), parts: self.parts };
        ask(question, move |answer, out| match answer.rendered() {
            Ok(renderings) if self.identified => self.identify(uids, taken, Some(renderings)),
            Ok(renderings) => self.write(taken, Brought { renderings: Some(renderings), ..Brought::default() }, out),
            Err(trouble) => self.end(&trouble.into(), out),
        })
    }

    /// Asks for the identities of the slice, as far as its renderings go.
    fn identify(self, mut uids: Vec<u32>, taken: usize, renderings: Option<Renderings>) -> Turn {
        if let Some(end) = renderings.as_ref().and_then(|renderings| renderings.more_from) {
            uids.retain(|uid| *uid < end);
        }
        ask(Question::Identities { mailbox: self.state.view.mailbox(), uids }, move |answer, out| {
            match answer.identities() {
                Ok(found) => {
                    let brought = Brought { renderings, identities: Some(found), ..Brought::default() };
                    self.write(taken, brought, out)
                }
                Err(trouble) => self.end(&trouble.into(), out),
            }
        })
    }

    fn write(mut self, taken: usize, brought: Brought, out: &mut Out) -> Turn {
        let more_from = brought.renderings.as_ref().and_then(|renderings| renderings.more_from);
        let places = self.take(taken, more_from).into();
        Slice { listing: self, places, brought }.write(out)
    }

    /// Takes the next places out: so many, but none from `more_from` on.
    fn take(&mut self, count: usize, more_from: Option<u32>) -> Vec<Range<usize>> {
        let end = more_from.map_or(usize::MAX, |uid| self.state.view.rows().place_from(uid));
        let (mut taken, mut left) = (Vec::new(), count);
        while let Some(range) = self.waiting.front_mut() {
            let stop = range.end.min(range.start.saturating_add(left)).min(end);
            if stop <= range.start {
                break;
            }
            taken.push(range.start..stop);
            left -= stop - range.start;
            range.start = stop;
            if range.start == range.end {
                self.waiting.pop_front();
            }
        }
        taken
    }

    /// Everything asked is in the rows. False when it is time to send.
    fn write_rows(&mut self, out: &mut Out) -> bool {
        let view = &self.state.view;
        while let Some(range) = self.waiting.pop_front() {
            for run in view.rows().runs(range.clone()) {
                let mut flags = FlagTexts::new(run.flag_sets());
                for (place, set, row) in run.entries() {
                    if out.is_full() {
                        self.waiting.push_front(place..range.end);
                        return false;
                    }
                    if !view.is_gone(row.uid) {
                        let known = Known { flags: flags.text(set), texts: [&[]; 4], identity: None, utf8: false };
                        out.fetch_begins(place, row.uid, self.state.shared.enabled.uid_only);
                        line(out, &self.items, &row, &known);
                    }
                }
            }
        }
        true
    }

    fn finish(self, out: &mut Out) -> Turn {
        let reply = self.ending.reply(self.missed);
        self.end(&reply, out)
    }

    fn end(self, reply: &Reply, out: &mut Out) -> Turn {
        self.ending.end(self.state, reply, out)
    }
}

/// What the store brought of a slice.
#[derive(Default)]
struct Brought {
    renderings: Option<Renderings>,
    /// The first of the renderings that is not written.
    at: usize,
    identities: Option<Vec<Identity>>,
    /// The first of the identities that is not written.
    next: usize,
}

impl Brought {
    /// Of the message with this UID, asked in ascending order; `None` when it is gone.
    fn of(&mut self, uid: u32) -> Option<([&[u8]; 4], Option<&Identity>)> {
        let texts = match &self.renderings {
            Some(renderings) => {
                let found = rendered(renderings, self.at, uid);
                self.at += usize::from(found.is_some());
                found
            }
            None => Some([&[][..]; 4]),
        };
        let identity = match &self.identities {
            Some(identities) => {
                let found = identities.get(self.next).filter(|identity| identity.uid == uid);
                self.next += usize::from(found.is_some());
                found.map(Some)
            }
            None => Some(None),
        };
        Some((texts?, identity?))
    }
}

/// A slice on its way out.
struct Slice {
    listing: Listing,
    /// Places still to do.
    places: VecDeque<Range<usize>>,
    brought: Brought,
}

impl Slice {
    fn write(mut self, out: &mut Out) -> Turn {
        match self.write_some(out) {
            // The octets go before the next ones come.
            true => {
                drop(self.brought);
                self.listing.next(out)
            }
            false => Turn::More(Box::new(|out| self.write(out))),
        }
    }

    /// False when it is time to send.
    fn write_some(&mut self, out: &mut Out) -> bool {
        let Listing { state, items, missed, .. } = &mut self.listing;
        let utf8 = state.shared.coding() == Coding::Utf8;
        while let Some(range) = self.places.pop_front() {
            for run in state.view.rows().runs(range.clone()) {
                let mut flags = FlagTexts::new(run.flag_sets());
                for (place, set, row) in run.entries() {
                    if out.is_full() {
                        self.places.push_front(place..range.end);
                        return false;
                    }
                    if state.view.is_gone(row.uid) {
                        continue;
                    }
                    match self.brought.of(row.uid) {
                        Some((texts, identity)) => {
                            out.fetch_begins(place, row.uid, state.shared.enabled.uid_only);
                            line(out, items, &row, &Known { flags: flags.text(set), texts, identity, utf8 });
                        }
                        None => *missed = true,
                    }
                }
            }
        }
        true
    }
}

/// The texts of a message, if it is the next one; both sides ascend.
fn rendered(renderings: &Renderings, at: usize, uid: u32) -> Option<[&[u8]; 4]> {
    let (_, ends) = renderings.messages.get(at).filter(|(next, _)| *next == uid)?;
    let mut begin = at.checked_sub(1).and_then(|before| renderings.messages.get(before)).map_or(0, |(_, ends)| ends[3]);
    Some(ends.map(|end| {
        let text = renderings.octets.get(begin..end).unwrap_or_default();
        begin = end;
        text
    }))
}

/// The texts of sets of flags, each made when a message first has it.
struct FlagTexts<'a> {
    sets: &'a [Flags],
    texts: Vec<Option<Vec<u8>>>,
}

impl<'a> FlagTexts<'a> {
    fn new(sets: &'a [Flags]) -> FlagTexts<'a> {
        FlagTexts { sets, texts: Vec::new() }
    }

    fn text(&mut self, set: usize) -> &[u8] {
        if self.texts.is_empty() {
            self.texts.resize(self.sets.len(), None);
        }
        self.texts[set].get_or_insert_with(|| {
            let mut out = Out::default();
            out.flags(&self.sets[set]);
            out.take()
        })
    }
}

/// What a line says besides its row.
struct Known<'a> {
    flags: &'a [u8],
    texts: [&'a [u8]; 4],
    identity: Option<&'a Identity>,
    /// Quoted strings may hold UTF-8.
    utf8: bool,
}

/// What stands in `* n FETCH (…)`.
fn line(out: &mut Out, items: &[FetchItem], row: &Entry<'_>, known: &Known<'_>) {
    let texts = known.texts;
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.raw(b" ");
        }
        let (name, text): (&[u8], &[u8]) = match item {
            FetchItem::Flags => (b"", known.flags),
            FetchItem::Envelope => (b"ENVELOPE ", texts[0]),
            FetchItem::Body => (b"BODY ", texts[1]),
            FetchItem::BodyStructure => (b"BODYSTRUCTURE ", texts[2]),
            FetchItem::Uid => {
                out.raw(b"UID ");
                out.number(row.uid);
                continue;
            }
            FetchItem::Size => {
                out.raw(b"RFC822.SIZE ");
                out.number(row.size_octets);
                continue;
            }
            FetchItem::ModSeq => {
                out.raw(b"MODSEQ (");
                out.number(row.mod_seq);
                out.raw(b")");
                continue;
            }
            FetchItem::InternalDate => {
                out.raw(b"INTERNALDATE \"");
                out.raw(&row.internal_date.to_imap_octets());
                out.raw(b"\"");
                continue;
            }
            FetchItem::Preview => {
                out.raw(b"PREVIEW ");
                out.string_in(texts[3], known.utf8);
                continue;
            }
            FetchItem::SaveDate | FetchItem::EmailId | FetchItem::ThreadId => {
                if let Some(found) = known.identity {
                    identity(out, item, found);
                }
                continue;
            }
            // Content is fetched elsewhere.
            FetchItem::Content(_) | FetchItem::Binary { .. } | FetchItem::BinarySize { .. } => continue,
        };
        out.raw(name);
        out.raw(text);
    }
    out.raw(b")\r\n");
}

#[cfg(test)]
mod tests {
    use crate::imap::response::OUT_OCTETS;
    use crate::imap::session::tests::Client;
    use mail::{Flags, SystemFlags};

    const NOTE: &str = "From: A <a@b.example>\nSubject: s\n\nhello\n";

    #[test]
    fn rows_and_renderings_come_in_the_order_asked() {
        let mut client = Client::with_inbox(&[NOTE]);
        let from = "((\"A\" NIL \"a\" \"b.example\"))";
        let envelope = format!("(NIL \"s\" {from} {from} {from} NIL NIL NIL NIL NIL)");
        let plain = "\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 7 1";
        client.check(
            "a UID FETCH 1 (FLAGS BODYSTRUCTURE ENVELOPE RFC822.SIZE BODY)",
            &format!(
                "* 1 FETCH (UID 1 FLAGS () BODYSTRUCTURE ({plain} NIL NIL NIL NIL) ENVELOPE {envelope} \
                 RFC822.SIZE 44 BODY ({plain}))\na OK FETCH done\n"
            ),
        );
    }

    #[test]
    fn a_long_listing_is_asked_in_slices_and_sent_in_small_steps() {
        let mut client = Client::with_inbox(&[NOTE; 5_000]);
        client.store.borrow_mut().set_flags("INBOX", 4_000, &Flags::system(SystemFlags::SEEN));
        client.asked.clear();
        let said = client.say("a FETCH 1:* (UID FLAGS ENVELOPE)");
        // The store of the tests gives 1,000 at a time.
        assert_eq!(client.asked.iter().filter(|kind| *kind == "Renderings").count(), 5);
        assert!(client.largest_send < OUT_OCTETS + 1_024, "{}", client.largest_send);
        for (number, line) in (1..=5_000).zip(said.lines().filter(|line| line.contains("ENVELOPE"))) {
            let flags = if number == 4_000 { "\\Seen" } else { "" };
            let expected = format!("* {number} FETCH (UID {number} FLAGS ({flags}) ENVELOPE (NIL \"s\" ");
            assert!(line.starts_with(&expected), "{line}");
        }
        assert!(said.ends_with("a OK FETCH done\n"));
    }

    #[test]
    fn previews_and_identities_of_a_long_listing_open_no_body() {
        let mut client = Client::with_inbox(&[NOTE; 2_500]);
        client.asked.clear();
        let said = client.say("a FETCH 1:* (PREVIEW (LAZY) EMAILID THREADID SAVEDATE)");
        let first = "* 1 FETCH (PREVIEW \"hello\" EMAILID (M";
        assert!(said.starts_with(first) && said.ends_with("a OK FETCH done\n"), "{}", &said[..80]);
        assert_eq!(said.matches(" SAVEDATE \" 1-Jan-2021 00:").count(), 2_500);
        assert_eq!(client.asked[1..].join(" "), ["Renderings Identities"; 3].join(" "));
        client.asked.clear();
        let said = client.say("a FETCH 1:* EMAILID");
        assert_eq!(said.matches(" FETCH (EMAILID (M").count(), 2_500);
        assert_eq!(client.asked[1..], ["Identities"]);
    }

    #[test]
    fn identities_come_with_content_too_and_an_utf_8_preview_is_quoted_where_the_client_takes_it() {
        let mut client = Client::with_inbox(&["Content-Type: text/plain; charset=utf-8\n\nété\n"]);
        let said = client.say("a FETCH 1 (EMAILID BODY.PEEK[TEXT] PREVIEW)");
        assert!(said.contains("BODY[TEXT] {7}\nété\n PREVIEW {5}\nété)\n"), "{said}");
        assert!(said.starts_with("* 1 FETCH (EMAILID (M"), "{said}");
        client.say("a ENABLE IMAP4rev2");
        client.check("a FETCH 1 PREVIEW", "* 1 FETCH (PREVIEW \"été\")\na OK FETCH done\n");
    }

    #[test]
    fn a_message_that_went_meanwhile_is_left_out_and_fetch_says_so() {
        let mut client = Client::with_inbox(&[NOTE; 3]);
        client.say("a FETCH 1:* FLAGS");
        client.store.borrow_mut().lose("INBOX", 2);
        let said = client.say("a FETCH 1:* ENVELOPE");
        assert!(said.contains("* 1 FETCH") && !said.contains("* 2 FETCH") && said.contains("* 3 FETCH"), "{said}");
        assert!(said.ends_with("a NO [EXPUNGEISSUED] some of the messages are gone\n"), "{said}");
        assert!(client.say("a UID FETCH 1:* ENVELOPE").ends_with("a OK FETCH done\n"));
    }
}
