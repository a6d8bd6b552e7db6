//! What all states of a session share: the configuration, the steps not taken yet, and the patience left.

use std::collections::VecDeque;

use mail::reply::{self, Reply};

use super::state::State;
use super::{Abandoned, Config, Step};
use crate::sasl::Bindings;
use crate::smtp::command::{Command, HelloName};

/// Bad commands in one connection before it is cut: enough for a person at telnet, too few for a scan.
const BAD_COMMANDS_MAX: u32 = 20;
/// Commands since the last message that brought no mail before the connection is cut.
const IDLE_COMMANDS_MAX: u32 = 100;

/// Replies to a client that skips TLS or the login. Each has the code its default has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusals {
    /// 530, RFC 3207 4.
    pub tls_required: Reply,
    /// 530, RFC 4954 6.
    pub login_required: Reply,
    /// 538: AUTH in the clear where TLS is to be had.
    pub login_needs_tls: Reply,
    /// 502: AUTH where there is none (RFC 4954 4).
    pub no_login: Reply,
}

impl Default for Refusals {
    fn default() -> Refusals {
        Refusals {
            // RFC 3207 4 has this text.
            tls_required: Reply::new(reply::TLS_REQUIRED, "Must issue a STARTTLS command first"),
            login_required: Reply::new(reply::AUTH_REQUIRED, "Log in first"),
            login_needs_tls: Reply::new(reply::AUTH_NEEDS_TLS, "STARTTLS first"),
            no_login: Reply::new(reply::NOT_IMPLEMENTED, "There is no login here"),
        }
    }
}

#[derive(Debug)]
pub(super) struct Connection {
    pub config: Config,
    pub steps: VecDeque<Step>,
    pub refusals: Refusals,
    /// The name of the client a trusted one speaks for.
    pub told_hello: Option<HelloName>,
    pub bindings: Bindings,
    /// Of the SCRAM claim that was accepted last.
    pub server_signature: Option<Vec<u8>>,
    bad: u32,
    idle: u32,
}

impl Connection {
    pub fn new(config: Config) -> Connection {
        Connection {
            config,
            steps: VecDeque::new(),
            refusals: Refusals::default(),
            told_hello: None,
            bindings: Bindings::default(),
            server_signature: None,
            bad: 0,
            idle: 0,
        }
    }

    pub fn send(&mut self, reply: Reply) {
        self.steps.push_back(Step::Send(reply));
    }

    pub fn ask(&mut self, question: super::Question) {
        self.steps.push_back(Step::Ask(question));
    }

    /// Replies a content gets whose RCPT was accepted so often.
    pub fn content_replies(&self, accepted: u64) -> u64 {
        if self.config.lmtp { accepted } else { 1 }
    }

    /// "EHLO first", or LHLO.
    pub fn hello_first(&self) -> Reply {
        Reply::new(reply::BAD_SEQUENCE, if self.config.lmtp { "LHLO first" } else { "EHLO first" })
    }

    /// A transaction is over without a message.
    pub fn abandon(&mut self, why: Abandoned) {
        self.steps.push_back(Step::Abandoned(why));
    }

    /// A message was accepted: the client means it.
    pub fn message_accepted(&mut self) {
        self.idle = 0;
    }

    /// Answers a bad command, or cuts the connection when there were too many. The state stays.
    pub fn bad(&mut self, reply: Reply, state: State) -> State {
        self.bad += 1;
        if self.bad >= BAD_COMMANDS_MAX {
            return self.cut(Reply::new(reply::CUT_OFF, "Too many errors"), state);
        }
        self.send(reply);
        state
    }

    /// Answers a command that brings no mail, or cuts the connection when there were too many.
    pub fn idle(&mut self, reply: Reply, state: State) -> State {
        self.idle += 1;
        if self.idle >= IDLE_COMMANDS_MAX {
            return self.tired(state);
        }
        self.send(reply);
        state
    }

    /// Counts a MAIL; `false` when there were too many without a message accepted.
    pub fn mail_attempted(&mut self) -> bool {
        self.idle += 1;
        self.idle < IDLE_COMMANDS_MAX
    }

    /// Ends a connection that brings no mail.
    pub fn tired(&mut self, state: State) -> State {
        self.cut(Reply::new(reply::CUT_OFF, "Too many commands without a message"), state)
    }

    /// Ends the connection from `state` with a 421.
    pub fn cut(&mut self, reply: Reply, state: State) -> State {
        if state.holds_a_transaction() {
            self.abandon(Abandoned::Cut);
        }
        self.send(reply);
        State::Closed
    }

    /// Answers what is answered alike in every state.
    pub fn courtesy(&mut self, courtesy: Courtesy, state: State) -> State {
        match courtesy {
            Courtesy::Noop => self.idle(Reply::new(reply::OK, "OK"), state),
            Courtesy::Help => self.idle(Reply::new(reply::HELP, "RFC 5321"), state),
            Courtesy::Vrfy => self.idle(Reply::new(reply::CANNOT_VERIFY, "Send the message and see"), state),
            Courtesy::Expn => self.bad(Reply::new(reply::NOT_IMPLEMENTED, "Lists are not expanded"), state),
            Courtesy::Quit => {
                if state.holds_a_transaction() {
                    self.abandon(Abandoned::Quit);
                }
                self.send(Reply::new(reply::BYE, "Bye"));
                State::Closed
            }
        }
    }
}

/// The commands that are answered alike in every state (RFC 5321 4.1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Courtesy {
    Noop,
    Help,
    Vrfy,
    Expn,
    Quit,
}

impl Courtesy {
    pub fn of(command: &Command) -> Option<Courtesy> {
        match command {
            Command::Noop => Some(Courtesy::Noop),
            Command::Help => Some(Courtesy::Help),
            Command::Vrfy => Some(Courtesy::Vrfy),
            Command::Expn => Some(Courtesy::Expn),
            Command::Quit => Some(Courtesy::Quit),
            Command::Ehlo(_) | Command::Helo(_) | Command::StartTls | Command::Auth { .. } => None,
            Command::Mail { .. } | Command::Rcpt { .. } | Command::Data | Command::Bdat { .. } => None,
            Command::Rset | Command::Lhlo(_) | Command::Xclient(_) => None,
        }
    }
}
