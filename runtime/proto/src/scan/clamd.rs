//! clamd: the antivirus daemon of ClamAV, over TCP or a unix socket (clamd(8), "COMMANDS").
//!
//! Commands have the `z` form: name and NUL, reply and NUL. A scan is `zINSTREAM`, then chunks, each a length of four
//! octets in network order and its octets, then a chunk of length zero. Both sides are here: the client for the
//! server's scan step, the server for the stand-in of `facteur try`.

mod version;

pub use version::{LocalTime, Version, version_reply};

use crate::line::Inbox;

/// Longest reply of a daemon that is believed, in octets.
pub const REPLY_OCTETS_MAX: usize = 4_096;
/// Largest chunk a stand-in takes, in octets; the client writes smaller ones.
pub const CHUNK_OCTETS_MAX: u32 = 1 << 20;
/// Chunk size of the client in octets.
const CHUNK_OCTETS: usize = 64 * 1024;

/// What a client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    Instream,
    Version,
    Ping,
}

impl Command {
    /// The command as it goes over the wire.
    pub fn wire(self) -> &'static [u8] {
        match self {
            Command::Instream => b"zINSTREAM\0",
            Command::Version => b"zVERSION\0",
            Command::Ping => b"zPING\0",
        }
    }
}

/// Appends `content` as chunks to `out`. An empty content adds nothing.
pub fn chunks(content: &[u8], out: &mut Vec<u8>) {
    for chunk in content.chunks(CHUNK_OCTETS) {
        out.extend_from_slice(&(chunk.len() as u32).to_be_bytes());
        out.extend_from_slice(chunk);
    }
}

/// The chunk that ends a stream.
pub const END_OF_STREAM: [u8; 4] = [0; 4];

/// What clamd said of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScanReply {
    Clean,
    /// The name of the signature: printable ASCII, never empty.
    Found(String),
    /// Larger than its StreamMaxLength: nothing is known of this content.
    SizeLimit,
    /// The daemon's own words, printable.
    Error(String),
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
    octets: Vec<u8>,
}

impl ReplyReader {
    /// The reply without its NUL once it is whole; what follows it is dropped.
    pub fn feed(&mut self, octets: &[u8]) -> Result<Option<Vec<u8>>, BadReply> {
        let end = octets.iter().position(|octet| *octet == 0);
        let part = &octets[..end.unwrap_or(octets.len())];
        if self.octets.len() + part.len() > REPLY_OCTETS_MAX {
            return Err(BadReply::TooLong);
        }
        self.octets.extend_from_slice(part);
        Ok(end.map(|_| std::mem::take(&mut self.octets)))
    }
}

/// Reads the reply to INSTREAM: `stream: OK`, `stream: NAME FOUND`, `... ERROR`.
pub fn scan_reply(reply: &[u8]) -> Result<ScanReply, BadReply> {
    let text = printable(reply).ok_or(BadReply::Unknown)?;
    if text.starts_with("INSTREAM size limit exceeded") {
        return Ok(ScanReply::SizeLimit);
    }
    if let Some(words) = text.strip_suffix("ERROR") {
        return Ok(ScanReply::Error(words.trim().to_owned()));
    }
    match text.strip_prefix("stream: ").ok_or(BadReply::Unknown)? {
        "OK" => Ok(ScanReply::Clean),
        found => {
            let name = found.strip_suffix(" FOUND").map(str::trim).filter(|name| !name.is_empty());
            name.map(|name| ScanReply::Found(name.to_owned())).ok_or(BadReply::Unknown)
        }
    }
}

/// Reads the reply to PING.
pub fn ping_reply(reply: &[u8]) -> Result<(), BadReply> {
    if reply == b"PONG" { Ok(()) } else { Err(BadReply::Unknown) }
}

fn printable(reply: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(reply).ok()?.trim_end_matches('\n');
    text.bytes().all(|octet| octet == b' ' || octet.is_ascii_graphic()).then_some(text)
}

