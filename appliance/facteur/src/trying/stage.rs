//! Where the story plays: the served plan, its doors on loopback, the people, what is shown.

use std::io;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine;
use decide::{Account, Block, Client, ListenerId, Tables};
use mail::Login;
use plan::{Network, Row, SourceMap, Speaks, TlsMode};
use store::Store;

use super::describe::PersonView;
use super::networks;
use crate::wire::{Answer, Door, Transcript, Wire};

/// Everything a step needs.
pub struct Stage {
    pub tables: Arc<Tables>,
    pub map: SourceMap,
    /// Short hash of the plan.
    pub plan: String,
    /// Bound addresses by listener.
    pub addresses: Vec<(String, SocketAddr)>,
    pub networks: Vec<networks::Network>,
    pub people: Vec<PersonView>,
    pub tls: Arc<rustls::ClientConfig>,
    pub store: Arc<Store>,
}

/// How a step ended.
pub enum Told {
    /// What was different.
    Otherwise(String),
    /// The policy has nothing to show here.
    NotInThisPolicy(String),
}

impl From<io::Error> for Told {
    fn from(error: io::Error) -> Told {
        Told::Otherwise(format!("the connection failed: {error}"))
    }
}

/// A step's end: `?` gives up with the reason.
pub type Step = Result<(), Told>;

/// A listener a client in `Rest` may use, with the block that serves it.
pub struct RestDoor {
    pub listener: ListenerId,
    pub block: Block,
    pub door: Door,
}

impl Stage {
    /// The networks the portal is reached from, in the order of its addresses.
    pub fn portal_networks(&self) -> impl Iterator<Item = &networks::Network> {
        super::portal_networks(self.tables.plan(), &self.networks)
    }

    /// The network of everybody nobody knows.
    pub fn rest(&self) -> Option<&networks::Network> {
        let is_rest = |n: &&networks::Network| matches!(self.tables.plan().networks[&n.name], Network::Rest);
        self.networks.iter().find(is_rest)
    }

    /// The first listener that is wanted by its block for `Rest` and what it speaks; implicit TLS before STARTTLS.
    pub fn door(&self, wanted: impl Fn(Block, Speaks) -> bool) -> Option<RestDoor> {
        let rest = self.rest()?;
        let mut doors: Vec<RestDoor> = Vec::new();
        for (listener, name, rules) in self.tables.listeners() {
            let block = self.tables.block(listener, rest.class);
            let Some(block) = block.filter(|block| wanted(*block, rules.speaks)) else { continue };
            let Some((_, address)) = self.addresses.iter().find(|(n, _)| n == name) else { continue };
            let implicit_tls = rules.tls == TlsMode::Implicit;
            let door = Door { address: *address, source: rest.source, host: rules.host.to_string(), implicit_tls };
            doors.push(RestDoor { listener, block, door });
        }
        doors.sort_by_key(|d| !d.door.implicit_tls);
        doors.into_iter().next()
    }

    /// A client of `door` as decisions see it.
    pub fn client(&self, door: &RestDoor, person: Option<&PersonView>) -> Option<Client> {
        let rest = self.rest()?;
        let account = person
            .and_then(|person| Some(Account { login: Login::new(&person.login)?, profile: person.profile.clone() }));
        Some(Client { listener: door.listener, class: rest.class, address: rest.seen_as, tls: true, account })
    }

    /// The limits that hold for `person` in the sending block of `door`.
    pub fn row(&self, door: &RestDoor, person: &PersonView) -> Option<(String, &Row)> {
        let Block::Send(index) = door.block else { return None };
        let (name, block) = self.tables.send_block(index);
        match block.by_profile.get(&person.profile) {
            Some(row) => Some((format!("may_send.{name}.by_profile.{}", person.profile), row)),
            None => Some((format!("may_send.{name}"), block.limits.row())),
        }
    }

    /// Connects and says EHLO, over TLS where the listener has it.
    pub async fn smtp(&self, door: &RestDoor) -> io::Result<Wire> {
        let mut wire = Wire::connect(&door.door, self.tls.clone()).await?;
        wire.reply().await?;
        wire.say("EHLO client.example").await?;
        let mode = self.tables.listener_rules(door.listener).tls;
        if matches!(mode, TlsMode::Offered | TlsMode::Required) {
            wire.say("STARTTLS").await?;
            wire.start_tls().await?;
            let from = wire.transcript.len();
            wire.say("EHLO client.example").await?;
            wire.transcript.fold(from, "(EHLO again)");
        }
        Ok(wire)
    }

    /// Connects and logs in as `person`.
    pub async fn logged_in(&self, door: &RestDoor, person: &PersonView) -> Result<Wire, Told> {
        let mut wire = self.smtp(door).await?;
        let secret = plain(&person.login, &person.password);
        let answer = wire.say_secret("AUTH PLAIN ********", &format!("AUTH PLAIN {secret}")).await?;
        expect(&answer, 235)?;
        Ok(wire)
    }

    /// Shows a dialogue.
    pub fn show(&self, transcript: &Transcript) {
        for line in transcript.lines() {
            say!("   {line}");
        }
    }

    /// Shows the line of the policy behind a rule.
    pub fn show_rule(&self, rule: &str) {
        self.show_line("refused", rule);
    }

    /// The same, for a rule that did something else.
    pub fn show_line(&self, done: &str, rule: &str) {
        say!("   {done} by {rule} (plan {})", self.plan);
        let Some(place) = self.map.find(rule) else {
            say!("   the policy does not write this down: it is a default of the language");
            return;
        };
        let file = self.map.files.get(place.file as usize).map_or("policy", String::as_str);
        say!("   --> {file}:{}:{}", place.line, place.column);
        say!("   {:>4} | {}", place.line, place.text.trim_end());
    }

    /// Where clients of `Rest` come from, for a headline.
    pub fn origin(&self) -> String {
        match self.rest() {
            Some(rest) => format!("from {} (the server sees {}, network \"{}\")", rest.source, rest.seen_as, rest.name),
            None => String::new(),
        }
    }

    /// The source address of `Rest`.
    pub fn source(&self) -> Option<IpAddr> {
        self.rest().map(|rest| rest.source)
    }
}

/// A reply of another code ends the step.
pub fn expect(answer: &Answer, code: u16) -> Step {
    if answer.code == code {
        return Ok(());
    }
    Err(Told::Otherwise(format!("expected {code}, got {} {}", answer.code, answer.text)))
}

/// The rule in a reply's `[rule hash]`.
pub fn rule_of(answer: &Answer) -> Option<String> {
    let (_, bracket) = answer.text.rsplit_once('[')?;
    Some(bracket.split([' ', ']']).next()?.to_owned())
}

/// The initial response of AUTH PLAIN (RFC 4616).
fn plain(login: &str, password: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(format!("\0{login}\0{password}"))
}
