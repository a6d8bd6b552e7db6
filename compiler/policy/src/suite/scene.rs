//! What a case is about, with every name found: the client, the login, the time, the engines. What is not there is
//! reported with the code and at the line it would have in a policy.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use decide::{Block, ClassId, Client, EngineResult, ListenerId, RecipientClass};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use mail::Person;
use plan::{ListenerAuth, Speaks, TlsMode};

use super::given::Given;
use super::house::House;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::prove::address_of;
use crate::syntax::{Span, Spanned, near};

/// When a case begins that says nothing: a working day, so that a test means the same next year.
const USUAL_START: &str = "2026-11-23 10:00:00";

/// A case, ready to be played.
#[derive(Clone, Debug)]
pub struct Scene {
    /// Absent where nothing of the case connects.
    pub client: Option<Client>,
    pub person: Option<Person>,
    pub start: Timestamp,
    pub zone: TimeZone,
    pub engines: Vec<(String, EngineResult)>,
    /// Folded address to how it stands.
    pub recipients: BTreeMap<String, RecipientClass>,
    /// Who and where after each move of the case.
    pub moves: Vec<(Option<Client>, Option<Person>)>,
}

/// Finds the names of one kind.
pub(super) fn unknown(kind: &str, name: &Spanned<String>, names: &BTreeSet<String>) -> Diagnostic {
    Diagnostic::new(Code::E0101, format!("unknown {kind} \"{name}\""))
        .help(near::help(name, names.iter().map(String::as_str)))
        .at(name.span, "")
}

fn wanted(what: &str, found: &str, example: &str, place: Span) -> Diagnostic {
    Diagnostic::new(Code::E0104, format!("expected {what}, found a text: `{}`", crate::shown::first_chars(found, 40)))
        .help(format!("for example `{example}`"))
        .at(place, "")
}

impl Scene {
    /// `place` is the case's name, for what is missing; `connects` says whether it needs a listener.
    pub fn of(house: &House, given: &Given, connects: bool, place: Span, sink: &mut Vec<Diagnostic>) -> Option<Scene> {
        let before = sink.len();
        let person = given.login.as_ref().and_then(|login| person(house, login, sink));
        let client = client(house, given, connects, place, sink);
        let zone = jiff::tz::TimeZoneDatabase::bundled().get(&house.tables.plan().institution.time_zone);
        let zone = zone.unwrap_or(TimeZone::UTC);
        let start = start(given.at.as_ref(), &zone, sink);
        let engines = engines(house, given, sink);
        let mut recipients = BTreeMap::new();
        for (address, class) in given.recipients.iter() {
            match address.value.parse::<mail::Address>() {
                Ok(address) => drop(recipients.insert(address.folded(), class.value.class())),
                Err(_) => sink.push(wanted("an address", address, "\"Jean.Toto@example.org\"", address.span)),
            }
        }
        if sink.len() > before {
            return None;
        }
        let client = client.map(|client| with_login(house, client, person.as_ref()));
        Some(Scene { client, person, start: start?, zone, engines, recipients, moves: Vec::new() })
    }
}

fn person(house: &House, login: &Spanned<String>, sink: &mut Vec<Diagnostic>) -> Option<Person> {
    let person = house.person(login).cloned();
    if person.is_none() {
        let logins = house.logins().map(str::to_owned).collect();
        let said = unknown("login", login, &logins);
        sink.push(said.note("people of a test stand in people.ron or in `people` of the test file"));
    }
    person
}

/// Logged in, where the listener has logins.
fn with_login(house: &House, mut client: Client, person: Option<&Person>) -> Client {
    if house.tables.listener_rules(client.listener).auth == ListenerAuth::Required {
        client.account = person.and_then(|person| house.account(person.login.as_str()));
    }
    client
}

fn client(house: &House, given: &Given, connects: bool, place: Span, sink: &mut Vec<Diagnostic>) -> Option<Client> {
    let tables = &house.tables;
    let listener = match &given.listener {
        None => None,
        Some(name) => match tables.listener(name) {
            Some(listener) => Some(listener),
            None => {
                let names = tables.listeners().map(|(_, name, _)| name.to_owned()).collect();
                sink.push(unknown("listener", name, &names));
                return None;
            }
        },
    };
    let (class, address) = from(house, given, sink)?;
    let (listener, class, address) = match (&given.block, listener) {
        (Some(name), _) => pair(house, name, listener, class.zip(address), sink)?,
        (None, Some(listener)) => {
            let class = class.or_else(|| tables.classes().find(|class| is_rest(house, *class)))?;
            (listener, class, address.unwrap_or_else(|| address_of(tables, class)))
        }
        (None, None) => {
            if connects {
                let said = Diagnostic::new(Code::E0003, "`given` lacks `block` or `listener`");
                sink.push(said.help("add `block: \"…\"`; it decides who connects to what").at(place, ""));
            }
            return None;
        }
    };
    let tls = given.tls.unwrap_or(tables.listener_rules(listener).tls != TlsMode::None);
    Some(Client { listener, class, address, tls, account: None })
}

fn is_rest(house: &House, class: ClassId) -> bool {
    matches!(house.tables.plan().networks.get(house.tables.class_name(class)), Some(plan::Network::Rest))
}

