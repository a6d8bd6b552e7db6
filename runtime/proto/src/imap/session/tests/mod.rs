//! A client and a store for the tests of the commands: what the store answers is what a real one must.

mod fuzz;
#[cfg(test)]
mod lines;
#[cfg(test)]
mod numbers;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod results;
#[cfg(test)]
mod resync;
mod store;

use std::cell::RefCell;
use std::rc::Rc;

use super::{Config, Mask, Question, Session, Step};
use crate::sasl::{Bindings, Mechanism};
#[cfg(test)]
pub use fuzz::Dice;
#[cfg(fuzzing)]
pub use fuzz::fuzz;
pub use store::{Store, summary};

/// Octets APPEND takes in the tests.
pub const APPEND_OCTETS_MAX: u64 = 1_000;

/// What somebody does to the store.
pub type Meddler = Box<dyn FnMut(&Rc<RefCell<Store>>)>;

/// A session with its store. Several clients may share one.
pub struct Client {
    session: Session,
    pub store: Rc<RefCell<Store>>,
    append: store::Incoming,
    pub closed: bool,
    pub idling: bool,
    /// Questions asked so far, by the name of their kind.
    pub asked: Vec<String>,
    /// How often all rows of the mailbox were asked for.
    pub asked_for_rows: usize,
    /// Sends so far, and the octets of the largest.
    pub sends: usize,
    pub largest_send: usize,
    /// Octets that had been sent when compression began, counted from the last line said; each time it did.
    pub compressed: Vec<usize>,
    /// Everything that was sent.
    pub wire: Vec<u8>,
    /// Somebody else who comes between a question and its answer.
    pub meddler: Option<Meddler>,
    /// At questions of this kind only.
    pub asked_to_meddle: Option<&'static str>,
}

impl Client {
    /// Connected; the greeting is read.
    pub fn stranger(store: &Rc<RefCell<Store>>) -> Client {
        Client::masked(store, &[])
    }

    /// The same where some clients are not told of some capabilities.
    pub fn masked(store: &Rc<RefCell<Store>>, masks: &[(&str, &[&str])]) -> Client {
        let mask = |(client, without): &(&str, &[&str])| Mask {
            client: (*client).to_owned(),
            without: without.iter().map(|&word| word.to_owned()).collect(),
        };
        let mechanisms = vec![Mechanism::Plain, Mechanism::ScramSha256, Mechanism::OAuthBearer];
        let config = Config {
            host: "imap.example".to_owned(),
            append_octets_max: APPEND_OCTETS_MAX,
            mechanisms,
            bindings: Bindings::default(),
            masks: masks.iter().map(mask).collect(),
        };
        let mut client = Client {
            session: Session::new(config),
            store: store.clone(),
            append: store::Incoming::default(),
            closed: false,
            idling: false,
            asked: Vec::new(),
            asked_for_rows: 0,
            sends: 0,
            largest_send: 0,
            compressed: Vec::new(),
            wire: Vec::new(),
            meddler: None,
            asked_to_meddle: None,
        };
        assert!(client.pump().starts_with("* OK [CAPABILITY IMAP4rev1 "));
        client
    }

    /// Logged in as toto-j, over a store of its own.
    pub fn new() -> Client {
        Client::sharing(&Rc::new(RefCell::new(Store::new())))
    }

    pub fn sharing(store: &Rc<RefCell<Store>>) -> Client {
        let mut client = Client::stranger(store);
        assert!(client.say("l LOGIN toto-j secret").starts_with("l OK [CAPABILITY "));
        client
    }

    /// Logged in, INBOX with these messages selected.
    pub fn with_inbox(messages: &[&str]) -> Client {
        let client = Client::new();
        for message in messages {
            client.store.borrow_mut().deliver("INBOX", message.replace('\n', "\r\n").as_bytes());
        }
        client.select("INBOX")
    }

    pub fn select(mut self, name: &str) -> Client {
        let said = self.say(&format!("s SELECT {name}"));
        assert!(said.ends_with("s OK [READ-WRITE] SELECT done\n"), "{said}");
        self
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

    pub fn timeout_s(&self) -> u32 {
        self.session.timeout_s()
    }

    pub fn changed(&mut self) -> String {
        self.session.changed();
        self.pump()
    }

    /// What a line gets as its answer.
    #[track_caller]
    pub fn check(&mut self, line: &str, expected: &str) {
        assert_eq!(self.say(line), expected, "{line}");
    }

    /// Runs the session until it waits.
    pub fn pump(&mut self) -> String {
        let mut said = Vec::new();
        loop {
            match self.session.next() {
                Step::Send(octets) => {
                    assert!(!octets.is_empty());
                    self.sends += 1;
                    self.largest_send = self.largest_send.max(octets.len());
                    said.extend(octets);
                }
                Step::NeedInput => {
                    self.idling = false;
                    break;
                }
                Step::Idle => {
                    self.idling = true;
                    break;
                }
                Step::Close => {
                    self.closed = true;
                    break;
                }
                Step::AppendChunk(octets) => self.append.octets.extend(octets),
                Step::AppendAbort => self.append = store::Incoming::default(),
                Step::Compress(behind) => {
                    // What inflates to itself is good enough for a client and a server that agree on it.
                    self.compressed.push(said.len());
                    self.session.feed(&behind);
                }
                Step::Ask(question) => {
                    self.asked_for_rows += usize::from(matches!(question, Question::Refresh { rows: true, .. }));
                    let kind = format!("{question:?}");
                    self.asked.push(kind.split([' ', '(']).next().unwrap_or_default().to_owned());
                    if self.asked_to_meddle.is_none_or(|kind| self.asked.last().is_some_and(|last| last == kind))
                        && let Some(meddle) = &mut self.meddler
                    {
                        meddle(&self.store);
                    }
                    let answer = self.store.borrow_mut().answer(question, &mut self.append);
                    self.session.answer(answer);
                }
            }
        }
        self.wire.extend_from_slice(&said);
        String::from_utf8_lossy(&said).replace("\r\n", "\n")
    }
}

/// Whatever a test is about, what was said has to be responses.
#[cfg(test)]
impl Drop for Client {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            oracle::judge(&self.wire);
        }
    }
}
