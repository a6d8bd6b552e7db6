//! The server's side of an SMTP connection, without I/O: one type per state (`state`), and what all states share
//! (`connection`).
//!
//! The driver's loop: take `next()` until it says `NeedInput`, flush, read, `feed`, again. Every `Ask` is answered with
//! the reply the client shall get; a positive reply accepts, another refuses, 421 ends the connection. Decisions, texts
//! of refusals and counters of policy live outside; what is fixed by the RFCs is decided here.
//!
//! INVARIANT (one-reply): each command and each content gets exactly one reply, in order (RFC 2920 3.2); flushing only
//! at `NeedInput` answers a pipelined batch in one write. Under LMTP a content gets one for each RCPT that was accepted, in
//! their order (RFC 2033 4.2).

mod chunk;
mod connection;
mod data;
mod hello;
mod law;
mod login;
mod state;
mod xclient;

use std::mem;

use mail::reply::{self, Reply};
use mail::{Domain, ReversePath};

use super::content::BodyFault;
use super::parameter::{MailParameters, RcptParameters};
use super::path::ForwardPath;
use super::xclient::Told;
use crate::line::Inbox;
use crate::sasl::{Bindings, Claim, Mechanism, Salt};
use connection::Connection;
pub use connection::Refusals;
pub use hello::{Hello, Transport};
use state::{Listening, Progress, State};

/// TLS on this connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsMode {
    /// Neither there nor offered.
    None,
    Offered,
    /// STARTTLS is the only way on (RFC 3207 4).
    Required,
    Active,
}

/// Who may send here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthMode {
    /// AUTH does not exist here.
    Never,
    /// No MAIL without a login, and no login in the clear unless the listener has no TLS at all.
    Required,
}

/// What a session needs to know of its listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The name the server gives itself.
    pub host: Domain,
    /// LMTP (RFC 2033): LHLO, and a reply for each recipient.
    pub lmtp: bool,
    pub tls: TlsMode,
    pub auth: AuthMode,
    pub mechanisms: Vec<Mechanism>,
    /// Largest content in octets, as SIZE announces it.
    pub size_octets_max: u64,
    /// RCPTMAX of LIMITS (RFC 9422): announced only; the decision is the driver's.
    pub rcpt_max: u32,
    pub smtputf8: bool,
    /// Delivery status notifications on request (RFC 3461). Without it its parameters get 555.
    pub dsn: bool,
    /// This client may say for whom it speaks. To others XCLIENT is not offered, and refused.
    pub xclient: bool,
}

impl Config {
    /// May a password be sent now? Where TLS can be had it must be (RFC 4954 4, RFC 3207 4.2). A listener without TLS
    /// takes passwords in the clear only by a policy that says so.
    fn login_possible(&self) -> bool {
        match self.tls {
            TlsMode::None | TlsMode::Active => true,
            TlsMode::Offered | TlsMode::Required => false,
        }
    }
}

/// What the driver shall do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Append this to what will be written.
    Send(Reply),
    /// Write what is to be written, then read and `feed`.
    NeedInput,
    /// Write what is to be written, negotiate TLS, then call `tls_started`.
    StartTls,
    /// Find out and `answer`.
    Ask(Question),
    /// The question asked last has no answer yet.
    NeedAnswer,
    /// The next octets of the content. Never empty.
    Content(Vec<u8>),
    /// The transaction ended without a message: give back what was reserved, drop what was kept. Never told when an
    /// answer of the driver's own refused MAIL or the content.
    Abandoned(Abandoned),
    /// Write what is to be written and close. The last step.
    Close,
}

/// Why a transaction ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Abandoned {
    Reset,
    /// A new EHLO or HELO (RFC 5321 4.1.4).
    Hello,
    Quit,
    Disconnected,
    /// Declared larger than allowed although the driver accepted MAIL.
    TooLarge,
    /// We ended the connection with 421.
    Cut,
}

/// What the session cannot know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// How is the verifier of this login salted? `answer_salt`, also for logins nobody has; another reply refuses.
    Salt { login: String },
    /// Reply 235 to accept, for SCRAM by `answer_signed`; 535 or 454 to refuse.
    Authenticate { mechanism: Mechanism, claim: Claim },
    /// XCLIENT of a client that may say it. Reply 220 to believe it: the session begins again.
    Told(Told),
    /// A syntactically valid MAIL. Reply 250 to accept.
    Mail { reverse_path: ReversePath, parameters: MailParameters },
    /// A syntactically valid RCPT in a transaction. Reply 250 to accept.
    Recipient { forward_path: ForwardPath, parameters: RcptParameters },
    /// DATA, or the first BDAT, with at least one accepted recipient. Reply 354 to accept (not sent for BDAT).
    ContentStart { way: EndedBy },
    /// The content is whole. Reply 250 only when it is durable. With a fault the content was not given out to its end,
    /// and a positive reply is replaced by `ContentFault::reply`. Under LMTP `answer_each` gives every recipient its own.
    ContentEnd { octets: u64, ended_by: EndedBy, fault: Option<ContentFault> },
}

