//! What guards a plan on trial: E1008.

use super::{Subject, mending};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;

/// A trial, in seconds: whoever deploys needs a moment, and nobody waits for more than a day.
const TRIAL_S: std::ops::RangeInclusive<u64> = 5..=86_400;
const TIMES: std::ops::RangeInclusive<u64> = 1..=100;
const FLOOR: std::ops::RangeInclusive<u64> = 1..=100_000;
const DOWN_S: std::ops::RangeInclusive<u64> = 10..=3_600;
const QUEUE: std::ops::RangeInclusive<u64> = 10..=1_000_000;

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let Some(deployment) = subject.policy.deployment.seen() else { return };
    let guards = &deployment.guards;
    let fields = [
        ("trial", TRIAL_S, deployment.trial.value.0, "from 5 s to 1 day", "\"10 min\""),
        ("guards.accounts.times", TIMES, guards.accounts.times.value.into(), "from 1 to 100", "3"),
        ("guards.accounts.floor", FLOOR, guards.accounts.floor.value.into(), "from 1 to 100 000", "20"),
        ("guards.down", DOWN_S, guards.down.value.0, "from 10 s to 1 h", "\"60 s\""),
        ("guards.queue", QUEUE, guards.queue.value, "from 10 to 1 000 000 messages", "1000"),
    ];
    for (field, range, value, help, mended) in fields {
        if range.contains(&value) {
            continue;
        }
        let path = format!("deployment.{field}");
        let report = Diagnostic::new(Code::E1008, format!("`{path}` would not guard a plan on trial"))
            .help(help)
            .at(subject.place(&path), "")
            .rule(path.as_str());
        sink.push(mending::value(subject, report, &path, mended));
    }
}
