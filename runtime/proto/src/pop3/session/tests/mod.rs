//! A client for the tests of the commands, over a mailbox in memory.

mod lines;

use super::{Config, Logins, Session, Step};
use crate::pop3::desk::Desk;
use crate::pop3::question::{Question, Trouble};
use crate::sasl::{Bindings, LoginFailure, Mechanism};

/// Under TLS.
pub fn config() -> Config {
    Config {
        stls: false,
        logins: Logins::Now,
        mechanisms: vec![Mechanism::Plain, Mechanism::ScramSha256, Mechanism::OAuthBearer],
        bindings: Bindings::default(),
    }
}

/// Before STLS.
pub fn clear() -> Config {
    Config { stls: true, logins: Logins::UnderTls, ..config() }
}

/// A session with its mailbox.
pub struct Client {
    session: Session,
    desk: Desk,
    pub logins: Option<LoginFailure>,
    pub broken: Option<(Trouble, usize)>,
    pub closed: bool,
    /// STLS was said; `secured` comes next.
    pub securing: bool,
    /// Questions asked so far, by the name of their kind.
    pub asked: Vec<String>,
    /// Octets of the largest send.
    pub largest_send: usize,
}

impl Client {
    /// Connected; the greeting is read.
    pub fn stranger(config: Config) -> Client {
        Client::connected(config, Desk::of(&[]))
    }

    fn connected(config: Config, desk: Desk) -> Client {
        let mut client = Client {
            session: Session::new(config),
            desk,
            logins: None,
            broken: None,
            closed: false,
            securing: false,
            asked: Vec::new(),
            largest_send: 0,
        };
        assert_eq!(client.pump(), "+OK Facteur is ready\n");
        client
    }

    /// Logged in; INBOX has these messages, written with LF.
    pub fn with(messages: &[&str]) -> Client {
        let mut client = Client::stranger(config());
        messages.iter().for_each(|message| client.deliver(message));
        client.log_in();
        client
    }

    /// The same with so many messages of 8 octets.
    pub fn with_many(messages: u32) -> Client {
        let mut desk = Desk::of(&[]);
        desk.messages = (1..=messages).map(|uid| (uid, b"a: 1\r\n\r\n".to_vec())).collect();
        let mut client = Client::connected(config(), desk);
        client.log_in();
        client
    }

    /// The same with one more, octet for octet.
    pub fn and_stored(self, octets: &[u8]) -> Client {
        let mut desk = self.desk;
        desk.messages.push((next_uid(&desk), octets.to_vec()));
        let mut client = Client::connected(config(), desk);
        client.log_in();
        client
    }

    /// A later session of the same person.
    pub fn again(self) -> Client {
        let mut client = Client::connected(config(), self.desk);
        client.log_in();
        client
    }

    pub fn deliver(&mut self, message: &str) {
        let uid = next_uid(&self.desk);
        self.desk.messages.push((uid, message.replace('\n', "\r\n").into_bytes()));
    }

    /// Another session removes a message.
    pub fn remove(&mut self, uid: u32) {
        self.desk.messages.retain(|(of, _)| *of != uid);
    }

    pub fn uids(&self) -> Vec<u32> {
        self.desk.messages.iter().map(|(uid, _)| *uid).collect()
    }

    pub fn log_in(&mut self) {
        self.check("USER toto-j", "+OK the password, please\n");
        let said = self.say("PASS secret");
        assert!(said.starts_with("+OK ") && said.ends_with(" octets)\n"), "{said}");
    }

    /// Sends a line and returns what the server says, with `\n` for CRLF.
    pub fn say(&mut self, line: &str) -> String {
        self.say_octets(format!("{line}\r\n").as_bytes())
    }

    pub fn say_octets(&mut self, octets: &[u8]) -> String {
        assert!(!self.closed, "the server has closed");
        self.session.feed(octets);
        self.pump()
    }

    /// What a line gets as its answer.
    #[track_caller]
    pub fn check(&mut self, line: &str, expected: &str) {
        assert_eq!(self.say(line), expected, "{line}");
    }

    pub fn secured(&mut self, config: Config) {
        assert!(std::mem::take(&mut self.securing));
        self.session.secured(config);
    }

    pub fn end(&mut self) {
        self.session.end();
        assert_eq!(self.pump(), "");
    }

    pub fn timeout_s(&self) -> u32 {
        self.session.timeout_s()
    }

    /// Runs the session until it waits.
    fn pump(&mut self) -> String {
        let mut said = Vec::new();
        loop {
            match self.session.next() {
                Step::Send(octets) => {
                    assert!(!octets.is_empty());
                    self.largest_send = self.largest_send.max(octets.len());
                    said.extend(octets);
                }
                Step::NeedInput => break,
                Step::StartTls => {
                    self.securing = true;
                    break;
                }
                Step::Close => {
                    self.closed = true;
                    break;
                }
                Step::Ask(question) => self.ask(&question),
            }
        }
        String::from_utf8_lossy(&said).replace("\r\n", "\n")
    }

    fn ask(&mut self, question: &Question) {
        let kind = format!("{question:?}");
        self.asked.push(kind.split([' ', '(']).next().unwrap_or_default().to_owned());
        (self.desk.logins, self.desk.broken) = (self.logins.clone(), self.broken);
        let answer = self.desk.answer(question);
        (self.logins, self.broken) = (self.desk.logins.clone(), self.desk.broken);
        self.session.answer(answer);
    }
}

fn next_uid(desk: &Desk) -> u32 {
    desk.messages.last().map_or(0, |(uid, _)| *uid) + 1
}
