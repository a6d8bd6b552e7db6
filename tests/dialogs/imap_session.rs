//! The pure IMAP session with a store in memory behind it, as the other end of a dialogue.

use std::collections::VecDeque;

use mail::{MailboxName, SpecialUse};
use proto::imap::{Answer, Config, Question, Quota, Session, Step};
use proto::sasl::{Bindings, Claim, LoginFailure, Mechanism};

use crate::APPEND_OCTETS_MAX;
use crate::imap_store::{Incoming, Store};
use crate::play::{Peer, play, take_line};
use crate::script::Script;
use crate::session::PASSWORD;

/// What every account of Nantes starts with beside INBOX, Sent and Trash under the names of the policy's language.
const MAILBOXES: [(&str, SpecialUse); 5] = [
    ("Archives", SpecialUse::Archive),
    ("Brouillons", SpecialUse::Drafts),
    ("Corbeille", SpecialUse::Trash),
    ("Envoyés", SpecialUse::Sent),
    ("Indésirables", SpecialUse::Junk),
];
/// 1 GB, what everybody has.
const QUOTA_OCTETS: u64 = 1_000_000_000;

struct Connection {
    session: Session,
    store: Store,
    incoming: Incoming,
    out: VecDeque<u8>,
    closed: bool,
    /// Octets fed at once.
    piece_octets: usize,
}

/// Plays the whole dialogue, the client's octets in pieces of this size.
pub fn run(script: &Script, piece_octets: usize) -> Result<(), String> {
    let config = Config {
        host: "imaps.univ-nantes.fr".into(),
        append_octets_max: APPEND_OCTETS_MAX,
        mechanisms: vec![Mechanism::Plain, Mechanism::Login],
        bindings: Bindings::default(),
        masks: Vec::new(),
    };
    let mut connection = Connection {
        session: Session::new(config),
        store: store(),
        incoming: Incoming::default(),
        out: VecDeque::new(),
        closed: false,
        piece_octets,
    };
    connection.advance();
    play(&mut connection, false, script)
}

fn store() -> Store {
    let mut store = Store::new();
    for other in ["Sent", "Trash"] {
        store.mailboxes.remove(&name(other));
    }
    store.subscribed = vec![name("INBOX")];
    for (mailbox, special_use) in MAILBOXES {
        let create = Question::Create { name: name(mailbox), special_use: Some(special_use) };
        assert!(matches!(store.answer(create, &mut Incoming::default()), Answer::Created(_)), "{mailbox}");
        store.subscribed.push(name(mailbox));
    }
    store
}

fn name(text: &str) -> MailboxName {
    MailboxName::new(text).expect("a sound name")
}

impl Connection {
    /// Takes steps until the session wants something from outside.
    fn advance(&mut self) {
        while !self.closed {
            match self.session.next() {
                Step::Send(octets) => self.out.extend(octets),
                Step::NeedInput | Step::Idle => return,
                Step::AppendChunk(octets) => self.incoming.octets.extend(octets),
                Step::AppendAbort => self.incoming = Incoming::default(),
                // Both sides agree on a compression that changes nothing.
                Step::Compress(behind) => self.session.feed(&behind),
                Step::Ask(question) => {
                    let answer = self.answer(question);
                    self.session.answer(answer);
                }
                Step::Close => self.closed = true,
            }
        }
    }

    fn quota(&self) -> Answer {
        let messages = self.store.mailboxes.values().flat_map(|mailbox| &mailbox.messages);
        let used_octets = messages.map(|(row, _)| row.size_octets).sum();
        Answer::Quota(Quota { root: String::new(), used_octets, limit_octets: QUOTA_OCTETS })
    }

    fn answer(&mut self, question: Question) -> Answer {
        match question {
            Question::Authenticate(Claim::Password(it)) if it.secret.reveal() == PASSWORD => {
                Answer::Authenticated { server_signature: None }
            }
            Question::Authenticate(_) | Question::Salt { .. } => Answer::NotAuthenticated(LoginFailure::Wrong),
            Question::Compress => Answer::Done,
            Question::QuotaOf { .. } => self.quota(),
            Question::Quota { root } if root.is_empty() => self.quota(),
            question => self.store.answer(question, &mut self.incoming),
        }
    }
}

impl Peer for Connection {
    fn line(&mut self) -> Result<String, String> {
        take_line(&mut self.out)
    }

    fn send(&mut self, octets: &[u8]) -> Result<(), String> {
        for piece in octets.chunks(self.piece_octets) {
            self.session.feed(piece);
            self.advance();
        }
        Ok(())
    }

    fn tls(&mut self) -> Result<(), String> {
        Err("IMAP here is under TLS from the start".into())
    }

    fn is_closed(&mut self) -> bool {
        self.closed && self.out.is_empty()
    }

    fn is_silent(&mut self) -> Option<bool> {
        Some(self.out.is_empty())
    }
}
