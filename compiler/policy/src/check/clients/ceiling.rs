//! E0404, L0413 and L0414: blocks open doors, the ceiling says how far each may ever be open.

use std::collections::{BTreeMap, BTreeSet};

use plan::{Reach, Speaks};

use super::pairs::{Open, Opened};
use crate::check::Subject;
use crate::codes::Code;
use crate::defaults::service;
use crate::diagnostic::Diagnostic;
use crate::edits;
use crate::model::network::Names;
use crate::syntax::{Span, Spanned, WordOr};

type Ceiling<'p> = BTreeMap<Reach, (&'p Spanned<Reach>, &'p Spanned<Names>)>;

pub(super) fn check(subject: &Subject<'_>, opened: &Opened<'_>, sink: &mut Vec<Diagnostic>) {
    // A ceiling with mistakes may allow what it seems to forbid.
    let Some(ceiling) = subject.policy.never_reachable_beyond.sound() else { return };
    let ceiling: Ceiling<'_> = ceiling.iter().map(|(service, names)| (service.value, (service, names))).collect();
    // The same goes for listeners: without its `tls` one is another service.
    let blocks = opened.blocks.iter().filter(|_| subject.policy.listeners.sound().is_some());
    for block in blocks {
        beyond(subject, opened, &ceiling, block, sink);
    }
    clear_reading(subject, opened, &ceiling, sink);
    nothing_there(subject, opened, &ceiling, sink);
}

/// E0404, once for each block and service.
fn beyond(
    subject: &Subject<'_>,
    opened: &Opened<'_>,
    ceiling: &Ceiling<'_>,
    block: &Open<'_>,
    sink: &mut Vec<Diagnostic>,
) {
    let mut services: BTreeMap<Reach, Vec<&str>> = BTreeMap::new();
    for name in block.connecting_to.values() {
        let Some(listener) = opened.listeners.get(name.as_str()) else { continue };
        let reads = matches!(listener.speaks, Speaks::Imap | Speaks::Pop);
        if reads != (block.section == "may_read") {
            // Neither sends where only reading is spoken nor reads where only mail is taken.
            continue;
        }
        let receives = block.section == "may_receive";
        let service = service(listener.speaks, listener.tls_mode(), listener.auth.value, receives);
        services.entry(service).or_default().push(name);
    }
    let defined: BTreeSet<&str> = opened.networks.iter().copied().collect();
    for (service, listeners) in services {
        let allowed: Option<BTreeSet<&str>> = match ceiling.get(&service).map(|(_, names)| &names.value) {
            Some(WordOr::Word(_)) => None,
            Some(WordOr::Value(names)) => Some(names.values().map(String::as_str).collect()),
            None => Some(BTreeSet::new()),
        };
        let Some(allowed) = allowed else { continue };
        // An unknown network is E0101, and may be one that is missing here.
        if !allowed.is_subset(&defined) {
            continue;
        }
        let outside: Vec<&str> =
            opened.from(&block.from.value).filter(|name| defined.contains(name) && !allowed.contains(name)).collect();
        if !outside.is_empty() {
            sink.push(report(subject, ceiling, block, service, &listeners, &outside, &allowed));
        }
    }
}

fn report(
    subject: &Subject<'_>,
    ceiling: &Ceiling<'_>,
    block: &Open<'_>,
    service: Reach,
    listeners: &[&str],
    outside: &[&str],
    allowed: &BTreeSet<&str>,
) -> Diagnostic {
    let path = format!("{}.from", block.path());
    let verb = if listeners.len() == 1 { "is" } else { "are" };
    let message = format!(
        "{} {verb} reachable from {}, beyond `never_reachable_beyond.{service:?}`",
        quoted(listeners),
        quoted(outside)
    );
    let written = subject.is_written(&path);
    let first = match &block.from.value {
        WordOr::Word(_) => block.from.span,
        WordOr::Value(names) => {
            names.iter().find(|name| outside.contains(&name.value.as_str())).map_or(block.from.span, |name| name.span)
        }
    };
    let place = if written { first } else { subject.place(&path) };
    let mut diagnostic = Diagnostic::new(Code::E0404, message)
        .help("widen the ceiling deliberately or narrow the block")
        .at(place, format!("opened by \"{}\"", block.name))
        .rule(path.as_str());
    if let Some((service, _)) = ceiling.get(&service).filter(|(service, _)| !service.span.is_empty()) {
        diagnostic = diagnostic.also(service.span, "the ceiling");
    }
    if !written {
        return diagnostic;
    }
    match &block.from.value {
        WordOr::Word(_) if !allowed.is_empty() => {
            let names: Vec<String> = allowed.iter().map(|name| format!("\"{name}\"")).collect();
            diagnostic.edit(block.from.span, format!("[{}]", names.join(", ")))
        }
        WordOr::Value(names) if names.values().any(|name| allowed.contains(name.as_str())) => {
            let kept: Vec<String> = names
                .values()
                .filter(|name| allowed.contains(name.as_str()))
                .map(|name| format!("\"{name}\""))
                .collect();
            diagnostic.edit(block.from.span, format!("[{}]", kept.join(", ")))
        }
        WordOr::Word(_) | WordOr::Value(_) => diagnostic,
    }
}

