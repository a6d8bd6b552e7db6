//! What happened to a message between its delivery here and the moment somebody handed it in: lines this server put in
//! front, the tag in its Subject, fields of mail programs and of mailbox files, line ends.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::header::{self, Field};
use crate::{Domain, tag};

/// Fields that mail programs and mailbox files add to what they keep.
const PROGRAMS: [&str; 13] = [
    "status",
    "x-status",
    "x-keywords",
    "content-length",
    "x-uid",
    "x-uidl",
    "x-account-key",
    "x-imap",
    "x-imapbase",
    "x-gm-thrid",
    "x-gmail-labels",
    "x-uniform-type-identifier",
    "x-universally-unique-identifier",
];
/// The same, of which programs have many.
const PROGRAMS_BEGIN: [&str; 5] = ["x-mozilla-", "x-evolution", "x-apple-", "x-kmail-", "x-facteur-ended"];

/// How this server is known in the lines it writes.
#[derive(Clone, Debug, Default)]
pub struct Ours {
    /// Names in `by` of Received, and those Authentication-Results carry.
    pub hosts: BTreeSet<Domain>,
    /// What stands in front of a Subject; empty where nothing does.
    pub tag: String,
}

/// A message as it came to us, as far as that can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undone {
    /// Ended by a line end.
    octets: Vec<u8>,
    /// How much of them was handed in.
    len: usize,
    /// Where the line ends at the end of the body begin.
    end: usize,
}

impl Undone {
    /// With its last lines as they were handed in; lines end with CRLF.
    pub fn octets(&self) -> &[u8] {
        &self.octets[..self.len]
    }

    /// The forms in which it may have come, the likeliest first: programs add and drop empty lines at the end.
    pub fn forms(&self) -> impl Iterator<Item = &[u8]> {
        let ends = [self.len, self.end + 2, self.end];
        let mut seen = BTreeSet::new();
        let ends = ends.into_iter().filter(move |end| *end <= self.octets.len() && seen.insert(*end));
        ends.map(|end| &self.octets[..end])
    }

    pub fn header(&self) -> &[u8] {
        &self.octets[..header_end(&self.octets)]
    }

    /// Without empty lines at its end.
    pub fn body(&self) -> &[u8] {
        let begin = header_end(&self.octets);
        &self.octets[begin..self.end.max(begin)]
    }
}

/// Takes back what is known to have happened. `programs` says whether fields of programs go as well: a message may have come
/// with such fields.
pub fn undo(handed_in: &[u8], ours: &Ours, programs: bool) -> Undone {
    let octets = crlf(without_mbox_line(handed_in));
    let head = &octets[..header_end(&octets)];
    let fields: Vec<Field<'_>> = header::fields(head).collect();
    let mut removed: Vec<Range<usize>> = Vec::new();
    // Down to our newest Received all is ours, or was put there since.
    let newest = fields.iter().position(|field| received_id(field, ours).is_some());
    let content = newest.map_or(0, |newest| newest + 1);
    for (at, field) in fields.iter().enumerate() {
        if at < content || is_ours(field, ours) || (programs && is_of_a_program(field)) {
            removed.push(field.lines.clone());
        }
    }
    let original = fields.iter().find(|field| field.is("x-original-subject"));
    let subject = fields[content..].iter().find(|field| field.is("subject"));
    let subject = original.zip(subject).map(|(original, subject)| (value_of(subject), original.raw_value()));
    let mut kept = Vec::with_capacity(octets.len());
    let mut at = 0;
    let mut edits: Vec<(Range<usize>, &[u8])> = removed.into_iter().map(|range| (range, &b""[..])).collect();
    edits.extend(subject);
    edits.sort_by_key(|(range, _)| range.start);
    for (range, instead) in edits {
        if range.start >= at {
            kept.extend_from_slice(&octets[at..range.start]);
            kept.extend_from_slice(instead);
            at = range.end;
        }
    }
    kept.extend_from_slice(&octets[at..]);
    let len = kept.len();
    let mut end = len;
    while kept[..end].ends_with(b"\r\n") {
        end -= 2;
    }
    if end == len {
        kept.extend_from_slice(b"\r\n");
    }
    Undone { octets: kept, len, end }
}

