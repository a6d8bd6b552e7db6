//! APPEND and REPLACE (RFC 9051 6.3.12, RFC 3502, RFC 3516, RFC 4469, RFC 6855, RFC 8508). The content is not part of the
//! grammar: it streams.

use nom::Parser;
use nom::branch::alt;
use nom::bytes::streaming::{tag, tag_no_case};
use nom::character::streaming::char as octet;
use nom::combinator::{map, map_opt, opt, value};
use nom::sequence::{preceded, terminated};

use super::flags::{flag, flag_list};
use super::mailbox::{Coding, mailbox};
use super::set::messages;
use super::word::{Parsed, astring, command_tag, crlf, list0, literal_announced, quoted, refuse, sp};
use crate::imap::command::{Append, End, Inside, Literal, Messages, Name, Piece, Set, Stretch, Tag};
use mail::date::DateTime;

/// ```abnf
/// append  = "APPEND" SP mailbox 1*append-message
/// replace = "REPLACE" SP seq-number SP mailbox append-message
/// ```
/// up to the first octets that stream.
pub fn append(coding: Coding) -> impl Fn(&[u8]) -> Parsed<'_, Append> {
    move |input| {
        let (rest, (tag, replaces, name)) = head(coding)(input)?;
        let (rest, stretch) = stretch(None)(rest)?;
        Ok((rest, Append { tag, name, replaces, stretch }))
    }
}

fn head(coding: Coding) -> impl Fn(&[u8]) -> Parsed<'_, (Tag, Option<Messages>, Name)> {
    move |input| (start, mailbox(coding)).map(|((tag, replaces), name)| (tag, replaces, name)).parse(input)
}

/// Up to the mailbox.
fn start(input: &[u8]) -> Parsed<'_, (Tag, Option<Messages>)> {
    let command = alt((
        value(None, tag_no_case("APPEND ")),
        map(preceded(tag_no_case("REPLACE "), one_message(false)), Some),
        map(preceded(tag_no_case("UID REPLACE "), one_message(true)), Some),
    ));
    (terminated(command_tag, sp), command).parse(input)
}

/// `seq-number SP`, and with `uid` the same of UIDs.
fn one_message(uid: bool) -> impl Fn(&[u8]) -> Parsed<'_, Messages> {
    move |input| {
        let is_one = |found: &Messages| match &found.set {
            Set::Numbers(set) => matches!(set.0.as_slice(), [(first, last)] if first == last),
            Set::Saved => false,
        };
        terminated(map_opt(messages(uid), |found| is_one(&found).then_some(found)), sp).parse(input)
    }
}

/// ```abnf
/// append-message  = append-opts SP append-data
/// append-opts     = [SP flag-list] [SP date-time]
/// append-data     = literal / literal8 / "UTF8" SP "(" literal8 ")" / "CATENATE" SP "(" cat-part *(SP cat-part) ")"
/// cat-part        = "TEXT" SP literal / "URL" SP astring
/// ```
/// from behind the literal that `inside` tells of, or from behind the mailbox, to the next literal or the line end.
pub fn stretch(inside: Option<Inside>) -> impl Fn(&[u8]) -> Parsed<'_, Stretch> {
    move |input| {
        let mut pieces = Vec::new();
        let mut rest = match inside {
            None | Some(Inside::Message) => input,
            Some(Inside::Utf8) => octet(')').parse(input)?.0,
            Some(Inside::Catenate) => match catenated(input, false, &mut pieces)? {
                (rest, Some(end)) => return Ok((rest, Stretch { pieces, end })),
                (rest, None) => rest,
            },
        };
        let mut has_message = inside.is_some();
        loop {
            if has_message && rest.first() == Some(&b'\r') {
                let (rest, ()) = crlf(rest)?;
                return Ok((rest, Stretch { pieces, end: End::Command }));
            }
            let (behind, (flags, internal_date)) = options(rest)?;
            pieces.push(Piece::Message { flags: flags.unwrap_or_default(), internal_date });
            has_message = true;
            rest = match data(behind, &mut pieces)? {
                (rest, Some(end)) => return Ok((rest, Stretch { pieces, end })),
                (rest, None) => rest,
            };
        }
    }
}

