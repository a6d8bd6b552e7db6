//! Header fields as they stand in the message: RFC 5322 2.2 with the obsolete syntax of 4.5, lines ended by CRLF or bare LF.

use std::ops::Range;

use super::decode_words;

/// One field: its name, and where its lines and its value are in the section it was found in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    section: &'a [u8],
    name: Range<usize>,
    /// All lines of the field with their line ends.
    pub lines: Range<usize>,
}

impl<'a> Field<'a> {
    pub fn name(&self) -> &'a [u8] {
        &self.section[self.name.clone()]
    }

    /// Field names know no case (RFC 5322 1.2.2).
    pub fn is(&self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name.as_bytes())
    }

    /// The value as it stands, with its folding, from behind the colon to before the last line end.
    pub fn raw_value(&self) -> &'a [u8] {
        let rest = &self.section[self.name.end..self.lines.end];
        let colon = rest.iter().position(|byte| *byte == b':').map_or(rest.len(), |at| at + 1);
        let value = &rest[colon..];
        let value = value.strip_suffix(b"\n").unwrap_or(value);
        value.strip_suffix(b"\r").unwrap_or(value)
    }

    /// The value on one line, without the space around it, undecoded.
    pub fn value(&self) -> Vec<u8> {
        unfold(self.raw_value())
    }

    /// The value for people: unfolded, encoded words decoded.
    pub fn text(&self) -> String {
        decode_words(&self.value())
    }
}

/// The fields of a section, up to its blank line. Lines that are no field, and what continues them, are passed over.
pub fn fields(section: &[u8]) -> Fields<'_> {
    Fields { section, at: 0 }
}

/// The first field of that name.
pub fn find<'a>(section: &'a [u8], name: &str) -> Option<Field<'a>> {
    fields(section).find(|field| field.is(name))
}

/// The decoded text of the first field of that name; empty when there is none.
pub fn text_of(section: &[u8], name: &str) -> String {
    find(section, name).map(|field| field.text()).unwrap_or_default()
}

/// The iterator behind [`fields`].
pub struct Fields<'a> {
    section: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        loop {
            let start = self.at;
            let end = line_end(self.section, start);
            let line = &self.section[start..end];
            if line.is_empty() || is_blank(line) {
                return None;
            }
            self.at = end;
            let Some(name) = field_name(line) else { continue };
            while matches!(self.section.get(self.at), Some(b' ' | b'\t')) {
                self.at = line_end(self.section, self.at);
            }
            return Some(Field { section: self.section, name: start..start + name.len(), lines: start..self.at });
        }
    }
}

/// The name when the line begins a field: printable US-ASCII without colon, then perhaps space (RFC 5322 4.5), then a colon.
pub fn field_name(line: &[u8]) -> Option<&[u8]> {
    let length = line.iter().position(|byte| !matches!(byte, b'!'..=b'9' | b';'..=b'~'))?;
    let (name, rest) = line.split_at(length);
    let colon = rest.iter().find(|byte| !matches!(byte, b' ' | b'\t'));
    (length > 0 && colon == Some(&b':')).then_some(name)
}

/// Where the line that begins at `start` ends, its line feed included. Only LF ends a line; a bare CR does not.
pub fn line_end(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    memchr::memchr(b'\n', rest).map_or(bytes.len(), |at| start + at + 1)
}

/// The empty line that ends a header section. A line of spaces continues a field (RFC 5322 4.2) and ends nothing.
pub fn is_blank(line: &[u8]) -> bool {
    matches!(line, b"\r\n" | b"\n")
}

/// Where the blank line of a section is, if it ends with one.
pub fn ends_with_blank_line(section: &[u8]) -> Option<Range<usize>> {
    let without = section.strip_suffix(b"\n")?;
    let without = without.strip_suffix(b"\r").unwrap_or(without);
    (without.is_empty() || without.ends_with(b"\n")).then_some(without.len()..section.len())
}

/// Unfolds (RFC 5322 2.2.3: takes the line ends out and leaves the space behind them) and cuts the space around the value.
pub fn unfold(value: &[u8]) -> Vec<u8> {
    let mut unfolded = Vec::with_capacity(value.len());
    for line in value.split_inclusive(|byte| *byte == b'\n') {
        let line = match line.strip_suffix(b"\n") {
            Some(line) => line.strip_suffix(b"\r").unwrap_or(line),
            None => line,
        };
        unfolded.extend_from_slice(line);
    }
    unfolded.trim_ascii().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(section: &str) -> Vec<(String, String)> {
        fields(section.as_bytes())
            .map(|field| {
                (
                    String::from_utf8_lossy(field.name()).into_owned(),
                    String::from_utf8_lossy(&field.value()).into_owned(),
                )
            })
            .collect()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn fields_are_found_with_either_line_end_and_unfolded() {
        for end in ["\r\n", "\n"] {
            let section =
                "Subject: one\n two\n\tthree \nFrom : a@b\n: nothing\nno field\n continued\nX:\n\nnot: header\n"
                    .replace('\n', end);
            assert_eq!(listed(&section), [pair("Subject", "one two\tthree"), pair("From", "a@b"), pair("X", "")]);
        }
    }

    #[test]
    fn a_line_of_spaces_continues_and_does_not_end_the_section() {
        assert_eq!(listed("A: 1\r\n \r\nB: 2\r\n"), [pair("A", "1"), pair("B", "2")]);
    }

    #[test]
    fn lines_of_a_field_are_exactly_its_lines() {
        let section = b"mbox line\r\nA: 1\r\n\t2\r\nB: 3\r\n\r\n";
        let lines: Vec<&[u8]> = fields(section).map(|field| &section[field.lines]).collect();
        assert_eq!(lines, [&b"A: 1\r\n\t2\r\n"[..], b"B: 3\r\n"]);
        assert_eq!(ends_with_blank_line(section), Some(section.len() - 2..section.len()));
        assert_eq!(ends_with_blank_line(b"A: 1\r\n"), None);
        assert_eq!(ends_with_blank_line(b"\n"), Some(0..1));
    }

    #[test]
    fn a_bare_carriage_return_ends_no_line() {
        assert_eq!(listed("A: 1\rB: 2\r\n"), [pair("A", "1\rB: 2")]);
    }
}
