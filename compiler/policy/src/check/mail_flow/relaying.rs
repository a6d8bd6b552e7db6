//! E0503, E0504, E0505, L0507: who may relay, whether recipients are known before mail is taken, who sends as whom.

use std::net::IpAddr;

use plan::{Prefix, Reach, ReceptionStep};

use super::seen;
use crate::check::{Subject, mending};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::network::Network;
use crate::syntax::{Span, Spanned, WordOr};

/// Widest public prefixes that may relay without a password.
const LENGTH_V4_MIN: u8 = 16;
const LENGTH_V6_MIN: u8 = 40;

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    trusted_networks(subject, sink);
    known_recipients(subject, sink);
    receivers(subject, sink);
    sends_as_anyone(subject, sink);
}

/// E0503.
fn trusted_networks(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let Some((_, names)) = seen(&subject.policy.never_reachable_beyond).find(|(reach, _)| reach.value == Reach::Relay)
    else {
        return;
    };
    let Some(networks) = subject.policy.networks.seen() else { return };
    // A second `Rest` is E0402; which of them is meant is not known.
    let rests = networks.values().filter(|network| network.value == Network::Rest).count();
    let too_wide = |network: &Network| too_wide(network).filter(|prefix| prefix.is_some() || rests == 1);
    match &names.value {
        WordOr::Word(_) => {
            // One word, one report: the widest of them is `Rest`, or whatever else is too wide.
            let wide = networks.iter().filter_map(|(name, network)| Some((name, too_wide(&network.value)?)));
            if let Some((name, prefix)) = wide.max_by_key(|(_, prefix)| prefix.is_none()) {
                sink.push(too_wide_report(name, prefix, names.span));
            }
        }
        WordOr::Value(list) => {
            let wide: std::collections::BTreeMap<&str, Option<Spanned<Prefix>>> = networks
                .iter()
                .filter_map(|(name, network)| Some((name.value.as_str(), too_wide(&network.value)?)))
                .collect();
            for name in list {
                if let Some(prefix) = wide.get(name.value.as_str()) {
                    let report = too_wide_report(name, *prefix, name.span);
                    let report = if relays_for(subject, name) {
                        report
                    } else {
                        mending::without_item(subject, report, name.span)
                    };
                    sink.push(report);
                }
            }
        }
    }
}

/// The first prefix that is too wide, none of it for `Rest`; `None` when the network is bounded.
fn too_wide(network: &Network) -> Option<Option<Spanned<Prefix>>> {
    if *network == Network::Rest {
        return Some(None);
    }
    let wide = network.prefixes().iter().find(|prefix| !is_bounded(prefix.value.0));
    wide.map(|prefix| Some(Spanned::new(prefix.value.0, prefix.span)))
}

fn is_bounded(prefix: Prefix) -> bool {
    let length = prefix.length();
    match prefix.address() {
        // RFC 1918 and the machine itself.
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            let private = (a == 10 || a == 127) && length >= 8
                || a == 172 && b & 0xf0 == 16 && length >= 12
                || a == 192 && b == 168 && length >= 16;
            private || length >= LENGTH_V4_MIN
        }
        // RFC 4193.
        IpAddr::V6(v6) => v6.octets()[0] & 0xfe == 0xfc && length >= 7 || length >= LENGTH_V6_MIN,
    }
}

fn too_wide_report(name: &Spanned<String>, prefix: Option<Spanned<Prefix>>, at: Span) -> Diagnostic {
    let shown = prefix.map_or_else(|| "`Rest`".to_owned(), |prefix| prefix.value.to_string());
    let message =
        format!("\"{name}\" may relay without a password (`never_reachable_beyond.Relay`) but is too wide ({shown})");
    let place = prefix.map_or(name.span, |prefix| prefix.span);
    Diagnostic::new(Code::E0503, message)
        .help("name the machines; at most /16 (IPv6 /40), or private-use space")
        .at(at, "trusted to relay")
        .also(place, "too wide")
        .rule("never_reachable_beyond.Relay")
}

/// Does a block without a login serve that network? Then taking the trust away opens a relay instead.
fn relays_for(subject: &Subject<'_>, network: &str) -> bool {
    seen(&subject.policy.may_send).any(|(_, block)| {
        block.each_client_address.is_some()
            && match &block.from.value {
                WordOr::Word(_) => true,
                WordOr::Value(names) => names.values().any(|name| name == network),
            }
    })
}

/// E0504.
fn known_recipients(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let Some(steps) = subject.policy.reception.sound() else { return };
    let position = |step| steps.values().position(|other| *other == step);
    let (known, accept) = (position(ReceptionStep::KnownRecipient), position(ReceptionStep::Accept));
    let (place, label) = match (known, accept) {
        (Some(known), Some(accept)) if known > accept => (steps.0[known].span, "too late"),
        (Some(_), _) => return,
        (None, _) => (subject.place("reception"), "without `KnownRecipient`"),
    };
    let mut list: Vec<ReceptionStep> = vec![ReceptionStep::KnownRecipient];
    list.extend(steps.values().copied().filter(|step| *step != ReceptionStep::KnownRecipient));
    let report = Diagnostic::new(Code::E0504, "recipients are not checked before acceptance")
        .help("put `KnownRecipient` first, or you will bounce to forged senders")
        .at(place, label)
        .rule("reception");
    sink.push(mending::value(subject, report, "reception", &format!("{list:?}")));
}

/// E0505: one report for all domains, at the main one.
fn receivers(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let (Some(blocks), Some(domains)) = (subject.policy.may_receive.sound(), subject.policy.domains.seen()) else {
        return;
    };
    let nowhere = |from: &crate::model::network::Names| match from {
        WordOr::Word(_) => false,
        WordOr::Value(names) => names.iter().next().is_none(),
    };
    if blocks.values().any(|block| block.connecting_to.iter().next().is_some() && !nowhere(&block.from.value)) {
        return;
    }
    let main = subject.policy.institution.seen().map(|institution| institution.domain.value.0.as_str());
    let key = domains.keys().find(|key| Some(key.value.0.as_str()) == main).or(domains.keys().next());
    let Some(key) = key else { return };
    let others = match domains.len() {
        0 | 1 => String::new(),
        2 => " (and one other domain)".to_owned(),
        n => format!(" (and {} other domains)", n - 1),
    };
    let message = format!("\"{}\"{others} is ours but no listener receives for it", key.value.0);
    let report = Diagnostic::new(Code::E0505, message)
        .help("add a block in `may_receive`, or drop the domain")
        .at(key.span, "")
        .rule(format!("domains.{}", key.value.0));
    let report = match subject.spans.get("may_receive") {
        Some(place) => report.also(*place, "no block receives"),
        None => report,
    };
    sink.push(report);
}

/// L0507.
fn sends_as_anyone(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    for (name, block) in seen(&subject.policy.may_send) {
        if block.as_.value != plan::As::AnyAddress {
            continue;
        }
        let path = format!("may_send.{name}.as");
        let (bounded, help) = match &block.each_client_address {
            Some(_) => ("OwnDomain", "`as: OwnDomain` keeps a machine without a login inside our domains"),
            None => ("OwnAddresses", "`as: OwnAddresses` stops a stolen account from posing as a colleague"),
        };
        let report = Diagnostic::new(Code::L0507, format!("block \"{name}\" sends as anyone"))
            .help(help)
            .at(subject.place(&path), "")
            .rule(format!("may_send.{name}"));
        sink.push(mending::value(subject, report, &path, bounded));
    }
}
