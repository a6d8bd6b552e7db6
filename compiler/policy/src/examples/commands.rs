//! 10xx and L0310: what commands judge beside the policy.

use super::Example;

pub(super) const EXAMPLES: &[Example] = &[];
