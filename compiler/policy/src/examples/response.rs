//! E0719 to E0726: how scanners are asked, what is turned away by name, what managers may do.

use super::{Base, Example, Setting};
use crate::codes::Code;

const OFFICE: Setting = Setting::Sections(Base::Office);

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        code: Code::E0719,
        setting: OFFICE,
        why: "A program that scans says what it found by its exit code, and each program by codes of its own. A code nobody gave a meaning is no verdict, so without one that means clean all mail would wait.",
        bad: r#"    scanners: { "uvscan": (does: Antivirus, at: Command("/opt/uvscan/uvscan {file}"), exits: [(code: 13, means: Infected)]) },"#,
        caret: r#"exits:"#,
        good: r#"    scanners: { "uvscan": (does: Antivirus, at: Command("/opt/uvscan/uvscan {file}"), exits: [(code: 0, means: Clean), (code: 13, means: Infected)]) },"#,
    },
    Example {
        code: Code::E0720,
        setting: OFFICE,
        why: "The sending server waits ten minutes for the reply, then it tries again and the message comes twice. A scanner has less than that, and looks at one message at least.",
        bad: r#"    scanners: { "clamav": (does: Antivirus, at: Clamd("127.0.0.1:3310"), within: "1 h") },"#,
        caret: r#"within: "1 h""#,
        good: r#"    scanners: { "clamav": (does: Antivirus, at: Clamd("127.0.0.1:3310"), within: "60 s") },"#,
    },
    Example {
        code: Code::E0721,
        setting: OFFICE,
        why: "A protocol for viruses has no score, and one for scores names no virus. A Milter may do either.",
        bad: r#"    scanners: { "clamav": (does: SpamScore, at: Clamd("127.0.0.1:3310"), says: PositiveIsSpam) },"#,
        caret: r#"does: SpamScore"#,
        good: r#"    scanners: { "clamav": (does: Antivirus, at: Clamd("127.0.0.1:3310")) },"#,
    },
    Example {
        code: Code::E0722,
        setting: OFFICE,
        why: "When new signatures find a virus in mail that was delivered, the message leaves the mailboxes. It must go somewhere, or a false alarm would destroy it.",
        bad: r#"    scanners: { "clamav": (does: Antivirus, at: Clamd("127.0.0.1:3310"), updates: AtLeast("2 / 1 day")) },
    antivirus: (
        engines: ["clamav"], on: [Inbound, Outbound], infected_when: AnyEngine,
        inbound: (
            infected: (keep: Nothing, reply: AcceptSilently, tell: Nobody),
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
        rescan: Within("24 h"),
    ),"#,
        caret: r#"rescan: Within"#,
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
        rescan: Within("24 h"),
    ),"#,
    },
    Example {
        code: Code::E0723,
        setting: OFFICE,
        why: "A block is for who is outside. A stolen account of ours is locked and gets a new password; blocked, its owner and everybody who answers would only lose mail.",
        bad: r#"    blocked: [(what: SenderDomain("cabinet-martin.example"), because: "wave of phishing in November")],"#,
        caret: r#"blocked:"#,
        good: r#"    blocked: [(what: Sender("billing@phish.example"), because: "wave of phishing in November")],"#,
    },
    Example {
        code: Code::E0724,
        setting: OFFICE,
        why: "Years later nobody knows why a sender is turned away, and nobody dares to take the entry out. The reason says why, the end takes it out.",
        bad: r#"    blocked: [(what: Sender("billing@phish.example"), because: "")],"#,
        caret: r#"because: """#,
        good: r#"    blocked: [(what: Sender("billing@phish.example"), because: "invoices nobody ordered", until: "2030-01-31")],"#,
    },
    Example {
        code: Code::L0725,
        setting: OFFICE,
        why: "Behind the domain of a public provider are millions of people who have nothing to do with the one who wrote.",
        bad: r#"    blocked: [(what: SenderDomain("gmail.com"), because: "invoices nobody ordered")],"#,
        caret: r#"SenderDomain("gmail.com")"#,
        good: r#"    blocked: [(what: Sender("some.one@gmail.com"), because: "invoices nobody ordered")],"#,
    },
    Example {
        code: Code::E0726,
        setting: OFFICE,
        why: "What a manager blocks by a command ends by itself, so that what stays is in the policy, where it is read and asked about.",
        bad: r#"    response: (recall_alone_at_most: 100, block_at_most: "0 s"),"#,
        caret: r#"block_at_most: "0 s""#,
        good: r#"    response: (recall_alone_at_most: 100, block_at_most: "30 days"),"#,
    },
    Example {
        code: Code::E1008,
        setting: OFFICE,
        why: "A plan nobody confirms is taken back after its trial. One that lasts no time is taken back before anybody can confirm it, and one that lasts for weeks brings a plan back that nobody remembers.",
        bad: r#"    deployment: (trial: "1 s", guards: (accounts: (times: 3, floor: 20), down: "60 s", queue: 1000)),"#,
        caret: r#"trial: "1 s""#,
        good: r#"    deployment: (trial: "10 min", guards: (accounts: (times: 3, floor: 20), down: "60 s", queue: 1000)),"#,
    },
];
