//! Storage: message size, profiles and quotas (guide §5).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailboxRules {
    /// Octets on the wire, after dot-unstuffing.
    pub message_size_octets: u64,
    pub profiles: BTreeMap<String, Profile>,
    /// The profile of people nobody gave one, a key of `profiles`.
    pub otherwise: String,
    pub grants: Vec<QuotaGrant>,
    pub counts: Vec<Counted>,
    pub when_full: WhenFull,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// What the users' pages call it.
    pub label: String,
    pub quota: Quota,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Quota {
    Fixed {
        octets: u64,
    },
    /// More than this, by grant; without a grant this much.
    OnRequest {
        above_octets: u64,
    },
}

impl Quota {
    /// What a person has without a grant, in octets.
    pub fn floor_octets(self) -> u64 {
        match self {
            Quota::Fixed { octets } => octets,
            Quota::OnRequest { above_octets } => above_octets,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuotaGrant {
    pub login: String,
    pub octets: u64,
    pub because: String,
    pub until: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Counted {
    Inbox,
    ServerFolders,
    Trash,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WhenFull {
    pub warn_at_percent: Vec<u8>,
    pub grace_percent: u8,
    /// After the grace: temporary refusal for this long.
    pub full_try_later_s: u64,
    pub then: Then,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Then {
    Refuse,
    TryLater,
}
