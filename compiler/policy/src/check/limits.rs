//! E0108 and E02xx: rows, windows, and blocks without them.

use std::collections::BTreeMap;

use plan::{ListenerAuth, RECIPIENTS_CEILING, To, Window};

use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::block::{Observed, Row, SendBlock, Windows};
use crate::model::{Policy, Switch};
use crate::syntax::{Entries, Span, Spanned, WordOr};

/// The widest exact window, in seconds.
const WIDTH_S_MAX: u32 = 86_400;
/// RFC 5321 4.5.3.1.8.
const STRANGERS_RECIPIENTS_MIN: u32 = 100;

pub(super) fn check(policy: &Policy, sink: &mut Vec<Diagnostic>) {
    for (name, block) in policy.may_send.seen().into_iter().flat_map(Entries::iter) {
        let path = format!("may_send.{name}");
        rows_of(&path, name, block, sink);
        for (profile, row) in block.by_profile.iter() {
            judge_row(&format!("{path}.by_profile.{profile}"), row, row.span, sink);
        }
        login(policy, &path, name, block, sink);
    }
    for grant in policy.limit_grants.seen().into_iter().flatten() {
        let path = format!("limit_grants.{}.{}", grant.value.login, grant.value.block);
        judge_row(&path, &grant.value.limits, grant.span, sink);
    }
    if let Some(senders) = policy.senders.seen().and_then(Switch::on) {
        for (name, application) in senders.known.iter() {
            judge_row(&format!("senders.{name}"), &application.limits, application.span, sink);
        }
    }
    if let Some(logins) = policy.logins.seen().and_then(Switch::on) {
        windows("logins.each_account_and_network.failed", &logins.each_account_and_network.failed, sink);
        windows("logins.each_client_address.failed", &logins.each_client_address.failed, sink);
    }
    strangers(policy, sink);
}

/// Exactly one of the two rows.
fn rows_of(path: &str, name: &Spanned<String>, block: &SendBlock, sink: &mut Vec<Diagnostic>) {
    match (&block.each_account, &block.each_client_address) {
        (Some(row), None) | (None, Some(row)) => judge_row(path, row, row.span, sink),
        (None, None) => {
            let message = format!("block \"{name}\" lacks `each_account` or `each_client_address`");
            let help = "write the limits, or `Unlimited` for each; silence is not a limit";
            sink.push(Diagnostic::new(Code::E0003, message).help(help).at(name.span, "").rule(path));
        }
        (Some(first), Some(second)) => {
            let message = format!("block \"{name}\" has both `each_account` and `each_client_address`");
            let diagnostic = Diagnostic::new(Code::E0002, message)
                .help("keep one: limits are kept for accounts or for addresses")
                .at(second.span, "")
                .also(first.span, "")
                .rule(path);
            sink.push(diagnostic);
        }
    }
}

fn judge_row(path: &str, row: &Row, place: Span, sink: &mut Vec<Diagnostic>) {
    let most = &row.recipients_in_one_message;
    count(&format!("{path}.recipients_in_one_message"), most, RECIPIENTS_CEILING, sink);
    for (field, counted) in row.counts() {
        if let Some(counted) = counted {
            windows(&format!("{path}.{field}"), counted, sink);
        }
    }
    for (event, attempted, accepted) in [
        ("messages", &row.messages_attempted, &row.messages_accepted),
        ("recipients", &row.recipients_attempted, &row.recipients_accepted),
    ] {
        if attempted.is_none() && accepted.is_none() {
            let diagnostic = Diagnostic::new(Code::E0208, format!("`{path}` says nothing about {event}"))
                .help(format!(
                    "write `{event}_attempted` or `{event}_accepted`: windows or `Unlimited`; silence is not a limit"
                ))
                .at(place, "")
                .rule(path);
            sink.push(diagnostic);
        }
    }
    for counted in [&row.recipients_attempted, &row.recipients_accepted].into_iter().flatten() {
        message_fits(path, most, counted, sink);
    }
    if let Some(observed) = &row.observed {
        judge_observed(&format!("{path}.observed"), observed, sink);
    }
}

/// The same mistakes in limits that only watch.
fn judge_observed(path: &str, observed: &Spanned<Observed>, sink: &mut Vec<Diagnostic>) {
    if let Some(most) = &observed.recipients_in_one_message {
        count(&format!("{path}.recipients_in_one_message"), most, RECIPIENTS_CEILING, sink);
    }
    for (field, counted) in observed.counts() {
        if let Some(counted) = counted {
            windows(&format!("{path}.{field}"), counted, sink);
        }
    }
    let watches = observed.counts().into_iter().any(|(_, counted)| counted.is_some());
    if !watches && observed.recipients_in_one_message.is_none() {
        let diagnostic = Diagnostic::new(Code::E0208, format!("`{path}` says nothing about messages or recipients"))
            .help("write what to watch, or leave `observed` out")
            .at(observed.span, "")
            .rule(path);
        sink.push(diagnostic);
    }
}

/// E0203, on the tightest window.
fn message_fits(path: &str, most: &Spanned<u32>, counted: &Spanned<Windows>, sink: &mut Vec<Diagnostic>) {
    let Some(tightest) = rates(counted).into_iter().min_by_key(|window| window.value.max) else { return };
    let Window { max, .. } = tightest.value;
    if max == 0 || most.value <= max {
        return;
    }
    let message = format!(
        "`{path}` lets a message have {most} recipients but its window allows {max} per {}: messages with {}–{most} can never be sent",
        tightest.value.width_text(),
        max + 1
    );
    let diagnostic = Diagnostic::new(Code::E0203, message)
        .help("raise the window or lower the message limit")
        .at(most.span, format!("{most} in one message"))
        .also(tightest.span, "this window")
        .rule(format!("{path}.recipients_in_one_message"))
        .edit(most.span, max.to_string());
    sink.push(diagnostic);
}

