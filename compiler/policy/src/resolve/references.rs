//! E0101 and E0902: references and what they may name.

use std::collections::BTreeSet;

use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::domain::MailDomain;
use crate::model::guarantee::{Guarantee, Via};
use crate::model::network::Names;
use crate::model::{Policy, Switch};
use crate::syntax::{Decoded, Entries, Items, Spanned, WordOr, near};

/// Enough for one run: looking for the nearest name costs as much as there are names.
const REPORTS_MAX: usize = 200;

/// Names of one kind.
struct Kind {
    what: &'static str,
    names: BTreeSet<String>,
    /// Some names cannot be seen because their section has mistakes: then nothing is unknown.
    hidden: bool,
}

impl Kind {
    fn of<V>(what: &'static str, section: &Decoded<Entries<V>>) -> Kind {
        let entries = section.seen();
        let names = entries.into_iter().flat_map(|entries| entries.keys().chain(entries.broken()));
        Kind {
            what,
            names: names.map(|name| name.value.clone()).collect(),
            hidden: entries.is_none() || section.has_mistakes() && entries.is_some_and(Entries::is_empty),
        }
    }

    fn judge(&self, name: &Spanned<String>, rule: &str, sink: &mut Vec<Diagnostic>) {
        self.judge_as(Code::E0101, name, rule, |what| format!("unknown {what} \"{name}\""), sink);
    }

    fn judge_as(
        &self,
        code: Code,
        name: &Spanned<String>,
        rule: &str,
        message: impl Fn(&str) -> String,
        sink: &mut Vec<Diagnostic>,
    ) {
        if self.hidden || self.names.contains(&name.value) || sink.len() >= REPORTS_MAX {
            return;
        }
        let diagnostic = Diagnostic::new(code, message(self.what))
            .help(near::help(name, self.names.iter().map(String::as_str)))
            .at(name.span, "")
            .rule(rule);
        sink.push(match near::nearest(name, self.names.iter().map(String::as_str)) {
            Some(near) => diagnostic.edit(name.span, format!("{near:?}")),
            None => diagnostic,
        });
    }

    fn judge_all(&self, names: &Items<String>, rule: &str, sink: &mut Vec<Diagnostic>) {
        for name in names {
            self.judge(name, rule, sink);
        }
    }

    fn judge_names(&self, names: &Names, rule: &str, sink: &mut Vec<Diagnostic>) {
        match names {
            WordOr::Word(_) => {}
            WordOr::Value(names) => self.judge_all(names, rule, sink),
        }
    }
}

struct Kinds {
    networks: Kind,
    listeners: Kind,
    send: Kind,
    profiles: Kind,
    scanners: Kind,
}

pub(super) fn check(policy: &Policy, sink: &mut Vec<Diagnostic>) {
    let profiles = match &policy.mailboxes {
        Decoded::Whole(mailboxes) | Decoded::Partial(mailboxes) => {
            let profiles = &mailboxes.profiles;
            let names = profiles.keys().chain(profiles.broken()).map(|name| name.value.clone()).collect();
            Kind { what: "profile", names, hidden: false }
        }
        Decoded::Absent | Decoded::Broken => Kind { what: "profile", names: BTreeSet::new(), hidden: true },
    };
    let kinds = Kinds {
        networks: Kind::of("network", &policy.networks),
        listeners: Kind::of("listener", &policy.listeners),
        send: Kind::of("sending block", &policy.may_send),
        scanners: Kind::of("scanner", &policy.scanners),
        profiles,
    };
    blocks(policy, &kinds, sink);
    clients(policy, &kinds, sink);
    domains(policy, &kinds, sink);
    limits(policy, &kinds, sink);
    content(policy, &kinds, sink);
    guarantees(policy, &kinds, sink);
}

