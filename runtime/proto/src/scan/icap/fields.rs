//! Header sections: a start line and fields, as ICAP has them from HTTP/1.1 (RFC 3507 4.3.2).

use nom::bytes::complete::{tag, take_while, take_while1};
use nom::character::complete::{char as octet, one_of};
use nom::combinator::all_consuming;
use nom::multi::many0;
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser};

/// Longest header section that is read, in octets, its blank line included.
pub const SECTION_OCTETS_MAX: usize = 16 * 1024;
/// Most fields of one section.
const FIELDS_MAX: usize = 100;

/// Fields in the order they came; names in lower case, continuation lines after a `\n`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// The value of the first field of this name, given in lower case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Does a list of tokens hold this one, in any case?
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        let values = self.0.iter().filter(|(n, _)| n == name).map(|(_, value)| value);
        values.flat_map(|value| value.split([',', '\n'])).any(|one| one.trim().eq_ignore_ascii_case(token))
    }

    /// The first field of this name as a number.
    pub fn number(&self, name: &str) -> Option<u64> {
        let value = self.get(name)?;
        value.bytes().all(|octet| octet.is_ascii_digit()).then(|| value.parse().ok())?
    }
}

/// Where a section that begins `octets` ends, its blank line included; `None` while it goes on.
pub fn section_end(octets: &[u8]) -> Option<usize> {
    octets.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

/// Reads a whole section with its blank line: the start line and the fields.
///
/// ```abnf
/// section = start-line CRLF *( name ":" value CRLF ) CRLF
/// ```
pub fn section(octets: &[u8]) -> Option<(String, Fields)> {
    let mut whole = all_consuming((line, terminated(many0(field), tag(&b"\r\n"[..]))));
    let (_, (start, fields)) = whole.parse(octets).ok()?;
    let start = text(start);
    (fields.len() <= FIELDS_MAX && !start.is_empty()).then_some((start, Fields(fields)))
}

fn line(input: &[u8]) -> IResult<&[u8], &[u8]> {
    terminated(take_while(|octet| octet != b'\r' && octet != b'\n'), tag(&b"\r\n"[..])).parse(input)
}

fn field(input: &[u8]) -> IResult<&[u8], (String, String)> {
    let name = take_while1(|octet: u8| octet.is_ascii_graphic() && octet != b':');
    let more = preceded(one_of(" \t"), line);
    let (rest, (name, _, first, more)) = (name, octet(':'), line, many0(more)).parse(input)?;
    let mut value = text(first);
    for line in more {
        value.push('\n');
        value.push_str(&text(line));
    }
    Ok((rest, (text(name).to_ascii_lowercase(), value)))
}

/// Without space around; what is not printable ASCII becomes `?`.
fn text(octets: &[u8]) -> String {
    let printable = |octet: &u8| if octet.is_ascii_graphic() || *octet == b' ' { char::from(*octet) } else { '?' };
    octets.trim_ascii().iter().map(printable).collect()
}
