//! FETCH responses (RFC 9051 7.5.2).

use std::borrow::Cow;
use std::collections::VecDeque;
use std::ops::Range;

use super::identity::identity;
use super::{Out, SLICE_OCTETS};
use crate::imap::command::{ContentItem, FetchItem, Partial, Section, Spelling};
use crate::imap::question::{Identity, Message};
use mail::index::Entry;
use mail::mime::{SectionKind, Structure, transfer};

/// The octets of a literal that was announced, and how far they are sent. A message is large: it is not copied whole.
#[derive(Debug)]
pub enum Tail {
    /// Places in the message.
    Places(VecDeque<Range<usize>>),
    /// Decoded octets, and how many of them are sent.
    Decoded(Vec<u8>, usize),
}

impl Tail {
    fn is_done(&self) -> bool {
        match self {
            Tail::Places(places) => places.is_empty(),
            Tail::Decoded(octets, sent) => *sent >= octets.len(),
        }
    }

    /// Where the next slice is, of a message that is not there.
    pub fn next_place(&self) -> Option<Range<usize>> {
        match self {
            Tail::Places(places) => places.front().map(|place| place.start..place.end.min(place.start + SLICE_OCTETS)),
            Tail::Decoded(..) => None,
        }
    }

    /// Writes that slice; what then is left.
    pub fn write_place(mut self, octets: &[u8], out: &mut Out) -> Option<Tail> {
        out.raw(octets);
        if let Tail::Places(places) = &mut self
            && let Some(place) = places.front_mut()
        {
            place.start += octets.len();
            if place.start >= place.end {
                places.pop_front();
            }
        }
        (!self.is_done()).then_some(self)
    }

    /// Writes the next slice; what then is left.
    pub fn write(mut self, content: &[u8], out: &mut Out) -> Option<Tail> {
        let mut room = SLICE_OCTETS;
        match &mut self {
            Tail::Places(places) => {
                while let Some(place) = places.front_mut().filter(|_| room > 0) {
                    let count = place.len().min(room);
                    out.raw(&content[place.start..place.start + count]);
                    room -= count;
                    place.start += count;
                    if place.start >= place.end {
                        places.pop_front();
                    }
                }
            }
            Tail::Decoded(octets, sent) => {
                let count = (octets.len() - *sent).min(room);
                out.raw(&octets[*sent..*sent + count]);
                *sent += count;
            }
        }
        (!self.is_done()).then_some(self)
    }
}

/// What is known of a message; the parts its items need are there.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    pub row: &'a Entry<'a>,
    pub message: Option<&'a Message>,
    pub structure: Option<&'a Structure>,
    pub identity: Option<&'a Identity>,
    /// The octets of the message are not there: they are fetched as they are sent.
    pub long: bool,
    /// Quoted strings may hold UTF-8 (RFC 6855 3).
    pub utf8: bool,
}

/// Writes one data item of a message, name and value, but for the octets of a literal, which are returned.
pub fn attribute(out: &mut Out, item: &FetchItem, facts: &Facts<'_>) -> Option<Tail> {
    let Facts { row, message, structure, .. } = *facts;
    let summary = message.and_then(|message| message.summary.as_ref());
    let content = message.map(|message| message.content.as_slice()).unwrap_or_default();
    match item {
        FetchItem::Flags => out.flags(row.flags),
        FetchItem::Uid => {
            out.text("UID ");
            out.number(row.uid);
        }
        FetchItem::ModSeq => {
            out.text("MODSEQ (");
            out.number(row.mod_seq);
            out.text(")");
        }
        FetchItem::InternalDate => {
            out.text(&format!("INTERNALDATE \"{}\"", row.internal_date.to_imap()));
        }
        FetchItem::Size => {
            out.text("RFC822.SIZE ");
            out.number(row.size_octets);
        }
        FetchItem::Envelope => rendered(out, "ENVELOPE ", summary.map(|summary| summary.envelope.as_slice())),
        FetchItem::Body => rendered(out, "BODY ", summary.map(|summary| summary.body.as_slice())),
        FetchItem::BodyStructure => {
            rendered(out, "BODYSTRUCTURE ", summary.map(|summary| summary.body_structure.as_slice()));
        }
        FetchItem::Preview => {
            out.text("PREVIEW ");
            out.string_in(summary.map_or("", |summary| &summary.preview).as_bytes(), facts.utf8);
        }
        FetchItem::SaveDate | FetchItem::EmailId | FetchItem::ThreadId => {
            if let Some(found) = facts.identity {
                identity(out, item, found);
            }
        }
        FetchItem::Content(item) => {
            let size = if facts.long { clamp(row.size_octets) } else { content.len() };
            return section(out, item, content, size, structure);
        }
        FetchItem::Binary { part, partial, .. } => {
            out.text(&format!("BINARY[{}]{} ", part_label(part), origin_label(*partial)));
            match decoded(content, structure, part) {
                Some(octets) => return Some(binary(out, cut(&octets, *partial))),
                None => out.text("NIL"),
            }
        }
        FetchItem::BinarySize { part } => {
            let size = decoded(content, structure, part).map_or(0, |octets| octets.len());
            out.text(&format!("BINARY.SIZE[{}] {size}", part_label(part)));
        }
    }
    None
}

