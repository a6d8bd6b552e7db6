//! E0904, L0905 to L0907, E0908, L0909.

use super::{Base, Example, Setting};
use crate::codes::Code;

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        code: Code::E0904,
        setting: Setting::Sections(Base::Office),
        why: "A backup is promised for so long at least and is destroyed after so long at most. The second cannot come before the first.",
        bad: r#"    backup: (
        every: Night("03:30"), covers: [System, Mailboxes], to: Elsewhere("backup.example"),
        keep: (at_least: "30 days", at_most: "20 days"), restores: [ServerFolders],
    ),"#,
        caret: r#"keep:"#,
        good: r#"    backup: (
        every: Night("03:30"), covers: [System, Mailboxes], to: Elsewhere("backup.example"),
        keep: (at_least: "20 days", at_most: "30 days"), restores: [ServerFolders],
    ),"#,
    },
    Example {
        code: Code::L0905,
        setting: Setting::Sections(Base::Office),
        why: "A backup holds what was there at its hour. Mail that came in the morning and was deleted at noon is in none; the users' page says so, and the lint is waived once that is agreed. Only a policy without backups of mailboxes is silent.",
        bad: r#"    backup: (
        every: Night("03:30"), covers: [System, Mailboxes], to: Elsewhere("backup.example"),
        keep: (at_least: "30 days", at_most: "35 days"), restores: [ServerFolders],
    ),"#,
        caret: r#"every:"#,
        good: r#"    backup: (
        every: Night("03:30"), covers: [System], to: Elsewhere("backup.example"),
        keep: (at_least: "30 days", at_most: "35 days"), restores: [],
    ),"#,
    },
    Example {
        code: Code::L0906,
        setting: Setting::Sections(Base::Office),
        why: "What is in quarantine is mostly a virus. When it lives longer than the backups, the oldest copies an institution keeps are of what it wanted to be rid of.",
        bad: r#"    retention: (
        mail: WhileAccountLives, trash: WhileAccountLives, junk: WhileAccountLives,
        closed_accounts: "180 days", queue: "5 days", losses: "180 days",
        quarantine: "90 days",
        decisions: "180 days", accesses: "180 days", audit: "365 days",
        training: "365 days", statistics: "365 days", limits: "1 day", ledger: Forever,
    ),"#,
        caret: r#"quarantine:"#,
        good: r#"    retention: (
        mail: WhileAccountLives, trash: WhileAccountLives, junk: WhileAccountLives,
        closed_accounts: "180 days", queue: "5 days", losses: "180 days",
        quarantine: "30 days",
        decisions: "180 days", accesses: "180 days", audit: "365 days",
        training: "365 days", statistics: "365 days", limits: "1 day", ledger: Forever,
    ),"#,
    },
    Example {
        code: Code::L0907,
        setting: Setting::Sections(Base::Office),
        why: "A record of a loss says who wrote to whom. Beyond half a year an institution needs a reason for keeping such a thing, and its data-protection officer knows which.",
        bad: r#"    retention: (
        mail: WhileAccountLives, trash: WhileAccountLives, junk: WhileAccountLives,
        closed_accounts: "180 days", quarantine: "30 days", queue: "5 days",
        losses: "365 days",
        decisions: "180 days", accesses: "180 days", audit: "365 days",
        training: "365 days", statistics: "365 days", limits: "1 day", ledger: Forever,
    ),"#,
        caret: r#"losses:"#,
        good: r#"    retention: (
        mail: WhileAccountLives, trash: WhileAccountLives, junk: WhileAccountLives,
        closed_accounts: "180 days", quarantine: "30 days", queue: "5 days",
        losses: "180 days",
        decisions: "180 days", accesses: "180 days", audit: "365 days",
        training: "365 days", statistics: "365 days", limits: "1 day", ledger: Forever,
    ),"#,
    },
    Example {
        code: Code::E0908,
        setting: Setting::Sections(Base::Office),
        why: "On one night in spring that time is skipped and there is no backup; on one in autumn it comes twice. Which times those are depends on the zone of the institution.",
        bad: r#"    backup: (
        every: Night("02:30"), covers: [System, Mailboxes], to: Elsewhere("backup.example"),
        keep: (at_least: "30 days", at_most: "35 days"), restores: [ServerFolders],
    ),"#,
        caret: r#"Night("02:30")"#,
        good: r#"    backup: (
        every: Night("03:30"), covers: [System, Mailboxes], to: Elsewhere("backup.example"),
        keep: (at_least: "30 days", at_most: "35 days"), restores: [ServerFolders],
    ),"#,
    },
    Example {
        code: Code::L0909,
        setting: Setting::Sections(Base::Office),
        why: "A copy on the same disk helps against a slip of the hand. What loses the disk, a fire or an intruder, loses the copy with it.",
        bad: r#"    backup: (
        every: Night("03:30"), covers: [System, Mailboxes], to: SameDisk,
        keep: (at_least: "30 days", at_most: "30 days"), restores: [ServerFolders],
    ),"#,
        caret: r#"to: SameDisk"#,
        good: r#"    backup: (
        every: Night("03:30"), covers: [System, Mailboxes], to: Elsewhere("backup.example"),
        keep: (at_least: "30 days", at_most: "30 days"), restores: [ServerFolders],
    ),"#,
    },
];
