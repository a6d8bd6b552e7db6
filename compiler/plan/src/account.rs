//! The life of an account: what happens before the first day and after the last.

use serde::{Deserialize, Serialize};

use crate::Life;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accounts {
    /// Mail is taken and read that long before the first day.
    pub arriving_s: u64,
    /// After the last day, one after the other; then the account is closed, and erased after
    /// `retention.closed_accounts`.
    pub leaving: Vec<Leaving>,
    /// Notices so long before each change, descending.
    pub notices_before_s: Vec<u64>,
    /// How long a login or an address is nobody's before it may be given to somebody else; `Forever` is never.
    pub reuse_after: Life,
    pub mass_change: MassChange,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leaving {
    pub state: LeavingState,
    pub for_s: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LeavingState {
    /// Everything as before.
    Grace,
    /// Mail comes and is read; nothing is sent.
    ReceiveOnly,
    /// As `ReceiveOnly`, and senders are told that the person left.
    AutoReply,
}

/// A sync or an import that takes away or changes more people than this stops and asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MassChange {
    /// Of the people known from that source.
    pub at_most_percent: u8,
    /// So many may always change.
    pub floor: u32,
}
