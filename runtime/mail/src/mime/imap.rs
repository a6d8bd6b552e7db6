//! ENVELOPE, BODY and BODYSTRUCTURE as text: `envelope` and `body` of RFC 9051 9, legal in RFC 3501 as well.
//!
//! These renderings are stored when a message arrives; every value a message can hold must come out legal.

use super::address_list::Addr;
use super::content::Disposition;
use super::params::Params;
use super::part::{Kind, Part, Structure};
use super::{Content, Envelope};

/// Longest quoted string; longer values are literals, which clients read into buffers of the announced size.
const QUOTED_BYTES_MAX: usize = 1_000;

/// `envelope`. With `utf8` (the client enabled UTF8=ACCEPT or IMAP4rev2) legal UTF-8 stands in quoted strings.
pub fn envelope(envelope: &Envelope, utf8: bool, out: &mut Vec<u8>) {
    out.push(b'(');
    nstring(envelope.date.as_deref(), utf8, out);
    out.push(b' ');
    nstring(envelope.subject.as_deref(), utf8, out);
    let lists = [&envelope.from, &envelope.sender, &envelope.reply_to, &envelope.to, &envelope.cc, &envelope.bcc];
    for list in lists {
        out.push(b' ');
        addresses(list, utf8, out);
    }
    out.push(b' ');
    nstring(envelope.in_reply_to.as_deref(), utf8, out);
    out.push(b' ');
    nstring(envelope.message_id.as_deref(), utf8, out);
    out.push(b')');
}

/// `body` of the message, for BODYSTRUCTURE with the extension data, for BODY without.
pub fn bodystructure(structure: &Structure, extended: bool, utf8: bool, out: &mut Vec<u8>) {
    Writer { extended, utf8, out }.body(&structure.top);
}

/// `nstring`: NIL or a string.
pub fn nstring(text: Option<&[u8]>, utf8: bool, out: &mut Vec<u8>) {
    match text {
        Some(text) => string(text, utf8, out),
        None => out.extend_from_slice(b"NIL"),
    }
}

/// `string`: quoted if it can be, else a literal. NUL is legal in neither (RFC 9051 9, CHAR8) and is written as `?`.
pub fn string(text: &[u8], utf8: bool, out: &mut Vec<u8>) {
    let line_safe = !text.iter().any(|byte| matches!(byte, b'\r' | b'\n'));
    let seven_bit = text.is_ascii() || (utf8 && std::str::from_utf8(text).is_ok());
    let visible = text.iter().map(|byte| if *byte == 0 { b'?' } else { *byte });
    if line_safe && seven_bit && text.len() <= QUOTED_BYTES_MAX {
        out.push(b'"');
        for byte in visible {
            if matches!(byte, b'"' | b'\\') {
                out.push(b'\\');
            }
            out.push(byte);
        }
        out.push(b'"');
    } else {
        out.extend_from_slice(format!("{{{}}}\r\n", text.len()).as_bytes());
        out.extend(visible);
    }
}

/// `"(" 1*address ")" / nil`.
fn addresses(list: &[Addr], utf8: bool, out: &mut Vec<u8>) {
    if list.is_empty() {
        return out.extend_from_slice(b"NIL");
    }
    out.push(b'(');
    for addr in list {
        out.push(b'(');
        for (index, piece) in [&addr.name, &addr.adl, &addr.mailbox, &addr.host].into_iter().enumerate() {
            if index > 0 {
                out.push(b' ');
            }
            nstring(piece.as_deref(), utf8, out);
        }
        out.push(b')');
    }
    out.push(b')');
}

struct Writer<'a> {
    extended: bool,
    utf8: bool,
    out: &'a mut Vec<u8>,
}