/// `"a", "b"`; what is too long is cut where it is shown.
fn quoted(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(8).map(|name| format!("\"{name}\"")).collect();
    let more = if names.len() > 8 { " and others" } else { "" };
    format!("{}{more}", shown.join(", "))
}

/// L0413: reading in clear is conceded, yet no listener offers it: every page says that there is only the other.
fn clear_reading(subject: &Subject<'_>, opened: &Opened<'_>, ceiling: &Ceiling<'_>, sink: &mut Vec<Diagnostic>) {
    let offered = services(opened);
    for clear in [Reach::Imap, Reach::Pop] {
        let Some((service, names)) = ceiling.get(&clear) else { continue };
        if offered.contains(&clear) || !offered.contains(&Reach::Imaps) || service.span.is_empty() {
            continue;
        }
        let from = match &names.value {
            WordOr::Word(_) => "Everywhere".to_owned(),
            WordOr::Value(names) => {
                let names: Vec<&str> = names.values().map(String::as_str).collect();
                if names.is_empty() {
                    continue;
                }
                quoted(&names)
            }
        };
        let message = format!("the ceiling allows clear {clear:?} from {from} while the help page says IMAPS only");
        sink.push(of_entry(subject, Code::L0413, message, service, names.span).help("drop it from the ceiling"));
    }
}

/// L0414.
fn nothing_there(subject: &Subject<'_>, opened: &Opened<'_>, ceiling: &Ceiling<'_>, sink: &mut Vec<Diagnostic>) {
    // A listener or address with a mistake may be what is bounded.
    let (Some(_), Some(web)) = (subject.policy.listeners.sound(), subject.policy.web.sound()) else { return };
    let offered = services(opened);
    let web: BTreeSet<Reach> = web.keys().map(|service| service.value).collect();
    for (reach, (service, names)) in ceiling {
        if service.span.is_empty() || offered.contains(reach) || web.contains(reach) {
            continue;
        }
        let message = format!("`never_reachable_beyond.{reach:?}` has neither listener nor `web` address");
        let diagnostic = of_entry(subject, Code::L0414, message, service, names.span);
        sink.push(diagnostic.help("keep it as a statement or delete it"));
    }
}

fn of_entry(subject: &Subject<'_>, code: Code, message: String, service: &Spanned<Reach>, names: Span) -> Diagnostic {
    let whole = edits::join(service.span, names);
    Diagnostic::new(code, message)
        .at(service.span, "")
        .rule(format!("never_reachable_beyond.{:?}", service.value))
        .edit(edits::entry(subject.sources, whole), "")
}

/// Services that some listener is. One in no block at all is still a listener: it may be either.
fn services(opened: &Opened<'_>) -> BTreeSet<Reach> {
    let mut services = BTreeSet::new();
    let sending = opened.blocks.iter().filter(|block| block.section == "may_send");
    let sending: BTreeSet<&str> = sending.flat_map(|block| block.connecting_to.values()).map(String::as_str).collect();
    for (name, listener) in &opened.listeners {
        let receives = opened.receiving.contains(name);
        let as_receiver = |receives| service(listener.speaks, listener.tls_mode(), listener.auth.value, receives);
        if receives || !sending.contains(name) {
            services.insert(as_receiver(true));
        }
        if !receives || sending.contains(name) {
            services.insert(as_receiver(false));
        }
    }
    services
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_of_names_are_cut() {
        assert_eq!(quoted(&["a", "b"]), "\"a\", \"b\"");
        assert!(quoted(&["x"; 9]).ends_with("and others"));
    }

    #[test]
    fn an_empty_policy_offers_nothing() {
        let policy = crate::model::Policy::default();
        assert!(services(&Opened::of(&policy)).is_empty());
    }
}
