//! FETCH and UID FETCH (RFC 9051 6.4.5).
//!
//! What rows and renderings say is told message by message (`listed`). Content is asked in slices small enough to hold, written,
//! and sent before the next slice is asked: a client that does not read stops its own FETCH and nothing else.

use std::collections::VecDeque;
use std::ops::Range;

use super::ending::Ending;
use super::fetched::{Fetched, Written, needs_structure};
use super::found::part_of;
use super::listed::Listing;
use super::resync;
use super::state::{Expunges, Selected, Turn, ask};
use crate::imap::command::{FetchItem, FetchModifiers, Messages, Set, Tag};
use crate::imap::grammar::Coding;
use crate::imap::question::{Content, FlagChange, Identity, Message, Need, Question, Stored, Trouble};
use crate::imap::response::{Code, Out, Reply};
use mail::mime::{SectionKind, SummaryParts};
use mail::{Flags, SystemFlags};

/// Most messages in one slice, and the octets after which a slice of whole messages ends.
const SLICE_MESSAGES: usize = 128;
const SLICE_OCTETS: u64 = 256 * 1024;
/// Of a message of which only the header is asked, so much counts: most are short, and one may be nothing else.
const HEADER_SHARE: u64 = 64;
/// Longer messages are read as they are sent, where all that is asked of them is in one piece.
const LONG_OCTETS: u64 = 512 * 1024;

/// A FETCH on its way.
struct Fetching {
    state: Box<Selected>,
    ending: Ending,
    items: Vec<FetchItem>,
    need: Need,
    /// No item looks inside the messages.
    in_one_piece: bool,
    /// Reading leaves `\Seen` behind.
    sets_seen: bool,
    /// Indexes still to do.
    waiting: VecDeque<Range<usize>>,
    /// Messages in the slice that was asked last.
    asked: usize,
    /// It is one long message.
    long: bool,
    /// A message was gone when its content was asked for.
    missed: bool,
    /// A part in an encoding nobody knows was to be decoded.
    undecodable: bool,
}

pub fn fetch(
    mut state: Box<Selected>,
    tag: Tag,
    messages: Messages,
    mut items: Vec<FetchItem>,
    modifiers: FetchModifiers,
    out: &mut Out,
) -> Turn {
    let sets_seen = !state.view.is_read_only() && items.iter().any(marks_seen);
    if let Err(reply) = resync::told(&mut state, &mut items, &modifiers, sets_seen, out) {
        return state.done(&tag, &reply, Expunges::Held, out);
    }
    // RFC 9051 6.4.9: UID FETCH tells the UID, asked or not.
    if messages.uid && !items.contains(&FetchItem::Uid) && !state.shared.enabled.uid_only {
        items.insert(0, FetchItem::Uid);
    }
    state.with_news(tag, move |state, tag, out| match (&messages.set, modifiers.changed_since) {
        (Set::Numbers(set), Some(since)) if modifiers.vanished => {
            resync::vanished(state, set.clone(), since, move |state, trouble, out| match trouble {
                None => begin(state, tag, &messages, items, modifiers, out),
                Some(trouble) => state.done(&tag, &trouble.into(), Expunges::Told, out),
            })
        }
        _ => begin(state, tag, &messages, items, modifiers, out),
    })
}

/// The news are known, and what is gone was told.
fn begin(
    state: Box<Selected>,
    tag: Tag,
    messages: &Messages,
    items: Vec<FetchItem>,
    modifiers: FetchModifiers,
    out: &mut Out,
) -> Turn {
    let sets_seen = !state.view.is_read_only() && items.iter().any(marks_seen);
    let ranges = state.view.resolve(messages).map(|ranges| match modifiers.changed_since {
        Some(since) => state.view.changed_since(ranges, since),
        None => ranges,
    });
    let ranges = ranges.map(|ranges| match modifiers.partial {
        Some(window) => part_of(&state.view, ranges, window),
        None => ranges,
    });
    match ranges {
        Ok(ranges) => tell(state, Ending::Command { tag, by_uid: messages.uid }, (items, sets_seen), ranges, out),
        Err(reply) => state.done(&tag, &reply, Expunges::Held, out),
    }
}

