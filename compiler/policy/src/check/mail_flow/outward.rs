//! E0521 to E0530: the way out, signatures, lists at the door, and an edge that has no mailboxes.

use plan::{As, HeaderFrom, Mechanism, Speaks};

use super::seen;
use crate::check::{Subject, mending};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::Switch;
use crate::model::domain::{Held, Remote};
use crate::syntax::WordOr;

const DAY_S: u64 = 86_400;
/// Records in DNS are remembered for days; keys change more slowly.
const ROTATE_S_MIN: u64 = 7 * DAY_S;

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    tries(subject, sink);
    providers(subject, sink);
    smart_host(subject, sink);
    header_from(subject, sink);
    lists(subject, sink);
    signing(subject, sink);
    edge(subject, sink);
    tokens(subject, sink);
}

/// E0521, L0522.
fn tries(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let Some(delivery) = subject.policy.delivery.seen() else { return };
    let waits: Vec<u64> = delivery.retry.value.values().map(|span| span.0).collect();
    let wrong = waits.iter().find(|wait_s| !(1..=DAY_S).contains(*wait_s));
    if waits.is_empty() || wrong.is_some() {
        let what = wrong.map_or("is empty".to_owned(), |wait_s| format!("has a wait of {wait_s} s"));
        let report = Diagnostic::new(Code::E0521, format!("`delivery.retry` {what}"))
            .help(
                "a wait lasts from 1 s to 1 day, e.g. [\"1 min\", \"15 min\", \"1 h\", \"4 h\"]; the last one repeats",
            )
            .at(subject.place("delivery.retry"), "")
            .rule("delivery.retry");
        sink.push(report);
    }
    let WordOr::Value(warn_after) = &delivery.warn_after.value else { return };
    let Some(WordOr::Value(queue)) = subject.policy.retention.seen().map(|retention| &retention.queue) else { return };
    if warn_after.0 >= queue.0 {
        let message = "nobody hears of a delay: `warn_after` is not before the end of `retention.queue`";
        let report = Diagnostic::new(Code::L0522, message)
            .help("shorten it, or write `warn_after: Never`")
            .at(subject.place("delivery.warn_after"), "")
            .also(subject.place("retention.queue"), "given up, and told, after this")
            .rule("delivery.warn_after");
        sink.push(mending::value(subject, report, "delivery.warn_after", "\"4 h\""));
    }
}

/// E0523.
fn providers(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let Some(delivery) = subject.policy.delivery.seen() else { return };
    let mut closed = |path: String, what: &str| {
        let report = Diagnostic::new(Code::E0523, format!("`{path}` {what}: mail for it would wait for ever"))
            .help("write at least 1, or take the entry away")
            .at(subject.place(&path), "")
            .rule(path.clone());
        sink.push(report);
    };
    if delivery.connections_at_once.value == 0 {
        closed("delivery.connections_at_once".to_owned(), "is 0");
    }
    for (name, provider) in delivery.providers.iter() {
        if provider.value.connections_at_once.value == 0 {
            closed(format!("delivery.providers.{name}.connections_at_once"), "is 0");
        }
        if provider.value.mx.values().next().is_none() {
            closed(format!("delivery.providers.{name}.mx"), "names no host");
        }
    }
}

/// E0524.
fn smart_host(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let Some(routes) = subject.policy.routes.seen() else { return };
    if routes.remote_login.is_none() || matches!(routes.remote, Remote::Smarthost(_)) {
        return;
    }
    let report = Diagnostic::new(Code::E0524, "`routes.remote_login` is for a smart host, and there is none")
        .help("write `remote: Smarthost(\"host:port\")`, or drop the login")
        .at(subject.place("routes.remote_login"), "")
        .rule("routes.remote_login");
    sink.push(report);
}

/// L0525.
fn header_from(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    for (name, block) in seen(&subject.policy.may_send) {
        let wider = match (block.value.header_from, block.value.as_.value) {
            (None | Some(HeaderFrom::AsReversePath | HeaderFrom::OwnAddresses), _) => false,
            (Some(HeaderFrom::OwnDomain), as_) => as_ == As::OwnAddresses,
            (Some(HeaderFrom::AnyAddress), as_) => as_ != As::AnyAddress,
        };
        if !wider {
            continue;
        }
        let path = format!("may_send.{name}.header_from");
        let message = format!("block \"{name}\" guards the reverse-path, and not the From that people read");
        let report = Diagnostic::new(Code::L0525, message)
            .help("what is read is header From: leave it out, and it is held to `as`")
            .at(subject.place(&path), "")
            .rule(path.clone());
        sink.push(mending::value(subject, report, &path, "AsReversePath"));
    }
}