fn blocks(policy: &Policy, kinds: &Kinds, sink: &mut Vec<Diagnostic>) {
    for (name, block) in policy.may_send.seen().into_iter().flat_map(Entries::iter) {
        kinds.listeners.judge_all(&block.connecting_to, &format!("may_send.{name}.connecting_to"), sink);
        kinds.networks.judge_names(&block.from, &format!("may_send.{name}.from"), sink);
        for profile in block.by_profile.keys() {
            kinds.profiles.judge(profile, &format!("may_send.{name}.by_profile"), sink);
        }
    }
    for (name, block) in policy.may_receive.seen().into_iter().flat_map(Entries::iter) {
        kinds.listeners.judge_all(&block.connecting_to, &format!("may_receive.{name}.connecting_to"), sink);
        kinds.networks.judge_names(&block.from, &format!("may_receive.{name}.from"), sink);
    }
    for (name, block) in policy.may_read.seen().into_iter().flat_map(Entries::iter) {
        kinds.listeners.judge_all(&block.connecting_to, &format!("may_read.{name}.connecting_to"), sink);
        kinds.networks.judge_names(&block.from, &format!("may_read.{name}.from"), sink);
    }
}

fn clients(policy: &Policy, kinds: &Kinds, sink: &mut Vec<Diagnostic>) {
    for (name, gateway) in policy.gateways.seen().into_iter().flat_map(Entries::iter) {
        kinds.listeners.judge_all(&gateway.on, &format!("gateways.{name}.on"), sink);
    }
    for (service, names) in policy.never_reachable_beyond.seen().into_iter().flat_map(Entries::iter) {
        kinds.networks.judge_names(names, &format!("never_reachable_beyond.{:?}", service.value), sink);
    }
    if let Some(identity) = policy.identity.seen() {
        kinds.networks.judge_all(&identity.password.change_from, "identity.password.change_from", sink);
    }
    if let Some(portal) = policy.portal.seen().and_then(Switch::on) {
        if let Some(from) = &portal.from {
            kinds.networks.judge_names(from, "portal.from", sink);
        }
        if let Some(from) = &portal.managers_from {
            kinds.networks.judge_all(&from.value, "portal.managers_from", sink);
        }
    }
    for (name, list) in policy.dns_lists.seen().into_iter().flat_map(Entries::iter) {
        kinds.listeners.judge_all(&list.on, &format!("dns_lists.{name}.on"), sink);
    }
    if let Some(strangers) = policy.strangers.seen() {
        kinds.networks.judge_all(&strangers.not_for, "strangers.not_for", sink);
    }
}

fn domains(policy: &Policy, kinds: &Kinds, sink: &mut Vec<Diagnostic>) {
    let Some(domains) = policy.domains.seen() else { return };
    for (key, domain) in domains.iter() {
        let rule = format!("domains.{}", key.value.0);
        match &domain.value {
            MailDomain::Held { profile: Some(profile), .. } => kinds.profiles.judge(profile, &rule, sink),
            MailDomain::Held { profile: None, .. } | MailDomain::PassOn { .. } => {}
            MailDomain::AliasOf(other) => alias(&key.value.0, other, domains, sink),
        }
    }
}

/// E0519.
fn alias(
    key: &str,
    other: &Spanned<crate::model::literal::DomainName>,
    domains: &Entries<MailDomain, crate::model::literal::DomainKey>,
    sink: &mut Vec<Diagnostic>,
) {
    let name = other.value.0.as_str();
    let target = domains.iter().find(|(key, _)| key.value.0 == name);
    let wrong = match target.map(|(_, domain)| &domain.value) {
        Some(MailDomain::Held { .. } | MailDomain::PassOn { .. }) => return,
        Some(MailDomain::AliasOf(_)) => "an alias",
        None if domains.broken().iter().any(|key| key.value.0 == name) => return,
        None => "undefined",
    };
    let diagnostic = Diagnostic::new(Code::E0519, format!("\"{key}\" is an alias of \"{name}\", which is {wrong}"))
        .help("point it at a held or passed-on domain")
        .at(other.span, "")
        .rule(format!("domains.{key}"));
    sink.push(diagnostic);
}

fn limits(policy: &Policy, kinds: &Kinds, sink: &mut Vec<Diagnostic>) {
    for (index, grant) in policy.limit_grants.seen().into_iter().flatten().enumerate() {
        kinds.send.judge(&grant.value.block, &format!("limit_grants[{index}].block"), sink);
    }
    if let Some(senders) = policy.senders.seen().and_then(Switch::on) {
        kinds.send.judge_all(&senders.of, "senders.of", sink);
    }
    if let Some(mailboxes) = policy.mailboxes.seen() {
        kinds.profiles.judge(&mailboxes.otherwise, "mailboxes.otherwise", sink);
    }
}

