//! The states of a session and what each command does in them (RFC 5321 4.1.4).
//!
//! INVARIANT (chunk-skipped): whatever becomes of a BDAT command, its octets are never read as commands. A BDAT whose
//! length cannot be read ends the connection.

use mail::Body;
use mail::reply::{self, Reply};

use super::chunk::{Between, Chunk, Discard};
use super::connection::{Connection, Courtesy};
use super::data::Data;
use super::hello::{self, Hello};
use super::{Abandoned, AuthMode, ContentFault, EndedBy, Question, Step, TlsMode, login, xclient};
use crate::line::{Inbox, Line};
use crate::sasl::{AwaitsSalt, Claim, Exchange, Mechanism, Salt};
use crate::smtp::command::{self, AUTH_OCTETS_MAX, BadCommand, COMMAND_OCTETS_MAX, Command, HelloName};
use crate::smtp::parameter::{MailParameters, RcptParameters};
use crate::smtp::path::ForwardPath;

/// A line is cut off for good after this many octets without CRLF.
pub(super) const ENDLESS_LINE_OCTETS: u64 = 1 << 20;

#[derive(Debug)]
pub(super) enum State {
    /// A command may come.
    Listening(Listening),
    /// The next line is a response of the AUTH exchange.
    Login(Ready, Mechanism, Exchange),
    /// The next line ends the AUTH exchange, which has its verdict.
    LoginEnd(Ready, Reply),
    /// After 354.
    Data(Data),
    /// Within the octets of a BDAT.
    Chunk(Chunk),
    /// Within the octets of a BDAT that was refused.
    Discard(Discard),
    /// 220 was said to STARTTLS.
    Securing,
    /// A question is open.
    Waiting(Waiting),
    Closed,
}

/// The states in which a command may come.
#[derive(Debug)]
pub(super) enum Listening {
    /// Refused at the banner: only QUIT is left (RFC 5321 3.1).
    TurnedAway,
    /// Before EHLO.
    Greeted,
    Ready(Ready),
    Transaction(Transaction),
    Between(Between),
}

/// EHLO or HELO given, no transaction.
#[derive(Clone, Debug)]
pub(super) struct Ready {
    pub hello: Hello,
    pub login: bool,
    /// MAIL or the content was refused, and the rest of a pipelined batch may still come (RFC 2920 3.1): it gets its
    /// replies, and nobody is blamed.
    pub after_refusal: bool,
}

/// MAIL accepted, collecting RCPT.
#[derive(Debug)]
pub(super) struct Transaction {
    pub ready: Ready,
    pub smtputf8: bool,
    pub body: Body,
    /// Recipients accepted so far, the same one counted again.
    pub accepted: u64,
}

/// What is asked, and what the answer leads to.
#[derive(Debug)]
pub(super) enum Waiting {
    Salt(Ready, Mechanism, AwaitsSalt),
    Login(Ready, Claim),
    /// XCLIENT, with the name it told.
    Told(Listening, Option<HelloName>),
    Mail(Ready, Box<MailParameters>),
    Recipient(Transaction),
    DataStart(Transaction),
    ChunkStart(Transaction, Command),
    /// `replies`: how many the content gets.
    ContentEnd {
        ready: Ready,
        fault: Option<ContentFault>,
        replies: u64,
    },
}

pub(super) enum Progress {
    Moved(State),
    /// Only the driver can help.
    Stuck(State, Step),
}

impl State {
    pub fn advance(self, connection: &mut Connection, inbox: &mut Inbox) -> Progress {
        match self {
            State::Listening(listening) => listening.advance(connection, inbox),
            State::Login(ready, mechanism, exchange) => login::line(ready, mechanism, exchange, connection, inbox),
            State::LoginEnd(ready, reply) => login::last_line(ready, reply, connection, inbox),
            State::Data(data) => data.advance(connection, inbox),
            State::Chunk(chunk) => chunk.advance(connection, inbox),
            State::Discard(discard) => discard.advance(connection, inbox),
            State::Securing => Progress::Stuck(State::Securing, Step::StartTls),
            State::Waiting(waiting) => Progress::Stuck(State::Waiting(waiting), Step::NeedAnswer),
            State::Closed => Progress::Stuck(State::Closed, Step::Close),
        }
    }

