//! The client's side of SMTP (RFC 5321) and LMTP (RFC 2033) without I/O: hands messages to a next hop one after the
//! other, and tells what became of each recipient.
//!
//! The driver's loop is that of the server's session: take `next()` until `NeedInput`, flush, read, `feed`, again.
//! A content with octets over 127 goes to a server without 8BITMIME as it is: bodies are never rewritten here, and
//! servers that lose the eighth bit are gone.

mod envelope;
mod law;
mod offers;
mod outcome;
mod reply;
mod scram;

use std::collections::VecDeque;
use std::mem;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mail::{Domain, Reply};

use super::content::Stuffer;
use crate::line::Inbox;
use crate::sasl::{self, Credentials};
pub use envelope::{Content, Handover, Recipient};
pub use offers::Offers;
pub use outcome::{Outcome, Stage, Trouble};
pub use reply::BadReply;
use reply::Reader;
pub use scram::{Challenge, Proof};

/// RCPT commands sent before their replies are read: few enough that both sides' buffers hold them (RFC 2920 3.1).
const BATCH_RECIPIENTS: usize = 100;

/// When to use TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsUse {
    Never,
    IfOffered,
    Required,
    /// The connection began with TLS.
    Active,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Smtp,
    /// One reply for each recipient after the content (RFC 2033 4.2).
    Lmtp,
}

/// How a conversation begins: the same for every message on one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    pub protocol: Protocol,
    /// Our name.
    pub host: Domain,
    pub tls: TlsUse,
    /// Used under TLS only.
    pub credentials: Option<Credentials>,
    /// For SCRAM: visible ASCII without a comma, drawn for this connection. Without it PLAIN and LOGIN are used.
    pub nonce: Option<String>,
}

/// What the driver shall do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientStep {
    Write(Vec<u8>),
    /// Write what is to be written, read, and `feed`; `disconnected` at the end of input or after `timeout_s`.
    NeedInput,
    /// Negotiate TLS, then `tls_started`, or `tls_failed`.
    StartTls,
    /// Compute the proof of the password, then `proved`.
    Prove(Challenge),
    /// Write the content through `content` piece by piece, then `content_end`.
    WriteContent,
    /// The message is over and the connection is good for another: `take_results`, then `hand` or `quit`.
    Ready,
    /// Close; `take_results` are final.
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Greeting,
    Ehlo,
    Helo,
    StartTls,
    Securing,
    Login,
    /// AUTH LOGIN: the name is next, then the password.
    LoginName,
    LoginSecret,
    /// SCRAM: the server's first message is next, then our proof, then the server's own.
    ScramFirst,
    ScramProof,
    ScramLast,
    /// RSET before the next message.
    Reset,
    /// RCPT is sent up to `sent`; the reply to MAIL is next.
    Mail {
        sent: usize,
    },
    /// The reply for recipient `next` is next.
    Rcpt {
        next: usize,
        sent: usize,
    },
    Data,
    Content,
    /// The reply for recipient `next` is next in LMTP, the one reply in SMTP.
    End {
        next: usize,
    },
    /// Between messages.
    Ready,
    /// Replies still taken before we go.
    Quit {
        left: usize,
    },
    Done,
}

/// One connection, and the message it is about.
#[derive(Debug)]
pub struct Client {
    hello: Hello,
    handover: Handover,
    inbox: Inbox,
    reader: Reader,
    steps: VecDeque<ClientStep>,
    state: State,
    offers: Offers,
    stuffer: Stuffer,
    outcomes: Vec<Option<Outcome>>,
    /// A transaction of the server is open: RSET comes before the next MAIL.
    open: bool,
    scram: Option<scram::Exchange>,
}

