//! Names of blocks and networks as people say them: `webmail`, `smtp, depuis l'intérieur`. Derived from the structure
//! of the Plan alone, because the names in a policy are chosen by administrators for administrators.

use plan::{Language, Limits, ListenerAuth, Network, Plan, Row, SendBlock};

use crate::words::{all_of, one_of, pick};

/// Where a service can be used from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// From the machines that speak for people.
    Webmail,
    /// From every named network that people use.
    Inside,
    Everywhere,
    /// From some networks, by their names in the policy.
    Networks(Vec<String>),
    Outside,
    /// From outside and from some networks.
    OutsideAnd(Vec<String>),
}

/// The place that these networks make.
pub fn place(plan: &Plan, from: &[String]) -> Place {
    let kind = |name: &String| plan.networks.get(name);
    let own: Vec<String> = from.iter().filter(|name| !matches!(kind(name), Some(Network::Front(_)))).cloned().collect();
    if own.is_empty() {
        return Place::Webmail;
    }
    let rest = own.iter().any(|name| matches!(kind(name), Some(Network::Rest)));
    let named: Vec<String> = own.into_iter().filter(|name| matches!(kind(name), Some(Network::In(_)))).collect();
    let everything_named = named_networks_of_people(plan).iter().all(|name| named.contains(name));
    match (rest, named.is_empty()) {
        (true, true) if !everything_named => Place::Outside,
        (true, _) if everything_named => Place::Everywhere,
        (true, _) => Place::OutsideAnd(named),
        (false, _) if everything_named => Place::Inside,
        (false, _) => Place::Networks(named),
    }
}

/// Named networks from which people read or send, without machines that need no login.
fn named_networks_of_people(plan: &Plan) -> Vec<String> {
    let sending = plan.may_send.values().filter(|block| of_people(plan, block)).flat_map(|block| &block.from);
    let reading = plan.may_read.values().flat_map(|block| &block.from);
    let sends = plan.may_send.values().any(|block| of_people(plan, block));
    let all: Vec<&String> = if sends { sending.collect() } else { reading.collect() };
    let mut named: Vec<String> =
        all.into_iter().filter(|name| matches!(plan.networks.get(*name), Some(Network::In(_)))).cloned().collect();
    named.sort();
    named.dedup();
    named
}

/// Is it a block of people, who log in? Else one of machines.
pub fn of_people(plan: &Plan, block: &SendBlock) -> bool {
    let auth = |name: &String| plan.listeners.get(name).map(|listener| listener.auth);
    block.connecting_to.iter().any(|name| auth(name) == Some(ListenerAuth::Required))
}

impl Place {
    /// After the name of a service: `depuis l'intérieur`.
    pub fn words(&self, language: Language) -> String {
        match self {
            Place::Webmail => pick(language, "par le webmail", "through the webmail").to_owned(),
            Place::Inside => pick(language, "depuis l'intérieur", "from inside").to_owned(),
            Place::Everywhere => pick(language, "de partout", "from anywhere").to_owned(),
            Place::Outside => pick(language, "depuis l'extérieur", "from outside").to_owned(),
            Place::Networks(names) => {
                let quoted = quoted(language, names);
                let (french, english) =
                    if names.len() == 1 { ("réseau", "network") } else { ("réseaux", "networks") };
                pick(
                    language,
                    format!("depuis l'intérieur ({french} {quoted})"),
                    format!("from inside ({english} {quoted})"),
                )
            }
            Place::OutsideAnd(names) => {
                let quoted = quoted(language, names);
                let (french, english) =
                    if names.len() == 1 { ("le réseau", "network") } else { ("les réseaux", "networks") };
                let french = format!("depuis l'extérieur et depuis {french} {quoted}");
                pick(language, french, format!("from outside and from the {english} {quoted}"))
            }
        }
    }
}