fn rendered(out: &mut Out, name: &str, value: Option<&[u8]>) {
    out.text(name);
    out.raw(value.unwrap_or(b"NIL"));
}

/// `"BODY" section ["<" number64 ">"] SP nstring`. A section the message does not have is NIL.
fn section(out: &mut Out, item: &ContentItem, raw: &[u8], size: usize, structure: Option<&Structure>) -> Option<Tail> {
    out.text(&content_label(item));
    out.text(" ");
    let Some((places, size_octets)) = places(raw, size, structure, &item.section, item.partial) else {
        out.text("NIL");
        return None;
    };
    out.literal_begins(size_octets);
    Some(Tail::Places(places))
}

/// Where the octets of a section are, and how many; `size` is that of the message, which need not be there for all of it.
/// `None` when the message has no such section.
pub fn places(
    raw: &[u8],
    size: usize,
    structure: Option<&Structure>,
    section: &Section,
    partial: Option<Partial>,
) -> Option<(VecDeque<Range<usize>>, usize)> {
    let ranges = match (&section.kind, section.part.as_slice(), structure) {
        (SectionKind::All, [], _) => Some(std::iter::once(0..size).collect()),
        (kind, part, Some(structure)) => structure.section(raw, part, kind),
        (_, _, None) => None,
    };
    let (mut skip, mut left) = match partial {
        Some(partial) => (clamp(partial.origin), clamp(partial.length)),
        None => (0, usize::MAX),
    };
    let mut places = VecDeque::new();
    let mut size_octets = 0;
    for range in ranges? {
        let from = skip.min(range.len());
        let count = left.min(range.len() - from);
        skip -= from;
        left -= count;
        size_octets += count;
        if count > 0 {
            places.push_back(range.start + from..range.start + from + count);
        }
    }
    Some((places, size_octets))
}

/// Can the part be decoded? RFC 9051 6.4.5 wants NO [UNKNOWN-CTE] when not.
pub fn is_decodable(structure: Option<&Structure>, part: &[u32]) -> bool {
    let known = [&b"7bit"[..], b"8bit", b"binary", b"base64", b"quoted-printable"];
    let encoding = structure.and_then(|structure| structure.part(part)).map(|part| &part.content.transfer_encoding);
    encoding.is_none_or(|encoding| known.iter().any(|each| encoding.eq_ignore_ascii_case(each)))
}

/// The decoded octets of a part (RFC 3516 4.2); of multiparts and messages, and of the message itself, as they are.
fn decoded<'a>(raw: &'a [u8], structure: Option<&Structure>, part: &[u32]) -> Option<Cow<'a, [u8]>> {
    if part.is_empty() {
        return Some(Cow::Borrowed(raw));
    }
    let part = structure?.part(part)?;
    let body = &raw[part.body.clone()];
    match part.children().is_empty() {
        true => Some(transfer::decode(&part.content.transfer_encoding, body)),
        false => Some(Cow::Borrowed(body)),
    }
}

/// `literal8` when there is a NUL, which no other string may hold.
fn binary(out: &mut Out, octets: &[u8]) -> Tail {
    if octets.contains(&0) {
        out.text("~");
    }
    out.literal_begins(octets.len());
    Tail::Decoded(octets.to_vec(), 0)
}

fn cut(octets: &[u8], partial: Option<Partial>) -> &[u8] {
    let Some(partial) = partial else { return octets };
    let from = clamp(partial.origin).min(octets.len());
    &octets[from..from.saturating_add(clamp(partial.length)).min(octets.len())]
}

