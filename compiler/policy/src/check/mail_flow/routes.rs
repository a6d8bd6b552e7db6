//! E0508, E0515, L0516: hosts written in the policy that take mail.

use std::collections::BTreeMap;

use super::seen;
use crate::check::{Subject, mending};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::domain::{MailDomain, NextHop, PassOnRecipients, Remote};

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let ours = our_hosts(subject);
    for (key, domain) in seen(&subject.policy.domains) {
        let MailDomain::PassOn { next_hop, recipients } = &domain.value else { continue };
        let path = format!("domains.{}", key.value.0);
        let hop = format!("{path}.next_hop");
        if host(next_hop) == key.value.0 {
            let message = format!("the next hop of \"{}\" is that domain itself", key.value.0);
            let report = Diagnostic::new(Code::E0515, message)
                .help("write the host: what DNS says of a passed-on domain is us")
                .at(subject.place(&hop), "")
                .rule(path.clone());
            sink.push(report);
        } else {
            back_to_us(subject, &ours, endpoint(next_hop), &hop, &path, sink);
        }
        if *recipients == PassOnRecipients::Any {
            let any = format!("{path}.recipients");
            let report = Diagnostic::new(Code::L0516, format!("\"{}\" passes on `Any` recipient", key.value.0))
                .help("the next hop refuses after we accepted, and we bounce to forged senders; `Directory` or `AskThere`")
                .at(subject.place(&any), "")
                .rule(path);
            sink.push(mending::value(subject, report, &any, "AskThere(cache: \"10 min\")"));
        }
    }
    let Some(routes) = subject.policy.routes.seen() else { return };
    for (name, home) in routes.homes.iter() {
        let path = format!("routes.homes.{name}");
        back_to_us(subject, &ours, endpoint(&home.value), &path, &path, sink);
    }
    if let Remote::Smarthost(smart_host) = &routes.remote {
        back_to_us(subject, &ours, &smart_host.0, "routes.remote", "routes.remote", sink);
    }
}

/// Hosts of listeners under every name they have, and the listener that has each.
fn our_hosts<'p>(subject: &Subject<'p>) -> BTreeMap<&'p str, &'p str> {
    let mut hosts = BTreeMap::new();
    for (name, listener) in seen(&subject.policy.listeners) {
        for host in std::iter::once(&listener.host).chain(listener.also.values()) {
            hosts.entry(host.0.as_str()).or_insert(name.value.as_str());
        }
    }
    hosts
}

/// E0508.
fn back_to_us(
    subject: &Subject<'_>,
    ours: &BTreeMap<&str, &str>,
    endpoint: &str,
    at: &str,
    rule: &str,
    sink: &mut Vec<Diagnostic>,
) {
    let Some(listener) = ours.get(without_port(endpoint)) else { return };
    let message = format!("route or next hop `{endpoint}` leads back to listener \"{listener}\"");
    let report = Diagnostic::new(Code::E0508, message)
        .help("mail would loop; write the host that keeps this mail")
        .at(subject.place(at), "")
        .also(subject.place(&format!("listeners.{listener}")), "listens under that name")
        .rule(rule);
    sink.push(report);
}

fn endpoint(hop: &NextHop) -> &str {
    match hop {
        NextHop::Lmtp(endpoint) | NextHop::Smtp(endpoint) => &endpoint.0,
    }
}

fn host(hop: &NextHop) -> &str {
    without_port(endpoint(hop))
}

fn without_port(endpoint: &str) -> &str {
    endpoint.rsplit_once(':').map_or(endpoint, |(host, _)| host)
}
