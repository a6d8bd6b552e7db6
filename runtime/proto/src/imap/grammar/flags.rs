//! Flags, and STORE (RFC 9051 6.4.6, RFC 7162 3.1.3).

use nom::Parser;
use nom::branch::alt;
use nom::bytes::streaming::tag_no_case;
use nom::character::streaming::char as octet;
use nom::combinator::{map, opt, value};
use nom::multi::separated_list1;
use nom::sequence::delimited;

use super::set::messages;
use super::word::{Parsed, atom, list0, number64, refuse, sp};
use crate::imap::command::{Command, OnSelected};
use crate::imap::question::FlagChange;
use mail::flag::KEYWORDS_MAX;
use mail::{Flags, Keyword, SystemFlags};

/// `flag-list = "(" [flag *(SP flag)] ")"`
pub fn flag_list(input: &[u8]) -> Parsed<'_, Flags> {
    let (rest, flags) = list0(flag).parse(input)?;
    gather(input, rest, flags)
}

fn gather<'a>(input: &'a [u8], rest: &'a [u8], each: Vec<Flags>) -> Parsed<'a, Flags> {
    let mut flags = Flags::default();
    for one in each {
        flags.system = flags.system.with(one.system);
        flags.keywords.extend(one.keywords);
    }
    if flags.keywords.len() > KEYWORDS_MAX { refuse(input) } else { Ok((rest, flags)) }
}

/// ```abnf
/// flag = "\Answered" / "\Flagged" / "\Deleted" / "\Seen" / "\Draft" / flag-keyword / flag-extension
/// ```
/// `\Recent` is dropped: clients copy it from other servers. Other extensions are refused.
pub fn flag(input: &[u8]) -> Parsed<'_, Flags> {
    let (behind, backslash) = opt(octet('\\')).parse(input)?;
    let (rest, word) = atom(behind)?;
    if backslash.is_none() {
        return match Keyword::new(word) {
            Some(keyword) => Ok((rest, Flags { keywords: [keyword].into(), ..Flags::default() })),
            None => refuse(input),
        };
    }
    if word.eq_ignore_ascii_case("Recent") {
        return Ok((rest, Flags::default()));
    }
    match SystemFlags::named(&format!("\\{word}")) {
        Some(system) => Ok((rest, Flags::system(system))),
        None => refuse(input),
    }
}

/// ```abnf
/// store           = "STORE" SP sequence-set [SP "(" store-modifier ")"] SP store-att-flags
/// store-modifier  = "UNCHANGEDSINCE" SP mod-sequence-valzer
/// store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP (flag-list / (flag *(SP flag)))
/// ```
pub fn store(uid: bool) -> impl Fn(&[u8]) -> Parsed<'_, Command> {
    move |input| {
        let (rest, messages) = messages(uid)(input)?;
        let since = delimited(tag_no_case(" (UNCHANGEDSINCE "), number64, octet(')'));
        let (rest, unchanged_since) = opt(since).parse(rest)?;
        let (rest, ()) = sp(rest)?;
        let sign = alt((value(FlagChange::Add, octet('+')), value(FlagChange::Remove, octet('-'))));
        let (rest, change) = map(opt(sign), |sign| sign.unwrap_or(FlagChange::Replace)).parse(rest)?;
        let (rest, _) = tag_no_case("FLAGS").parse(rest)?;
        let (rest, silent) = map(opt(tag_no_case(".SILENT")), |silent| silent.is_some()).parse(rest)?;
        let (rest, ()) = sp(rest)?;
        let (rest, flags) = if rest.first() == Some(&b'(') {
            flag_list(rest)?
        } else {
            let (behind, each) = separated_list1(octet(' '), flag).parse(rest)?;
            gather(rest, behind, each)?
        };
        Ok((rest, OnSelected::Store { messages, change, silent, flags, unchanged_since }.into()))
    }
}
