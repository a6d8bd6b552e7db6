//! Storage: message size, profiles and quotas (guide §5).

use serde::Deserialize;

use super::literal::{Date, Share, Size, Span};
use crate::syntax::{Entries, Items, Spanned};

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mailboxes {
    pub message_size: Spanned<Size>,
    pub profiles: Entries<Profile>,
    pub otherwise: Spanned<String>,
    #[serde(default)]
    pub grants: Items<QuotaGrant>,
    pub counts: Items<plan::Counted>,
    pub when_full: WhenFull,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    pub label: String,
    pub quota: Quota,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Quota {
    Fixed(Size),
    OnRequest { above: Size },
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuotaGrant {
    pub login: String,
    pub quota: Size,
    pub because: String,
    pub until: Date,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WhenFull {
    pub warn_at: Items<Share>,
    pub grace: Share,
    pub full: Full,
    pub then: plan::Then,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Full {
    TryLater {
        #[serde(rename = "for")]
        for_: Span,
    },
}
