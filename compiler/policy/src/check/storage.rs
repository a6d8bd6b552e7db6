//! E0506 and E0904: sizes that must fit, backups that must last.

use super::{Subject, mending};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::figures::size_literal;
use crate::model::Switch;
use crate::model::mailboxes::Quota;

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    message_fits(subject, sink);
    backup_lasts(subject, sink);
}

/// E0506.
fn message_fits(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let Some(mailboxes) = subject.policy.mailboxes.seen() else { return };
    let size = &mailboxes.message_size;
    let quotas = mailboxes.profiles.iter().map(|(name, profile)| match profile.quota {
        Quota::Fixed(quota) | Quota::OnRequest { above: quota } => (quota, name, profile.span),
    });
    let Some((quota, name, place)) = quotas.min_by_key(|(quota, ..)| *quota).filter(|(quota, ..)| *quota < size.value)
    else {
        return;
    };
    let message = format!("a message of {} bytes does not fit the smallest quota ({} bytes)", size.value.0, quota.0);
    let report = Diagnostic::new(Code::E0506, message)
        .help(format!("raise the quota of \"{name}\" or lower `message_size`"))
        .at(size.span, "")
        .also(place, "the smallest quota")
        .rule("mailboxes.message_size");
    sink.push(mending::value(subject, report, "mailboxes.message_size", &size_literal(quota.0)));
}

/// E0904.
fn backup_lasts(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let Some(backup) = subject.policy.backup.seen().and_then(Switch::on) else { return };
    let (least, most) = (backup.keep.at_least, backup.keep.at_most);
    if most >= least {
        return;
    }
    let days = |seconds: u64| super::keeping::days(seconds);
    let message = format!("backups: `at_most` {} is shorter than `at_least` {}", days(most.0), days(least.0));
    let mut report = Diagnostic::new(Code::E0904, message)
        .help("exchange them, or give both the same value")
        .at(backup.keep.span, "")
        .rule("backup.keep");
    let spans = (subject.spans.get("backup.keep.at_least"), subject.spans.get("backup.keep.at_most"));
    if let (Some(least), Some(most)) = spans {
        let (at_least, at_most) = (subject.sources.slice(*least), subject.sources.slice(*most));
        report = report.edit(*least, at_most).edit(*most, at_least);
    }
    sink.push(report);
}
