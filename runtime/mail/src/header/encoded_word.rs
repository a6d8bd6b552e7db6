//! Encoded words (RFC 2047), decoding only, with the mistakes senders make: spaces inside, words split inside a character,
//! words without space between them.

use super::charset;
use crate::mime::transfer;

/// Longest charset label looked at.
const CHARSET_BYTES_MAX: usize = 64;

struct Word<'a> {
    charset: &'a [u8],
    base64: bool,
    text: &'a [u8],
    length: usize,
}

/// A field value for people: encoded words decoded, other bytes as UTF-8 or windows-1252. Linear in the input.
pub fn decode_words(value: &[u8]) -> String {
    let mut text = String::with_capacity(value.len());
    let mut plain_start = 0;
    let mut at = 0;
    // Bytes of adjacent words in one charset are decoded together, because senders split multi-byte characters.
    let mut pending: Option<(&[u8], Vec<u8>)> = None;
    while at < value.len() {
        let word = if value[at..].starts_with(b"=?") { word_at(&value[at..]) } else { None };
        let Some(word) = word else {
            at += 1;
            continue;
        };
        let between = &value[plain_start..at];
        // RFC 2047 6.2: space between two encoded words is not shown.
        let adjacent = pending.is_some() && between.iter().all(u8::is_ascii_whitespace);
        if !adjacent {
            flush(&mut pending, &mut text);
            text.push_str(&charset::guess(between));
        }
        let bytes = if word.base64 { transfer::base64(word.text) } else { q_decode(word.text) };
        match &mut pending {
            Some((charset, collected)) if charset.eq_ignore_ascii_case(word.charset) => collected.extend(bytes),
            _ => {
                flush(&mut pending, &mut text);
                pending = Some((word.charset, bytes));
            }
        }
        at += word.length;
        plain_start = at;
    }
    flush(&mut pending, &mut text);
    text.push_str(&charset::guess(&value[plain_start..]));
    text
}

fn flush(pending: &mut Option<(&[u8], Vec<u8>)>, text: &mut String) {
    if let Some((charset, bytes)) = pending.take() {
        text.push_str(&charset::decode(charset, &bytes));
    }
}

/// `=?charset?encoding?text?=` at the beginning of `bytes`. It looks no further than the fourth question mark, so that all
/// attempts together stay linear.
fn word_at(bytes: &[u8]) -> Option<Word<'_>> {
    let rest = &bytes[2..];
    let charset_length = rest.iter().take(CHARSET_BYTES_MAX).position(|byte| *byte == b'?')?;
    let (charset, rest) = (&rest[..charset_length], &rest[charset_length + 1..]);
    let base64 = match rest.first()? {
        b'B' | b'b' => true,
        b'Q' | b'q' => false,
        _ => return None,
    };
    let rest = rest[1..].strip_prefix(b"?")?;
    let text_length = rest.iter().position(|byte| *byte == b'?')?;
    if rest.get(text_length + 1) != Some(&b'=') || charset.is_empty() {
        return None;
    }
    // RFC 2231 5: a language may follow the charset behind `*`.
    let charset = charset.split(|byte| *byte == b'*').next().unwrap_or(charset);
    // `=?`, the charset and its language, `?q?`, the text, `?=`.
    let length = 2 + charset_length + 3 + text_length + 2;
    Some(Word { charset, base64, text: &rest[..text_length], length })
}

/// RFC 2047 4.2.
fn q_decode(text: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'_' { b' ' } else { *byte }).collect();
    transfer::hex_escapes(&spaced)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, expected: &str) {
        assert_eq!(decode_words(value.as_bytes()), expected, "{value:?}");
    }

    #[test]
    fn examples_of_rfc_2047_section_8_are_read() {
        check("(=?ISO-8859-1?Q?a?=)", "(a)");
        check("(=?ISO-8859-1?Q?a?= b)", "(a b)");
        check("(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)");
        check("(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)", "(ab)");
        check("(=?ISO-8859-1?Q?a_b?=)", "(a b)");
        check("(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)");
        check("=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>", "Keith Moore <moore@cs.utk.edu>");
        check(
            "=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\t=?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=",
            "If you can read this you understand the example.",
        );
    }

    #[test]
    fn a_character_split_over_two_words_is_whole() {
        check("=?utf-8?Q?=C5?= =?UTF-8?Q?=93uf?=", "œuf");
    }

    #[test]
    fn a_language_behind_the_charset_is_passed_over() {
        check("=?us-ascii*en?Q?hello?=", "hello");
    }

    #[test]
    fn what_is_no_encoded_word_stays() {
        for text in
            ["=?", "=?utf-8", "=?utf-8?x?abc?=", "=?utf-8?q?abc", "=?utf-8?q?abc?", "=??q?abc?=", "a =? b ?= c", "déjà"]
        {
            check(text, text);
        }
    }

    #[test]
    fn raw_latin_1_bytes_are_shown() {
        assert_eq!(decode_words(b"caf\xe9 =?utf-8?q?=C3=A9?="), "café é");
    }
}
