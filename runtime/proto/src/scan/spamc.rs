//! spamc: how SpamAssassin's daemon spamd is asked (its `spamd/PROTOCOL`, version 1.5).
//!
//! A request is a line, fields, an empty line and the message; a reply is the same with the list of rules that fired as
//! its body. One request a connection. Both sides are here: the client for the server, the daemon for tests.

use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, tag_no_case, take_while1};
use nom::character::complete::{char, space0, space1, u16 as number};
use nom::combinator::{all_consuming, map_opt, rest, value};
use nom::sequence::{delimited, preceded};

use super::report::{Report, figure};
use crate::line::{Inbox, Line};

/// Longest line of a reply in octets.
const LINE_OCTETS_MAX: usize = 1_024;
/// Most fields of a reply.
const FIELDS_MAX: usize = 32;
/// Longest body of a reply in octets: names of rules.
pub const BODY_OCTETS_MAX: usize = 64 * 1024;

/// What a client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// The score alone.
    Check,
    /// The score and the names of the rules that fired.
    Symbols,
    Ping,
}

const COMMANDS: [Command; 3] = [Command::Check, Command::Symbols, Command::Ping];

impl Command {
    fn word(self) -> &'static str {
        match self {
            Command::Check => "CHECK",
            Command::Symbols => "SYMBOLS",
            Command::Ping => "PING",
        }
    }
}

/// The head of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub command: Command,
    /// Octets of the message that follows; none follows PING.
    pub octets: u64,
    /// Whose preferences count. One that is not printable ASCII is not told.
    pub user: Option<String>,
}

impl Request {
    /// The request up to where the message begins.
    pub fn wire(&self) -> Vec<u8> {
        let mut head = format!("{} SPAMC/1.5\r\n", self.command.word());
        if self.command != Command::Ping {
            head.push_str(&format!("Content-length: {}\r\n", self.octets));
        }
        if let Some(user) = self.user.as_deref().filter(|user| is_plain(user)) {
            head.push_str(&format!("User: {user}\r\n"));
        }
        head.push_str("\r\n");
        head.into_bytes()
    }
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.len() <= 255 && text.bytes().all(|octet| octet.is_ascii_graphic())
}

/// What spamd said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    Pong,
    Judged(Report),
    /// A code of sysexits.h and its word, printable: nothing is known of the message.
    Failed {
        code: u16,
        word: String,
    },
}

/// Why a reply cannot be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadReply {
    TooLong,
    /// The connection ended within the reply.
    Cut,
    Unknown,
}

/// Collects one reply. Feed what arrives until it gives something.
#[derive(Debug, Default)]
pub struct ReplyReader {
    inbox: Inbox,
    reading: Reading,
    fields: usize,
    octets: Option<usize>,
    report: Option<Report>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Reading {
    #[default]
    Status,
    Fields,
    Body,
}

impl ReplyReader {
    /// The reply once it is whole. One that does not say its length is whole at the end of the connection.
    pub fn feed(&mut self, octets: &[u8]) -> Result<Option<Reply>, BadReply> {
        self.inbox.feed(octets);
        while self.reading != Reading::Body {
            let line = match self.inbox.line(LINE_OCTETS_MAX, LINE_OCTETS_MAX as u64) {
                Line::Incomplete => return Ok(None),
                Line::Whole(line) => String::from_utf8(line).map_err(|_| BadReply::Unknown)?,
                Line::TooLong | Line::Endless => return Err(BadReply::TooLong),
            };
            match self.reading {
                Reading::Status => {
                    let (code, word) = status(&line).ok_or(BadReply::Unknown)?;
                    match (code, word) {
                        (0, "PONG") => return Ok(Some(Reply::Pong)),
                        (0, _) => self.reading = Reading::Fields,
                        (code, word) => {
                            let word = word.chars().filter(char::is_ascii_graphic).take(60).collect();
                            return Ok(Some(Reply::Failed { code, word }));
                        }
                    }
                }
                Reading::Fields if line.is_empty() => self.reading = Reading::Body,
                Reading::Fields | Reading::Body => self.field(&line)?,
            }
        }
        let there = self.inbox.rest().len();
        if there > BODY_OCTETS_MAX {
            return Err(BadReply::TooLong);
        }
        match self.octets {
            Some(octets) if there >= octets => self.judged(octets).map(Some),
            _ => Ok(None),
        }
    }

