//! E02xx and L03xx.

use super::Example;

pub(super) const EXAMPLES: &[Example] = &[];
