//! The client's side of SMTP (RFC 5321) and LMTP (RFC 2033) without I/O: hands one message to a smart host, a capture
//! or a next hop, and tells what became of each recipient.
//!
//! The driver's loop is that of the server's session: take `next()` until `NeedInput`, flush, read, `feed`, again.
//! A content with octets over 127 goes to a server without 8BITMIME as it is: bodies are never rewritten here, and
//! servers that lose the eighth bit are gone.

mod law;
mod offers;
mod reply;

use std::collections::VecDeque;
use std::mem;

use mail::{Address, Domain, Reply, ReversePath};

use super::content::Stuffer;
use crate::line::Inbox;
use crate::sasl::{self, Credentials};
pub use offers::Offers;
pub use reply::BadReply;
use reply::Reader;

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

/// A message to hand over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    pub protocol: Protocol,
    /// Our name.
    pub host: Domain,
    pub tls: TlsUse,
    /// Used under TLS only.
    pub credentials: Option<Credentials>,
    pub reverse_path: ReversePath,
    /// Never empty.
    pub recipients: Vec<Address>,
    /// Octets of the content with CRLF line ends.
    pub size_octets: u64,
    /// The content has octets over 127.
    pub eight_bit: bool,
    /// The header needs SMTPUTF8; addresses are looked at here.
    pub smtputf8: bool,
}

/// What the driver shall do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientStep {
    Write(Vec<u8>),
    /// Write what is to be written, read, and `feed`; `disconnected` at the end of input or after `timeout_s`.
    NeedInput,
    /// Negotiate TLS, then `tls_started`, or `tls_failed`.
    StartTls,
    /// Write the content through `content` piece by piece, then `content_end`.
    WriteContent,
    /// Close; `results` are final.
    Done,
}

/// Where a handover stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Greeting,
    Hello,
    Tls,
    Login,
    Mail,
    Recipient,
    /// DATA and the content.
    Content,
    /// After the final dot: the server may have the message.
    End,
}

/// Why there is no reply to tell of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    Disconnected,
    BadReply(BadReply),
    /// TLS is required and not to be had.
    NoTls,
    /// A login is needed and PLAIN under TLS is not to be had.
    NoLogin,
    /// The message needs SMTPUTF8 and the server has none (RFC 6531 3.2).
    NoUtf8,
    /// Larger than the server's SIZE.
    TooLarge,
}

/// What became of one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Delivered(Reply),
    Refused { stage: Stage, reply: Reply },
    Broken { stage: Stage, trouble: Trouble },
}

impl Outcome {
    /// May another attempt go better?
    pub fn is_temporary(&self) -> bool {
        match self {
            Outcome::Delivered(_) => false,
            Outcome::Refused { reply, .. } => reply.code.is_temporary(),
            Outcome::Broken { trouble, .. } => match trouble {
                Trouble::Disconnected | Trouble::BadReply(_) | Trouble::NoTls | Trouble::NoLogin => true,
                Trouble::NoUtf8 | Trouble::TooLarge => false,
            },
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Greeting,
    Ehlo,
    Helo,
    StartTls,
    Securing,
    Login,
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
    /// Replies still taken before we go.
    Quit {
        left: usize,
    },
    Done,
}

/// One handover on one connection.
#[derive(Debug)]
pub struct Client {
    handover: Handover,
    inbox: Inbox,
    reader: Reader,
    steps: VecDeque<ClientStep>,
    state: State,
    offers: Offers,
    stuffer: Stuffer,
    outcomes: Vec<Option<Outcome>>,
}

impl Client {
    pub fn new(handover: Handover) -> Client {
        let outcomes = vec![None; handover.recipients.len()];
        Client {
            handover,
            inbox: Inbox::default(),
            reader: Reader::default(),
            steps: VecDeque::new(),
            state: State::Greeting,
            offers: Offers::default(),
            stuffer: Stuffer::default(),
            outcomes,
        }
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
                _ => {}
            }
            match self.reader.next(&mut self.inbox) {
                Ok(None) => return ClientStep::NeedInput,
                Ok(Some(reply)) => self.state = self.replied(reply),
                Err(bad) => self.break_off(Trouble::BadReply(bad)),
            }
        }
    }

