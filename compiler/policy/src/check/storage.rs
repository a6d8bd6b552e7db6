//! E0506 and E0904: sizes that must fit, backups that must last.

use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::mailboxes::Quota;
use crate::model::{Policy, Switch};

pub(super) fn check(policy: &Policy, sink: &mut Vec<Diagnostic>) {
    if let Some(mailboxes) = policy.mailboxes.seen() {
        let size = &mailboxes.message_size;
        let quotas = mailboxes.profiles.iter().map(|(name, profile)| match profile.quota {
            Quota::Fixed(quota) | Quota::OnRequest { above: quota } => (quota, name, profile.span),
        });
        if let Some((quota, name, place)) = quotas.min_by_key(|(quota, ..)| *quota)
            && quota < size.value
        {
            let message =
                format!("a message of {} bytes does not fit the smallest quota ({} bytes)", size.value.0, quota.0);
            let diagnostic = Diagnostic::new(Code::E0506, message)
                .help(format!("raise the quota of \"{name}\" or lower `message_size`"))
                .at(size.span, "")
                .also(place, "the smallest quota")
                .rule("mailboxes.message_size");
            sink.push(diagnostic);
        }
    }
    if let Some(backup) = policy.backup.seen().and_then(Switch::on)
        && backup.keep.at_most < backup.keep.at_least
    {
        let days = |seconds: u64| format!("{} days", seconds / 86_400);
        let message = format!(
            "backups: `at_most` {} is shorter than `at_least` {}",
            days(backup.keep.at_most.0),
            days(backup.keep.at_least.0)
        );
        let diagnostic = Diagnostic::new(Code::E0904, message)
            .help("exchange them, or give both the same value")
            .at(backup.keep.span, "")
            .rule("backup.keep");
        sink.push(diagnostic);
    }
}
