//! The session: what a driver sees of a POP3 connection, and where each command goes.
//!
//! The states of RFC 1939 3 are types (`state`); a command consumes its state and leads to a `Turn`. A command that needs the
//! store asks and goes on in a closure that owns the state, so nothing else can happen to it meanwhile. Whatever ends a
//! connection but QUIT drops the state, and what DELE marked with it.

mod auth;
mod capa;
mod dele;
mod list;
mod maildrop;
mod quit;
mod retr;
mod stat;
mod state;
mod stls;
mod top;
mod uidl;
mod user;
mod utf8;

use super::command::{Command, OnMaildrop};
use super::grammar::{NoCommand, command};
use super::question::{Answer, Question};
use super::response::{Code, Out, Refusal};
use crate::line::{Inbox, Line};
use crate::sasl::{Bindings, Mechanism, RESPONSE_OCTETS_MAX};
use state::{Authorization, More, Shared, State, Then, Transaction, Turn};

/// Longest line before login: AUTH with an initial response. RFC 2449 4 says 255 and lets SASL raise it (RFC 5034 4).
const STRANGER_OCTETS_MAX: usize = RESPONSE_OCTETS_MAX + 64;
/// Longest line after login.
const COMMAND_OCTETS_MAX: usize = 2_048;
/// Octets of a line that are still dropped quietly; beyond it the connection ends.
const SWALLOWED_OCTETS: u64 = 64 * 1024;
/// Lines that are no command, or not now, before the connection is closed; a good one sets the count back.
const BAD_COMMANDS_MAX: u32 = 20;
/// RFC 1939 3: at least 10 minutes.
const SILENCE_S: u32 = 10 * 60;
const SILENCE_BEFORE_LOGIN_S: u32 = 60;

/// What a session needs to know about the place it runs at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The listener has STLS and the connection no TLS yet.
    pub stls: bool,
    pub logins: Logins,
    /// As they are offered on this connection (`sasl::offered`). PASS works where a password may come as it is.
    pub mechanisms: Vec<Mechanism>,
    /// What SCRAM can be bound to.
    pub bindings: Bindings,
}

/// May anybody log in on the connection as it is? The driver has the last word at each claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logins {
    Now,
    /// STLS first: nothing that proves who somebody is is asked for in the clear.
    UnderTls,
    Never,
}

/// What the driver does next. It calls `Session::next` again after each step except `Close`.
#[derive(Debug)]
pub enum Step {
    /// Write all of it to the client before the next step: that is the back-pressure.
    Send(Vec<u8>),
    /// Read from the client, then `feed`.
    NeedInput,
    /// Negotiate TLS, then `secured`; close where that fails.
    StartTls,
    /// Ask the store, then `answer`.
    Ask(Question),
    /// Close the connection.
    Close,
}

/// One connection.
pub struct Session {
    inbox: Inbox,
    out: Out,
    stage: Stage,
    bad_commands: u32,
    timeout_s: u32,
}

/// Where the session stands between two steps.
enum Stage {
    /// Between commands.
    Ready(State),
    ToAsk(Question, Then),
    Asked(Then),
    More(More),
    Challenge(Authorization, auth::Awaited),
    /// The `+OK` of STLS is to be sent.
    ToSecure(Shared),
    Securing(Shared),
    Closing,
}

impl From<Turn> for Stage {
    fn from(turn: Turn) -> Stage {
        match turn {
            Turn::Ready(state) => Stage::Ready(state),
            Turn::Ask(question, then) => Stage::ToAsk(question, then),
            Turn::More(more) => Stage::More(more),
            Turn::Challenge(state, awaited) => Stage::Challenge(state, awaited),
            Turn::Secure(shared) => Stage::ToSecure(shared),
            Turn::Close => Stage::Closing,
        }
    }
}

impl Session {
    /// A connection that may log in; the greeting is the first step. It has no timestamp: there is no APOP (RFC 1939 7), which
    /// needs passwords kept as they are.
    pub fn new(config: Config) -> Session {
        let mut out = Out::default();
        out.ok("Facteur is ready");
        let shared = Shared { config, login_failures: 0 };
        Session::at(Stage::Ready(State::Authorization(Authorization::new(shared))), out)
    }

    /// A connection that is turned away: `-ERR` with this text and nothing else.
    pub fn turned_away(text: &str) -> Session {
        let mut out = Out::default();
        out.refuse(&Refusal::new(text).with(Code::SysPerm));
        Session::at(Stage::Closing, out)
    }

