//! The mail server's side: one message shown to one filter on a connection of its own.

use std::collections::VecDeque;
use std::net::IpAddr;

use super::packet::{Packet, Packets, strings, written};
use super::protocol as flag;
use super::{ACTIONS, BadReply, CHUNK_OCTETS_MAX, Reply, Section, VERSION};

/// Fields of a filter that are kept.
const FIELDS_MAX: usize = 50;

/// What a filter is told of the session.
#[derive(Clone, Debug)]
pub struct Told<'a> {
    /// `None` where no session is told of.
    pub client: Option<IpAddr>,
    pub hello: Option<&'a str>,
    /// Our own name.
    pub host: &'a str,
    pub login: Option<&'a str>,
    pub queue_id: &'a str,
    /// The address in MAIL, empty for the null reverse-path.
    pub reverse_path: &'a str,
    pub recipients: Vec<String>,
}

/// What the driver shall do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Send(Vec<u8>),
    /// Read from the filter, `feed`.
    NeedInput,
    /// Give the next octets of the body to `body`, none at its end.
    NeedBody,
    Done(Outcome),
    Bad(BadReply),
}

/// How much of the message the filter had when it gave its verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Saw {
    Envelope,
    /// Some of the content, or not all kinds of it; or it wanted no more of the body.
    Part,
    Whole,
}

/// What becomes of the message if the filter has its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Accept,
    /// With its text, which may be empty.
    Reject(String),
    TempFail(String),
    Discard,
}

/// All a filter said of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub verdict: Verdict,
    pub saw: Saw,
    /// Why it wants the message in quarantine.
    pub quarantine: Option<String>,
    /// Fields it adds whose names begin with `X-Spam` or `X-Virus`.
    pub fields: Vec<(String, String)>,
}

#[derive(Debug)]
enum Command {
    Connect(Vec<u8>),
    Hello(Vec<u8>),
    Mail(Vec<u8>),
    Recipient(Vec<u8>),
    Data,
    Field(Vec<u8>),
    EndOfHeader,
    Body(Vec<u8>),
    EndOfBody,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    Envelope,
    Recipient,
    Content,
    Body,
    End,
}

#[derive(Debug)]
enum State {
    Opening,
    Negotiating,
    Telling,
    Awaiting(Awaited),
    Over(Step),
}

/// One message for one filter.
#[derive(Debug)]
pub struct Conversation {
    state: State,
    packets: Packets,
    commands: VecDeque<(Vec<u8>, Command)>,
    version: u32,
    protocol: u32,
    saw: Saw,
    /// Recipients it has not refused.
    recipients: usize,
    /// It needs no more of the body, or has all of it.
    body_told: bool,
    /// It wanted no more of the body before its end.
    skipped: bool,
    fields: Vec<(String, String)>,
    quarantine: Option<String>,
}

/// Ends the connection.
pub const QUIT: [u8; 5] = [0, 0, 0, 1, b'Q'];

impl Conversation {
    pub fn new(told: &Told<'_>, section: Section) -> Conversation {
        Conversation {
            state: State::Opening,
            packets: Packets::default(),
            commands: commands(told, section),
            version: VERSION,
            protocol: 0,
            saw: Saw::Envelope,
            recipients: told.recipients.len(),
            body_told: false,
            skipped: false,
            fields: Vec::new(),
            quarantine: None,
        }
    }

    pub fn feed(&mut self, octets: &[u8]) {
        if !matches!(self.state, State::Over(_)) {
            self.packets.feed(octets);
        }
    }

    /// The next octets of the body, as `Step::NeedBody` asked for; none ends it.
    pub fn body(&mut self, octets: &[u8]) {
        self.commands.extend(octets.chunks(CHUNK_OCTETS_MAX).map(|chunk| (vec![], Command::Body(chunk.to_vec()))));
        if octets.is_empty() {
            self.end_body();
        }
    }

    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Step {
        loop {
            match &self.state {
                State::Over(step) => return step.clone(),
                State::Opening => {
                    self.state = State::Negotiating;
                    let offer = [VERSION.to_be_bytes(), ACTIONS.to_be_bytes(), flag::OFFERED.to_be_bytes()];
                    return Step::Send(written(b'O', &offer.concat()));
                }
                State::Telling => {
                    if let Some(step) = self.tell() {
                        return step;
                    }
                }
                State::Negotiating | State::Awaiting(_) => match self.packets.next() {
                    Ok(None) => return Step::NeedInput,
                    Ok(Some(packet)) => self.heard(&packet),
                    Err(bad) => self.over(Step::Bad(bad)),
                },
            }
        }
    }

