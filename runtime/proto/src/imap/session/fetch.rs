//! FETCH and UID FETCH (RFC 9051 6.4.5).
//!
//! What rows and renderings say is told message by message (`listed`). Content is asked in slices small enough to hold, written,
//! and sent before the next slice is asked: a client that does not read stops its own FETCH and nothing else.

use std::collections::VecDeque;
use std::ops::Range;

use super::fetched::Fetched;
use super::found::part_of;
use super::listed::Listing;
use super::resync;
use super::state::{Expunges, Selected, Turn, ask};
use crate::imap::command::{FetchItem, FetchModifiers, Messages, Set, Tag};
use crate::imap::grammar::Coding;
use crate::imap::question::{Content, FlagChange, Identity, Message, Need, Question, Stored};
use crate::imap::response::{Code, Out, Reply};
use mail::mime::{SectionKind, SummaryParts};
use mail::{Flags, SystemFlags};

/// Most messages in one slice, and the octets after which a slice of whole messages ends.
const SLICE_MESSAGES: usize = 128;
const SLICE_OCTETS: u64 = 256 * 1024;
/// Of a message of which only the header is asked, so much counts: most are short, and one may be nothing else.
const HEADER_SHARE: u64 = 64;

/// A FETCH on its way.
struct Fetching {
    state: Box<Selected>,
    tag: Tag,
    by_uid: bool,
    items: Vec<FetchItem>,
    need: Need,
    /// Reading leaves `\Seen` behind.
    sets_seen: bool,
    /// Indexes still to do.
    waiting: VecDeque<Range<usize>>,
    /// Messages in the slice that was asked last.
    asked: usize,
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
    let need = need(&items);
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
        Ok(ranges) if need.content == Content::None => {
            Listing::new(state, tag, messages.uid, items, need.summary, ranges).next(out)
        }
        Ok(ranges) => {
            let waiting = ranges.into();
            Fetching {
                state,
                tag,
                by_uid: messages.uid,
                items,
                need,
                sets_seen,
                waiting,
                asked: 0,
                missed: false,
                undecodable: false,
            }
            .next(out)
        }
        Err(reply) => state.done(&tag, &reply, Expunges::Held, out),
    }
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
    now: Option<Fetched>,
}

impl Slice {
    fn new(messages: Vec<Message>, identities: Vec<Identity>, marked: Vec<u32>) -> Slice {
        Slice { waiting: messages.into_iter(), identities, marked, now: None }
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
        let question = Question::Fetch { mailbox: self.state.view.mailbox(), uids, need: self.need };
        ask(question, move |answer, out| match answer.messages() {
            Ok(messages) => self.identify(messages, out),
            Err(trouble) => self.end(&trouble.into(), out),
        })
    }

    fn next_index(&mut self) -> Option<usize> {
        let range = self.waiting.front_mut()?;
        let index = range.next();
        if range.start >= range.end {
            self.waiting.pop_front();
        }
        index
    }

    /// The UIDs of the next slice.
    fn slice(&mut self) -> Vec<u32> {
        let mut uids = Vec::new();
        let mut octets = 0;
        while uids.len() < SLICE_MESSAGES && octets < SLICE_OCTETS {
            let Some(index) = self.next_index() else { break };
            let Some(row) = self.state.view.rows().get(index) else { continue };
            if self.state.view.is_gone(row.uid) {
                continue;
            }
            uids.push(row.uid);
            octets += match self.need.content {
                Content::None => 0,
                Content::Header => row.size_octets / HEADER_SHARE,
                Content::Whole => row.size_octets,
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
            return self.write_slice(Slice::new(messages, identities, Vec::new()), out);
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
                self.write_slice(Slice::new(messages, identities, marked), out)
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
                if now.write(&self.items, (&row, identity, utf8), out) {
                    self.undecodable |= now.is_undecodable();
                    slice.now = None;
                }
                continue;
            }
            let Some(message) = slice.waiting.next() else { return self.next(out) };
            let marked = slice.marked.binary_search(&message.uid).is_ok();
            let index = self.state.view.index_of(message.uid);
            slice.now = index.map(|index| {
                out.fetch_begins(index, message.uid, self.state.shared.enabled.uid_only);
                Fetched::new(index, Some(message), marked, &self.items)
            });
        }
    }

    /// A message that another session expunged meanwhile: UID FETCH ignores it, FETCH says why something is missing
    /// (RFC 5530 EXPUNGEISSUED).
    fn finish(self, out: &mut Out) -> Turn {
        let reply = if self.undecodable {
            Reply::no(Code::UnknownCte, "a part has an encoding that is not known")
        } else if self.missed && !self.by_uid {
            Reply::no(Code::ExpungeIssued, "some of the messages are gone")
        } else {
            Reply::ok("FETCH done")
        };
        self.end(&reply, out)
    }

    fn end(self, reply: &Reply, out: &mut Out) -> Turn {
        let expunges = if self.by_uid { Expunges::Told } else { Expunges::Held };
        self.state.done(&self.tag, reply, expunges, out)
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
