//! E01xx about names and literals.

use crate::codes::Code;

use super::{Base, Example, Setting};

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        code: Code::E0101,
        setting: Setting::Sections(Base::Office),
        why: "A name that leads nowhere gives a rule that never applies.",
        bad: r#"    may_read: { "reading": (connecting_to: ["imap"], from: Everywhere) },"#,
        caret: "imap",
        good: r#"    may_read: { "reading": (connecting_to: ["imaps"], from: Everywhere) },"#,
    },
    Example {
        code: Code::E0104,
        setting: Setting::Sections(Base::Office),
        why: "Every field has one shape, so that a policy can be read without knowing what its writer meant.",
        bad: r#"    may_read: { "reading": (connecting_to: "imaps", from: Everywhere) },"#,
        caret: "imaps",
        good: r#"    may_read: { "reading": (connecting_to: ["imaps"], from: Everywhere) },"#,
    },
    Example {
        code: Code::E0105,
        setting: Setting::Sections(Base::Office),
        why: "Some read M as a million bytes and some as 1 048 576: a person near the limit meets the difference.",
        bad: r#"    mailboxes: (
        message_size: "20 M", profiles: { "standard": (label: "Standard", quota: Fixed("1 GB")) }, otherwise: "standard",
        counts: [Inbox], when_full: (warn_at: ["80 %"], grace: "10 %", full: TryLater(for: "3 days"), then: Refuse),
    ),"#,
        caret: "20 M",
        good: r#"    mailboxes: (
        message_size: "20 MB", profiles: { "standard": (label: "Standard", quota: Fixed("1 GB")) }, otherwise: "standard",
        counts: [Inbox], when_full: (warn_at: ["80 %"], grace: "10 %", full: TryLater(for: "3 days"), then: Refuse),
    ),"#,
    },
    Example {
        code: Code::E0106,
        setting: Setting::Sections(Base::Office),
        why: "A month has 28 to 31 days. What is deleted after one must be known to the day.",
        bad: r#"    backup: (
        every: Night("03:30"), covers: [System, Mailboxes], to: SameDisk,
        keep: (at_least: "30 days", at_most: "1 month"), restores: [ServerFolders],
    ),"#,
        caret: "1 month",
        good: r#"    backup: (
        every: Night("03:30"), covers: [System, Mailboxes], to: SameDisk,
        keep: (at_least: "30 days", at_most: "31 days"), restores: [ServerFolders],
    ),"#,
    },
    Example {
        code: Code::E0107,
        setting: Setting::Sections(Base::Office),
        why: "A number alone says nothing: 30 may be seconds or days.",
        bad: r#"    backup: (
        every: Night("03:30"), covers: [System, Mailboxes], to: SameDisk,
        keep: (at_least: 30, at_most: "35 days"), restores: [ServerFolders],
    ),"#,
        caret: "at_least",
        good: r#"    backup: (
        every: Night("03:30"), covers: [System, Mailboxes], to: SameDisk,
        keep: (at_least: "30 days", at_most: "35 days"), restores: [ServerFolders],
    ),"#,
    },
    Example {
        code: Code::E0108,
        setting: Setting::Sections(Base::Office),
        why: "What is out of range can only be a slip, and the nearest value that fits is no better a guess.",
        bad: r#"    networks: { "inside": In(["192.168.10.0/33"]), "outside": Rest },"#,
        caret: "192.168.10.0/33",
        good: r#"    networks: { "inside": In(["192.168.10.0/24"]), "outside": Rest },"#,
    },
    Example {
        code: Code::E0109,
        setting: Setting::Sections(Base::Office),
        why: "192.168.10.5/24 may mean one machine or the network around it, and the two have very different rights.",
        bad: r#"    networks: { "inside": In(["192.168.10.5/24"]), "outside": Rest },"#,
        caret: "192.168.10.5/24",
        good: r#"    networks: { "inside": In(["192.168.10.0/24"]), "outside": Rest },"#,
    },
    Example {
        code: Code::E0114,
        setting: Setting::Sections(Base::Office),
        why: "Policies are copied, compared and printed. A password in one is known to everyone who saw any copy.",
        bad: r#"    routes: (held: Mailbox, remote: Smarthost("martin:hunter2@smtp.example:587")),"#,
        caret: "hunter2",
        good: r#"    routes: (held: Mailbox, remote: Smarthost("smtp.example:587")),"#,
    },
    Example {
        code: Code::E0119,
        setting: Setting::Sections(Base::Office),
        why: "A refusal read over the telephone names one thing, so one name means one thing.",
        bad: r#"    may_read: { "imaps": (connecting_to: ["imaps"], from: Everywhere) },"#,
        caret: "may_read",
        good: r#"    may_read: { "reading": (connecting_to: ["imaps"], from: Everywhere) },"#,
    },
    Example {
        code: Code::E0120,
        setting: Setting::Sections(Base::Office),
        why: "Every hour in the policy is in this zone, summer time included, so it must be one that exists.",
        bad: r#"    institution: (name: "Cabinet Martin", domain: "cabinet-martin.example", time_zone: "Europe/Nantes"),"#,
        caret: "Europe/Nantes",
        good: r#"    institution: (name: "Cabinet Martin", domain: "cabinet-martin.example", time_zone: "Europe/Paris"),"#,
    },
];
