//! Signs of a stolen account, and reactions.

use serde::Deserialize;

use super::literal::{Rate, Share, Span};
use crate::syntax::{Items, Spanned};

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Detector {
    pub when: Spanned<Sign>,
    pub then: Spanned<Items<Reaction>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Sign {
    LimitTrips(Rate),
    RefusedRecipients { share: Share, of_at_least: u32, within: Span },
    FirstTimeRecipients(Rate),
    NewExternalRedirect,
    Bounces(Rate),
    Networks(Rate),
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Reaction {
    Alert,
    HoldOutgoing {
        #[serde(rename = "for")]
        for_: Span,
    },
    LockSending {
        #[serde(rename = "for")]
        for_: Span,
    },
    EndSessions,
}
