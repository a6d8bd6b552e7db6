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
    forms(subject, identity, sink);
    homonyms(subject, identity, sink);
    logins::check(subject, identity, sink);
    passwords::check(subject, &identity.password, sink);
    if let Some(ldap) = &identity.ldap {
        directory::check(subject, ldap, sink);
    }
}

/// The longest address (RFC 5321 4.5.3.1): a form gives no shorter one.
pub(crate) const FORM_OCTETS_MAX: usize = 64 + 1 + 255;

/// E0104: forms that give no address to anybody.
fn forms(subject: &Subject<'_>, identity: &Identity, sink: &mut Vec<Diagnostic>) {
    let mut judge = |field: &str, form: &str, example: Option<String>| {
        let fits = form.len() <= FORM_OCTETS_MAX;
        if fits && example.is_none_or(|example| example.parse::<mail::Address>().is_ok()) {
            return;
        }
        let path = format!("identity.address.{field}");
        let quoted: String = form.chars().take(40).collect();
        let diagnostic =
            Diagnostic::new(Code::E0104, format!("expected a form of addresses, found a text: `{quoted}`"))
                .help("for example `\"{First}.{Last}@example.org\"`")
                .at(subject.place(&path), "")
                .rule(path);
        sink.push(diagnostic);
    };
    let rules = &identity.address;
    let official = &rules.official.value;
    let short = official.len() <= FORM_OCTETS_MAX;
    let toto = short.then(|| decide::login::official_form(official, "Jean", "Toto"));
    judge("official", official, toto);
    judge("former", &rules.former, None);
    judge("function", &rules.function, None);
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
