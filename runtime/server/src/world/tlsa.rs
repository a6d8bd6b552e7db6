//! The TLSA records of a next hop (RFC 7672 2.2 and 3.1).

use hickory_resolver::proto::rr::rdata::TLSA;
use hickory_resolver::proto::rr::rdata::tlsa;

use super::assure::{Matching, Selector, Tlsa, TlsaFacts, Usage};
use super::resolver::{Fault, Resolver};

/// Records of one host that are looked at.
const RECORDS_MAX: usize = 32;

/// Asks for the host behind all aliases first, then for the name in the MX record (RFC 7672 2.2.3); gives the one that has
/// the records.
pub async fn facts(resolver: &Resolver, host: &str, behind: &str) -> (TlsaFacts, String) {
    let mut names = vec![behind, host];
    names.dedup();
    for name in names {
        match resolver.tlsa(&format!("_25._tcp.{name}")).await {
            Ok(found) if found.records.is_empty() || !found.secure => {}
            Ok(found) => {
                let usable = found.records.iter().take(RECORDS_MAX).filter_map(usable).collect();
                return (TlsaFacts::Secure(usable), name.to_owned());
            }
            Err(Fault::NoName) => {}
            Err(Fault::Bogus | Fault::Trouble(_)) => return (TlsaFacts::Trouble, name.to_owned()),
        }
    }
    (TlsaFacts::None, host.to_owned())
}

/// RFC 7672 3.1.3: usages 0 and 1 mean nothing between servers.
fn usable(record: &TLSA) -> Option<Tlsa> {
    let usage = match record.cert_usage {
        tlsa::CertUsage::DaneTa => Usage::Anchor,
        tlsa::CertUsage::DaneEe => Usage::EndEntity,
        _ => return None,
    };
    let selector = match record.selector {
        tlsa::Selector::Full => Selector::Certificate,
        tlsa::Selector::Spki => Selector::PublicKey,
        _ => return None,
    };
    let (matching, octets) = match record.matching {
        tlsa::Matching::Raw => (Matching::Exact, None),
        tlsa::Matching::Sha256 => (Matching::Sha256, Some(32)),
        tlsa::Matching::Sha512 => (Matching::Sha512, Some(64)),
        _ => return None,
    };
    let data = record.cert_data.clone();
    let sound = octets.map_or(!data.is_empty(), |octets| data.len() == octets);
    sound.then_some(Tlsa { usage, selector, matching, data })
}