/// The id of the delivery that a copy says it comes from, in the newest Received of ours. Whoever hands in the copy may have
/// written it.
pub fn delivery_id(handed_in: &[u8], ours: &Ours) -> Option<[u8; 16]> {
    let octets = without_mbox_line(handed_in);
    header::fields(octets).take(200).find_map(|field| received_id(&field, ours))
}

/// Is this copy marked as spam, by our field or by the tag in its Subject?
pub fn is_tagged(copy: &[u8], ours: &Ours) -> bool {
    let octets = without_mbox_line(copy);
    let flagged = header::find(octets, "x-spam-flag").is_some_and(|field| field.value().eq_ignore_ascii_case(b"yes"));
    let subject = header::text_of(octets, "subject");
    flagged || (!ours.tag.is_empty() && subject.trim_start().starts_with(&ours.tag))
}

/// Where the value is, from behind the colon to before the line end.
fn value_of(field: &Field<'_>) -> Range<usize> {
    // Every line of the section ends with CRLF, but the last of a section without a body may end with nothing.
    let (raw, lines) = (field.raw_value().len(), field.lines.clone());
    let name = field.name().len();
    let ended = if lines.len() >= name + 1 + raw + 2 { 2 } else { 0 };
    lines.end - ended - raw..lines.end - ended
}

fn is_ours(field: &Field<'_>, ours: &Ours) -> bool {
    if tag::is_ours(field) || !field.is("authentication-results") {
        return tag::is_ours(field);
    }
    let value = String::from_utf8_lossy(&field.value()).into_owned();
    let by = value.split([';', ' ']).next().unwrap_or_default().trim();
    by.parse::<Domain>().is_ok_and(|by| ours.hosts.contains(&by))
}

fn is_of_a_program(field: &Field<'_>) -> bool {
    let name = String::from_utf8_lossy(field.name()).to_ascii_lowercase();
    PROGRAMS.contains(&name.as_str()) || PROGRAMS_BEGIN.iter().any(|begin| name.starts_with(begin))
}

/// The id in a Received of ours: `by HOST … id 32 hexadecimal digits`.
fn received_id(field: &Field<'_>, ours: &Ours) -> Option<[u8; 16]> {
    if !field.is("received") {
        return None;
    }
    let value = field.value();
    let value = String::from_utf8_lossy(&value);
    let mut words = value.split_ascii_whitespace();
    words.find(|word| *word == "by")?;
    let by = words.next()?.parse::<Domain>().ok()?;
    words.find(|word| *word == "id")?;
    let id = words.next()?.trim_end_matches(';');
    if !ours.hosts.contains(&by) || id.len() != 32 || !id.bytes().all(|octet| octet.is_ascii_hexdigit()) {
        return None;
    }
    let octet = |at: usize| u8::from_str_radix(&id[at * 2..at * 2 + 2], 16).unwrap_or(0);
    Some(std::array::from_fn(octet))
}

fn without_mbox_line(octets: &[u8]) -> &[u8] {
    let mut octets = octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(octets);
    while matches!(octets, [b'\r' | b'\n', ..]) {
        octets = &octets[1..];
    }
    if octets.starts_with(b"From ") || octets.starts_with(b">From ") {
        return &octets[header::line_end(octets, 0)..];
    }
    octets
}

/// Where the body begins.
fn header_end(octets: &[u8]) -> usize {
    let mut at = 0;
    while at < octets.len() {
        let end = header::line_end(octets, at);
        if header::is_blank(&octets[at..end]) {
            return end;
        }
        at = end;
    }
    octets.len()
}

/// Every line with CRLF; a last line without an end stays so.
fn crlf(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len() + octets.len() / 32);
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(text) => {
                out.extend_from_slice(text.strip_suffix(b"\r").unwrap_or(text));
                out.extend_from_slice(b"\r\n");
            }
            None => out.extend_from_slice(line),
        }
    }
    out
}
