//! 04xx.

use super::Example;

pub(super) const EXAMPLES: &[Example] = &[];
