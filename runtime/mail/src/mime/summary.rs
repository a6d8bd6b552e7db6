//! What is kept beside a stored message, so that listing and searching need not read it again.

use super::envelope::message_ids;
use super::{Structure, imap, text};
use crate::date::DateTime;
use crate::header::{decode_words, fields, find, text_of};

/// Characters of the preview (RFC 8970 3.1: at most 200).
const PREVIEW_CHARS_MAX: usize = 200;
/// Octets kept of the text of one header field.
const TEXT_BYTES_MAX: usize = 8_192;

/// Some of what a summary holds, as a bit set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SummaryParts(u16);

impl SummaryParts {
    pub const NONE: SummaryParts = SummaryParts(0);
    pub const ENVELOPE: SummaryParts = SummaryParts(1);
    pub const BODYSTRUCTURE: SummaryParts = SummaryParts(1 << 1);
    pub const BODY: SummaryParts = SummaryParts(1 << 2);
    pub const PREVIEW: SummaryParts = SummaryParts(1 << 3);
    pub const SUBJECT: SummaryParts = SummaryParts(1 << 4);
    pub const FROM: SummaryParts = SummaryParts(1 << 5);
    pub const TO: SummaryParts = SummaryParts(1 << 6);
    pub const CC: SummaryParts = SummaryParts(1 << 7);
    pub const BCC: SummaryParts = SummaryParts(1 << 8);
    pub const MESSAGE_ID: SummaryParts = SummaryParts(1 << 9);
    pub const IN_REPLY_TO: SummaryParts = SummaryParts(1 << 10);
    pub const REFERENCES: SummaryParts = SummaryParts(1 << 11);
    pub const DATE: SummaryParts = SummaryParts(1 << 12);
    pub const ALL: SummaryParts = SummaryParts((1 << 13) - 1);

    /// The parts that can stand for a header field, and its name. The other identifiers are kept without the words around
    /// them.
    const FIELDS: [(SummaryParts, &'static str); 7] = [
        (SummaryParts::SUBJECT, "subject"),
        (SummaryParts::FROM, "from"),
        (SummaryParts::TO, "to"),
        (SummaryParts::CC, "cc"),
        (SummaryParts::BCC, "bcc"),
        (SummaryParts::MESSAGE_ID, "message-id"),
        (SummaryParts::DATE, "date"),
    ];

    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Unknown bits are dropped.
    pub const fn from_bits(bits: u16) -> SummaryParts {
        SummaryParts(bits & SummaryParts::ALL.0)
    }

    pub const fn contains(self, other: SummaryParts) -> bool {
        self.0 & other.0 == other.0
    }

    #[must_use]
    pub const fn with(self, other: SummaryParts) -> SummaryParts {
        SummaryParts(self.0 | other.0)
    }

    #[must_use]
    pub const fn without(self, other: SummaryParts) -> SummaryParts {
        SummaryParts(self.0 & !other.0)
    }

    /// Those in both.
    #[must_use]
    pub const fn among(self, other: SummaryParts) -> SummaryParts {
        SummaryParts(self.0 & other.0)
    }

    /// The part that can stand for the header field of this name, in any case.
    pub fn of_field(name: &[u8]) -> Option<SummaryParts> {
        let found = SummaryParts::FIELDS.iter().find(|(_, field)| field.as_bytes().eq_ignore_ascii_case(name));
        found.map(|(part, _)| *part)
    }
}

/// The announcements of a message as stored, and its header for searching and threading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// `envelope` of RFC 9051 9, 7-bit or in literals.
    pub envelope_imap: Vec<u8>,
    /// `body` with extension data, for BODYSTRUCTURE.
    pub bodystructure_imap: Vec<u8>,
    /// `body` without extension data, for BODY.
    pub body_imap: Vec<u8>,
    pub preview: String,
    /// Without angle brackets.
    pub message_id: Option<String>,
    pub in_reply_to: Vec<String>,
    pub references: Vec<String>,
    /// Header fields decoded, empty when absent.
    pub subject: String,
    pub from: String,
    pub to: String,
    pub cc: String,
    pub bcc: String,
    /// The Date field, if it can be read.
    pub sent: Option<DateTime>,
    /// The header fields of which the above says all there is: the field is there once at most, and nothing of it was cut
    /// or left out. A search for their text needs no look at the message.
    pub whole: SummaryParts,
}

impl Parsed {
    /// The Message-ID in its angle brackets, empty when there is none.
    pub fn bracketed_id(&self) -> String {
        self.message_id.as_ref().map(|id| format!("<{id}>")).unwrap_or_default()
    }

    /// Does the part say what this field says, or for `None` that there is no such field?
    fn says(&self, part: SummaryParts, value: Option<&[u8]>) -> bool {
        if part == SummaryParts::DATE {
            return value.and_then(DateTime::parse_rfc5322) == self.sent;
        }
        let text = match part {
            SummaryParts::SUBJECT => &self.subject,
            SummaryParts::FROM => &self.from,
            SummaryParts::TO => &self.to,
            SummaryParts::CC => &self.cc,
            SummaryParts::BCC => &self.bcc,
            SummaryParts::MESSAGE_ID => &self.bracketed_id(),
            _ => return false,
        };
        value.map(decode_words).unwrap_or_default() == *text
    }

