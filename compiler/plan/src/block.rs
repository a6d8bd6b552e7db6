//! Who may do what, and how much: blocks, limits, grants, applications, guessing and floods.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::network::Prefix;

/// Sending from (listener, network) pairs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SendBlock {
    /// Listener names, sorted, never empty.
    pub connecting_to: Vec<String>,
    /// Network names, sorted, never empty; `Everywhere` is written out.
    pub from: Vec<String>,
    pub to: To,
    #[serde(rename = "as")]
    pub as_: As,
    /// Whose address header From may be.
    pub header_from: HeaderFrom,
    pub empty_sender: EmptySender,
    /// The site's name for the address mail of this block leaves from; empty for the site's usual one.
    pub source: String,
    pub limits: Limits,
    /// Whole rows for people of a profile.
    pub by_profile: BTreeMap<String, Row>,
    /// One mail to the person and one line to the managers per crossing of this share; 0 is never.
    pub warn_at_percent: u8,
}

/// Receiving from (listener, network) pairs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiveBlock {
    pub connecting_to: Vec<String>,
    pub from: Vec<String>,
    pub to: To,
}

/// Reading from (listener, network) pairs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadBlock {
    pub connecting_to: Vec<String>,
    pub from: Vec<String>,
}

/// Recipients a block serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum To {
    OurAddresses,
    Anyone,
}

/// Reverse-paths a block lets a client write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum As {
    OwnAddresses,
    OwnDomain,
    AnyAddress,
}

/// Authors (RFC 5322 3.6.2) a block lets a client write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HeaderFrom {
    /// What `as` says of the reverse-path.
    AsReversePath,
    OwnAddresses,
    OwnDomain,
    AnyAddress,
}

/// The verdict on `MAIL FROM:<>` in a sending block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EmptySender {
    ReportsOnly,
    Refuse,
}

/// A block's limits and what they are kept for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Limits {
    EachAccount(Row),
    /// An IPv6 /64 is one address.
    EachClientAddress(Row),
}

impl Limits {
    pub fn row(&self) -> &Row {
        match self {
            Limits::EachAccount(row) | Limits::EachClientAddress(row) => row,
        }
    }
}

/// One row of limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    pub recipients_in_one_message: u32,
    /// What the policy does not mention is `NotCounted`.
    pub messages_attempted: Windows,
    pub messages_accepted: Windows,
    pub recipients_attempted: Windows,
    pub recipients_accepted: Windows,
    /// Limits that only watch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<Observed>,
}

/// Limits that are counted for themselves and never refuse: what they would refuse is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observed {
    pub recipients_in_one_message: Option<u32>,
    pub messages_attempted: Windows,
    pub messages_accepted: Windows,
    pub recipients_attempted: Windows,
    pub recipients_accepted: Windows,
}

impl Observed {
    /// Every list of windows by its name.
    pub fn windows(&self) -> [(&'static str, &Windows); 4] {
        [
            ("messages_attempted", &self.messages_attempted),
            ("messages_accepted", &self.messages_accepted),
            ("recipients_attempted", &self.recipients_attempted),
            ("recipients_accepted", &self.recipients_accepted),
        ]
    }
}

/// The windows on one event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Windows {
    /// Never empty, the shortest first, at most a day wide.
    Within(Vec<Window>),
    /// As written.
    Unlimited,
    /// Not mentioned; the other count of the same event is.
    NotCounted,
}

impl Windows {
    pub fn list(&self) -> &[Window] {
        match self {
            Windows::Within(windows) => windows,
            Windows::Unlimited | Windows::NotCounted => &[],
        }
    }
}

/// At most `max` events in any `width_s` seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    pub max: u32,
    pub width_s: u32,
}

impl Window {
    /// The width as rule ids write it: `15min`, `1h`, `1day`, `90s`.
    pub fn width_name(&self) -> String {
        for (unit_s, name) in [(86_400, "day"), (3_600, "h"), (60, "min")] {
            if self.width_s >= unit_s && self.width_s.is_multiple_of(unit_s) {
                return format!("{}{name}", self.width_s / unit_s);
            }
        }
        format!("{}s", self.width_s)
    }

    /// The width for a sentence: `15 min`, `1 h`, `1 day`.
    pub fn width_text(&self) -> String {
        let name = self.width_name();
        let digits = name.bytes().take_while(u8::is_ascii_digit).count();
        format!("{} {}", &name[..digits], &name[digits..])
    }
}

/// What a full limit answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WhenOver {
    TryLater,
    Refuse,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WhenOverLimits {
    pub recipients_in_one_message: WhenOver,
    pub window: WhenOver,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SeveralBlocks {
    CountedSeparately,
    CountedTogether,
}

/// Another row for one login in one block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitGrant {
    pub login: String,
    pub block: String,
    pub because: String,
    pub approver: String,
    /// `YYYY-MM-DD`, the last day.
    pub until: String,
    pub limits: Row,
}

/// The register of applications that send without a login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Senders {
    /// Blocks of `may_send`.
    pub of: Vec<String>,
    pub unknown: UnknownSenders,
    pub known: BTreeMap<String, SenderApplication>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum UnknownSenders {
    /// They pass under the block's limits and are reported.
    Shadow,
    Refuse,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SenderApplication {
    pub from: Vec<Prefix>,
    #[serde(rename = "as")]
    pub as_: Vec<mail::Address>,
    pub owner: mail::Address,
    pub until: String,
    pub limits: Row,
}

/// Failed logins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logins {
    pub each_account_and_network: Windows,
    pub each_client_address: Windows,
    pub delay: Delay,
    pub when_over: WhenOver,
}

/// Answers to failed logins beyond `after` wait 1, 2, 4 … seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delay {
    pub after: u32,
    /// 0: no answer waits.
    pub at_most_s: u32,
}

/// Clients of receiving blocks, per client address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Strangers {
    pub connections_at_once: u32,
    pub connections_attempted: Windows,
    pub messages_attempted: Windows,
    pub recipients_in_one_message: u32,
    pub unknown_recipients_attempted: Windows,
    /// Networks these limits do not judge, sorted.
    pub not_for: Vec<String>,
    pub when_over: WhenOver,
}

#[cfg(test)]
mod tests {
    use super::Window;

    #[test]
    fn widths_are_named_in_their_largest_whole_unit() {
        for (width_s, name) in [(900, "15min"), (3_600, "1h"), (86_400, "1day"), (90, "90s"), (7_200, "2h")] {
            assert_eq!(Window { max: 1, width_s }.width_name(), name);
            assert_eq!(Window { max: 1, width_s }.width_text().replace(' ', ""), name);
        }
    }
}