    /// Would the driver have to give something back if the connection ended here? Not while the content is judged:
    /// then the driver alone knows what became of it (RFC 5321 4.1.1.4).
    pub fn holds_a_transaction(&self) -> bool {
        match self {
            State::Listening(Listening::Transaction(_) | Listening::Between(_)) => true,
            State::Listening(Listening::TurnedAway | Listening::Greeted | Listening::Ready(_)) => false,
            State::Data(_) | State::Chunk(_) => true,
            State::Discard(discard) => matches!(*discard.then, Listening::Transaction(_) | Listening::Between(_)),
            State::Waiting(Waiting::Salt(..) | Waiting::Login(..) | Waiting::Told(..) | Waiting::ContentEnd { .. }) => {
                false
            }
            State::Waiting(
                Waiting::Mail(..) | Waiting::Recipient(_) | Waiting::DataStart(_) | Waiting::ChunkStart(..),
            ) => true,
            State::Login(..) | State::LoginEnd(..) | State::Securing | State::Closed => false,
        }
    }

    pub fn ready(&self) -> Option<&Ready> {
        match self {
            State::Listening(listening) => listening.ready(),
            State::Login(ready, ..) | State::LoginEnd(ready, _) => Some(ready),
            State::Data(data) => Some(&data.ready),
            State::Chunk(chunk) => Some(&chunk.ready),
            State::Discard(discard) => discard.then.ready(),
            State::Waiting(
                Waiting::Salt(ready, ..)
                | Waiting::Login(ready, _)
                | Waiting::Mail(ready, _)
                | Waiting::ContentEnd { ready, .. },
            ) => Some(ready),
            State::Waiting(Waiting::Told(listening, _)) => listening.ready(),
            State::Waiting(
                Waiting::Recipient(transaction) | Waiting::DataStart(transaction) | Waiting::ChunkStart(transaction, _),
            ) => Some(&transaction.ready),
            State::Securing | State::Closed => None,
        }
    }
}

impl Listening {
    fn ready(&self) -> Option<&Ready> {
        match self {
            Listening::TurnedAway | Listening::Greeted => None,
            Listening::Ready(ready) => Some(ready),
            Listening::Transaction(transaction) => Some(&transaction.ready),
            Listening::Between(between) => Some(&between.ready),
        }
    }

    fn advance(self, connection: &mut Connection, inbox: &mut Inbox) -> Progress {
        let state = State::Listening(self);
        Progress::Moved(match inbox.line(AUTH_OCTETS_MAX, ENDLESS_LINE_OCTETS) {
            Line::Incomplete => return Progress::Stuck(state, Step::NeedInput),
            Line::Endless => connection.cut(endless(), state),
            Line::TooLong => connection.bad(too_long(), state),
            Line::Whole(line) => match state {
                State::Listening(listening) => listening.line(&line, connection, inbox),
                state => state,
            },
        })
    }

    fn line(self, line: &[u8], connection: &mut Connection, inbox: &Inbox) -> State {
        let starts = |word: &[u8]| line.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
        let state = State::Listening(self);
        if line.len() > COMMAND_OCTETS_MAX && !starts(b"AUTH ") {
            return connection.bad(too_long(), state);
        }
        let command = match command::parse(line) {
            Ok(command) => command,
            Err(BadCommand::Http) => return connection.cut(BadCommand::Http.reply(), state),
            // INVARIANT (chunk-skipped): where this chunk ends cannot be known.
            Err(_) if starts(b"BDAT") => {
                return connection.cut(Reply::new(reply::CUT_OFF, "Syntax: BDAT octets [LAST]"), state);
            }
            Err(bad) => return connection.bad(bad.reply(), state),
        };
        match state {
            State::Listening(listening) => listening.command(command, connection, inbox),
            state => state,
        }
    }

    fn command(self, command: Command, connection: &mut Connection, inbox: &Inbox) -> State {
        if let Some((reply, counted)) = self.never_now(&command, connection) {
            return match command {
                Command::Bdat { octets, .. } => Discard::begin(octets, reply, counted, self, connection),
                _ if counted => connection.bad(reply, State::Listening(self)),
                _ => {
                    connection.send(reply);
                    State::Listening(self)
                }
            };
        }
        if let Some(courtesy) = Courtesy::of(&command) {
            return connection.courtesy(courtesy, State::Listening(self));
        }
        match (self, command) {
            // RFC 2033 4.1: LHLO stands for both, and they for nothing.
            (listening, Command::Ehlo(_) | Command::Helo(_)) if connection.config.lmtp => {
                connection.bad(Reply::new(reply::SYNTAX_COMMAND, "This is LMTP: LHLO"), State::Listening(listening))
            }
            (listening, Command::Lhlo(_)) if !connection.config.lmtp => {
                connection.bad(BadCommand::Unknown.reply(), State::Listening(listening))
            }
            (listening, Command::Ehlo(name) | Command::Lhlo(name)) => listening.hello(name, true, connection),
            (listening, Command::Helo(name)) => listening.hello(name, false, connection),
            (listening, Command::Rset) => listening.reset(connection),
            (listening, Command::Xclient(told)) => xclient::told(listening, told, connection, inbox),
            (Listening::Ready(ready), command) => ready.command(command, connection, inbox),
            (Listening::Transaction(transaction), command) => transaction.command(command, connection),
            (Listening::Between(between), command) => between.command(command, connection),
            (listening @ (Listening::TurnedAway | Listening::Greeted), _) => {
                connection.bad(connection.hello_first(), State::Listening(listening))
            }
        }
    }

