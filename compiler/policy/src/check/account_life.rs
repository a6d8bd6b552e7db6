//! E0825, L0826 and E0827: what happens to an account, when its name is free again, and who looks after its unit.

use std::ops::RangeInclusive;

use super::accounts::FORM_OCTETS_MAX;
use super::mail_flow::OurDomains;
use super::{Subject, mending};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::account::{Accounts, Leaving};
use crate::model::literal::Span as Duration;
use crate::model::retention::LifeWord;
use crate::syntax::{Items, WordOr};
use crate::table::value::span;

const DAY_S: u64 = 86_400;
const ARRIVING_S: RangeInclusive<u64> = 0..=366 * DAY_S;
const LEAVING_S: RangeInclusive<u64> = DAY_S..=5 * 366 * DAY_S;
/// Before a change: a notice that comes within the hour is none.
const NOTICE_S: RangeInclusive<u64> = 3_600..=366 * DAY_S;
const NOTICES_MAX: usize = 8;
/// Mail for somebody comes for years; within one it comes every day.
const REUSE_S_MIN: u64 = 366 * DAY_S;

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    if let Some(accounts) = subject.policy.accounts.seen() {
        spans(subject, accounts, sink);
        reuse(subject, accounts, sink);
    }
    if let Some(before) = subject.policy.identity.seen().and_then(|identity| identity.password.warn_before.as_ref()) {
        notices(subject, "identity.password.warn_before", &before.value, sink);
    }
    correspondents(subject, sink);
}

/// E0825.
fn spans(subject: &Subject<'_>, accounts: &Accounts, sink: &mut Vec<Diagnostic>) {
    let arriving = accounts.arriving.value.0;
    if !ARRIVING_S.contains(&arriving) {
        let path = "accounts.arriving";
        let report = figure(path, &format!("has {}", span(arriving))).at(accounts.arriving.span, "");
        sink.push(mending::value(subject, report, path, "\"14 days\""));
    }
    notices(subject, "accounts.notices", &accounts.notices.value, sink);
    let mut before: Option<(u8, &str)> = None;
    for (index, leaving) in accounts.leaving.iter().enumerate() {
        let (rank, name, duration) = match &leaving.value {
            Leaving::Grace(span) => (0, "Grace", span),
            Leaving::ReceiveOnly(span) => (1, "ReceiveOnly", span),
            Leaving::AutoReply(span) => (2, "AutoReply", span),
        };
        let wrong = match before {
            Some((last, _)) if last == rank => Some(format!("names {name} twice")),
            Some((last, after)) if last > rank => Some(format!("has {after} before {name}")),
            _ if !LEAVING_S.contains(&duration.0) => Some(format!("has {} of {name}", span(duration.0))),
            _ => None,
        };
        before = Some((rank, name));
        if let Some(wrong) = wrong {
            let report =
                figure("accounts.leaving", &wrong).at(leaving.span, "").rule(format!("accounts.leaving[{index}]"));
            sink.push(mending::without_item(subject, report, leaving.span));
        }
    }
}

/// E0825 for times at which people are told.
fn notices(subject: &Subject<'_>, path: &str, spans: &Items<Duration>, sink: &mut Vec<Diagnostic>) {
    if spans.len() > NOTICES_MAX {
        sink.push(figure(path, &format!("has {} of them", spans.len())).at(subject.place(path), ""));
    }
    for notice in spans.iter().filter(|notice| !NOTICE_S.contains(&notice.value.0)) {
        let report = figure(path, &format!("has {}", span(notice.value.0))).at(notice.span, "");
        sink.push(mending::without_item(subject, report, notice.span));
    }
}

fn figure(path: &str, wrong: &str) -> Diagnostic {
    Diagnostic::new(Code::E0825, format!("`{path}` {wrong}"))
        .help("an hour to a year before a change; states of one day to five years, each once, from the most that may be done to the least")
        .rule(path)
}

/// L0826.
fn reuse(subject: &Subject<'_>, accounts: &Accounts, sink: &mut Vec<Diagnostic>) {
    let path = "accounts.reuse_after";
    let report = |message: String| {
        Diagnostic::new(Code::L0826, message)
            .help("mail for who had it comes to who has it now; `reuse_after: Never` and `ledger: Forever`")
    };
    match &accounts.reuse_after.value {
        WordOr::Value(after) if after.0 < REUSE_S_MIN => {
            let message = format!("a login or address may go to somebody else after {}", span(after.0));
            let report = report(message).at(subject.place(path), "").rule(path);
            sink.push(mending::value(subject, report, path, "Never"));
        }
        WordOr::Value(_) => {}
        WordOr::Word(_) => {
            let Some(retention) = subject.policy.retention.seen() else { return };
            if !matches!(retention.ledger, WordOr::Word(LifeWord::Forever)) {
                let path = "retention.ledger";
                let message = "a login or address may go to somebody else once `retention.ledger` ends".to_owned();
                let report = report(message).at(subject.place(path), "").rule(path);
                sink.push(mending::value(subject, report, path, "Forever"));
            }
        }
    }
}

/// E0827.
fn correspondents(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let Some(roles) = subject.policy.roles.seen() else { return };
    let form = roles.correspondents.value.as_str();
    if form.is_empty() {
        return;
    }
    let example = form.replace("{unit}", "sciences").replace("{Unit}", "Sciences");
    let address = example.parse::<mail::Address>().ok().filter(|_| form.len() <= FORM_OCTETS_MAX);
    let is_ours = |address: &mail::Address| {
        OurDomains::of(subject.policy).is_none_or(|ours| ours.key(address.domain()).is_some())
    };
    let wrong = match address {
        None => "is no form of addresses",
        Some(_) if example == form => "names no unit",
        Some(address) if !is_ours(&address) => "gives addresses that are not ours",
        Some(_) => return,
    };
    let path = "roles.correspondents";
    let report = Diagnostic::new(Code::E0827, format!("`roles.correspondents` {wrong}"))
        .help("a form such as \"Correspondent.{Unit}@example.org\"")
        .at(subject.place(path), "")
        .rule(path);
    sink.push(report);
}
