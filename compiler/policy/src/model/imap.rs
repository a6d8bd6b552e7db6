//! What some mail programs are not told of.

use serde::Deserialize;

use crate::syntax::{Items, Spanned};

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Imap {
    pub mask: Items<Mask>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mask {
    /// As the program calls itself, with `*`.
    pub client: Spanned<String>,
    pub without: Items<String>,
}