fn quoted(language: Language, names: &[String]) -> String {
    let quoted: Vec<String> =
        names.iter().map(|name| pick(language, format!("« {name} »"), format!("“{name}”"))).collect();
    all_of(language, &quoted)
}

/// A row of the table of limits.
pub struct Access<'a> {
    pub words: String,
    pub limits: &'a Row,
    /// Counted for each machine's address, not for each account.
    pub each_address: bool,
    /// Percent; 0 is never.
    pub warn_at: u8,
}

/// Rows of limits in the order people look for them: webmail, inside, outside, machines; profiles below their block.
pub fn accesses(plan: &Plan, language: Language) -> Vec<Access<'_>> {
    let mut blocks: Vec<(Order, String, &SendBlock)> = Vec::new();
    for (name, block) in &plan.may_send {
        blocks.push((order(plan, block), name.clone(), block));
    }
    blocks.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    let named: Vec<String> = blocks.iter().map(|(_, _, block)| words(plan, language, block)).collect();
    let mut rows = Vec::new();
    for (index, (_, name, block)) in blocks.iter().enumerate() {
        let alike = blocks.iter().zip(&named).filter(|(_, words)| **words == named[index]);
        let alike: Vec<&SendBlock> = alike.map(|((_, _, block), _)| *block).collect();
        let words = match alike.len() {
            1 => named[index].clone(),
            _ => format!("{} ({})", named[index], told_apart(plan, language, name, block, &alike)),
        };
        let row = |words: String, limits| Access {
            words,
            limits,
            each_address: matches!(block.limits, Limits::EachClientAddress(_)),
            warn_at: block.warn_at_percent,
        };
        rows.push(row(words.clone(), block.limits.row()));
        for (profile, limits) in &block.by_profile {
            let label = plan.mailboxes.profiles.get(profile).map_or(profile, |profile| &profile.label);
            rows.push(row(format!("{words} – {label}"), limits));
        }
    }
    rows
}

/// What a person sees that tells a block from others of the same words: its hosts, else its ports, else its name.
fn told_apart(plan: &Plan, language: Language, name: &str, block: &SendBlock, alike: &[&SendBlock]) -> String {
    let ports = |block: &SendBlock| {
        let listeners = block.connecting_to.iter().filter_map(|name| plan.listeners.get(name));
        let mut ports: Vec<u16> = listeners.map(|listener| listener.port).collect();
        ports.sort_unstable();
        let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
        format!("port {}", one_of(language, &ports))
    };
    let hosts = |block: &SendBlock| hosts(plan, language, block);
    let alone = |said: &dyn Fn(&SendBlock) -> String| {
        let own = said(block);
        (alike.iter().filter(|other| said(other) == own).count() == 1).then_some(own)
    };
    alone(&hosts).or_else(|| alone(&ports)).unwrap_or_else(|| name.to_owned())
}

fn hosts(plan: &Plan, language: Language, block: &SendBlock) -> String {
    let listeners = block.connecting_to.iter().filter_map(|name| plan.listeners.get(name));
    let mut hosts: Vec<String> = listeners.map(|listener| listener.host.as_str().to_owned()).collect();
    hosts.sort();
    hosts.dedup();
    all_of(language, &hosts)
}

/// Where a block stands in the table.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Order {
    People(Place),
    Machines,
}

fn order(plan: &Plan, block: &SendBlock) -> Order {
    if of_people(plan, block) { Order::People(place(plan, &block.from)) } else { Order::Machines }
}

fn words(plan: &Plan, language: Language, block: &SendBlock) -> String {
    if !of_people(plan, block) {
        return hosts(plan, language, block);
    }
    let front = block.from.iter().any(|name| matches!(plan.networks.get(name), Some(Network::Front(_))));
    match place(plan, &block.from) {
        Place::Webmail => "webmail".to_owned(),
        place if front => {
            format!("{}, {}", pick(language, "webmail et smtp", "webmail and smtp"), place.words(language))
        }
        place => format!("smtp, {}", place.words(language)),
    }
}
