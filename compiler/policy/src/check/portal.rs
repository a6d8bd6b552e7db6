//! E0820 to E0824 and L0833: who reaches the portal, how people come in, and what guards their passwords.

use std::ops::RangeInclusive;

use super::{Subject, mending};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::Switch;
use crate::model::identity::{Identity, SecondFactor, SignIn};
use crate::model::literal::Url;
use crate::model::network::Network;
use crate::model::portal::Portal;
use crate::syntax::{Spanned, WordOr};
use crate::table::value::span;

const IDLE_S: RangeInclusive<u64> = 60..=86_400;
const SESSION_S_MAX: u64 = 7 * 86_400;
/// Where nothing is written; `lower` has the same.
const IDLE_S_DEFAULT: u64 = 30 * 60;
const MEMORY_KIB_MAX: u64 = 1_048_576;
const PASSES_MAX: u32 = 20;
const LANES_MAX: u32 = 8;
/// Memory in MiB and the passes it needs: the table of OWASP for Argon2id.
const PASSES: [(u64, u32); 5] = [(46, 1), (19, 2), (12, 3), (9, 4), (7, 5)];

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let portal = subject.policy.portal.seen().and_then(Switch::on);
    if let Some(portal) = portal {
        place(subject, portal, sink);
        sessions(subject, portal, sink);
        networks(subject, portal, sink);
    }
    let Some(identity) = subject.policy.identity.seen() else { return };
    ways_in(subject, identity, portal.is_some(), sink);
    hash(subject, identity, sink);
    if let Some(portal) = portal {
        second_factor(subject, identity, portal, sink);
    }
}

