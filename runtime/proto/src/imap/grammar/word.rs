//! Atoms, strings, literals and numbers (RFC 9051 4 and 9), over input that may end anywhere: what is cut off is
//! `Incomplete`, never an error.

use std::num::NonZeroU32;

use nom::branch::alt;
use nom::bytes::streaming::{tag, take, take_while1};
use nom::character::streaming::{char as octet, digit1};
use nom::combinator::{map, map_opt, opt};
use nom::error::{Error, ErrorKind};
use nom::multi::separated_list1;
use nom::sequence::{delimited, preceded, terminated};
use nom::{Err, IResult, Needed, Parser};

use crate::imap::command::{Literal, Tag};

pub type Parsed<'a, T> = IResult<&'a [u8], T>;

/// A refusal at `input`.
pub fn refuse<T>(input: &[u8]) -> Parsed<'_, T> {
    Err(Err::Error(Error::new(input, ErrorKind::Verify)))
}

pub fn sp(input: &[u8]) -> Parsed<'_, ()> {
    map(octet(' '), drop).parse(input)
}

pub fn crlf(input: &[u8]) -> Parsed<'_, ()> {
    map(tag("\r\n"), drop).parse(input)
}

/// `ATOM-CHAR = <any CHAR except atom-specials>`
pub fn is_atom_char(octet: u8) -> bool {
    octet.is_ascii_graphic() && !b"(){%*\"\\]".contains(&octet)
}

/// `ASTRING-CHAR = ATOM-CHAR / resp-specials`
fn is_astring_char(octet: u8) -> bool {
    is_atom_char(octet) || octet == b']'
}

/// `list-char = ATOM-CHAR / list-wildcards / resp-specials`
fn is_list_char(octet: u8) -> bool {
    is_astring_char(octet) || octet == b'%' || octet == b'*'
}

/// `tag = 1*<any ASTRING-CHAR except "+">`
pub fn command_tag(input: &[u8]) -> Parsed<'_, Tag> {
    map(take_while1(|o| is_astring_char(o) && o != b'+'), Tag::new).parse(input)
}

/// `atom = 1*ATOM-CHAR`
pub fn atom(input: &[u8]) -> Parsed<'_, &str> {
    map_opt(take_while1(is_atom_char), |octets| std::str::from_utf8(octets).ok()).parse(input)
}

/// `astring = 1*ASTRING-CHAR / string`
pub fn astring(input: &[u8]) -> Parsed<'_, Vec<u8>> {
    alt((map(take_while1(is_astring_char), <[u8]>::to_vec), string)).parse(input)
}

/// `list-mailbox = 1*list-char / string`
pub fn list_mailbox(input: &[u8]) -> Parsed<'_, Vec<u8>> {
    alt((map(take_while1(is_list_char), <[u8]>::to_vec), string)).parse(input)
}

/// `string = quoted / literal`
pub fn string(input: &[u8]) -> Parsed<'_, Vec<u8>> {
    alt((quoted, literal)).parse(input)
}

/// `nstring = string / nil`
pub fn nstring(input: &[u8]) -> Parsed<'_, Option<Vec<u8>>> {
    alt((map(nom::bytes::streaming::tag_no_case("NIL"), |_| None), map(string, Some))).parse(input)
}

/// ```abnf
/// quoted      = DQUOTE *QUOTED-CHAR DQUOTE
/// QUOTED-CHAR = <any TEXT-CHAR except quoted-specials> / "\" quoted-specials / UTF8-2 / UTF8-3 / UTF8-4
/// ```
pub fn quoted(input: &[u8]) -> Parsed<'_, Vec<u8>> {
    let (rest, _) = octet('"').parse(input)?;
    let mut text = Vec::new();
    let mut at = 0;
    loop {
        match rest.get(at) {
            None => return Err(Err::Incomplete(Needed::Unknown)),
            Some(b'"') => return Ok((&rest[at + 1..], text)),
            Some(b'\r' | b'\n' | 0) => return refuse(&rest[at..]),
            Some(b'\\') => match rest.get(at + 1) {
                None => return Err(Err::Incomplete(Needed::Unknown)),
                Some(escaped @ (b'"' | b'\\')) => {
                    text.push(*escaped);
                    at += 2;
                }
                Some(_) => return refuse(&rest[at..]),
            },
            Some(plain) => {
                text.push(*plain);
                at += 1;
            }
        }
    }
}

/// `literal = "{" number64 ["+"] "}" CRLF *CHAR8`; NUL is no CHAR8.
pub fn literal(input: &[u8]) -> Parsed<'_, Vec<u8>> {
    let (rest, octets) = octets_of_literal(input)?;
    if octets.contains(&0) { refuse(input) } else { Ok((rest, octets)) }
}