    fn over(&mut self, step: Step) {
        self.commands.clear();
        self.state = State::Over(step);
    }

    fn end_body(&mut self) {
        if !std::mem::replace(&mut self.body_told, true) {
            self.commands.push_back((vec![], Command::EndOfBody));
        }
    }

    /// The next command; `None` when it went over to another state, or over a command the filter does not want.
    fn tell(&mut self) -> Option<Step> {
        let Some((macros, command)) = self.commands.pop_front() else {
            if self.protocol & flag::NO_BODY == 0 {
                return Some(Step::NeedBody);
            }
            self.end_body();
            return None;
        };
        let (letter, unwanted, silent, awaited) = match &command {
            Command::Connect(_) => (b'C', flag::NO_CONNECT, flag::SILENT_CONNECT, Awaited::Envelope),
            Command::Hello(_) => (b'H', flag::NO_HELO, flag::SILENT_HELO, Awaited::Envelope),
            Command::Mail(_) => (b'M', flag::NO_MAIL, flag::SILENT_MAIL, Awaited::Envelope),
            Command::Recipient(_) => (b'R', flag::NO_RCPT, flag::SILENT_RCPT, Awaited::Recipient),
            Command::Data => (b'T', flag::NO_DATA, flag::SILENT_DATA, Awaited::Envelope),
            Command::Field(_) => (b'L', flag::NO_FIELDS, flag::SILENT_FIELDS, Awaited::Content),
            Command::EndOfHeader => (b'N', flag::NO_END_OF_HEADER, flag::SILENT_END_OF_HEADER, Awaited::Content),
            Command::Body(_) => (b'B', flag::NO_BODY, flag::SILENT_BODY, Awaited::Body),
            Command::EndOfBody => (b'E', 0, 0, Awaited::End),
        };
        // DATA came with version 4.
        if self.protocol & unwanted != 0 || (letter == b'T' && self.version < 4) {
            return None;
        }
        if matches!(command, Command::Field(_) | Command::EndOfHeader | Command::Body(_)) {
            self.saw = self.saw.max(Saw::Part);
        }
        if letter == b'E' && !self.skipped && self.protocol & (flag::NO_BODY | flag::NO_FIELDS) == 0 {
            self.saw = Saw::Whole;
        }
        if self.protocol & silent == 0 {
            self.state = State::Awaiting(awaited);
        }
        let mut octets = if macros.is_empty() { macros } else { written(b'D', &[&[letter], &macros[..]].concat()) };
        let data = match command {
            Command::Data | Command::EndOfHeader | Command::EndOfBody => Vec::new(),
            Command::Connect(data) | Command::Hello(data) | Command::Mail(data) => data,
            Command::Recipient(data) | Command::Field(data) | Command::Body(data) => data,
        };
        octets.extend(written(letter, &data));
        Some(Step::Send(octets))
    }

    fn heard(&mut self, packet: &Packet) {
        let reply = match Reply::read(packet) {
            Ok(reply) => reply,
            Err(bad) => return self.over(Step::Bad(bad)),
        };
        match &self.state {
            State::Negotiating => self.negotiated(&reply),
            State::Awaiting(awaited) => self.answered(*awaited, reply),
            State::Opening | State::Telling | State::Over(_) => {}
        }
    }

    fn negotiated(&mut self, reply: &Reply) {
        match *reply {
            Reply::Negotiated { version, actions, protocol }
                if (2..=VERSION).contains(&version) && actions & !ACTIONS == 0 && protocol & !flag::OFFERED == 0 =>
            {
                self.version = version;
                self.protocol = protocol;
                self.state = State::Telling;
            }
            _ => self.over(Step::Bad(BadReply::Unexpected)),
        }
    }

