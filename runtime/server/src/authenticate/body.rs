//! Hashes of a body in the two canonical forms of DKIM (RFC 6376 3.4.3, 3.4.4), while it is read piece by piece.

use ring::digest::{Context, SHA256};

/// Octets given to the digest at a time.
const PIECE_OCTETS: usize = 8 * 1024;

/// SHA-256 of a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BodyHashes {
    pub simple: Vec<u8>,
    pub relaxed: Vec<u8>,
}

/// Takes a body and gives its hashes.
pub struct Hasher {
    simple: Canonical,
    relaxed: Canonical,
}

impl Hasher {
    pub fn new() -> Hasher {
        Hasher { simple: Canonical::new(false), relaxed: Canonical::new(true) }
    }

    pub fn update(&mut self, octets: &[u8]) {
        self.simple.update(octets);
        self.relaxed.update(octets);
    }

    pub fn finish(self) -> BodyHashes {
        BodyHashes { simple: self.simple.finish(), relaxed: self.relaxed.finish() }
    }

    /// The hashes of a body that is there whole.
    #[cfg(test)]
    pub fn of(body: &[u8]) -> BodyHashes {
        let mut hasher = Hasher::new();
        hasher.update(body);
        hasher.finish()
    }
}

/// One form. Line ends and white space wait until what follows shows that they count.
struct Canonical {
    relaxed: bool,
    context: Context,
    piece: Vec<u8>,
    /// A CR whose LF has not come.
    cr: bool,
    line_ends: u64,
    space: bool,
    /// Anything that counts was there.
    any: bool,
}

impl Canonical {
    fn new(relaxed: bool) -> Canonical {
        let context = Context::new(&SHA256);
        Canonical {
            relaxed,
            context,
            piece: Vec::with_capacity(PIECE_OCTETS),
            cr: false,
            line_ends: 0,
            space: false,
            any: false,
        }
    }

    fn update(&mut self, octets: &[u8]) {
        for &octet in octets {
            if std::mem::take(&mut self.cr) {
                if octet == b'\n' {
                    // White space at the end of a line is gone; a line of nothing else is an empty one.
                    self.space = false;
                    self.line_ends += 1;
                    continue;
                }
                self.content(b'\r');
            }
            match octet {
                b'\r' => self.cr = true,
                b' ' | b'\t' if self.relaxed => self.space = true,
                _ => self.content(octet),
            }
        }
    }

    fn content(&mut self, octet: u8) {
        for _ in 0..std::mem::take(&mut self.line_ends) {
            self.push(b'\r');
            self.push(b'\n');
        }
        if std::mem::take(&mut self.space) {
            self.push(b' ');
        }
        self.push(octet);
        self.any = true;
    }

    fn push(&mut self, octet: u8) {
        self.piece.push(octet);
        if self.piece.len() >= PIECE_OCTETS {
            self.context.update(&self.piece);
            self.piece.clear();
        }
    }

    fn finish(mut self) -> Vec<u8> {
        if self.cr {
            self.content(b'\r');
        }
        // Empty lines at the end are one line end; an empty body is one in the simple form, nothing in the relaxed.
        if self.any || !self.relaxed {
            self.push(b'\r');
            self.push(b'\n');
        }
        self.context.update(&self.piece);
        self.context.finish().as_ref().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ring::digest::digest;

    use super::*;

    fn sha256(octets: &[u8]) -> Vec<u8> {
        digest(&SHA256, octets).as_ref().to_vec()
    }

    #[test]
    fn each_form_is_what_the_standard_says() {
        for (body, simple, relaxed) in [
            ("", "\r\n", ""),
            ("\r\n\r\n", "\r\n", ""),
            (" \r\n\r\n", " \r\n", ""),
            ("a", "a\r\n", "a\r\n"),
            (" C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n"),
            // Blank lines with white space at the end are empty lines once it is gone.
            ("a\r\n \r\n\t\r\n", "a\r\n \r\n\t\r\n", "a\r\n"),
            ("a\r\n \r\nb\r\n", "a\r\n \r\nb\r\n", "a\r\n\r\nb\r\n"),
            ("\r\n\r\na\r\n", "\r\n\r\na\r\n", "\r\n\r\na\r\n"),
            ("a\r", "a\r\r\n", "a\r\r\n"),
        ] {
            let hashes = Hasher::of(body.as_bytes());
            assert_eq!(hashes.simple, sha256(simple.as_bytes()), "simple of {body:?}");
            assert_eq!(hashes.relaxed, sha256(relaxed.as_bytes()), "relaxed of {body:?}");
        }
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(body in "[a \t\r\n]{0,60}", cut in 0usize..60) {
            let body = body.as_bytes();
            let cut = cut.min(body.len());
            let mut hasher = Hasher::new();
            hasher.update(&body[..cut]);
            hasher.update(&body[cut..]);
            prop_assert_eq!(hasher.finish(), Hasher::of(body));
        }
    }
}
