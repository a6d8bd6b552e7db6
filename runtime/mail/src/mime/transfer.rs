//! Content-transfer-encodings, decoding only (RFC 2045 6). Lenient: what is not of the encoding is passed over (base64) or
//! kept as it is (quoted-printable), as RFC 2045 6.7 and 6.8 advise.

use std::borrow::Cow;

/// The decoded octets of a body. Encodings other than base64 and quoted-printable are the identity.
pub fn decode<'a>(encoding: &[u8], body: &'a [u8]) -> Cow<'a, [u8]> {
    if encoding.eq_ignore_ascii_case(b"base64") {
        Cow::Owned(base64(body))
    } else if encoding.eq_ignore_ascii_case(b"quoted-printable") {
        Cow::Owned(quoted_printable(body))
    } else {
        Cow::Borrowed(body)
    }
}

/// RFC 2045 6.8. Octets outside the alphabet are passed over; padding ends a group and what follows begins another.
pub fn base64(text: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let mut group: u32 = 0;
    let mut bits: u32 = 0;
    for &byte in text {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => {
                (group, bits) = (0, 0);
                continue;
            }
            _ => continue,
        };
        group = (group << 6 | u32::from(value)) & 0xff_ffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            octets.push((group >> bits) as u8);
        }
    }
    octets
}

/// RFC 2045 6.7: escapes, soft line breaks, and the space at the end of a line that transport may have added.
pub fn quoted_printable(text: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let (content, end) = match line.strip_suffix(b"\n") {
            Some(content) => match content.strip_suffix(b"\r") {
                Some(content) => (content, &b"\r\n"[..]),
                None => (content, &b"\n"[..]),
            },
            None => (line, &b""[..]),
        };
        let content = content.trim_ascii_end();
        match content.strip_suffix(b"=") {
            Some(content) => escapes_onto(content, &mut octets),
            None => {
                escapes_onto(content, &mut octets);
                octets.extend_from_slice(end);
            }
        }
    }
    octets
}

/// `=XX` decoded, everything else as it is.
pub fn hex_escapes(text: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len());
    escapes_onto(text, &mut octets);
    octets
}

fn escapes_onto(text: &[u8], octets: &mut Vec<u8>) {
    let mut rest = text;
    while let Some((&first, tail)) = rest.split_first() {
        match (first, tail) {
            (b'=', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                octets.push(hex(*high) << 4 | hex(*low));
                rest = after;
            }
            _ => {
                octets.push(first);
                rest = tail;
            }
        }
    }
}

/// The value of a hexadecimal digit; 0 for anything else.
pub fn hex(digit: u8) -> u8 {
    char::from(digit).to_digit(16).unwrap_or(0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_across_lines_and_rubbish() {
        assert_eq!(base64(b"aGVs\r\nbG8="), b"hello");
        assert_eq!(base64(b"aGVs!bG8"), b"hello");
        assert_eq!(base64(b"aGk=aGk="), b"hihi");
        assert_eq!(base64(b"a"), b"");
    }

    #[test]
    fn base64_agrees_with_another_implementation() {
        use ::base64::Engine as _;
        let octets: Vec<u8> = (0..=255).cycle().take(1000).collect();
        for length in 0..octets.len() {
            let text = ::base64::engine::general_purpose::STANDARD.encode(&octets[..length]);
            assert_eq!(base64(text.as_bytes()), &octets[..length]);
        }
    }

    #[test]
    fn quoted_printable_keeps_what_is_no_escape() {
        assert_eq!(
            quoted_printable(b"caf=C3=a9 = 1=3D1 =x\r\nsoft=\r\n break =  \nend  \r\n"),
            "café = 1=1 =x\r\nsoft break end\r\n".as_bytes()
        );
        assert_eq!(quoted_printable(b"="), b"");
        assert_eq!(quoted_printable(b"=4"), b"=4");
    }
}