fn clamp(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The name of the item as the client wrote it, partial origin included.
fn content_label(item: &ContentItem) -> String {
    let section = match item.spelling {
        Spelling::Rfc822 => return "RFC822".to_owned(),
        Spelling::Rfc822Header => return "RFC822.HEADER".to_owned(),
        Spelling::Rfc822Text => return "RFC822.TEXT".to_owned(),
        Spelling::Body => &item.section,
    };
    let dot = if section.part.is_empty() { "" } else { "." };
    let text = match &section.kind {
        SectionKind::All => String::new(),
        SectionKind::Header => format!("{dot}HEADER"),
        SectionKind::Text => format!("{dot}TEXT"),
        SectionKind::Mime => format!("{dot}MIME"),
        SectionKind::HeaderFields { names, not } => {
            let not = if *not { ".NOT" } else { "" };
            let names: Vec<Cow<'_, str>> = names.iter().map(|name| astring(name)).collect();
            format!("{dot}HEADER.FIELDS{not} ({})", names.join(" "))
        }
    };
    format!("BODY[{}{text}]{}", part_label(&section.part), origin_label(item.partial))
}

/// A field name; the grammar let only printable ASCII through.
fn astring(name: &str) -> Cow<'_, str> {
    match name.bytes().any(|octet| b"(){%*\"\\]".contains(&octet)) {
        true => Cow::Owned(format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))),
        false => Cow::Borrowed(name),
    }
}

fn part_label(part: &[u32]) -> String {
    let numbers: Vec<String> = part.iter().map(u32::to_string).collect();
    numbers.join(".")
}

fn origin_label(partial: Option<Partial>) -> String {
    partial.map(|partial| format!("<{}>", partial.origin)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::grammar::fetch_items;
    use mail::date::DateTime;

    const RAW: &[u8] = b"From: a@b\r\nSubject: s\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n\
        --x\r\nContent-Transfer-Encoding: base64\r\n\r\nAGE=\r\n--x--\r\n";

    fn check(items: &str, expected: &str) {
        let internal_date = DateTime { unix_seconds: 837_596_665, offset_minutes: -420 };
        let flags = mail::Flags::default();
        let row = Entry { uid: 7, mod_seq: 1, flags: &flags, size_octets: 100, internal_date };
        let message = Message { uid: 7, summary: None, content: RAW.to_vec() };
        let structure = Structure::parse(RAW);
        let facts = Facts {
            row: &row,
            message: Some(&message),
            structure: Some(&structure),
            identity: None,
            long: false,
            utf8: false,
        };
        let mut line = items.as_bytes().to_vec();
        line.extend_from_slice(b"\r\n");
        let items = fetch_items(&line);
        assert_eq!(items.len(), 1);
        let mut out = Out::default();
        let mut tail = attribute(&mut out, &items[0], &facts);
        while let Some(rest) = tail {
            tail = rest.write(RAW, &mut out);
        }
        assert_eq!(String::from_utf8(out.take()).unwrap(), expected);
    }

    #[test]
    fn sections_are_literals_under_the_name_the_client_used() {
        check("BODY.PEEK[HEADER.FIELDS (subject \"X\")]", "BODY[HEADER.FIELDS (subject X)] {14}\r\nSubject: s\r\n\r\n");
        check("body[1]", "BODY[1] {4}\r\nAGE=");
        check("BODY[1.MIME]", "BODY[1.MIME] {37}\r\nContent-Transfer-Encoding: base64\r\n\r\n");
        check("BODY[2]", "BODY[2] NIL");
        check(
            "BODY[HEADER.FIELDS.NOT (content-type)]<6.9>",
            "BODY[HEADER.FIELDS.NOT (content-type)]<6> {9}\r\na@b\r\nSubj",
        );
        check("RFC822.HEADER", &format!("RFC822.HEADER {{68}}\r\n{}", std::str::from_utf8(&RAW[..68]).unwrap()));
        check("BODY[]<4.2>", "BODY[]<4> {2}\r\n: ");
        check("BODY[]<400.2>", "BODY[]<400> {0}\r\n");
    }

    #[test]
    fn binary_is_decoded_and_nul_makes_a_literal8() {
        check("BINARY[1]", "BINARY[1] ~{2}\r\n\0a");
        check("BINARY.PEEK[1]<1.5>", "BINARY[1]<1> {1}\r\na");
        check("BINARY.SIZE[1]", "BINARY.SIZE[1] 2");
        check("BINARY[3]", "BINARY[3] NIL");
    }

    #[test]
    fn numbers_and_dates_come_from_the_row() {
        check("UID", "UID 7");
        check("RFC822.SIZE", "RFC822.SIZE 100");
        check("INTERNALDATE", "INTERNALDATE \"17-Jul-1996 02:44:25 -0700\"");
        check("FLAGS", "FLAGS ()");
    }
}