/// The client class and address that are given. `None` when there is a mistake.
fn from(house: &House, given: &Given, sink: &mut Vec<Diagnostic>) -> Option<(Option<ClassId>, Option<IpAddr>)> {
    let tables = &house.tables;
    let mut found = (None, None);
    if let Some(name) = &given.network {
        let names: BTreeSet<String> = tables.classes().map(|class| tables.class_name(class).to_owned()).collect();
        let Some(class) = tables.classes().find(|class| tables.class_name(*class) == name.value) else {
            sink.push(unknown("network", name, &names));
            return None;
        };
        found = (Some(class), Some(address_of(tables, class)));
    }
    if let Some(client) = &given.client {
        let Ok(address) = client.value.parse::<IpAddr>() else {
            sink.push(wanted("an IP address", client, "\"203.0.113.9\"", client.span));
            return None;
        };
        let class = tables.class_of(address);
        if found.0.is_some_and(|network| tables.class_name(network) != tables.class_name(class)) {
            let message = format!("{address} is in \"{}\"", tables.class_name(class));
            sink.push(Diagnostic::new(Code::E0104, message).help("drop `network` or `client`").at(client.span, ""));
            return None;
        }
        found = (Some(class), Some(address));
    }
    Some(found)
}

/// A listener and a client that the block serves.
fn pair(
    house: &House,
    name: &Spanned<String>,
    listener: Option<ListenerId>,
    client: Option<(ClassId, IpAddr)>,
    sink: &mut Vec<Diagnostic>,
) -> Option<(ListenerId, ClassId, IpAddr)> {
    let tables = &house.tables;
    let plan = tables.plan();
    let sends = plan.may_send.iter().map(|(n, b)| (n, &b.connecting_to, &b.from, "may_send"));
    let receives = plan.may_receive.iter().map(|(n, b)| (n, &b.connecting_to, &b.from, "may_receive"));
    let reads = plan.may_read.iter().map(|(n, b)| (n, &b.connecting_to, &b.from, "may_read"));
    let mut blocks = sends.chain(receives).chain(reads);
    let Some((_, connecting_to, networks, section)) = blocks.find(|(block, ..)| **block == name.value) else {
        let names = plan.may_send.keys().chain(plan.may_receive.keys()).chain(plan.may_read.keys());
        sink.push(unknown("block", name, &names.cloned().collect()));
        return None;
    };
    let path = format!("{section}.{name}");
    let serves = |listener: ListenerId, class: ClassId| {
        tables.block(listener, class).is_some_and(|block: Block| tables.block_path(block) == path)
    };
    let listeners = connecting_to.iter().filter_map(|name| tables.listener(name));
    for id in listeners.filter(|id| listener.is_none_or(|wanted| wanted == *id)) {
        let of_block = networks.iter().filter_map(|name| tables.network(name));
        let clients: Vec<(ClassId, IpAddr)> = match client {
            Some(client) => vec![client],
            None => of_block.map(|class| (class, address_of(tables, class))).collect(),
        };
        if let Some((class, address)) = clients.into_iter().find(|(class, _)| serves(id, *class)) {
            return Some((id, class, address));
        }
    }
    let message = format!("block \"{name}\" does not serve this client on this listener");
    sink.push(
        Diagnostic::new(Code::E0104, message)
            .help("give the block alone, or the client and listener")
            .at(name.span, ""),
    );
    None
}

fn start(at: Option<&Spanned<String>>, zone: &TimeZone, sink: &mut Vec<Diagnostic>) -> Option<Timestamp> {
    let (text, place) = at.map_or((USUAL_START, None), |at| (at.value.as_str(), Some(at.span)));
    let mut report = |diagnostic: Diagnostic| place.map(|_| sink.push(diagnostic));
    let Ok(local) = jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M:%S", text)
        .or_else(|_| jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M", text))
    else {
        report(wanted("a local time", text, "\"2026-11-23 10:00:00\"", place.unwrap_or_default()));
        return None;
    };
    match zone.to_ambiguous_timestamp(local).unambiguous() {
        Ok(start) => Some(start),
        Err(_) => {
            let name = zone.iana_name().unwrap_or("UTC");
            let message = format!("{text} does not exist or happens twice in {name}");
            report(Diagnostic::new(Code::E0908, message).at(place.unwrap_or_default(), ""));
            None
        }
    }
}

/// What each engine of the policy says: nothing bad, where the case says nothing.
fn engines(house: &House, given: &Given, sink: &mut Vec<Diagnostic>) -> Vec<(String, EngineResult)> {
    let antivirus = house.tables.plan().antivirus.as_ref();
    let names: BTreeSet<String> = antivirus.iter().flat_map(|antivirus| antivirus.engines.iter().cloned()).collect();
    for (name, engine) in &given.engines {
        if !names.contains(name) {
            sink.push(unknown("engine", &Spanned::new(name.clone(), engine.span), &names));
        }
    }
    let said = |name: &String| given.engines.iter().find(|(given, _)| given == name).map(|(_, it)| it.value.result());
    names.iter().map(|name| (name.clone(), said(name).unwrap_or(EngineResult::Clean))).collect()
}

/// Does this listener take mail?
pub(super) fn takes_mail(house: &House, client: &Client) -> bool {
    match house.tables.listener_rules(client.listener).speaks {
        Speaks::Smtp | Speaks::Lmtp => true,
        Speaks::Imap | Speaks::Pop => false,
    }
}
