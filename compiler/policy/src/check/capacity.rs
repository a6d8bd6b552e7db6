//! E0207 for a policy whose tables would be too large: said before anything is enumerated.

use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::{Policy, Switch};

/// Pairs of listener and client class. Fifty networks and twenty listeners are a thousand.
const PAIRS_MAX: usize = 50_000;

/// True when pairs may be enumerated.
pub(super) fn check(policy: &Policy, sink: &mut Vec<Diagnostic>) -> bool {
    let Some(listeners) = policy.listeners.seen() else { return true };
    let networks = policy.networks.seen().map_or(0, |networks| networks.len());
    let gateways = policy.gateways.seen().map_or(0, |gateways| gateways.len());
    let senders = policy.senders.seen().and_then(Switch::on);
    let applications = senders.map_or(0, |senders| senders.known.len());
    let classes = networks + gateways + applications;
    if classes.saturating_mul(listeners.len()) <= PAIRS_MAX {
        return true;
    }
    let message = format!("{} listeners times {classes} client classes are too many to decide", listeners.len());
    let place = listeners.keys().next().map(|name| name.span).unwrap_or_default();
    let help = format!("at most {PAIRS_MAX} pairs; join networks that are treated alike");
    sink.push(Diagnostic::new(Code::E0207, message).help(help).at(place, "").rule("listeners"));
    false
}
