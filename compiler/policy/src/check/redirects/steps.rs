//! E0605, L0607, L0608: filters that redirect, and what happens to a message before it goes on.

use plan::{Copies, FilterMay, ReceptionStep, RedirectOtherwise};

use crate::check::{Subject, mending};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::Switch;
use crate::model::steps::Redirects;

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    filters(subject, sink);
    modified(subject, sink);
    order(subject, sink);
}

/// E0605.
fn filters(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let Some(filters) = subject.policy.filters.seen() else { return };
    let Some(redirect) = filters.may.iter().find(|may| may.value == FilterMay::Redirect) else { return };
    let report = Diagnostic::new(Code::E0605, "user filters may redirect, around `redirects`")
        .help("drop `Redirect` from `filters.may`")
        .at(redirect.span, "")
        .rule("filters.may");
    sink.push(mending::without_item(subject, report, redirect.span));
}

/// Can any mail be redirected at all?
fn are_possible(redirects: &Redirects) -> bool {
    let asked = match redirects.otherwise {
        RedirectOtherwise::Ask => true,
        RedirectOtherwise::Refuse => false,
    };
    asked || !redirects.allow.is_empty() || !redirects.on_grant.is_empty()
}

/// L0607.
fn modified(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let policy = subject.policy;
    let (Some(redirects), Some(steps)) = (policy.redirects.seen(), policy.reception.seen()) else { return };
    let Some(antispam) = policy.antispam.seen().and_then(Switch::on) else { return };
    let position = |step| steps.values().position(|other| *other == step);
    let (Some(tags), Some(redirect)) = (position(ReceptionStep::Antispam), position(ReceptionStep::Redirect)) else {
        return;
    };
    let all = match antispam.tag.copies {
        Copies::All => true,
        Copies::Local => false,
    };
    if tags > redirect || !all || antispam.tag.subject.is_empty() || !are_possible(redirects) {
        return;
    }
    let path = "antispam.tag.copies";
    let report =
        Diagnostic::new(Code::L0607, "redirected mail was modified before (`Antispam` writes into the subject)")
            .help("its signature breaks and the partner may refuse it; `tag: (copies: Local)`")
            .at(subject.place(path), "")
            .rule(path);
    sink.push(mending::value(subject, report, path, "Local"));
}

/// L0608.
fn order(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let Some(steps) = subject.policy.reception.sound() else { return };
    let Some(redirect) = steps.values().position(|step| *step == ReceptionStep::Redirect) else { return };
    let scans = |step: &ReceptionStep| matches!(step, ReceptionStep::Antispam | ReceptionStep::Antivirus);
    let late: Vec<String> =
        steps.values().skip(redirect).filter(|step| scans(step)).map(|step| format!("`{step:?}`")).collect();
    let Some(last) = steps.0.iter().rposition(|step| scans(&step.value)).filter(|last| *last > redirect) else {
        return;
    };
    let mut list: Vec<ReceptionStep> = steps.values().copied().collect();
    list[redirect..=last].rotate_left(1);
    let report = Diagnostic::new(Code::L0608, format!("step `Redirect` comes before {}", late.join(" and ")))
        .help("you would forward what you do not keep")
        .at(steps.0[redirect].span, "")
        .rule("reception");
    sink.push(mending::value(subject, report, "reception", &format!("{list:?}")));
}
