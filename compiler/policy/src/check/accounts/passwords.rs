//! L0806 and L0807: passwords that expire, and who can change them then.

use plan::AtExpiry;

use crate::check::Subject;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::identity::PasswordRules;
use crate::model::network::Network;
use crate::syntax::{Entries, WordOr};

pub(super) fn check(subject: &Subject<'_>, password: &PasswordRules, sink: &mut Vec<Diagnostic>) {
    if password.renew_every.is_none() {
        return;
    }
    let renew = "identity.password.renew_every";
    let diagnostic = Diagnostic::new(Code::L0807, "forced periodic renewal")
        .help("current advice prefers length and breach checks; kept because the guide says so")
        .at(subject.place(renew), "")
        .rule(renew);
    let field = subject.spans.get(renew);
    let field = field.and_then(|value| crate::edits::field_entry(subject.sources, "renew_every", *value));
    sink.push(match field {
        Some(field) => diagnostic.edit(field, ""),
        None => diagnostic,
    });
    locked_out(subject, password, sink);
}

/// L0806.
fn locked_out(subject: &Subject<'_>, password: &PasswordRules, sink: &mut Vec<Diagnostic>) {
    // Without a list the page is open to all; who is only warned stays in.
    if password.change_from.is_empty() || password.at_expiry == AtExpiry::WarnOnly {
        return;
    }
    let more: Vec<String> = reading_networks(subject)
        .into_iter()
        .filter(|network| !password.change_from.values().any(|name| name == network))
        .collect();
    if more.is_empty() {
        return;
    }
    let quoted = |names: &[String]| names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    let from: Vec<String> = password.change_from.values().cloned().collect();
    let path = "identity.password.change_from";
    let message = format!(
        "passwords expire, can only be changed from {}, and mail is readable from {}",
        quoted(&from),
        quoted(&more)
    );
    let diagnostic = Diagnostic::new(Code::L0806, message)
        .help("someone always outside gets locked out")
        .at(subject.place(path), "")
        .also(subject.place("identity.password.renew_every"), "expires")
        .rule(path);
    let all: Vec<String> = from.into_iter().chain(more).collect();
    sink.push(match subject.spans.get(path) {
        Some(place) => diagnostic.edit(*place, format!("[{}]", quoted(&all))),
        None => diagnostic,
    });
}

/// Networks mail is read from, sorted. A front is no place where people are.
fn reading_networks(subject: &Subject<'_>) -> Vec<String> {
    let Some(networks) = subject.policy.networks.seen() else { return Vec::new() };
    let is_people = |name: &str| {
        networks.get(name).is_some_and(|network| match network.value {
            Network::In(_) | Network::Rest => true,
            Network::Front { .. } => false,
        })
    };
    let mut found: Vec<String> = Vec::new();
    for block in subject.policy.may_read.seen().into_iter().flat_map(Entries::values) {
        match &block.value.from.value {
            WordOr::Word(_) => found.extend(networks.keys().map(|name| name.value.clone())),
            WordOr::Value(names) => found.extend(names.values().cloned()),
        }
    }
    found.sort();
    found.dedup();
    found.retain(|name| is_people(name));
    found
}
