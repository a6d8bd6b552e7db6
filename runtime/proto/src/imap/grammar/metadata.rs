//! GETMETADATA and SETMETADATA (RFC 5464 5).

use nom::Parser;
use nom::branch::alt;
use nom::bytes::streaming::tag_no_case;
use nom::character::streaming::char as octet;
use nom::combinator::{map, map_opt, opt, value};
use nom::sequence::{preceded, separated_pair, terminated};

use super::mailbox::{Coding, mailbox};
use super::word::{Parsed, astring, list1, literal8, nstring, number64, refuse, sp};
use crate::imap::command::{Command, Depth, MetadataOf, MetadataOptions, MetadataValue, OnAccount};

/// Entries of one command.
const ENTRIES_MAX: usize = 100;
/// Octets of the name of an entry.
const ENTRY_OCTETS_MAX: usize = 255;

/// `mailbox`, where the empty string is the server.
fn of(coding: Coding) -> impl Fn(&[u8]) -> Parsed<'_, MetadataOf> {
    move |input| match astring(input)? {
        (rest, octets) if octets.is_empty() => Ok((rest, MetadataOf::Server)),
        _ => map(mailbox(coding), MetadataOf::Mailbox).parse(input),
    }
}

/// ```abnf
/// entry = astring ; slash-separated path, without "*", "%" and what is no printable ASCII; begins with "/"
/// ```
/// RFC 5464 3.2: two slashes are never side by side and none is at the end; entries compare without case.
pub fn entry(input: &[u8]) -> Parsed<'_, String> {
    map_opt(astring, |octets| {
        let text = String::from_utf8(octets).ok()?.to_ascii_lowercase();
        let path = text.strip_prefix("/private/").or_else(|| text.strip_prefix("/shared/"))?;
        let sound = text.len() <= ENTRY_OCTETS_MAX
            && path.split('/').all(|part| !part.is_empty())
            && path.bytes().all(|octet| octet.is_ascii_graphic() && !b"*%".contains(&octet));
        sound.then_some(text)
    })
    .parse(input)
}

/// `entries = entry / "(" entry *(SP entry) ")"`
pub fn entries(input: &[u8]) -> Parsed<'_, Vec<String>> {
    let many = map_opt(list1(entry), |entries| (entries.len() <= ENTRIES_MAX).then_some(entries));
    alt((many, map(entry, |one| vec![one]))).parse(input)
}

enum Given {
    MaxSize(u64),
    Depth(Depth),
}

/// ```abnf
/// getmetadata-options = "(" getmetadata-option *(SP getmetadata-option) ")"
/// maxsize-opt         = "MAXSIZE" SP number
/// scope-opt           = "DEPTH" SP ("0" / "1" / "infinity")
/// ```
pub fn options(input: &[u8]) -> Parsed<'_, MetadataOptions> {
    let depth = alt((
        value(Depth::Zero, octet('0')),
        value(Depth::One, octet('1')),
        value(Depth::Infinity, tag_no_case("infinity")),
    ));
    let option = alt((
        map(preceded(tag_no_case("MAXSIZE "), number64), Given::MaxSize),
        map(preceded(tag_no_case("DEPTH "), depth), Given::Depth),
    ));
    map(list1(option), |given| {
        given.into_iter().fold(MetadataOptions::default(), |options, one| match one {
            Given::MaxSize(octets) => MetadataOptions { octets_max: Some(octets), ..options },
            Given::Depth(depth) => MetadataOptions { depth, ..options },
        })
    })
    .parse(input)
}

/// `getmetadata = "GETMETADATA" [SP getmetadata-options] SP mailbox SP entries`; the examples of RFC 5464 have the options
/// behind the mailbox, and so have clients.
pub fn get(coding: Coding) -> impl Fn(&[u8]) -> Parsed<'_, Command> {
    move |input| {
        let (rest, before) = opt(terminated(options, sp)).parse(input)?;
        let (rest, of) = terminated(of(coding), sp).parse(rest)?;
        let (rest, behind) = opt(terminated(options, sp)).parse(rest)?;
        let (rest, entries) = entries(rest)?;
        if before.is_some() && behind.is_some() {
            return refuse(input);
        }
        let options = before.or(behind).unwrap_or_default();
        Ok((rest, OnAccount::GetMetadata { of, entries, options }.into()))
    }
}

/// ```abnf
/// setmetadata  = "SETMETADATA" SP mailbox SP entry-values
/// entry-values = "(" entry-value *(SP entry-value) ")"
/// entry-value  = entry SP value
/// value        = nstring / literal8
/// ```
pub fn set(coding: Coding) -> impl Fn(&[u8]) -> Parsed<'_, Command> {
    move |input| {
        let set = alt((map(literal8, Some), nstring));
        let one = map(separated_pair(entry, sp, set), |pair| -> MetadataValue { pair });
        let (rest, of) = terminated(of(coding), sp).parse(input)?;
        let (rest, values) = map_opt(list1(one), |all| (all.len() <= ENTRIES_MAX).then_some(all)).parse(rest)?;
        Ok((rest, OnAccount::SetMetadata { of, values }.into()))
    }
}
