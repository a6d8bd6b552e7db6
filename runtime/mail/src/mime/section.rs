//! Sections of a message: what `BODY[section]` names (RFC 9051 6.4.5.1).

use std::ops::Range;

use super::part::{Kind, Part, Structure};
use crate::header::{ends_with_blank_line, fields};

/// What is asked of the part that the numbers name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SectionKind {
    /// No specifier: the body of the part; without numbers the whole message.
    All,
    /// The header of the message, or of the message/rfc822 part the numbers name.
    Header,
    /// Only the named fields of that header, or with `not` all others. Names in any case.
    HeaderFields { names: Vec<String>, not: bool },
    /// The body of the message, or of the message/rfc822 part the numbers name.
    Text,
    /// The MIME header of the numbered part.
    Mime,
}

impl Structure {
    /// The octets of a section, as ranges of the raw message to be sent one after the other. `None` when the message has no
    /// such part, or the part no such section (HEADER of a part that is no message, MIME without numbers).
    ///
    /// `raw` must be the message this structure was parsed from.
    pub fn section(&self, raw: &[u8], numbers: &[u32], kind: &SectionKind) -> Option<Vec<Range<usize>>> {
        let one = |range: &Range<usize>| Some(vec![range.clone()]);
        if numbers.is_empty() {
            return match kind {
                SectionKind::All => one(&(0..raw.len())),
                SectionKind::Header => one(&self.top.header),
                SectionKind::HeaderFields { names, not } => Some(header_fields(raw, &self.top.header, names, *not)),
                SectionKind::Text => one(&self.top.body),
                SectionKind::Mime => None,
            };
        }
        let part = self.part(numbers)?;
        match (kind, &part.kind) {
            (SectionKind::All, _) => one(&part.body),
            (SectionKind::Mime, _) => one(&part.header),
            (SectionKind::Header, Kind::Message(message)) => one(&message.top.header),
            (SectionKind::Text, Kind::Message(message)) => one(&message.top.body),
            (SectionKind::HeaderFields { names, not }, Kind::Message(message)) => {
                Some(header_fields(raw, &message.top.header, names, *not))
            }
            (
                SectionKind::Header | SectionKind::Text | SectionKind::HeaderFields { .. },
                Kind::Leaf | Kind::Multipart(_),
            ) => None,
        }
    }

    /// The part with these numbers. "Every message has at least one part number": part 1 of a message that is no multipart
    /// is its body. No numbers, no part.
    pub fn part(&self, numbers: &[u32]) -> Option<&Part> {
        // The entity whose parts the next number counts: always the body of a message, or a multipart.
        let mut container = Some(&self.top);
        let mut found = None;
        for &number in numbers {
            let of = container?;
            let index = usize::try_from(number).ok()?.checked_sub(1)?;
            let part = match &of.kind {
                Kind::Multipart(parts) => parts.get(index)?,
                Kind::Leaf | Kind::Message(_) if index == 0 => of,
                Kind::Leaf | Kind::Message(_) => return None,
            };
            container = match &part.kind {
                Kind::Leaf => None,
                Kind::Multipart(_) => Some(part),
                Kind::Message(message) => Some(&message.top),
            };
            found = Some(part);
        }
        found
    }
}

/// So much of a header is looked through for named fields, in octets and fields; nobody writes more in good faith.
const HEADER_BYTES_MAX: usize = 1 << 20;
const FIELDS_MAX: usize = 10_000;

