//! Who may do what for others.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Roles {
    /// The form of a functional address with `{unit}` or `{Unit}`, whose members are the correspondents of that unit;
    /// empty where there are none.
    pub correspondents: String,
    /// Local parts of functional addresses in the institution's domain, or names of groups; sorted.
    pub managers: Vec<String>,
    /// As `managers`.
    pub administrators: Vec<String>,
}

/// Everybody is a user; these come on top.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RoleName {
    Correspondent,
    Manager,
    Administrator,
}
