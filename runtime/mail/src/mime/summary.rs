//! What is kept beside a stored message, so that listing and searching need not read it again.

use super::envelope::message_ids;
use super::{Structure, imap, text};
use crate::date::DateTime;
use crate::header::{find, text_of};

/// Characters of the preview (RFC 8970 3.1: at most 200).
const PREVIEW_CHARS_MAX: usize = 200;

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
    Parsed {
        envelope_imap,
        bodystructure_imap,
        body_imap,
        preview: text::preview(raw, &structure, PREVIEW_CHARS_MAX),
        message_id: ids("message-id").into_iter().next(),
        in_reply_to: ids("in-reply-to"),
        references: ids("references"),
        subject: text_of(header, "subject"),
        from: text_of(header, "from"),
        to: text_of(header, "to"),
        cc: text_of(header, "cc"),
        bcc: text_of(header, "bcc"),
        sent: structure.envelope.date.as_deref().and_then(DateTime::parse_rfc5322),
    }
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

    #[test]
    fn an_empty_message_has_a_summary() {
        let parsed = summarize(b"");
        assert_eq!(parsed.envelope_imap, b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
        assert_eq!(parsed.body_imap, b"(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0)");
    }
}
