//! What SEARCH looks at in a message (RFC 9051 6.4.4): one place for the search itself and for the index that shortens it.
//!
//! INVARIANT (searched): a text that a key finds in a field or in the body is in [`Searched`]'s header or body, unless it
//! says it is not whole.

use super::Structure;
use super::text::{body_text, header_text};
use crate::fold;
use crate::header::{Field, decode_words, fields, unfold};

/// So much of a header is searched, in octets and fields; nobody writes more in good faith.
const HEADER_OCTETS_MAX: usize = 1024 * 1024;
const FIELDS_MAX: usize = 10_000;

/// As much of the header as is searched. A field that the cut goes through is left out.
pub fn searched_fields(content: &[u8]) -> impl Iterator<Item = Field<'_>> {
    let start = &content[..content.len().min(HEADER_OCTETS_MAX)];
    let whole = move |field: &Field<'_>| start.len() == content.len() || field.lines.end < start.len();
    fields(start).take(FIELDS_MAX).take_while(whole)
}

/// The folded text of a field, for HEADER and its kin.
pub fn folded_value(field: &Field<'_>) -> String {
    fold(&decode_words(&unfold(field.raw_value())))
}

/// The folded text of the header, for TEXT: one field on a line.
pub fn folded_header(content: &[u8]) -> String {
    fold(&header_text(&content[..header_end(content)]))
}

/// The folded text of the body, for BODY and TEXT.
pub fn folded_body(content: &[u8], structure: &Structure) -> String {
    fold(&body_text(content, structure))
}

fn header_end(content: &[u8]) -> usize {
    searched_fields(content).last().map_or(0, |field| field.lines.end)
}

/// All folded text of a message.
pub struct Searched {
    pub header: String,
    pub body: String,
    /// False when the header is longer than what is searched: what was kept beside the message may say more of it.
    pub whole: bool,
}

impl Searched {
    /// Reads a whole message. Never fails.
    pub fn of(content: &[u8]) -> Searched {
        let whole = fields(&content[header_end(content)..]).next().is_none();
        let structure = Structure::parse(content);
        Searched { header: folded_header(content), body: folded_body(content, &structure), whole }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_every_field_is_in_the_header() {
        let content = b"Subject: =?utf-8?q?=C3=89t=C3=A9?=\r\n =?utf-8?q?_deux?=\r\nstray\r\nFrom: Zo\xc3\xa9\r\n  <z@x>\r\nX:\r\n\r\nB: no\r\n";
        let searched = Searched::of(content);
        assert_eq!(searched.header, "subject: ete deux\nfrom: zoe  <z@x>\nx: \n");
        for field in searched_fields(content) {
            assert!(searched.header.contains(&folded_value(&field)));
        }
        assert!(searched.whole);
        // The body begins at the stray line; its text is searched as such too.
        assert!(searched.body.contains("b: no"));
    }

    #[test]
    fn a_header_that_is_cut_is_not_whole() {
        let few = format!("b: near\r\n{}", "a:\r\n".repeat(FIELDS_MAX - 1));
        assert!(Searched::of(few.as_bytes()).whole);
        let many = format!("{few}c: far\r\n\r\n");
        assert_eq!(searched_fields(many.as_bytes()).count(), FIELDS_MAX);
        let long = format!("b: near\r\nx: {}\r\nc: far\r\n\r\n", "x".repeat(HEADER_OCTETS_MAX));
        assert_eq!(searched_fields(long.as_bytes()).count(), 1);
        for content in [many.as_bytes(), long.as_bytes()] {
            let searched = Searched::of(content);
            assert!(searched.header.contains("near") && !searched.header.contains("far") && !searched.whole);
        }
    }
}
