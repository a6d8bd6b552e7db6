//! Character sets: bytes and a label of RFC 2046 4.1.2 to text. Never fails; what cannot be read becomes U+FFFD.

use encoding_rs::{Encoding, REPLACEMENT, UTF_8, WINDOWS_1252};

/// Decodes `bytes` by the charset `label` (IANA name or alias, any case).
///
/// US-ASCII, no label and unknown labels are read as UTF-8 when the bytes are legal UTF-8, else as windows-1252: that is what
/// senders who forget the label mean, and a reader sees more than with replacement characters alone.
pub fn decode(label: &[u8], bytes: &[u8]) -> String {
    let known = Encoding::for_label(label).filter(|encoding| *encoding != REPLACEMENT);
    match known {
        Some(encoding) if encoding != WINDOWS_1252 => encoding.decode_without_bom_handling(bytes).0.into_owned(),
        Some(_) if !label.eq_ignore_ascii_case(b"us-ascii") => {
            WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned()
        }
        _ => guess(bytes),
    }
}

/// Text without a label.
pub fn guess(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        // Text cut inside its last character is still UTF-8, if other characters of it were.
        Err(error) if error.error_len().is_none() && !bytes[..error.valid_up_to()].is_ascii() => {
            UTF_8.decode_without_bom_handling(bytes).0.into_owned()
        }
        Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labelled_and_unlabelled_text_is_read() {
        assert_eq!(decode(b"ISO-8859-1", b"caf\xe9"), "café");
        assert_eq!(decode(b"utf-8", "œuf".as_bytes()), "œuf");
        assert_eq!(decode(b"us-ascii", "œuf".as_bytes()), "œuf");
        assert_eq!(decode(b"x-none", b"caf\xe9"), "café");
        assert_eq!(guess(b"\xc5\x93uf \xc3"), "œuf \u{fffd}");
        assert_eq!(decode(b"iso-2022-jp", b"\x1b$B$3\x1b(B"), "こ");
        assert_eq!(decode(b"utf-8", b"a\xffb"), "a\u{fffd}b");
    }
}
