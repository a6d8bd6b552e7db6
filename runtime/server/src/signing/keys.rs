//! The keys of the domains that are ours, as the store keeps them: one setting for each domain, `dkim/DOMAIN`.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use mail::Domain;
use plan::{Plan, SigningAlgorithm};
use serde::{Deserialize, Serialize};
use store::{Op, ReadError, Store};

use super::key::PrivateKey;
use super::rotation::{Life, State};
use super::seal::Seal;

/// A key in the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    #[serde(flatten)]
    pub life: Life,
    /// The tag `p=`.
    pub public: String,
    /// The private half; empty once it signs no more.
    pub sealed: Vec<u8>,
}

/// A key that signs.
pub struct Live {
    pub selector: String,
    pub private: PrivateKey,
}

/// The keys that sign now, by domain, shared by all who sign.
#[derive(Default)]
pub struct Keys(RwLock<BTreeMap<Domain, Vec<Arc<Live>>>>);

impl Keys {
    /// RSA first, as verifiers that know only one expect it.
    pub fn of(&self, domain: &Domain) -> Vec<Arc<Live>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(domain).cloned().unwrap_or_default()
    }

    /// Takes the rows of a domain into use, as far as they sign and open.
    pub fn set(&self, domain: &Domain, rows: &[Row], seal: &Seal) {
        let signing = rows.iter().filter(|row| row.life.state == State::Signing);
        let mut live: Vec<Arc<Live>> = signing.filter_map(|row| opened(domain, row, seal)).map(Arc::new).collect();
        live.sort_by_key(|key| key.private.algorithm());
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(domain.clone(), live);
    }
}

/// The private half of a row.
pub fn opened(domain: &Domain, row: &Row, seal: &Seal) -> Option<Live> {
    let selector = row.life.selector.clone();
    let der = seal.open(&sealed_under(domain, &selector), &row.sealed);
    Some(Live { private: PrivateKey::read(row.life.algorithm, &der?)?, selector })
}

/// A new key. Not for async threads.
pub fn made(domain: &Domain, life: Life, seal: &Seal) -> Option<Row> {
    let der = PrivateKey::generate(life.algorithm)?;
    let public = PrivateKey::read(life.algorithm, &der)?.public();
    let sealed = seal.seal(&sealed_under(domain, &life.selector), &der)?;
    Some(Row { life, public, sealed })
}

fn sealed_under(domain: &Domain, selector: &str) -> String {
    format!("dkim/{selector}._domainkey.{domain}")
}

/// The rows of a domain; none where the store has nothing this build can read.
pub fn read(store: &Store, domain: &Domain) -> Result<Vec<Row>, ReadError> {
    let kept = store.setting(&setting(domain))?.unwrap_or_default();
    Ok(serde_json::from_slice(&kept).unwrap_or_default())
}

/// Keeps the rows of a domain.
pub fn write(domain: &Domain, rows: &[Row]) -> Op {
    // INVARIANT: strings, numbers and enums always have a JSON form.
    let value = serde_json::to_vec(rows).unwrap_or_default();
    Op::Setting { key: setting(domain), value: (!rows.is_empty()).then_some(value) }
}

fn setting(domain: &Domain) -> String {
    format!("dkim/{domain}")
}

/// Domains that sign for themselves: all of the plan but those with a unit's name in them, which their parent signs for
/// (RFC 7489 3.1.1: relaxed alignment). The institution's own comes first.
pub fn domains(plan: &Plan) -> Vec<Domain> {
    let own = &plan.institution.domain;
    let others = plan.domains.keys().filter_map(|key| key.parse::<Domain>().ok()).filter(|domain| domain != own);
    std::iter::once(own.clone()).chain(others).collect()
}

/// The domain that signs for mail whose From is in `from`: itself or what it lies within; `None` when it is not ours.
pub fn signs_for<'a>(domains: &'a [Domain], from: &Domain) -> Option<&'a Domain> {
    let within = domains.iter().filter(|domain| from == *domain || from.is_within(domain));
    within.max_by_key(|domain| domain.as_str().len())
}

/// The value of the tag `k=`.
pub fn short(algorithm: SigningAlgorithm) -> &'static str {
    match algorithm {
        SigningAlgorithm::RsaSha256 => "rsa",
        SigningAlgorithm::Ed25519Sha256 => "ed25519",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_of_our_domains_a_from_lies_in_signs() {
        let domains: Vec<Domain> =
            ["univ.example", "labs.univ.example", "other.example"].map(|name| name.parse().unwrap()).into();
        for (from, signs) in [
            ("univ.example", Some("univ.example")),
            ("unit.univ.example", Some("univ.example")),
            ("a.labs.univ.example", Some("labs.univ.example")),
            ("ununiv.example", None),
            ("example", None),
        ] {
            let found = signs_for(&domains, &from.parse().unwrap()).map(Domain::as_str);
            assert_eq!(found, signs, "{from}");
        }
    }
}
