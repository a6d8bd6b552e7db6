//! The commands of SMTP: RFC 5321 4.1.1, with STARTTLS (RFC 3207), AUTH (RFC 4954), BDAT (RFC 3030), LHLO (RFC 2033) and
//! XCLIENT (Postfix).
//!
//! A command line is read once into a `Command` that cannot be wrong. What is wrong has a reply of its own, so that the
//! session needs no second look at the text.

use mail::reply::{self, Reply};
use mail::{Domain, ReversePath};
use nom::branch::alt;
use nom::bytes::complete::{tag, tag_no_case, take_while, take_while1};
use nom::character::complete::{char, digit1};
use nom::combinator::{all_consuming, map, map_res, opt, value};
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser};

use super::parameter::{self, BadParameter, MailParameters, RcptParameters};
use super::path::{self, BadPath, ForwardPath};
use super::xclient::{self, Told};

/// Longest command line in octets without CRLF. RFC 5321 4.5.3.1.4 says 512 with CRLF and lets extensions raise it:
/// SIZE, SMTPUTF8, AUTH= and DSN add up to less than this.
pub const COMMAND_OCTETS_MAX: usize = 2_048;
/// Longest line of AUTH, and of a response in its exchange, in octets without CRLF (RFC 4954 4).
pub const AUTH_OCTETS_MAX: usize = 12_288;

/// The name a client gives with EHLO or HELO: visible characters, never empty, at most 255 octets. RFC 5321 4.1.4
/// forbids to refuse mail because the name is not that of the client, and many clients write no domain at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelloName(String);

impl HelloName {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as a domain or address literal, if it is one.
    pub fn domain(&self) -> Option<Domain> {
        self.0.parse().ok()
    }
}

/// A command of the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    Ehlo(HelloName),
    Helo(HelloName),
    /// RFC 2033 4.1.
    Lhlo(HelloName),
    StartTls,
    /// What a trusted client tells of the client it speaks for.
    Xclient(Told),
    /// The mechanism's name as written, and the initial response in base64 or `=`.
    Auth {
        mechanism: String,
        initial: Option<String>,
    },
    Mail {
        reverse_path: ReversePath,
        parameters: MailParameters,
    },
    Rcpt {
        forward_path: ForwardPath,
        parameters: RcptParameters,
    },
    Data,
    /// The chunk of `octets` octets follows the command's CRLF at once.
    Bdat {
        octets: u64,
        last: bool,
    },
    Rset,
    Noop,
    Vrfy,
    Expn,
    Help,
    Quit,
}

/// Why a line is no command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadCommand {
    /// A bare CR or LF, NUL, another control character, or not UTF-8.
    Octets,
    /// No verb we know.
    Unknown,
    /// A browser was made to talk to us; nothing it says may be believed.
    Http,
    /// A verb we know with a wrong argument; the text is what should stand there.
    Argument(&'static str),
    ReversePath(BadPath),
    ForwardPath(BadPath),
    Parameter(BadParameter),
}

impl BadCommand {
    /// The reply this deserves.
    pub fn reply(&self) -> Reply {
        match self {
            BadCommand::Octets => {
                Reply::new(reply::SYNTAX_COMMAND, "A line ends with CRLF and holds no other control character")
            }
            BadCommand::Unknown => Reply::new(reply::SYNTAX_COMMAND, "Command not recognized"),
            BadCommand::Http => Reply::new(reply::CUT_OFF, "This is not a web server"),
            BadCommand::Argument(usage) => Reply::new(reply::SYNTAX_ARGUMENT, format!("Syntax: {usage}")),
            BadCommand::ReversePath(bad) => Reply::new(reply::BAD_SENDER, format!("Bad reverse-path: {bad}")),
            BadCommand::ForwardPath(bad) => Reply::new(reply::BAD_RECIPIENT, format!("Bad forward-path: {bad}")),
            BadCommand::Parameter(bad) => bad.reply(),
        }
    }
}

