//! E0401, L0411, E0403 and ports: what listens, and whether passwords are safe there.

use std::collections::BTreeMap;

use plan::{ListenerAuth, Reach, Speaks, TlsMode};

use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::Policy;
use crate::model::network::{Listener, Names};
use crate::syntax::{Entries, Span, Spanned, WordOr};

pub(super) fn check(policy: &Policy, sink: &mut Vec<Diagnostic>) {
    let Some(listeners) = policy.listeners.seen() else { return };
    let mut doors: BTreeMap<(&mail::Domain, u32), (&str, Span)> = BTreeMap::new();
    for (name, listener) in listeners.iter() {
        let port = &listener.port;
        if !(1..=65_535).contains(&port.value) {
            let diagnostic = Diagnostic::new(Code::E0108, format!("{port} is out of range for a port (1–65535)"))
                .help("a port is 1–65535")
                .at(port.span, "")
                .rule(format!("listeners.{name}.port"));
            sink.push(diagnostic);
        }
        match doors.get(&(&listener.host.0, port.value)) {
            None => {
                doors.insert((&listener.host.0, port.value), (&name.value, port.span));
            }
            Some((other, place)) => sink.push(same_door(other, *place, name, listener)),
        }
        passwords(policy, name, listener, sink);
    }
}

/// E0403.
fn same_door(other: &str, place: Span, name: &Spanned<String>, listener: &Listener) -> Diagnostic {
    let message = format!("\"{other}\" and \"{name}\" both want {}:{}", listener.host.0, listener.port);
    Diagnostic::new(Code::E0403, message)
        .help("one port, one behaviour: merge them, or give one another host or port")
        .at(listener.port.span, "again here")
        .also(place, "first here")
        .rule(format!("listeners.{name}"))
}

/// E0401 where nothing protects the password; L0411 where something may.
fn passwords(policy: &Policy, name: &Spanned<String>, listener: &Listener, sink: &mut Vec<Diagnostic>) {
    let code = match (listener.auth.value, listener.tls_mode()) {
        (ListenerAuth::Required, TlsMode::None) => Code::E0401,
        (ListenerAuth::Required, TlsMode::Offered) => Code::L0411,
        (ListenerAuth::Required, TlsMode::Required | TlsMode::Implicit) | (ListenerAuth::Never, _) => return,
    };
    let exposed: Vec<String> =
        reached_from(policy, name).into_iter().filter(|network| !conceded(policy, listener, network)).collect();
    if exposed.is_empty() {
        return;
    }
    let networks = exposed.iter().map(|network| format!("\"{network}\"")).collect::<Vec<_>>().join(", ");
    let place = if listener.tls.span.is_empty() { listener.auth.span } else { listener.tls.span };
    let diagnostic = if code == Code::E0401 {
        let message = format!("listener \"{name}\" takes passwords in clear and is reachable from {networks}");
        Diagnostic::new(code, message)
            .help("`tls: StartTls(Required)` or `Implicit`")
            .at(place, "nothing is encrypted here")
    } else {
        let message = format!("\"{name}\" asks for logins and offers STARTTLS without requiring it to {networks}");
        Diagnostic::new(code, message).help("fine for mail from strangers, not for people").at(place, "")
    };
    let diagnostic = diagnostic.rule(format!("listeners.{name}.tls"));
    let mended = if matches!(listener.port.value, 465 | 993 | 995) { "Implicit" } else { "StartTls(Required)" };
    sink.push(if listener.tls.span.is_empty() { diagnostic } else { diagnostic.edit(listener.tls.span, mended) });
}

/// Networks with a block for this listener, sorted.
fn reached_from(policy: &Policy, listener: &Spanned<String>) -> Vec<String> {
    let mut networks: Vec<String> = Vec::new();
    let mut add = |connecting_to: &crate::syntax::Items<String>, from: &Names| {
        if !connecting_to.values().any(|name| *name == listener.value) {
            return;
        }
        match from {
            WordOr::Word(_) => {
                let all = policy.networks.seen().into_iter().flat_map(Entries::keys);
                networks.extend(all.map(|name| name.value.clone()));
            }
            WordOr::Value(names) => networks.extend(names.values().cloned()),
        }
    };
    policy.may_send.seen().into_iter().flat_map(Entries::values).for_each(|b| add(&b.connecting_to, &b.from));
    policy.may_receive.seen().into_iter().flat_map(Entries::values).for_each(|b| add(&b.connecting_to, &b.from));
    policy.may_read.seen().into_iter().flat_map(Entries::values).for_each(|b| add(&b.connecting_to, &b.from));
    networks.sort();
    networks.dedup();
    networks
}

/// Reading in clear is conceded where the written ceiling names `Imap` or `Pop` for that network (guide §5: inside).
fn conceded(policy: &Policy, listener: &Listener, network: &str) -> bool {
    let service = match listener.speaks {
        Speaks::Imap => Reach::Imap,
        Speaks::Pop => Reach::Pop,
        Speaks::Smtp | Speaks::Lmtp => return false,
    };
    let ceiling = policy.never_reachable_beyond.seen();
    // A derived ceiling has no place in the file and concedes nothing.
    let written =
        ceiling.into_iter().flat_map(Entries::iter).find(|(key, _)| key.value == service && !key.span.is_empty());
    match written.map(|(_, names)| &names.value) {
        Some(WordOr::Value(names)) => names.values().any(|name| name == network),
        Some(WordOr::Word(_)) => true,
        None => false,
    }
}
