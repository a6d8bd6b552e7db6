//! The states of RFC 1939 3, one type each, and what a command leads to.

use super::auth::Awaited;
use super::maildrop::Numbered;
use super::{Config, SILENCE_BEFORE_LOGIN_S, SILENCE_S};
use crate::pop3::question::{Answer, Question};
use crate::pop3::response::{Out, Refusal};

/// What all states share.
#[derive(Debug)]
pub struct Shared {
    pub config: Config,
    pub login_failures: u32,
}

/// Nobody is logged in.
#[derive(Debug)]
pub struct Authorization {
    pub shared: Shared,
    /// Of USER, for the PASS behind it.
    pub login: Option<String>,
}

/// Somebody has the maildrop.
#[derive(Debug)]
pub struct Transaction {
    pub shared: Shared,
    pub maildrop: Numbered,
}

/// QUIT was said behind a login: what was marked is removed now, and nothing else can happen.
#[derive(Debug)]
pub struct Update {
    pub removed: Vec<u32>,
}

/// A state that waits for a command.
#[derive(Debug)]
pub enum State {
    Authorization(Authorization),
    Transaction(Transaction),
}

/// What a step of a command leads to.
pub enum Turn {
    /// The command is over.
    Ready(State),
    Ask(Question, Then),
    /// Enough was written for now; goes on when it is sent.
    More(More),
    /// AUTH wants the client's next line.
    Challenge(Authorization, Awaited),
    /// STLS: TLS comes next.
    Secure(Shared),
    Close,
}

pub type Then = Box<dyn FnOnce(Answer, &mut Out) -> Turn + Send>;
pub type More = Box<dyn FnOnce(&mut Out) -> Turn + Send>;

pub fn ask(question: Question, then: impl FnOnce(Answer, &mut Out) -> Turn + Send + 'static) -> Turn {
    Turn::Ask(question, Box::new(then))
}

impl State {
    /// Seconds the client may keep silent in it.
    pub fn timeout_s(&self) -> u32 {
        match self {
            State::Authorization(_) => SILENCE_BEFORE_LOGIN_S,
            State::Transaction(_) => SILENCE_S,
        }
    }
}

impl Authorization {
    pub fn new(shared: Shared) -> Authorization {
        Authorization { shared, login: None }
    }

    pub fn ready(self) -> Turn {
        Turn::Ready(State::Authorization(self))
    }

    pub fn refuse(self, refusal: &Refusal, out: &mut Out) -> Turn {
        out.refuse(refusal);
        self.ready()
    }
}

impl Transaction {
    pub fn ready(self) -> Turn {
        Turn::Ready(State::Transaction(self))
    }

    pub fn done(self, text: &str, out: &mut Out) -> Turn {
        out.ok(text);
        self.ready()
    }

    pub fn refuse(self, refusal: &Refusal, out: &mut Out) -> Turn {
        out.refuse(refusal);
        self.ready()
    }
}
