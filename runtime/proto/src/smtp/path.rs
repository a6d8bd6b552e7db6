//! Paths of the envelope: `<user@host>`, `<>`, `<Postmaster>`, and source routes (RFC 5321 4.1.2, appendix C).

use std::fmt;

use mail::{Address, BadAddress, ReversePath};
use nom::branch::alt;
use nom::bytes::complete::{take_while_m_n, take_while1};
use nom::character::complete::char;
use nom::combinator::recognize;
use nom::multi::{many0_count, separated_list1};
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser};

/// `RCPT TO`: where a message shall go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForwardPath {
    Address(Address),
    /// `<Postmaster>` without a domain (RFC 5321 4.5.1).
    Postmaster,
    /// A path we can read and shall not follow: a source route. The text is what stood between the brackets, at most a
    /// command line long.
    Malformed(String),
}

impl fmt::Display for ForwardPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ForwardPath::Address(address) => write!(f, "<{address}>"),
            ForwardPath::Postmaster => f.write_str("<Postmaster>"),
            ForwardPath::Malformed(text) => write!(f, "<{text}>"),
        }
    }
}

/// Why a text is no path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadPath {
    Brackets,
    Address(BadAddress),
}

impl fmt::Display for BadPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadPath::Brackets => f.write_str("an address stands in angle brackets"),
            BadPath::Address(bad) => bad.fmt(f),
        }
    }
}

/// Splits `<path>rest` at the bracket that closes the path; a `>` inside a quoted string closes nothing.
pub(super) fn enclosed(text: &str) -> Result<(&str, &str), BadPath> {
    delimited(char('<'), inner, char('>')).parse(text).map_err(|_| BadPath::Brackets)
}

fn inner(text: &str) -> IResult<&str, &str> {
    let plain = take_while1(|c| c != '"' && c != '<' && c != '>');
    recognize(many0_count(alt((plain, quoted)))).parse(text)
}

/// RFC 5321 4.1.2: `Quoted-string = DQUOTE *QcontentSMTP DQUOTE`, `quoted-pairSMTP = %d92 %d32-126`.
fn quoted(text: &str) -> IResult<&str, &str> {
    let plain = take_while1(|c| c != '"' && c != '\\');
    let pair = recognize(preceded(char('\\'), take_while_m_n(1, 1, |_| true)));
    recognize(delimited(char('"'), many0_count(alt((plain, pair))), char('"'))).parse(text)
}

/// RFC 5321 4.1.2: `A-d-l = At-domain *( "," At-domain )`, followed by a colon. Gives the mailbox behind it.
fn source_route(text: &str) -> IResult<&str, ()> {
    let at_domain = preceded(char('@'), take_while1(|c| c != ',' && c != ':' && c != '@' && c != ' '));
    terminated(separated_list1(char(','), at_domain), char(':')).map(|_| ()).parse(text)
}

/// RFC 5321 4.1.2: `Reverse-path = Path / "<>"`. A source route is accepted and ignored (RFC 5321 4.1.1.2, F.2).
pub(super) fn reverse(path: &str) -> Result<ReversePath, BadPath> {
    if path.is_empty() {
        return Ok(ReversePath::Null);
    }
    let mailbox = source_route(path).map_or(path, |(mailbox, ())| mailbox);
    mailbox.parse().map(ReversePath::Address).map_err(BadPath::Address)
}

/// The forward-path between the brackets.
pub(super) fn forward(path: &str) -> Result<ForwardPath, BadPath> {
    if path.eq_ignore_ascii_case("postmaster") {
        return Ok(ForwardPath::Postmaster);
    }
    if let Ok((mailbox, ())) = source_route(path) {
        let sound: Result<Address, BadAddress> = mailbox.parse();
        return sound.map(|_| ForwardPath::Malformed(path.to_owned())).map_err(BadPath::Address);
    }
    path.parse().map(ForwardPath::Address).map_err(BadPath::Address)
}
