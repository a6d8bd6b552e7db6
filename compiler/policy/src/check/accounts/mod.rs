//! E08xx and L08xx: logins, addresses and passwords that people cannot get wrong by accident.

mod automaton;
mod directory;
mod logins;
mod passwords;
#[cfg(test)]
mod tests;

use super::Subject;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::identity::{Homonyms, Identity};

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let Some(identity) = subject.policy.identity.seen() else { return };
    homonyms(subject, identity, sink);
    logins::check(subject, identity, sink);
    passwords::check(subject, &identity.password, sink);
    if let Some(ldap) = &identity.ldap {
        directory::check(subject, ldap, sink);
    }
}

/// E0801: two people of one name are sure to come.
fn homonyms(subject: &Subject<'_>, identity: &Identity, sink: &mut Vec<Diagnostic>) {
    let suffix = "identity.address.homonyms.suffix";
    let message = match &identity.address.homonyms {
        Some(Homonyms::AskDirectory) => return,
        Some(Homonyms::Append { suffix, .. }) if suffix.matches("{n}").count() == 1 => return,
        Some(Homonyms::Append { .. }) => "two people can get the same address: the suffix of `homonyms` lacks `{n}`",
        None => "two people can get the same address and `homonyms` is not set",
    };
    let diagnostic = Diagnostic::new(Code::E0801, message)
        .help("`AskDirectory` or `Append(...)`; logins are told apart, addresses are not")
        .at(subject.place(if subject.is_written(suffix) { suffix } else { "identity.address" }), "")
        .rule("identity.address.homonyms");
    sink.push(match subject.spans.get(suffix) {
        Some(place) => diagnostic.edit(*place, "\".{n}\""),
        None => extended(subject, diagnostic, "identity.address", "homonyms: AskDirectory"),
    });
}

/// One more field of a group that stands in the file.
fn extended(subject: &Subject<'_>, diagnostic: Diagnostic, path: &str, member: &str) -> Diagnostic {
    let added = subject.spans.get(path).and_then(|place| crate::edits::appended(subject.sources, *place, member));
    match added {
        Some((place, text)) => diagnostic.edit(place, text),
        None => diagnostic,
    }
}