/// E0526.
fn lists(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let loopback: plan::Prefix = "127.0.0.0/8".parse().expect("a prefix");
    for (name, list) in seen(&subject.policy.dns_lists) {
        let path = format!("dns_lists.{name}");
        let mut wrong = |at: String, message: String, help: &str| {
            let report = Diagnostic::new(Code::E0526, message).help(help).at(subject.place(&at), "").rule(path.clone());
            sink.push(report);
        };
        if list.value.answers.values().next().is_none() {
            let message = format!("no answer of \"{name}\" counts: the list would never list anybody");
            wrong(format!("{path}.answers"), message, "write the answers the list documents, e.g. [\"127.0.0.2/32\"]");
        }
        for answer in list.value.answers.values() {
            if !(loopback.contains(answer.0.address()) && answer.0.length() >= loopback.length()) {
                let message = format!("\"{name}\" would count {}, and lists answer inside 127.0.0.0/8", answer.0);
                wrong(
                    format!("{path}.answers"),
                    message,
                    "write the answers the list documents, e.g. \"127.0.0.2/32\"",
                );
            }
        }
        for listener in list.value.on.values() {
            let receives = seen(&subject.policy.may_receive)
                .any(|(_, block)| block.value.connecting_to.values().any(|name| name == listener));
            if !receives && subject.policy.may_receive.seen().is_some() {
                let message = format!("\"{name}\" is asked on \"{listener}\", where nothing is received");
                wrong(format!("{path}.on"), message, "lists are about strangers: name the listeners of `may_receive`");
            }
        }
    }
}

/// E0527, L0528.
fn signing(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let direct = subject.policy.routes.seen().is_some_and(|routes| routes.remote == Remote::DirectMx);
    match subject.policy.signing.seen() {
        Some(Switch::Off) if direct => {
            let report = Diagnostic::new(Code::L0528, "nothing is signed, and mail leaves for the world")
                .help("take the default: receivers trust what is signed (DKIM), and many refuse what is not")
                .at(subject.place("signing"), "")
                .rule("signing");
            let signed = "(algorithms: [RsaSha256, Ed25519Sha256], rotate_every: \"180 days\")";
            sink.push(mending::value(subject, report, "signing", signed));
        }
        Some(Switch::On(signing)) => {
            let path = "signing.rotate_every";
            let too_fast = matches!(&signing.rotate_every, WordOr::Value(span) if span.value.0 < ROTATE_S_MIN);
            let none = signing.algorithms.values().next().is_none();
            if too_fast || none {
                let (at, message) = match none {
                    true => ("signing.algorithms", "`signing` has no algorithm".to_owned()),
                    false => (path, "keys would change faster than DNS forgets them".to_owned()),
                };
                let report = Diagnostic::new(Code::E0527, message)
                    .help("`algorithms: [RsaSha256, Ed25519Sha256], rotate_every: \"180 days\"`, at least 7 days; `signing: None` signs nothing")
                    .at(subject.place(at), "")
                    .rule(at);
                let mended = if none { "[RsaSha256, Ed25519Sha256]" } else { "\"180 days\"" };
                sink.push(mending::value(subject, report, at, mended));
            }
        }
        Some(Switch::Off) | None => {}
    }
}

/// E0529.
fn edge(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let Some(routes) = subject.policy.routes.seen() else { return };
    let Held::Lmtp(store) = &routes.held else { return };
    for (name, listener) in seen(&subject.policy.listeners) {
        if !matches!(listener.value.speaks, Speaks::Imap | Speaks::Pop) {
            continue;
        }
        let message = format!("\"{name}\" would show mailboxes, and mail is kept at {}", store.0);
        let report = Diagnostic::new(Code::E0529, message)
            .help("people read their mail there: drop the listener, or `held: Mailbox`")
            .at(subject.place("routes.held"), "no mailbox is here")
            .also(subject.place(&format!("listeners.{name}")), "people would read here")
            .rule("routes.held");
        sink.push(report);
    }
}

/// E0530.
fn tokens(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let Some(identity) = subject.policy.identity.seen() else { return };
    let takes = |mechanism: &Mechanism| matches!(mechanism, Mechanism::OAuthBearer | Mechanism::XOAuth2);
    let Some(named) = identity.password.sent_as.values().find(|mechanism| takes(mechanism)) else { return };
    if identity.oauth.is_none() {
        let report = Diagnostic::new(Code::E0530, format!("`{named:?}` takes tokens, and nobody issues any"))
            .help("write `identity.oauth: (issuer, keys, audience, login_claim)`, or drop the mechanism")
            .at(subject.place("identity.password.sent_as"), "")
            .rule("identity.password.sent_as");
        sink.push(report);
    }
}
