//! FETCH (RFC 9051 6.4.5, RFC 3516, RFC 8474, RFC 8514, RFC 8970).

use nom::branch::alt;
use nom::bytes::streaming::{tag, tag_no_case};
use nom::character::streaming::char as octet;
use nom::combinator::{map, map_opt, opt, value};
use nom::sequence::{delimited, preceded};
use nom::{IResult, Parser};

use super::search::window;
use super::set::messages;
use super::word::{Parsed, astring, atom, list1, number64, nz_number, refuse, sp};
use crate::imap::command::{
    Command, ContentItem, FetchItem, FetchModifiers, OnSelected, Partial, Section, Spelling, Window,
};
use mail::mime::{DEPTH_MAX, SectionKind};

/// Most items in one FETCH: each costs work for each message.
const ITEMS_MAX: usize = 64;
/// Deepest part number: BODYSTRUCTURE tells of parts so deep.
const PART_DEPTH_MAX: usize = DEPTH_MAX;

/// ```abnf
/// fetch = "FETCH" SP sequence-set SP ("ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")")
///         [SP "(" fetch-modifier *(SP fetch-modifier) ")"]
/// ```
pub fn fetch(uid: bool) -> impl Fn(&[u8]) -> Parsed<'_, Command> {
    move |input| {
        let (rest, messages) = messages(uid)(input)?;
        let (rest, ()) = sp(rest)?;
        let (rest, items) = if rest.first() == Some(&b'(') {
            list1(fetch_item).parse(rest)?
        } else {
            alt((fetch_macro, map(fetch_item, |one| vec![one]))).parse(rest)?
        };
        if items.len() > ITEMS_MAX {
            return refuse(input);
        }
        let (rest, given) = opt(preceded(sp, list1(modifier))).parse(rest)?;
        let mut modifiers = FetchModifiers::default();
        for modifier in given.unwrap_or_default() {
            match modifier {
                Modifier::ChangedSince(mod_seq) => modifiers.changed_since = Some(mod_seq),
                Modifier::Vanished => modifiers.vanished = true,
                Modifier::Partial(window) => modifiers.partial = Some(window),
            }
        }
        // RFC 7162 3.2.6: VANISHED comes with CHANGEDSINCE, in UID FETCH.
        if modifiers.vanished && (modifiers.changed_since.is_none() || !uid) {
            return refuse(input);
        }
        Ok((rest, OnSelected::Fetch { messages, items, modifiers }.into()))
    }
}

#[derive(Clone)]
enum Modifier {
    ChangedSince(u64),
    Vanished,
    Partial(Window),
}

/// `fetch-modifier = "CHANGEDSINCE" SP mod-sequence-value / "VANISHED" / "PARTIAL" SP partial-range` (RFC 7162 7, RFC 9394 4). Zero, which is no such value, is what
/// clients send that know nothing yet.
fn modifier(input: &[u8]) -> Parsed<'_, Modifier> {
    alt((
        map(preceded(tag_no_case("CHANGEDSINCE "), number64), Modifier::ChangedSince),
        value(Modifier::Vanished, tag_no_case("VANISHED")),
        map(preceded(tag_no_case("PARTIAL "), window), Modifier::Partial),
    ))
    .parse(input)
}

fn fetch_macro(input: &[u8]) -> Parsed<'_, Vec<FetchItem>> {
    let fast = vec![FetchItem::Flags, FetchItem::InternalDate, FetchItem::Size];
    map_opt(atom, |word| {
        let mut items = fast.clone();
        match word.to_ascii_uppercase().as_str() {
            "FAST" => (),
            "ALL" => items.push(FetchItem::Envelope),
            "FULL" => items.extend([FetchItem::Envelope, FetchItem::Body]),
            _ => return None,
        }
        Some(items)
    })
    .parse(input)
}

/// ```abnf
/// fetch-att = "ENVELOPE" / "FLAGS" / "INTERNALDATE" / "RFC822" [".HEADER" / ".SIZE" / ".TEXT"] / "BODY" ["STRUCTURE"] /
///             "UID" / "BODY" section [partial] / "BODY.PEEK" section [partial] /
///             "BINARY" [".PEEK"] section-binary [partial] / "BINARY.SIZE" section-binary /
///             "PREVIEW" [SP "(LAZY)"] / "SAVEDATE" / "EMAILID" / "THREADID"
/// ```
pub fn fetch_item(input: &[u8]) -> Parsed<'_, FetchItem> {
    let (rest, word) = item_name(input)?;
    match word.as_str() {
        "ENVELOPE" => Ok((rest, FetchItem::Envelope)),
        "FLAGS" => Ok((rest, FetchItem::Flags)),
        "UID" => Ok((rest, FetchItem::Uid)),
        "MODSEQ" => Ok((rest, FetchItem::ModSeq)),
        "INTERNALDATE" => Ok((rest, FetchItem::InternalDate)),
        "RFC822.SIZE" => Ok((rest, FetchItem::Size)),
        "SAVEDATE" => Ok((rest, FetchItem::SaveDate)),
        "EMAILID" => Ok((rest, FetchItem::EmailId)),
        "THREADID" => Ok((rest, FetchItem::ThreadId)),
        "PREVIEW" => value(FetchItem::Preview, opt(tag_no_case(" (LAZY)"))).parse(rest),
        "BODYSTRUCTURE" => Ok((rest, FetchItem::BodyStructure)),
        "RFC822" => Ok((rest, older(Spelling::Rfc822, SectionKind::All))),
        "RFC822.HEADER" => Ok((rest, older(Spelling::Rfc822Header, SectionKind::Header))),
        "RFC822.TEXT" => Ok((rest, older(Spelling::Rfc822Text, SectionKind::Text))),
        "BODY" if rest.first() != Some(&b'[') => Ok((rest, FetchItem::Body)),
        "BODY" => content(rest, false),
        "BODY.PEEK" => content(rest, true),
        "BINARY" => binary(rest, false),
        "BINARY.PEEK" => binary(rest, true),
        "BINARY.SIZE" => map(section_binary, |part| FetchItem::BinarySize { part }).parse(rest),
        _ => refuse(input),
    }
}

