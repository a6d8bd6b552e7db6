//! Authentication of mail, filters, losses, redirects.

use serde::Deserialize;

use super::literal::DomainName;
use crate::syntax::{Entries, Items};

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authenticate {
    pub own_domains_from_outside: OwnDomains,
    #[serde(default)]
    pub trusted_sealers: Items<DomainName>,
    /// `Nothing` where nothing is written.
    #[serde(default)]
    pub aggregate_reports: Option<plan::Reports>,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum OwnDomains {
    RequireAligned {
        #[serde(rename = "else")]
        else_: plan::ElseTag,
    },
    Ignore,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filters {
    pub on: Items<plan::FilterOn>,
    pub may: Items<plan::FilterMay>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Losses {
    pub record: Items<plan::Loss>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redirects {
    pub asked_through: plan::AskedThrough,
    pub allow: Entries<DomainPattern>,
    #[serde(default)]
    pub on_grant: Entries<OnGrant>,
    #[serde(default)]
    pub refused_examples: Items<DomainPattern>,
    pub otherwise: plan::RedirectOtherwise,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub enum DomainPattern {
    Suffix(DomainName),
    Exact(DomainName),
    Brand(String),
    PublicProviders,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnGrant {
    pub to: plan::GrantTo,
    pub needs: Items<plan::GrantNeeds>,
}