/// Tells the items of the messages at these places. `sets_seen`: reading leaves `\Seen` behind.
pub fn tell(
    state: Box<Selected>,
    ending: Ending,
    (items, sets_seen): (Vec<FetchItem>, bool),
    places: Vec<Range<usize>>,
    out: &mut Out,
) -> Turn {
    let need = need(&items);
    if need.content == Content::None {
        return Listing::new(state, ending, items, need.summary, places).next(out);
    }
    let in_one_piece = !items.iter().any(looks_inside);
    Fetching {
        state,
        ending,
        items,
        need,
        in_one_piece,
        sets_seen,
        waiting: places.into(),
        asked: 0,
        long: false,
        missed: false,
        undecodable: false,
    }
    .next(out)
}

/// What the store must bring for these items.
fn need(items: &[FetchItem]) -> Need {
    let content = items.iter().map(|item| match item {
        FetchItem::Content(item) => match (&item.section.kind, item.section.part.as_slice()) {
            (SectionKind::Header | SectionKind::HeaderFields { .. }, []) => Content::Header,
            _ => Content::Whole,
        },
        FetchItem::Binary { .. } | FetchItem::BinarySize { .. } => Content::Whole,
        FetchItem::Flags
        | FetchItem::Uid
        | FetchItem::ModSeq
        | FetchItem::InternalDate
        | FetchItem::Size
        | FetchItem::Envelope
        | FetchItem::Body
        | FetchItem::BodyStructure
        | FetchItem::Preview
        | FetchItem::SaveDate
        | FetchItem::EmailId
        | FetchItem::ThreadId => Content::None,
    });
    let summary = items.iter().map(summary_part).fold(SummaryParts::NONE, SummaryParts::with);
    Need { summary, content: content.max().unwrap_or(Content::None) }
}

fn summary_part(item: &FetchItem) -> SummaryParts {
    match item {
        FetchItem::Envelope => SummaryParts::ENVELOPE,
        FetchItem::Body => SummaryParts::BODY,
        FetchItem::BodyStructure => SummaryParts::BODYSTRUCTURE,
        FetchItem::Preview => SummaryParts::PREVIEW,
        FetchItem::SaveDate
        | FetchItem::EmailId
        | FetchItem::ThreadId
        | FetchItem::Flags
        | FetchItem::Uid
        | FetchItem::ModSeq
        | FetchItem::InternalDate
        | FetchItem::Size
        | FetchItem::Content(_)
        | FetchItem::Binary { .. }
        | FetchItem::BinarySize { .. } => SummaryParts::NONE,
    }
}

/// Does it need more of a message than a range of its octets? BINARY decodes, also the message itself.
fn looks_inside(item: &FetchItem) -> bool {
    needs_structure(item) || matches!(item, FetchItem::Binary { .. } | FetchItem::BinarySize { .. })
}

/// Is it said by the identities of messages?
pub fn is_identity(item: &FetchItem) -> bool {
    matches!(item, FetchItem::SaveDate | FetchItem::EmailId | FetchItem::ThreadId)
}

fn marks_seen(item: &FetchItem) -> bool {
    match item {
        FetchItem::Content(item) => !item.peek,
        FetchItem::Binary { peek, .. } => !peek,
        FetchItem::Flags
        | FetchItem::Uid
        | FetchItem::ModSeq
        | FetchItem::InternalDate
        | FetchItem::Size
        | FetchItem::Envelope
        | FetchItem::Body
        | FetchItem::BodyStructure
        | FetchItem::Preview
        | FetchItem::SaveDate
        | FetchItem::EmailId
        | FetchItem::ThreadId
        | FetchItem::BinarySize { .. } => false,
    }
}

/// Messages the store brought, and the one on its way out.
struct Slice {
    waiting: std::vec::IntoIter<Message>,
    /// Of the same messages, when an item asks for them.
    identities: Vec<Identity>,
    /// UIDs whose flags changed by reading, ascending.
    marked: Vec<u32>,
    /// The one message of the slice is long.
    long: bool,
    now: Option<Fetched>,
}

