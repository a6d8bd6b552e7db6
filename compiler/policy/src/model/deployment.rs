//! How another plan takes the place of one that runs.

use serde::Deserialize;

use super::literal::Span;
use crate::syntax::Spanned;

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    pub trial: Spanned<Span>,
    pub guards: Guards,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guards {
    pub accounts: Accounts,
    pub down: Spanned<Span>,
    pub queue: Spanned<u64>,
}

/// Above both, accounts that are refused something take a plan back.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accounts {
    pub times: Spanned<u32>,
    pub floor: Spanned<u32>,
}
