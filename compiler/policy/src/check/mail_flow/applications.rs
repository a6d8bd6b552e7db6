//! L0517, E0518, L0520: applications that send without a login.

use std::collections::{BTreeMap, BTreeSet};

use plan::{Prefix, UnknownSenders};

use super::{OurDomains, seen};
use crate::check::{Subject, mending};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::Switch;
use crate::model::block::{SenderApplication, Senders};
use crate::model::network::Network;
use crate::syntax::{Span, Spanned, WordOr};

/// Before its end an application is announced for so many days.
const ANNOUNCED_DAYS: i32 = 30;

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let Some(senders) = subject.policy.senders.seen().and_then(Switch::on) else { return };
    let networks = networks_of(subject, senders);
    unknown_machines(subject, senders, &networks, sink);
    let bounds = Bounds::of(subject, networks);
    let ours = OurDomains::of(subject.policy);
    for (name, application) in senders.known.iter() {
        let report = |message: String, place: Span| {
            Diagnostic::new(Code::E0518, message).help("fix or delete it").at(place, "").rule(format!("senders.{name}"))
        };
        for address in &application.as_ {
            if let Some(ours) = &ours
                && ours.key(address.value.0.domain()).is_none()
            {
                let message = format!(
                    "application \"{name}\" poses outside our domains: {} is not ours",
                    address.value.0.domain()
                );
                sink.push(report(message, address.span));
            }
        }
        for prefix in &application.from {
            if let Some(network) = bounds.outside(prefix.value.0) {
                let message = format!(
                    "application \"{name}\" lies outside the networks of its block: {} is in \"{network}\"",
                    prefix.value.0
                );
                sink.push(report(message, prefix.span));
            }
        }
        end_date(subject, name, &application.value, report, sink);
    }
}

/// E0518 for one that ended, L0520 for one that ends soon.
fn end_date(
    subject: &Subject<'_>,
    name: &Spanned<String>,
    application: &SenderApplication,
    report: impl Fn(String, Span) -> Diagnostic,
    sink: &mut Vec<Diagnostic>,
) {
    let path = format!("senders.known.{name}.until");
    let until = &application.until;
    let renewed = subject.a_year_from_now().map(|day| format!("\"{day}\"")).unwrap_or_default();
    if subject.has_passed(until) {
        let ended = report(format!("application \"{name}\" ended on {}", until.0), subject.place(&path));
        sink.push(mending::value(subject, ended, &path, &renewed));
    } else if subject.days_from_now(ANNOUNCED_DAYS).is_some_and(|soon| until.0 <= soon) {
        let message = format!("application \"{name}\" ends on {}, within {ANNOUNCED_DAYS} days", until.0);
        let ends = Diagnostic::new(Code::L0520, message)
            .help(format!("ask {}, renew `until`", application.owner.0))
            .at(subject.place(&path), "")
            .rule(format!("senders.{name}"));
        sink.push(mending::value(subject, ends, &path, &renewed));
    }
}

/// L0517.
fn unknown_machines(subject: &Subject<'_>, senders: &Senders, networks: &BTreeSet<&str>, sink: &mut Vec<Diagnostic>) {
    match senders.unknown {
        UnknownSenders::Shadow => {}
        UnknownSenders::Refuse => return,
    }
    if networks.is_empty() {
        return;
    }
    let names: Vec<String> = networks.iter().map(|name| format!("\"{name}\"")).collect();
    let message = format!("unknown machines at {} may send as anyone of ours (`Shadow`)", names.join(", "));
    let report = Diagnostic::new(Code::L0517, message)
        .help("register the applications seen in the report, then `Refuse`")
        .at(subject.place("senders.unknown"), "")
        .rule("senders.unknown");
    // With an empty register `Refuse` would turn every machine away.
    let is_registered = !senders.known.is_empty();
    sink.push(if is_registered { mending::value(subject, report, "senders.unknown", "Refuse") } else { report });
}

/// Networks from which the blocks of applications are open.
fn networks_of<'p>(subject: &Subject<'p>, senders: &Senders) -> BTreeSet<&'p str> {
    let of: BTreeSet<&str> = senders.of.values().map(String::as_str).collect();
    let blocks = seen(&subject.policy.may_send).filter(|(name, _)| of.contains(name.value.as_str()));
    let mut networks = BTreeSet::new();
    for (_, block) in blocks {
        match &block.from.value {
            WordOr::Word(_) => networks.extend(seen(&subject.policy.networks).map(|(name, _)| name.value.as_str())),
            WordOr::Value(names) => networks.extend(names.values().map(String::as_str)),
        }
    }
    networks
}

/// Which network an address belongs to, and whether the blocks of applications are open from there.
struct Bounds<'p> {
    open: BTreeSet<&'p str>,
    prefixes: BTreeMap<Prefix, &'p str>,
    rest: Option<&'p str>,
}

impl<'p> Bounds<'p> {
    fn of(subject: &Subject<'p>, open: BTreeSet<&'p str>) -> Bounds<'p> {
        let mut bounds = Bounds { open, prefixes: BTreeMap::new(), rest: None };
        for (name, network) in seen(&subject.policy.networks) {
            if network.value == Network::Rest {
                bounds.rest = Some(&name.value);
            }
            for prefix in network.value.prefixes() {
                bounds.prefixes.insert(prefix.value.0, &name.value);
            }
        }
        bounds
    }

    /// The network that holds a prefix, when no block is open from there. Silent where networks cannot be seen.
    fn outside(&self, prefix: Prefix) -> Option<&'p str> {
        let wider = (0..=prefix.length()).rev().map(|length| prefix.widened(length));
        let holds = wider.filter_map(|wider| self.prefixes.get(&wider).copied()).next().or(self.rest)?;
        (!self.open.is_empty() && !self.open.contains(holds)).then_some(holds)
    }
}
