//! E0003, E0702, E0710, L0717 and E0718: the order of the steps, and what `Authenticate` is for.

use std::fmt::Debug;

use plan::{ElseTag, FilterOn, ReceptionStep, SendingStep, UnknownSenders};

use super::{mended, placed_after, placed_before, position};
use crate::check::Subject;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::Switch;
use crate::model::steps::OwnDomains;
use crate::syntax::Items;

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let policy = subject.policy;
    if let Some(steps) = policy.reception.sound() {
        kept_nowhere(subject, "reception", steps, ReceptionStep::Deliver, sink);
        scanned_late(subject, "reception", steps, ReceptionStep::Antivirus, ReceptionStep::Accept, sink);
        filtered_early(subject, steps, sink);
        authenticated_late(subject, steps, sink);
        posing(subject, steps, sink);
    }
    if let Some(steps) = policy.sending.sound() {
        kept_nowhere(subject, "sending", steps, SendingStep::Route, sink);
        scanned_late(subject, "sending", steps, SendingStep::Antivirus, SendingStep::Accept, sink);
    }
}

/// E0003: without the step that places a message it is answered 250 and lost.
fn kept_nowhere<T: Copy + PartialEq + Debug>(
    subject: &Subject<'_>,
    path: &str,
    steps: &Items<T>,
    place: T,
    sink: &mut Vec<Diagnostic>,
) {
    if position(steps, place).is_some() {
        return;
    }
    let diagnostic = Diagnostic::new(Code::E0003, format!("`{path}` lacks `{place:?}`"))
        .help(format!("add `{place:?}` as its last step; without it every message is accepted and lost"))
        .at(subject.place(path), "")
        .rule(path);
    let list: Vec<T> = steps.values().copied().chain([place]).collect();
    sink.push(mended(subject, diagnostic, path, &format!("{list:?}")));
}

/// E0702.
fn scanned_late<T: Copy + PartialEq + Debug>(
    subject: &Subject<'_>,
    path: &str,
    steps: &Items<T>,
    antivirus: T,
    accept: T,
    sink: &mut Vec<Diagnostic>,
) {
    let (Some(scan), Some(taken)) = (position(steps, antivirus), position(steps, accept)) else { return };
    if scan < taken {
        return;
    }
    let diagnostic = Diagnostic::new(Code::E0702, "`Accept` comes before `Antivirus`")
        .help("after 250 you own the message: you can only delete or bounce it")
        .at(subject.place(path), "")
        .rule(path);
    sink.push(mended(subject, diagnostic, path, &placed_before(steps, antivirus, &[accept])));
}

/// E0710: a filter on headers sees no tag that is put on later.
fn filtered_early(subject: &Subject<'_>, steps: &Items<ReceptionStep>, sink: &mut Vec<Diagnostic>) {
    let (Some(filters), Some(Switch::On(_))) = (subject.policy.filters.seen(), subject.policy.antispam.seen()) else {
        return;
    };
    let (Some(filter), Some(tag)) = (position(steps, ReceptionStep::Filters), position(steps, ReceptionStep::Antispam))
    else {
        return;
    };
    if tag < filter || !filters.on.values().any(|on| *on == FilterOn::Headers) {
        return;
    }
    let diagnostic = Diagnostic::new(Code::E0710, "`Filters` precede `Antispam` but users filter on the tag")
        .help("move `Filters` after")
        .at(subject.place("reception"), "")
        .rule("reception");
    let list = placed_after(steps, ReceptionStep::Filters, ReceptionStep::Antispam);
    sink.push(mended(subject, diagnostic, "reception", &list));
}

/// E0718.
fn authenticated_late(subject: &Subject<'_>, steps: &Items<ReceptionStep>, sink: &mut Vec<Diagnostic>) {
    let Some(authenticate) = subject.policy.authenticate.seen() else { return };
    let refuses = OwnDomains::RequireAligned { else_: ElseTag::Refuse };
    let (Some(look), Some(taken)) =
        (position(steps, ReceptionStep::Authenticate), position(steps, ReceptionStep::Accept))
    else {
        return;
    };
    if authenticate.own_domains_from_outside != refuses || look < taken {
        return;
    }
    let diagnostic = Diagnostic::new(Code::E0718, "step `Authenticate` comes after `Accept` while `else: Refuse`")
        .help("move it before")
        .at(subject.place("reception"), "")
        .also(subject.place("authenticate.own_domains_from_outside"), "refused here")
        .rule("reception");
    let before = [ReceptionStep::Antivirus, ReceptionStep::Accept];
    sink.push(mended(subject, diagnostic, "reception", &placed_before(steps, ReceptionStep::Authenticate, &before)));
}

/// L0717.
fn posing(subject: &Subject<'_>, steps: &Items<ReceptionStep>, sink: &mut Vec<Diagnostic>) {
    let Some(authenticate) = subject.policy.authenticate.seen() else { return };
    let rule = "authenticate.own_domains_from_outside";
    let looked_at = position(steps, ReceptionStep::Authenticate).is_some();
    let what = match authenticate.own_domains_from_outside {
        OwnDomains::RequireAligned { else_: ElseTag::Refuse } if looked_at => return,
        OwnDomains::RequireAligned { else_: ElseTag::Tag } if looked_at => "only tagged",
        OwnDomains::RequireAligned { .. } | OwnDomains::Ignore => "not looked at",
    };
    let path = if looked_at { rule } else { "reception" };
    let diagnostic = Diagnostic::new(Code::L0717, format!("mail posing as us is {what}"))
        .help("`RequireAligned(else: Refuse)` once the applications are registered")
        .at(subject.place(path), if looked_at { "" } else { "no step `Authenticate` here" })
        .rule(rule);
    // While applications may come unregistered, refusing would lose their mail.
    let senders = subject.policy.senders.seen();
    let registered = !matches!(senders, Some(Switch::On(senders)) if senders.unknown == UnknownSenders::Shadow);
    sink.push(match looked_at {
        true if registered => mended(subject, diagnostic, rule, "RequireAligned(else: Refuse)"),
        true => diagnostic,
        false => {
            let before = [ReceptionStep::Antivirus, ReceptionStep::Accept];
            mended(subject, diagnostic, path, &placed_before(steps, ReceptionStep::Authenticate, &before))
        }
    });
}
