//! The way out, signatures, and lists of clients at the door.

use serde::Deserialize;

use super::block::Windows;
use super::literal::{DomainName, NetworkPrefix, Span};
use super::steps::DomainPattern;
use crate::syntax::{Entries, Items, Spanned, WordOr};

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    pub retry: Spanned<Items<Span>>,
    pub warn_after: Spanned<WordOr<Never, Span>>,
    pub connections_at_once: Spanned<u32>,
    #[serde(default)]
    pub providers: Entries<Provider>,
    pub dane: bool,
    pub mta_sts: bool,
    #[serde(default)]
    pub tls_always_to: Items<DomainPattern>,
    pub tls_reports: plan::Reports,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
pub enum Never {
    #[default]
    Never,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    pub mx: Items<DomainPattern>,
    pub connections_at_once: Spanned<u32>,
    pub messages: Spanned<Windows>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signing {
    pub algorithms: Items<plan::SigningAlgorithm>,
    pub rotate_every: WordOr<Never, Spanned<Span>>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DnsList {
    pub zone: DomainName,
    pub on: Items<String>,
    pub answers: Items<NetworkPrefix>,
    pub then: plan::OnListed,
}
