//! L0117: what is defined and never used. Profiles and homes are not judged: people have them, and people are no part
//! of a policy.

use std::collections::BTreeSet;

use crate::check::Subject;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::edits;
use crate::model::guarantee::Guarantee;
use crate::model::network::{Names, Network};
use crate::model::{Policy, Switch};
use crate::syntax::{Entries, Items, Span, Spanned, WordOr};

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    blocks(subject, sink);
    let policy = subject.policy;
    let hidden = policy.may_send.has_mistakes() || policy.may_receive.has_mistakes() || policy.may_read.has_mistakes();
    if hidden {
        return;
    }
    listeners(subject, sink);
    networks(subject, sink);
    scanners(subject, sink);
}

/// A block without listeners or networks, a gateway without listeners.
fn blocks(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let policy = subject.policy;
    let mut judge = |section: &str, kind: &str, name: &Spanned<String>, value: Span, lists: &[Option<usize>]| {
        if lists.contains(&Some(0)) {
            sink.push(report(subject, section, kind, name, value));
        }
    };
    for (name, block) in policy.may_send.sound().into_iter().flat_map(Entries::iter) {
        let lists = [Some(block.connecting_to.len()), written(&block.from.value)];
        judge("may_send", "sending block", name, block.span, &lists);
    }
    for (name, block) in policy.may_receive.sound().into_iter().flat_map(Entries::iter) {
        let lists = [Some(block.connecting_to.len()), written(&block.from.value)];
        judge("may_receive", "receiving block", name, block.span, &lists);
    }
    for (name, block) in policy.may_read.sound().into_iter().flat_map(Entries::iter) {
        let lists = [Some(block.connecting_to.len()), written(&block.from.value)];
        judge("may_read", "reading block", name, block.span, &lists);
    }
    for (name, gateway) in policy.gateways.sound().into_iter().flat_map(Entries::iter) {
        judge("gateways", "gateway", name, gateway.span, &[Some(gateway.on.len())]);
    }
}

fn written(names: &Names) -> Option<usize> {
    names.value().map(|names| names.len())
}

fn listeners(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let policy = subject.policy;
    if policy.gateways.has_mistakes() {
        return;
    }
    let mut used: BTreeSet<&str> = BTreeSet::new();
    each_block(policy, |connecting_to, _| used.extend(connecting_to.values().map(String::as_str)));
    let gateways = policy.gateways.seen().into_iter().flat_map(Entries::values);
    used.extend(gateways.flat_map(|gateway| gateway.on.values()).map(String::as_str));
    for (name, listener) in policy.listeners.seen().into_iter().flat_map(Entries::iter) {
        if !used.contains(name.value.as_str()) {
            sink.push(report(subject, "listeners", "listener", name, listener.span));
        }
    }
}

fn networks(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let policy = subject.policy;
    let hidden = policy.never_reachable_beyond.has_mistakes()
        || policy.strangers.has_mistakes()
        || policy.identity.has_mistakes()
        || policy.portal.has_mistakes()
        || policy.guarantees.has_mistakes();
    let mut everywhere = false;
    let mut used: BTreeSet<&str> = BTreeSet::new();
    each_block(policy, |_, from| match from {
        WordOr::Word(_) => everywhere = true,
        WordOr::Value(names) => used.extend(names.values().map(String::as_str)),
    });
    if hidden || everywhere {
        return;
    }
    for names in policy.never_reachable_beyond.seen().into_iter().flat_map(Entries::values) {
        // `Everywhere` allows all and names none.
        used.extend(names.value.value().into_iter().flat_map(Items::values).map(String::as_str));
    }
    if let Some(strangers) = policy.strangers.seen().filter(|_| subject.is_written("strangers")) {
        used.extend(strangers.not_for.values().map(String::as_str));
    }
    if let Some(identity) = policy.identity.seen() {
        used.extend(identity.password.change_from.values().map(String::as_str));
    }
    if let Some(portal) = policy.portal.seen().and_then(Switch::on) {
        used.extend(portal.from.iter().filter_map(WordOr::value).flat_map(Items::values).map(String::as_str));
        used.extend(portal.managers_from.iter().flat_map(|names| names.value.values()).map(String::as_str));
    }
    for guarantee in policy.guarantees.seen().into_iter().flatten() {
        match &guarantee.value {
            Guarantee::NobodyPosesAsUs { from }
            | Guarantee::NoClearPassword { from }
            | Guarantee::NotReachable { from, .. }
            | Guarantee::OnlyFrom(from) => used.extend(from.values().map(String::as_str)),
            Guarantee::NoOpenRelay
            | Guarantee::EveryMessageScanned { .. }
            | Guarantee::VirusIsSilent { .. }
            | Guarantee::SpamIsAlwaysDelivered
            | Guarantee::EveryLossIsRecorded
            | Guarantee::RedirectsStayProfessional
            | Guarantee::SameServiceForAll { .. }
            | Guarantee::AtMost { .. }
            | Guarantee::NoMailLeaves => {}
        }
    }
    for (name, network) in policy.networks.seen().into_iter().flat_map(Entries::iter) {
        // `Rest` is everything else, whether or not it may do anything.
        if network.value != Network::Rest && !used.contains(name.value.as_str()) {
            sink.push(report(subject, "networks", "network", name, network.span));
        }
    }
}

fn scanners(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let policy = subject.policy;
    if policy.antivirus.has_mistakes() || policy.antispam.has_mistakes() || !subject.is_written("scanners") {
        return;
    }
    let engines = policy.antivirus.seen().and_then(Switch::on).map(|antivirus| antivirus.engines.values());
    let passes = policy.antispam.seen().and_then(Switch::on).map(|antispam| antispam.passes.values());
    let used: BTreeSet<&str> =
        engines.into_iter().flatten().chain(passes.into_iter().flatten()).map(String::as_str).collect();
    for (name, scanner) in policy.scanners.seen().into_iter().flat_map(Entries::iter) {
        if subject.is_written(&format!("scanners.{name}")) && !used.contains(name.value.as_str()) {
            sink.push(report(subject, "scanners", "scanner", name, scanner.span));
        }
    }
}

fn each_block<'p>(policy: &'p Policy, mut take: impl FnMut(&'p Items<String>, &'p Names)) {
    let send = policy.may_send.seen().into_iter().flat_map(Entries::values);
    send.for_each(|block| take(&block.value.connecting_to, &block.value.from.value));
    let receive = policy.may_receive.seen().into_iter().flat_map(Entries::values);
    receive.for_each(|block| take(&block.value.connecting_to, &block.value.from.value));
    let read = policy.may_read.seen().into_iter().flat_map(Entries::values);
    read.for_each(|block| take(&block.value.connecting_to, &block.value.from.value));
}

fn report(subject: &Subject<'_>, section: &str, kind: &str, name: &Spanned<String>, value: Span) -> Diagnostic {
    let path = format!("{section}.{name}");
    let diagnostic = Diagnostic::new(Code::L0117, format!("{kind} \"{name}\" is never used"))
        .help("delete it, or is a reference missing?")
        .at(if subject.is_written(&path) { name.span } else { subject.place(&path) }, "")
        .rule(path.as_str());
    if !subject.is_written(&path) {
        return diagnostic;
    }
    diagnostic.edit(edits::entry(subject.sources, edits::join(name.span, value)), "")
}
