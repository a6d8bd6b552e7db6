//! One conversation: the server's SMTP session, answered by the decisions, with nothing behind them.

use decide::{Account, Client, EngineResult, Rings, Transaction, stranger_connection};
use mail::{Reply, ReversePath};
use policy::suite::House;
use proto::smtp::{Session, Step};
use server::opening;

use super::clock::Clock;

/// Octets at the beginning of a content that are looked at.
const HEADER_OCTETS_MAX: usize = 64 * 1024;

pub struct Talk<'h> {
    pub(super) house: &'h House,
    pub(super) client: Client,
    /// Who has logged in before the client speaks.
    preset: Option<Account>,
    pub(super) clock: Clock,
    pub(super) engines: Vec<(String, EngineResult)>,
    pub(super) score_thousandths: i64,
    pub(super) rings: Rings,
    pub(super) session: Option<Session>,
    pub(super) open: Option<Open>,
    pub(super) in_content: bool,
    /// Messages accepted so far.
    pub(super) taken: u16,
    /// What belongs to the reply that comes next.
    pub(super) notes: Vec<String>,
    said: Vec<Said>,
    /// Replies are swallowed while a preset login is typed.
    silent: bool,
}

/// A transaction under way.
pub(super) struct Open {
    pub decided: Transaction,
    pub reverse_path: ReversePath,
    /// Its beginning.
    pub content: Vec<u8>,
    /// All recipients hear complaints.
    pub complains: bool,
}

/// A reply as it goes over the wire, and what a person is told beside it.
pub struct Said {
    pub octets: Vec<u8>,
    pub notes: Vec<String>,
}

impl<'h> Talk<'h> {
    pub fn new(
        house: &'h House,
        client: Client,
        preset: Option<Account>,
        clock: Clock,
        engines: Vec<(String, EngineResult)>,
        score_thousandths: i64,
    ) -> Talk<'h> {
        Talk {
            house,
            client,
            preset,
            clock,
            engines,
            score_thousandths,
            rings: Rings::default(),
            session: None,
            open: None,
            in_content: false,
            taken: 0,
            notes: Vec::new(),
            said: Vec::new(),
            silent: false,
        }
    }

    /// A new connection, judged as the server judges it.
    pub fn connect(&mut self) {
        let tables = &self.house.tables;
        let listener = self.client.listener;
        self.client.tls = tables.listener_rules(listener).tls == plan::TlsMode::Implicit;
        self.client.account = None;
        let config = opening::config(tables, &self.client);
        let judged = tables.connection(listener, self.client.class);
        let now = self.clock.now();
        let judged = judged.and_then(|_| stranger_connection(tables, &mut self.rings, &self.client, 0, now));
        let welcome = judged.is_ok();
        let mut session = match judged {
            Ok(()) => Session::new(config),
            Err(refusal) => {
                let reply = refusal.reply(false, &self.house.plan);
                self.note_rule(&refusal.rule);
                Session::turned_away(config, reply)
            }
        };
        session.set_refusals(opening::refusals(tables, &self.house.plan, &self.client));
        self.session = Some(session);
        self.advance();
        if welcome && let Some(account) = self.preset.clone() {
            self.log_in(&account);
        }
    }

    /// Types what a mail program would before it sends.
    fn log_in(&mut self, account: &Account) {
        use base64::Engine;
        self.silent = true;
        self.feed(b"EHLO client.example\r\n");
        if !self.client.tls && self.house.tables.login_barred(self.client.listener, false).is_some() {
            self.feed(b"STARTTLS\r\n");
            self.feed(b"EHLO client.example\r\n");
        }
        let plain = base64::engine::general_purpose::STANDARD.encode(format!("\0{}\0right", account.login));
        self.feed(format!("AUTH PLAIN {plain}\r\n").as_bytes());
        self.silent = false;
        self.notes.clear();
        let said = match &self.client.account {
            Some(account) => format!("{} is logged in", account.login),
            None => format!("{} could not log in", account.login),
        };
        if let Some(last) = self.said.last_mut() {
            last.notes.push(said);
        }
    }

    pub fn feed(&mut self, octets: &[u8]) {
        if let Some(session) = &mut self.session {
            session.feed(octets);
        }
        self.advance();
    }

    /// The client goes away.
    pub fn leave(&mut self) {
        if let Some(session) = &mut self.session {
            session.disconnected();
        }
        self.advance();
        self.end(false);
        self.session = None;
    }

    pub fn is_closed(&self) -> bool {
        self.session.is_none()
    }

    pub fn is_in_content(&self) -> bool {
        self.in_content
    }

    /// Time passes; the connection stays.
    pub fn wait(&mut self, s: u64) -> Result<(), String> {
        self.clock.wait(s)?;
        self.said.push(Said { octets: Vec::new(), notes: vec![format!("it is {}", self.clock.shown())] });
        Ok(())
    }

    /// What was said since the last call.
    pub fn said(&mut self) -> Vec<Said> {
        std::mem::take(&mut self.said)
    }

    /// Takes steps until the session wants something from outside.
    fn advance(&mut self) {
        while let Some(session) = &mut self.session {
            match session.next() {
                Step::Send(reply) => self.say(&reply),
                Step::NeedInput | Step::NeedAnswer => return,
                Step::StartTls => {
                    session.tls_started();
                    self.client.tls = true;
                }
                Step::Ask(question) => {
                    let reply = self.answer(question);
                    if let Some(session) = &mut self.session {
                        session.answer(reply);
                    }
                }
                Step::Content(octets) => {
                    if let Some(open) = &mut self.open {
                        let room = HEADER_OCTETS_MAX.saturating_sub(open.content.len());
                        open.content.extend_from_slice(&octets[..room.min(octets.len())]);
                    }
                }
                Step::Abandoned(_) => self.end(false),
                Step::Close => {
                    self.end(false);
                    self.session = None;
                }
            }
        }
    }

    fn say(&mut self, reply: &Reply) {
        if self.notes.is_empty() && !reply.code.is_positive() {
            self.note_early(reply);
        }
        let notes = std::mem::take(&mut self.notes);
        if self.silent {
            return;
        }
        let mut octets = Vec::new();
        reply.render(&mut octets);
        self.said.push(Said { octets, notes });
    }

    /// What the session refused by itself, where the policy asked for it.
    fn note_early(&mut self, reply: &Reply) {
        let early = opening::early(&self.house.tables, &self.client);
        let found = early.into_iter().flatten().find(|refusal| refusal.reply(false, &self.house.plan) == *reply);
        if let Some(refusal) = found {
            self.note_rule(&refusal.rule);
        }
    }

    /// The rule that decided and where it stands.
    pub(super) fn note_rule(&mut self, rule: &str) {
        if rule.is_empty() {
            return;
        }
        let map = &self.house.map;
        let place = map.find(rule).map(|place| {
            let file = map.files.get(place.file as usize).map_or("", |file| file.rsplit('/').next().unwrap_or(file));
            format!("   {file}:{}", place.line)
        });
        self.notes.push(format!("{rule}{}", place.unwrap_or_default()));
    }

    pub(super) fn end(&mut self, accepted: bool) {
        self.in_content = false;
        if let Some(open) = self.open.take() {
            open.decided.end(&mut self.rings, accepted);
        }
    }
}
