//! 09xx about storage and time.

use super::Example;

pub(super) const EXAMPLES: &[Example] = &[];
