//! The relaxed canonicalisations of RFC 6376 3.4: what of a message a signature covers, whatever a relay does to its space.
//!
//! A bare LF ends a line as CRLF does, because the way out writes it so; a bare CR is an ordinary octet.

use ring::digest::{Context, SHA256};

/// Octets that wait before they are hashed together.
const WAITING_OCTETS: usize = 16 * 1024;

/// SHA-256 of a body in relaxed canonical form (RFC 6376 3.4.4), fed in pieces.
pub struct BodyHash {
    hash: Context,
    waiting: Vec<u8>,
    /// Line ends not written yet: those at the end of the body do not count.
    line_ends: u64,
    /// Space not written yet: it becomes one, or none before a line end.
    space: bool,
    /// A CR whose next octet is not known yet.
    cr: bool,
    is_empty: bool,
}

impl BodyHash {
    pub fn new() -> BodyHash {
        BodyHash {
            hash: Context::new(&SHA256),
            waiting: Vec::with_capacity(WAITING_OCTETS),
            line_ends: 0,
            space: false,
            cr: false,
            is_empty: true,
        }
    }

    pub fn feed(&mut self, octets: &[u8]) {
        let mut rest = octets;
        while let Some(first) = rest.first() {
            let plain = rest.iter().position(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).unwrap_or(rest.len());
            if plain > 0 {
                self.settle_cr();
                self.write(&rest[..plain]);
                rest = &rest[plain..];
                continue;
            }
            match first {
                b'\n' => {
                    (self.cr, self.space) = (false, false);
                    self.line_ends += 1;
                }
                b'\r' => {
                    self.settle_cr();
                    self.cr = true;
                }
                _ => {
                    self.settle_cr();
                    self.space = true;
                }
            }
            rest = &rest[1..];
        }
    }

    /// The hash of the whole body. A body that does not end with a line end is hashed as if it did; one of nothing but
    /// empty lines is the empty body.
    pub fn finish(mut self) -> [u8; 32] {
        self.settle_cr();
        if !self.is_empty {
            self.waiting.extend_from_slice(b"\r\n");
        }
        self.hash.update(&self.waiting);
        let mut hash = [0; 32];
        hash.copy_from_slice(self.hash.finish().as_ref());
        hash
    }

    /// The CR before this octet was none of a line end.
    fn settle_cr(&mut self) {
        if std::mem::take(&mut self.cr) {
            self.write(b"\r");
        }
    }

    /// Octets that are no space, behind what waited for them.
    fn write(&mut self, octets: &[u8]) {
        for _ in 0..std::mem::take(&mut self.line_ends) {
            self.waiting.extend_from_slice(b"\r\n");
            self.hash_much();
        }
        if std::mem::take(&mut self.space) {
            self.waiting.push(b' ');
        }
        self.is_empty = false;
        self.waiting.extend_from_slice(octets);
        self.hash_much();
    }

    fn hash_much(&mut self) {
        if self.waiting.len() >= WAITING_OCTETS {
            self.hash.update(&self.waiting);
            self.waiting.clear();
        }
    }
}

/// A header field in relaxed canonical form (RFC 6376 3.4.2), with its line end. `raw_value` begins behind the colon.
pub fn field(name: &[u8], raw_value: &[u8], out: &mut Vec<u8>) {
    out.extend(name.iter().map(u8::to_ascii_lowercase));
    out.push(b':');
    let start = out.len();
    let mut space = false;
    for (at, byte) in raw_value.iter().enumerate() {
        match byte {
            b' ' | b'\t' => space = true,
            b'\n' => {}
            b'\r' if raw_value.get(at + 1) == Some(&b'\n') => {}
            byte => {
                if std::mem::take(&mut space) && out.len() > start {
                    out.push(b' ');
                }
                out.push(*byte);
            }
        }
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ring::digest::digest;

    use super::*;

    fn hash(pieces: &[&[u8]]) -> [u8; 32] {
        let mut hash = BodyHash::new();
        pieces.iter().for_each(|piece| hash.feed(piece));
        hash.finish()
    }

    #[test]
    fn bodies_have_the_canonical_form_of_the_rfc() {
        for (body, canonical) in [
            // RFC 6376 3.4.5.
            (" C \r\nD \t E\r\n\r\n\r\n", " C\r\nD E\r\n"),
            ("", ""),
            ("\r\n\r\n", ""),
            (" \t \r\n\r\n \r\n", ""),
            ("\r\n\r\nx", "\r\n\r\nx\r\n"),
            ("x\r\n \r\n\t\r\n", "x\r\n"),
            ("x \r\n \r\ny", "x\r\n\r\ny\r\n"),
            ("a\nb\n\n", "a\r\nb\r\n"),
            ("a \rb\r", "a \rb\r\r\n"),
            ("\r", "\r\r\n"),
        ] {
            let expected = digest(&SHA256, canonical.as_bytes());
            assert_eq!(hash(&[body.as_bytes()]).as_slice(), expected.as_ref(), "{body:?}");
        }
    }

    #[test]
    fn fields_have_the_canonical_form_of_the_rfc() {
        for (name, value, canonical) in [
            ("A", " X", "a:X\r\n"),
            ("B", " Y\t\r\n\tZ  ", "b:Y Z\r\n"),
            ("SUBJect", "\r\n AbC\r\n", "subject:AbC\r\n"),
            ("x", " a\rb ", "x:a\rb\r\n"),
            ("x", " ", "x:\r\n"),
        ] {
            let mut out = Vec::new();
            field(name.as_bytes(), value.as_bytes(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), canonical);
        }
    }

    proptest! {
        #[test]
        fn a_body_hashes_the_same_in_any_pieces(body in "[ab \t\r\n]{0,60}", cut in 0usize..60) {
            let body = body.as_bytes();
            let (first, second) = body.split_at(cut.min(body.len()));
            prop_assert_eq!(hash(&[first, second]), hash(&[body]));
        }
    }
}
