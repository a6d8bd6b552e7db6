//! 10xx and L0310: what commands judge beside the policy.

use super::{Example, Setting};
use crate::codes::Code;

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        code: Code::E1002,
        setting: Setting::Command,
        why: "A plan says which format it is written in and which list of providers it was judged with. A runtime with \
              another list would decide otherwise than what was proved, so it refuses the plan.",
        bad: "facteur verify nantes.plan.ron     # compiled before the program was updated",
        caret: "nantes.plan.ron",
        good: "facteur compile nantes/ && facteur verify nantes.plan.ron",
    },
    Example {
        code: Code::E1003,
        setting: Setting::Command,
        why: "The plan is committed beside the policy, so that whoever reviews a change reads what it does and not only \
              what was typed. Here the policy was changed and the snapshot was not.",
        bad: "facteur snapshot nantes/           # in CI, after an edit of policy.ron",
        caret: "snapshot",
        good: "facteur snapshot --accept nantes/  # at the desk, once the lines shown have been read",
    },
    Example {
        code: Code::E1004,
        setting: Setting::Command,
        why: "People do what the published page says. A page that still shows the limits of yesterday sends them to the \
              help desk with the wrong number, so a stale cell is a failure of CI, not a detail.",
        bad: "facteur doc nantes/ --check published/",
        caret: "--check",
        good: "facteur doc nantes/ --out published/",
    },
    Example {
        code: Code::L1007,
        setting: Setting::Command,
        why: "A change that lets through what was refused before is what an attacker would want, and what is typed by \
              mistake most easily. Somebody says that it is meant.",
        bad: "facteur diff deployed.plan.ron nantes/",
        caret: "diff",
        good: "facteur diff --ack loosen deployed.plan.ron nantes/",
    },
];
