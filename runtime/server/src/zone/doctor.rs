//! `facteur doctor --online`: is outside what the policy needs there? It only asks, and changes nothing.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use plan::{At, Certificate as Kept, Held, MailDomain, NextHop, Plan, Remote, TlsMode};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::ring;
use rustls::{CertificateError, Error, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::net::TcpStream;

use super::compare::{Finding, Standing, compared};
use super::data::{Data, Kind, Record};
use super::implied::Zone;
use super::lookup::Lookup;
use super::place::{Place, is_reachable};
use super::set_up;
use crate::clock;
use crate::setup;
use crate::site::{PORTAL, Site};

const CONNECT_MAX: Duration = Duration::from_secs(5);
/// A certificate that ends so soon is told of now.
const WARNED_BEFORE: Duration = Duration::from_secs(14 * 86_400);

/// Each record of the zones against what DNS says.
pub async fn zones(lookup: &Lookup, zones: &[Zone]) -> Vec<Finding> {
    let mut by_question: BTreeMap<(&str, Kind), Vec<&Record>> = BTreeMap::new();
    for record in zones.iter().flat_map(|zone| &zone.records) {
        by_question.entry((&record.name, record.data.kind())).or_default().push(record);
    }
    let mut findings = Vec::new();
    for ((name, kind), expected) in by_question {
        match lookup.records(name, kind).await {
            Ok(found) => findings.extend(compared(name, kind, &expected, &found)),
            Err(error) => findings.push(Finding::new(Standing::Unknown, format!("{name} {kind}"), error.to_string())),
        }
    }
    findings
}

/// Addresses mail comes from and goes to have names, and the names have the addresses: many servers take nothing from one
/// that has not.
pub async fn reverse_names(lookup: &Lookup, place: &Place) -> Vec<Finding> {
    let doors = place.listeners.values().flatten().copied();
    let mut addresses: Vec<IpAddr> = place.sources.iter().copied().chain(doors).collect();
    addresses.sort();
    addresses.dedup();
    let mut findings = Vec::new();
    for address in addresses.into_iter().filter(|address| is_reachable(*address)) {
        findings.push(reverse_name(lookup, address).await);
    }
    findings
}

async fn reverse_name(lookup: &Lookup, address: IpAddr) -> Finding {
    let what = format!("{address} PTR");
    let names = match lookup.records(&reverse(address), Kind::Ptr).await {
        Ok(names) => names,
        Err(error) => return Finding::new(Standing::Unknown, what, error.to_string()),
    };
    if names.is_empty() {
        return Finding::new(Standing::Missing, what, "give the address the name of its host");
    }
    let (kind, same) = match address {
        IpAddr::V4(v4) => (Kind::A, Data::A(v4)),
        IpAddr::V6(v6) => (Kind::Aaaa, Data::Aaaa(v6)),
    };
    let mut told = Vec::new();
    for name in names {
        let Data::Ptr(name) = name else { continue };
        match lookup.records(&name, kind).await {
            Ok(found) if found.contains(&same) => return Finding::ok(what),
            Ok(_) => told.push(name),
            Err(error) => return Finding::new(Standing::Unknown, what, error.to_string()),
        }
    }
    Finding::new(Standing::Different, what, format!("{} does not lead back to it", told.join(", ")))
}

/// The name of an address in the reverse tree (RFC 1035 3.5, RFC 3596 2.5).
fn reverse(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(v6) => {
            let digits = v6.octets().into_iter().rev().flat_map(|octet| [octet & 15, octet >> 4]);
            digits.map(|digit| format!("{digit:x}.")).collect::<String>() + "ip6.arpa"
        }
    }
}

/// Certificates of the site: in time, and of the names clients use.
pub fn certificates(plan: &Plan, site: &Site) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, listener) in plan.listeners.iter().filter(|(_, listener)| listener.tls != TlsMode::None) {
        let shown = site.chain(name);
        let kept = match &listener.certificate {
            Kept::Default => &plan.tls.certificate,
            other => other,
        };
        for host in std::iter::once(&listener.host).chain(&listener.also) {
            let what = format!("certificate of listeners.{name} for {host}");
            findings.push(match judged(&shown, matches!(kept, Kept::Acme(_)), host.as_str(), site) {
                Ok(()) => Finding::ok(what),
                Err(says) => Finding::new(Standing::Bad, what, says),
            });
        }
    }
    findings
}

