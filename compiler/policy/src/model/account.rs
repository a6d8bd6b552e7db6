//! The life of an account, and who may do what for others.

use serde::Deserialize;

use super::delivery::Never;
use super::literal::{Share, Span};
use crate::syntax::{Items, Spanned, WordOr};

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accounts {
    pub arriving: Spanned<Span>,
    pub leaving: Items<Leaving>,
    pub notices: Spanned<Items<Span>>,
    pub reuse_after: Spanned<WordOr<Never, Span>>,
    pub mass_change: MassChange,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub enum Leaving {
    Grace(Span),
    ReceiveOnly(Span),
    AutoReply(Span),
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MassChange {
    pub at_most: Spanned<Share>,
    pub floor: Spanned<u32>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Roles {
    #[serde(default)]
    pub correspondents: Spanned<String>,
    pub managers: Items<String>,
    pub administrators: Items<String>,
}
