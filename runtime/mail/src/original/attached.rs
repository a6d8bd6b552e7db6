//! The messages attached to a report.

use std::borrow::Cow;
use std::fmt;

use crate::header;
use crate::mime::{Kind, Part, Structure, transfer};

/// Forwards inside forwards that are looked into.
const DEPTH_MAX: usize = 5;
/// What an attachment is called, for people: longer names are cut.
const NAME_CHARS_MAX: usize = 120;
/// The beginning of every compound file, a message saved by Outlook among them.
const COMPOUND_FILE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
/// Fields that messages have and other files do not.
const TELLING: [&str; 8] =
    ["from", "received", "date", "subject", "message-id", "return-path", "mime-version", "delivered-to"];

/// What is taken of one report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub originals: usize,
    /// Octets of all originals together.
    pub octets: usize,
}

/// One attachment of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attached {
    /// A message, as its octets were attached, transfer encoding undone.
    Message(Vec<u8>),
    /// `name` is what the report calls it; empty where it has no name.
    Unusable { name: String, why: Unusable },
}

/// Why nothing can be done with an attachment, or with a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unusable {
    /// No message is attached: it was forwarded as text, and what makes it what it is has gone.
    Inline,
    /// Saved by Outlook as `.msg`: that holds a message turned into something else.
    OutlookFile,
    /// `winmail.dat` (MS-OXTNEF): the same.
    Tnef,
    Archive,
    /// Encrypted, and not for us.
    Encrypted,
    NotAMessage,
    Empty,
    TooLong,
    TooMany,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unusable::Inline => "no message is attached: forward it as an attachment, not in the text",
            Unusable::OutlookFile => {
                "a file of Outlook (.msg) is no longer the message: save it as .eml, or forward it with another program"
            }
            Unusable::Tnef => {
                "winmail.dat is no longer the message: have Outlook send MIME, or save the message as .eml"
            }
            Unusable::Archive => "an archive: attach the message itself",
            Unusable::Encrypted => "it is encrypted",
            Unusable::NotAMessage => "no message",
            Unusable::Empty => "it is empty",
            Unusable::TooLong => "too long",
            Unusable::TooMany => "too many messages in one report",
        })
    }
}

/// What is attached to `report`, in its order; never empty. `sent_here` is asked with the header section of an attached
/// message: one that somebody here sent and that has messages attached is itself a forward, and they are the originals.
pub fn read(report: &[u8], bounds: Bounds, sent_here: &dyn Fn(&[u8]) -> bool) -> Vec<Attached> {
    let mut reading = Reading { bounds, sent_here, found: Vec::new(), octets: 0, messages: 0 };
    reading.message(report, 0);
    if reading.found.is_empty() {
        return vec![Attached::Unusable { name: String::new(), why: Unusable::Inline }];
    }
    reading.found
}

/// Message-IDs, with their brackets, that a report without attachments says it is about: what Thunderbird writes when it
/// forwards in the text, else the newest of References or In-Reply-To.
pub fn refers_to(report: &[u8]) -> Option<String> {
    ["x-forwarded-message-id", "references", "in-reply-to"].into_iter().find_map(|name| {
        let field = header::find(report, name)?;
        crate::mime::message_ids(&field).pop().map(|id| format!("<{id}>"))
    })
}

struct Reading<'a> {
    bounds: Bounds,
    sent_here: &'a dyn Fn(&[u8]) -> bool,
    found: Vec<Attached>,
    octets: usize,
    messages: usize,
}

