//! The pages where people manage their own account.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Portal {
    /// An `https` URL without a path.
    pub at: String,
    /// Networks that reach it, sorted.
    pub from: Vec<String>,
    /// Networks where correspondents, managers and administrators find their pages, sorted; all are in `from`.
    pub managers_from: Vec<String>,
    /// A session ends after so long without a request.
    pub idle_s: u64,
    /// A session ends after so long in any case.
    pub session_at_most_s: u64,
}