/// E0820.
fn place(subject: &Subject<'_>, portal: &Portal, sink: &mut Vec<Diagnostic>) {
    let url = portal.at.value.0.as_str();
    let path = "portal.at";
    let mut report = |wrong: &str, mended: Option<String>| {
        let report = Diagnostic::new(Code::E0820, format!("`portal.at` {wrong}"))
            .help("write \"https://host\"")
            .at(portal.at.span, "")
            .rule(path);
        sink.push(match mended {
            Some(mended) => mending::value(subject, report, path, &format!("{mended:?}")),
            None => report,
        });
    };
    let Some(rest) = url.strip_prefix("https://") else {
        report("is reachable without TLS", Some(url.replacen("http://", "https://", 1)));
        return;
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let name = host.split(':').next().unwrap_or_default();
    if rest.trim_end_matches('/') != host {
        report("has a path", Some(format!("https://{host}")));
    } else if name.parse::<mail::Domain>().map_or(true, |name| name.is_literal())
        || name.parse::<std::net::Ipv4Addr>().is_ok()
    {
        report("names no host", None);
    }
}

/// E0821.
fn sessions(subject: &Subject<'_>, portal: &Portal, sink: &mut Vec<Diagnostic>) {
    let mut report = |path: &str, message: String, mended: &str| {
        let report = Diagnostic::new(Code::E0821, message)
            .help("`idle` from 1 min, `at_most` up to 7 days, and no shorter than `idle`")
            .at(subject.place(path), "")
            .rule(path);
        sink.push(mending::value(subject, report, path, mended));
    };
    let idle_s = portal.idle.as_ref().map_or(IDLE_S_DEFAULT, |idle| idle.value.0);
    if !IDLE_S.contains(&idle_s) {
        report(
            "portal.idle",
            format!("a session of the portal would last {} without a request", span(idle_s)),
            "\"30 min\"",
        );
    }
    if let Some(at_most) = portal.at_most.as_ref().map(|at_most| at_most.value.0)
        && (at_most > SESSION_S_MAX || at_most < idle_s)
    {
        report("portal.at_most", format!("a session of the portal would last {} in all", span(at_most)), "\"12 h\"");
    }
}

/// E0822.
fn networks(subject: &Subject<'_>, portal: &Portal, sink: &mut Vec<Diagnostic>) {
    let Some(WordOr::Value(from)) = &portal.from else { return };
    let mut judge = |name: &Spanned<String>, does: &str, path: &str| {
        if !from.values().any(|known| *known == name.value) {
            let report = Diagnostic::new(Code::E0822, format!("\"{name}\" {does}, and does not reach the portal"))
                .help("add it to `portal.from`, or take it away")
                .at(name.span, "")
                .also(subject.place("portal.from"), "who reaches it")
                .rule(path);
            sink.push(mending::without_item(subject, report, name.span));
        }
    };
    for name in portal.managers_from.iter().flat_map(|names| names.value.iter()) {
        judge(name, "is for managers", "portal.managers_from");
    }
    let Some(identity) = subject.policy.identity.seen() else { return };
    let elsewhere = identity.password.change_at.as_ref().is_some_and(|at| !at.value.0.starts_with(&portal.at.value.0));
    if !elsewhere {
        for name in &identity.password.change_from {
            judge(name, "changes passwords", "identity.password.change_from");
        }
    }
}

/// E0823.
fn ways_in(subject: &Subject<'_>, identity: &Identity, has_portal: bool, sink: &mut Vec<Diagnostic>) {
    for (index, way) in identity.sign_in.iter().enumerate() {
        let path = format!("identity.sign_in[{index}]");
        let mut report = |path: &str, wrong: &str, url: Option<&Spanned<Url>>| {
            let place = url.map_or(way.span, |url| url.span);
            let report = Diagnostic::new(Code::E0823, format!("`{path}` {wrong}"))
                .help("write an https URL and names that stand for something; `portal: (at: \"https://…\")`")
                .at(place, "")
                .rule(path);
            sink.push(match url {
                Some(url) => report.edit(url.span, format!("{:?}", url.value.0.replacen("http://", "https://", 1))),
                None => report,
            });
        };
        if !has_portal && !subject.policy.portal.has_mistakes() {
            report(&path, "needs a portal, and there is none", None);
        }
        let (field, url) = match &way.value {
            SignIn::Oidc { issuer, .. } => ("issuer", issuer),
            SignIn::Cas { at } => ("at", at),
        };
        if !url.value.0.starts_with("https://") {
            report(&format!("{path}.{field}"), "is reached without TLS", Some(url));
        }
        if let SignIn::Oidc { client_id, login_claim, .. } = &way.value {
            for (field, text) in [("client_id", client_id), ("login_claim", login_claim)] {
                if text.trim().is_empty() {
                    report(&format!("{path}.{field}"), "names nothing", None);
                }
            }
        }
    }
    if let Some(factor) = &identity.password.second_factor
        && let SecondFactor::Required { for_ } = &factor.value
    {
        let wrong = if for_.is_empty() {
            "names nothing"
        } else if !has_portal && !subject.policy.portal.has_mistakes() {
            "needs a portal, and there is none"
        } else {
            return;
        };
        let path = "identity.password.second_factor";
        let report = Diagnostic::new(Code::E0823, format!("`{path}` {wrong}"))
            .help("`Required(for: [Manager, Administrator])`, or `Offered`")
            .at(factor.span, "")
            .rule(path);
        sink.push(mending::value(subject, report, path, "Offered"));
    }
}

/// E0824.
fn hash(subject: &Subject<'_>, identity: &Identity, sink: &mut Vec<Diagnostic>) {
    let Some(hash) = &identity.password.hash else { return };
    let (memory_kib, passes, lanes) = (hash.value.memory.0 / 1_024, hash.value.passes, hash.value.lanes);
    let needed = PASSES.iter().find(|(mib, _)| memory_kib >= mib * 1_024).map(|(_, passes)| *passes);
    let wrong = if memory_kib > MEMORY_KIB_MAX || passes > PASSES_MAX || !(1..=LANES_MAX).contains(&lanes) {
        "takes more than a login may"
    } else if needed.is_none_or(|needed| passes < needed) {
        "makes a stolen file of verifiers cheap to guess"
    } else {
        return;
    };
    let path = "identity.password.hash";
    let report = Diagnostic::new(Code::E0824, format!("`hash` {wrong}"))
        .help("e.g. (memory: \"7 MiB\", passes: 5, lanes: 1) or (memory: \"19 MiB\", passes: 2, lanes: 1)")
        .at(hash.span, "")
        .rule(path);
    sink.push(mending::value(subject, report, path, "(memory: \"7 MiB\", passes: 5, lanes: 1)"));
}

/// L0833: the network of strangers is among those managers come from.
fn second_factor(subject: &Subject<'_>, identity: &Identity, portal: &Portal, sink: &mut Vec<Diagnostic>) {
    let asked = |factor: &Spanned<SecondFactor>| match &factor.value {
        SecondFactor::Required { for_ } => for_.values().any(|role| *role == plan::RoleName::Manager),
        SecondFactor::Offered | SecondFactor::Never => false,
    };
    let Some(from) = &portal.managers_from else { return };
    let Some(networks) = subject.policy.networks.seen() else { return };
    if identity.password.second_factor.as_ref().is_some_and(asked) {
        return;
    }
    let is_rest = |name: &&Spanned<String>| {
        networks.get(name.value.as_str()).is_some_and(|network| network.value == Network::Rest)
    };
    let Some(rest) = from.value.iter().find(is_rest) else { return };
    let report =
        Diagnostic::new(Code::L0833, format!("managers reach the portal from \"{rest}\" with a password alone"))
            .help("`second_factor: Required(for: [Manager, Administrator])`, or narrow `managers_from`")
            .at(rest.span, "")
            .rule("portal.managers_from");
    sink.push(mending::without_item(subject, report, rest.span));
}