fn content(policy: &Policy, kinds: &Kinds, sink: &mut Vec<Diagnostic>) {
    if let Some(antivirus) = policy.antivirus.seen().and_then(Switch::on) {
        kinds.scanners.judge_all(&antivirus.engines, "antivirus.engines", sink);
    }
    if let Some(antispam) = policy.antispam.seen().and_then(Switch::on) {
        kinds.scanners.judge_all(&antispam.passes, "antispam.passes", sink);
    }
    for waiver in policy.waivers.seen().into_iter().flatten() {
        let lint = &waiver.value.lint;
        let lints: Vec<&str> = Code::ALL.iter().filter(|code| code.is_lint()).map(|code| code.as_str()).collect();
        if !lints.contains(&lint.value.as_str()) {
            let diagnostic = Diagnostic::new(Code::E0101, format!("unknown lint \"{lint}\""))
                .help("a waiver names one lint, for example \"L0502\"; an error cannot be waived")
                .at(lint.span, "");
            // Numbers are near one another: only another way of writing the same one is a slip.
            let meant = lint.value.trim().to_ascii_uppercase();
            sink.push(match lints.contains(&meant.as_str()) {
                true => diagnostic.edit(lint.span, format!("{meant:?}")),
                false => diagnostic,
            });
        }
    }
}

/// E0902: a promise about a network or engine that does not exist promises nothing.
fn guarantees(policy: &Policy, kinds: &Kinds, sink: &mut Vec<Diagnostic>) {
    for guarantee in policy.guarantees.seen().into_iter().flatten() {
        let plain = crate::lower::guarantee_name(&guarantee.value);
        if let Some(list) = names_nothing(&guarantee.value) {
            let diagnostic =
                Diagnostic::new(Code::E0902, format!("guarantee {plain} is empty: `{list}` names nothing"))
                    .help("an empty promise is worse than none")
                    .at(guarantee.span, "");
            sink.push(diagnostic);
        }
        let mut empty = |kind: &Kind, name: &Spanned<String>| {
            let message = |what: &str| format!("guarantee {plain} is empty: {what} \"{name}\" does not exist");
            kind.judge_as(Code::E0902, name, "guarantees", message, sink);
        };
        match &guarantee.value {
            Guarantee::NobodyPosesAsUs { from }
            | Guarantee::NoClearPassword { from }
            | Guarantee::NotReachable { from, .. }
            | Guarantee::OnlyFrom(from) => from.iter().for_each(|name| empty(&kinds.networks, name)),
            Guarantee::EveryMessageScanned { by, .. } => by.iter().for_each(|name| empty(&kinds.scanners, name)),
            Guarantee::AtMost { via: Via::Block(name), .. } => empty(&kinds.send, name),
            Guarantee::AtMost { via: Via::AnyBlock, .. }
            | Guarantee::NoOpenRelay
            | Guarantee::VirusIsSilent { .. }
            | Guarantee::SpamIsAlwaysDelivered
            | Guarantee::EveryLossIsRecorded
            | Guarantee::RedirectsStayProfessional
            | Guarantee::SameServiceForAll { .. }
            | Guarantee::NoMailLeaves => {}
        }
    }
}

/// The list of a guarantee that is empty, so that it is kept whatever happens. `OnlyFrom([])` promises most of all.
fn names_nothing(guarantee: &Guarantee) -> Option<&'static str> {
    match guarantee {
        Guarantee::NotReachable { what, .. } if what.is_empty() => Some("what"),
        Guarantee::NobodyPosesAsUs { from }
        | Guarantee::NoClearPassword { from }
        | Guarantee::NotReachable { from, .. } => from.is_empty().then_some("from"),
        Guarantee::EveryMessageScanned { by, .. } if by.is_empty() => Some("by"),
        Guarantee::EveryMessageScanned { on, .. } | Guarantee::VirusIsSilent { on } => on.is_empty().then_some("on"),
        Guarantee::AtMost { .. }
        | Guarantee::OnlyFrom(_)
        | Guarantee::NoOpenRelay
        | Guarantee::SpamIsAlwaysDelivered
        | Guarantee::EveryLossIsRecorded
        | Guarantee::RedirectsStayProfessional
        | Guarantee::SameServiceForAll { .. }
        | Guarantee::NoMailLeaves => None,
    }
}
