//! 07xx.

use super::{Base, Example, Setting};
use crate::codes::Code;

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        code: Code::E0701,
        setting: Setting::Sections(Base::Nantes),
        why: "A promise that every engine looks at every message is kept only by a step in the way of that mail.",
        bad: r#"    sending: [Limits, Accept, Route],"#,
        caret: r#"sending: [Limits"#,
        good: r#"    sending: [Limits, Antivirus, Accept, Route],"#,
    },
    Example {
        code: Code::E0702,
        setting: Setting::Sections(Base::Office),
        why: "With 250 the sender is rid of the message. An engine that looks afterwards can only delete it or bounce it to a forged sender.",
        bad: r#"    reception: [KnownRecipient, Authenticate, Accept, Antivirus, Antispam, Filters, Redirect, Deliver],"#,
        caret: r#"reception:"#,
        good: r#"    reception: [KnownRecipient, Authenticate, Antivirus, Accept, Antispam, Filters, Redirect, Deliver],"#,
    },
    Example {
        code: Code::L0703,
        setting: Setting::Sections(Base::Office),
        why: "Whoever sent a virus forged the sender. The server that is refused writes a report to that person, although the policy says nobody is told.",
        bad: r#"    scanners: { "clamav": (does: Antivirus, at: Clamd("127.0.0.1:3310"), updates: AtLeast("2 / 1 day")) },
    antivirus: (
        engines: ["clamav"], on: [Inbound, Outbound], infected_when: AnyEngine,
        inbound: (
            infected: (keep: Quarantine, reply: Refuse, tell: Nobody),
            suspect:  (keep: Deliver, reply: Accept, tell: Nobody),
        ),
        outbound_from_person: (
            infected: (keep: Quarantine, reply: Refuse, tell: Sender),
            suspect:  (keep: Deliver, reply: Accept, tell: Nobody),
        ),
        outbound_from_machine: (
            infected: (keep: Quarantine, reply: AcceptSilently, tell: Managers),
            suspect:  (keep: Deliver, reply: Accept, tell: Nobody),
        ),
        engine_down: TryLater(for: "4 h"),
    ),"#,
        caret: r#"reply: Refuse, tell: Nobody"#,
        good: r#"    scanners: { "clamav": (does: Antivirus, at: Clamd("127.0.0.1:3310"), updates: AtLeast("2 / 1 day")) },
    antivirus: (
        engines: ["clamav"], on: [Inbound, Outbound], infected_when: AnyEngine,
        inbound: (
            infected: (keep: Quarantine, reply: AcceptSilently, tell: Nobody),
            suspect:  (keep: Deliver, reply: Accept, tell: Nobody),
        ),
        outbound_from_person: (
            infected: (keep: Quarantine, reply: Refuse, tell: Sender),
            suspect:  (keep: Deliver, reply: Accept, tell: Nobody),
        ),
        outbound_from_machine: (
            infected: (keep: Quarantine, reply: AcceptSilently, tell: Managers),
            suspect:  (keep: Deliver, reply: Accept, tell: Nobody),
        ),
        engine_down: TryLater(for: "4 h"),
    ),"#,
    },
    Example {
        code: Code::E0704,
        setting: Setting::Sections(Base::Office),
        why: "An engine that is down may hold mail back, but mail that nobody looked at must not pass: the queue of the sender keeps it.",
        bad: r#"    scanners: {
        "clamav": (does: Antivirus, at: Clamd("127.0.0.1:3310"), updates: AtLeast("2 / 1 day")),
        "other":  (does: Antivirus, at: Icap("scan.example:1344"), updates: AtLeast("2 / 1 day")),
    },
    antivirus: (
        engines: ["clamav", "other"], on: [Inbound, Outbound], infected_when: AnyEngine,
        inbound: (
            infected: (keep: Quarantine, reply: AcceptSilently, tell: Nobody),
            suspect:  (keep: Deliver, reply: Accept, tell: Nobody),
        ),
        outbound_from_person: (
            infected: (keep: Quarantine, reply: Refuse, tell: Sender),
            suspect:  (keep: Deliver, reply: Accept, tell: Nobody),
        ),
        outbound_from_machine: (
            infected: (keep: Quarantine, reply: AcceptSilently, tell: Managers),
            suspect:  (keep: Deliver, reply: Accept, tell: Nobody),
        ),
        engine_down: TryLater(for: "4 h", then: ContinueWith(at_least: 0, rescan: true, alarm: true)),
    ),"#,
        caret: r#"at_least: 0"#,
        good: r#"    scanners: {
        "clamav": (does: Antivirus, at: Clamd("127.0.0.1:3310"), updates: AtLeast("2 / 1 day")),
        "other":  (does: Antivirus, at: Icap("scan.example:1344"), updates: AtLeast("2 / 1 day")),
    },
    antivirus: (
        engines: ["clamav", "other"], on: [Inbound, Outbound], infected_when: AnyEngine,
        inbound: (
            infected: (keep: Quarantine, reply: AcceptSilently, tell: Nobody),
            suspect:  (keep: Deliver, reply: Accept, tell: Nobody),
        ),
        outbound_from_person: (
            infected: (keep: Quarantine, reply: Refuse, tell: Sender),
            suspect:  (keep: Deliver, reply: Accept, tell: Nobody),
        ),
        outbound_from_machine: (
            infected: (keep: Quarantine, reply: AcceptSilently, tell: Managers),
            suspect:  (keep: Deliver, reply: Accept, tell: Nobody),
        ),
        engine_down: TryLater(for: "4 h", then: ContinueWith(at_least: 1, rescan: true, alarm: true)),
    ),"#,
    },
    Example {
        code: Code::E0705,
        setting: Setting::Sections(Base::Office),
        why: "Two names for one engine look like two opinions, in the record of a virus and in the promise that all engines looked.",
        bad: r#"    scanners: {
        "clamav": (does: Antivirus, at: Clamd("127.0.0.1:3310")),
        "second": (does: Antivirus, at: Clamd("127.0.0.1:3310")),
    },"#,
        caret: r#""second""#,
        good: r#"    scanners: {
        "clamav": (does: Antivirus, at: Clamd("127.0.0.1:3310")),
        "second": (does: Antivirus, at: Icap("scan.example:1344")),
    },"#,
    },
    Example {
        code: Code::E0706,
        setting: Setting::Sections(Base::Office),
        why: "Some filters give spam a high score, some a low one. Read the wrong way round, good mail is tagged and spam is not.",
        bad: r#"    scanners: { "rspamd": (does: SpamScore, at: Rspamd("127.0.0.1:11333")) },"#,
        caret: r#""rspamd""#,
        good: r#"    scanners: { "rspamd": (does: SpamScore, at: Rspamd("127.0.0.1:11333"), says: PositiveIsSpam) },"#,
    },
    Example {
        code: Code::E0707,
        setting: Setting::Sections(Base::Office),
        why: "A message nothing is known about scores 0. A threshold above it would tag most mail.",
        bad: r#"    scanners: {
        "form":    (does: SpamScore, at: BuiltIn(Form)),
        "learned": (does: SpamScore, at: BuiltIn(Learned)),
    },
    antispam: (
        passes: ["form", "learned"], total: Sum, tag_when: ScoreBelow(5),
        tag: (subject: "[SPAM]", copies: All), always: Deliver,
        taught_by: ["mail-managers"],
    ),"#,
        caret: r#"ScoreBelow(5)"#,
        good: r#"    scanners: {
        "form":    (does: SpamScore, at: BuiltIn(Form)),
        "learned": (does: SpamScore, at: BuiltIn(Learned)),
    },
    antispam: (
        passes: ["form", "learned"], total: Sum, tag_when: ScoreBelow(0),
        tag: (subject: "[SPAM]", copies: All), always: Deliver,
        taught_by: ["mail-managers"],
    ),"#,
    },
    Example {
        code: Code::E0708,
        setting: Setting::Sections(Base::Office),
        why: "The policy promises that spam is always delivered; a threshold for refusing says the opposite.",
        bad: r#"    scanners: {
        "form":    (does: SpamScore, at: BuiltIn(Form)),
        "learned": (does: SpamScore, at: BuiltIn(Learned)),
    },
    antispam: (
        passes: ["form", "learned"], total: Sum, tag_when: ScoreBelow(0),
        tag: (subject: "[SPAM]", copies: All), always: Deliver, refuse_when: ScoreBelow(-10),
        taught_by: ["mail-managers"],
    ),"#,
        caret: r#"refuse_when"#,
        good: r#"    scanners: {
        "form":    (does: SpamScore, at: BuiltIn(Form)),
        "learned": (does: SpamScore, at: BuiltIn(Learned)),
    },
    antispam: (
        passes: ["form", "learned"], total: Sum, tag_when: ScoreBelow(0),
        tag: (subject: "[SPAM]", copies: All), always: Deliver,
        taught_by: ["mail-managers"],
    ),"#,
    },
    Example {
        code: Code::L0709,
        setting: Setting::Sections(Base::Office),
        why: "Most senders sign the Subject with DKIM. After the tag that signature no longer holds, and a later hop may refuse the message. An empty `subject` tags in a header field of its own.",
        bad: r#"    scanners: {
        "form":    (does: SpamScore, at: BuiltIn(Form)),
        "learned": (does: SpamScore, at: BuiltIn(Learned)),
    },
    antispam: (
        passes: ["form", "learned"], total: Sum, tag_when: ScoreBelow(0),
        tag: (subject: "[SPAM]", copies: All), always: Deliver,
        taught_by: ["mail-managers"],
    ),"#,
        caret: r#"subject: "[SPAM]""#,
        good: r#"    scanners: {
        "form":    (does: SpamScore, at: BuiltIn(Form)),
        "learned": (does: SpamScore, at: BuiltIn(Learned)),
    },
    antispam: (
        passes: ["form", "learned"], total: Sum, tag_when: ScoreBelow(0),
        tag: (subject: "", copies: All), always: Deliver,
        taught_by: ["mail-managers"],
    ),"#,
    },
    Example {
        code: Code::E0710,
        setting: Setting::Sections(Base::Office),
        why: "A filter sees the message as it is when the step runs: before `Antispam` there is no tag to sort by.",
        bad: r#"    reception: [KnownRecipient, Authenticate, Antivirus, Accept, Filters, Antispam, Redirect, Deliver],"#,
        caret: r#"reception:"#,
        good: r#"    reception: [KnownRecipient, Authenticate, Antivirus, Accept, Antispam, Filters, Redirect, Deliver],"#,
    },
    Example {
        code: Code::L0711,
        setting: Setting::Sections(Base::Office),
        why: "An engine with old signatures finds old viruses. Somebody must be warned before they are days old.",
        bad: r#"    scanners: { "clamav": (does: Antivirus, at: Clamd("127.0.0.1:3310"), updates: AtLeast("1 / 1 day")) },
    antivirus: (
        engines: ["clamav"], on: [Inbound, Outbound], infected_when: AnyEngine,
        inbound: (
            infected: (keep: Quarantine, reply: AcceptSilently, tell: Nobody),
            suspect:  (keep: Deliver, reply: Accept, tell: Nobody),
        ),
        outbound_from_person: (
            infected: (keep: Quarantine, reply: Refuse, tell: Sender),
            suspect:  (keep: Deliver, reply: Accept, tell: Nobody),
        ),
        outbound_from_machine: (
            infected: (keep: Quarantine, reply: AcceptSilently, tell: Managers),
            suspect:  (keep: Deliver, reply: Accept, tell: Nobody),
        ),
        engine_down: TryLater(for: "4 h"),
    ),"#,
        caret: r#"1 / 1 day"#,
        good: r#"    scanners: { "clamav": (does: Antivirus, at: Clamd("127.0.0.1:3310"), updates: AtLeast("2 / 1 day")) },
    antivirus: (
        engines: ["clamav"], on: [Inbound, Outbound], infected_when: AnyEngine,
        inbound: (
            infected: (keep: Quarantine, reply: AcceptSilently, tell: Nobody),
            suspect:  (keep: Deliver, reply: Accept, tell: Nobody),
        ),
        outbound_from_person: (
            infected: (keep: Quarantine, reply: Refuse, tell: Sender),
            suspect:  (keep: Deliver, reply: Accept, tell: Nobody),
        ),
        outbound_from_machine: (
            infected: (keep: Quarantine, reply: AcceptSilently, tell: Managers),
            suspect:  (keep: Deliver, reply: Accept, tell: Nobody),
        ),
        engine_down: TryLater(for: "4 h"),
    ),"#,
    },
    Example {
        code: Code::L0713,
        setting: Setting::Sections(Base::Office),
        why: "Nothing looks for viruses. That may be meant, when a service in front does it; then a waiver says so.",
        bad: r#"    antivirus: None,"#,
        caret: r#"antivirus: None"#,
        good: r#"    scanners: { "clamav": (does: Antivirus, at: Clamd("127.0.0.1:3310"), updates: AtLeast("2 / 1 day")) },
    antivirus: (
        engines: ["clamav"], on: [Inbound, Outbound], infected_when: AnyEngine,
        inbound: (
            infected: (keep: Quarantine, reply: AcceptSilently, tell: Nobody),
            suspect:  (keep: Deliver, reply: Accept, tell: Nobody),
        ),
        outbound_from_person: (
            infected: (keep: Quarantine, reply: Refuse, tell: Sender),
            suspect:  (keep: Deliver, reply: Accept, tell: Nobody),
        ),
        outbound_from_machine: (
            infected: (keep: Quarantine, reply: AcceptSilently, tell: Managers),
            suspect:  (keep: Deliver, reply: Accept, tell: Nobody),
        ),
        engine_down: TryLater(for: "4 h"),
    ),"#,
    },
    Example {
        code: Code::L0714,
        setting: Setting::Sections(Base::Office),
        why: "A filter that anyone may teach learns from spammers too.",
        bad: r#"    scanners: {
        "form":    (does: SpamScore, at: BuiltIn(Form)),
        "learned": (does: SpamScore, at: BuiltIn(Learned)),
    },
    antispam: (
        passes: ["form", "learned"], total: Sum, tag_when: ScoreBelow(0),
        tag: (subject: "[SPAM]", copies: All), always: Deliver,
        taught_by: [],
    ),"#,
        caret: r#"taught_by: []"#,
        good: r#"    scanners: {
        "form":    (does: SpamScore, at: BuiltIn(Form)),
        "learned": (does: SpamScore, at: BuiltIn(Learned)),
    },
    antispam: (
        passes: ["form", "learned"], total: Sum, tag_when: ScoreBelow(0),
        tag: (subject: "[SPAM]", copies: All), always: Deliver,
        taught_by: ["mail-managers"],
    ),"#,
    },
    Example {
        code: Code::L0715,
        setting: Setting::Sections(Base::Office),
        why: "A person who is logged in is not forged, and would like to know that the message did not arrive. `tell: Sender` is the reply of the session, never a message.",
        bad: r#"    scanners: { "clamav": (does: Antivirus, at: Clamd("127.0.0.1:3310"), updates: AtLeast("2 / 1 day")) },
    antivirus: (
        engines: ["clamav"], on: [Inbound, Outbound], infected_when: AnyEngine,
        inbound: (
            infected: (keep: Quarantine, reply: AcceptSilently, tell: Nobody),
            suspect:  (keep: Deliver, reply: Accept, tell: Nobody),
        ),
        outbound_from_person: (
            infected: (keep: Nothing, reply: AcceptSilently, tell: Nobody),
            suspect:  (keep: Deliver, reply: Accept, tell: Nobody),
        ),
        outbound_from_machine: (
            infected: (keep: Quarantine, reply: AcceptSilently, tell: Managers),
            suspect:  (keep: Deliver, reply: Accept, tell: Nobody),
        ),
        engine_down: TryLater(for: "4 h"),
    ),"#,
        caret: r#"keep: Nothing, reply: AcceptSilently"#,
        good: r#"    scanners: { "clamav": (does: Antivirus, at: Clamd("127.0.0.1:3310"), updates: AtLeast("2 / 1 day")) },
    antivirus: (
        engines: ["clamav"], on: [Inbound, Outbound], infected_when: AnyEngine,
        inbound: (
            infected: (keep: Quarantine, reply: AcceptSilently, tell: Nobody),
            suspect:  (keep: Deliver, reply: Accept, tell: Nobody),
        ),
        outbound_from_person: (
            infected: (keep: Quarantine, reply: Refuse, tell: Sender),
            suspect:  (keep: Deliver, reply: Accept, tell: Nobody),
        ),
        outbound_from_machine: (
            infected: (keep: Quarantine, reply: AcceptSilently, tell: Managers),
            suspect:  (keep: Deliver, reply: Accept, tell: Nobody),
        ),
        engine_down: TryLater(for: "4 h"),
    ),"#,
    },
    Example {
        code: Code::L0716,
        setting: Setting::Sections(Base::Office),
        why: "A licence lapses, a disk fills: without `then`, one engine that stays down answers 451 to all mail until somebody comes.",
        bad: r#"    scanners: {
        "clamav": (does: Antivirus, at: Clamd("127.0.0.1:3310"), updates: AtLeast("2 / 1 day")),
        "other":  (does: Antivirus, at: Icap("scan.example:1344"), updates: AtLeast("2 / 1 day")),
    },
    antivirus: (
        engines: ["clamav", "other"], on: [Inbound, Outbound], infected_when: AnyEngine,
        inbound: (
            infected: (keep: Quarantine, reply: AcceptSilently, tell: Nobody),
            suspect:  (keep: Deliver, reply: Accept, tell: Nobody),
        ),
        outbound_from_person: (
            infected: (keep: Quarantine, reply: Refuse, tell: Sender),
            suspect:  (keep: Deliver, reply: Accept, tell: Nobody),
        ),
        outbound_from_machine: (
            infected: (keep: Quarantine, reply: AcceptSilently, tell: Managers),
            suspect:  (keep: Deliver, reply: Accept, tell: Nobody),
        ),
        engine_down: TryLater(for: "4 h"),
    ),"#,
        caret: r#"engine_down"#,
        good: r#"    scanners: {
        "clamav": (does: Antivirus, at: Clamd("127.0.0.1:3310"), updates: AtLeast("2 / 1 day")),
        "other":  (does: Antivirus, at: Icap("scan.example:1344"), updates: AtLeast("2 / 1 day")),
    },
    antivirus: (
        engines: ["clamav", "other"], on: [Inbound, Outbound], infected_when: AnyEngine,
        inbound: (
            infected: (keep: Quarantine, reply: AcceptSilently, tell: Nobody),
            suspect:  (keep: Deliver, reply: Accept, tell: Nobody),
        ),
        outbound_from_person: (
            infected: (keep: Quarantine, reply: Refuse, tell: Sender),
            suspect:  (keep: Deliver, reply: Accept, tell: Nobody),
        ),
        outbound_from_machine: (
            infected: (keep: Quarantine, reply: AcceptSilently, tell: Managers),
            suspect:  (keep: Deliver, reply: Accept, tell: Nobody),
        ),
        engine_down: TryLater(for: "4 h", then: ContinueWith(at_least: 1, rescan: true, alarm: true)),
    ),"#,
    },
    Example {
        code: Code::L0717,
        setting: Setting::Sections(Base::Office),
        why: "Mail from outside in our own name is the usual way to ask for passwords. A tag leaves it to the reader.",
        bad: r#"    authenticate: (own_domains_from_outside: RequireAligned(else: Tag)),"#,
        caret: r#"else: Tag"#,
        good: r#"    authenticate: (own_domains_from_outside: RequireAligned(else: Refuse)),"#,
    },
    Example {
        code: Code::E0718,
        setting: Setting::Sections(Base::Office),
        why: "After `Accept` no verdict may refuse, so what `Authenticate` finds would come too late.",
        bad: r#"    authenticate: (own_domains_from_outside: RequireAligned(else: Refuse)),
    reception: [KnownRecipient, Antivirus, Accept, Authenticate, Antispam, Filters, Redirect, Deliver],"#,
        caret: r#"reception:"#,
        good: r#"    authenticate: (own_domains_from_outside: RequireAligned(else: Refuse)),
    reception: [KnownRecipient, Authenticate, Antivirus, Accept, Antispam, Filters, Redirect, Deliver],"#,
    },
];
