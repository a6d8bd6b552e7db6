//! Command lines (RFC 1939 3, RFC 2449 3). Keywords are read in any case, and spaces behind the last argument are none of it:
//! clients are careless with both.

use nom::bytes::complete::take_while1;
use nom::character::complete::{char as octet, digit1, space0};
use nom::combinator::{all_consuming, map, opt, rest};
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser};

use super::command::{Auth, Command, OnMaildrop};
use crate::sasl::Secret;

type Parsed<'a, T> = IResult<&'a [u8], T>;

/// Why a line is no command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoCommand {
    Unknown,
    /// The command is known and does not take what follows it.
    Arguments(&'static str),
}

/// Reads a line without its CRLF.
///
/// ```abnf
/// command = keyword *(SP param) CRLF
/// keyword = 3*4VCHAR
/// param   = 1*VCHAR
/// ```
pub fn command(line: &[u8]) -> Result<Command, NoCommand> {
    let length = line.iter().position(|octet| !octet.is_ascii_alphanumeric()).unwrap_or(line.len());
    let (word, arguments) = line.split_at(length);
    // The longest keyword has four characters: a longer word may be a secret in the wrong place.
    let keyword = std::str::from_utf8(word).ok().filter(|word| word.len() <= 4).map(str::to_ascii_uppercase);
    match keyword.as_deref().unwrap_or_default() {
        "CAPA" => bare("CAPA", arguments, Command::Capa),
        "STLS" => bare("STLS", arguments, Command::Stls),
        "UTF8" => bare("UTF8", arguments, Command::Utf8),
        "USER" => whole("USER", arguments, user),
        "PASS" => whole("PASS", arguments, pass),
        "AUTH" => whole("AUTH", arguments, auth),
        "QUIT" => bare("QUIT", arguments, Command::Quit),
        "NOOP" => bare("NOOP", arguments, Command::Noop),
        "STAT" => bare("STAT", arguments, Command::OnMaildrop(OnMaildrop::Stat)),
        "LIST" => whole("LIST", arguments, |input| on_maildrop(opt(message), OnMaildrop::List, input)),
        "UIDL" => whole("UIDL", arguments, |input| on_maildrop(opt(message), OnMaildrop::Uidl, input)),
        "RETR" => whole("RETR", arguments, |input| on_maildrop(message, OnMaildrop::Retr, input)),
        "TOP" => whole("TOP", arguments, top),
        "DELE" => whole("DELE", arguments, |input| on_maildrop(message, OnMaildrop::Dele, input)),
        "RSET" => bare("RSET", arguments, Command::OnMaildrop(OnMaildrop::Rset)),
        _ => Err(NoCommand::Unknown),
    }
}

/// All of the arguments, or a refusal that names the command.
fn whole<'a>(
    name: &'static str,
    arguments: &'a [u8],
    parser: impl Fn(&'a [u8]) -> Parsed<'a, Command>,
) -> Result<Command, NoCommand> {
    all_consuming(parser).parse(arguments).map(|(_, command)| command).map_err(|_| NoCommand::Arguments(name))
}

/// A command without arguments.
fn bare(name: &'static str, arguments: &[u8], command: Command) -> Result<Command, NoCommand> {
    match all_consuming(spaces).parse(arguments) {
        Ok(_) => Ok(command),
        Err(_) => Err(NoCommand::Arguments(name)),
    }
}

fn spaces(input: &[u8]) -> Parsed<'_, ()> {
    map(space0, drop).parse(input)
}

fn on_maildrop<'a, T>(
    argument: impl Parser<&'a [u8], Output = T, Error = nom::error::Error<&'a [u8]>>,
    command: impl Fn(T) -> OnMaildrop,
    input: &'a [u8],
) -> Parsed<'a, Command> {
    map(terminated(argument, spaces), |argument| Command::OnMaildrop(command(argument))).parse(input)
}

/// ```abnf
/// number = 1*DIGIT
/// ```
fn number(input: &[u8]) -> Parsed<'_, u32> {
    let value = |digits: &[u8]| {
        let digit = |value: u32, digit: &u8| value.saturating_mul(10).saturating_add(u32::from(digit - b'0'));
        digits.iter().fold(0, digit)
    };
    map(digit1, value).parse(input)
}

/// ```abnf
/// msg = SP number
/// ```
fn message(input: &[u8]) -> Parsed<'_, u32> {
    preceded(octet(' '), number).parse(input)
}

/// ```abnf
/// top = "TOP" SP msg SP n
/// ```
fn top(input: &[u8]) -> Parsed<'_, Command> {
    map(terminated((message, message), spaces), |(number, lines)| {
        Command::OnMaildrop(OnMaildrop::Top { number, lines })
    })
    .parse(input)
}

/// ```abnf
/// user = "USER" SP name
/// ```
fn user(input: &[u8]) -> Parsed<'_, Command> {
    let name = |octets: &[u8]| Command::User(String::from_utf8_lossy(octets).trim_end_matches(' ').to_owned());
    map(preceded(octet(' '), take_while1(is_text)), name).parse(input)
}