    /// Appends a piece of the content, encoded, to `out`.
    pub fn content(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        self.stuffer.encode(piece, out);
    }

    /// The content is whole: appends its end to `out`.
    pub fn content_end(&mut self, out: &mut Vec<u8>) {
        if self.state == State::Content {
            mem::take(&mut self.stuffer).finish(out);
            self.state = State::End { next: self.next_pending(0) };
        }
    }

    pub fn tls_started(&mut self) {
        if self.state == State::Securing {
            self.handover.tls = TlsUse::Active;
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

    /// What became of each recipient, in their order. Before `ClientStep::Done` those still open count as broken.
    pub fn results(self) -> Vec<Outcome> {
        let broken = Outcome::Broken { stage: self.stage(), trouble: Trouble::Disconnected };
        self.outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|| broken.clone())).collect()
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
            State::Login => Stage::Login,
            State::Mail { .. } => Stage::Mail,
            State::Rcpt { .. } => Stage::Recipient,
            State::Data | State::Content => Stage::Content,
            State::End { .. } | State::Quit { .. } | State::Done => Stage::End,
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
        if leaving { State::Done } else { self.quit() }
    }

    fn give_up(&mut self, trouble: Trouble) -> State {
        let stage = self.stage();
        self.settle(&Outcome::Broken { stage, trouble });
        self.quit()
    }

