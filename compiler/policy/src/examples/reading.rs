//! E00xx: text that cannot be read as a policy.

use crate::codes::Code;

use super::{Base, Example, Setting};

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        code: Code::E0001,
        setting: Setting::Sections(Base::Office),
        why: "Reading goes on after the next comma or bracket, so one lost comma hides nothing else of the file.",
        bad: r#"    routes: (
        held: Mailbox
        remote: DirectMx,
    ),"#,
        caret: "remote",
        good: r#"    routes: (
        held: Mailbox,
        remote: DirectMx,
    ),"#,
    },
    Example {
        code: Code::E0002,
        setting: Setting::Sections(Base::Office),
        why: "A field the compiler does not know would be ignored, and the rule it was meant to be would not exist.",
        bad: r#"    routes: (held: Mailbox, remot: DirectMx),"#,
        caret: "remot:",
        good: r#"    routes: (held: Mailbox, remote: DirectMx),"#,
    },
    Example {
        code: Code::E0003,
        setting: Setting::Sections(Base::Office),
        why: "A section is absent or complete: half of one would hide which half was decided by whom.",
        bad: r#"    institution: (name: "Cabinet Martin", domain: "cabinet-martin.example"),"#,
        caret: "institution",
        good: r#"    institution: (name: "Cabinet Martin", domain: "cabinet-martin.example", time_zone: "Europe/Paris"),"#,
    },
    Example {
        code: Code::E0004,
        setting: Setting::Sections(Base::Office),
        why: "Most readers of this format keep the second entry and forget the first without a word.",
        bad: r#"    networks: {
        "inside": In(["192.168.10.0/24"]),
        "inside": In(["192.168.20.0/24"]),
        "outside": Rest,
    },"#,
        caret: "192.168.20.0",
        good: r#"    networks: {
        "inside": In(["192.168.10.0/24", "192.168.20.0/24"]),
        "outside": Rest,
    },"#,
    },
    Example {
        code: Code::E0005,
        setting: Setting::Sections(Base::Office),
        why: "A later language may mean something else by the same words, so nothing of it is guessed.",
        bad: "    language: 2,",
        caret: "language",
        good: "    language: 1,",
    },
    Example {
        code: Code::E0006,
        setting: Setting::Sections(Base::Office),
        why: "A character that turns the direction of the text makes a line read differently from what it does.",
        bad: "    institution: (name: \"Cabinet\u{202e} Martin\", domain: \"cabinet-martin.example\", \
              time_zone: \"Europe/Paris\"),",
        caret: "institution",
        good: r#"    institution: (name: "Cabinet Martin", domain: "cabinet-martin.example", time_zone: "Europe/Paris"),"#,
    },
];
