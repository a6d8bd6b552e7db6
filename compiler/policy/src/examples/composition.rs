//! E01xx about includes, overlays and waivers.

use super::Example;

pub(super) const EXAMPLES: &[Example] = &[];
