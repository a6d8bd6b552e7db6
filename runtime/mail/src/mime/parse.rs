//! The structure parser: one pass over the lines, a stack of open entities (RFC 2046 5.1).
//!
//! Decisions where the RFCs leave the reader alone, or senders leave the RFCs:
//! - A line is a delimiter when it is `--`, the boundary of an open multipart, perhaps `--`, and space (the grammar of RFC
//!   2046 5.1.1). The prose there would accept any line that begins with the boundary; then a multipart whose boundary begins
//!   with that of its parent could not be read, and such messages exist.
//! - The delimiter of an outer multipart ends all inner ones (RFC 2046 5.1.2). Of equal boundaries the innermost is meant.
//! - Between two delimiters with nothing between them, not even a blank line, there is no part: the line end between them
//!   belongs to the first (RFC 2046 5.1.1, `encapsulation`).
//! - A multipart without boundary, or in which no delimiter opens a part, still needs one part in BODYSTRUCTURE (RFC 9051 9,
//!   `1*body`). It gets one text/plain part without header that is its whole body. Dovecot and Cyrus announce an empty part
//!   there; ours lets the reader see what was sent.
//! - A message/rfc822 in base64 or quoted-printable is forbidden (RFC 2046 5.2.1). Its inside cannot be shown as offsets into
//!   the raw message, and `body-type-msg` has no form without an envelope, so it is announced as application/octet-stream and
//!   clients save it. Content-transfer-encodings of multiparts are equally forbidden (RFC 2045 6.4), but senders announce
//!   them without encoding anything: there they are passed over.
//! - A header section goes to its blank line. Lines in it that are no fields are passed over, because a reader that stops
//!   there would miss a Content-Type that others see. A section without any field is body, so is what follows the first
//!   such line when the blank line never comes. A line that begins with `--` and is no field ends the section.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Envelope;
use super::content::{Content, MediaType};
use super::part::{Kind, Part, Structure};
use crate::header::{field_name, is_blank, line_end};

/// Entities inside each other; what is deeper is not interpreted, and announced as application/octet-stream.
pub const DEPTH_MAX: usize = 100;
/// Parts of one message; behind the last, delimiters are text of that part.
pub const PARTS_MAX: usize = 10_000;
/// Longest boundary that is looked for: a line (RFC 5322 2.1.1). RFC 2046 5.1.1 allows 70.
const BOUNDARY_BYTES_MAX: usize = 998;

impl Structure {
    /// Any octets have a structure. Time and memory are linear in the message.
    pub fn parse(raw: &[u8]) -> Self {
        Self::parse_counting(raw).0
    }

    /// The structure, and how many lines and entities were looked at: what a test of linear time can count.
    pub(super) fn parse_counting(raw: &[u8]) -> (Self, usize) {
        let mut parser = Parser {
            raw,
            lines_before: 0,
            stack: Vec::new(),
            delimiters: BTreeMap::new(),
            parts: 1,
            steps: 0,
            heading: Some(Heading::at(0, 0, MediaType::text_plain())),
            finished: None,
        };
        let mut at = 0;
        while at < raw.len() {
            let end = line_end(raw, at);
            parser.line(at, end);
            parser.lines_before += u32::from(raw[end - 1] == b'\n');
            at = end;
        }
        parser.end_headings(raw.len());
        parser.close_down_to(0, raw.len(), parser.lines_before);
        let top = parser.finished.unwrap_or_else(|| empty_part(0, MediaType::text_plain()));
        (message(raw, top), parser.steps)
    }
}

/// A header section being read.
struct Heading {
    start: usize,
    /// Line ends before it.
    start_lines: u32,
    default: MediaType,
    any_field: bool,
    /// The first line that is no field, and the line ends before it.
    first_stray: Option<(usize, u32)>,
}

impl Heading {
    fn at(start: usize, start_lines: u32, default: MediaType) -> Self {
        Self { start, start_lines, default, any_field: false, first_stray: None }
    }
}

/// An entity whose end has not been seen.
struct Open {
    header: Range<usize>,
    body_start: usize,
    body_start_lines: u32,
    content: Content,
    inside: Inside,
}