impl Slice {
    fn new(messages: Vec<Message>, identities: Vec<Identity>, marked: Vec<u32>, long: bool) -> Slice {
        Slice { waiting: messages.into_iter(), identities, marked, long, now: None }
    }
}

impl Fetching {
    fn next(mut self, out: &mut Out) -> Turn {
        if out.is_full() {
            return Turn::More(Box::new(move |out| self.next(out)));
        }
        let uids = self.slice();
        if uids.is_empty() {
            return self.finish(out);
        }
        self.asked = uids.len();
        let need = self.need;
        match uids.as_slice() {
            [uid] if self.long => self.find_long(*uid),
            _ => self.ask_slice(uids, need),
        }
    }

    /// A long message that is gone is left out before anything is said of it.
    fn find_long(mut self, uid: u32) -> Turn {
        let question = Question::Octets { mailbox: self.state.view.mailbox(), uid, from: 0, count: 1 };
        ask(question, move |answer, out| match answer.octets() {
            Ok(_) if self.need.summary == SummaryParts::NONE => {
                self.identify(vec![Message { uid, summary: None, content: Vec::new() }], out)
            }
            Ok(_) => {
                let need = Need { content: Content::None, ..self.need };
                self.ask_slice(vec![uid], need)
            }
            Err(Trouble::Expunged) => {
                self.missed = true;
                self.next(out)
            }
            Err(trouble) => self.end(&trouble.into(), out),
        })
    }

    fn ask_slice(self, uids: Vec<u32>, need: Need) -> Turn {
        let question = Question::Fetch { mailbox: self.state.view.mailbox(), uids, need };
        ask(question, move |answer, out| match answer.messages() {
            Ok(messages) => self.identify(messages, out),
            Err(trouble) => self.end(&trouble.into(), out),
        })
    }

    /// The next place, left where it is.
    fn peek(&mut self) -> Option<usize> {
        while self.waiting.front().is_some_and(|range| range.is_empty()) {
            self.waiting.pop_front();
        }
        self.waiting.front().map(|range| range.start)
    }

    /// The UIDs of the next slice. A long message is one of its own.
    fn slice(&mut self) -> Vec<u32> {
        let mut uids = Vec::new();
        let mut octets = 0;
        self.long = false;
        while uids.len() < SLICE_MESSAGES && octets < SLICE_OCTETS {
            let Some(index) = self.peek() else { break };
            let row = self.state.view.rows().get(index).filter(|row| !self.state.view.is_gone(row.uid));
            let found = row.map(|row| (row.uid, row.size_octets));
            let is_long = self.in_one_piece && found.is_some_and(|(_, size)| size > LONG_OCTETS);
            if is_long && !uids.is_empty() {
                break;
            }
            if let Some(range) = self.waiting.front_mut() {
                range.start += 1;
            }
            let Some((uid, size_octets)) = found else { continue };
            uids.push(uid);
            if is_long {
                self.long = true;
                break;
            }
            octets += match self.need.content {
                Content::None => 0,
                Content::Header => size_octets / HEADER_SHARE,
                Content::Whole => size_octets,
            };
        }
        uids
    }

    /// Asks for the identities, if an item wants them.
    fn identify(mut self, mut messages: Vec<Message>, out: &mut Out) -> Turn {
        self.missed |= messages.len() < self.asked;
        if messages.is_empty() || !self.items.iter().any(is_identity) {
            return self.mark_seen(messages, Vec::new(), out);
        }
        let uids = messages.iter().map(|message| message.uid).collect();
        let question = Question::Identities { mailbox: self.state.view.mailbox(), uids };
        ask(question, move |answer, out| match answer.identities() {
            Ok(identities) => {
                let found = messages.len();
                messages.retain(|message| identities.binary_search_by_key(&message.uid, |each| each.uid).is_ok());
                // Others went away between the two questions.
                self.missed |= messages.len() < found;
                self.mark_seen(messages, identities, out)
            }
            Err(trouble) => self.end(&trouble.into(), out),
        })
    }