/// A password may hold spaces, also at its end.
///
/// ```abnf
/// pass = "PASS" SP string
/// ```
fn pass(input: &[u8]) -> Parsed<'_, Command> {
    let secret = |octets: &[u8]| {
        let text =
            std::str::from_utf8(octets).ok().filter(|text| !text.is_empty() && octets.iter().all(|it| is_text(*it)));
        Command::Pass(text.map(Secret::new))
    };
    map(preceded(octet(' '), rest), secret).parse(input)
}

/// RFC 5034 4.
///
/// ```abnf
/// auth-command     = "AUTH" SP sasl-mech [SP initial-response]
/// sasl-mech        = 1*20mech-char
/// mech-char        = UPPER-ALPHA / DIGIT / "-" / "_"
/// initial-response = base64 / "="
/// ```
fn auth(input: &[u8]) -> Parsed<'_, Command> {
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    let mechanism = take_while1(|octet: u8| octet.is_ascii_alphanumeric() || b"-_".contains(&octet));
    let response = take_while1(|octet: u8| octet.is_ascii_alphanumeric() || b"+/=".contains(&octet));
    let named = (preceded(octet(' '), mechanism), opt(preceded(octet(' '), response)));
    let auth = opt(map(named, |(mechanism, initial)| Auth { mechanism: text(mechanism), initial: initial.map(text) }));
    map(terminated(auth, spaces), Command::Auth).parse(input)
}

fn is_text(octet: u8) -> bool {
    !matches!(octet, b'\r' | b'\n' | 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Command) {
        assert_eq!(command(line.as_bytes()), Ok(expected), "{line}");
    }

    #[test]
    fn commands_are_read_in_any_case() {
        check("CAPA", Command::Capa);
        check("stls", Command::Stls);
        check("Utf8", Command::Utf8);
        check("QUIT  ", Command::Quit);
        check("user toto-j", Command::User("toto-j".into()));
        check("USER é \t", Command::User("é \t".into()));
        check("PASS a b ", Command::Pass(Some(Secret::new("a b "))));
        check("PASS ", Command::Pass(None));
        check("AUTH", Command::Auth(None));
        let plain = |initial: Option<&str>| {
            Command::Auth(Some(Auth { mechanism: "plain".into(), initial: initial.map(str::to_owned) }))
        };
        check("AUTH plain", plain(None));
        check("AUTH plain =", plain(Some("=")));
        check("AUTH plain AGEAYg== ", plain(Some("AGEAYg==")));
    }

    #[test]
    fn numbers_are_as_large_as_they_like() {
        let on = Command::OnMaildrop;
        check("LIST", on(OnMaildrop::List(None)));
        check("LIST 7", on(OnMaildrop::List(Some(7))));
        check("UIDL ", on(OnMaildrop::Uidl(None)));
        check("UIDL 007", on(OnMaildrop::Uidl(Some(7))));
        check("RETR 99999999999999999999", on(OnMaildrop::Retr(u32::MAX)));
        check("TOP 1 0", on(OnMaildrop::Top { number: 1, lines: 0 }));
        check("TOP 1 4294967296 ", on(OnMaildrop::Top { number: 1, lines: u32::MAX }));
        check("DELE 0", on(OnMaildrop::Dele(0)));
    }

    #[test]
    fn what_a_command_does_not_take_is_refused_by_its_name() {
        for (line, expected) in [
            ("", NoCommand::Unknown),
            ("APOP toto-j c4c9334bac560ecc979e58001b3e22fb", NoCommand::Unknown),
            (" STAT", NoCommand::Unknown),
            ("STATS", NoCommand::Unknown),
            ("LAST", NoCommand::Unknown),
            ("STAT 1", NoCommand::Arguments("STAT")),
            ("STAT\r", NoCommand::Arguments("STAT")),
            ("QUIT\0", NoCommand::Arguments("QUIT")),
            ("LIST  1", NoCommand::Arguments("LIST")),
            ("LIST 1 2", NoCommand::Arguments("LIST")),
            ("RETR", NoCommand::Arguments("RETR")),
            ("RETR -1", NoCommand::Arguments("RETR")),
            ("TOP 1", NoCommand::Arguments("TOP")),
            ("DELE a", NoCommand::Arguments("DELE")),
            ("USER", NoCommand::Arguments("USER")),
            ("USER a\nb", NoCommand::Arguments("USER")),
            ("AUTH PLAIN !", NoCommand::Arguments("AUTH")),
        ] {
            assert_eq!(command(line.as_bytes()), Err(expected), "{line:?}");
        }
        assert_eq!(command(b"PASS \xff"), Ok(Command::Pass(None)), "nobody has such a password");
        assert_eq!(command(b"PASS a\0b"), Ok(Command::Pass(None)));
    }
}