    /// Commands that this state refuses whatever their arguments, and whether that is the client's fault.
    fn never_now(&self, command: &Command, connection: &Connection) -> Option<(Reply, bool)> {
        let sequence = |text: &str| Some((Reply::new(reply::BAD_SEQUENCE, text), true));
        let config = &connection.config;
        if matches!(self, Listening::TurnedAway) && *command != Command::Quit {
            return sequence("Nothing but QUIT is left");
        }
        // RFC 3207 4: only these work before TLS where TLS is required. AUTH has a code of its own (RFC 4954 6).
        let in_the_clear = matches!(
            command,
            Command::Noop
                | Command::Ehlo(_)
                | Command::Lhlo(_)
                | Command::StartTls
                | Command::Quit
                | Command::Auth { .. }
        );
        if config.tls == TlsMode::Required && !in_the_clear {
            return Some((connection.refusals.tls_required.clone(), true));
        }
        match (self, command) {
            (Listening::Greeted, Command::Auth { .. } | Command::StartTls | Command::Bdat { .. }) => {
                Some((connection.hello_first(), true))
            }
            (Listening::Ready(ready), Command::Rcpt { .. } | Command::Data | Command::Bdat { .. }) => {
                Some((Reply::new(reply::BAD_SEQUENCE, "MAIL first"), !ready.after_refusal))
            }
            (Listening::Transaction(Transaction { accepted: 0, .. }), Command::Data | Command::Bdat { .. }) => {
                // RFC 2033 4.2 has 503 for it.
                let code = if config.lmtp { reply::BAD_SEQUENCE } else { reply::NO_RECIPIENTS };
                Some((Reply::new(code, "No valid recipients"), false))
            }
            // RFC 3030 3.
            (Listening::Transaction(Transaction { body: Body::BinaryMime, .. }), Command::Data) => {
                sequence("BODY=BINARYMIME needs BDAT")
            }
            _ => None,
        }
    }

    /// RFC 5321 4.1.1.1 and 4.1.4: a new EHLO is also a RSET.
    fn hello(self, name: HelloName, extended: bool, connection: &mut Connection) -> State {
        let login = self.ready().is_some_and(|ready| ready.login);
        if matches!(self, Listening::Transaction(_) | Listening::Between(_)) {
            connection.abandon(Abandoned::Hello);
        }
        let reply = match extended {
            true => Reply::lines(reply::HELLO, hello::listing(&connection.config, &connection.bindings, login)),
            false => Reply::new(reply::HELLO, connection.config.host.to_string()),
        };
        let ready = Ready { hello: Hello { name, extended }, login, after_refusal: false };
        connection.idle(reply, State::Listening(Listening::Ready(ready)))
    }

    /// RFC 5321 4.1.1.5.
    fn reset(self, connection: &mut Connection) -> State {
        let rested = |ready| Listening::Ready(Ready { after_refusal: false, ..ready });
        let listening = match self {
            Listening::Transaction(Transaction { ready, .. }) | Listening::Between(Between { ready, .. }) => {
                connection.abandon(Abandoned::Reset);
                rested(ready)
            }
            Listening::Ready(ready) => rested(ready),
            listening @ (Listening::TurnedAway | Listening::Greeted) => listening,
        };
        connection.idle(Reply::new(reply::OK, "OK"), State::Listening(listening))
    }
}

impl Ready {
    fn command(self, command: Command, connection: &mut Connection, inbox: &Inbox) -> State {
        match command {
            Command::StartTls => self.start_tls(connection, inbox),
            Command::Auth { mechanism, initial } => self.auth(&mechanism, initial.as_deref(), connection),
            Command::Mail { reverse_path, parameters } => self.mail(reverse_path, parameters, connection),
            _ => self.bad(Reply::new(reply::BAD_SEQUENCE, "MAIL first"), connection),
        }
    }