impl Client {
    pub fn new(hello: Hello, handover: Handover) -> Client {
        let outcomes = vec![None; handover.recipients.len()];
        Client {
            hello,
            handover,
            inbox: Inbox::default(),
            reader: Reader::default(),
            steps: VecDeque::new(),
            state: State::Greeting,
            offers: Offers::default(),
            stuffer: Stuffer::default(),
            outcomes,
            open: false,
            scram: None,
        }
    }

    /// The next message on a connection that is `Ready`; on any other nothing happens.
    pub fn hand(&mut self, handover: Handover) {
        if self.state != State::Ready {
            return;
        }
        self.outcomes = vec![None; handover.recipients.len()];
        self.handover = handover;
        self.state = if self.open {
            self.write("RSET\r\n".into());
            State::Reset
        } else {
            self.mail()
        };
    }

    /// Says goodbye on a connection that is `Ready`.
    pub fn quit(&mut self) {
        if self.state == State::Ready {
            self.state = self.goodbye();
        }
    }

    /// What the server offers, as far as it was asked.
    pub fn offers(&self) -> &Offers {
        &self.offers
    }

    pub fn feed(&mut self, octets: &[u8]) {
        if !matches!(self.state, State::Done | State::Securing) {
            self.inbox.feed(octets);
        }
    }

