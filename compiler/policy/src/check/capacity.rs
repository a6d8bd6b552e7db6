//! E0207 for a policy whose tables would be too large: said before anything is enumerated.

use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::network::Names;
use crate::model::{Policy, Switch};
use crate::syntax::{Entries, Items, Spanned, WordOr};

/// Pairs of listener and client class. Fifty networks and twenty listeners are a thousand.
const PAIRS_MAX: usize = 50_000;
/// Networks, gateways and applications together; listeners; blocks.
const NAMES_MAX: usize = 1_000;
/// Prefixes of one network, gateway or application.
const PREFIXES_MAX: usize = 1_000;

/// True when the sections as written are small enough to be filled, resolved and checked.
pub(super) fn as_written(policy: &Policy, sink: &mut Vec<Diagnostic>) -> bool {
    let before = sink.len();
    let networks = policy.networks.seen().into_iter().flat_map(Entries::iter);
    let networks = networks.map(|(name, network)| ("networks", name, network.value.prefixes().len()));
    let gateways = policy.gateways.seen().into_iter().flat_map(Entries::iter);
    let gateways = gateways.map(|(name, gateway)| ("gateways", name, gateway.from.len()));
    let known = policy.senders.seen().and_then(Switch::on).map(|senders| &senders.known);
    let applications = known.into_iter().flat_map(Entries::iter);
    let applications = applications.map(|(name, application)| ("senders", name, application.from.len()));
    let classes: Vec<(&str, &Spanned<String>, usize)> = networks.chain(gateways).chain(applications).collect();
    for (section, name, prefixes) in classes.iter().filter(|(.., prefixes)| *prefixes > PREFIXES_MAX) {
        let message = format!("\"{name}\" has {prefixes} prefixes, more than {PREFIXES_MAX}");
        let help = "write wider prefixes";
        sink.push(Diagnostic::new(Code::E0207, message).help(help).at(name.span, "").rule(format!("{section}.{name}")));
    }
    let classes = classes.iter().map(|(_, name, _)| *name);
    names("networks, gateways and applications", classes, "join networks that are treated alike", sink);
    let listeners = policy.listeners.seen().into_iter().flat_map(Entries::keys);
    names("listeners", listeners, "join listeners that are treated alike", sink);
    let send = policy.may_send.seen().into_iter().flat_map(Entries::keys);
    let receive = policy.may_receive.seen().into_iter().flat_map(Entries::keys);
    let read = policy.may_read.seen().into_iter().flat_map(Entries::keys);
    names("blocks", send.chain(receive).chain(read), "join blocks that say the same", sink);
    sink.len() == before
}

fn names<'p>(
    what: &str,
    names: impl Iterator<Item = &'p Spanned<String>> + Clone,
    help: &str,
    sink: &mut Vec<Diagnostic>,
) {
    let Some(place) = names.clone().nth(NAMES_MAX).map(|name| name.span) else { return };
    let message = format!("{} {what} are too many, at most {NAMES_MAX} are decided", names.count());
    sink.push(Diagnostic::new(Code::E0207, message).help(help).at(place, "the first too many"));
}

/// True when pairs may be enumerated.
pub(super) fn check(policy: &Policy, sink: &mut Vec<Diagnostic>) -> bool {
    let Some(listeners) = policy.listeners.seen() else { return true };
    let networks = policy.networks.seen().map_or(0, |networks| networks.len());
    let gateways = policy.gateways.seen().map_or(0, |gateways| gateways.len());
    let senders = policy.senders.seen().and_then(Switch::on);
    let applications = senders.map_or(0, |senders| senders.known.len());
    let classes = networks + gateways + applications;
    if classes.saturating_mul(listeners.len()) > PAIRS_MAX {
        let message = format!("{} listeners times {classes} client classes are too many to decide", listeners.len());
        let place = listeners.keys().next().map(|name| name.span).unwrap_or_default();
        let help = format!("at most {PAIRS_MAX} pairs; join networks that are treated alike");
        sink.push(Diagnostic::new(Code::E0207, message).help(help).at(place, "").rule("listeners"));
        return false;
    }
    let mut served = 0_usize;
    let mut fits = |connecting_to: &Items<String>, from: &Spanned<Names>| {
        let from = match &from.value {
            WordOr::Word(_) => networks,
            WordOr::Value(names) => names.len(),
        };
        served = served.saturating_add(connecting_to.len().saturating_mul(from));
        served <= PAIRS_MAX
    };
    let send = policy.may_send.seen().into_iter().flat_map(Entries::iter);
    let send = send.map(|(name, block)| (name, &block.value.connecting_to, &block.value.from));
    let receive = policy.may_receive.seen().into_iter().flat_map(Entries::iter);
    let receive = receive.map(|(name, block)| (name, &block.value.connecting_to, &block.value.from));
    let read = policy.may_read.seen().into_iter().flat_map(Entries::iter);
    let read = read.map(|(name, block)| (name, &block.value.connecting_to, &block.value.from));
    let Some((name, ..)) = send.chain(receive).chain(read).find(|(_, to, from)| !fits(to, from)) else { return true };
    let message = format!("blocks name more than {PAIRS_MAX} pairs of listener and network");
    let help = "each pair belongs to one block; name each listener and network once";
    sink.push(Diagnostic::new(Code::E0207, message).help(help).at(name.span, "up to here"));
    false
}