    fn answered(&mut self, awaited: Awaited, reply: Reply) {
        match (reply, awaited) {
            (Reply::Progress, _) => {}
            (Reply::Continue | Reply::Accept, Awaited::End) | (Reply::Accept, _) => self.done(Verdict::Accept),
            (Reply::Continue, _) => self.state = State::Telling,
            (Reply::Reject, at) => self.refused(at, Verdict::Reject(String::new())),
            (Reply::TempFail, at) => self.refused(at, Verdict::TempFail(String::new())),
            (Reply::Code { code: 500.., text }, at) => self.refused(at, Verdict::Reject(text)),
            (Reply::Code { text, .. }, at) => self.refused(at, Verdict::TempFail(text)),
            (Reply::Discard, _) => self.done(Verdict::Discard),
            (Reply::Closing, _) => self.done(Verdict::TempFail("it gives up".to_owned())),
            (Reply::Skip, Awaited::Body) => {
                self.commands.clear();
                self.skipped = true;
                self.end_body();
                self.state = State::Telling;
            }
            (Reply::Quarantine(reason), Awaited::End) => self.quarantine = Some(reason),
            (Reply::Field { name, value }, Awaited::End) => self.field(name, value),
            (Reply::Change, Awaited::End) => {}
            (
                Reply::Skip | Reply::Quarantine(_) | Reply::Field { .. } | Reply::Change | Reply::Negotiated { .. },
                _,
            ) => self.over(Step::Bad(BadReply::Unexpected)),
        }
    }

    fn refused(&mut self, awaited: Awaited, verdict: Verdict) {
        if awaited == Awaited::Recipient {
            self.recipients = self.recipients.saturating_sub(1);
            if self.recipients > 0 {
                // The others still get it.
                self.state = State::Telling;
                return;
            }
        }
        self.done(verdict);
    }

    fn field(&mut self, name: String, value: String) {
        let folded = name.to_ascii_lowercase();
        let found = folded.starts_with("x-spam") || folded.starts_with("x-virus");
        if found && self.fields.len() < FIELDS_MAX {
            self.fields.push((name, value));
        }
    }

    fn done(&mut self, verdict: Verdict) {
        let (fields, quarantine) = (std::mem::take(&mut self.fields), self.quarantine.take());
        let outcome = Outcome { verdict, saw: self.saw, quarantine, fields };
        self.over(Step::Done(outcome));
    }
}

/// Everything up to the body, in order, each with its macros.
fn commands(told: &Told<'_>, section: Section) -> VecDeque<(Vec<u8>, Command)> {
    let mut commands = VecDeque::from([connection(told)]);
    if let Some(hello) = told.hello {
        commands.push_back((vec![], Command::Hello(strings(&[hello.as_bytes()]))));
    }
    let mut of_mail = vec![("i", told.queue_id), ("{mail_addr}", told.reverse_path)];
    if let Some(login) = told.login {
        of_mail.extend([("{auth_authen}", login), ("{auth_type}", "PLAIN")]);
    }
    let path = format!("<{}>", told.reverse_path);
    commands.push_back((macros(&of_mail), Command::Mail(strings(&[path.as_bytes()]))));
    for recipient in &told.recipients {
        let path = format!("<{recipient}>");
        let of_recipient = macros(&[("{rcpt_addr}", recipient)]);
        commands.push_back((of_recipient, Command::Recipient(strings(&[path.as_bytes()]))));
    }
    commands.push_back((macros(&[("i", told.queue_id)]), Command::Data));
    let fields = section.fields.iter();
    commands.extend(fields.map(|(name, value)| (vec![], Command::Field(strings(&[name, value])))));
    commands.push_back((macros(&[("i", told.queue_id)]), Command::EndOfHeader));
    commands
}

/// The client, by its address literal as its name.
fn connection(told: &Told<'_>) -> (Vec<u8>, Command) {
    let client = told.client.map(|client| client.to_canonical());
    let (family, address) = match client {
        None => {
            let connect = [&strings(&[b"unknown"])[..], b"U"].concat();
            return (macros(&[("j", told.host)]), Command::Connect(connect));
        }
        Some(IpAddr::V4(address)) => (b'4', address.to_string()),
        Some(IpAddr::V6(address)) => (b'6', address.to_string()),
    };
    let name = format!("[{address}]");
    let prefix = if family == b'6' { "IPv6:" } else { "" };
    let mut connect = strings(&[name.as_bytes()]);
    // Its port is not told.
    connect.extend([family, 0, 0]);
    connect.extend(strings(&[format!("{prefix}{address}").as_bytes()]));
    let of_client = [("j", told.host), ("{client_addr}", &address), ("{client_name}", &name)];
    (macros(&of_client), Command::Connect(connect))
}

fn macros(pairs: &[(&str, &str)]) -> Vec<u8> {
    let words: Vec<_> = pairs.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]).collect();
    strings(&words)
}
