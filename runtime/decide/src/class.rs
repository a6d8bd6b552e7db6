//! Who is talking to what: listeners, client classes, blocks.

use std::collections::BTreeMap;
use std::net::IpAddr;

use mail::Login;
use plan::{Plan, Prefix};

/// A listener, by its place in the order of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListenerId(pub u16);

/// A client class: networks in the order of names, then gateways, then registered applications.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassId(pub u16);

/// What a client class is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClassKind {
    Network,
    Gateway,
    Application,
}

/// The block that serves a pair of listener and client class, by its place in the order of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Block {
    Send(u16),
    Receive(u16),
    Read(u16),
}

/// One connection's facts that decisions rest on.
#[derive(Clone, Debug)]
pub struct Client {
    pub listener: ListenerId,
    pub class: ClassId,
    /// The address limits are kept for; behind a `Front` the carried one.
    pub address: IpAddr,
    pub tls: bool,
    pub account: Option<Account>,
}

/// Who is logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub login: Login,
    /// A key of `mailboxes.profiles`.
    pub profile: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Class {
    pub name: String,
    pub kind: ClassKind,
    /// The network that holds its addresses; itself for a network.
    pub network: ClassId,
}

/// Client classes and the longest-prefix match that finds them.
///
/// A gateway or application whose prefixes lie in several networks is a class of its name for each of them: what one of
/// its machines may do says nothing about the others.
#[derive(Clone, Debug)]
pub(crate) struct Classes {
    pub list: Vec<Class>,
    /// Longest prefixes first; among equal lengths applications and gateways before networks.
    prefixes: Vec<(Prefix, ClassId)>,
    rest: ClassId,
}

impl Classes {
    /// `None` when there is no `Rest` network or there are more classes than an id can count.
    pub fn new(plan: &Plan) -> Option<Classes> {
        let mut list = Vec::new();
        let mut prefixes = Vec::new();
        let mut rest = None;
        for (name, network) in &plan.networks {
            let id = ClassId(u16::try_from(list.len()).ok()?);
            list.push(Class { name: name.clone(), kind: ClassKind::Network, network: id });
            prefixes.extend(network.prefixes().iter().map(|prefix| (*prefix, id)));
            if matches!(network, plan::Network::Rest) {
                rest = Some(id);
            }
        }
        let rest = rest?;
        let networks: BTreeMap<Prefix, ClassId> = prefixes.iter().copied().collect();
        let gateways = plan.gateways.iter().map(|(name, g)| (name, &g.from, ClassKind::Gateway));
        let empty = BTreeMap::new();
        let known = plan.senders.as_ref().map_or(&empty, |senders| &senders.known);
        let applications = known.iter().map(|(name, a)| (name, &a.from, ClassKind::Application));
        for (name, from, kind) in gateways.chain(applications) {
            let mut parts: BTreeMap<ClassId, Vec<Prefix>> = BTreeMap::new();
            for prefix in from {
                parts.entry(holder(&networks, *prefix).unwrap_or(rest)).or_default().push(*prefix);
            }
            for (network, from) in parts {
                let id = ClassId(u16::try_from(list.len()).ok()?);
                list.push(Class { name: name.clone(), kind, network });
                prefixes.extend(from.into_iter().map(|prefix| (prefix, id)));
            }
        }
        sort(&mut prefixes);
        Some(Classes { list, prefixes, rest })
    }

    pub fn rest(&self) -> ClassId {
        self.rest
    }

    /// Longest prefix wins; `Rest` is everything else.
    pub fn of(&self, client: IpAddr) -> ClassId {
        let client = client.to_canonical();
        self.prefixes.iter().find(|(prefix, _)| prefix.contains(client)).map_or(self.rest, |(_, id)| *id)
    }
}

/// The network that holds the whole of a prefix.
fn holder(networks: &BTreeMap<Prefix, ClassId>, prefix: Prefix) -> Option<ClassId> {
    (0..=prefix.length()).rev().find_map(|length| networks.get(&prefix.widened(length)).copied())
}

fn sort(prefixes: &mut [(Prefix, ClassId)]) {
    prefixes.sort_by(|(a, id_a), (b, id_b)| b.length().cmp(&a.length()).then(id_b.cmp(id_a)));
}
