//! An SMTP client that does what a test says, also what no client should.

use std::io;
use std::sync::Arc;

use rustls::ClientConfig;

use crate::describe::{Person, Tls};
use crate::facteur::Facteur;
use crate::wire::{self, Wire};

/// A reply, all lines of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub code: u16,
    /// The text of each line, without the code.
    pub lines: Vec<String>,
}

impl Reply {
    /// All of the text.
    pub fn text(&self) -> String {
        self.lines.join("\n")
    }

    /// RFC 3463, when the text begins with one.
    pub fn enhanced(&self) -> Option<&str> {
        let word = self.lines.first()?.split(' ').next()?;
        let numbers: Vec<_> = word.split('.').map(str::parse::<u16>).collect();
        (numbers.len() == 3 && numbers.iter().all(Result::is_ok)).then_some(word)
    }

    /// Code and enhanced code, as tests compare them: `"451 4.7.1"`.
    pub fn codes(&self) -> String {
        self.enhanced().map_or_else(|| self.code.to_string(), |enhanced| format!("{} {enhanced}", self.code))
    }

    pub fn is_ok(&self) -> bool {
        (200..400).contains(&self.code)
    }

    /// The reply when it is as hoped, else an error that shows it.
    pub fn expect(self, code: u16) -> io::Result<Reply> {
        if self.code == code { Ok(self) } else { Err(io::Error::other(format!("{code} hoped for, got {self:?}"))) }
    }
}

/// A connection to an SMTP listener.
pub struct Smtp {
    wire: Wire,
    pub greeting: Reply,
    tls: Arc<ClientConfig>,
    /// After EHLO.
    pub keywords: Vec<String>,
}

impl Smtp {
    /// Connects from a network and reads the greeting, under TLS where it is implicit.
    pub fn connect(server: &Facteur, listener: &str, network: &str) -> io::Result<Smtp> {
        let (listener, network) = (server.describe.listener(listener), server.describe.network(network));
        let mut wire = Wire::plain(wire::connect(listener.addr, network.source)?);
        if listener.tls == Tls::Implicit {
            wire = wire.tls(&server.tls)?;
        }
        let greeting = read_reply(&mut wire)?;
        Ok(Smtp { wire, greeting, tls: Arc::clone(&server.tls), keywords: Vec::new() })
    }

    /// A stranger after EHLO.
    pub fn stranger(server: &Facteur, listener: &str, network: &str) -> io::Result<Smtp> {
        let mut smtp = Smtp::connect(server, listener, network)?;
        smtp.greeting.clone().expect(220)?;
        smtp.ehlo()?.expect(250)?;
        Ok(smtp)
    }

    /// A person who logged in, under TLS.
    pub fn person(server: &Facteur, listener: &str, network: &str, who: &Person) -> io::Result<Smtp> {
        let mut smtp = Smtp::stranger(server, listener, network)?;
        if !smtp.wire.is_tls() {
            smtp = smtp.starttls()?;
            smtp.ehlo()?.expect(250)?;
        }
        smtp.login(&who.login, &who.password)?.expect(235)?;
        Ok(smtp)
    }

    pub fn command(&mut self, line: &str) -> io::Result<Reply> {
        self.send(format!("{line}\r\n").as_bytes())?;
        self.reply()
    }