impl Reading<'_> {
    fn message(&mut self, raw: &[u8], depth: usize) {
        let structure = Structure::parse(raw);
        // The text of the report itself, and what its multiparts hold.
        self.part(raw, &structure.top, depth, true);
    }

    fn part(&mut self, raw: &[u8], part: &Part, depth: usize, top: bool) {
        let media = &part.content.media;
        match &part.kind {
            Kind::Multipart(_) if media.is("multipart", "encrypted") => self.unusable(part, Unusable::Encrypted),
            Kind::Multipart(parts) => parts.iter().for_each(|part| self.part(raw, part, depth, false)),
            Kind::Message(_) => self.attached(&raw[part.body.clone()], part, depth),
            Kind::Leaf => self.leaf(raw, part, depth, top),
        }
    }

    fn leaf(&mut self, raw: &[u8], part: &Part, depth: usize, top: bool) {
        let content = &part.content;
        let media = &content.media;
        let name = content.file_name().unwrap_or_default().to_lowercase();
        let named = |end: &str| name.ends_with(end);
        let text = media.is_main("text") && !content.is_attachment() && !named(".eml");
        let shown = media.is_main("image") || media.is("application", "pgp-signature") || named(".p7s");
        if (text && (top || name.is_empty())) || shown {
            return;
        }
        if media.is("application", "ms-tnef") || name == "winmail.dat" {
            return self.unusable(part, Unusable::Tnef);
        }
        if media.is("application", "pkcs7-mime") || media.is("application", "x-pkcs7-mime") {
            return self.unusable(part, Unusable::Encrypted);
        }
        let body = &raw[part.body.clone()];
        // Nothing decodes to more octets than it has.
        let decoded: Cow<'_, [u8]> = transfer::decode(&content.transfer_encoding, body);
        let why = match &decoded[..] {
            octets if octets.trim_ascii().is_empty() => Unusable::Empty,
            octets if octets.starts_with(COMPOUND_FILE) || named(".msg") => Unusable::OutlookFile,
            octets if octets.starts_with(b"PK\x03\x04") || named(".zip") || named(".7z") => Unusable::Archive,
            octets if looks_like_a_message(octets) => return self.attached(octets, part, depth),
            _ => Unusable::NotAMessage,
        };
        self.unusable(part, why);
    }

    fn attached(&mut self, octets: &[u8], part: &Part, depth: usize) {
        if octets.trim_ascii().is_empty() {
            return self.unusable(part, Unusable::Empty);
        }
        if depth < DEPTH_MAX && (self.sent_here)(octets) {
            let before = self.found.len();
            self.message(octets, depth + 1);
            if self.found[before..].iter().any(|found| matches!(found, Attached::Message(_))) {
                return;
            }
            self.found.truncate(before);
        }
        if self.messages >= self.bounds.originals {
            // Said once.
            if !self.found.iter().any(|found| matches!(found, Attached::Unusable { why: Unusable::TooMany, .. })) {
                self.unusable(part, Unusable::TooMany);
            }
            return;
        }
        if self.octets + octets.len() > self.bounds.octets {
            return self.unusable(part, Unusable::TooLong);
        }
        self.octets += octets.len();
        self.messages += 1;
        self.found.push(Attached::Message(octets.to_vec()));
    }

    fn unusable(&mut self, part: &Part, why: Unusable) {
        // A hostile report has thousands of parts; what is said of it stays short.
        if self.found.len() < self.bounds.originals.saturating_mul(2) {
            let name = part.content.file_name().unwrap_or_default();
            self.found.push(Attached::Unusable { name: name.chars().take(NAME_CHARS_MAX).collect(), why });
        }
    }
}

/// Does it begin with a header section of a message? An mbox line in front of it is no matter.
fn looks_like_a_message(octets: &[u8]) -> bool {
    let start = &octets[..octets.len().min(64 * 1024)];
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    let first = &start[..header::line_end(start, 0)];
    let is_field = header::field_name(first).is_some();
    let is_mbox_line = first.starts_with(b"From ") || first.starts_with(b">From ");
    if !(is_field || is_mbox_line) {
        return false;
    }
    let telling = header::fields(start).filter(|field| TELLING.iter().any(|name| field.is(name)));
    telling.take(2).count() == 2
}
