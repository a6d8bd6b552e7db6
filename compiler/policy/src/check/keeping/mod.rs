//! E09xx and L09xx about storage and time: backups, quarantine, records, the hour a night has twice.

mod nights;

use plan::BackupCover;

use super::{Subject, mending};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::Switch;
use crate::model::retention::{Backup, BackupTo, Life, LifeWord, Retention};
use crate::syntax::WordOr;

/// Half a year: what data-protection authorities usually grant for records that name people without a reason of one's
/// own.
const NAMED_S_MAX: u64 = 183 * DAY_S;
const DAY_S: u64 = 86_400;

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let backup = subject.policy.backup.seen().and_then(Switch::on);
    if let Some(backup) = backup {
        between(subject, backup, sink);
        same_disk(subject, backup, sink);
        nights::check(subject, backup, sink);
    }
    let Some(retention) = subject.policy.retention.seen() else { return };
    if let Some(backup) = backup {
        quarantine(subject, retention, backup, sink);
    }
    losses(subject, retention, sink);
}

/// A life in words.
fn shown(life: &Life) -> String {
    match life {
        WordOr::Word(LifeWord::Forever) => "for ever".to_owned(),
        WordOr::Word(LifeWord::WhileAccountLives) => "while the account lives".to_owned(),
        WordOr::Value(life) => days(life.0),
    }
}

/// Whole days where they are whole.
pub(super) fn days(seconds: u64) -> String {
    match (seconds / DAY_S, seconds % DAY_S) {
        (1, 0) => "1 day".to_owned(),
        (days, 0) => format!("{days} days"),
        _ => format!("{} h", seconds.div_ceil(3_600)),
    }
}

/// Longer than so many seconds?
fn outlives(life: &Life, seconds: u64) -> bool {
    match life {
        WordOr::Word(LifeWord::Forever | LifeWord::WhileAccountLives) => true,
        WordOr::Value(life) => life.0 > seconds,
    }
}

/// L0905, of backups the institution wrote.
fn between(subject: &Subject<'_>, backup: &Backup, sink: &mut Vec<Diagnostic>) {
    let covers = backup.covers.values().any(|cover| *cover == BackupCover::Mailboxes);
    if !covers || !subject.is_written("backup") {
        return;
    }
    let report = Diagnostic::new(Code::L0905, "mail received and deleted between two backups is in none")
        .help("the page says so; back up more often if that is not acceptable")
        .at(subject.place("backup.every"), "")
        .rule("backup.every");
    sink.push(report);
}

/// L0909.
fn same_disk(subject: &Subject<'_>, backup: &Backup, sink: &mut Vec<Diagnostic>) {
    match &backup.to {
        Some(BackupTo::Elsewhere(_)) => return,
        Some(BackupTo::SameDisk) | None => {}
    }
    let report = Diagnostic::new(Code::L0909, "backups go to the same disk")
        .help("what loses the disk loses them; `to: Elsewhere(\"…\")`")
        .at(subject.place("backup.to"), "")
        .rule("backup.to");
    sink.push(report);
}

/// L0906.
fn quarantine(subject: &Subject<'_>, retention: &Retention, backup: &Backup, sink: &mut Vec<Diagnostic>) {
    let kept = backup.keep.at_most.0;
    if !outlives(&retention.quarantine, kept) {
        return;
    }
    let path = "retention.quarantine";
    let place = if subject.is_written(path) { path } else { "backup.keep" };
    let message = format!("quarantine ({}) outlives backups ({})", shown(&retention.quarantine), days(kept));
    let report = Diagnostic::new(Code::L0906, message)
        .help("infected mail would be the oldest copy you keep")
        .at(subject.place(place), "")
        .rule(path);
    let mended =
        if kept.is_multiple_of(DAY_S) { format!("\"{} days\"", kept / DAY_S) } else { format!("\"{kept} s\"") };
    sink.push(mending::value(subject, report, path, &mended));
}

/// L0907, of a life the institution wrote.
fn losses(subject: &Subject<'_>, retention: &Retention, sink: &mut Vec<Diagnostic>) {
    let path = "retention.losses";
    if !subject.is_written(path) || !outlives(&retention.losses, NAMED_S_MAX) {
        return;
    }
    let report = Diagnostic::new(Code::L0907, format!("loss records kept {}", shown(&retention.losses)))
        .help("they name people; check with the data-protection officer")
        .at(subject.place(path), "")
        .rule(path);
    sink.push(mending::value(subject, report, path, "\"180 days\""));
}