    /// RFC 9051 6.4.5: BODY[…] without PEEK sets `\Seen`, and the response tells the new flags.
    fn mark_seen(mut self, messages: Vec<Message>, identities: Vec<Identity>, out: &mut Out) -> Turn {
        let view = &self.state.view;
        let unseen = |message: &&Message| {
            let row = view.index_of(message.uid).and_then(|index| view.rows().get(index));
            row.is_some_and(|row| !row.flags.system.contains(SystemFlags::SEEN))
        };
        let uids: Vec<u32> = match self.sets_seen {
            true => messages.iter().filter(unseen).map(|message| message.uid).collect(),
            false => Vec::new(),
        };
        if uids.is_empty() {
            let slice = Slice::new(messages, identities, Vec::new(), self.long);
            return self.write_slice(slice, out);
        }
        let question = Question::Store {
            mailbox: view.mailbox(),
            uids,
            change: FlagChange::Add,
            flags: Flags::system(SystemFlags::SEEN),
            unchanged_since: None,
        };
        ask(question, move |answer, out| match answer.stored() {
            Ok(Stored { flagged, .. }) => {
                self.state.view.replace(&flagged, out);
                let mut marked: Vec<u32> = flagged.iter().map(|message| message.uid).collect();
                marked.sort_unstable();
                let slice = Slice::new(messages, identities, marked, self.long);
                self.write_slice(slice, out)
            }
            // RFC 4314 4: without the right for it reading leaves `\Seen` alone.
            Err(Trouble::NoPermission) => {
                let slice = Slice::new(messages, identities, Vec::new(), self.long);
                self.write_slice(slice, out)
            }
            Err(trouble) => self.end(&trouble.into(), out),
        })
    }

    /// Item by item: what is written is sent before more is made.
    fn write_slice(mut self, mut slice: Slice, out: &mut Out) -> Turn {
        loop {
            if out.is_full() {
                return Turn::More(Box::new(move |out| self.write_slice(slice, out)));
            }
            if let Some(now) = &mut slice.now {
                let Some(row) = self.state.view.rows().get(now.index()) else { return self.next(out) };
                let identity = slice.identities.binary_search_by_key(&row.uid, |each| each.uid).ok();
                let identity = identity.and_then(|at| slice.identities.get(at));
                let utf8 = self.state.shared.coding() == Coding::Utf8;
                match now.write(&self.items, (&row, identity, utf8), out) {
                    Written::Some => (),
                    Written::Whole => {
                        self.undecodable |= now.is_undecodable();
                        slice.now = None;
                    }
                    Written::Wants(place) => {
                        let uid = row.uid;
                        return self.write_place(slice, uid, place);
                    }
                }
                continue;
            }
            let Some(message) = slice.waiting.next() else { return self.next(out) };
            let marked = slice.marked.binary_search(&message.uid).is_ok();
            let index = self.state.view.index_of(message.uid);
            slice.now = index.map(|index| {
                out.fetch_begins(index, message.uid, self.state.shared.enabled.uid_only);
                Fetched::new(index, Some(message), (marked, slice.long), &self.items)
            });
        }
    }

    /// Brings the next octets of a long message.
    fn write_place(self, mut slice: Slice, uid: u32, place: Range<usize>) -> Turn {
        let (from, count) = (place.start as u64, place.len());
        let question = Question::Octets { mailbox: self.state.view.mailbox(), uid, from, count };
        ask(question, move |answer, out| match (answer.octets(), &mut slice.now) {
            (Ok(octets), Some(now)) if octets.len() == count => {
                now.write_place(&octets, out);
                self.write_slice(slice, out)
            }
            // So many octets were announced that anything else that is said now would be taken for the message.
            _ => Turn::Close,
        })
    }

    fn finish(self, out: &mut Out) -> Turn {
        let reply = match self.undecodable {
            true => Reply::no(Code::UnknownCte, "a part has an encoding that is not known"),
            false => self.ending.reply(self.missed),
        };
        self.end(&reply, out)
    }

    fn end(self, reply: &Reply, out: &mut Out) -> Turn {
        self.ending.end(self.state, reply, out)
    }
}

