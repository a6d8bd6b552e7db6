//! E0723 to E0726: what is turned away by name, and bounds of what managers do.

use std::collections::BTreeSet;

use super::mail_flow::OurDomains;
use super::{Subject, mending};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::figures::grouped;
use crate::model::response::{Blocked, BlockedWhat};
use crate::syntax::Spanned;

/// The lives a block of a manager may have: long enough for one to be seen, short enough for the policy to take over.
const BLOCK_S: std::ops::RangeInclusive<u64> = 60..=366 * 86_400;
/// Mailboxes nobody has more of.
const MAILBOXES_MAX: u32 = 1_000_000;

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    bounds(subject, sink);
    let mut seen = BTreeSet::new();
    for (index, blocked) in subject.policy.blocked.seen().into_iter().flatten().enumerate() {
        let path = format!("blocked[{index}]");
        ours(subject, blocked, &path, sink);
        provider(blocked, &path, sink);
        let again = !seen.insert(crate::lower::blocked_what(&blocked.value.what.value));
        incomplete(subject, blocked, &path, again, sink);
    }
}

/// E0723.
fn ours(subject: &Subject<'_>, blocked: &Spanned<Blocked>, path: &str, sink: &mut Vec<Diagnostic>) {
    let what = &blocked.value.what;
    let domains = OurDomains::of(subject.policy);
    let domain = |domain: &mail::Domain| {
        let key = domains.as_ref().and_then(|ours| ours.key(domain).or_else(|| ours.under(domain)));
        key.map(|key| format!("\"{key}\" is ours"))
    };
    let found = match &what.value {
        BlockedWhat::Sender(address) | BlockedWhat::ReplyTo(address) => domain(address.0.domain()),
        BlockedWhat::SenderDomain(name) | BlockedWhat::UrlHost(name) => domain(&name.0),
        BlockedWhat::Client(prefix) => our_network(subject, prefix.0),
        BlockedWhat::Attachment(_) => None,
    };
    let Some(found) = found else { return };
    let message = format!("`blocked` would turn our own mail away: {found}");
    let report = Diagnostic::new(Code::E0723, message)
        .help("block who is outside; an account of ours that was stolen is locked, its password changed")
        .at(what.span, "")
        .rule(path);
    sink.push(mending::without_item(subject, report, blocked.span));
}

/// A network of ours, or a gateway, that has addresses of the prefix.
fn our_network(subject: &Subject<'_>, prefix: plan::Prefix) -> Option<String> {
    let meet = |other: &plan::Prefix| prefix.contains(other.address()) || other.contains(prefix.address());
    for (name, network) in subject.policy.networks.seen().into_iter().flat_map(|networks| networks.iter()) {
        if network.value.prefixes().iter().any(|other| meet(&other.value.0)) {
            return Some(format!("network \"{name}\" has addresses of {prefix}"));
        }
    }
    for (name, gateway) in subject.policy.gateways.seen().into_iter().flat_map(|gateways| gateways.iter()) {
        if gateway.value.from.values().any(|other| meet(&other.0)) {
            return Some(format!("gateway \"{name}\" has addresses of {prefix}"));
        }
    }
    None
}

/// L0725: a public provider, or all that is registered under a suffix.
fn provider(blocked: &Spanned<Blocked>, path: &str, sink: &mut Vec<Diagnostic>) {
    let what = &blocked.value.what;
    let (BlockedWhat::SenderDomain(domain) | BlockedWhat::UrlHost(domain)) = &what.value else { return };
    let name = domain.0.as_str();
    let message = if decide::PublicSuffixes::pinned().is_suffix(&domain.0, decide::Division::Icann) {
        format!("`blocked` turns everybody under \"{name}\" away, which is a registry's")
    } else if decide::provider_of(&domain.0) == Some(name) {
        format!("`blocked` turns everybody at {name} away")
    } else {
        return;
    };
    let report = Diagnostic::new(Code::L0725, message)
        .help("millions of people write from there: block the one address, as `Sender(\"…\")`")
        .at(what.span, "")
        .rule(path);
    sink.push(report);
}

/// E0724.
fn incomplete(subject: &Subject<'_>, blocked: &Spanned<Blocked>, path: &str, again: bool, sink: &mut Vec<Diagnostic>) {
    let entry = &blocked.value;
    let ended = entry.until.as_ref().filter(|until| subject.today.is_some_and(|today| *today > until.value));
    let (wrong, place) = if again {
        ("stands twice".to_owned(), entry.what.span)
    } else if entry.because.trim().is_empty() {
        ("has no reason".to_owned(), subject.place(&format!("{path}.because")))
    } else if let Some(until) = ended {
        (format!("ended on {}", until.value.0), until.span)
    } else {
        return;
    };
    let report = Diagnostic::new(Code::E0724, format!("an entry of `blocked` {wrong}"))
        .help("fill `because`, renew `until`, or delete the entry")
        .at(place, "")
        .rule(path);
    sink.push(if again || ended.is_some() { mending::without_item(subject, report, blocked.span) } else { report });
}

/// E0726.
fn bounds(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let Some(response) = subject.policy.response.seen() else { return };
    let mut wrong = |field: &str, message: String, help: &str, mended: &str| {
        let path = format!("response.{field}");
        let report = Diagnostic::new(Code::E0726, message).help(help).at(subject.place(&path), "").rule(path.as_str());
        sink.push(mending::value(subject, report, &path, mended));
    };
    if !BLOCK_S.contains(&response.block_at_most.value.0) {
        let message = "`block_at_most` is no life of a block".to_owned();
        wrong(
            "block_at_most",
            message,
            "from 1 min to 366 days; what lasts longer is an entry of `blocked`",
            "\"30 days\"",
        );
    }
    let mailboxes = response.recall_alone_at_most.value;
    if mailboxes > MAILBOXES_MAX {
        let message = format!("{} mailboxes are more than there are", grouped(u128::from(mailboxes)));
        wrong("recall_alone_at_most", message, "0 always asks for a second manager", "100");
    }
}
