//! Who may do what, and how much.

use serde::Deserialize;

use super::literal::{Date, MailAddress, NetworkPrefix, Rate, Share, Size, Span};
use super::network::Names;
use crate::syntax::{Entries, Items, Spanned, WordOr};

/// `Unlimited`, or windows.
pub type Windows = WordOr<Unlimited, Items<Rate>>;

#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
pub enum Unlimited {
    #[default]
    Unlimited,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SendBlock {
    pub connecting_to: Items<String>,
    pub from: Spanned<Names>,
    pub to: Spanned<plan::To>,
    #[serde(rename = "as")]
    pub as_: Spanned<plan::As>,
    /// `AsReversePath` where nothing is written.
    #[serde(default)]
    pub header_from: Option<plan::HeaderFrom>,
    pub empty_sender: plan::EmptySender,
    #[serde(default)]
    pub source: String,
    #[serde(default)]
    pub each_account: Option<Spanned<Row>>,
    #[serde(default)]
    pub each_client_address: Option<Spanned<Row>>,
    #[serde(default)]
    pub by_profile: Entries<Row>,
    #[serde(default)]
    pub warn_at: Option<Share>,
}

impl SendBlock {
    /// The row and the name of its field; `None` where none or both are written, which `check` reports.
    pub fn row(&self) -> Option<(&'static str, &Spanned<Row>)> {
        match (&self.each_account, &self.each_client_address) {
            (Some(row), None) => Some(("each_account", row)),
            (None, Some(row)) => Some(("each_client_address", row)),
            (None, None) | (Some(_), Some(_)) => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiveBlock {
    pub connecting_to: Items<String>,
    pub from: Spanned<Names>,
    pub to: Spanned<plan::To>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadBlock {
    pub connecting_to: Items<String>,
    pub from: Spanned<Names>,
}

/// One row of limits. Each event is counted as attempted, as accepted, or both; silence about both is E0208.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    pub recipients_in_one_message: Spanned<u32>,
    #[serde(default)]
    pub messages_attempted: Option<Spanned<Windows>>,
    #[serde(default)]
    pub messages_accepted: Option<Spanned<Windows>>,
    #[serde(default)]
    pub recipients_attempted: Option<Spanned<Windows>>,
    #[serde(default)]
    pub recipients_accepted: Option<Spanned<Windows>>,
    /// Limits that only watch.
    #[serde(default)]
    pub observed: Option<Spanned<Observed>>,
}

/// Limits that are counted and never refuse; each field is as in a row.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observed {
    #[serde(default)]
    pub recipients_in_one_message: Option<Spanned<u32>>,
    #[serde(default)]
    pub messages_attempted: Option<Spanned<Windows>>,
    #[serde(default)]
    pub messages_accepted: Option<Spanned<Windows>>,
    #[serde(default)]
    pub recipients_attempted: Option<Spanned<Windows>>,
    #[serde(default)]
    pub recipients_accepted: Option<Spanned<Windows>>,
}

impl Observed {
    /// What is watched, by field name.
    pub fn counts(&self) -> [(&'static str, Option<&Spanned<Windows>>); 4] {
        [
            ("messages_attempted", self.messages_attempted.as_ref()),
            ("messages_accepted", self.messages_accepted.as_ref()),
            ("recipients_attempted", self.recipients_attempted.as_ref()),
            ("recipients_accepted", self.recipients_accepted.as_ref()),
        ]
    }
}

impl Row {
    /// What the row counts, by field name.
    pub fn counts(&self) -> [(&'static str, Option<&Spanned<Windows>>); 4] {
        [
            ("messages_attempted", self.messages_attempted.as_ref()),
            ("messages_accepted", self.messages_accepted.as_ref()),
            ("recipients_attempted", self.recipients_attempted.as_ref()),
            ("recipients_accepted", self.recipients_accepted.as_ref()),
        ]
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WhenOverLimits {
    pub recipients_in_one_message: plan::WhenOver,
    pub window: plan::WhenOver,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitGrant {
    pub login: String,
    pub block: Spanned<String>,
    pub because: String,
    pub approver: String,
    pub until: Date,
    pub limits: Row,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Senders {
    pub of: Items<String>,
    pub unknown: plan::UnknownSenders,
    pub known: Entries<SenderApplication>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SenderApplication {
    pub from: Items<NetworkPrefix>,
    #[serde(rename = "as")]
    pub as_: Items<MailAddress>,
    pub owner: MailAddress,
    pub until: Date,
    pub limits: Row,
}

/// What the rings of accounts may take; no decision rests on it, so it is not in the plan.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counters {
    /// Accounts whose windows may all be full at once.
    pub accounts: Spanned<u32>,
    /// What the image has for them.
    pub memory: Spanned<Size>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logins {
    pub each_account_and_network: Failed,
    pub each_client_address: Failed,
    #[serde(default)]
    pub delay: Option<Spanned<Delay>>,
    pub when_over: plan::WhenOver,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delay {
    pub after: u32,
    pub at_most: Span,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failed {
    pub failed: Spanned<Windows>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Strangers {
    pub connections_at_once: Spanned<u32>,
    pub connections_attempted: Spanned<Windows>,
    pub messages_attempted: Spanned<Windows>,
    pub recipients_in_one_message: Spanned<u32>,
    pub unknown_recipients_attempted: Spanned<Windows>,
    pub not_for: Items<String>,
    pub when_over: plan::WhenOver,
}