    fn quit(&mut self) -> State {
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
            State::Ehlo if !reply.code.is_temporary() && self.handover.protocol == Protocol::Smtp => {
                self.write(format!("HELO {}\r\n", self.handover.host));
                State::Helo
            }
            State::Helo if positive => {
                self.offers = Offers::default();
                self.said_hello()
            }
            State::StartTls => self.tls_answered(positive),
            State::Login | State::Mail { .. } | State::Rcpt { .. } => self.envelope_answered(reply, positive),
            State::Data if reply.code.basic == 354 => State::Content,
            State::End { next } if self.handover.protocol == Protocol::Lmtp => self.lmtp_answered(reply, next),
            State::End { .. } if positive => {
                self.settle(&Outcome::Delivered(reply));
                self.quit()
            }
            // A positive reply in a place where it means nothing.
            _ if reply.code.is_positive() => self.give_up(Trouble::BadReply(BadReply::Codes)),
            _ => self.refused(reply),
        }
    }

    fn ehlo(&mut self) -> State {
        let verb = match self.handover.protocol {
            Protocol::Smtp => "EHLO",
            Protocol::Lmtp => "LHLO",
        };
        self.write(format!("{verb} {}\r\n", self.handover.host));
        State::Ehlo
    }

    fn said_hello(&mut self) -> State {
        match self.handover.tls {
            TlsUse::IfOffered | TlsUse::Required if self.offers.starttls => {
                self.write("STARTTLS\r\n".into());
                return State::StartTls;
            }
            TlsUse::Required => return self.give_up(Trouble::NoTls),
            TlsUse::Never | TlsUse::IfOffered | TlsUse::Active => {}
        }
        let Some(credentials) = &self.handover.credentials else { return self.mail() };
        if self.handover.tls != TlsUse::Active || !self.offers.auth_plain {
            return self.give_up(Trouble::NoLogin);
        }
        let response = sasl::plain_response(credentials);
        self.write(format!("AUTH PLAIN {response}\r\n"));
        State::Login
    }

    fn tls_answered(&mut self, positive: bool) -> State {
        match self.handover.tls {
            _ if positive && !self.inbox.is_empty() => {
                self.settle(&Outcome::Broken { stage: Stage::Tls, trouble: Trouble::BadReply(BadReply::Injected) });
                State::Done
            }
            _ if positive => State::Securing,
            TlsUse::Required => self.give_up(Trouble::NoTls),
            TlsUse::Never | TlsUse::IfOffered | TlsUse::Active => {
                self.handover.tls = TlsUse::Never;
                self.said_hello()
            }
        }
    }

    fn mail(&mut self) -> State {
        let needs_utf8 = self.handover.smtputf8
            || self.handover.reverse_path.address().is_some_and(Address::needs_utf8)
            || self.handover.recipients.iter().any(Address::needs_utf8);
        if needs_utf8 && !self.offers.smtputf8 {
            return self.give_up(Trouble::NoUtf8);
        }
        let size_octets = self.handover.size_octets;
        if self.offers.size_octets_max.is_some_and(|max| size_octets > max) {
            return self.give_up(Trouble::TooLarge);
        }
        let mut line = format!("MAIL FROM:{}", self.handover.reverse_path);
        if self.offers.size {
            line.push_str(&format!(" SIZE={size_octets}"));
        }
        if self.handover.eight_bit && self.offers.eight_bit_mime {
            line.push_str(" BODY=8BITMIME");
        }
        if needs_utf8 {
            line.push_str(" SMTPUTF8");
        }
        line.push_str("\r\n");
        self.write(line);
        let sent = if self.offers.pipelining { self.batch(0) } else { 0 };
        State::Mail { sent }
    }

    /// Sends RCPT for the next recipients; gives how many were sent in all.
    fn batch(&mut self, from: usize) -> usize {
        let count = if self.offers.pipelining { BATCH_RECIPIENTS } else { 1 };
        let to = (from + count).min(self.handover.recipients.len());
        let lines: String = self.handover.recipients[from..to].iter().map(|a| format!("RCPT TO:<{a}>\r\n")).collect();
        self.write(lines);
        to
    }

    fn envelope_answered(&mut self, reply: Reply, positive: bool) -> State {
        match self.state {
            State::Login if positive => self.mail(),
            State::Mail { sent } if positive => {
                let sent = if sent == 0 { self.batch(0) } else { sent };
                State::Rcpt { next: 0, sent }
            }
            State::Rcpt { next, sent } => {
                if !positive {
                    self.outcomes[next] = Some(Outcome::Refused { stage: Stage::Recipient, reply });
                }
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
            return self.quit();
        }
        self.write("DATA\r\n".into());
        State::Data
    }

    fn lmtp_answered(&mut self, reply: Reply, next: usize) -> State {
        if next < self.outcomes.len() {
            self.outcomes[next] = Some(match reply.code.basic {
                ..300 => Outcome::Delivered(reply),
                _ => Outcome::Refused { stage: Stage::End, reply },
            });
        }
        let next = self.next_pending(next);
        if next == self.outcomes.len() { self.quit() } else { State::End { next } }
    }
}

/// The law of the client (`law`) for any octets of a server. The first chooses what is handed over, the second the size of
/// the pieces.
pub fn fuzz(octets: &[u8]) {
    let [kind, size, input @ ..] = octets else { return };
    let address = |text: &str| text.parse::<Address>().expect("an address");
    let credentials = || Credentials { login: "toto-j".into(), secret: sasl::Secret::new("hunter2") };
    let handover = Handover {
        protocol: if kind & 1 == 0 { Protocol::Smtp } else { Protocol::Lmtp },
        host: "mx.example".parse().expect("a domain"),
        tls: [TlsUse::Never, TlsUse::IfOffered, TlsUse::Required, TlsUse::Active][usize::from(kind >> 1 & 3)],
        credentials: (kind & 8 != 0).then(credentials),
        reverse_path: if kind & 16 == 0 { ReversePath::Null } else { ReversePath::Address(address("é@b.example")) },
        recipients: vec![address("a@b.example"), address("c@d.example")],
        size_octets: 3,
        eight_bit: kind & 32 != 0,
        smtputf8: kind & 64 != 0,
    };
    law::check(&handover, usize::from(*size), input);
}

#[cfg(test)]
mod tests;
