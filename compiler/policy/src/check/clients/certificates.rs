//! E0409: what a certificate must cover.

use std::collections::BTreeMap;

use plan::{ListenerAuth, Speaks};

use crate::check::Subject;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::edits;
use crate::model::network::Listener;
use crate::syntax::{Span, Spanned};

/// What clients take for one service: they reach it by any of its names, on whichever port their program knows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Service<'p> {
    host: &'p mail::Domain,
    speaks: Speaks,
    logins: bool,
}

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    names(subject, sink);
}

/// E0409: a name that one listener of a service has is a name of all of them, and each certificate must cover it.
fn names(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let Some(listeners) = subject.policy.listeners.seen() else { return };
    let mut known: BTreeMap<Service<'_>, BTreeMap<&mail::Domain, Span>> = BTreeMap::new();
    for (_, listener) in listeners.iter() {
        let names = known.entry(service(listener)).or_default();
        for name in &listener.also {
            names.entry(&name.value.0).or_insert(name.span);
        }
    }
    for (name, listener) in listeners.iter() {
        let Some(names) = known.get(&service(listener)) else { continue };
        let missing = names.iter().find(|(other, _)| {
            **other != &listener.host.0 && !listener.also.values().any(|name| name.0 == ***other)
        });
        if let Some((missing, elsewhere)) = missing {
            sink.push(report(subject, name, listener, missing, *elsewhere));
        }
    }
}

fn service(listener: &Listener) -> Service<'_> {
    let logins = listener.auth.value == ListenerAuth::Required;
    Service { host: &listener.host.0, speaks: listener.speaks, logins }
}

fn report(
    subject: &Subject<'_>,
    name: &Spanned<String>,
    listener: &Spanned<Listener>,
    missing: &mail::Domain,
    elsewhere: Span,
) -> Diagnostic {
    let path = format!("listeners.{name}.also");
    let place = if subject.is_written(&path) { subject.place(&path) } else { name.span };
    let diagnostic = Diagnostic::new(
        Code::E0409,
        format!("certificate of \"{name}\" does not cover \"{missing}\" (`also`)"),
    )
    .help("add it to the request")
    .at(place, "clients reach it by that name too")
    .also(elsewhere, "the same host has it here")
    .rule(format!("listeners.{name}"));
    let mending = if subject.is_written(&path) {
        edits::appended(subject.sources, place, &format!("\"{missing}\""))
    } else {
        edits::appended(subject.sources, listener.span, &format!("also: [\"{missing}\"]"))
    };
    match mending {
        Some((place, text)) => diagnostic.edit(place, text),
        None => diagnostic,
    }
}
