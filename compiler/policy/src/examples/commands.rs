//! 10xx and L0310: what commands judge beside the policy.

use super::{Example, Setting};
use crate::codes::Code;

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        code: Code::E1001,
        setting: Setting::Command,
        why: "An appliance with enrolled keys takes the plans those keys signed, and no others: whoever has an operator's \
              key alone cannot change the rules. Going back to an older plan is asked the same of the keys of today.",
        bad: "facteur deploy out/nantes.plan.ron   # compiled without --sign",
        caret: "nantes.plan.ron",
        good: "facteur compile nantes/ --out out --sign anne.key --reason \"ticket 4417\" --author Anne",
    },
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
        code: Code::E1005,
        setting: Setting::Command,
        why: "What a client saw at the beginning of its connection, as the host in the greeting or how TLS begins, does not \
              change under it: the listener begins again. The portal comes or goes with a restart of the server.",
        bad: "facteur deploy nantes/               # the host of a listener is another one",
        caret: "deploy",
        good: "facteur deploy nantes/ --restart subm",
    },
    Example {
        code: Code::E1006,
        setting: Setting::Command,
        why: "A plan that was signed before the newest one taken is an old one in somebody's hands, however good its \
              signature: with it limits that were tightened since would be wide again. The moment it was signed is its \
              serial here; the appliance counts what it deploys by itself.",
        bad: "facteur deploy last-year.plan.ron",
        caret: "deploy",
        good: "facteur rollback --to q7k3m2xw --reason \"ticket 4417\"",
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