/// `append-opts SP`
fn options(input: &[u8]) -> Parsed<'_, (Option<mail::Flags>, Option<DateTime>)> {
    preceded(sp, (opt(terminated(flag_list, sp)), opt(terminated(date_time, sp)))).parse(input)
}

/// `append-data`. Without an end it was there to its last octet.
fn data<'a>(input: &'a [u8], pieces: &mut Vec<Piece>) -> Parsed<'a, Option<End>> {
    let (rest, found) = alt((
        map(any_literal, |literal| Some((literal, Inside::Message))),
        map(preceded(tag_no_case("UTF8 (~"), literal_announced), |literal| Some((literal, Inside::Utf8))),
        value(None, tag_no_case("CATENATE (")),
    ))
    .parse(input)?;
    match found {
        Some((literal, inside)) => Ok((rest, Some(End::Literal(literal, inside)))),
        None => catenated(rest, true, pieces),
    }
}

/// `cat-part`s to the closing parenthesis or the next literal.
fn catenated<'a>(input: &'a [u8], mut first: bool, pieces: &mut Vec<Piece>) -> Parsed<'a, Option<End>> {
    let mut rest = input;
    loop {
        if !first {
            let (behind, separator) = alt((octet(')'), octet(' '))).parse(rest)?;
            rest = behind;
            if separator == ')' {
                return Ok((rest, None));
            }
        }
        first = false;
        let (behind, url) = opt(preceded(tag_no_case("URL "), astring)).parse(rest)?;
        let Some(url) = url else {
            let (behind, literal) = preceded(tag_no_case("TEXT "), any_literal).parse(rest)?;
            return Ok((behind, Some(End::Literal(literal, Inside::Catenate))));
        };
        if url.is_empty() {
            return refuse(rest);
        }
        pieces.push(Piece::Url(url));
        rest = behind;
    }
}

/// `literal / literal8`: the `~` (RFC 3516) is read, but content with NUL is refused when it comes.
fn any_literal(input: &[u8]) -> Parsed<'_, Literal> {
    preceded(opt(tag("~")), literal_announced).parse(input)
}

/// The tag, and what is wrong about an APPEND that `append` refuses. `None` when it is none, or has no name to judge.
pub fn complaint(input: &[u8], coding: Coding) -> Option<(Tag, &'static str)> {
    let (rest, (tag, replaces)) = start(input).ok()?;
    let Ok((rest, _)) = terminated(mailbox(coding), sp).parse(rest) else { return Some((tag, "the name is none")) };
    let what = match opt(terminated(flag_list, sp)).parse(rest) {
        Ok((rest, _)) if rest.starts_with(b"\"") => "the date is none",
        Ok((rest, _)) if rest.starts_with(b"(") => match (list0(flag).parse(rest), replaces) {
            (Ok(_), _) => "too many flags",
            (Err(_), None) => "APPEND does not take one of these flags",
            (Err(_), Some(_)) => "REPLACE does not take one of these flags",
        },
        Ok(_) | Err(_) => "after the name come flags, a date and a literal",
    };
    Some((tag, what))
}