/// Reads a command line without its CRLF.
pub fn parse(line: &[u8]) -> Result<Command, BadCommand> {
    let text = std::str::from_utf8(line).map_err(|_| BadCommand::Octets)?;
    if text.chars().any(char::is_control) {
        return Err(BadCommand::Octets);
    }
    // RFC 5321 4.1.1: white space before the end of the line is tolerated.
    let text = text.trim_end_matches(' ');
    let Ok((rest, verb)) = verb(text) else { return Err(BadCommand::Unknown) };
    if !rest.is_empty() && !rest.starts_with(' ') {
        return Err(BadCommand::Unknown);
    }
    arguments(verb, rest.trim_start_matches(' '))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Ehlo,
    Helo,
    Lhlo,
    StartTls,
    Xclient,
    Auth,
    Mail,
    Rcpt,
    Data,
    Bdat,
    Rset,
    Noop,
    Vrfy,
    Expn,
    Help,
    Quit,
    Http,
}

/// RFC 5321 2.4: verbs are in any case.
fn verb(text: &str) -> IResult<&str, Verb> {
    alt((
        alt((
            value(Verb::Ehlo, tag_no_case("EHLO")),
            value(Verb::Helo, tag_no_case("HELO")),
            value(Verb::StartTls, tag_no_case("STARTTLS")),
            value(Verb::Auth, tag_no_case("AUTH")),
            value(Verb::Mail, tag_no_case("MAIL")),
            value(Verb::Rcpt, tag_no_case("RCPT")),
            value(Verb::Data, tag_no_case("DATA")),
            value(Verb::Bdat, tag_no_case("BDAT")),
            value(Verb::Rset, tag_no_case("RSET")),
        )),
        value(Verb::Lhlo, tag_no_case("LHLO")),
        value(Verb::Xclient, tag_no_case("XCLIENT")),
        value(Verb::Noop, tag_no_case("NOOP")),
        value(Verb::Vrfy, tag_no_case("VRFY")),
        value(Verb::Expn, tag_no_case("EXPN")),
        value(Verb::Help, tag_no_case("HELP")),
        value(Verb::Quit, tag_no_case("QUIT")),
        value(Verb::Http, alt((tag("GET"), tag("POST"), tag("PUT"), tag("HEAD"), tag("OPTIONS"), tag("CONNECT")))),
    ))
    .parse(text)
}

fn arguments(verb: Verb, rest: &str) -> Result<Command, BadCommand> {
    let bare = |command, usage| if rest.is_empty() { Ok(command) } else { Err(BadCommand::Argument(usage)) };
    match verb {
        Verb::Ehlo => hello_name(rest).map(Command::Ehlo).ok_or(BadCommand::Argument("EHLO domain")),
        Verb::Helo => hello_name(rest).map(Command::Helo).ok_or(BadCommand::Argument("HELO domain")),
        Verb::Lhlo => hello_name(rest).map(Command::Lhlo).ok_or(BadCommand::Argument("LHLO domain")),
        Verb::Xclient => {
            xclient::read(rest).map(Command::Xclient).ok_or(BadCommand::Argument("XCLIENT name=value ..."))
        }
        Verb::StartTls => bare(Command::StartTls, "STARTTLS"),
        Verb::Auth => whole(auth, rest).ok_or(BadCommand::Argument("AUTH mechanism [initial-response]")),
        Verb::Mail => mail(rest),
        Verb::Rcpt => rcpt(rest),
        Verb::Data => bare(Command::Data, "DATA"),
        Verb::Bdat => whole(bdat, rest).ok_or(BadCommand::Argument("BDAT octets [LAST]")),
        Verb::Rset => bare(Command::Rset, "RSET"),
        // RFC 5321 4.1.1.9 and 4.1.1.8: the text after NOOP and HELP is ignored.
        Verb::Noop => Ok(Command::Noop),
        Verb::Help => Ok(Command::Help),
        Verb::Vrfy if rest.is_empty() => Err(BadCommand::Argument("VRFY string")),
        Verb::Vrfy => Ok(Command::Vrfy),
        Verb::Expn => Ok(Command::Expn),
        Verb::Quit => bare(Command::Quit, "QUIT"),
        Verb::Http => Err(BadCommand::Http),
    }
}

