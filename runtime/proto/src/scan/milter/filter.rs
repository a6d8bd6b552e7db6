//! The filter's side, for tests: what a mail server says, packet by packet.

use nom::Parser;
use nom::combinator::rest;
use nom::multi::many0;

use super::packet::{Packet, Packets, negotiation, string};

/// What a filter is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    NeedInput,
    Negotiate {
        version: u32,
        actions: u32,
        protocol: u32,
    },
    /// For the command of this letter.
    Macros {
        command: u8,
        pairs: Vec<(Vec<u8>, Vec<u8>)>,
    },
    /// The client's name, and the rest of the packet: family, port, address.
    Connect {
        name: Vec<u8>,
        address: Vec<u8>,
    },
    Hello(Vec<u8>),
    Mail(Vec<u8>),
    Recipient(Vec<u8>),
    Data,
    Field {
        name: Vec<u8>,
        value: Vec<u8>,
    },
    EndOfHeader,
    Body(Vec<u8>),
    EndOfBody,
    /// The message, or the connection, is over.
    Quit,
    /// Not the protocol.
    Bad,
}

#[derive(Debug, Default)]
pub struct Filter {
    packets: Packets,
}

impl Filter {
    pub fn feed(&mut self, octets: &[u8]) {
        self.packets.feed(octets);
    }

    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Event {
        match self.packets.next() {
            Ok(Some(packet)) => event(packet).unwrap_or(Event::Bad),
            Ok(None) => Event::NeedInput,
            Err(_) => Event::Bad,
        }
    }
}

fn event(packet: Packet) -> Option<Event> {
    let data = packet.data.as_slice();
    let one = || string(data).ok().map(|(_, word)| word.to_vec());
    Some(match packet.command {
        b'O' => {
            let (version, actions, protocol) = negotiation(data)?;
            Event::Negotiate { version, actions, protocol }
        }
        b'D' => {
            let (command, pairs) = data.split_first()?;
            let (_, (pairs, _)) = (many0((string, string)), rest).parse(pairs).ok()?;
            let pairs = pairs.into_iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect();
            Event::Macros { command: *command, pairs }
        }
        b'C' => {
            let (address, name) = string(data).ok()?;
            Event::Connect { name: name.to_vec(), address: address.to_vec() }
        }
        b'H' => Event::Hello(one()?),
        b'M' => Event::Mail(one()?),
        b'R' => Event::Recipient(one()?),
        b'T' => Event::Data,
        b'L' => {
            let (_, (name, value)) = (string, string).parse(data).ok()?;
            Event::Field { name: name.to_vec(), value: value.to_vec() }
        }
        b'N' => Event::EndOfHeader,
        b'B' => Event::Body(packet.data),
        b'E' => Event::EndOfBody,
        b'A' | b'Q' | b'K' => Event::Quit,
        _ => return None,
    })
}