impl Open {
    /// An entity that is only a header lies inside the entity around it that ends with it, although the last line end of
    /// the header then belongs to the delimiter. The outermost that ends there keeps its line whole: it is in a multipart
    /// that goes on.
    fn end_at_most(&mut self, end: usize) {
        self.header = self.header.start.min(end)..self.header.end.min(end);
        self.body_start = self.body_start.min(end);
    }
}

enum Inside {
    Leaf,
    /// `boundary` is gone once the closing delimiter has been seen.
    Multipart {
        boundary: Option<Vec<u8>>,
        parts: Vec<Part>,
    },
    Message {
        part: Option<Box<Part>>,
    },
}

struct Delimiter {
    /// Index of the multipart on the stack.
    level: usize,
    closing: bool,
}

struct Parser<'a> {
    raw: &'a [u8],
    /// Line ends before the current line.
    lines_before: u32,
    stack: Vec<Open>,
    /// Boundary to the indexes of the open multiparts that have it, the innermost last.
    delimiters: BTreeMap<Vec<u8>, Vec<usize>>,
    parts: usize,
    steps: usize,
    /// The header section being read; `None` inside a body.
    heading: Option<Heading>,
    finished: Option<Part>,
}

impl Parser<'_> {
    fn line(&mut self, start: usize, end: usize) {
        let line = &self.raw[start..end];
        let dashes = line.starts_with(b"--");
        // A line that ends a header section is looked at again as body. Each round opens an entity, so this ends.
        loop {
            self.steps += 1;
            if dashes && let Some(delimiter) = self.delimiter(line) {
                return self.at_delimiter(&delimiter, start, end);
            }
            let Some(heading) = &mut self.heading else { return };
            if is_blank(line) {
                return self.at_blank_line(start, end);
            } else if matches!(line.first(), Some(b' ' | b'\t')) && start > heading.start {
                // Continues a field or a stray line, and shares its fate.
                return;
            } else if field_name(line).is_some() {
                heading.any_field = true;
                return;
            } else if start == heading.start && is_mbox_line(line) {
                return;
            } else if dashes {
                self.end_header(start, start, self.lines_before);
            } else {
                heading.first_stray.get_or_insert((start, self.lines_before));
                return;
            }
        }
    }

    fn at_blank_line(&mut self, start: usize, end: usize) {
        let Some(heading) = &self.heading else { return };
        match heading.first_stray {
            // Not one field: this was never a header.
            Some((stray, lines)) if !heading.any_field => {
                self.end_header(stray, stray, lines);
                self.end_headings(start);
            }
            _ => self.end_header(end, end, self.lines_before + 1),
        }
    }

    /// The header section ends at `header_end`, the body begins at `body_start`.
    fn end_header(&mut self, header_end: usize, body_start: usize, body_start_lines: u32) {
        let Some(heading) = self.heading.take() else { return };
        self.steps += 1;
        let header = heading.start..header_end;
        let mut content = Content::parse(&self.raw[header.clone()], heading.default);
        // One level is kept free, because a message needs another entity inside.
        let too_deep = self.stack.len() + 2 > DEPTH_MAX;
        let inside = if content.media.is_main("multipart") && !too_deep {
            let boundary = boundary(&content.media).filter(|_| self.parts < PARTS_MAX);
            if let Some(boundary) = &boundary {
                self.delimiters.entry(boundary.clone()).or_default().push(self.stack.len());
            }
            Inside::Multipart { boundary, parts: Vec::new() }
        } else if content.media.is_message() && !too_deep && !content.is_encoded() {
            self.heading = Some(Heading::at(body_start, body_start_lines, MediaType::text_plain()));
            Inside::Message { part: None }
        } else {
            if content.media.is_main("multipart") || content.media.is_message() {
                content.media = content.media.into_octets();
            }
            Inside::Leaf
        };
        self.stack.push(Open { header, body_start, body_start_lines, content, inside });
    }

    /// Ends every header section at `end`, for want of a blank line.
    fn end_headings(&mut self, end: usize) {
        while let Some(heading) = &self.heading {
            // Without any field it is all body: also what was read as the header of what proved to be a message around it.
            let no_header = (!heading.any_field).then_some((heading.start, heading.start_lines));
            let (at, lines) = heading.first_stray.or(no_header).unwrap_or((end, self.lines_before));
            self.end_header(at, at, lines);
        }
    }

    fn delimiter(&self, line: &[u8]) -> Option<Delimiter> {
        if self.delimiters.is_empty() || line.len() > BOUNDARY_BYTES_MAX + 1_000 {
            return None;
        }
        let text = line[2..].trim_ascii_end();
        let innermost = |boundary: &[u8]| self.delimiters.get(boundary).and_then(|levels| levels.last().copied());
        if let Some(level) = innermost(text) {
            return Some(Delimiter { level, closing: false });
        }
        let level = innermost(text.strip_suffix(b"--")?)?;
        Some(Delimiter { level, closing: true })
    }

    fn at_delimiter(&mut self, delimiter: &Delimiter, start: usize, end: usize) {
        self.drop_empty_part(start);
        self.end_headings(start);
        // The line end before the delimiter belongs to it.
        let before = &self.raw[..start];
        let body_end = match before.strip_suffix(b"\n") {
            Some(before) => before.strip_suffix(b"\r").unwrap_or(before).len(),
            None => start,
        };
        self.close_down_to(delimiter.level + 1, body_end, self.lines_before.saturating_sub(1));
        if delimiter.closing {
            self.forget_boundary(delimiter.level);
            return;
        }
        let digest = self.stack.last().is_some_and(|open| open.content.media.is("multipart", "digest"));
        let default = if digest { MediaType::message() } else { MediaType::text_plain() };
        self.heading = Some(Heading::at(end, self.lines_before + 1, default));
        self.parts += 1;
        if self.parts >= PARTS_MAX {
            self.delimiters.clear();
        }
    }

    /// Nothing at all since the delimiter before: there is no part between the two.
    fn drop_empty_part(&mut self, start: usize) {
        let in_multipart = self.stack.last().is_some_and(|open| matches!(open.inside, Inside::Multipart { .. }));
        if in_multipart && self.heading.as_ref().is_some_and(|heading| heading.start == start) {
            self.heading = None;
            self.parts -= 1;
        }
    }

    /// The multipart at this level is closed: what follows is its epilogue.
    fn forget_boundary(&mut self, level: usize) {
        let Some(Open { inside: Inside::Multipart { boundary, .. }, .. }) = self.stack.get_mut(level) else { return };
        let Some(boundary) = boundary.take() else { return };
        if let Some(levels) = self.delimiters.get_mut(&boundary) {
            levels.retain(|open| *open != level);
            if levels.is_empty() {
                self.delimiters.remove(&boundary);
            }
        }
    }

    /// Closes the entities above the first `keep`, their bodies ending at `end` with so many line ends before it.
    fn close_down_to(&mut self, keep: usize, end: usize, end_lines: u32) {
        // The outermost entity that ends here may have nothing but its header, which then goes to the delimiter.
        let end = self.stack.get(keep).map_or(end, |outermost| end.max(outermost.body_start));
        while self.stack.len() > keep {
            self.forget_boundary(self.stack.len() - 1);
            let Some(mut open) = self.stack.pop() else { return };
            self.steps += 1;
            if self.stack.len() > keep {
                open.end_at_most(end);
            }
            let part = close(self.raw, open, end, end_lines);
            match self.stack.last_mut().map(|parent| &mut parent.inside) {
                Some(Inside::Multipart { parts, .. }) => parts.push(part),
                Some(Inside::Message { part: inner }) => *inner = Some(Box::new(part)),
                Some(Inside::Leaf) | None => self.finished = Some(part),
            }
        }
    }
}