#[cfg(test)]
mod tests {
    use crate::imap::response::{OUT_OCTETS, SLICE_OCTETS};
    use crate::imap::session::tests::Client;

    const NOTE: &str = "From: A <a@b.example>\nSubject: s\n\nhello\n";

    #[test]
    fn what_the_view_knows_costs_no_question() {
        let mut client = Client::with_inbox(&[NOTE, NOTE]);
        client.asked.clear();
        client.check(
            "a FETCH 1:* FAST",
            "* 1 FETCH (FLAGS () INTERNALDATE \" 1-Jan-2021 00:00:00 +0000\" RFC822.SIZE 44)\n\
             * 2 FETCH (FLAGS () INTERNALDATE \" 1-Jan-2021 00:00:00 +0000\" RFC822.SIZE 44)\na OK FETCH done\n",
        );
        assert_eq!(client.asked, ["Refresh"]);
        client.check("a UID FETCH 2:* FLAGS", "* 2 FETCH (UID 2 FLAGS ())\na OK FETCH done\n");
        client.check("a UID FETCH 9:* (UID)", "* 2 FETCH (UID 2)\na OK FETCH done\n");
        client.check("a UID FETCH 7:8 FLAGS", "a OK FETCH done\n");
        client.check("a FETCH 3 FLAGS", "a BAD there is no message with that number\n");
    }

    #[test]
    fn renderings_are_sent_as_they_were_stored() {
        let mut client = Client::with_inbox(&[NOTE]);
        let from = "((\"A\" NIL \"a\" \"b.example\"))";
        client.check(
            "a FETCH 1 ENVELOPE",
            &format!("* 1 FETCH (ENVELOPE (NIL \"s\" {from} {from} {from} NIL NIL NIL NIL NIL))\na OK FETCH done\n"),
        );
        let plain = "\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 7 1";
        client.check(
            "a FETCH 1 (BODY BODYSTRUCTURE)",
            &format!("* 1 FETCH (BODY ({plain}) BODYSTRUCTURE ({plain} NIL NIL NIL NIL))\na OK FETCH done\n"),
        );
    }

    #[test]
    fn reading_marks_seen_unless_peeking() {
        let mut client = Client::with_inbox(&[NOTE]);
        client.check("a FETCH 1 BODY.PEEK[TEXT]", "* 1 FETCH (BODY[TEXT] {7}\nhello\n)\na OK FETCH done\n");
        client.check(
            "a FETCH 1 RFC822.HEADER",
            "* 1 FETCH (RFC822.HEADER {37}\nFrom: A <a@b.example>\nSubject: s\n\n)\na OK FETCH done\n",
        );
        client.check("a FETCH 1 BODY[1]<2.3>", "* 1 FETCH (BODY[1]<2> {3}\nllo FLAGS (\\Seen))\na OK FETCH done\n");
        client.check("a FETCH 1 BODY[1]", "* 1 FETCH (BODY[1] {7}\nhello\n)\na OK FETCH done\n");
        client.check("a NOOP", "a OK NOOP done\n");
    }

    #[test]
    fn headers_are_asked_without_the_rest() {
        let mut client = Client::with_inbox(&[NOTE]);
        client.check(
            "a FETCH 1 (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])",
            "* 1 FETCH (UID 1 BODY[HEADER.FIELDS (SUBJECT)] {14}\nSubject: s\n\n)\na OK FETCH done\n",
        );
    }

    #[test]
    fn a_large_fetch_is_asked_in_slices() {
        let mut client = Client::with_inbox(&[NOTE; 300]);
        client.asked.clear();
        let said = client.say("a FETCH 1:* (UID BODY.PEEK[])");
        assert_eq!(said.matches(" FETCH (UID ").count(), 300);
        assert_eq!(client.asked, ["Refresh", "Fetch", "Fetch", "Fetch"]);
        let mut client = Client::with_inbox(&[format!("{NOTE}{}", "x".repeat(200_000)).as_str(); 5]);
        client.asked.clear();
        client.say("a FETCH 1:* BODY.PEEK[]");
        assert_eq!(client.asked, ["Refresh", "Fetch", "Fetch", "Fetch"]);
    }

