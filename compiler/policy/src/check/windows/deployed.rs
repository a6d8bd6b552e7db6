//! L0310: numbers far from those of the plan that runs now.

use std::collections::BTreeMap;

use plan::{Plan, Window, Windows};

use super::{place, rows, windows_of};
use crate::check::Subject;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::block::Windows as Written;
use crate::model::{Policy, Switch};
use crate::syntax::Spanned;

/// More than this many times as much, or as little, is asked about.
const TIMES: u64 = 4;

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let Some(plan) = subject.deployed else { return };
    let deployed = of_plan(plan);
    for number in of_policy(subject.policy) {
        let Some(before) = deployed.get(&number.rule) else { continue };
        let (least, most) = (u64::from(number.value.min(*before)), u64::from(number.value.max(*before)));
        if least == 0 || most <= least * TIMES {
            continue;
        }
        let rule = &number.rule;
        let message = format!(
            "`{rule}` changes by more than ×{TIMES} against the deployed plan: {before} there, {} here",
            number.value
        );
        let mut diagnostic = Diagnostic::new(Code::L0310, message)
            .help("typing slip?")
            .at(place(subject, &number.path, number.span), "")
            .rule(rule.as_str());
        if subject.is_written(&number.path) {
            diagnostic = diagnostic.edit(number.span, number.restored(*before));
        }
        sink.push(diagnostic);
    }
}

/// A number of the policy under the id the plan knows it by.
struct Number {
    rule: String,
    path: String,
    value: u32,
    span: crate::syntax::Span,
    /// The width, for a window.
    width: Option<Window>,
}

impl Number {
    /// The text that says the deployed number here.
    fn restored(&self, before: u32) -> String {
        match self.width {
            Some(window) => format!("\"{before} / {}\"", window.width_text()),
            None => before.to_string(),
        }
    }
}

fn of_policy(policy: &Policy) -> Vec<Number> {
    let mut numbers = Vec::new();
    let mut windows = |rule: &str, path: String, counted: &Spanned<Written>| {
        let each = windows_of(counted).into_iter().map(|window| Number {
            rule: format!("{rule}/{}", window.value.width_name()),
            path: path.clone(),
            value: window.value.max,
            span: window.span,
            width: Some(window.value),
        });
        numbers.extend(each);
    };
    let rows = rows(policy);
    for at in &rows {
        for (field, counted) in at.row.counts() {
            if let Some(counted) = counted {
                windows(&format!("{}.{field}", at.rule), format!("{}.{field}", at.path), counted);
            }
        }
    }
    if let Some(logins) = policy.logins.seen().and_then(Switch::on) {
        for (path, counted) in [
            ("logins.each_account_and_network.failed", &logins.each_account_and_network.failed),
            ("logins.each_client_address.failed", &logins.each_client_address.failed),
        ] {
            windows(path, path.to_owned(), counted);
        }
    }
    if let Some(strangers) = policy.strangers.seen() {
        for (path, counted) in [
            ("strangers.connections_attempted", &strangers.connections_attempted),
            ("strangers.messages_attempted", &strangers.messages_attempted),
            ("strangers.unknown_recipients_attempted", &strangers.unknown_recipients_attempted),
        ] {
            windows(path, path.to_owned(), counted);
        }
    }
    let single = |rule: String, path: String, number: &Spanned<u32>| Number {
        rule,
        path,
        value: number.value,
        span: number.span,
        width: None,
    };
    for at in &rows {
        let field = "recipients_in_one_message";
        numbers.push(single(
            format!("{}.{field}", at.rule),
            format!("{}.{field}", at.path),
            &at.row.recipients_in_one_message,
        ));
    }
    if let Some(strangers) = policy.strangers.seen() {
        for (path, number) in [
            ("strangers.recipients_in_one_message", &strangers.recipients_in_one_message),
            ("strangers.connections_at_once", &strangers.connections_at_once),
        ] {
            numbers.push(single(path.to_owned(), path.to_owned(), number));
        }
    }
    numbers
}

/// Numbers of a plan by rule id.
fn of_plan(plan: &Plan) -> BTreeMap<String, u32> {
    let mut numbers = BTreeMap::new();
    let mut rows: Vec<(String, &plan::Row)> = Vec::new();
    for (name, block) in &plan.may_send {
        rows.push((format!("may_send.{name}"), block.limits.row()));
        let profiles = block.by_profile.iter();
        rows.extend(profiles.map(|(profile, row)| (format!("may_send.{name}.by_profile.{profile}"), row)));
    }
    let grants = plan.limit_grants.iter();
    rows.extend(grants.map(|grant| (format!("limit_grants.{}.{}", grant.login, grant.block), &grant.limits)));
    let known = plan.senders.iter().flat_map(|senders| &senders.known);
    rows.extend(known.map(|(name, application)| (format!("senders.{name}"), &application.limits)));
    let mut windows: Vec<(String, &Windows)> = Vec::new();
    for (rule, row) in rows {
        numbers.insert(format!("{rule}.recipients_in_one_message"), row.recipients_in_one_message);
        windows.push((format!("{rule}.messages_attempted"), &row.messages_attempted));
        windows.push((format!("{rule}.messages_accepted"), &row.messages_accepted));
        windows.push((format!("{rule}.recipients_attempted"), &row.recipients_attempted));
        windows.push((format!("{rule}.recipients_accepted"), &row.recipients_accepted));
    }
    for (rule, counted) in [
        ("logins.each_account_and_network.failed", &plan.logins.each_account_and_network),
        ("logins.each_client_address.failed", &plan.logins.each_client_address),
        ("strangers.connections_attempted", &plan.strangers.connections_attempted),
        ("strangers.messages_attempted", &plan.strangers.messages_attempted),
        ("strangers.unknown_recipients_attempted", &plan.strangers.unknown_recipients_attempted),
    ] {
        windows.push((rule.to_owned(), counted));
    }
    for (rule, counted) in windows {
        for window in counted.list() {
            numbers.insert(format!("{rule}/{}", window.width_name()), window.max);
        }
    }
    numbers.insert("strangers.recipients_in_one_message".to_owned(), plan.strangers.recipients_in_one_message);
    numbers.insert("strangers.connections_at_once".to_owned(), plan.strangers.connections_at_once);
    numbers
}
