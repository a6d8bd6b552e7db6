//! E0409 and E0417: what a certificate must cover, and what a public authority can vouch for.

use std::collections::BTreeMap;

use plan::{ListenerAuth, Speaks};

use crate::check::Subject;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::edits;
use crate::model::network::{Certificate, Listener};
use crate::syntax::{Entries, Span, Spanned};

/// What clients take for one service: they reach it by any of its names, on whichever port their program knows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Service<'p> {
    host: &'p mail::Domain,
    speaks: Speaks,
    logins: bool,
}

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    // A field with a mistake is missing, and what it says is not known.
    if subject.policy.listeners.sound().is_some() {
        names(subject, sink);
        public_names(subject, sink);
    }
}

/// E0417, for the host and its other names: all are in one order.
fn public_names(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let Some(tls) = subject.policy.tls.seen() else { return };
    let list = decide::PublicSuffixes::pinned();
    for (name, listener) in subject.policy.listeners.seen().into_iter().flat_map(Entries::iter) {
        match listener.certificate.as_ref().unwrap_or(&tls.certificate) {
            Certificate::Acme(_) => {}
            Certificate::Internal | Certificate::SelfSigned => continue,
        }
        let host = (&listener.host.0, format!("listeners.{name}.host"));
        let also = listener.also.values().map(|also| (&also.0, format!("listeners.{name}.also")));
        let unknown = |(domain, _): &(&mail::Domain, String)| list.unknown_suffix_of(domain).is_some_and(is_private);
        let Some((domain, path)) = std::iter::once(host).chain(also).find(unknown) else { continue };
        let suffix = list.unknown_suffix_of(domain).unwrap_or_default();
        let message = format!("`Acme` cannot issue for {domain}: {suffix} is no public name");
        let diagnostic = Diagnostic::new(Code::E0417, message)
            .help("`certificate: Internal` on that listener; one refused name fails the whole order")
            .at(subject.place(&path), "")
            .rule(format!("listeners.{name}"));
        let own = format!("listeners.{name}.certificate");
        let mending = if subject.is_written(&own) {
            // The place of `Acme("…")` is that of the contact alone.
            None
        } else {
            edits::appended(subject.sources, listener.span, "certificate: Internal")
        };
        sink.push(match mending {
            Some((place, text)) => diagnostic.edit(place, text),
            None => diagnostic,
        });
    }
}

/// `example` is for documents (RFC 2606): it stands for a public name.
fn is_private(suffix: &str) -> bool {
    suffix != "example"
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
        let missing = names
            .iter()
            .find(|(other, _)| **other != &listener.host.0 && !listener.also.values().any(|name| name.0 == ***other));
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
    let diagnostic =
        Diagnostic::new(Code::E0409, format!("certificate of \"{name}\" does not cover \"{missing}\" (`also`)"))
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