    pub fn bad(self, reply: Reply, connection: &mut Connection) -> State {
        connection.bad(reply, State::Listening(Listening::Ready(self)))
    }

    /// RFC 3207 4.
    fn start_tls(self, connection: &mut Connection, inbox: &Inbox) -> State {
        match connection.config.tls {
            TlsMode::None => self.bad(Reply::new(reply::NOT_IMPLEMENTED, "TLS is not offered"), connection),
            TlsMode::Active => self.bad(Reply::new(reply::BAD_SEQUENCE, "TLS is active"), connection),
            // What stands behind STARTTLS in the clear was put there by somebody: nothing after it is believed.
            TlsMode::Offered | TlsMode::Required if !inbox.is_empty() => {
                connection.send(Reply::new(reply::BAD_SEQUENCE, "STARTTLS is the last command of a batch"));
                State::Closed
            }
            TlsMode::Offered | TlsMode::Required => {
                connection.send(Reply::new(reply::TLS_READY, "Ready to start TLS"));
                State::Securing
            }
        }
    }

    /// RFC 5321 4.1.1.2.
    fn mail(
        mut self,
        reverse_path: mail::ReversePath,
        parameters: MailParameters,
        connection: &mut Connection,
    ) -> State {
        let config = &connection.config;
        let unknown = |keyword: &str| Some(Reply::new(reply::BAD_PARAMETER, format!("{keyword} is not offered")));
        let refusal = if config.auth == AuthMode::Required && !self.login {
            Some(connection.refusals.login_required.clone())
        } else if parameters.smtputf8 && !config.smtputf8 {
            unknown("SMTPUTF8")
        } else if !config.dsn && (parameters.ret.is_some() || parameters.envid.is_some()) {
            unknown("DSN")
        } else if parameters.require_tls && config.tls != TlsMode::Active {
            unknown("REQUIRETLS")
        } else if parameters.auth.is_some() && config.auth == AuthMode::Never {
            unknown("AUTH")
        } else if !parameters.smtputf8 && reverse_path.address().is_some_and(mail::Address::needs_utf8) {
            Some(Reply::new(reply::NEEDS_UTF8, "This address needs SMTPUTF8"))
        } else {
            None
        };
        self.after_refusal = refusal.is_some();
        if let Some(reply) = refusal {
            return self.bad(reply, connection);
        }
        if !connection.mail_attempted() {
            return connection.tired(State::Listening(Listening::Ready(self)));
        }
        let kept = Box::new(parameters.clone());
        connection.ask(Question::Mail { reverse_path, parameters });
        State::Waiting(Waiting::Mail(self, kept))
    }
}

impl Transaction {
    fn command(self, command: Command, connection: &mut Connection) -> State {
        match command {
            Command::Rcpt { forward_path, parameters } => self.rcpt(forward_path, parameters, connection),
            Command::Data => {
                connection.ask(Question::ContentStart { way: EndedBy::Dot });
                State::Waiting(Waiting::DataStart(self))
            }
            Command::Bdat { .. } => {
                connection.ask(Question::ContentStart { way: EndedBy::BdatLast });
                State::Waiting(Waiting::ChunkStart(self, command))
            }
            _ => self.bad(Reply::new(reply::BAD_SEQUENCE, "A transaction is open"), connection),
        }
    }

    fn bad(self, reply: Reply, connection: &mut Connection) -> State {
        connection.bad(reply, State::Listening(Listening::Transaction(self)))
    }

    /// RFC 5321 4.1.1.3.
    fn rcpt(self, forward_path: ForwardPath, parameters: RcptParameters, connection: &mut Connection) -> State {
        if !connection.config.dsn && (parameters.notify.is_some() || parameters.orcpt.is_some()) {
            return self.bad(Reply::new(reply::BAD_PARAMETER, "DSN is not offered"), connection);
        }
        let needs_utf8 = match &forward_path {
            ForwardPath::Address(address) => address.needs_utf8(),
            ForwardPath::Malformed(text) => !text.is_ascii(),
            ForwardPath::Postmaster => false,
        };
        if needs_utf8 && !self.smtputf8 {
            return self.bad(Reply::new(reply::NEEDS_UTF8, "This address needs SMTPUTF8"), connection);
        }
        connection.ask(Question::Recipient { forward_path, parameters });
        State::Waiting(Waiting::Recipient(self))
    }
}

impl Waiting {
    /// The answer to `Question::Salt`.
    pub fn salted(self, salt: &Salt, connection: &mut Connection) -> State {
        match self {
            Waiting::Salt(ready, mechanism, awaits) => {
                ready.login_progress(mechanism, Ok(awaits.salted(salt)), connection)
            }
            waiting => State::Waiting(waiting),
        }
    }

