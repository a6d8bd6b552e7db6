//! Waivers, and what is never used.

use super::{Base, Example, Setting};
use crate::codes::Code;

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        code: Code::E0115,
        setting: Setting::Sections(Base::Nantes),
        why: r#"A waiver is a debt with a date. When the day has passed, somebody has to look again."#,
        bad: r#"    waivers: [
        (lint: "L0307", at: "one_account_in_several_blocks", because: "§2.1 gives a row per access", until: "2026-08-31"),
    ],"#,
        caret: r#"2026-08-31"#,
        good: r#"    waivers: [
        (lint: "L0307", at: "one_account_in_several_blocks", because: "§2.1 gives a row per access", until: "2027-08-31"),
    ],"#,
    },
    Example {
        code: Code::L0116,
        setting: Setting::Sections(Base::Nantes),
        why: r#"What was waived is no longer there. Left in place, the waiver would silence the next mistake of the same kind."#,
        bad: r#"    waivers: [
        (lint: "L0307", at: "may_send.machine", because: "§2.1 gives a row per access", until: "2027-08-31"),
    ],"#,
        caret: r#"lint: "L0307""#,
        good: r#"    waivers: [
        (lint: "L0307", at: "one_account_in_several_blocks", because: "§2.1 gives a row per access", until: "2027-08-31"),
    ],"#,
    },
    Example {
        code: Code::L0117,
        setting: Setting::Sections(Base::Office),
        why: r#"Nothing refers to this network. It was forgotten when its block went, or a block forgot it."#,
        bad: r#"    networks: { "inside": In(["192.168.10.0/24"]), "guests": In(["192.168.20.0/24"]), "outside": Rest },
    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_accepted: ["500 / 1 h"]),
        ),
    },
    may_receive: { "reception": (connecting_to: ["mx"], from: ["outside"], to: OurAddresses) },
    may_read: { "reading": (connecting_to: ["imaps"], from: ["inside", "outside"]) },"#,
        caret: r#""guests""#,
        good: r#"    networks: { "inside": In(["192.168.10.0/24"]), "outside": Rest },
    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_accepted: ["500 / 1 h"]),
        ),
    },
    may_receive: { "reception": (connecting_to: ["mx"], from: ["outside"], to: OurAddresses) },
    may_read: { "reading": (connecting_to: ["imaps"], from: ["inside", "outside"]) },"#,
    },
];