/// The certificate of the portal, for its own name and for those of set-up.
pub fn portal_certificate(plan: &Plan, site: &Site) -> Vec<Finding> {
    let Some(portal) = plan.portal.as_ref().filter(|_| !site.portal.is_empty()) else { return Vec::new() };
    let shown = site.chain(PORTAL);
    let public = matches!(plan.tls.certificate, Kept::Acme(_));
    let set_up = plan.domains.keys().flat_map(|domain| setup::hosts(plan, domain));
    let hosts = std::iter::once(set_up::host(portal).to_owned()).chain(set_up);
    let finding = |host: String| {
        let what = format!("certificate of the portal for {host}");
        match judged(&shown, public, &host, site) {
            Ok(()) => Finding::ok(what),
            Err(says) => Finding::new(Standing::Bad, what, says),
        }
    };
    hosts.map(finding).collect()
}

/// Is `shown` believed for `host`, now and in a fortnight? One that is not of a public authority is believed for itself.
fn judged(shown: &[CertificateDer<'static>], public: bool, host: &str, site: &Site) -> Result<(), String> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    roots.add_parsable_certificates(site.world.authorities.iter().cloned());
    let Some((end, between)) = shown.split_first() else { return Err("there is none".to_owned()) };
    if !public {
        roots.add_parsable_certificates(shown.last().cloned());
    }
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
    let verifier = verifier.map_err(|error| error.to_string())?;
    let name = ServerName::try_from(host).map_err(|error| error.to_string())?;
    let now = Duration::from_secs(u64::try_from(clock::unix_s()).unwrap_or(0));
    for (at, soon) in [(now, false), (now + WARNED_BEFORE, true)] {
        let at = UnixTime::since_unix_epoch(at);
        verifier.verify_server_cert(end, between, &name, &[], at).map_err(|error| told(&error, soon))?;
    }
    Ok(())
}

fn told(error: &Error, soon: bool) -> String {
    match error {
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) if soon => {
            "it ends within 14 days: renew it".to_owned()
        }
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            "it is past its end: renew it".to_owned()
        }
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "it is for other names".to_owned(),
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "no authority others believe signed it".to_owned()
        }
        other => other.to_string(),
    }
}

/// Next hops and scanners take a connection.
pub async fn connections(plan: &Plan, site: &Site) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (what, host) in places(plan) {
        let what = format!("{what} {host}");
        let connecting = async {
            match site.host(&host) {
                Some(address) => TcpStream::connect(address).await.map(drop),
                None => TcpStream::connect(&host).await.map(drop),
            }
        };
        findings.push(match tokio::time::timeout(CONNECT_MAX, connecting).await {
            Ok(Ok(())) => Finding::ok(what),
            Ok(Err(error)) => Finding::new(Standing::Bad, what, error.to_string()),
            Err(_) => Finding::new(Standing::Bad, what, format!("no answer in {} s", CONNECT_MAX.as_secs())),
        });
    }
    findings
}

/// Every `host:port` the plan names, with what it is for.
fn places(plan: &Plan) -> Vec<(String, String)> {
    let mut places = Vec::new();
    let host = |hop: &NextHop| match hop {
        NextHop::Smtp(host) | NextHop::Lmtp(host) => host.clone(),
    };
    if let Remote::Smarthost(host) = &plan.routes.remote {
        places.push(("routes.remote".to_owned(), host.clone()));
    }
    if let Held::Lmtp(host) = &plan.routes.held {
        places.push(("routes.held".to_owned(), host.clone()));
    }
    places.extend(plan.routes.homes.iter().map(|(name, hop)| (format!("routes.homes.{name}"), host(hop))));
    places.extend(plan.domains.iter().filter_map(|(name, domain)| match domain {
        MailDomain::PassOn { next_hop, .. } => Some((format!("domains.\"{name}\""), host(next_hop))),
        MailDomain::Held { .. } | MailDomain::AliasOf(_) => None,
    }));
    places.extend(plan.scanners.iter().filter_map(|(name, scanner)| match &scanner.at {
        At::Icap(host) | At::Clamd(host) | At::Rspamd(host) | At::Spamd(host) | At::Milter(host)
            if !host.starts_with("unix:") =>
        {
            Some((format!("scanners.{name}"), host.clone()))
        }
        _ => None,
    }));
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reverse_names_are_those_of_the_rfcs() {
        assert_eq!(reverse("192.0.2.25".parse().unwrap()), "25.2.0.192.in-addr.arpa");
        let v6 = "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa";
        assert_eq!(reverse("4321:0:1:2:3:4:567:89ab".parse().unwrap()), v6);
    }
}