/// The name of an item, which ends where `[`, a space, `)` or the line end begins.
fn item_name(input: &[u8]) -> Parsed<'_, String> {
    let name = nom::bytes::streaming::take_while1(|o: u8| o.is_ascii_alphanumeric() || o == b'.');
    map(name, |name: &[u8]| String::from_utf8_lossy(name).to_ascii_uppercase()).parse(input)
}

fn older(spelling: Spelling, kind: SectionKind) -> FetchItem {
    // RFC 3501 6.4.5: RFC822.HEADER is BODY.PEEK[HEADER], the other two are not PEEK.
    let peek = spelling == Spelling::Rfc822Header;
    FetchItem::Content(ContentItem { spelling, section: Section { part: Vec::new(), kind }, partial: None, peek })
}

fn content(input: &[u8], peek: bool) -> IResult<&[u8], FetchItem> {
    let (rest, section) = section(input)?;
    let (rest, partial) = opt(partial).parse(rest)?;
    Ok((rest, FetchItem::Content(ContentItem { spelling: Spelling::Body, section, partial, peek })))
}

fn binary(input: &[u8], peek: bool) -> IResult<&[u8], FetchItem> {
    let (rest, part) = section_binary(input)?;
    let (rest, partial) = opt(partial).parse(rest)?;
    Ok((rest, FetchItem::Binary { part, partial, peek }))
}

/// `section-binary = "[" [section-part] "]"`
fn section_binary(input: &[u8]) -> Parsed<'_, Vec<u32>> {
    map(delimited(octet('['), opt(section_part), octet(']')), Option::unwrap_or_default).parse(input)
}

/// `section-part = nz-number *("." nz-number)`. Stops before a `.` that no number follows.
fn section_part(input: &[u8]) -> Parsed<'_, Vec<u32>> {
    let (mut rest, first) = nz_number(input)?;
    let mut part = vec![first.get()];
    loop {
        let (behind, next) = opt(preceded(octet('.'), nz_number)).parse(rest)?;
        let Some(next) = next else { return Ok((rest, part)) };
        if part.len() == PART_DEPTH_MAX {
            return refuse(input);
        }
        part.push(next.get());
        rest = behind;
    }
}

/// ```abnf
/// section      = "[" [section-spec] "]"
/// section-spec = section-msgtext / (section-part ["." section-text])
/// section-text = section-msgtext / "MIME"
/// ```
pub fn section(input: &[u8]) -> Parsed<'_, Section> {
    let (rest, _) = octet('[').parse(input)?;
    let (rest, part) = map(opt(section_part), Option::unwrap_or_default).parse(rest)?;
    let (rest, kind) = match part.is_empty() {
        true => opt(section_text).parse(rest)?,
        false => opt(preceded(octet('.'), section_text)).parse(rest)?,
    };
    let (rest, _) = octet(']').parse(rest)?;
    if part.is_empty() && kind == Some(SectionKind::Mime) {
        return refuse(input);
    }
    Ok((rest, Section { part, kind: kind.unwrap_or(SectionKind::All) }))
}

/// `section-msgtext = "HEADER" / "HEADER.FIELDS" [".NOT"] SP header-list / "TEXT"`
fn section_text(input: &[u8]) -> Parsed<'_, SectionKind> {
    let fields =
        |not: bool| map(preceded(sp, list1(field_name)), move |names| SectionKind::HeaderFields { names, not });
    alt((
        preceded(tag_no_case("HEADER.FIELDS.NOT"), fields(true)),
        preceded(tag_no_case("HEADER.FIELDS"), fields(false)),
        value(SectionKind::Header, tag_no_case("HEADER")),
        value(SectionKind::Text, tag_no_case("TEXT")),
        value(SectionKind::Mime, tag_no_case("MIME")),
    ))
    .parse(input)
}

/// `header-fld-name = astring`: printable ASCII without `:`, so that it can be repeated in the answer.
fn field_name(input: &[u8]) -> Parsed<'_, String> {
    map_opt(astring, |octets| {
        let sound = !octets.is_empty() && octets.iter().all(|o| o.is_ascii_graphic() && *o != b':');
        String::from_utf8(octets).ok().filter(|_| sound)
    })
    .parse(input)
}

/// `partial = "<" number64 "." nz-number64 ">"`
fn partial(input: &[u8]) -> Parsed<'_, Partial> {
    let (rest, (origin, length)) =
        delimited(tag("<"), nom::sequence::separated_pair(number64, octet('.'), number64), tag(">")).parse(input)?;
    if length == 0 { refuse(input) } else { Ok((rest, Partial { origin, length })) }
}

/// One item or several, for tests of what FETCH answers.
#[cfg(test)]
pub fn items(input: &[u8]) -> Vec<FetchItem> {
    nom::multi::separated_list1(octet(' '), fetch_item).parse(input).map(|(_, items)| items).unwrap_or_default()
}