impl ScanReply {
    /// The reply as a daemon writes it, NUL included.
    pub fn wire(&self) -> Vec<u8> {
        let mut octets = match self {
            ScanReply::Clean => b"stream: OK".to_vec(),
            ScanReply::Found(name) => format!("stream: {name} FOUND").into_bytes(),
            ScanReply::SizeLimit => b"INSTREAM size limit exceeded. ERROR".to_vec(),
            ScanReply::Error(words) => format!("{words} ERROR").into_bytes(),
        };
        octets.push(0);
        octets
    }
}

/// What a daemon finds in what a client sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    NeedInput,
    Command(Command),
    /// Part of the content of a stream. Never empty.
    Content(Vec<u8>),
    EndOfStream,
    /// Not the protocol; answer `UNKNOWN COMMAND` and close.
    Bad,
}

/// The daemon's side: reads commands and streams.
#[derive(Debug, Default)]
pub struct Daemon {
    inbox: Inbox,
    reading: Reading,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Reading {
    #[default]
    Command,
    Length,
    Chunk(usize),
    Over,
}

/// Longest command with its NUL in octets.
const COMMAND_OCTETS_MAX: usize = 16;

impl Daemon {
    pub fn feed(&mut self, octets: &[u8]) {
        if self.reading != Reading::Over {
            self.inbox.feed(octets);
        }
    }

    /// What comes next in the order it was sent.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Event {
        loop {
            match self.reading {
                Reading::Over => return Event::Bad,
                Reading::Command => return self.command(),
                Reading::Length => {
                    let Some(length) = self.inbox.rest().first_chunk::<4>().map(|four| u32::from_be_bytes(*four))
                    else {
                        return Event::NeedInput;
                    };
                    self.inbox.consume(4);
                    match length {
                        0 => {
                            self.reading = Reading::Command;
                            return Event::EndOfStream;
                        }
                        1..=CHUNK_OCTETS_MAX => self.reading = Reading::Chunk(length as usize),
                        _ => return self.over(),
                    }
                }
                Reading::Chunk(0) => self.reading = Reading::Length,
                Reading::Chunk(_) if self.inbox.is_empty() => return Event::NeedInput,
                Reading::Chunk(left) => {
                    let count = left.min(self.inbox.rest().len());
                    self.reading = Reading::Chunk(left - count);
                    let content = self.inbox.rest()[..count].to_vec();
                    self.inbox.consume(count);
                    return Event::Content(content);
                }
            }
        }
    }

    fn command(&mut self) -> Event {
        let there = self.inbox.rest();
        let Some(end) = there.iter().take(COMMAND_OCTETS_MAX).position(|octet| *octet == 0) else {
            return if there.len() < COMMAND_OCTETS_MAX { Event::NeedInput } else { self.over() };
        };
        let wire = there[..=end].to_vec();
        self.inbox.consume(end + 1);
        let known = [Command::Instream, Command::Version, Command::Ping].into_iter().find(|c| c.wire() == wire);
        match known {
            Some(command) => {
                if command == Command::Instream {
                    self.reading = Reading::Length;
                }
                Event::Command(command)
            }
            None => self.over(),
        }
    }

    fn over(&mut self) -> Event {
        self.reading = Reading::Over;
        self.inbox.clear();
        Event::Bad
    }
}

