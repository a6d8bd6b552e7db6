//! 10xx and L0310: what commands judge beside the policy.

use super::{Example, Setting};
use crate::codes::Code;

pub(super) const EXAMPLES: &[Example] = &[Example {
    code: Code::E1004,
    setting: Setting::Command,
    why: "People do what the published page says. A page that still shows the limits of yesterday sends them to the \
          help desk with the wrong number, so a stale cell is a failure of CI, not a detail.",
    bad: "facteur doc nantes/ --check published/",
    caret: "--check",
    good: "facteur doc nantes/ --out published/",
}];
