//! The law of the reader for bytes from anywhere; the seeded test beside it and the endless fuzzers call the same
//! function.

use super::source::FileId;
use super::{ERRORS_MAX, Entries, read};
use serde::de::IgnoredAny;

/// Never panics, loses no byte, says a bounded number of things, and decoding says nothing about a file that the
/// reader could not read.
pub fn fuzz(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut found = Vec::new();
    let document = read(FileId(0), &text, &mut found);
    assert!(found.len() <= ERRORS_MAX);
    let mut end = 0;
    for token in &document.tree().tokens {
        assert_eq!(token.start, end);
        assert!(token.end > token.start && text.is_char_boundary(token.end as usize));
        end = token.end;
    }
    assert!(end as usize == text.len() || document.tree().tokens.is_empty());
    for span in document.path_spans().values() {
        assert!(text.get(span.start as usize..span.end as usize).is_some());
    }
    for section in document.sections() {
        let mut sink = Vec::new();
        let decoded = document.decode_field::<Entries<IgnoredAny>>(section.name, &mut sink);
        assert!(sink.is_empty() || decoded.has_mistakes());
    }
}
