//! E0421, E0829, E0830, L0831 and L0832: how a stolen account is noticed, and what is done then.

use std::ops::RangeInclusive;

use super::{Subject, mending};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::Switch;
use crate::model::compromise::{Detector, Reaction, Sign};
use crate::syntax::Spanned;
use crate::table::value::span;

/// Longer, and the client gives up (RFC 5321 4.5.3.2 waits minutes, people do not).
const DELAY_S_MAX: u64 = 60;
const WIDTH_S: RangeInclusive<u64> = 60..=86_400;
/// Somebody has to look before the end.
const LOCK_S: RangeInclusive<u64> = 60..=30 * 86_400;
/// What one detector remembers of one account.
const COUNT_MAX: u32 = 10_000;

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    delay(subject, sink);
    match subject.policy.compromise.seen() {
        None => {}
        Some(Switch::Off) => {
            let report = Diagnostic::new(Code::L0831, "nobody notices a stolen account (`compromise` is switched off)")
                .help("take the defaults")
                .at(subject.place("compromise"), "")
                .rule("compromise");
            let field = subject.spans.get("compromise");
            let field = field.and_then(|value| crate::edits::field_entry(subject.sources, "compromise", *value));
            sink.push(match field {
                Some(field) => report.edit(field, ""),
                None => report,
            });
        }
        Some(Switch::On(detectors)) => {
            for (name, detector) in detectors.iter() {
                sign(subject, &name.value, &detector.value, sink);
                reactions(subject, &name.value, &detector.value, sink);
            }
        }
    }
}

/// E0421.
fn delay(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let Some(delay) = subject.policy.logins.seen().and_then(Switch::on).and_then(|logins| logins.delay.as_ref()) else {
        return;
    };
    let at_most = delay.value.at_most.0;
    if at_most > DELAY_S_MAX {
        let path = "logins.delay.at_most";
        let report = Diagnostic::new(Code::E0421, format!("an answer to a failed login would wait {}", span(at_most)))
            .help("at most 60 s: mail programs give up, and every answer that waits keeps a connection")
            .at(subject.place(path), "")
            .rule(path);
        sink.push(mending::value(subject, report, path, "\"8 s\""));
    }
}

/// E0829 for what is looked at.
fn sign(subject: &Subject<'_>, name: &str, detector: &Detector, sink: &mut Vec<Diagnostic>) {
    let (count, width_s, share) = match &detector.when.value {
        Sign::NewExternalRedirect => return,
        Sign::LimitTrips(rate) | Sign::FirstTimeRecipients(rate) | Sign::Bounces(rate) | Sign::Networks(rate) => {
            (rate.0.max, u64::from(rate.0.width_s), 100)
        }
        Sign::RefusedRecipients { share, of_at_least, within } => (*of_at_least, within.0, share.0),
    };
    let wrong = if !(1..=COUNT_MAX).contains(&count) {
        format!("{count} of them")
    } else if !WIDTH_S.contains(&width_s) {
        format!("what happens within {}", span(width_s))
    } else if share == 0 {
        "a share of 0 %".to_owned()
    } else {
        return;
    };
    let path = format!("compromise.{name}.when");
    let report = Diagnostic::new(Code::E0829, format!("detector \"{name}\" looks at {wrong}"))
        .help("1 to 10 000 within 1 min to 1 day; a share of 1 % to 100 %")
        .at(detector.when.span, "")
        .rule(path.as_str());
    let mended = match &detector.when.value {
        Sign::LimitTrips(_) => "LimitTrips(\"3 / 1 h\")",
        Sign::RefusedRecipients { .. } => "RefusedRecipients(share: \"30 %\", of_at_least: 20, within: \"15 min\")",
        Sign::FirstTimeRecipients(_) => "FirstTimeRecipients(\"40 / 15 min\")",
        Sign::NewExternalRedirect => "NewExternalRedirect",
        Sign::Bounces(_) => "Bounces(\"20 / 1 h\")",
        Sign::Networks(_) => "Networks(\"6 / 1 h\")",
    };
    sink.push(mending::value(subject, report, &path, mended));
}

/// E0829 where there is none, E0830, L0832.
fn reactions(subject: &Subject<'_>, name: &str, detector: &Detector, sink: &mut Vec<Diagnostic>) {
    let path = format!("compromise.{name}.then");
    let reactions = &detector.then.value;
    if reactions.is_empty() {
        let report = Diagnostic::new(Code::E0829, format!("detector \"{name}\" does nothing"))
            .help("at least one reaction, e.g. `[Alert]`")
            .at(detector.then.span, "")
            .rule(path.as_str());
        sink.push(mending::value(subject, report, &path, "[Alert]"));
        return;
    }
    for reaction in reactions.iter() {
        lock(name, reaction, &path, sink);
    }
    if !reactions.values().any(|reaction| matches!(reaction, Reaction::Alert)) {
        let report = Diagnostic::new(Code::L0832, format!("detector \"{name}\" tells nobody"))
            .help("add `Alert`: a person has to look")
            .at(detector.then.span, "")
            .rule(path.as_str());
        let added = crate::edits::appended(subject.sources, detector.then.span, "Alert");
        sink.push(match added {
            Some((place, text)) => report.edit(place, text),
            None => report,
        });
    }
}

/// E0830.
fn lock(name: &str, reaction: &Spanned<Reaction>, path: &str, sink: &mut Vec<Diagnostic>) {
    let (word, for_s) = match &reaction.value {
        Reaction::HoldOutgoing { for_ } => ("HoldOutgoing", for_.0),
        Reaction::LockSending { for_ } => ("LockSending", for_.0),
        Reaction::Alert | Reaction::EndSessions => return,
    };
    if !LOCK_S.contains(&for_s) {
        let report = Diagnostic::new(Code::E0830, format!("detector \"{name}\" would lock for {}", span(for_s)))
            .help("from 1 min to 30 days: nobody may be forgotten behind a lock")
            .at(reaction.span, "")
            .rule(path)
            .edit(reaction.span, format!("{word}(for: \"1 day\")"));
        sink.push(report);
    }
}