/// How a content comes and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndedBy {
    /// DATA and CRLF "." CRLF.
    Dot,
    /// BDAT chunks and LAST.
    BdatLast,
}

/// Why a content cannot be accepted whatever the policy says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentFault {
    Body(BodyFault),
    TooLarge,
}

impl ContentFault {
    pub fn reply(self) -> Reply {
        match self {
            ContentFault::Body(fault) => Reply::new(reply::BAD_CONTENT, format!("The message holds {fault}")),
            ContentFault::TooLarge => Reply::new(reply::TOO_LARGE, "The message is larger than SIZE allows"),
        }
    }
}

/// One connection.
#[derive(Debug)]
pub struct Session {
    connection: Connection,
    inbox: Inbox,
    state: State,
}

impl Session {
    /// A connection that is welcome: the first step is the greeting.
    pub fn new(config: Config) -> Session {
        Session::greeting(config, "")
    }

    /// The same with words of the server's behind the protocol (RFC 5321 4.2: text for people).
    pub fn greeting(config: Config, words: &str) -> Session {
        let protocol = if config.lmtp { "LMTP" } else { "ESMTP" };
        let text = format!("{} {protocol} {words}", config.host);
        let greeting = Reply::new(reply::GREETING, text.trim_end());
        let mut connection = Connection::new(config);
        connection.send(greeting);
        Session { connection, inbox: Inbox::default(), state: State::Listening(Listening::Greeted) }
    }

    /// A connection that is refused at the banner (RFC 5321 3.1): 554 and then only QUIT, or 421 and the end.
    pub fn turned_away(config: Config, refusal: Reply) -> Session {
        let mut connection = Connection::new(config);
        let state = if refusal.code.basic == 421 { State::Closed } else { State::Listening(Listening::TurnedAway) };
        connection.send(refusal);
        Session { connection, inbox: Inbox::default(), state }
    }

    /// Octets from the client. Between `Step::StartTls` and `tls_started` they are thrown away: what came in the clear
    /// is not believed (RFC 3207 6).
    pub fn feed(&mut self, octets: &[u8]) {
        match self.state {
            State::Securing | State::Closed => {}
            _ => self.inbox.feed(octets),
        }
    }