/// `date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE`
fn date_time(input: &[u8]) -> Parsed<'_, DateTime> {
    map_opt(quoted, |text| DateTime::parse_imap(&text)).parse(input)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail::SystemFlags;
    use nom::Err;

    fn read(line: &str) -> Append {
        let (rest, found) = append(Coding::Utf7)(line.as_bytes()).unwrap_or_else(|error| panic!("{line}: {error:?}"));
        assert!(rest.is_empty(), "{line}");
        found
    }

    #[test]
    fn everything_before_the_content_is_read_and_the_content_is_left() {
        let line = b"a APPEND Sent (\\Seen) \"17-Jul-1996 02:44:25 -0700\" {310+}\r\nrest";
        let (rest, found) = append(Coding::Utf7)(line).unwrap();
        assert_eq!(rest, b"rest");
        let date = DateTime { unix_seconds: 837_596_665, offset_minutes: -420 };
        let message = Piece::Message { flags: mail::Flags::system(SystemFlags::SEEN), internal_date: Some(date) };
        assert_eq!(found.stretch.pieces, [message]);
        let literal = Literal { size_octets: 310, synchronizing: false };
        assert_eq!(found.stretch.end, End::Literal(literal, Inside::Message));
        read("a APPEND {4}\r\nSent ~{3}\r\n");
        assert!(append(Coding::Utf7)(b"a APPEND Sent \"yesterday\" {3}\r\n").is_err());
        assert!(append(Coding::Utf7)(b"a APPEND Sent\r\n").is_err());
        assert!(append(Coding::Utf7)(b"a APPEND Sent CATENATE ()\r\n").is_err());
    }

    #[test]
    fn messages_are_put_together_from_urls_and_texts() {
        let plain = Piece::Message { flags: mail::Flags::default(), internal_date: None };
        let url = |text: &str| Piece::Url(text.as_bytes().to_vec());
        let found = read("a APPEND Sent CATENATE (URL /a/;UID=1 URL {9}\r\n/b/;UID=2 TEXT {3}\r\n");
        assert_eq!(found.stretch.pieces, [plain.clone(), url("/a/;UID=1"), url("/b/;UID=2")]);
        assert!(matches!(found.stretch.end, End::Literal(_, Inside::Catenate)));
        let whole = read("a APPEND Sent CATENATE (URL x) CATENATE (URL \"y\" URL z)\r\n");
        assert_eq!(whole.stretch.pieces, [plain.clone(), url("x"), plain.clone(), url("y"), url("z")]);
        assert_eq!(whole.stretch.end, End::Command);
        for (inside, text, pieces, end) in [
            (Inside::Message, "\r\n", vec![], End::Command),
            (Inside::Utf8, ")\r\n", vec![], End::Command),
            (Inside::Catenate, " URL x)\r\n", vec![url("x")], End::Command),
            (Inside::Catenate, ") CATENATE (URL x)\r\n", vec![plain.clone(), url("x")], End::Command),
        ] {
            assert_eq!(stretch(Some(inside))(text.as_bytes()), Ok((&b""[..], Stretch { pieces, end })), "{text}");
        }
        for (inside, text) in [(Inside::Message, ")\r\n"), (Inside::Utf8, "\r\n"), (Inside::Catenate, "\r\n")] {
            assert!(matches!(stretch(Some(inside))(text.as_bytes()), Err(Err::Error(_))), "{text}");
        }
    }

    #[test]
    fn replace_names_one_message() {
        let found = read("a UID REPLACE 4 Drafts (\\Draft) {3+}\r\n");
        assert!(found.replaces.is_some_and(|messages| messages.uid));
        assert!(read("a replace * Drafts {3}\r\n").replaces.is_some());
        for wrong in ["a REPLACE 4:5 Drafts {3}\r\n", "a REPLACE $ Drafts {3}\r\n", "a REPLACE Drafts {3}\r\n"] {
            assert!(append(Coding::Utf7)(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn each_prefix_is_incomplete() {
        for line in [
            "a APPEND Sent (\\Seen $x) \"17-Jul-1996 02:44:25 -0700\" {310+}\r\n",
            "a APPEND {4}\r\nSent UTF8 (~{3}\r\n",
            "a APPEND Sent CATENATE (URL \"/x\" URL {2+}\r\nyz) (\\Seen) CATENATE (URL a TEXT ~{9}\r\n",
            "a UID REPLACE 4 Drafts () ~{3}\r\n",
            "a REPLACE 4 Drafts CATENATE (URL x)\r\n",
        ] {
            for end in 0..line.len() {
                let cut = append(Coding::Utf7)(&line.as_bytes()[..end]);
                assert!(matches!(cut, Err(Err::Incomplete(_))), "{:?}: {cut:?}", &line[..end]);
            }
            read(line);
        }
    }
}