fn whole<'a, O>(parser: impl Fn(&'a str) -> IResult<&'a str, O>, text: &'a str) -> Option<O> {
    all_consuming(parser).parse(text).ok().map(|(_, found)| found)
}

/// RFC 5321 4.1.1.1: `ehlo = "EHLO" SP ( Domain / address-literal ) CRLF`; see `HelloName` for what is taken here.
pub(super) fn hello_name(rest: &str) -> Option<HelloName> {
    let sound = !rest.is_empty() && rest.len() <= 255 && !rest.chars().any(char::is_whitespace);
    sound.then(|| HelloName(rest.to_owned()))
}

/// RFC 4954 4: `auth-command = "AUTH" SP sasl-mech [SP initial-response] *(CRLF [base64]) [CRLF cancel-response]`.
fn auth(text: &str) -> IResult<&str, Command> {
    // RFC 4422 3.1: sasl-mech = 1*20mech-char
    let mechanism = take_while1(|c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let initial = take_while1(|c: char| c.is_ascii_graphic());
    map((mechanism, opt(preceded(char(' '), initial))), |(mechanism, initial): (&str, Option<&str>)| Command::Auth {
        mechanism: mechanism.to_owned(),
        initial: initial.map(str::to_owned),
    })
    .parse(text)
}

/// RFC 3030 2: `bdat-cmd = "BDAT" SP chunk-size [ SP end-marker ] CR LF`.
fn bdat(text: &str) -> IResult<&str, Command> {
    let octets = map_res(digit1, str::parse::<u64>);
    map((octets, opt(preceded(char(' '), tag_no_case("LAST")))), |(octets, last)| Command::Bdat {
        octets,
        last: last.is_some(),
    })
    .parse(text)
}

/// RFC 5321 4.1.1.2: `mail = "MAIL FROM:" Reverse-path [SP Mail-parameters] CRLF`. A space after the colon is not in
/// the grammar, and is what many clients write.
fn mail(rest: &str) -> Result<Command, BadCommand> {
    let usage = BadCommand::Argument("MAIL FROM:<address> [parameters]");
    let (rest, ()) = keyword("FROM:", rest).ok_or(usage)?;
    let (rest, path) = path::enclosed(rest).map_err(BadCommand::ReversePath)?;
    let reverse_path = path::reverse(path).map_err(BadCommand::ReversePath)?;
    let words = parameter::words(rest).map_err(BadCommand::Parameter)?;
    let parameters = MailParameters::read(&words).map_err(BadCommand::Parameter)?;
    Ok(Command::Mail { reverse_path, parameters })
}

/// RFC 5321 4.1.1.3: `rcpt = "RCPT TO:" ( "<Postmaster@" Domain ">" / "<Postmaster>" / Forward-path )
/// [SP Rcpt-parameters] CRLF`.
fn rcpt(rest: &str) -> Result<Command, BadCommand> {
    let usage = BadCommand::Argument("RCPT TO:<address> [parameters]");
    let (rest, ()) = keyword("TO:", rest).ok_or(usage)?;
    let (rest, path) = path::enclosed(rest).map_err(BadCommand::ForwardPath)?;
    let forward_path = path::forward(path).map_err(BadCommand::ForwardPath)?;
    let words = parameter::words(rest).map_err(BadCommand::Parameter)?;
    let parameters = RcptParameters::read(&words).map_err(BadCommand::Parameter)?;
    Ok(Command::Rcpt { forward_path, parameters })
}

fn keyword<'a>(word: &'static str, text: &'a str) -> Option<(&'a str, ())> {
    let parsed: IResult<&str, &str> = terminated(tag_no_case(word), take_while(|c| c == ' ')).parse(text);
    parsed.ok().map(|(rest, _)| (rest, ()))
}

/// The law of this parser: no octets make it panic, and a command that was read stays within its limits.
pub fn fuzz(octets: &[u8]) {
    if let Ok(Command::Rcpt { forward_path: ForwardPath::Address(address), .. }) = parse(octets) {
        let again = path::forward(&address.to_string());
        assert_eq!(again, Ok(ForwardPath::Address(address)), "a forward-path reads back");
    }
}

#[cfg(test)]
mod tests;
