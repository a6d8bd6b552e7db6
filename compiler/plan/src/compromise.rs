//! Signs that an account is in other hands, and what is done then.

use serde::{Deserialize, Serialize};

use crate::Window;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Detector {
    pub when: Sign,
    /// Never empty, sorted.
    pub then: Vec<Reaction>,
}

/// What is counted, for one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sign {
    /// Messages or recipients that a limit turned away.
    LimitTrips(Window),
    /// The share of recipients that were refused, once there are enough to speak of a share.
    RefusedRecipients { share_percent: u8, of_at_least: u32, within_s: u64 },
    /// Recipients the account never wrote to before.
    FirstTimeRecipients(Window),
    /// A redirect out of the institution that was not there.
    NewExternalRedirect,
    /// Delivery failures that come back.
    Bounces(Window),
    /// Distinct networks logins come from: IPv4 /16, IPv6 /32.
    Networks(Window),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Reaction {
    /// Managers are told.
    Alert,
    /// What the account sends waits.
    HoldOutgoing {
        for_s: u64,
    },
    /// What the account sends is refused.
    LockSending {
        for_s: u64,
    },
    EndSessions,
}
