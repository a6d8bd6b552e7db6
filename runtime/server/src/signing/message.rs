//! A message read once for its signatures: the header section, and the hash of the body.

use std::io;

use mail::header::{self, Field, line_end};

use super::canonical::BodyHash;
use crate::content::Content;

/// Longest header section that is signed.
const HEADER_OCTETS_MAX: usize = 1 << 20;
const PIECE_OCTETS: usize = 64 * 1024;

/// Octets that can be read in pieces.
pub trait Octets {
    /// Fills `buffer` from `offset`: the number of octets, 0 at the end.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
}

impl Octets for Content {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        Content::read_at(self, buffer, offset)
    }
}

impl Octets for Vec<u8> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(self.len());
        let octets = buffer.len().min(self.len() - from);
        buffer[..octets].copy_from_slice(&self[from..from + octets]);
        Ok(octets)
    }
}

/// What signatures cover of a message.
pub struct Message {
    /// The header section, its blank line left out.
    pub header: Vec<u8>,
    /// SHA-256 of the body in relaxed form.
    pub body_hash: [u8; 32],
}

/// Why a message is not signed.
#[derive(Debug)]
pub enum Unsigned {
    Read(io::Error),
    /// The header section is longer than `HEADER_OCTETS_MAX`.
    LongHeader,
    /// RFC 6376 3.5 wants From signed, RFC 5322 3.6 wants it once.
    From,
    /// More fields than a signature can name.
    Fields,
    NoKey,
    Crypto,
    Slow,
}

impl std::fmt::Display for Unsigned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unsigned::Read(error) => write!(f, "it cannot be read: {error}"),
            Unsigned::LongHeader => f.write_str("its header section is too long"),
            Unsigned::From => f.write_str("it has not one From field"),
            Unsigned::Fields => f.write_str("it has too many fields of one name"),
            Unsigned::NoKey => f.write_str("there is no key yet"),
            Unsigned::Crypto => f.write_str("the key does not sign"),
            Unsigned::Slow => f.write_str("it takes too long"),
        }
    }
}

impl Message {
    /// Reads `front`, lines of a header section, and `rest` behind it as one message.
    pub fn read(front: &[u8], rest: &impl Octets) -> Result<Message, Unsigned> {
        let mut header = front.to_vec();
        let mut piece = vec![0; PIECE_OCTETS];
        let (mut offset, mut looked) = (0, 0);
        let mut body: Option<BodyHash> = None;
        loop {
            let octets = rest.read_at(&mut piece, offset).map_err(Unsigned::Read)?;
            offset += octets as u64;
            if octets == 0 {
                break;
            }
            if let Some(body) = &mut body {
                body.feed(&piece[..octets]);
                continue;
            }
            header.extend_from_slice(&piece[..octets]);
            if let Some(behind) = end_of_header(&header, &mut looked) {
                let mut hash = BodyHash::new();
                hash.feed(&header[behind..]);
                body = Some(hash);
                header.truncate(looked);
            }
            if header.len() > HEADER_OCTETS_MAX {
                return Err(Unsigned::LongHeader);
            }
        }
        Ok(Message { header, body_hash: body.unwrap_or_else(BodyHash::new).finish() })
    }

    pub fn fields(&self) -> impl Iterator<Item = Field<'_>> {
        header::fields(&self.header)
    }

    /// The same message with more lines in front.
    pub fn under(&self, front: &[u8]) -> Message {
        Message { header: [front, &self.header].concat(), body_hash: self.body_hash }
    }
}

/// Where the body begins; `looked` is brought to where the blank line does, or to the first line that is not whole yet.
fn end_of_header(header: &[u8], looked: &mut usize) -> Option<usize> {
    loop {
        let end = line_end(header, *looked);
        let line = &header[*looked..end];
        if header::is_blank(line) {
            return Some(end);
        }
        if !line.ends_with(b"\n") {
            return None;
        }
        *looked = end;
    }
}

#[cfg(test)]
mod tests {
    use ring::digest::{SHA256, digest};

    use super::*;

    fn sha256(octets: &[u8]) -> Vec<u8> {
        digest(&SHA256, octets).as_ref().to_vec()
    }

    /// Gives a few octets at a time, as a disk may.
    struct Trickle(Vec<u8>, usize);

    impl Octets for Trickle {
        fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
            let octets = buffer.len().min(self.1);
            self.0.read_at(&mut buffer[..octets], offset)
        }
    }

    #[test]
    fn header_and_body_are_told_apart_however_they_come() {
        for (rest, header, body) in [
            ("Subject: x\r\n\r\nbody\r\n", "Front: y\r\nSubject: x\r\n", "body\r\n"),
            ("Subject: x\n\nbody\n", "Front: y\r\nSubject: x\n", "body\r\n"),
            ("\r\nbody\r\n", "Front: y\r\n", "body\r\n"),
            ("Subject: x\r\n", "Front: y\r\nSubject: x\r\n", ""),
            ("", "Front: y\r\n", ""),
        ] {
            for octets in [1, 2, 3, 1_000] {
                let message = Message::read(b"Front: y\r\n", &Trickle(rest.into(), octets)).unwrap();
                assert_eq!(String::from_utf8(message.header).unwrap(), header);
                assert_eq!(message.body_hash.to_vec(), sha256(body.as_bytes()), "{rest:?} by {octets}");
            }
        }
    }

    #[test]
    fn a_header_section_without_end_is_not_held() {
        let endless = "a".repeat(HEADER_OCTETS_MAX + 1).into_bytes();
        assert!(matches!(Message::read(b"", &endless), Err(Unsigned::LongHeader)));
    }
}