    /// What to do next. Never blocks, never loops without consuming input.
    // Not an iterator: it never ends.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Step {
        loop {
            if let Some(step) = self.connection.steps.pop_front() {
                return step;
            }
            let state = mem::replace(&mut self.state, State::Closed);
            match state.advance(&mut self.connection, &mut self.inbox) {
                Progress::Moved(state) => self.state = state,
                Progress::Stuck(state, step) => {
                    self.state = state;
                    return step;
                }
            }
        }
    }

    /// The answer to the question asked last. Without a question it is ignored.
    pub fn answer(&mut self, reply: Reply) {
        self.answer_each(vec![reply]);
    }

    /// The answer to `ContentEnd` under LMTP: a reply for each RCPT that was accepted, in their order, the same address
    /// counted again. The last one stands for those that are not given.
    pub fn answer_each(&mut self, replies: Vec<Reply>) {
        let state = mem::replace(&mut self.state, State::Closed);
        self.state = match state {
            State::Waiting(waiting) => waiting.answered(replies, &mut self.connection),
            state => state,
        };
    }

    /// The answer to `Question::Salt`.
    pub fn answer_salt(&mut self, salt: &Salt) {
        let state = mem::replace(&mut self.state, State::Closed);
        self.state = match state {
            State::Waiting(waiting) => waiting.salted(salt, &mut self.connection),
            state => state,
        };
    }

    /// The answer to a SCRAM claim that holds, with the server's signature (RFC 5802 3).
    pub fn answer_signed(&mut self, reply: Reply, server_signature: Vec<u8>) {
        self.connection.server_signature = Some(server_signature);
        self.answer(reply);
    }

    /// What SCRAM can be bound to on this connection; known once TLS is there.
    pub fn set_bindings(&mut self, bindings: Bindings) {
        self.connection.bindings = bindings;
    }

    /// TLS is negotiated; the conversation starts again (RFC 3207 4.2).
    pub fn tls_started(&mut self) {
        if matches!(self.state, State::Securing) {
            self.connection.config.tls = TlsMode::Active;
            self.inbox.clear();
            self.state = State::Listening(Listening::Greeted);
        }
    }

    /// Changes what the next EHLO announces as RCPTMAX.
    pub fn set_rcpt_max(&mut self, rcpt_max: u32) {
        self.connection.config.rcpt_max = rcpt_max;
    }

    /// Changes what the listener is from here on, whatever EHLO said before: the next EHLO announces it, and the next transaction is
    /// bound by it (RFC 1870 6.1). Meant for between transactions. TLS that is there stays.
    pub fn set_config(&mut self, config: Config) {
        let tls = match (self.connection.config.tls, config.tls) {
            (TlsMode::Active, _) => TlsMode::Active,
            // It began in the clear, and the listener no longer does.
            (_, TlsMode::Active) => TlsMode::Required,
            (_, tls) => tls,
        };
        self.connection.config = Config { tls, ..config };
    }

    /// Changes the replies to a client that skips TLS or the login, so that they can name the rule that asks for it.
    pub fn set_refusals(&mut self, refusals: Refusals) {
        self.connection.refusals = refusals;
    }

    /// Ends the connection with `reply`: 421 after a timeout (`reply::TIMEOUT`) or a shutdown (`reply::SHUTTING_DOWN`).
    pub fn cut(&mut self, reply: Reply) {
        if !matches!(self.state, State::Closed) {
            self.end(Abandoned::Cut);
            self.connection.send(reply);
        }
    }

    /// The client is gone.
    pub fn disconnected(&mut self) {
        self.end(Abandoned::Disconnected);
    }

    fn end(&mut self, why: Abandoned) {
        self.inbox.clear();
        let state = mem::replace(&mut self.state, State::Closed);
        if state.holds_a_transaction() {
            self.connection.steps.push_back(Step::Abandoned(why));
        }
    }

    /// What the client said with EHLO or HELO, if it did since the connection or TLS began.
    /// Behind a client that may say so, what it told of the client it speaks for.
    pub fn hello(&self) -> Option<Hello> {
        let hello = self.state.ready().map(|ready| ready.hello.clone())?;
        Some(match &self.connection.told_hello {
            Some(name) => Hello { name: name.clone(), ..hello },
            None => hello,
        })
    }

    /// How this session is called in a Received field.
    pub fn transport(&self) -> Transport {
        let ready = self.state.ready();
        Transport {
            lmtp: self.connection.config.lmtp,
            extended: ready.is_some_and(|ready| ready.hello.extended),
            tls: self.connection.config.tls == TlsMode::Active,
            login: ready.is_some_and(|ready| ready.login),
        }
    }

    /// How long to wait for input in this state, in seconds (RFC 5321 4.5.3.2: 5 minutes for a command, 3 for a block
    /// of content).
    pub fn timeout_s(&self) -> u32 {
        match self.state {
            State::Data(_) | State::Chunk(_) | State::Discard(_) => 180,
            State::Listening(Listening::TurnedAway) => 60,
            _ => 300,
        }
    }

    /// Is a question open?
    pub fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting(_))
    }
}

/// The law of the session (`law`) for any octets. The first chooses the listener and the driver, the second the size of
/// the pieces.
pub fn fuzz(octets: &[u8]) {
    let [kind, size, input @ ..] = octets else { return };
    let config = Config {
        host: "mx.example".parse().expect("a domain"),
        tls: [TlsMode::None, TlsMode::Offered, TlsMode::Required, TlsMode::Active][usize::from(kind % 4)],
        auth: if kind & 4 == 0 { AuthMode::Never } else { AuthMode::Required },
        mechanisms: vec![
            Mechanism::Plain,
            Mechanism::Login,
            Mechanism::ScramSha256,
            Mechanism::OAuthBearer,
            Mechanism::XOAuth2,
        ],
        size_octets_max: 1_000,
        rcpt_max: 100,
        smtputf8: kind & 8 == 0,
        dsn: kind & 16 == 0,
        lmtp: kind & 32 != 0,
        xclient: kind & 64 != 0,
    };
    law::check(&config, kind & 128 != 0, usize::from(*size), input);
}

/// RFC 2034 3: every 2yz, 4yz and 5yz reply has an enhanced code of its class, except the greeting and the answer to EHLO.
fn is_enhanced(reply: &Reply) -> bool {
    match reply.code.enhanced {
        Some(enhanced) => u16::from(enhanced.0) == reply.code.basic / 100,
        None => [reply::GREETING, reply::HELLO, reply::AUTH_CONTINUE, reply::START_INPUT].contains(&reply.code),
    }
}

#[cfg(test)]
mod tests;