    fn at(stage: Stage, out: Out) -> Session {
        Session { inbox: Inbox::default(), out, stage, bad_commands: 0, timeout_s: SILENCE_BEFORE_LOGIN_S }
    }

    /// Octets from the client. The driver reads only after `NeedInput`. Between `Step::StartTls` and `secured` they are thrown
    /// away.
    pub fn feed(&mut self, octets: &[u8]) {
        if !matches!(self.stage, Stage::ToSecure(_) | Stage::Securing(_)) {
            self.inbox.feed(octets);
        }
    }

    /// What to do now. No iterator: each step has to be done before the next is asked for.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Step {
        loop {
            if self.out.is_full() {
                return Step::Send(self.out.take());
            }
            if let Some(step) = self.advance() {
                return step;
            }
        }
    }

    /// One move; `None` when the next is possible at once.
    fn advance(&mut self) -> Option<Step> {
        match std::mem::replace(&mut self.stage, Stage::Closing) {
            Stage::Ready(state) => self.read_command(state),
            Stage::ToAsk(question, then) => {
                self.stage = Stage::Asked(then);
                Some(Step::Ask(question))
            }
            asked @ Stage::Asked(_) => {
                // The driver owes an answer.
                self.stage = asked;
                self.rest(Step::NeedInput)
            }
            Stage::More(more) => self.turn(|out| more(out)),
            Stage::Challenge(state, awaited) => match self.inbox.line(RESPONSE_OCTETS_MAX, SWALLOWED_OCTETS) {
                Line::Incomplete => {
                    self.stage = Stage::Challenge(state, awaited);
                    self.rest(Step::NeedInput)
                }
                Line::Whole(line) => self.turn(|out| auth::respond(state, awaited, &line, out)),
                Line::TooLong => self.turn(|out| state.refuse(&Refusal::new("the response is too long"), out)),
                Line::Endless => self.hang_up("the response is endless"),
            },
            Stage::ToSecure(shared) => {
                self.stage = Stage::ToSecure(shared);
                if !self.out.is_empty() {
                    return Some(Step::Send(self.out.take()));
                }
                if let Stage::ToSecure(shared) = std::mem::replace(&mut self.stage, Stage::Closing) {
                    self.stage = Stage::Securing(shared);
                }
                // RFC 2595 4: nothing that came in the clear is answered.
                self.inbox.clear();
                Some(Step::StartTls)
            }
            securing @ Stage::Securing(_) => {
                self.stage = securing;
                Some(Step::NeedInput)
            }
            Stage::Closing => match self.out.is_empty() {
                true => Some(Step::Close),
                false => Some(Step::Send(self.out.take())),
            },
        }
    }

    /// What is written is sent before the session waits.
    fn rest(&mut self, step: Step) -> Option<Step> {
        Some(if self.out.is_empty() { step } else { Step::Send(self.out.take()) })
    }

    fn turn(&mut self, take: impl FnOnce(&mut Out) -> Turn) -> Option<Step> {
        self.stage = take(&mut self.out).into();
        None
    }

    fn hang_up(&mut self, text: &str) -> Option<Step> {
        self.out.refuse(&Refusal::new(text));
        self.stage = Stage::Closing;
        None
    }

    fn read_command(&mut self, state: State) -> Option<Step> {
        let octets_max = match &state {
            State::Authorization(_) => STRANGER_OCTETS_MAX,
            State::Transaction(_) => COMMAND_OCTETS_MAX,
        };
        self.timeout_s = state.timeout_s();
        let line = match self.inbox.line(octets_max, SWALLOWED_OCTETS) {
            Line::Incomplete => {
                self.stage = Stage::Ready(state);
                return self.rest(Step::NeedInput);
            }
            Line::Whole(line) => line,
            Line::TooLong => return self.bad(state, "the line is too long"),
            Line::Endless => return self.hang_up("the line is endless"),
        };
        match command(&line) {
            Ok(command) => match dispatch(state, command, &mut self.out) {
                Dispatched::Turn(turn) => {
                    self.bad_commands = 0;
                    self.stage = turn.into();
                    None
                }
                Dispatched::Refused(state, text) => self.bad(state, text),
            },
            Err(NoCommand::Unknown) => self.bad(state, "that command is not known"),
            Err(NoCommand::Arguments(name)) => self.bad(state, &format!("{name} does not take that")),
        }
    }

    /// `-ERR`, and the end after too many.
    fn bad(&mut self, state: State, text: &str) -> Option<Step> {
        self.bad_commands += 1;
        if self.bad_commands >= BAD_COMMANDS_MAX {
            return self.hang_up("too many bad commands");
        }
        self.out.refuse(&Refusal::new(text));
        self.stage = Stage::Ready(state);
        None
    }

    /// The answer to the question of the last step.
    pub fn answer(&mut self, answer: Answer) {
        match std::mem::replace(&mut self.stage, Stage::Closing) {
            Stage::Asked(then) => self.stage = then(answer, &mut self.out).into(),
            // `end` was called meanwhile, or nothing was asked: the answer concerns nobody.
            other => self.stage = other,
        }
    }

    /// TLS is there: the session begins again with what may be done under it, and knows nothing of before (RFC 2595 4).
    pub fn secured(&mut self, config: Config) {
        if let Stage::Securing(shared) = std::mem::replace(&mut self.stage, Stage::Closing) {
            let shared = Shared { config, ..shared };
            self.stage = Stage::Ready(State::Authorization(Authorization::new(shared)));
        }
    }

    /// The place is another one from the next command on.
    pub fn set_config(&mut self, config: Config) {
        match &mut self.stage {
            Stage::Ready(State::Authorization(state)) | Stage::Challenge(state, _) => state.shared.config = config,
            Stage::Ready(State::Transaction(state)) => state.shared.config = config,
            // The driver says it before it feeds, and these wait for no octets.
            Stage::ToAsk(..)
            | Stage::Asked(_)
            | Stage::More(_)
            | Stage::ToSecure(_)
            | Stage::Securing(_)
            | Stage::Closing => {}
        }
    }

    /// Seconds the client may keep silent now; then the driver says `end`.
    pub fn timeout_s(&self) -> u32 {
        self.timeout_s
    }

    /// Closes after whatever is still to be sent. RFC 1939 3: nothing is removed, and nothing is said, for the client would
    /// take it for the answer to its next command.
    pub fn end(&mut self) {
        self.stage = Stage::Closing;
    }
}

