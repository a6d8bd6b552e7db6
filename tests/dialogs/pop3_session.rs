//! The pure POP3 session with a mailbox in memory behind it, as the other end of a dialogue.

use std::collections::VecDeque;

use proto::pop3::{Answer, Config, Logins, Question, Session, Step};
use proto::sasl::{Bindings, Claim, LoginFailure, Mechanism};

use crate::play::{Peer, play, take_line};
use crate::pop3_desk::Desk;
use crate::script::Script;
use crate::session::PASSWORD;

struct Connection {
    session: Session,
    desk: Desk,
    out: VecDeque<u8>,
    securing: bool,
    closed: bool,
    /// Octets fed at once.
    piece_octets: usize,
}

/// Plays the whole dialogue, the client's octets in pieces of this size. The listener is one of the bench policy.
pub fn run(script: &Script, piece_octets: usize) -> Result<(), String> {
    let session = Session::new(config(script.listener == "pops"));
    let desk = Desk::of(&[]);
    let mut connection =
        Connection { session, desk, out: VecDeque::new(), securing: false, closed: false, piece_octets };
    connection.advance();
    play(&mut connection, false, script)
}

fn config(tls: bool) -> Config {
    Config {
        stls: !tls,
        logins: if tls { Logins::Now } else { Logins::UnderTls },
        mechanisms: vec![Mechanism::Plain, Mechanism::Login],
        bindings: Bindings::default(),
    }
}

impl Connection {
    /// Takes steps until the session wants something from outside.
    fn advance(&mut self) {
        while !self.closed {
            match self.session.next() {
                Step::Send(octets) => self.out.extend(octets),
                Step::NeedInput => return,
                Step::StartTls => {
                    self.securing = true;
                    return;
                }
                Step::Ask(question) => {
                    let answer = self.answer(&question);
                    self.session.answer(answer);
                }
                Step::Close => self.closed = true,
            }
        }
    }

    fn answer(&mut self, question: &Question) -> Answer {
        match question {
            Question::Authenticate(Claim::Password(it)) if it.secret.reveal() == PASSWORD => {
                Answer::Authenticated { server_signature: None }
            }
            Question::Authenticate(_) => Answer::NotAuthenticated(LoginFailure::Wrong),
            question => self.desk.answer(question),
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
        if !std::mem::take(&mut self.securing) {
            return Err("TLS was not agreed on".into());
        }
        self.session.secured(config(true));
        self.advance();
        Ok(())
    }

    fn is_closed(&mut self) -> bool {
        self.closed && self.out.is_empty()
    }

    fn is_silent(&mut self) -> Option<bool> {
        Some(self.out.is_empty())
    }
}
