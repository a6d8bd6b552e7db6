//! An IMAP client that reads responses whole, literals and all.

use std::io;

use crate::describe::{Person, Tls};
use crate::facteur::Facteur;
use crate::wire::{self, Wire};

/// What came for one command.
#[derive(Debug)]
pub struct Response {
    /// `OK`, `NO` or `BAD`.
    pub status: String,
    /// What follows the status.
    pub text: String,
    /// Untagged responses without `* `, literals in place.
    pub untagged: Vec<Vec<u8>>,
}

impl Response {
    pub fn ok(self) -> io::Result<Response> {
        if self.status == "OK" { Ok(self) } else { Err(io::Error::other(format!("OK hoped for, got {self:?}"))) }
    }

    /// The untagged responses as text.
    pub fn lines(&self) -> Vec<String> {
        self.untagged.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect()
    }

    /// `* 12 EXISTS` and the like.
    pub fn number(&self, word: &str) -> Option<u32> {
        self.lines().iter().find_map(|line| line.strip_suffix(word)?.trim().parse().ok())
    }
}

/// A connection to an IMAP listener.
pub struct Imap {
    wire: Wire,
    pub greeting: String,
    commands: u32,
}

impl Imap {
    pub fn connect(server: &Facteur, listener: &str, network: &str) -> io::Result<Imap> {
        let (listener, network) = (server.describe.listener(listener), server.describe.network(network));
        let mut wire = Wire::plain(wire::connect(listener.addr, network.source)?);
        if listener.tls == Tls::Implicit {
            wire = wire.tls(&server.tls)?;
        }
        Imap::over(wire)
    }

    /// A connection to any server; its greeting is read.
    pub fn over(mut wire: Wire) -> io::Result<Imap> {
        let greeting = wire.line()?;
        Ok(Imap { wire, greeting, commands: 0 })
    }

    /// A person who logged in on `imaps`.
    pub fn person(server: &Facteur, network: &str, who: &Person) -> io::Result<Imap> {
        let mut imap = Imap::connect(server, "imaps", network)?;
        imap.command(&format!("LOGIN {} {}", quoted(&who.login), quoted(&who.password)))?.ok()?;
        Ok(imap)
    }

    /// Sends one command without literals and reads to its tagged response.
    pub fn command(&mut self, command: &str) -> io::Result<Response> {
        self.commands += 1;
        let tag = format!("a{}", self.commands);
        self.wire.send(format!("{tag} {command}\r\n").as_bytes())?;
        self.response(&tag)
    }

    /// APPEND with a non-synchronising literal (RFC 7888).
    pub fn append(&mut self, mailbox: &str, message: &[u8]) -> io::Result<Response> {
        self.commands += 1;
        let tag = format!("a{}", self.commands);
        let mut octets = format!("{tag} APPEND {} {{{}+}}\r\n", quoted(mailbox), message.len()).into_bytes();
        octets.extend_from_slice(message);
        octets.extend_from_slice(b"\r\n");
        self.wire.send(&octets)?;
        self.response(&tag)
    }

    /// How many messages a mailbox holds.
    pub fn count(&mut self, mailbox: &str) -> io::Result<u32> {
        let response = self.command(&format!("EXAMINE {}", quoted(mailbox)))?.ok()?;
        response.number("EXISTS").ok_or_else(|| io::Error::other("no EXISTS"))
    }

    /// Octets as they are.
    pub fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        self.wire.send(octets)
    }

    /// One response, literals read with it.
    pub fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut whole = Vec::new();
        loop {
            let line = self.wire.line()?;
            whole.extend_from_slice(line.as_bytes());
            let Some(count) = literal(&line) else { return Ok(whole) };
            whole.extend_from_slice(b"\r\n");
            whole.extend(self.wire.octets(count)?);
        }
    }

    fn response(&mut self, tag: &str) -> io::Result<Response> {
        let mut untagged = Vec::new();
        loop {
            let whole = self.read()?;
            if let Some(rest) = whole.strip_prefix(b"* ") {
                untagged.push(rest.to_vec());
                continue;
            }
            let line = String::from_utf8_lossy(&whole).into_owned();
            let mut words = line.splitn(3, ' ');
            if words.next() != Some(tag) {
                return Err(io::Error::other(format!("not for {tag}: {line:?}")));
            }
            let status = words.next().unwrap_or_default().to_string();
            return Ok(Response { status, text: words.next().unwrap_or_default().to_string(), untagged });
        }
    }
}

/// The length a line ends with when a literal follows: `{12}`.
fn literal(line: &str) -> Option<usize> {
    let (_, count) = line.strip_suffix('}')?.rsplit_once('{')?;
    count.parse().ok()
}

/// RFC 3501 4.3.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_seen_at_the_end_of_a_line_only() {
        assert_eq!(literal("* 1 FETCH (BODY[] {12}"), Some(12));
        assert_eq!(literal("* 1 FETCH (BODY[] {12})"), None);
        assert_eq!(literal("* OK {x}"), None);
    }

    #[test]
    fn quotes_are_escaped() {
        assert_eq!(quoted("a\"b\\c"), "\"a\\\"b\\\\c\"");
    }
}