    /// Reads the fields as SEARCH does. INVARIANT: every part in the answer gives the answers of the message itself.
    fn whole_parts(&self, raw: &[u8]) -> SummaryParts {
        let (mut seen, mut whole) = (SummaryParts::NONE, SummaryParts::NONE);
        for field in fields(raw) {
            let Some(part) = SummaryParts::of_field(field.name()) else { continue };
            if seen.contains(part) {
                whole = whole.without(part);
            } else if self.says(part, Some(&field.value())) {
                whole = whole.with(part);
            }
            seen = seen.with(part);
        }
        let absent = SummaryParts::FIELDS.iter().map(|(part, _)| *part).filter(|part| !seen.contains(*part));
        absent.filter(|part| self.says(*part, None)).fold(whole, SummaryParts::with)
    }
}

/// Reads a message once. Never fails.
pub fn summarize(raw: &[u8]) -> Parsed {
    let structure = Structure::parse(raw);
    let header = &raw[structure.top.header.clone()];
    let ids = |name: &str| find(header, name).map(|field| message_ids(&field)).unwrap_or_default();
    let mut envelope_imap = Vec::new();
    imap::envelope(&structure.envelope, false, &mut envelope_imap);
    let mut bodystructure_imap = Vec::new();
    imap::bodystructure(&structure, true, false, &mut bodystructure_imap);
    let mut body_imap = Vec::new();
    imap::bodystructure(&structure, false, false, &mut body_imap);
    let mut parsed = Parsed {
        envelope_imap,
        bodystructure_imap,
        body_imap,
        preview: text::preview(raw, &structure, PREVIEW_CHARS_MAX),
        message_id: ids("message-id").into_iter().next(),
        in_reply_to: ids("in-reply-to"),
        references: ids("references"),
        subject: kept_text(header, "subject"),
        from: kept_text(header, "from"),
        to: kept_text(header, "to"),
        cc: kept_text(header, "cc"),
        bcc: kept_text(header, "bcc"),
        sent: structure.envelope.date.as_deref().and_then(DateTime::parse_rfc5322),
        whole: SummaryParts::NONE,
    };
    parsed.whole = parsed.whole_parts(raw);
    parsed
}

fn kept_text(header: &[u8], name: &str) -> String {
    let mut text = text_of(header, name);
    text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_has_what_listing_and_searching_need() {
        let parsed = summarize(
            b"From: =?utf-8?q?Ren=C3=A9?= <r@x>\r\nSubject: Hi\r\n there\r\nDate: Fri, 21 Nov 1997 09:55:06 -0600\r\n\
              Message-ID: <m@x>\r\nReferences: <a@x>\r\n <b@x>\r\nIn-Reply-To: <b@x>\r\n\r\nHello\r\nworld\r\n",
        );
        assert_eq!(parsed.from, "René <r@x>");
        assert_eq!(parsed.subject, "Hi there");
        assert_eq!(parsed.message_id.as_deref(), Some("m@x"));
        assert_eq!(parsed.references, ["a@x", "b@x"]);
        assert_eq!(parsed.in_reply_to, ["b@x"]);
        assert_eq!(parsed.preview, "Hello world");
        assert_eq!(parsed.sent.map(|date| (date.unix_seconds, date.offset_minutes)), Some((880_127_706, -360)));
        assert!(parsed.bodystructure_imap.starts_with(b"(\"text\" \"plain\" "));
        assert!(parsed.body_imap.len() < parsed.bodystructure_imap.len());
    }

    #[track_caller]
    fn check_partial(message: &str, expected: SummaryParts) {
        let fields = SummaryParts::FIELDS.iter().fold(SummaryParts::NONE, |all, (part, _)| all.with(*part));
        assert_eq!(fields.without(summarize(message.as_bytes()).whole), expected, "{message:?}");
    }

    #[test]
    fn a_summary_knows_which_fields_it_has_whole() {
        check_partial("", SummaryParts::NONE);
        check_partial(
            "Subject: =?utf-8?q?=C3=89?=\r\nMESSAGE-ID:\r\n <a@b>\r\nDate: 1 Jan 2020\r\n\r\nx",
            SummaryParts::NONE,
        );
        check_partial("Subject: a\nTo: b\nsubject: a\n\nTo: c\n", SummaryParts::SUBJECT);
        check_partial("Message-ID: <a@b> (why)\r\n\r\n", SummaryParts::MESSAGE_ID);
        check_partial("Message-ID: a@b\r\n\r\n", SummaryParts::MESSAGE_ID);
        check_partial("Message-ID: <a @b>\r\n\r\n", SummaryParts::MESSAGE_ID);
        check_partial("Date: no\r\nDate: 1 Jan 2020\r\n\r\n", SummaryParts::DATE);
        check_partial("Date:\r\n\r\n", SummaryParts::NONE);
        check_partial(&format!("Cc: {}\r\n\r\n", "é".repeat(5_000)), SummaryParts::CC);
        // The body begins at the stray line, but a search reads on to the blank line that never comes.
        check_partial("From: a\r\nstray\r\nTo: b\r\n", SummaryParts::TO);
    }

    #[test]
    fn texts_are_cut_between_characters() {
        let parsed = summarize(format!("Subject: x{}\r\n\r\n", "é".repeat(5_000)).as_bytes());
        assert_eq!(parsed.subject.len(), TEXT_BYTES_MAX - 1);
    }

    #[test]
    fn an_empty_message_has_a_summary() {
        let parsed = summarize(b"");
        assert_eq!(parsed.envelope_imap, b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
        assert_eq!(parsed.body_imap, b"(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0)");
    }
}