fn close(raw: &[u8], open: Open, end: usize, end_lines: u32) -> Part {
    let body = open.body_start..end.max(open.body_start);
    let lines = if body.is_empty() { 0 } else { end_lines.saturating_sub(open.body_start_lines) };
    let kind = match open.inside {
        Inside::Leaf => Kind::Leaf,
        Inside::Multipart { parts, .. } if parts.is_empty() => {
            let whole = Part { body: body.clone(), lines, ..empty_part(body.start, MediaType::text_plain()) };
            Kind::Multipart(vec![whole])
        }
        Inside::Multipart { parts, .. } => Kind::Multipart(parts),
        Inside::Message { part } => {
            let part = part.map_or_else(|| empty_part(body.start, MediaType::text_plain()), |part| *part);
            Kind::Message(Box::new(message(raw, part)))
        }
    };
    Part { header: open.header, body, lines, content: open.content, kind }
}

fn message(raw: &[u8], top: Part) -> Structure {
    Structure { envelope: Envelope::parse(&raw[top.header.clone()]), top }
}

fn empty_part(at: usize, media: MediaType) -> Part {
    Part { header: at..at, body: at..at, lines: 0, content: Content::of(media), kind: Kind::Leaf }
}

/// The boundary without the space at its end, which cannot be part of it (RFC 2046 5.1.1, `bchars`).
fn boundary(media: &MediaType) -> Option<Vec<u8>> {
    let given = match media.params.get("boundary") {
        Some(given) => given.to_vec(),
        None => media.params.text("boundary")?.into_bytes(),
    };
    let boundary = given.trim_ascii_end();
    (!boundary.is_empty() && boundary.len() <= BOUNDARY_BYTES_MAX).then(|| boundary.to_vec())
}

