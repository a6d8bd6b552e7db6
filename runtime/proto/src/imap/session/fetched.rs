//! A message of a FETCH on its way out, item by item.
//!
//! INVARIANT (bounded): one call of `write` makes one item, or one slice of its literal, however many items were asked.

use std::ops::Range;

use crate::imap::command::FetchItem;
use crate::imap::question::{Identity, Message};
use crate::imap::response::{Facts, Out, Tail, attribute, is_decodable};
use mail::index::Entry;
use mail::mime::{SectionKind, Structure};

/// An item of a longer message is work enough for one step, though it may say little.
const STEP_OCTETS: usize = 256 * 1024;

/// What writing came to.
pub enum Written {
    Some,
    /// The response is whole.
    Whole,
    /// These octets of the message come next.
    Wants(Range<usize>),
}

pub struct Fetched {
    index: usize,
    /// The octets of the message are not in it.
    long: bool,
    message: Option<Message>,
    /// There when an item looks inside.
    structure: Option<Structure>,
    /// The flags are told, asked or not.
    tells_flags: bool,
    /// Items written.
    done: usize,
    /// What is left of the last of them.
    tail: Option<Tail>,
    undecodable: bool,
}

impl Fetched {
    /// Goes on behind `Out::fetch_begins`. `message` is there when an item needs it; of a `long` one the octets are brought to
    /// `write_place`.
    pub fn new(
        index: usize,
        message: Option<Message>,
        (flags_changed, long): (bool, bool),
        items: &[FetchItem],
    ) -> Fetched {
        let looked_into = message.as_ref().filter(|_| !long && items.iter().any(needs_structure));
        let structure = looked_into.map(|message| Structure::parse(&message.content));
        let tells_flags = flags_changed && !items.contains(&FetchItem::Flags);
        Fetched { index, long, message, structure, tells_flags, done: 0, tail: None, undecodable: false }
    }

    /// Where the view has the message.
    pub fn index(&self) -> usize {
        self.index
    }

    /// A part in an encoding nobody knows was to be decoded.
    pub fn is_undecodable(&self) -> bool {
        self.undecodable
    }

    /// Goes on. Besides the row it takes the identity, where an item asks for it, and whether strings may be UTF-8.
    pub fn write(
        &mut self,
        items: &[FetchItem],
        (row, identity, utf8): (&Entry<'_>, Option<&Identity>, bool),
        out: &mut Out,
    ) -> Written {
        let content = self.message.as_ref().map(|message| message.content.as_slice()).unwrap_or_default();
        if let Some(tail) = self.tail.take() {
            if let Some(place) = tail.next_place().filter(|_| self.long) {
                self.tail = Some(tail);
                return Written::Wants(place);
            }
            self.tail = tail.write(content, out);
            return Written::Some;
        }
        let Some(item) = items.get(self.done) else {
            if self.tells_flags {
                out.text(" ");
                out.flags(row.flags);
            }
            out.text(")");
            out.end_line();
            return Written::Whole;
        };
        if self.done > 0 {
            out.text(" ");
        }
        self.done += 1;
        let facts = Facts {
            row,
            message: self.message.as_ref(),
            structure: self.structure.as_ref(),
            identity,
            long: self.long,
            utf8,
        };
        self.tail = attribute(out, item, &facts);
        if let FetchItem::Binary { part, .. } | FetchItem::BinarySize { part } = item {
            self.undecodable |= !is_decodable(self.structure.as_ref(), part);
        }
        if content.len() > STEP_OCTETS {
            out.send_soon();
        }
        Written::Some
    }

    /// The octets that were wanted.
    pub fn write_place(&mut self, octets: &[u8], out: &mut Out) {
        self.tail = self.tail.take().and_then(|tail| tail.write_place(octets, out));
    }
}

/// Does an item look inside the MIME structure?
pub fn needs_structure(item: &FetchItem) -> bool {
    match item {
        FetchItem::Content(item) => !(item.section.part.is_empty() && item.section.kind == SectionKind::All),
        FetchItem::Binary { part, .. } | FetchItem::BinarySize { part } => !part.is_empty(),
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
        | FetchItem::ThreadId => false,
    }
}