/// The law of both sides: no octets make them panic or keep more than they were fed.
pub fn fuzz(octets: &[u8]) {
    let mut reader = ReplyReader::default();
    if let Ok(Some(reply)) = reader.feed(octets) {
        let _ = version_reply(&reply);
        if let Ok(ScanReply::Found(name)) = scan_reply(&reply) {
            let wire = ScanReply::Found(name.clone()).wire();
            assert_eq!(scan_reply(&wire[..wire.len() - 1]), Ok(ScanReply::Found(name)), "a finding reads back");
        }
    }
    let mut daemon = Daemon::default();
    let mut content = 0;
    for piece in octets.chunks(5) {
        daemon.feed(piece);
        loop {
            match daemon.next() {
                Event::NeedInput => break,
                Event::Bad => return,
                Event::Content(part) => content += part.len(),
                Event::Command(_) | Event::EndOfStream => {}
            }
        }
    }
    assert!(content <= octets.len(), "content comes from the input");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(reply: &str, expected: Result<ScanReply, BadReply>) {
        assert_eq!(scan_reply(reply.as_bytes()), expected, "{reply:?}");
    }

    #[test]
    fn replies_to_a_scan() {
        check("stream: OK", Ok(ScanReply::Clean));
        check("stream: Win.Test.EICAR_HDB-1 FOUND", Ok(ScanReply::Found("Win.Test.EICAR_HDB-1".into())));
        check("INSTREAM size limit exceeded. ERROR", Ok(ScanReply::SizeLimit));
        check("stream: Can't allocate memory ERROR", Ok(ScanReply::Error("stream: Can't allocate memory".into())));
        check("UNKNOWN COMMAND", Err(BadReply::Unknown));
        check("stream:  FOUND", Err(BadReply::Unknown));
        check("stream: OK FOUND\r", Err(BadReply::Unknown));
        check("", Err(BadReply::Unknown));
        check("OK", Err(BadReply::Unknown));
    }

    #[test]
    fn a_ping_is_answered_by_a_pong() {
        assert_eq!(ping_reply(b"PONG"), Ok(()));
        assert_eq!(ping_reply(b"PANG"), Err(BadReply::Unknown));
    }

    #[test]
    fn a_reply_is_bounded() {
        let mut reader = ReplyReader::default();
        assert_eq!(reader.feed(b"stream: "), Ok(None));
        assert_eq!(reader.feed(b"OK\0more"), Ok(Some(b"stream: OK".to_vec())));
        let mut endless = ReplyReader::default();
        let outcome = (0..100).map(|_| endless.feed(&[b'x'; 100])).find(|outcome| outcome.is_err());
        assert_eq!(outcome, Some(Err(BadReply::TooLong)));
    }

    #[test]
    fn a_stream_arrives_as_it_was_sent_however_it_is_cut() {
        let content = vec![b'a'; CHUNK_OCTETS + 10];
        let mut wire = Command::Instream.wire().to_vec();
        chunks(&content, &mut wire);
        wire.extend_from_slice(&END_OF_STREAM);
        wire.extend_from_slice(Command::Ping.wire());
        for size in [1, 7, wire.len()] {
            let mut daemon = Daemon::default();
            let mut events = Vec::new();
            let mut received = Vec::new();
            for piece in wire.chunks(size) {
                daemon.feed(piece);
                loop {
                    match daemon.next() {
                        Event::NeedInput => break,
                        Event::Content(part) => received.extend(part),
                        event => events.push(event),
                    }
                }
            }
            let expected = [Event::Command(Command::Instream), Event::EndOfStream, Event::Command(Command::Ping)];
            assert_eq!(events, expected, "in pieces of {size}");
            assert_eq!(received, content);
        }
    }

    #[test]
    fn a_daemon_refuses_what_is_not_the_protocol() {
        for bad in [&b"SCAN /etc/passwd\n"[..], b"zSHUTDOWN\0", b"zINSTREAM\0\x7f\xff\xff\xff"] {
            let mut daemon = Daemon::default();
            daemon.feed(bad);
            let mut event = daemon.next();
            while let Event::Command(Command::Instream) = event {
                event = daemon.next();
            }
            assert_eq!(event, Event::Bad, "{bad:?}");
            daemon.feed(Command::Ping.wire());
            assert_eq!(daemon.next(), Event::Bad, "nothing after it is read");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() })]

        #[test]
        fn no_octets_make_either_side_panic(
            head in prop::sample::select(&["", "zINSTREAM\0", "stream: ", "stream: X FOUND\0", "zPING\0"][..]),
            tail in prop::collection::vec(prop_oneof![Just(0u8), any::<u8>()], 0..60),
        ) {
            fuzz(&[head.as_bytes(), &tail].concat());
        }
    }
}
