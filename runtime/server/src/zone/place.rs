//! What is known of the place a plan runs at.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use mail::Domain;
use ring::digest::{SHA256, digest};
use rustls::server::ParsedCertificate;
use rustls_pki_types::CertificateDer;

use crate::operate::PublicKey;
use crate::site::{DEFAULT, Site};

/// Facts of one place. Everything may be unknown.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// Keys of signatures by domain; `None` where no store could be asked.
    pub keys: Option<BTreeMap<Domain, Vec<PublicKey>>>,
    /// Addresses others can reach, by listener.
    pub listeners: BTreeMap<String, Vec<IpAddr>>,
    /// Addresses of the portal others can reach.
    pub portal: BTreeSet<IpAddr>,
    /// Addresses mail leaves from, sorted.
    pub sources: BTreeSet<IpAddr>,
    /// What each listener's certificate holds, for TLSA records; `None` where no site is known.
    pub certificates: Option<Shown>,
}

/// SHA-256 of the SubjectPublicKeyInfo of certificates.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    default: Option<[u8; 32]>,
    by_listener: BTreeMap<String, Option<[u8; 32]>>,
}

impl Place {
    /// What a site says. Addresses of this machine alone are nobody else's business.
    pub fn of(site: &Site) -> Place {
        let listeners = site.listeners.iter().map(|(name, addresses)| {
            let reachable = addresses.iter().map(|address| address.ip()).filter(|address| is_reachable(*address));
            (name.clone(), reachable.collect())
        });
        Place {
            keys: None,
            listeners: listeners.collect(),
            portal: site.portal.iter().map(|at| at.bind.ip()).filter(|address| is_reachable(*address)).collect(),
            sources: site.sources.values().flatten().copied().filter(|address| is_reachable(*address)).collect(),
            certificates: Some(Shown::of(site)),
        }
    }
}

impl Shown {
    fn of(site: &Site) -> Shown {
        let key = |name: &str| site.chain(name).first().and_then(key_hash);
        let by_listener = site.certificates.by_listener.keys().map(|name| (name.clone(), key(name)));
        Shown { default: key(DEFAULT), by_listener: by_listener.collect() }
    }

    /// What the certificate `listener` shows is known by.
    pub fn by(&self, listener: &str) -> Option<[u8; 32]> {
        self.by_listener.get(listener).copied().unwrap_or(self.default)
    }
}

/// SHA-256 of a certificate's SubjectPublicKeyInfo (RFC 6698 2.1: selector 1, matching type 1).
fn key_hash(certificate: &CertificateDer<'_>) -> Option<[u8; 32]> {
    let key = ParsedCertificate::try_from(certificate).ok()?.subject_public_key_info();
    digest(&SHA256, key.as_ref()).as_ref().try_into().ok()
}

/// Can others reach it: no loopback, nothing unspecified or of one link?
pub fn is_reachable(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_unspecified() && !v4.is_link_local(),
        IpAddr::V6(v6) => !v6.is_loopback() && !v6.is_unspecified() && !v6.is_unicast_link_local(),
    }
}
