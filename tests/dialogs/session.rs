//! The pure SMTP session with `decide` and a directory behind it, as the other end of a dialogue. No clock: all of a
//! dialogue happens in one tick. Passwords are compared as they are, content is accepted when its form is.

use std::collections::VecDeque;

use decide::{
    Accepted, Account, Client, DomainKind, Guess, Guesses, Reason, RecipientClass, Refusal, Rings, Tables, Tick,
};
use decide::{Transaction, stranger_connection};
use mail::{Address, Login, Reply, ReversePath, reply};
use plan::{ListenerAuth, TlsMode as PlanTls};
use policy::people::Directory;
use proto::sasl::{Claim, Credentials, Mechanism};
use proto::smtp::{AuthMode, Config, ForwardPath, Question, Session, Step, TlsMode};

use crate::play::{Peer, play, take_line};
use crate::script::Script;

/// Everybody's, in dialogues without a server.
pub const PASSWORD: &str = "a good one";
const NOW: Tick = Tick(1_000_000);
const TODAY: &str = "2026-11-23";

/// A policy ready to judge.
pub struct House {
    tables: Tables,
    plan: String,
    people: Directory,
}

struct Disk;

impl policy::compile::Loader for Disk {
    fn load(&self, name: &str) -> Result<String, policy::compile::LoadError> {
        std::fs::read_to_string(name).map_err(|_| policy::compile::LoadError::NotFound)
    }
}

impl House {
    /// A folder below `policies/`.
    pub fn of(policy: &str) -> House {
        let path = tests::program::top().join("policies").join(policy).join("policy.ron");
        let compiled = policy::compile::compile(&Disk, &path.to_string_lossy()).expect("the policy is in the tree");
        let sealed =
            compiled.plan.unwrap_or_else(|| panic!("policies/{policy} has errors: {:#?}", compiled.diagnostics));
        let tables = Tables::new(sealed.plan).expect("the compiler seals sound plans");
        House { tables, plan: sealed.hash.short().to_string(), people: compiled.people.unwrap_or_default() }
    }

    /// Who an address leads to, as far as an envelope asks.
    fn class(&self, address: &Address) -> RecipientClass {
        let canonical = match self.tables.domain(address.domain()) {
            DomainKind::Held { canonical, .. } | DomainKind::Unit { canonical, .. } => canonical,
            DomainKind::PassOn { .. } => return RecipientClass::PassedOn,
            DomainKind::NotOurs => return RecipientClass::Remote,
        };
        let folded = address.folded();
        let local = folded.rsplit_once('@').map_or("", |(local, _)| local);
        let canonical = format!("{local}@{canonical}");
        let people = self.people.people.iter().map(|person| &person.address);
        let aliases = self.people.aliases.iter().map(|alias| &alias.address);
        if people.chain(aliases).any(|known| known.folded() == canonical) {
            return RecipientClass::Local;
        }
        let unit = match self.tables.domain(address.domain()) {
            DomainKind::Unit { unit, .. } => unit,
            _ => return RecipientClass::Unknown,
        };
        let known = self.people.people.iter().any(|person| person.unit == unit);
        if known { RecipientClass::Unknown } else { RecipientClass::Remote }
    }

    /// Whether the address is the account's: official, alias, or a function's it belongs to.
    fn owns(&self, login: &Login, address: &Address) -> bool {
        let folded = address.folded();
        let official = self.people.people.iter().any(|it| it.login == *login && it.address.folded() == folded);
        let alias = |alias: &&mail::Alias| alias.address.folded() == folded && alias.members.contains(login);
        official || self.people.aliases.iter().any(|it| alias(&it))
    }
}

/// One connection to the pure session.
struct Connection<'a> {
    house: &'a House,
    session: Session,
    client: Client,
    rings: Rings,
    open: Option<(Transaction, Vec<u8>)>,
    out: VecDeque<u8>,
    securing: bool,
    closed: bool,
    /// Wrong passwords so far.
    guesses: u64,
    /// Octets fed at once.
    piece_octets: usize,
}