    #[test]
    fn a_long_message_is_read_as_it_is_sent() {
        let long = format!("{NOTE}{}", "0123456789abcde\n".repeat(60_000));
        let mut client = Client::with_inbox(&[NOTE, &long, NOTE]);
        let size = long.replace('\n', "\r\n").len();
        client.asked.clear();
        let said = client.say("a UID FETCH 1:* (FLAGS BODY[] BODY.PEEK[]<1000000.40> EMAILID)");
        assert!(
            said.contains(&format!(" BODY[] {{{size}}}\n{long} BODY[]<1000000> {{{}}}\n", 40.min(size - 1_000_000)))
        );
        assert_eq!(said.matches("\n* ").count(), 2);
        assert!(said.ends_with("a OK FETCH done\n"), "{}", &said[said.len() - 100..]);
        assert_eq!(client.asked.iter().filter(|kind| *kind == "Octets").count(), 1 + size.div_ceil(SLICE_OCTETS) + 1);
        assert!(client.largest_send <= OUT_OCTETS + SLICE_OCTETS + 1_024, "{}", client.largest_send);
        // With an item that looks inside it is read whole.
        client.asked.clear();
        client.say("a FETCH 2 (BODY.PEEK[] BODY.PEEK[HEADER])");
        assert!(!client.asked.contains(&"Octets".to_owned()), "{:?}", client.asked);
    }

    #[test]
    fn a_long_message_that_is_gone_is_left_out() {
        let long = format!("{NOTE}{}", "0123456789abcde\n".repeat(60_000));
        let mut client = Client::with_inbox(&[NOTE, &long]);
        client.say("a FETCH 1:* FLAGS");
        client.store.borrow_mut().lose("INBOX", 2);
        let said = client.say("a FETCH 1:2 (BODY.PEEK[] ENVELOPE)");
        assert!(said.starts_with("* 1 FETCH") && !said.contains("* 2 FETCH"), "{said}");
        assert!(said.ends_with("a NO [EXPUNGEISSUED] some of the messages are gone\n"), "{said}");
    }

    #[test]
    fn many_items_of_a_large_message_are_sent_in_small_steps() {
        let message = format!("{NOTE}{}", "x".repeat(2_000_000));
        let mut client = Client::with_inbox(&[&message, NOTE]);
        let size = message.replace('\n', "\r\n").len();
        let items: Vec<String> = (0..30).map(|origin| format!("BODY.PEEK[]<{origin}.9000000>")).collect();
        client.largest_send = 0;
        let said = client.say(&format!("a FETCH 1:2 ({} BINARY.PEEK[1])", items.join(" ")));
        assert!(client.largest_send <= OUT_OCTETS + SLICE_OCTETS + 64 * 1024, "{}", client.largest_send);
        for origin in 0..30 {
            assert!(said.contains(&format!("BODY[]<{origin}> {{{}}}\n", size - origin)), "{origin}");
        }
        assert!(said.len() > 31 * 2_000_000 && said.ends_with(" {7}\nhello\n)\na OK FETCH done\n"));
    }

    #[test]
    fn work_on_a_large_message_ends_a_step_though_little_is_said() {
        let mut client = Client::with_inbox(&[&format!("{NOTE}{}", "x".repeat(400_000))]);
        client.sends = 0;
        client.say("a FETCH 1 (BODY.PEEK[1]<0.1> BODY.PEEK[1]<1.1> BODY.PEEK[1]<2.1> BODY.PEEK[1]<3.1>)");
        assert!(client.sends >= 4, "{}", client.sends);
    }

    #[test]
    fn a_part_in_an_unknown_encoding_is_not_decoded() {
        let mut client = Client::with_inbox(&["Content-Transfer-Encoding: x-uuencode\n\nabc\n"]);
        let said = client.say("a FETCH 1 BINARY.PEEK[1]");
        assert!(said.ends_with("a NO [UNKNOWN-CTE] a part has an encoding that is not known\n"), "{said}");
    }
}
