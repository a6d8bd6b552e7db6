//! Line ends: CRLF in a store, LF in files that other programs read.

use std::borrow::Cow;

/// A message as a file has it: each CRLF as LF. A message that would not come back so (it holds a bare LF, or a CR in
/// front of a CRLF) is left as it is; other programs read that too.
pub fn to_file(message: &[u8]) -> Cow<'_, [u8]> {
    if message.is_empty() || !every_lf_ends_a_plain_line(message) {
        return Cow::Borrowed(message);
    }
    let mut out = Vec::with_capacity(message.len());
    for line in message.split_inclusive(|octet| *octet == b'\n') {
        match line.strip_suffix(b"\r\n") {
            Some(text) => {
                out.extend_from_slice(text);
                out.push(b'\n');
            }
            None => out.extend_from_slice(line),
        }
    }
    Cow::Owned(out)
}

/// A message of a file as a store has it: each bare LF as CRLF, everything else as it is.
pub fn from_file(octets: &[u8]) -> Cow<'_, [u8]> {
    if !has_bare_lf(octets) {
        return Cow::Borrowed(octets);
    }
    let mut out = Vec::with_capacity(octets.len() + octets.len() / 32 + 2);
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(text) if !text.ends_with(b"\r") => {
                out.extend_from_slice(text);
                out.extend_from_slice(b"\r\n");
            }
            Some(_) | None => out.extend_from_slice(line),
        }
    }
    Cow::Owned(out)
}

/// Does a line end with LF alone? Such a message does not come back from a file as it was.
pub fn has_bare_lf(octets: &[u8]) -> bool {
    octets.split_inclusive(|octet| *octet == b'\n').any(|line| line.ends_with(b"\n") && !line.ends_with(b"\r\n"))
}

fn every_lf_ends_a_plain_line(message: &[u8]) -> bool {
    message
        .split_inclusive(|octet| *octet == b'\n')
        .all(|line| !line.ends_with(b"\n") || (line.ends_with(b"\r\n") && !line.ends_with(b"\r\r\n")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn files_have_lf_and_stores_crlf() {
        assert_eq!(*to_file(b"a\r\n\r\nb"), *b"a\n\nb");
        assert_eq!(*from_file(b"a\n\nb"), *b"a\r\n\r\nb");
    }

    #[test]
    fn what_would_not_come_back_is_left_alone() {
        for message in [&b"a\r\nb\nc\r\n"[..], b"a\r\r\n", b"\n", b"\r\n\r\r\n"] {
            assert_eq!(*to_file(message), *message);
        }
        assert_eq!(*from_file(b"a\r\nb\n"), *b"a\r\nb\r\n");
    }

    proptest! {
        #[test]
        fn a_message_comes_back_unless_it_has_a_bare_lf(message in "[\r\na\u{e9}]{0,40}") {
            let message = message.as_bytes();
            let back = from_file(&to_file(message)).into_owned();
            if has_bare_lf(message) {
                // What is lost is lost once: a second way out and in changes nothing more.
                prop_assert_eq!(from_file(&to_file(&back)).into_owned(), back);
            } else {
                prop_assert_eq!(back, message);
            }
        }
    }
}
