//! E0501, E0901, E0902, E0903.

use super::Example;

pub(super) const EXAMPLES: &[Example] = &[];
