//! Where each rule of a plan stands in the policy. Beside the plan, never in it: lines do not move a hash.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Rule id (the path in the policy) to its place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceMap {
    /// Short hash of the plan it belongs to.
    pub plan: String,
    /// File names as the compiler was given them.
    pub files: Vec<String>,
    pub places: BTreeMap<String, Place>,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Index into `files`.
    pub file: u32,
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// The line as it stands there.
    pub text: String,
}

impl SourceMap {
    /// The place of `rule`, or of the nearest rule above it in the path.
    pub fn find(&self, rule: &str) -> Option<&Place> {
        let mut path = rule;
        loop {
            if let Some(place) = self.places.get(path) {
                return Some(place);
            }
            path = &path[..path.rfind(['.', '/'])?];
        }
    }
}
