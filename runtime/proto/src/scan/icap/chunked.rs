//! The chunked coding of encapsulated bodies (RFC 3507 4.4.1, RFC 9112 7.1), and the chunk extension `ieof` of previews.

use nom::Parser;
use nom::bytes::complete::take_while_m_n;
use nom::character::complete::{char as octet, space0};
use nom::combinator::{all_consuming, opt, rest};
use nom::sequence::preceded;

use crate::line::{Inbox, Line};

/// Ends a body, or a preview of more.
pub const END: &[u8] = b"0\r\n\r\n";
/// Ends a preview that is all of the content.
pub const END_OF_ALL: &[u8] = b"0; ieof\r\n\r\n";
/// Longest line of a size with its extensions, or of a trailer, in octets.
const LINE_OCTETS_MAX: usize = 256;
/// Most lines of a trailer.
const TRAILER_LINES_MAX: u32 = 32;

/// Appends `octets` as one chunk to `out`; nothing where there are none, for that would end the body.
pub fn chunk(octets: &[u8], out: &mut Vec<u8>) {
    if octets.is_empty() {
        return;
    }
    out.extend_from_slice(format!("{:x}\r\n", octets.len()).as_bytes());
    out.extend_from_slice(octets);
    out.extend_from_slice(b"\r\n");
}

/// What comes next of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    NeedInput,
    /// Never empty.
    Octets(Vec<u8>),
    /// The body ended; `all`: with `ieof`.
    End {
        all: bool,
    },
    Bad,
}

/// Reads one body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Chunks {
    #[default]
    Size,
    Octets(u64),
    /// The line end behind a chunk.
    Behind,
    Trailer {
        all: bool,
        lines: u32,
    },
}

impl Chunks {
    pub(super) fn next(&mut self, inbox: &mut Inbox) -> Piece {
        loop {
            match *self {
                Chunks::Octets(0) => *self = Chunks::Behind,
                Chunks::Octets(left) => {
                    let here = inbox.rest();
                    if here.is_empty() {
                        return Piece::NeedInput;
                    }
                    let count = here.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                    let octets = here[..count].to_vec();
                    inbox.consume(count);
                    *self = Chunks::Octets(left - count as u64);
                    return Piece::Octets(octets);
                }
                Chunks::Size | Chunks::Behind | Chunks::Trailer { .. } => {
                    let line = match inbox.line(LINE_OCTETS_MAX, LINE_OCTETS_MAX as u64) {
                        Line::Incomplete => return Piece::NeedInput,
                        Line::Whole(line) => line,
                        Line::TooLong | Line::Endless => return Piece::Bad,
                    };
                    if let Some(piece) = self.line(&line) {
                        return piece;
                    }
                }
            }
        }
    }

    /// A line between octets; gives something where it ends the body or is none.
    fn line(&mut self, line: &[u8]) -> Option<Piece> {
        match *self {
            Chunks::Size => match size(line) {
                None => return Some(Piece::Bad),
                Some((0, all)) => *self = Chunks::Trailer { all, lines: 0 },
                Some((octets, _)) => *self = Chunks::Octets(octets),
            },
            Chunks::Behind if line.is_empty() => *self = Chunks::Size,
            Chunks::Trailer { all, .. } if line.is_empty() => {
                *self = Chunks::Size;
                return Some(Piece::End { all });
            }
            Chunks::Trailer { all, lines } if lines < TRAILER_LINES_MAX => {
                *self = Chunks::Trailer { all, lines: lines + 1 };
            }
            Chunks::Behind | Chunks::Trailer { .. } | Chunks::Octets(_) => return Some(Piece::Bad),
        }
        None
    }
}

/// The line before a chunk: its size, and whether `ieof` follows.
///
/// ```abnf
/// chunk-size = 1*8HEXDIG [ BWS ";" *OCTET ]
/// ```
fn size(line: &[u8]) -> Option<(u64, bool)> {
    let digits = take_while_m_n(1, 8, |octet: u8| octet.is_ascii_hexdigit());
    let extensions = preceded((space0, octet(';')), rest);
    let mut parser = all_consuming((digits, opt(extensions), space0::<&[u8], nom::error::Error<&[u8]>>));
    let (_, (digits, extensions, _)) = parser.parse(line).ok()?;
    let octets = u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    let words = extensions.unwrap_or_default().split(|octet| *octet == b';');
    Some((octets, words.map(<[u8]>::trim_ascii).any(|word| word.eq_ignore_ascii_case(b"ieof"))))
}