    // Not an iterator: it never ends.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> ClientStep {
        loop {
            if let Some(step) = self.steps.pop_front() {
                return step;
            }
            match self.state {
                State::Done => return ClientStep::Done,
                State::Securing => return ClientStep::StartTls,
                State::Content => return ClientStep::WriteContent,
                State::Ready => return ClientStep::Ready,
                // The proof is the driver's turn; what the server says meanwhile waits.
                State::ScramProof => return ClientStep::NeedInput,
                _ => {}
            }
            match self.reader.next(&mut self.inbox) {
                Ok(None) => return ClientStep::NeedInput,
                Ok(Some(reply)) => self.state = self.replied(reply),
                Err(bad) => self.break_off(Trouble::BadReply(bad)),
            }
        }
    }

    /// Appends a piece of the content, encoded, to `out`. INVARIANT (one-message): for DATA every line end is written as
    /// CRLF and first dots are doubled, whatever the content holds, so no content ends the data early. BDAT carries the
    /// octets as they are, counted (RFC 3030 2).
    pub fn content(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        match self.handover.content {
            Content::Binary => out.extend_from_slice(piece),
            Content::SevenBit | Content::EightBit => self.stuffer.encode(piece, out),
        }
    }

    /// The content is whole: appends its end to `out`.
    pub fn content_end(&mut self, out: &mut Vec<u8>) {
        if self.state == State::Content {
            let stuffer = mem::take(&mut self.stuffer);
            if self.handover.content != Content::Binary {
                stuffer.finish(out);
            }
            self.state = State::End { next: self.next_pending(0) };
        }
    }

    /// The proof that was asked for.
    pub fn proved(&mut self, proof: &Proof) {
        if self.state == State::ScramProof
            && let Some(scram) = &mut self.scram
        {
            let line = format!("{}\r\n", scram.proved(proof));
            self.write(line);
            self.state = State::ScramLast;
        }
    }

    pub fn tls_started(&mut self) {
        if self.state == State::Securing {
            self.hello.tls = TlsUse::Active;
            self.inbox.clear();
            self.state = self.ehlo();
        }
    }

    /// The server's TLS is no good. The connection is; another attempt may go in the clear, if policy allows.
    pub fn tls_failed(&mut self) {
        self.break_off(Trouble::NoTls);
    }

    /// The server is gone, or silent for too long.
    pub fn disconnected(&mut self) {
        self.break_off(Trouble::Disconnected);
    }

    /// What became of each recipient, in their order. Before `Ready` or `Done` those still open count as broken.
    pub fn take_results(&mut self) -> Vec<Outcome> {
        let broken = Outcome::Broken { stage: self.stage(), trouble: Trouble::Disconnected };
        mem::take(&mut self.outcomes).into_iter().map(|outcome| outcome.unwrap_or_else(|| broken.clone())).collect()
    }

    /// How long to wait for the server in this state, in seconds (RFC 5321 4.5.3.2).
    pub fn timeout_s(&self) -> u32 {
        match self.state {
            State::Data => 120,
            State::Content => 180,
            State::End { .. } => 600,
            State::Quit { .. } => 5,
            _ => 300,
        }
    }

    fn stage(&self) -> Stage {
        match self.state {
            State::Greeting => Stage::Greeting,
            State::Ehlo | State::Helo => Stage::Hello,
            State::StartTls | State::Securing => Stage::Tls,
            State::Login
            | State::LoginName
            | State::LoginSecret
            | State::ScramFirst
            | State::ScramProof
            | State::ScramLast => Stage::Login,
            State::Reset | State::Mail { .. } => Stage::Mail,
            State::Rcpt { .. } => Stage::Recipient,
            State::Data | State::Content => Stage::Content,
            State::End { .. } | State::Ready | State::Quit { .. } | State::Done => Stage::End,
        }
    }

    fn next_pending(&self, from: usize) -> usize {
        (from..self.outcomes.len()).find(|at| self.outcomes[*at].is_none()).unwrap_or(self.outcomes.len())
    }

    fn settle(&mut self, outcome: &Outcome) {
        for open in self.outcomes.iter_mut().filter(|open| open.is_none()) {
            *open = Some(outcome.clone());
        }
    }

    fn break_off(&mut self, trouble: Trouble) {
        let stage = self.stage();
        self.settle(&Outcome::Broken { stage, trouble });
        self.inbox.clear();
        self.state = State::Done;
    }

    /// Every recipient still open is refused by this reply; says goodbye.
    fn refused(&mut self, reply: Reply) -> State {
        let stage = self.stage();
        let leaving = reply.code.basic == 421;
        self.settle(&Outcome::Refused { stage, reply });
        if leaving { State::Done } else { self.goodbye() }
    }

    fn give_up(&mut self, trouble: Trouble) -> State {
        let stage = self.stage();
        self.settle(&Outcome::Broken { stage, trouble });
        self.goodbye()
    }

    fn goodbye(&mut self) -> State {
        self.write("QUIT\r\n".into());
        State::Quit { left: BATCH_RECIPIENTS + 1 }
    }

    fn write(&mut self, line: String) {
        self.steps.push_back(ClientStep::Write(line.into_bytes()));
    }

    fn replied(&mut self, reply: Reply) -> State {
        let positive = reply.code.basic < 300;
        match self.state {
            // Replies to a batch that was given up may still come before that to QUIT.
            State::Quit { left: 0 } => State::Done,
            State::Quit { .. } if reply.code.basic == 221 || reply.code.basic == 421 => State::Done,
            State::Quit { left } => State::Quit { left: left - 1 },
            // RFC 5321 4.2.1: no 3yz outside DATA and AUTH.
            _ if reply.code.basic == 421 => self.refused(reply),
            State::Greeting if positive => self.ehlo(),
            State::Ehlo if positive => {
                self.offers = Offers::read(&reply);
                self.said_hello()
            }
            State::Ehlo if !reply.code.is_temporary() && self.hello.protocol == Protocol::Smtp => {
                self.write(format!("HELO {}\r\n", self.hello.host));
                State::Helo
            }
            State::Helo if positive => {
                self.offers = Offers::default();
                self.said_hello()
            }
            State::StartTls => self.tls_answered(positive),
            State::Login | State::LoginName | State::LoginSecret | State::ScramFirst | State::ScramLast => {
                self.login_answered(reply, positive)
            }
            State::Reset if positive => self.mail(),
            State::Mail { .. } | State::Rcpt { .. } => self.envelope_answered(reply, positive),
            State::Data if reply.code.basic == 354 => State::Content,
            State::End { next } if self.hello.protocol == Protocol::Lmtp => self.lmtp_answered(reply, next),
            State::End { .. } if positive => {
                self.settle(&Outcome::Delivered(reply));
                self.ended()
            }
            State::End { .. } if !reply.code.is_positive() => {
                self.settle(&Outcome::Refused { stage: Stage::End, reply });
                self.ended()
            }
            // A positive reply in a place where it means nothing.
            _ if reply.code.is_positive() => self.give_up(Trouble::BadReply(BadReply::Codes)),
            _ => self.refused(reply),
        }
    }

    fn ehlo(&mut self) -> State {
        let verb = match self.hello.protocol {
            Protocol::Smtp => "EHLO",
            Protocol::Lmtp => "LHLO",
        };
        self.write(format!("{verb} {}\r\n", self.hello.host));
        State::Ehlo
    }

    fn said_hello(&mut self) -> State {
        match self.hello.tls {
            TlsUse::IfOffered | TlsUse::Required if self.offers.starttls => {
                self.write("STARTTLS\r\n".into());
                return State::StartTls;
            }
            TlsUse::Required => return self.give_up(Trouble::NoTls),
            TlsUse::Never | TlsUse::IfOffered | TlsUse::Active => {}
        }
        let Some(credentials) = self.hello.credentials.clone() else { return self.mail() };
        if self.hello.tls != TlsUse::Active {
            return self.give_up(Trouble::NoLogin);
        }
        if let Some(nonce) = self.hello.nonce.as_deref().filter(|_| self.offers.auth_scram) {
            let (exchange, first) = scram::Exchange::begin(&credentials.login, nonce);
            self.scram = Some(exchange);
            self.write(format!("AUTH SCRAM-SHA-256 {first}\r\n"));
            return State::ScramFirst;
        }
        if self.offers.auth_plain {
            self.write(format!("AUTH PLAIN {}\r\n", sasl::plain_response(&credentials)));
            return State::Login;
        }
        if self.offers.auth_login {
            self.write("AUTH LOGIN\r\n".into());
            return State::LoginName;
        }
        self.give_up(Trouble::NoLogin)
    }

    /// The challenges of LOGIN are not looked at: they come in this order, in whatever words.
    fn login_answered(&mut self, reply: Reply, positive: bool) -> State {
        let response = |text: &str| format!("{}\r\n", STANDARD.encode(text));
        match (self.state, self.hello.credentials.clone()) {
            (State::Login, _) if positive => self.mail(),
            (State::LoginName, Some(credentials)) if reply.code.basic == 334 => {
                self.write(response(&credentials.login));
                State::LoginSecret
            }
            (State::LoginSecret, Some(credentials)) if reply.code.basic == 334 => {
                self.write(response(credentials.secret.reveal()));
                State::Login
            }
            (State::ScramFirst, _) if reply.code.basic == 334 => {
                match self.scram.as_mut().and_then(|scram| scram.challenged(reply.text())) {
                    Some(challenge) => {
                        self.steps.push_back(ClientStep::Prove(challenge));
                        State::ScramProof
                    }
                    None => self.give_up(Trouble::NoLogin),
                }
            }
            // Whoever cannot show that it knows the password is not our smart host.
            (State::ScramLast, _) if reply.code.basic == 334 => {
                if self.scram.as_ref().is_some_and(|scram| scram.is_known_to_server(reply.text())) {
                    self.write("\r\n".into());
                    return State::Login;
                }
                self.give_up(Trouble::NoLogin)
            }
            _ if reply.code.is_positive() => self.give_up(Trouble::BadReply(BadReply::Codes)),
            _ => self.refused(reply),
        }
    }

    fn tls_answered(&mut self, positive: bool) -> State {
        match self.hello.tls {
            _ if positive && !self.inbox.is_empty() => {
                self.settle(&Outcome::Broken { stage: Stage::Tls, trouble: Trouble::BadReply(BadReply::Injected) });
                State::Done
            }
            _ if positive => State::Securing,
            TlsUse::Required => self.give_up(Trouble::NoTls),
            TlsUse::Never | TlsUse::IfOffered | TlsUse::Active => {
                self.hello.tls = TlsUse::Never;
                self.said_hello()
            }
        }
    }

    fn mail(&mut self) -> State {
        if let Err(trouble) = self.handover.fits(&self.offers) {
            return self.give_up(trouble);
        }
        let line = self.handover.mail_command(&self.offers);
        self.write(line);
        self.open = true;
        let sent = if self.offers.pipelining { self.batch(0) } else { 0 };
        State::Mail { sent }
    }

    /// Sends RCPT for the next recipients; gives how many were sent in all.
    fn batch(&mut self, from: usize) -> usize {
        let count = if self.offers.pipelining { BATCH_RECIPIENTS } else { 1 };
        let to = (from + count).min(self.handover.recipients.len());
        let dsn = self.offers.dsn;
        let lines: String = self.handover.recipients[from..to].iter().map(|r| r.command(dsn)).collect();
        self.write(lines);
        to
    }

    fn envelope_answered(&mut self, reply: Reply, positive: bool) -> State {
        match self.state {
            State::Mail { sent } if positive => {
                let sent = if sent == 0 { self.batch(0) } else { sent };
                State::Rcpt { next: 0, sent }
            }
            State::Rcpt { next, sent } => {
                self.outcomes[next] = match positive {
                    true if self.handover.only_asks => Some(Outcome::Delivered(reply)),
                    true => None,
                    false => Some(Outcome::Refused { stage: Stage::Recipient, reply }),
                };
                self.recipient_answered(next + 1, sent)
            }
            _ => self.refused(reply),
        }
    }

    fn recipient_answered(&mut self, next: usize, sent: usize) -> State {
        if next < sent {
            return State::Rcpt { next, sent };
        }
        if sent < self.handover.recipients.len() {
            return State::Rcpt { next, sent: self.batch(sent) };
        }
        if self.next_pending(0) == self.outcomes.len() {
            return State::Ready;
        }
        if self.handover.content == Content::Binary {
            self.write(format!("BDAT {} LAST\r\n", self.handover.size_octets));
            return State::Content;
        }
        self.write("DATA\r\n".into());
        State::Data
    }

    /// The server answered for the whole content: its transaction is over (RFC 5321 4.1.1.4).
    fn ended(&mut self) -> State {
        self.open = false;
        State::Ready
    }

    fn lmtp_answered(&mut self, reply: Reply, next: usize) -> State {
        if next < self.outcomes.len() {
            self.outcomes[next] = Some(match reply.code.basic {
                ..300 => Outcome::Delivered(reply),
                _ => Outcome::Refused { stage: Stage::End, reply },
            });
        }
        let next = self.next_pending(next);
        if next == self.outcomes.len() { self.ended() } else { State::End { next } }
    }
}

/// The law of the client (`law`) for any octets of a server. The first chooses how it speaks, the second what is handed over,
/// the third the size of the pieces.
pub fn fuzz(octets: &[u8]) {
    let [kind, message, size, input @ ..] = octets else { return };
    let credentials = || Credentials { login: "toto-j".into(), secret: sasl::Secret::new("hunter2") };
    let hello = Hello {
        protocol: if kind & 1 == 0 { Protocol::Smtp } else { Protocol::Lmtp },
        host: "mx.example".parse().expect("a domain"),
        tls: [TlsUse::Never, TlsUse::IfOffered, TlsUse::Required, TlsUse::Active][usize::from(kind >> 1 & 3)],
        credentials: (kind & 8 != 0).then(credentials),
        nonce: (kind & 16 != 0).then(|| "nonce".into()),
    };
    let talk = law::Talk { hello, message: *message, only_one: kind & 32 != 0 };
    talk.check(usize::from(*size), input);
}

#[cfg(test)]
mod tests;
