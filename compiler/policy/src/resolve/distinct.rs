//! E0119: networks, listeners, blocks, gateways and applications have different names.

use std::collections::BTreeMap;

use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::{Policy, Switch};
use crate::syntax::{Decoded, Entries, Span, Spanned};

pub(super) fn check(policy: &Policy, sink: &mut Vec<Diagnostic>) {
    let mut seen: BTreeMap<&str, (&'static str, Span)> = BTreeMap::new();
    let mut names: Vec<(&'static str, &Spanned<String>)> = Vec::new();
    names.extend(keys(&policy.networks).map(|name| ("network", name)));
    names.extend(keys(&policy.listeners).map(|name| ("listener", name)));
    names.extend(keys(&policy.gateways).map(|name| ("gateway", name)));
    names.extend(keys(&policy.may_send).map(|name| ("sending block", name)));
    names.extend(keys(&policy.may_receive).map(|name| ("receiving block", name)));
    names.extend(keys(&policy.may_read).map(|name| ("reading block", name)));
    let senders = policy.senders.seen().and_then(Switch::on);
    names.extend(senders.into_iter().flat_map(|senders| senders.known.keys()).map(|name| ("application", name)));
    for (kind, name) in names {
        match seen.get(name.value.as_str()) {
            None => {
                seen.insert(&name.value, (kind, name.span));
            }
            // Twice in one map is E0004, said by the reader.
            Some((first_kind, _)) if *first_kind == kind => {}
            Some((first_kind, first)) => {
                let message = format!("\"{name}\" is both a {first_kind} and a {kind}");
                let message = message.replace("a application", "an application");
                let diagnostic = Diagnostic::new(Code::E0119, message)
                    .help("give them different names; refusals and pages show only the name")
                    .at(name.span, "again here")
                    .also(*first, "first here");
                sink.push(diagnostic);
            }
        }
    }
}

fn keys<V>(section: &Decoded<Entries<V>>) -> impl Iterator<Item = &Spanned<String>> {
    section.seen().into_iter().flat_map(|entries| entries.keys().chain(entries.broken()))
}
