//! E01xx about names, types and literals, L0117.

use super::Example;

pub(super) const EXAMPLES: &[Example] = &[];