/// The line that mailbox files put before a message.
fn is_mbox_line(line: &[u8]) -> bool {
    line.starts_with(b"From ") || line.starts_with(b">From ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The structure as one line: types, with the octets of leaves and the text of their bodies.
    fn shown(raw: &str) -> String {
        fn show(raw: &str, part: &Part) -> String {
            let media = &part.content.media;
            let name = format!("{}/{}", String::from_utf8_lossy(&media.main), String::from_utf8_lossy(&media.sub));
            match &part.kind {
                Kind::Leaf => format!("{name}={:?}", &raw[part.body.clone()]),
                Kind::Multipart(parts) => {
                    let parts: Vec<String> = parts.iter().map(|part| show(raw, part)).collect();
                    format!("{name}[{}]", parts.join(" "))
                }
                Kind::Message(message) => format!("{name}({})", show(raw, &message.top)),
            }
        }
        show(raw, &Structure::parse(raw.as_bytes()).top)
    }

    /// The same with either line end; the bodies are compared with LF.
    fn check(raw: &str, expected: &str) {
        assert_eq!(shown(raw), expected, "{raw:?}");
        let crlf = shown(&raw.replace('\n', "\r\n")).replace("\\r\\n", "\\n");
        assert_eq!(crlf, expected, "CRLF {raw:?}");
    }

    const MIXED: &str = "Content-Type: multipart/mixed; boundary=b\n\n";

    #[test]
    fn a_message_without_mime_is_plain_text() {
        check("", "text/plain=\"\"");
        check("Subject: s\n\nbody\n", "text/plain=\"body\\n\"");
        check("Subject: s\n", "text/plain=\"\"");
        check("\nbody", "text/plain=\"body\"");
    }

    #[test]
    fn parts_are_between_delimiters_and_preamble_and_epilogue_are_none() {
        check(
            &format!("{MIXED}pre\n--b\n\none\n\n--b \t\nContent-Type: text/html\n\ntwo\n--b--\nepi\n--b\n\nno"),
            "multipart/mixed[text/plain=\"one\\n\" text/html=\"two\"]",
        );
    }

    #[test]
    fn a_multipart_that_never_closes_goes_to_the_end() {
        check(&format!("{MIXED}--b\n\none\n--b\n\ntwo\n"), "multipart/mixed[text/plain=\"one\" text/plain=\"two\\n\"]");
        check(&format!("{MIXED}--b\n\none\n--b"), "multipart/mixed[text/plain=\"one\" text/plain=\"\"]");
    }

    #[test]
    fn an_outer_delimiter_ends_inner_multiparts_and_messages() {
        let inner = "Content-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=bb\n\n--bb\n\nin\n";
        check(
            &format!("{MIXED}--b\n{inner}--b\n\nout\n--b--\n"),
            "multipart/mixed[message/rfc822(multipart/mixed[text/plain=\"in\"]) text/plain=\"out\"]",
        );
    }

    #[test]
    fn a_boundary_that_begins_like_another_is_another() {
        check(
            &format!(
                "{MIXED}--b\nContent-Type: multipart/mixed; boundary=\"b-\"\n\n--b-\n\nin\n--b-x\n--b---\n--b\n\nout\n--b--"
            ),
            "multipart/mixed[multipart/mixed[text/plain=\"in\\n--b-x\"] text/plain=\"out\"]",
        );
    }

    #[test]
    fn of_equal_boundaries_the_innermost_is_meant() {
        check(
            &format!("{MIXED}--b\n{MIXED}--b\n\nin\n--b--\n--b\n\nout\n--b--"),
            "multipart/mixed[multipart/mixed[text/plain=\"in\"] text/plain=\"out\"]",
        );
    }

    #[test]
    fn a_multipart_without_parts_shows_its_body_as_text() {
        check("Content-Type: multipart/mixed\n\n--b\n\nx", "multipart/mixed[text/plain=\"--b\\n\\nx\"]");
        check(&format!("{MIXED}body\n"), "multipart/mixed[text/plain=\"body\\n\"]");
        check(&format!("{MIXED}--b--\n"), "multipart/mixed[text/plain=\"--b--\\n\"]");
        check("Content-Type: multipart/mixed; boundary=\"\"\n\n--\n\nx", "multipart/mixed[text/plain=\"--\\n\\nx\"]");
    }

    #[test]
    fn between_two_delimiters_with_nothing_between_is_no_part() {
        check(&format!("{MIXED}--b\n--b\n\n--b\n\n\n--b\n--b--"), "multipart/mixed[text/plain=\"\" text/plain=\"\"]");
    }

    #[test]
    fn parts_of_a_digest_are_messages_by_default() {
        let digest = "Content-Type: multipart/digest; boundary=b\n\n";
        check(
            &format!("{digest}--b\n\nSubject: s\n\nbody\n--b\nContent-Type: text/html\n\nx\n--b--"),
            "multipart/digest[message/rfc822(text/plain=\"body\") text/html=\"x\"]",
        );
        check(
            &format!("{digest}--b\n--b \nno header\n\nbody\n--b--"),
            "multipart/digest[message/rfc822(text/plain=\"no header\\n\\nbody\")]",
        );
    }

    #[test]
    fn enclosed_messages_are_read_unless_encoded() {
        check("Content-Type: message/global\n\nSubject: s\n\nx", "message/global(text/plain=\"x\")");
        check("Content-Type: message/rfc822\n\n", "message/rfc822(text/plain=\"\")");
        check(
            "Content-Type: message/rfc822\nContent-Transfer-Encoding: Base64\n\nAAAA",
            "application/octet-stream=\"AAAA\"",
        );
        check(
            "Content-Type: message/delivery-status\n\nA: b\n\nC: d\n",
            "message/delivery-status=\"A: b\\n\\nC: d\\n\"",
        );
        check(
            "Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: base64\n\n--b\n\nx\n--b--",
            "multipart/mixed[text/plain=\"x\"]",
        );
    }

    #[test]
    fn stray_lines_do_not_end_a_header_section() {
        check("Subject: s\nstray line\n continued\nContent-Type: text/html\n\nx", "text/html=\"x\"");
        check("From someone Mon Jan  1\nContent-Type: text/html\n\nx", "text/html=\"x\"");
        check("Subject: s\n \nContent-Type: text/html\n\nx", "text/html=\"x\"");
    }

    #[test]
    fn a_section_without_fields_or_end_is_body() {
        check("Hello world\n\nmore\n", "text/plain=\"Hello world\\n\\nmore\\n\"");
        check(
            &format!("{MIXED}--b\nHello\n--b\nContent-Type: text/html\nHello again\n--b--"),
            "multipart/mixed[text/plain=\"Hello\" text/html=\"Hello again\"]",
        );
        check("Content-Type: message/rfc822\n\nno header", "message/rfc822(text/plain=\"no header\")");
    }

    #[test]
    fn a_delimiter_ends_the_header_that_forgot_its_blank_line() {
        check(
            "Content-Type: multipart/mixed; boundary=b\n--b\nContent-Type: text/html\n--b\n\nx\n--b--",
            "multipart/mixed[text/html=\"\" text/plain=\"x\"]",
        );
    }

    #[test]
    fn an_enclosed_message_that_is_only_a_header_lies_inside_its_part() {
        for (end, header) in [("\r\n\r\n", "Subject: s\r\n"), ("\r\n", "Subject: s")] {
            let raw = format!("{MIXED}--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: s{end}--b--\r\n");
            let structure = Structure::parse(raw.as_bytes());
            let part = &structure.top.children()[0];
            let inner = &part.children()[0];
            assert_eq!((&raw[part.body.clone()], &raw[inner.header.clone()]), (header, header));
            assert!(inner.body.is_empty() && part.lines == header.matches('\n').count() as u32);
        }
    }

    #[test]
    fn header_and_body_ranges_and_lines_are_exact() {
        let raw = format!("{MIXED}--b\r\nA: 1\r\n\r\none\r\ntwo\r\n--b--\r\n");
        let structure = Structure::parse(raw.as_bytes());
        let part = &structure.top.children()[0];
        assert_eq!(&raw[part.header.clone()], "A: 1\r\n\r\n");
        assert_eq!(&raw[part.body.clone()], "one\r\ntwo");
        assert_eq!(part.lines, 1);
        assert_eq!(structure.top.lines, 6);
        assert_eq!(&raw[structure.top.header.clone()], MIXED);
    }

    /// What a hostile message costs, in steps for each of its lines.
    fn steps_per_line(raw: &str) -> usize {
        let lines = raw.bytes().filter(|byte| *byte == b'\n').count();
        Structure::parse_counting(raw.as_bytes()).1 / lines
    }

    #[test]
    fn hostile_nesting_costs_a_few_steps_for_each_line() {
        let multiparts: String =
            (0..100_000).map(|n| format!("Content-Type: multipart/x; boundary={n}\n\n--{n}\n")).collect();
        assert!(steps_per_line(&multiparts) <= 3);
        let one_boundary = format!("{MIXED}--b\n").repeat(100_000);
        assert!(steps_per_line(&one_boundary) <= 3);
        let messages = "Content-Type: message/rfc822\n\n".repeat(100_000);
        assert!(steps_per_line(&messages) <= 3);
        let digests = format!("Content-Type: multipart/digest; boundary=b\n\n{}", "--b\nx\n\n".repeat(100_000));
        assert!(steps_per_line(&digests) <= 5);
        let opened: String = (0..90).map(|n| format!("Content-Type: multipart/x; boundary={n}\n\n--{n}\n")).collect();
        assert!(steps_per_line(&format!("{opened}\n{}", "--89\n--y\n".repeat(100_000))) <= 3);
    }

    fn depth(part: &Part) -> usize {
        1 + part.children().iter().map(depth).max().unwrap_or(0)
    }

    #[test]
    fn depth_is_bounded_and_what_is_deeper_is_not_interpreted() {
        let messages = "Content-Type: message/rfc822\n\n".repeat(1_000);
        let multiparts: String =
            (0..1_000).map(|n| format!("Content-Type: multipart/x; boundary={n}\n\n--{n}\n")).collect();
        for raw in [messages, multiparts] {
            let structure = Structure::parse(raw.as_bytes());
            assert_eq!(depth(&structure.top), DEPTH_MAX);
            let deepest = structure.leaves().next().expect("a leaf");
            assert!(deepest.content.media.is("application", "octet-stream"));
            assert!(deepest.body.len() > 20_000);
        }
    }

    #[test]
    fn behind_the_last_part_counted_delimiters_are_text() {
        let raw = format!("{MIXED}{}", "--b\n\nx\n".repeat(PARTS_MAX + 500));
        let structure = Structure::parse(raw.as_bytes());
        assert_eq!(structure.top.children().len(), PARTS_MAX - 1);
        let last = structure.top.children().last().expect("parts");
        assert!(last.body.len() > 500 && last.body.end == raw.len());
    }
}