/// `literal8 = "~{" number64 ["+"] "}" CRLF *OCTET`
pub fn literal8(input: &[u8]) -> Parsed<'_, Vec<u8>> {
    preceded(octet('~'), octets_of_literal).parse(input)
}

fn octets_of_literal(input: &[u8]) -> Parsed<'_, Vec<u8>> {
    let (rest, announced) = literal_announced(input)?;
    let Ok(size) = usize::try_from(announced.size_octets) else { return refuse(input) };
    map(take(size), <[u8]>::to_vec).parse(rest)
}

/// The part of a literal before its octets.
pub fn literal_announced(input: &[u8]) -> Parsed<'_, Literal> {
    map((octet('{'), number64, opt(octet('+')), octet('}'), crlf), |(_, size_octets, plus, _, ())| Literal {
        size_octets,
        synchronizing: plus.is_none(),
    })
    .parse(input)
}

/// `number = 1*DIGIT`, unsigned, 32 bits.
pub fn number(input: &[u8]) -> Parsed<'_, u32> {
    map_opt(number64, |n| u32::try_from(n).ok()).parse(input)
}

/// `number64 = 1*DIGIT`, unsigned, 63 bits.
pub fn number64(input: &[u8]) -> Parsed<'_, u64> {
    map_opt(digit1, |digits: &[u8]| {
        let text = std::str::from_utf8(digits).ok()?;
        text.parse::<u64>().ok().filter(|n| *n <= i64::MAX as u64)
    })
    .parse(input)
}

/// `nz-number = digit-nz *DIGIT`. A leading zero is no digit-nz.
pub fn nz_number(input: &[u8]) -> Parsed<'_, NonZeroU32> {
    if input.first() == Some(&b'0') {
        return refuse(input);
    }
    map_opt(number, NonZeroU32::new).parse(input)
}

/// `"(" item *(SP item) ")"`
pub fn list1<'a, T>(
    item: impl Parser<&'a [u8], Output = T, Error = Error<&'a [u8]>>,
) -> impl Parser<&'a [u8], Output = Vec<T>, Error = Error<&'a [u8]>> {
    delimited(octet('('), separated_list1(octet(' '), item), octet(')'))
}

/// `"(" [item *(SP item)] ")"`
pub fn list0<'a, T>(
    item: impl Parser<&'a [u8], Output = T, Error = Error<&'a [u8]>>,
) -> impl Parser<&'a [u8], Output = Vec<T>, Error = Error<&'a [u8]>> {
    let items = terminated(opt(separated_list1(octet(' '), item)), octet(')'));
    map(preceded(octet('('), items), Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_quoted_or_literal() {
        assert_eq!(string(b"\"a\\\"b\\\\\" "), Ok((&b" "[..], b"a\"b\\".to_vec())));
        assert_eq!(string(b"{3}\r\na\r\nx"), Ok((&b"x"[..], b"a\r\n".to_vec())));
        assert_eq!(string(b"{3+}\r\nabcx"), Ok((&b"x"[..], b"abc".to_vec())));
        assert_eq!(quoted("\"é\"".as_bytes()).map(|(_, text)| text), Ok("é".as_bytes().to_vec()));
    }

    #[test]
    fn what_is_cut_off_is_incomplete_and_what_is_wrong_is_an_error() {
        for cut in ["", "\"", "\"a", "\"a\\", "{", "{3", "{3+", "{3}", "{3}\r", "{3}\r\n", "{3}\r\nab"] {
            assert!(matches!(string(cut.as_bytes()), Err(Err::Incomplete(_))), "{cut:?}");
        }
        for wrong in
            ["a", "\"\r\n\"", "\"\\n\"", "{}\r\n", "{-1}\r\n", "{1}x", "{99999999999999999999}\r\n", "{1}\r\n\0"]
        {
            assert!(matches!(string(wrong.as_bytes()), Err(Err::Error(_))), "{wrong:?}");
        }
    }

    #[test]
    fn numbers_have_their_bounds() {
        assert_eq!(number(b"4294967295 ").map(|(_, n)| n), Ok(u32::MAX));
        assert!(matches!(number(b"4294967296 "), Err(Err::Error(_))));
        assert!(matches!(nz_number(b"0 "), Err(Err::Error(_))));
        assert!(matches!(nz_number(b"01 "), Err(Err::Error(_))));
        assert!(matches!(number64(b"9223372036854775808 "), Err(Err::Error(_))));
    }
}