    /// `replies` is never empty; several only at the end of a content.
    pub fn answered(self, mut replies: Vec<Reply>, connection: &mut Connection) -> State {
        if let Waiting::ContentEnd { ready, fault, replies: wanted } = self {
            return content_answered(replies, ready, fault, wanted, connection);
        }
        let reply = replies.pop().unwrap_or_else(trouble);
        let positive = reply.code.is_positive();
        if reply.code.basic == 421 {
            return connection.cut(reply, State::Waiting(self));
        }
        match self {
            Waiting::Salt(ready, ..) => ready.bad(reply, connection),
            Waiting::Login(ready, claim) => login::answered(ready, &claim, reply, connection),
            Waiting::Told(listening, _) if !positive => connection.bad(reply, State::Listening(listening)),
            Waiting::Told(_, told_hello) => {
                connection.told_hello = told_hello;
                connection.send(reply);
                State::Listening(Listening::Greeted)
            }
            Waiting::Mail(ready, parameters) => mail_answered(reply, ready, &parameters, connection),
            Waiting::Recipient(mut transaction) => {
                transaction.accepted += u64::from(positive);
                connection.send(reply);
                State::Listening(Listening::Transaction(transaction))
            }
            Waiting::DataStart(transaction) if positive => {
                connection.send(reply);
                let replies = connection.content_replies(transaction.accepted);
                State::Data(Data::begin(transaction.ready, replies))
            }
            Waiting::DataStart(transaction) => {
                connection.send(reply);
                refused(transaction.ready)
            }
            Waiting::ChunkStart(Transaction { ready, body, accepted, .. }, Command::Bdat { octets, last }) => {
                if positive {
                    let replies = connection.content_replies(accepted);
                    return Between::begin(ready, body, replies).chunk(octets, last, connection);
                }
                let then = Listening::Ready(Ready { after_refusal: true, ..ready });
                Discard::begin(octets, reply, false, then, connection)
            }
            // Only BDAT is put there; anything else has no chunk to skip.
            Waiting::ChunkStart(Transaction { ready, .. }, _) => refused(ready),
            // Answered above.
            Waiting::ContentEnd { ready, .. } => refused(ready),
        }
    }
}

fn refused(ready: Ready) -> State {
    State::Listening(Listening::Ready(Ready { after_refusal: true, ..ready }))
}

/// The replies to a content: one, or under LMTP one for each RCPT that was accepted.
fn content_answered(
    mut replies: Vec<Reply>,
    ready: Ready,
    fault: Option<ContentFault>,
    wanted: u64,
    connection: &mut Connection,
) -> State {
    if let Some(cut) = replies.iter().position(|reply| reply.code.basic == 421) {
        let waiting = State::Waiting(Waiting::ContentEnd { ready, fault, replies: wanted });
        return connection.cut(replies.swap_remove(cut), waiting);
    }
    let last = replies.last().cloned().unwrap_or_else(trouble);
    let mut replies = replies.into_iter();
    let mut accepted = false;
    for _ in 0..wanted {
        let reply = replies.next().unwrap_or_else(|| last.clone());
        let reply = fault.filter(|_| reply.code.is_positive()).map_or(reply, ContentFault::reply);
        accepted |= reply.code.is_positive();
        connection.send(reply);
    }
    if !accepted {
        return refused(ready);
    }
    connection.message_accepted();
    State::Listening(Listening::Ready(Ready { after_refusal: false, ..ready }))
}

fn trouble() -> Reply {
    Reply::new(reply::TROUBLE, "Try later")
}

fn mail_answered(reply: Reply, ready: Ready, parameters: &MailParameters, connection: &mut Connection) -> State {
    let MailParameters { smtputf8, body, size_octets, .. } = *parameters;
    if !reply.code.is_positive() {
        connection.send(reply);
        return refused(ready);
    }
    if size_octets.is_some_and(|octets| octets > connection.config.size_octets_max) {
        connection.abandon(Abandoned::TooLarge);
        connection.send(ContentFault::TooLarge.reply());
        return refused(ready);
    }
    connection.send(reply);
    State::Listening(Listening::Transaction(Transaction { ready, smtputf8, body, accepted: 0 }))
}

pub(super) fn too_long() -> Reply {
    Reply::new(reply::LINE_TOO_LONG, "Line too long")
}

pub(super) fn endless() -> Reply {
    Reply::new(reply::CUT_OFF, "A line has an end")
}
