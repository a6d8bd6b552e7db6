//! The way out: when to try, how fast, how safely, and under whose signature.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::network::Prefix;
use crate::steps::{DomainPattern, Reports};

/// How mail leaves for other servers. It expires as `retention.queue` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// Seconds between tries, never empty, none of them 0; the last one repeats (RFC 5321 4.5.4.1).
    pub retry_s: Vec<u64>,
    /// The sender hears of a delay after so many seconds; 0 is never (RFC 3461 4.1 DELAY).
    pub warn_after_s: u64,
    /// Connections to one destination at once.
    pub connections_at_once: u32,
    /// Destinations with a pace of their own.
    pub providers: BTreeMap<String, Provider>,
    /// TLSA records bind (RFC 7672).
    pub dane: bool,
    /// Policies of recipient domains bind (RFC 8461).
    pub mta_sts: bool,
    /// Domains mail goes to under verified TLS or not at all.
    pub tls_always_to: Vec<DomainPattern>,
    /// Reports on TLS failures (RFC 8460).
    pub tls_reports: Reports,
}

/// A provider many domains have their mail at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Hosts of MX records that are this provider's; never empty.
    pub mx: Vec<DomainPattern>,
    pub connections_at_once: u32,
    /// Messages to it.
    pub messages: crate::Windows,
}

/// DKIM signatures on what leaves (RFC 6376, RFC 8463).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signing {
    /// One signature each, never empty, sorted.
    pub algorithms: Vec<SigningAlgorithm>,
    /// New keys after so many days; 0 is never.
    pub rotate_every_days: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SigningAlgorithm {
    RsaSha256,
    Ed25519Sha256,
}

/// A list in DNS of clients somebody has complaints about (RFC 5782).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DnsList {
    pub zone: mail::Domain,
    /// Listeners whose clients are looked up, sorted, never empty. Networks of `strangers.not_for` are not.
    pub on: Vec<String>,
    /// Answers that count, inside 127.0.0.0/8, never empty.
    pub answers: Vec<Prefix>,
    pub then: OnListed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnListed {
    /// 550 at the first recipient.
    Refuse,
    /// 451 at the first recipient.
    TryLater,
    /// Only said in Authentication-Results and the log.
    Note,
}