impl Writer<'_> {
    /// `body = "(" (body-type-1part / body-type-mpart) ")"`. Recursion ends at `DEPTH_MAX` of the parser.
    fn body(&mut self, part: &Part) {
        self.raw(b"(");
        match &part.kind {
            Kind::Multipart(parts) => self.multipart(part, parts),
            Kind::Message(message) => self.message(part, message),
            Kind::Leaf => {
                self.fields(part);
                // body-type-text: only text has its lines told.
                if part.content.media.is_main("text") {
                    self.number(part.lines as usize);
                }
                self.extension_of_single(&part.content);
            }
        }
        self.raw(b")");
    }

    /// `1*body SP media-subtype [SP body-ext-mpart]`.
    fn multipart(&mut self, part: &Part, parts: &[Part]) {
        for child in parts {
            self.body(child);
        }
        self.raw(b" ");
        self.string(&part.content.media.sub);
        if self.extended {
            self.raw(b" ");
            self.params(&part.content.media.params);
            self.extension(&part.content);
        }
    }

    /// `media-message SP body-fields SP envelope SP body SP body-fld-lines`.
    fn message(&mut self, part: &Part, message: &Structure) {
        self.fields(part);
        self.raw(b" ");
        envelope(&message.envelope, self.utf8, self.out);
        self.raw(b" ");
        self.body(&message.top);
        self.number(part.lines as usize);
        self.extension_of_single(&part.content);
    }

    /// The media type and `body-fields`.
    fn fields(&mut self, part: &Part) {
        let content = &part.content;
        self.string(&content.media.main);
        self.raw(b" ");
        self.string(&content.media.sub);
        self.raw(b" ");
        self.params(&content.media.params);
        self.raw(b" ");
        self.nstring(content.id.as_deref());
        self.raw(b" ");
        self.nstring(content.description.as_deref());
        self.raw(b" ");
        self.string(&content.transfer_encoding);
        self.number(part.body.len());
    }

    /// `body-ext-1part`.
    fn extension_of_single(&mut self, content: &Content) {
        if self.extended {
            self.raw(b" ");
            self.nstring(content.md5.as_deref());
            self.extension(content);
        }
    }

    /// Disposition, language and location, which end both kinds of extension data.
    fn extension(&mut self, content: &Content) {
        self.raw(b" ");
        match &content.disposition {
            Some(Disposition { kind, params }) => {
                self.raw(b"(");
                self.string(kind);
                self.raw(b" ");
                self.params(params);
                self.raw(b")");
            }
            None => self.raw(b"NIL"),
        }
        self.raw(b" ");
        match content.language.as_slice() {
            [] => self.raw(b"NIL"),
            [one] => self.string(one),
            many => {
                for (index, tag) in many.iter().enumerate() {
                    self.raw(if index == 0 { b"(" } else { b" " });
                    self.string(tag);
                }
                self.raw(b")");
            }
        }
        self.raw(b" ");
        self.nstring(content.location.as_deref());
    }

    /// `"(" string SP string *(SP string SP string) ")" / nil`.
    fn params(&mut self, params: &Params) {
        if params.0.is_empty() {
            return self.raw(b"NIL");
        }
        for (index, param) in params.0.iter().enumerate() {
            self.raw(if index == 0 { b"(" } else { b" " });
            self.string(&param.name);
            self.raw(b" ");
            self.string(&param.value);
        }
        self.raw(b")");
    }

    fn number(&mut self, number: usize) {
        self.raw(format!(" {number}").as_bytes());
    }

    fn string(&mut self, text: &[u8]) {
        string(text, self.utf8, self.out);
    }

    fn nstring(&mut self, text: Option<&[u8]>) {
        nstring(text, self.utf8, self.out);
    }

    fn raw(&mut self, text: &[u8]) {
        self.out.extend_from_slice(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(text: &[u8], utf8: bool) -> Vec<u8> {
        let mut out = Vec::new();
        string(text, utf8, &mut out);
        out
    }

    fn structure(raw: &str, extended: bool) -> String {
        let mut out = Vec::new();
        bodystructure(&Structure::parse(raw.as_bytes()), extended, false, &mut out);
        String::from_utf8(out).expect("the examples are ASCII")
    }

    #[test]
    fn strings_are_quoted_when_they_can_be_and_literals_otherwise() {
        assert_eq!(rendered(b"", false), b"\"\"");
        assert_eq!(rendered(b"a\"b\\c", false), b"\"a\\\"b\\\\c\"");
        assert_eq!(rendered(b"a\rb", false), b"{3}\r\na\rb");
        assert_eq!(rendered("é".as_bytes(), false), "{2}\r\né".as_bytes());
        assert_eq!(rendered("é".as_bytes(), true), "\"é\"".as_bytes());
        assert_eq!(rendered(b"\xe9", true), b"{1}\r\n\xe9");
        assert_eq!(rendered(b"a\0b", false), b"\"a?b\"");
        assert_eq!(rendered(b"\xe9\0", false), b"{2}\r\n\xe9?");
        assert!(rendered(&[b'x'; 1001], false).starts_with(b"{1001}\r\n"));
    }

    #[test]
    fn an_envelope_has_its_ten_members() {
        let header = "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\nSubject: IMAP4rev1 WG mtg summary\r\n\
            From: Terry Gray <gray@cac.washington.edu>\r\nTo: imap@cac.washington.edu\r\n\
            Cc: g:;\r\nMessage-ID: <B27397-0100000@cac.washington.edu>\r\n";
        let mut out = Vec::new();
        envelope(&Envelope::parse(header.as_bytes()), false, &mut out);
        let terry = "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\"))";
        let expected = format!(
            "(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \"IMAP4rev1 WG mtg summary\" {terry} {terry} {terry} \
            ((NIL NIL \"imap\" \"cac.washington.edu\")) ((NIL NIL \"g\" NIL)(NIL NIL NIL NIL)) NIL NIL \
            \"<B27397-0100000@cac.washington.edu>\")"
        );
        assert_eq!(String::from_utf8_lossy(&out), expected);
        let mut out = Vec::new();
        envelope(&Envelope::default(), false, &mut out);
        assert_eq!(out, b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
    }

    #[test]
    fn plain_messages_are_announced_with_lines_and_the_default_charset() {
        let raw = "Subject: s\r\n\r\none\r\ntwo\r\n";
        let plain = "\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 10 2";
        assert_eq!(structure(raw, false), format!("({plain})"));
        assert_eq!(structure(raw, true), format!("({plain} NIL NIL NIL NIL)"));
    }

    #[test]
    fn multiparts_and_messages_are_announced_with_their_inside() {
        let raw = "Content-Type: multipart/mixed; boundary=b\r\nContent-Language: en, fr\r\n\r\n--b\r\n\
            Content-Type: image/png; name=x\r\nContent-Transfer-Encoding: base64\r\n\
            Content-Disposition: inline\r\nContent-ID: <i>\r\n\r\nAAAA\r\n--b\r\n\
            Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nhi\r\n--b--\r\n";
        let expected = "((\"image\" \"png\" (\"name\" \"x\") \"<i>\" NIL \"base64\" 4 NIL (\"inline\" NIL) NIL NIL)\
            (\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 17 (NIL \"in\" NIL NIL NIL NIL NIL NIL NIL NIL) \
            (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 2 0 NIL NIL NIL NIL) 2 NIL NIL NIL NIL) \
            \"mixed\" (\"boundary\" \"b\") NIL (\"en\" \"fr\") NIL)";
        assert_eq!(structure(raw, true), expected);
    }
}
