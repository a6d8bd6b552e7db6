//! Modified UTF-7, how mailbox names travel until the client enables UTF-8 (RFC 3501 5.1.3, RFC 9051 A.1).

use base64::Engine;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Base64 with `,` for `/` and without padding; bits left over must be zero.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &IMAP_MUTF7,
    GeneralPurposeConfig::new().with_encode_padding(false).with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// Printable ASCII stands for itself, `&` is `&-`, everything else is UTF-16 in base64 between `&` and `-`.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut shifted: Vec<u8> = Vec::new();
    for c in text.chars() {
        if !(' '..='~').contains(&c) {
            let mut units = [0; 2];
            shifted.extend(c.encode_utf16(&mut units).iter().flat_map(|unit| unit.to_be_bytes()));
            continue;
        }
        unshift(&mut out, &mut shifted);
        match c {
            '&' => out.push_str("&-"),
            plain => out.push(plain),
        }
    }
    unshift(&mut out, &mut shifted);
    out
}

fn unshift(out: &mut String, shifted: &mut Vec<u8>) {
    if !shifted.is_empty() {
        out.push('&');
        BASE64.encode_string(&shifted, out);
        out.push('-');
        shifted.clear();
    }
}

/// The inverse. `None` for what no encoder writes: a shift that is not closed, printable ASCII inside one, two in a row,
/// lone surrogates. Octets above 127 are taken as UTF-8, which some clients send unasked.
pub fn decode(octets: &[u8]) -> Option<String> {
    let mut rest = std::str::from_utf8(octets).ok()?;
    let mut out = String::with_capacity(rest.len());
    // Whether the text so far ends with a shift, so that a second one would have been part of it.
    let mut shifted = false;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        shifted &= at == 0;
        let (inside, behind) = rest[at + 1..].split_once('-')?;
        rest = behind;
        if inside.is_empty() {
            out.push('&');
            shifted = false;
            continue;
        }
        let text = from_base64(inside)?;
        if shifted || text.chars().any(|c| (' '..='~').contains(&c)) {
            return None;
        }
        out.push_str(&text);
        shifted = true;
    }
    out.push_str(rest);
    Some(out)
}

fn from_base64(inside: &str) -> Option<String> {
    let octets = BASE64.decode(inside).ok()?;
    if octets.len() % 2 != 0 {
        return None;
    }
    let units: Vec<u16> = octets.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
    String::from_utf16(&units).ok()
}

/// The law of both ways: any text comes back, is printable US-ASCII on its way, and octets are read in one way only.
pub fn fuzz(octets: &[u8]) {
    let text = String::from_utf8_lossy(octets);
    let encoded = encode(&text);
    assert!(encoded.bytes().all(|octet| (b' '..=b'~').contains(&octet)), "{encoded:?}");
    assert_eq!(decode(encoded.as_bytes()).as_deref(), Some(&*text), "{encoded:?} comes back");
    if let Some(text) = decode(octets)
        && octets.is_ascii()
        && !octets.iter().any(u8::is_ascii_control)
    {
        assert_eq!(encode(&text).as_bytes(), octets, "{text:?} has one form");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn examples_of_the_rfc_and_of_french_mailboxes() {
        for (text, encoded) in [
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("Envoyés", "Envoy&AOk-s"),
            ("R&D", "R&-D"),
            ("😀", "&2D3eAA-"),
            ("INBOX", "INBOX"),
        ] {
            assert_eq!(encode(text), encoded);
            assert_eq!(decode(encoded.as_bytes()).as_deref(), Some(text));
        }
        assert_eq!(decode("Envoyés".as_bytes()).as_deref(), Some("Envoyés"));
    }

    #[test]
    fn what_no_encoder_writes_is_refused() {
        for wrong in ["&", "&AOk", "&AGE-", "&2D0-", "&AOk-&AOk-", "&AO-", "&AOl-", "&*-", "&AOk=-"] {
            assert_eq!(decode(wrong.as_bytes()), None, "{wrong}");
        }
        assert_eq!(decode(b"a\xff"), None);
    }

    proptest! {
        #[test]
        fn decoding_is_the_inverse_of_encoding(text in ".*") {
            let encoded = encode(&text);
            prop_assert!(encoded.is_ascii());
            prop_assert_eq!(decode(encoded.as_bytes()), Some(text));
        }

        #[test]
        fn what_decodes_from_ascii_encodes_to_the_same(octets in "[ -~]*|&[A-Za-z0-9+,]{1,12}-") {
            if let Some(text) = decode(octets.as_bytes()) {
                prop_assert_eq!(encode(&text), octets);
            }
        }

        #[test]
        fn no_octets_break_the_law(octets in prop::collection::vec(any::<u8>(), 0..30), text in "[a&+,Aé-]{0,20}") {
            fuzz(&octets);
            fuzz(text.as_bytes());
        }
    }
}