/// The fields as they stand in the message, and the blank line: "subsetting does not exclude the delimiting blank line".
fn header_fields(raw: &[u8], header: &Range<usize>, names: &[String], not: bool) -> Vec<Range<usize>> {
    let section = &raw[header.clone()];
    // Sorted, so that a long list of names over many fields stays cheap.
    let mut wanted: Vec<Vec<u8>> = names.iter().map(|name| name.as_bytes().to_ascii_lowercase()).collect();
    wanted.sort_unstable();
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut add = |range: Range<usize>| match ranges.last_mut() {
        Some(last) if last.end == header.start + range.start => last.end = header.start + range.end,
        _ => ranges.push(header.start + range.start..header.start + range.end),
    };
    let start = &section[..section.len().min(HEADER_BYTES_MAX)];
    // A field that the cut goes through is left out.
    let whole = |end: usize| start.len() == section.len() || end < start.len();
    for field in fields(start).take(FIELDS_MAX).take_while(|field| whole(field.lines.end)) {
        if wanted.binary_search(&field.name().to_ascii_lowercase()).is_ok() != not {
            add(field.lines);
        }
    }
    if let Some(blank) = ends_with_blank_line(section) {
        add(blank);
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    const NESTED: &[u8] = b"Subject: top\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n\
        preamble\r\n--a\r\n\r\none\r\n--a\r\nContent-Type: message/rfc822\r\n\r\n\
        Subject: inner\r\nX: 1\r\n y\r\nTo: t@x\r\n\r\ninner text\r\n--a\r\n\
        Content-Type: message/rfc822\r\nX-Mime: yes\r\n\r\n\
        Subject: deep\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ndeep one\r\n--b\r\n\
        Content-Type: text/html\r\n\r\ndeep two\r\n--b--\r\n--a--\r\nepilogue\r\n";

    fn text(raw: &[u8], numbers: &[u32], kind: SectionKind) -> Option<String> {
        let ranges = Structure::parse(raw).section(raw, numbers, &kind)?;
        let octets: Vec<u8> = ranges.into_iter().flat_map(|range| raw[range].to_vec()).collect();
        Some(String::from_utf8_lossy(&octets).into_owned())
    }

    fn check(numbers: &[u32], kind: SectionKind, expected: Option<&str>) {
        assert_eq!(text(NESTED, numbers, kind.clone()).as_deref(), expected, "{numbers:?} {kind:?}");
    }

    fn named(names: &[&str], not: bool) -> SectionKind {
        SectionKind::HeaderFields { names: names.iter().map(|name| (*name).to_owned()).collect(), not }
    }

    #[test]
    fn numbers_descend_into_multiparts_and_messages() {
        check(&[1], SectionKind::All, Some("one"));
        check(&[2], SectionKind::All, Some("Subject: inner\r\nX: 1\r\n y\r\nTo: t@x\r\n\r\ninner text"));
        check(&[2, 1], SectionKind::All, Some("inner text"));
        check(&[3, 2], SectionKind::All, Some("deep two"));
        check(&[3, 2], SectionKind::Mime, Some("Content-Type: text/html\r\n\r\n"));
        check(&[3], SectionKind::Mime, Some("Content-Type: message/rfc822\r\nX-Mime: yes\r\n\r\n"));
        for numbers in [&[0][..], &[4], &[1, 1], &[2, 2], &[2, 1, 1], &[3, 3], &[3, 2, 1]] {
            check(numbers, SectionKind::All, None);
        }
    }

    #[test]
    fn header_and_text_are_of_messages_only() {
        check(&[2], SectionKind::Header, Some("Subject: inner\r\nX: 1\r\n y\r\nTo: t@x\r\n\r\n"));
        check(&[2], SectionKind::Text, Some("inner text"));
        check(&[3], SectionKind::Header, Some("Subject: deep\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"));
        for kind in [SectionKind::Header, SectionKind::Text, named(&["x"], false)] {
            check(&[1], kind.clone(), None);
            check(&[2, 1], kind, None);
        }
    }

    #[test]
    fn without_numbers_the_message_itself_is_meant() {
        let whole = std::str::from_utf8(NESTED).expect("ASCII");
        let (header, body) = whole.split_at(whole.find("preamble").expect("is there"));
        check(&[], SectionKind::All, Some(whole));
        check(&[], SectionKind::Header, Some(header));
        check(&[], SectionKind::Text, Some(body));
        check(&[], SectionKind::Mime, None);
    }

    #[test]
    fn fields_are_chosen_by_name_and_the_blank_line_stays() {
        check(&[2], named(&["x", "SUBJECT"], false), Some("Subject: inner\r\nX: 1\r\n y\r\n\r\n"));
        check(&[2], named(&["X"], true), Some("Subject: inner\r\nTo: t@x\r\n\r\n"));
        check(&[], named(&["none"], false), Some("\r\n"));
        assert_eq!(text(b"A: 1\r\nB: 2\r\n", &[], named(&["b"], false)).as_deref(), Some("B: 2\r\n"));
    }

    #[test]
    fn a_header_without_end_is_looked_through_up_to_its_bound() {
        let many = format!("b: near\r\n{}c: far\r\n\r\n", "a:\r\n".repeat(FIELDS_MAX));
        let long = format!("b: near\r\nx: {}\r\nc: far\r\n\r\n", "x".repeat(HEADER_BYTES_MAX));
        for raw in [many, long] {
            let found = text(raw.as_bytes(), &[], named(&["b", "c"], false));
            assert_eq!(found.as_deref(), Some("b: near\r\n\r\n"));
        }
    }

    #[test]
    fn a_message_that_is_no_multipart_has_part_1_only() {
        let raw = b"Subject: s\r\n\r\nbody\r\n";
        assert_eq!(text(raw, &[1], SectionKind::All).as_deref(), Some("body\r\n"));
        assert_eq!(text(raw, &[1], SectionKind::Mime).as_deref(), Some("Subject: s\r\n\r\n"));
        assert_eq!(text(raw, &[1, 1], SectionKind::All), None);
        assert_eq!(text(raw, &[2], SectionKind::All), None);
    }

    #[test]
    fn a_message_that_is_a_message_has_it_as_part_1_and_its_parts_below() {
        let raw = b"Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nbody\r\n";
        assert_eq!(text(raw, &[1], SectionKind::All).as_deref(), Some("Subject: in\r\n\r\nbody\r\n"));
        assert_eq!(text(raw, &[1], SectionKind::Header).as_deref(), Some("Subject: in\r\n\r\n"));
        assert_eq!(text(raw, &[1, 1], SectionKind::All).as_deref(), Some("body\r\n"));
        assert_eq!(text(raw, &[1, 1, 1], SectionKind::All), None);
    }
}
