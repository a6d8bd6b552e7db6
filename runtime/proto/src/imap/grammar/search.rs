//! SEARCH (RFC 9051 6.4.4, RFC 3501 6.4.4).

use nom::branch::alt;
use nom::bytes::streaming::tag_no_case;
use nom::character::streaming::char as octet;
use nom::combinator::{map, map_opt, opt};
use nom::sequence::{delimited, preceded, terminated};
use nom::{Err, Needed, Parser};

use super::set::messages;
use super::word::{Parsed, astring, atom, list0, number64, quoted, refuse, sp};
use crate::imap::command::{Command, Key, OnSelected, Returns, Search, When};
use mail::date::Day;
use mail::{Keyword, SystemFlags};

/// Deepest nesting of parentheses, NOT and OR.
pub const DEPTH_MAX: usize = 32;
/// Most keys in one SEARCH: each is evaluated for each message.
pub const KEYS_MAX: usize = 512;

/// `search = "SEARCH" [search-return-opts] SP search-program`, behind the name:
/// `search-program = ["CHARSET" SP charset SP] search-key *(SP search-key)`
pub fn search(uid: bool) -> impl Fn(&[u8]) -> Parsed<'_, Command> {
    move |input| {
        let (rest, returns) = opt(delimited(tag_no_case("RETURN "), list0(atom), octet(' '))).parse(input)?;
        let returns = match returns.map(|options| result_options(&options)) {
            None => None,
            Some(Some(returns)) => Some(returns),
            Some(None) => return refuse(input),
        };
        let charset = delimited(tag_no_case("CHARSET "), astring, octet(' '));
        let charset = map(charset, |name| String::from_utf8_lossy(&name).into_owned());
        let (rest, charset) = opt(charset).parse(rest)?;
        let mut budget = KEYS_MAX;
        let (rest, key) = keys(rest, DEPTH_MAX, &mut budget)?;
        Ok((rest, OnSelected::Search(Search { uid, returns, charset, key }).into()))
    }
}

/// RFC 4731 3.1 and RFC 5182: an empty list means ALL.
fn result_options(options: &[&str]) -> Option<Returns> {
    let mut returns = Returns { all: options.is_empty(), ..Returns::default() };
    for option in options {
        match option.to_ascii_uppercase().as_str() {
            "MIN" => returns.min = true,
            "MAX" => returns.max = true,
            "ALL" => returns.all = true,
            "COUNT" => returns.count = true,
            "SAVE" => returns.save = true,
            _ => return None,
        }
    }
    Some(returns)
}

/// `search-key *(SP search-key)`: all of them must hold.
fn keys<'a>(input: &'a [u8], depth: usize, budget: &mut usize) -> Parsed<'a, Key> {
    let (mut rest, first) = key(input, depth, budget)?;
    let mut all = vec![first];
    loop {
        let (behind, space) = opt(octet(' ')).parse(rest)?;
        if space.is_none() {
            let key = match <[Key; 1]>::try_from(all) {
                Ok([one]) => one,
                Err(many) => Key::And(many),
            };
            return Ok((rest, key));
        }
        let (behind, next) = key(behind, depth, budget)?;
        all.push(next);
        rest = behind;
    }
}

fn key<'a>(input: &'a [u8], depth: usize, budget: &mut usize) -> Parsed<'a, Key> {
    if depth == 0 || *budget == 0 {
        return refuse(input);
    }
    *budget -= 1;
    match input.first() {
        None => Err(Err::Incomplete(Needed::Unknown)),
        Some(b'(') => {
            let (rest, inside) = keys(&input[1..], depth - 1, budget)?;
            let (rest, _) = octet(')').parse(rest)?;
            Ok((rest, inside))
        }
        Some(b'0'..=b'9' | b'*' | b'$') => map(messages(false), Key::Messages).parse(input),
        Some(_) => named(input, depth, budget),
    }
}