    /// Octets as they are.
    pub fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        self.wire.send(octets)
    }

    pub fn reply(&mut self) -> io::Result<Reply> {
        read_reply(&mut self.wire)
    }

    pub fn ehlo(&mut self) -> io::Result<Reply> {
        let reply = self.command("EHLO client.example")?;
        self.keywords = reply.lines.iter().skip(1).cloned().collect();
        Ok(reply)
    }

    /// Whether EHLO announced exactly this line.
    pub fn announces(&self, keyword: &str) -> bool {
        self.keywords.iter().any(|line| line == keyword)
    }

    pub fn starttls(mut self) -> io::Result<Smtp> {
        self.command("STARTTLS")?.expect(220)?;
        Ok(Smtp { wire: self.wire.tls(&self.tls)?, keywords: Vec::new(), ..self })
    }

    /// AUTH PLAIN with an initial response.
    pub fn login(&mut self, login: &str, password: &str) -> io::Result<Reply> {
        self.command(&format!("AUTH PLAIN {}", base64(format!("\0{login}\0{password}").as_bytes())))
    }

    /// `reverse_path` without its angle brackets; empty for `<>`.
    pub fn mail(&mut self, reverse_path: &str) -> io::Result<Reply> {
        self.command(&format!("MAIL FROM:<{reverse_path}>"))
    }

    pub fn rcpt(&mut self, forward_path: &str) -> io::Result<Reply> {
        self.command(&format!("RCPT TO:<{forward_path}>"))
    }

    /// DATA with a message whose lines end with CR LF; dots are stuffed here.
    pub fn data(&mut self, message: &str) -> io::Result<Reply> {
        let reply = self.command("DATA")?;
        if reply.code != 354 {
            return Ok(reply);
        }
        let mut octets = String::with_capacity(message.len() + 8);
        for line in message.split_inclusive("\r\n") {
            octets.push_str(if line.starts_with('.') { "." } else { "" });
            octets.push_str(line);
        }
        octets.push_str(if message.ends_with("\r\n") { ".\r\n" } else { "\r\n.\r\n" });
        self.send(octets.as_bytes())?;
        self.reply()
    }

    /// One message to some recipients; the reply to the final dot.
    pub fn message(&mut self, from: &str, to: &[&str], message: &str) -> io::Result<Reply> {
        self.mail(from)?.expect(250)?;
        for recipient in to {
            self.rcpt(recipient)?.expect(250)?;
        }
        self.data(message)
    }

    /// Whether the server has closed the connection.
    pub fn is_closed(&mut self) -> bool {
        self.wire.is_closed()
    }

    pub fn wire(&mut self) -> &mut Wire {
        &mut self.wire
    }
}

/// RFC 5321 4.2: each line begins with the code; all but the last have a hyphen behind it.
pub fn read_reply(wire: &mut Wire) -> io::Result<Reply> {
    let mut lines = Vec::new();
    let mut first = None;
    loop {
        let line = wire.line()?;
        let wrong = || io::Error::other(format!("no reply line: {line:?}"));
        let code: u16 = line.get(..3).and_then(|code| code.parse().ok()).ok_or_else(wrong)?;
        if *first.get_or_insert(code) != code {
            return Err(wrong());
        }
        lines.push(line.get(4..).unwrap_or_default().to_string());
        match line.as_bytes().get(3) {
            Some(b'-') => {}
            Some(b' ') | None => return Ok(Reply { code, lines }),
            Some(_) => return Err(wrong()),
        }
    }
}

/// RFC 4648 4.
pub fn base64(octets: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in octets.chunks(3) {
        let bits = group.iter().enumerate().fold(0_u32, |bits, (at, octet)| bits | u32::from(*octet) << (16 - 8 * at));
        for digit in 0..4 {
            let six = (bits >> (18 - 6 * digit)) & 63;
            text.push(if digit > group.len() { '=' } else { char::from(ALPHABET[six as usize]) });
        }
    }
    text
}

/// A small message with this subject, from and to as the header has them.
pub fn letter(from: &str, to: &str, subject: &str) -> String {
    format!(
        "From: <{from}>\r\nTo: <{to}>\r\nSubject: {subject}\r\nDate: Mon, 23 Nov 2026 12:00:00 +0000\r\n\
         Message-ID: <{subject}@client.example>\r\n\r\nGood day.\r\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (octets, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(octets.as_bytes()), text);
        }
    }

    #[test]
    fn enhanced_codes_are_told_from_words() {
        let reply = |text: &str| Reply { code: 451, lines: vec![text.into()] };
        assert_eq!(reply("4.7.1 later").codes(), "451 4.7.1");
        assert_eq!(reply("mx.example.org ESMTP").codes(), "451");
    }
}
