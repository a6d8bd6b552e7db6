//! The law of header sections, for the fuzzer and for the seeded run of `mime`.

use super::{decode_words, fields};
use crate::fold;

/// Fields lie apart and in order, values are one line, decoding grows no text beyond what its octets can mean, and what is
/// folded stays as it is.
pub fn fuzz(section: &[u8]) {
    let mut end = 0;
    for field in fields(section) {
        assert!(field.lines.start >= end && field.lines.end > field.lines.start, "fields overlap");
        assert!(field.lines.end <= section.len(), "a field ends behind the section");
        end = field.lines.end;
        assert!(
            field.name().iter().all(|octet| octet.is_ascii_graphic() && *octet != b':'),
            "a name of other characters"
        );
        assert!(!field.value().contains(&b'\n'), "a value of several lines");
        check_text(&field.value());
    }
    check_text(section);
}

fn check_text(value: &[u8]) {
    let text = decode_words(value);
    // An octet is at most one character of three octets: the sign for what cannot be read.
    assert!(text.len() <= 3 * value.len(), "{} octets from {}", text.len(), value.len());
    if value.is_ascii() && !value.windows(2).any(|pair| pair == b"=?") {
        assert_eq!(text.as_bytes(), value, "plain text stays");
    }
    let folded = fold(&text);
    assert_eq!(fold(&folded), folded, "folded once and for all");
}