fn rates(windows: &Windows) -> Vec<Spanned<Window>> {
    match windows {
        WordOr::Word(_) => Vec::new(),
        WordOr::Value(rates) => rates.iter().map(|rate| Spanned::new(rate.value.0, rate.span)).collect(),
    }
}

/// E0201, E0202, E0204, and an empty list.
fn windows(path: &str, counted: &Spanned<Windows>, sink: &mut Vec<Diagnostic>) {
    let rates = rates(counted);
    if matches!(&counted.value, WordOr::Value(rates) if rates.is_empty()) {
        let diagnostic = Diagnostic::new(Code::E0208, format!("`{path}` is an empty list"))
            .help("write windows or `Unlimited`; silence is not a limit")
            .at(counted.span, "")
            .rule(path);
        sink.push(diagnostic);
    }
    let mut widths: BTreeMap<u32, Spanned<Window>> = BTreeMap::new();
    for rate in &rates {
        if rate.value.max == 0 {
            sink.push(zero(path, rate.span));
        }
        if rate.value.width_s > WIDTH_S_MAX {
            let diagnostic =
                Diagnostic::new(Code::E0202, format!("window of {}, longer than 1 day", rate.value.width_text()))
                    .help("exact windows are kept in memory; use `AtMost` reports for monthly figures")
                    .at(rate.span, "")
                    .rule(path)
                    .edit(rate.span, format!("\"{} / 1 day\"", rate.value.max));
            sink.push(diagnostic);
        }
        let other = *widths.entry(rate.value.width_s).or_insert(*rate);
        if other.span != rate.span {
            let smaller = rate.value.max.min(other.value.max);
            let event = path.rsplit('.').next().unwrap_or(path);
            let message = format!("two limits on `{event}` over the same {}", rate.value.width_text());
            let diagnostic = Diagnostic::new(Code::E0204, message)
                .help(format!("keep the smaller, {smaller}"))
                .at(rate.span, "again here")
                .also(other.span, "first here")
                .rule(path);
            sink.push(diagnostic);
        }
    }
}

fn zero(path: &str, span: Span) -> Diagnostic {
    let help = "to close a block, remove it from `may_send`";
    Diagnostic::new(Code::E0201, format!("limit of 0 at `{path}`")).help(help).at(span, "").rule(path)
}

/// E0201, and E0108 above the ceiling.
fn count(path: &str, number: &Spanned<u32>, highest: u32, sink: &mut Vec<Diagnostic>) {
    if number.value == 0 {
        sink.push(zero(path, number.span));
    }
    if number.value > highest {
        let field = path.rsplit('.').next().unwrap_or(path);
        let message = format!("{number} is out of range for `{field}` (1–{highest})");
        sink.push(Diagnostic::new(Code::E0108, message).at(number.span, "").rule(path));
    }
}

/// E0205 and E0206: what a block without a login may not be.
fn login(policy: &Policy, path: &str, name: &Spanned<String>, block: &SendBlock, sink: &mut Vec<Diagnostic>) {
    let Some(listeners) = policy.listeners.seen() else { return };
    let of_block = block.connecting_to.values().filter_map(|listener| listeners.get(listener.as_str()));
    let auths: Vec<ListenerAuth> = of_block.map(|listener| listener.auth.value).collect();
    if auths.is_empty() {
        return;
    }
    let Some((field, row)) = block.row() else { return };
    let unlimited = row.counts().into_iter().flat_map(|(_, counted)| counted).all(|counted| counted.word().is_some());
    if block.to.value == To::Anyone && auths.contains(&ListenerAuth::Never) && unlimited {
        let message = format!("block \"{name}\" reaches the outside without a login and every limit is `Unlimited`");
        sink.push(Diagnostic::new(Code::E0205, message).help("give it windows").at(row.span, "").rule(path));
    }
    if field == "each_account" && auths.iter().all(|auth| *auth == ListenerAuth::Never) {
        let message = format!("block \"{name}\" never authenticates but its limits are `each_account`");
        sink.push(
            Diagnostic::new(Code::E0206, message).help("write `each_client_address`").at(row.span, "").rule(path),
        );
    }
}

fn strangers(policy: &Policy, sink: &mut Vec<Diagnostic>) {
    let Some(strangers) = policy.strangers.seen() else { return };
    count("strangers.connections_at_once", &strangers.connections_at_once, u32::MAX, sink);
    windows("strangers.connections_attempted", &strangers.connections_attempted, sink);
    windows("strangers.messages_attempted", &strangers.messages_attempted, sink);
    windows("strangers.unknown_recipients_attempted", &strangers.unknown_recipients_attempted, sink);
    let most = &strangers.recipients_in_one_message;
    let path = "strangers.recipients_in_one_message";
    if most.value < STRANGERS_RECIPIENTS_MIN {
        let message = format!("strangers may send {most} recipients in one message; SMTP asks for at least 100");
        sink.push(
            Diagnostic::new(Code::E0210, message).help("raise it").at(most.span, "").rule(path).edit(most.span, "100"),
        );
    }
    count_above(path, most, sink);
}

fn count_above(path: &str, most: &Spanned<u32>, sink: &mut Vec<Diagnostic>) {
    if most.value > RECIPIENTS_CEILING {
        count(path, most, RECIPIENTS_CEILING, sink);
    }
}
