//! What happens to a message: ordered steps, authentication of mail, filters, losses, redirects.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Steps of a message that comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReceptionStep {
    KnownRecipient,
    Authenticate,
    Antivirus,
    /// After it no verdict may refuse.
    Accept,
    Antispam,
    Filters,
    Redirect,
    Deliver,
}

/// Steps of a message that people or machines send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SendingStep {
    Limits,
    Antivirus,
    Antispam,
    Accept,
    Route,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authenticate {
    pub own_domains_from_outside: OwnDomains,
    /// Domains whose ARC seals (RFC 8617) may speak for a message that lost its alignment on the way, sorted.
    pub trusted_sealers: Vec<mail::Domain>,
    /// Aggregate reports about mail that came in (RFC 7489 7.2).
    pub aggregate_reports: Reports,
}

/// What becomes of reports we can write for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reports {
    Nothing,
    /// Kept for our own eyes.
    Store,
    /// Kept, and sent daily to who asked for them in DNS.
    Send,
}

/// Mail from outside whose From is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OwnDomains {
    RequireAligned {
        #[serde(rename = "else")]
        else_: ElseTag,
    },
    Ignore,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ElseTag {
    Tag,
    Refuse,
}

/// What users' filters may test and do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filters {
    pub on: Vec<FilterOn>,
    pub may: Vec<FilterMay>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FilterOn {
    Envelope,
    Headers,
    Body,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FilterMay {
    FileInto,
    Flag,
    Redirect,
    Vacation,
    Discard,
    Reject,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Losses {
    pub record: Vec<Loss>,
}

/// Kinds of non-delivery that leave a record (guide: the university can justify any).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Loss {
    UnknownRecipient,
    Virus,
    QuotaFull,
    TooLarge,
    OverLimit,
    NotDelivered,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redirects {
    pub asked_through: AskedThrough,
    pub allow: BTreeMap<String, DomainPattern>,
    pub on_grant: BTreeMap<String, OnGrant>,
    pub refused_examples: Vec<DomainPattern>,
    pub otherwise: RedirectOtherwise,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AskedThrough {
    UnitItService,
    Portal,
    Nobody,
}

/// A set of domains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DomainPattern {
    /// The domain and everything under it.
    Suffix(mail::Domain),
    Exact(mail::Domain),
    /// That label under any public suffix.
    Brand(String),
    /// Our pinned list.
    PublicProviders,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnGrant {
    pub to: GrantTo,
    pub needs: Vec<GrantNeeds>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum GrantTo {
    HomeInstitution,
    AnyDomain,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum GrantNeeds {
    Approver,
    Reason,
    EndDate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RedirectOtherwise {
    Refuse,
    Ask,
}