/// A key that begins with its name.
fn named<'a>(input: &'a [u8], depth: usize, budget: &mut usize) -> Parsed<'a, Key> {
    let (rest, word) = atom(input)?;
    let name = word.to_ascii_uppercase();
    match name.as_str() {
        "NOT" => {
            let (rest, ()) = sp(rest)?;
            let (rest, inner) = key(rest, depth - 1, budget)?;
            Ok((rest, Key::Not(Box::new(inner))))
        }
        "OR" => {
            let (rest, ()) = sp(rest)?;
            let (rest, one) = key(rest, depth - 1, budget)?;
            let (rest, ()) = sp(rest)?;
            let (rest, other) = key(rest, depth - 1, budget)?;
            Ok((rest, Key::Or(Box::new(one), Box::new(other))))
        }
        "UID" => preceded(sp, map(messages(true), Key::Messages)).parse(rest),
        _ => match plain(&name) {
            Some(found) => Ok((rest, found)),
            None => with_argument(&name, rest),
        },
    }
}

/// Keys without an argument.
fn plain(name: &str) -> Option<Key> {
    let flag = |flag, set| Key::Flag { flag, set };
    Some(match name {
        "ALL" => Key::All,
        "ANSWERED" => flag(SystemFlags::ANSWERED, true),
        "DELETED" => flag(SystemFlags::DELETED, true),
        "DRAFT" => flag(SystemFlags::DRAFT, true),
        "FLAGGED" => flag(SystemFlags::FLAGGED, true),
        "SEEN" => flag(SystemFlags::SEEN, true),
        "UNANSWERED" => flag(SystemFlags::ANSWERED, false),
        "UNDELETED" => flag(SystemFlags::DELETED, false),
        "UNDRAFT" => flag(SystemFlags::DRAFT, false),
        "UNFLAGGED" => flag(SystemFlags::FLAGGED, false),
        "UNSEEN" => flag(SystemFlags::SEEN, false),
        "RECENT" | "NEW" => Key::Recent,
        "OLD" => Key::Not(Box::new(Key::Recent)),
        _ => return None,
    })
}

fn with_argument<'a>(name: &str, input: &'a [u8]) -> Parsed<'a, Key> {
    let field = |field: &'static str| map(astring, move |text| Key::Header { field: field.to_owned(), text });
    let (rest, ()) = match name {
        "FROM" | "TO" | "CC" | "BCC" | "SUBJECT" | "BODY" | "TEXT" | "HEADER" | "KEYWORD" | "UNKEYWORD" | "LARGER"
        | "SMALLER" | "BEFORE" | "ON" | "SINCE" | "SENTBEFORE" | "SENTON" | "SENTSINCE" => sp(input)?,
        _ => return refuse(input),
    };
    match name {
        "FROM" => field("From").parse(rest),
        "TO" => field("To").parse(rest),
        "CC" => field("Cc").parse(rest),
        "BCC" => field("Bcc").parse(rest),
        "SUBJECT" => field("Subject").parse(rest),
        "BODY" => map(astring, Key::Body).parse(rest),
        "TEXT" => map(astring, Key::Text).parse(rest),
        "HEADER" => header(rest),
        "KEYWORD" => map(keyword, |keyword| Key::Keyword { keyword, set: true }).parse(rest),
        "UNKEYWORD" => map(keyword, |keyword| Key::Keyword { keyword, set: false }).parse(rest),
        "LARGER" => map(number64, Key::Larger).parse(rest),
        "SMALLER" => map(number64, Key::Smaller).parse(rest),
        "BEFORE" => map(date, |day| Key::Arrived(When::Before, day)).parse(rest),
        "ON" => map(date, |day| Key::Arrived(When::On, day)).parse(rest),
        "SINCE" => map(date, |day| Key::Arrived(When::Since, day)).parse(rest),
        "SENTBEFORE" => map(date, |day| Key::Sent(When::Before, day)).parse(rest),
        "SENTON" => map(date, |day| Key::Sent(When::On, day)).parse(rest),
        _ => map(date, |day| Key::Sent(When::Since, day)).parse(rest),
    }
}

/// `"HEADER" SP header-fld-name SP astring`
fn header(input: &[u8]) -> Parsed<'_, Key> {
    let name = map_opt(astring, |octets| String::from_utf8(octets).ok());
    map((terminated(name, sp), astring), |(field, text)| Key::Header { field, text }).parse(input)
}

fn keyword(input: &[u8]) -> Parsed<'_, Keyword> {
    map_opt(atom, Keyword::new).parse(input)
}

/// `date = date-text / DQUOTE date-text DQUOTE`
fn date(input: &[u8]) -> Parsed<'_, Day> {
    let bare = map(atom, |text| text.as_bytes().to_vec());
    map_opt(alt((quoted, bare)), |text| Day::parse_imap(&text)).parse(input)
}