/// Plays the whole dialogue, the client's octets in pieces of this size.
pub fn run(house: &House, script: &Script, piece_octets: usize) -> Result<(), String> {
    let tables = &house.tables;
    let listener = tables.listener(&script.listener).ok_or("no such listener")?;
    let class = tables.network(&script.from).ok_or("no such network")?;
    // Any address of the network; none of the dialogues is about which.
    let address = std::net::Ipv4Addr::new(198, 18, 4, 7).into();
    let tls = tables.listener_rules(listener).tls == PlanTls::Implicit;
    let client = Client { listener, class, address, tls, account: None };
    let mut rings = Rings::default();
    let config = config(house, &client);
    let admitted = tables.connection(listener, class);
    let judged = admitted.and_then(|_| stranger_connection(tables, &mut rings, &client, 0, NOW));
    let session = match judged {
        Ok(()) => Session::new(config),
        Err(refusal) => Session::turned_away(config, refusal.reply(false, &house.plan)),
    };
    let (open, out) = (None, VecDeque::new());
    let mut connection = Connection {
        house,
        session,
        client,
        rings,
        open,
        out,
        securing: false,
        closed: false,
        guesses: 0,
        piece_octets,
    };
    connection.advance();
    play(&mut connection, true, script)
}

fn config(house: &House, client: &Client) -> Config {
    let (plan, rules) = (house.tables.plan(), house.tables.listener_rules(client.listener));
    Config {
        host: rules.host.clone(),
        tls: match rules.tls {
            PlanTls::None => TlsMode::None,
            PlanTls::Offered => TlsMode::Offered,
            PlanTls::Required => TlsMode::Required,
            PlanTls::Implicit => TlsMode::Active,
        },
        auth: match rules.auth {
            ListenerAuth::Never => AuthMode::Never,
            ListenerAuth::Required => AuthMode::Required,
        },
        mechanisms: vec![Mechanism::Plain, Mechanism::Login],
        size_octets_max: plan.mailboxes.message_size_octets,
        rcpt_max: house.tables.recipients_max(client),
        smtputf8: true,
        dsn: true,
        lmtp: false,
        xclient: house.tables.tells(client.class).by_xclient(),
    }
}