/// Where a command led.
enum Dispatched {
    Turn(Turn),
    /// It is not for this state: say so and count it.
    Refused(State, &'static str),
}

fn dispatch(state: State, command: Command, out: &mut Out) -> Dispatched {
    match state {
        State::Authorization(state) => stranger(state, command, out),
        State::Transaction(state) => logged_in(state, command, out),
    }
}

fn stranger(state: Authorization, command: Command, out: &mut Out) -> Dispatched {
    Dispatched::Turn(match command {
        Command::Capa => {
            capa::capa(&state.shared.config, capa::Known::Nobody, out);
            state.ready()
        }
        Command::Stls => stls::stls(state, out),
        Command::Utf8 => utf8::utf8(state, out),
        Command::User(login) => user::user(state, login, out),
        Command::Pass(secret) => user::pass(state, secret, out),
        Command::Auth(None) => auth::mechanisms(state, out),
        Command::Auth(Some(command)) => auth::auth(state, &command, out),
        Command::Quit => quit::unknown(out),
        Command::Noop | Command::OnMaildrop(_) => {
            return Dispatched::Refused(State::Authorization(state), "log in first");
        }
    })
}

fn logged_in(state: Transaction, command: Command, out: &mut Out) -> Dispatched {
    Dispatched::Turn(match command {
        Command::Capa => {
            capa::capa(&state.shared.config, capa::Known::Somebody, out);
            state.ready()
        }
        Command::Noop => state.done("nothing done", out),
        Command::Quit => quit::quit(state),
        Command::OnMaildrop(command) => match command {
            OnMaildrop::Stat => stat::stat(state, out),
            OnMaildrop::List(number) => list::list(state, number, out),
            OnMaildrop::Uidl(number) => uidl::uidl(state, number, out),
            OnMaildrop::Retr(number) => retr::retr(state, number, out),
            OnMaildrop::Top { number, lines } => top::top(state, number, lines, out),
            OnMaildrop::Dele(number) => dele::dele(state, number, out),
            OnMaildrop::Rset => dele::rset(state, out),
        },
        Command::Stls | Command::Utf8 | Command::User(_) | Command::Pass(_) | Command::Auth(_) => {
            return Dispatched::Refused(State::Transaction(state), "somebody is logged in already");
        }
    })
}

#[cfg(test)]
mod tests;
