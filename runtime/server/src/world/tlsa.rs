//! The TLSA records of a next hop (RFC 7672 2.2 and 3.1).

use hickory_resolver::proto::rr::rdata::TLSA;
use hickory_resolver::proto::rr::rdata::tlsa;
use ring::digest::{SHA256, SHA512, digest};
use rustls_pki_types::CertificateDer;

use super::assure::{self, Assurance, Matching, Selector, Tlsa, TlsaFacts, Usage};
use super::certificate;
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

/// The law of TLSA records, with a certificate nobody made: the first three octets are those of a record (RFC 6698 2.1), the
/// fourth says how many behind them are its data. A record that can be used has the length of its hash and binds; it matches
/// what it was made of and nothing else.
pub fn fuzz_tlsa(octets: &[u8]) {
    let [usage, selector, matching, count, rest @ ..] = octets else { return };
    let (data, der) = rest.split_at(usize::from(*count).min(rest.len()));
    let certificate = CertificateDer::from(der);
    let kinds = ((*usage).into(), (*selector).into(), (*matching).into());
    for data in [data, der, digest(&SHA256, der).as_ref(), digest(&SHA512, der).as_ref()] {
        let known = *usage / 2 == 1 && *selector < 2 && *matching < 3;
        let length = [1.max(data.len()), 32, 64].get(usize::from(*matching)).copied();
        let Some(tlsa) = usable(&TLSA::new(kinds.0, kinds.1, kinds.2, data.to_vec())) else {
            assert!(!known || length != Some(data.len()), "{usage} {selector} {matching} of {} octets", data.len());
            continue;
        };
        assert!(known && length == Some(data.len()), "{tlsa:?}");
        assert!(tlsa.string().starts_with(&format!("{usage} {selector} {matching} ")), "{tlsa:?}");
        let expected = match tlsa.matching {
            Matching::Exact => der.to_vec(),
            Matching::Sha256 => digest(&SHA256, der).as_ref().to_vec(),
            Matching::Sha512 => digest(&SHA512, der).as_ref().to_vec(),
        };
        let matches = certificate::matches(&tlsa, &certificate);
        if tlsa.selector == Selector::Certificate {
            assert_eq!(matches, data == expected, "{tlsa:?}");
        }
        let facts = assure::Facts {
            tlsa: TlsaFacts::Secure(vec![tlsa.clone()]),
            sts: assure::StsFacts::Testing,
            always: false,
            require_tls: false,
        };
        assert_eq!(assure::assure(facts), Ok(Assurance::Dane(vec![tlsa])), "a usable record binds");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_record_breaks_the_law(
            kinds in [0u8..5, 0u8..4, 0u8..4],
            count in prop::sample::select(&[0u8, 1, 31, 32, 33, 64, 200][..]),
            rest in prop::collection::vec(any::<u8>(), 0..100),
        ) {
            fuzz_tlsa(&[&kinds[..], &[count], &rest].concat());
        }
    }
}
