//! The pages where people manage their own account.

use serde::Deserialize;

use super::literal::{Span, Url};
use super::network::Names;
use crate::syntax::{Items, Spanned};

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Portal {
    pub at: Spanned<Url>,
    /// Everywhere, where nothing is written.
    #[serde(default)]
    pub from: Option<Names>,
    /// The networks with prefixes, where nothing is written.
    #[serde(default)]
    pub managers_from: Option<Spanned<Items<String>>>,
    #[serde(default)]
    pub idle: Option<Spanned<Span>>,
    #[serde(default)]
    pub at_most: Option<Spanned<Span>>,
}