    /// The connection has ended.
    pub fn end(mut self) -> Result<Reply, BadReply> {
        if self.reading != Reading::Body || self.octets.is_some() {
            return Err(BadReply::Cut);
        }
        let there = self.inbox.rest().len();
        self.judged(there)
    }

    fn field(&mut self, line: &str) -> Result<(), BadReply> {
        self.fields += 1;
        if self.fields > FIELDS_MAX {
            return Err(BadReply::TooLong);
        }
        let (name, text) = line.split_once(':').ok_or(BadReply::Unknown)?;
        if name.eq_ignore_ascii_case("content-length") {
            let octets = text.trim().parse().ok().filter(|_| self.octets.is_none()).ok_or(BadReply::Unknown)?;
            if octets > BODY_OCTETS_MAX {
                return Err(BadReply::TooLong);
            }
            self.octets = Some(octets);
        } else if name.eq_ignore_ascii_case("spam") {
            let report = spam(text).filter(|_| self.report.is_none()).ok_or(BadReply::Unknown)?;
            self.report = Some(report);
        }
        Ok(())
    }

    /// A reply without the field Spam judges nothing.
    fn judged(&mut self, octets: usize) -> Result<Reply, BadReply> {
        let mut report = self.report.take().ok_or(BadReply::Unknown)?;
        let names = String::from_utf8_lossy(&self.inbox.rest()[..octets]);
        names.split([',', '\r', '\n']).map(str::trim).for_each(|name| report.rule(name, 0));
        Ok(Reply::Judged(report))
    }
}

/// `SPAMD/1.1 0 EX_OK`.
fn status(line: &str) -> Option<(u16, &str)> {
    let version = take_while1(|c: char| c.is_ascii_digit() || c == '.');
    let read = (tag("SPAMD/"), version, space1, number, space1, rest::<&str, nom::error::Error<&str>>);
    let (_, (_, _, _, code, _, word)) = all_consuming(read).parse(line).ok()?;
    Some((code, word.trim_end()))
}

/// `True ; 1000.0 / 5.0`.
fn spam(text: &str) -> Option<Report> {
    let word = alt((
        value(true, alt((tag_no_case("true"), tag_no_case("yes")))),
        value(false, alt((tag_no_case("false"), tag_no_case("no")))),
    ));
    let figures =
        (preceded(delimited(space0, char(';'), space0), figure), delimited(space0, char('/'), space0), figure);
    let mut whole = all_consuming(delimited(space0::<&str, nom::error::Error<&str>>, (word, figures), space0));
    let (_, (is_spam, (score, _, threshold))) = whole.parse(text).ok()?;
    Some(Report { is_spam: Some(is_spam), score, threshold: Some(threshold), rules: Vec::new() })
}

impl Reply {
    /// The reply as the daemon writes it.
    pub fn wire(&self) -> Vec<u8> {
        match self {
            Reply::Pong => b"SPAMD/1.5 0 PONG\r\n".to_vec(),
            Reply::Failed { code, word } => format!("SPAMD/1.5 {code} {word}\r\n\r\n").into_bytes(),
            Reply::Judged(report) => {
                let names: Vec<_> = report.rules.iter().map(|(name, _)| name.as_str()).collect();
                let names = names.join(",");
                let word = if report.is_spam.unwrap_or_default() { "True" } else { "False" };
                let (score, threshold) = (written(report.score), written(report.threshold.unwrap_or_default()));
                let spam = format!("Spam: {word} ; {score} / {threshold}");
                format!("SPAMD/1.1 0 EX_OK\r\nContent-length: {}\r\n{spam}\r\n\r\n{names}", names.len()).into_bytes()
            }
        }
    }
}

fn written(thousandths: i64) -> String {
    let sign = if thousandths < 0 { "-" } else { "" };
    format!("{sign}{}.{:03}", thousandths.unsigned_abs() / 1_000, thousandths.unsigned_abs() % 1_000)
}

/// Reads the head of a request, with its empty line: the request and the octets it takes. `None`: not whole, or none.
pub fn request(octets: &[u8]) -> Option<(Request, usize)> {
    let end = octets.windows(4).position(|four| four == b"\r\n\r\n")?;
    let mut lines = std::str::from_utf8(&octets[..end]).ok()?.split("\r\n");
    let word = take_while1::<_, &str, nom::error::Error<&str>>(|c: char| c.is_ascii_uppercase());
    let known = map_opt(word, |word| COMMANDS.into_iter().find(|known| known.word() == word));
    let (_, (command, _)) = all_consuming((known, (tag(" SPAMC/1."), number))).parse(lines.next()?).ok()?;
    let mut request = Request { command, octets: 0, user: None };
    for line in lines {
        match line.split_once(": ")? {
            ("Content-length", octets) => request.octets = octets.parse().ok()?,
            ("User", user) => request.user = Some(user.to_owned()),
            _ => {}
        }
    }
    Some((request, end + 4))
}

/// The law of both sides: no octets make them panic or keep more than their bound, a reply does not depend on how it is
/// cut, and what is written reads back.
pub fn fuzz(octets: &[u8]) {
    let read = |size: usize| {
        let mut reader = ReplyReader::default();
        for piece in octets.chunks(size) {
            match reader.feed(piece) {
                Ok(None) => {}
                Ok(Some(reply)) => return Ok(reply),
                Err(bad) => return Err(bad),
            }
        }
        reader.end()
    };
    let whole = read(octets.len().max(1));
    assert_eq!(read(3).is_ok(), whole.is_ok(), "however it is cut");
    if let Ok(reply) = whole {
        assert_eq!(read(3).as_ref(), Ok(&reply), "however it is cut");
        let mut reader = ReplyReader::default();
        assert_eq!(reader.feed(&reply.wire()), Ok(Some(reply)), "a reply reads back");
    }
    if let Some((request, taken)) = request(octets) {
        assert!(taken <= octets.len());
        let plain = Request { user: request.user.clone().filter(|user| is_plain(user)), ..request };
        let octets = if plain.command == Command::Ping { 0 } else { plain.octets };
        let wire = plain.wire();
        assert_eq!(self::request(&wire), Some((Request { octets, ..plain }, wire.len())), "a request reads back");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(reply: &str) -> Result<Reply, BadReply> {
        let mut reader = ReplyReader::default();
        for octet in reply.bytes() {
            if let Some(reply) = reader.feed(&[octet])? {
                return Ok(reply);
            }
        }
        reader.end()
    }

    fn judged(is_spam: bool, score: i64, names: &[&str]) -> Result<Reply, BadReply> {
        let rules = names.iter().map(|name| (name.to_string(), 0)).collect();
        Ok(Reply::Judged(Report { is_spam: Some(is_spam), score, threshold: Some(5_000), rules }))
    }

    #[test]
    fn replies() {
        let failed = |code, word: &str| Ok(Reply::Failed { code, word: word.into() });
        for (reply, expected) in [
            ("SPAMD/1.5 0 PONG\r\n", Ok(Reply::Pong)),
            ("SPAMD/1.1 0 EX_OK\r\nSpam: False ; -0.1 / 5.0\r\n\r\n", judged(false, -100, &[])),
            (
                "SPAMD/1.1 0 EX_OK\r\nContent-length: 11\r\nSpam: True ; 1000.0 / 5.0\r\n\r\nGTUBE,X_Y\r\n",
                judged(true, 1_000_000, &["GTUBE", "X_Y"]),
            ),
            ("SPAMD/1.1 0 EX_OK\r\nspam:Yes;6/5\r\n\r\nA\nB\n", judged(true, 6_000, &["A", "B"])),
            ("SPAMD/1.0 76 EX_PROTOCOL\r\n", failed(76, "EX_PROTOCOL")),
            ("SPAMD/1.0 79 EX_TIMEOUT\r\nwhatever", failed(79, "EX_TIMEOUT")),
            // It says more than it sends.
            ("SPAMD/1.1 0 EX_OK\r\nContent-length: 9\r\nSpam: True ; 9 / 5\r\n\r\nA", Err(BadReply::Cut)),
            ("SPAMD/1.1 0 EX_OK\r\nContent-length: 99999999\r\n", Err(BadReply::TooLong)),
            ("SPAMD/1.1 0 EX_OK\r\nContent-length: -1\r\n", Err(BadReply::Unknown)),
            ("SPAMD/1.1 0 EX_OK\r\nSpam: True ; 9 / 5\r\nSpam: False ; 0 / 5\r\n\r\n", Err(BadReply::Unknown)),
            ("SPAMD/1.1 0 EX_OK\r\nSpam: Maybe ; 9 / 5\r\n\r\n", Err(BadReply::Unknown)),
            ("SPAMD/1.1 0 EX_OK\r\nSpam: True ; 1e9 / 5\r\n\r\n", Err(BadReply::Unknown)),
            ("SPAMD/1.1 0 EX_OK\r\n\r\n", Err(BadReply::Unknown)),
            ("SPAMD/1.1 0 EX_OK\r\nSpam: True ; 9 / 5\r\n", Err(BadReply::Cut)),
            ("HTTP/1.1 200 OK\r\n\r\n", Err(BadReply::Unknown)),
            ("", Err(BadReply::Cut)),
        ] {
            assert_eq!(read(reply), expected, "{reply:?}");
        }
    }

    #[test]
    fn a_request_tells_what_it_brings_and_no_user_breaks_out_of_its_line() {
        let wire = |user: &str| {
            let request = Request { command: Command::Symbols, octets: 12, user: Some(user.into()) };
            String::from_utf8(request.wire()).unwrap()
        };
        assert_eq!(wire("toto-j"), "SYMBOLS SPAMC/1.5\r\nContent-length: 12\r\nUser: toto-j\r\n\r\n");
        assert_eq!(wire("a\r\nUser: root"), "SYMBOLS SPAMC/1.5\r\nContent-length: 12\r\n\r\n");
        assert_eq!(Request { command: Command::Ping, octets: 0, user: None }.wire(), b"PING SPAMC/1.5\r\n\r\n");
    }

    #[test]
    fn an_endless_reply_is_cut_off() {
        let endless = ["x", "SPAMD/1.1 0 EX_OK\r\n", "SPAMD/1.1 0 EX_OK\r\nSpam: True ; 9 / 5\r\n\r\n"];
        for (head, more) in endless.into_iter().zip([&b"xxxxxxx"[..], b"Field: x\r\n", b"A,B,C,D,E"]) {
            let mut reader = ReplyReader::default();
            assert_eq!(reader.feed(head.as_bytes()), Ok(None));
            let bad = (0..100_000).find_map(|_| reader.feed(more).err());
            assert_eq!(bad, Some(BadReply::TooLong), "{head:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() })]

        #[test]
        fn the_law_holds(
            head in prop::sample::select(&["", "SPAMD/1.1 0 EX_OK\r\n", "SPAMD/1.1 0 EX_OK\r\nSpam: True ; 9 / 5\r\n\r\n",
                "SPAMD/1.1 64 ", "CHECK SPAMC/1.2\r\n"][..]),
            tail in prop::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b','), any::<u8>()], 0..60),
        ) {
            fuzz(&[head.as_bytes(), &tail].concat());
        }
    }
}
