//! Packets, and what a filter says in them.

use nom::bytes::complete::{tag, take, take_till};
use nom::combinator::{all_consuming, map, rest};
use nom::number::complete::be_u32;
use nom::sequence::terminated;
use nom::{IResult, Parser};

use super::CHUNK_OCTETS_MAX;
use crate::line::Inbox;

/// Longest text of a filter that is kept, in characters.
const TEXT_CHARS_MAX: usize = 500;

/// A command and its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packet {
    pub command: u8,
    pub data: Vec<u8>,
}

/// Why what a filter says cannot be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadReply {
    TooLong,
    /// A packet of no command, or not of its form.
    Unknown,
    /// It answers what it was not asked, or wants what it was not offered.
    Unexpected,
}

/// Collects packets.
#[derive(Debug, Default)]
pub(super) struct Packets {
    inbox: Inbox,
}

impl Packets {
    pub fn feed(&mut self, octets: &[u8]) {
        self.inbox.feed(octets);
    }

    pub fn next(&mut self) -> Result<Option<Packet>, BadReply> {
        let there = self.inbox.rest();
        let Some(length) = there.first_chunk::<4>().map(|four| u32::from_be_bytes(*four) as usize) else {
            return Ok(None);
        };
        if length == 0 {
            return Err(BadReply::Unknown);
        }
        if length > CHUNK_OCTETS_MAX + 1 {
            return Err(BadReply::TooLong);
        }
        let Some(packet) = there.get(4..4 + length) else { return Ok(None) };
        let packet = Packet { command: packet[0], data: packet[1..].to_vec() };
        self.inbox.consume(4 + length);
        Ok(Some(packet))
    }
}

/// A packet on the wire. Data beyond the bound is cut off.
pub(super) fn written(command: u8, data: &[u8]) -> Vec<u8> {
    let data = &data[..data.len().min(CHUNK_OCTETS_MAX)];
    let mut octets = Vec::with_capacity(data.len() + 5);
    octets.extend_from_slice(&(data.len() as u32 + 1).to_be_bytes());
    octets.push(command);
    octets.extend_from_slice(data);
    octets
}

/// Strings as they are on the wire, each with its NUL. A NUL inside becomes a space.
pub(super) fn strings(strings: &[&[u8]]) -> Vec<u8> {
    let mut octets = Vec::new();
    for string in strings {
        octets.extend(string.iter().map(|octet| if *octet == 0 { b' ' } else { *octet }));
        octets.push(0);
    }
    octets
}

/// A string up to its NUL.
pub(super) fn string(input: &[u8]) -> IResult<&[u8], &[u8]> {
    terminated(take_till(|octet| octet == 0), tag(&[0][..])).parse(input)
}

pub(super) fn negotiation(data: &[u8]) -> Option<(u32, u32, u32)> {
    // Behind the three, a filter may ask for macros.
    let read = (be_u32::<_, nom::error::Error<&[u8]>>, be_u32, be_u32, rest).parse(data);
    read.ok().map(|(_, (version, actions, protocol, _))| (version, actions, protocol))
}

/// What a filter says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    Negotiated {
        version: u32,
        actions: u32,
        protocol: u32,
    },
    Continue,
    Accept,
    Discard,
    Reject,
    TempFail,
    /// No more of the body is wanted.
    Skip,
    /// It still works.
    Progress,
    /// It gives up: the connection ends.
    Closing,
    /// A reply of SMTP with its text.
    Code {
        code: u16,
        text: String,
    },
    Quarantine(String),
    /// A field to be added, inserted or changed; a change to nothing deletes.
    Field {
        name: String,
        value: String,
    },
    /// A change of the envelope or the body.
    Change,
}

impl Reply {
    pub(super) fn read(packet: &Packet) -> Result<Reply, BadReply> {
        let data = packet.data.as_slice();
        let reply = match packet.command {
            b'O' => {
                negotiation(data).map(|(version, actions, protocol)| Reply::Negotiated { version, actions, protocol })
            }
            b'c' => Some(Reply::Continue),
            b'a' => Some(Reply::Accept),
            b'd' => Some(Reply::Discard),
            b'r' => Some(Reply::Reject),
            b't' => Some(Reply::TempFail),
            b's' => Some(Reply::Skip),
            b'p' => Some(Reply::Progress),
            b'f' | b'4' => Some(Reply::Closing),
            b'y' => code(data),
            b'q' => whole(map(string, |reason| Reply::Quarantine(text(reason))), data),
            b'h' => whole(field, data),
            b'i' | b'm' => whole(map((be_u32, field), |(_, field)| field), data),
            b'+' | b'2' | b'-' | b'b' | b'e' => Some(Reply::Change),
            _ => None,
        };
        reply.ok_or(BadReply::Unknown)
    }

    /// The packet a filter sends.
    pub fn wire(&self) -> Vec<u8> {
        match self {
            Reply::Negotiated { version, actions, protocol } => {
                written(b'O', &[version.to_be_bytes(), actions.to_be_bytes(), protocol.to_be_bytes()].concat())
            }
            Reply::Continue => written(b'c', b""),
            Reply::Accept => written(b'a', b""),
            Reply::Discard => written(b'd', b""),
            Reply::Reject => written(b'r', b""),
            Reply::TempFail => written(b't', b""),
            Reply::Skip => written(b's', b""),
            Reply::Progress => written(b'p', b""),
            Reply::Closing => written(b'4', b""),
            Reply::Code { code, text } => written(b'y', &strings(&[format!("{code:03} {text}").as_bytes()])),
            Reply::Quarantine(reason) => written(b'q', &strings(&[reason.as_bytes()])),
            Reply::Field { name, value } => written(b'h', &strings(&[name.as_bytes(), value.as_bytes()])),
            Reply::Change => written(b'b', b"another body"),
        }
    }
}

fn whole<'a>(
    mut parser: impl Parser<&'a [u8], Output = Reply, Error = nom::error::Error<&'a [u8]>>,
    data: &'a [u8],
) -> Option<Reply> {
    parser.parse(data).ok().filter(|(rest, _)| rest.is_empty()).map(|(_, reply)| reply)
}

fn field(input: &[u8]) -> IResult<&[u8], Reply> {
    map((string, string), |(name, value)| Reply::Field { name: text(name), value: text(value) }).parse(input)
}

/// `550 5.7.1 words`, NUL. Several lines count as one.
fn code(data: &[u8]) -> Option<Reply> {
    let (_, line) = all_consuming(string).parse(data).ok()?;
    let (said, digits) = take::<_, _, nom::error::Error<&[u8]>>(3_usize).parse(line).ok()?;
    let code = std::str::from_utf8(digits).ok()?.parse().ok().filter(|code| (400..600).contains(code))?;
    Some(Reply::Code { code, text: text(said) })
}

/// One line of printable characters, bounded.
fn text(octets: &[u8]) -> String {
    let octets = &octets[..octets.len().min(4 * TEXT_CHARS_MAX)];
    let lossy = String::from_utf8_lossy(octets);
    let words = lossy.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ").chars().take(TEXT_CHARS_MAX).collect::<String>().trim_end().to_owned()
}