impl Connection<'_> {
    /// Takes steps until the session wants something from outside.
    fn advance(&mut self) {
        while !self.closed && !self.securing {
            match self.session.next() {
                Step::Send(reply) => {
                    let mut octets = Vec::new();
                    reply.render(&mut octets);
                    self.out.extend(octets);
                }
                Step::NeedInput => return,
                Step::StartTls => self.securing = true,
                Step::Ask(question) => {
                    let reply = self.answer(question);
                    self.session.answer(reply);
                }
                Step::Content(octets) => {
                    if let Some((_, content)) = &mut self.open {
                        content.extend(octets);
                    }
                }
                Step::Abandoned(_) => self.end(false),
                Step::NeedAnswer => panic!("every question was answered"),
                Step::Close => self.closed = true,
            }
        }
    }

    fn answer(&mut self, question: Question) -> Reply {
        let logged_in = self.client.account.is_some();
        let judged = match question {
            Question::Salt { .. } => return Reply::new(reply::AUTH_LATER, "no verifiers here"),
            Question::Authenticate { claim, .. } => {
                let Claim::Password(credentials) = claim else {
                    return Reply::new(reply::AUTH_FAILED, "passwords only");
                };
                // Nobody is logged in yet: the word, not the rule.
                return self.login(&credentials).unwrap_or_else(|refusal| refusal.reply(false, &self.house.plan));
            }
            Question::Told(told) => {
                self.client.address = told.address.unwrap_or(self.client.address);
                return Reply::new(reply::GREETING, "again");
            }
            Question::Mail { reverse_path, parameters } => self.mail(&reverse_path, parameters.size_octets),
            Question::Recipient { forward_path, .. } => self.recipient(&forward_path),
            Question::ContentStart { .. } => Ok(Reply::new(reply::START_INPUT, "Go ahead")),
            Question::ContentEnd { octets, fault: None, .. } => self.content(octets),
            Question::ContentEnd { fault: Some(fault), .. } => {
                self.end(false);
                return fault.reply();
            }
        };
        judged.unwrap_or_else(|refusal| refusal.reply(logged_in, &self.house.plan))
    }

    fn login(&mut self, credentials: &Credentials) -> Result<Reply, Refusal> {
        let tables = &self.house.tables;
        let guess =
            Guess { login: &credentials.login, class: self.client.class, address: self.client.address, known: false };
        let guesses = Guesses::of(tables, guess);
        guesses.check(tables, &self.rings, NOW)?;
        let person = self.house.people.people.iter().find(|it| it.login.as_str() == credentials.login);
        let right = credentials.secret.reveal() == PASSWORD;
        let (Some(person), true) = (person, right) else {
            // Every wrong password of a dialogue is another one.
            self.guesses += 1;
            guesses.failed(tables, &mut self.rings, self.guesses, NOW);
            return Err(Refusal::new(reply::AUTH_FAILED, Reason::LoginFailed, "logins", "wrong login or password"));
        };
        self.client.account = Some(Account { login: person.login.clone(), profile: person.profile.clone() });
        self.session.set_rcpt_max(tables.recipients_max(&self.client));
        Ok(Reply::new(reply::AUTHENTICATED, "Welcome"))
    }

    fn mail(&mut self, reverse_path: &ReversePath, size_octets: Option<u64>) -> Result<Reply, Refusal> {
        let tables = &self.house.tables;
        let account = self.client.account.as_ref();
        let owns = account.zip(reverse_path.address()).is_some_and(|(who, it)| self.house.owns(&who.login, it));
        let sender = tables.sender_class(reverse_path, owns);
        let judged = Transaction::mail(tables, &mut self.rings, &self.client, sender, size_octets, TODAY, NOW)?;
        self.open = Some((judged, Vec::new()));
        Ok(Reply::new(reply::SENDER_OK, "OK"))
    }

    fn recipient(&mut self, forward_path: &ForwardPath) -> Result<Reply, Refusal> {
        let tables = &self.house.tables;
        let address = match forward_path {
            ForwardPath::Address(address) => Some(address.clone()),
            ForwardPath::Postmaster => Address::new("postmaster", tables.plan().institution.domain.clone()).ok(),
            ForwardPath::Malformed(_) => None,
        };
        let class = address.as_ref().map_or(RecipientClass::Malformed, |address| self.house.class(address));
        let folded = address.map(|address| address.folded()).unwrap_or_default();
        let Some((transaction, _)) = &mut self.open else { panic!("a session asks for recipients after MAIL") };
        match transaction.rcpt(tables, &mut self.rings, class, &folded, NOW)? {
            Accepted::New | Accepted::Again => Ok(Reply::new(reply::RECIPIENT_OK, "OK")),
        }
    }

    fn content(&mut self, octets: u64) -> Result<Reply, Refusal> {
        let Some((transaction, content)) = &self.open else { panic!("a session ends content after MAIL") };
        let judged = transaction.content(&self.house.tables, octets, mail::mime::is_report(content));
        self.end(judged.is_ok());
        judged.map(|()| Reply::new(reply::CONTENT_OK, "taken"))
    }

    fn end(&mut self, accepted: bool) {
        if let Some((transaction, _)) = self.open.take() {
            transaction.end(&mut self.rings, accepted);
        }
    }
}

impl Peer for Connection<'_> {
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
            return Err("the session does not expect TLS".into());
        }
        self.client.tls = true;
        self.session.tls_started();
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
