//! E0416, E0418 and L0419: guessing without a limit, and hops that are believed.

use plan::{ListenerAuth, Prefix};

use super::pairs::Opened;
use crate::check::Subject;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::edits;
use crate::model::Switch;
use crate::model::literal::NetworkPrefix;
use crate::model::network::Network;
use crate::syntax::{Entries, Spanned};

/// The widest prefixes whose word about their clients is taken.
const BELIEVED_V4_MIN: u8 = 24;
const BELIEVED_V6_MIN: u8 = 56;

pub(super) fn check(subject: &Subject<'_>, opened: &Opened<'_>, sink: &mut Vec<Diagnostic>) {
    guessing(subject, opened, sink);
    for (name, network) in subject.policy.networks.seen().into_iter().flat_map(Entries::iter) {
        match &network.value {
            Network::Front { prefixes, .. } => {
                too_wide("front", "networks", name, prefixes, sink);
            }
            Network::In(_) | Network::Rest => {}
        }
    }
    for (name, gateway) in subject.policy.gateways.seen().into_iter().flat_map(Entries::iter) {
        too_wide("gateway", "gateways", name, &gateway.from, sink);
        if !gateway.refuse_others {
            let path = format!("gateways.{name}.refuse_others");
            let message = format!("gateway \"{name}\" does not turn others away: strangers can go round it");
            let place = subject.place(&path);
            let diagnostic = Diagnostic::new(Code::L0419, message)
                .help("`refuse_others: true`")
                .at(if subject.is_written(&path) { place } else { name.span }, "")
                .rule(format!("gateways.{name}"));
            let mending = if subject.is_written(&path) {
                Some((place, "true".to_owned()))
            } else {
                edits::appended(subject.sources, gateway.span, "refuse_others: true")
            };
            sink.push(match mending {
                Some((place, text)) => diagnostic.edit(place, text),
                None => diagnostic,
            });
        }
    }
}

/// E0416: the limits are switched off, as a whole or in both places.
fn guessing(subject: &Subject<'_>, opened: &Opened<'_>, sink: &mut Vec<Diagnostic>) {
    let takes_passwords = opened.listeners.values().any(|listener| listener.auth.value == ListenerAuth::Required);
    let Some(Switch::Off) = subject.policy.logins.seen() else { return };
    if !takes_passwords {
        return;
    }
    let place = subject.place("logins");
    let message = "listeners take passwords but nothing limits failed logins (`logins` is switched off)";
    let diagnostic = Diagnostic::new(Code::E0416, message)
        .help("guessing comes before theft; take the defaults")
        .at(place, "")
        .rule("logins");
    sink.push(match edits::field_entry(subject.sources, "logins", place) {
        Some(whole) => diagnostic.edit(whole, ""),
        None => diagnostic,
    });
}

/// E0418, at the first prefix that is.
fn too_wide(
    kind: &str,
    section: &str,
    name: &Spanned<String>,
    prefixes: &[Spanned<NetworkPrefix>],
    sink: &mut Vec<Diagnostic>,
) {
    let Some(prefix) = prefixes.iter().find(|prefix| is_too_wide(prefix.value.0)) else { return };
    let message = format!("{kind} \"{name}\" is too wide ({}): what it tells is believed", prefix.value.0);
    let diagnostic = Diagnostic::new(Code::E0418, message)
        .help("name the machines; at most /24, IPv6 /56")
        .at(prefix.span, "")
        .rule(format!("{section}.{name}"));
    sink.push(diagnostic);
}

fn is_too_wide(prefix: Prefix) -> bool {
    let narrowest = if prefix.address().is_ipv4() { BELIEVED_V4_MIN } else { BELIEVED_V6_MIN };
    prefix.length() < narrowest
}
