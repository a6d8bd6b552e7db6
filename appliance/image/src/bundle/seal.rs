//! Who signs bundles and who is believed: Ed25519 (RFC 8032), n of the trusted keys.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use plan::signed::{OneSignature, PublicKey, statement};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use super::BundleError;

/// What a signature of a bundle begins with, so that it is none of anything else.
const DOMAIN: &str = "facteur update bundle 1";

/// The private key of somebody who may sign.
pub struct SigningKey(Ed25519KeyPair);

/// Keys that are believed, and how many of them have to have signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trusted {
    pub needed: usize,
    pub keys: Vec<PublicKey>,
}

impl SigningKey {
    /// From PKCS#8 in DER.
    pub fn of_pkcs8(der: &[u8]) -> Option<SigningKey> {
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).ok().map(SigningKey)
    }

    /// The signature of a header's text.
    pub(super) fn sign(&self, header: &str) -> OneSignature {
        let public: [u8; 32] = self.0.public_key().as_ref().try_into().unwrap_or_default();
        let signature = self.0.sign(&statement(DOMAIN, &[header]));
        OneSignature { key: plan::signed::key_id(&public), ed25519: STANDARD.encode(signature.as_ref()) }
    }
}

impl Trusted {
    /// Names of the trusted keys that signed this header; each key counts once.
    pub(super) fn judge(&self, header: &str, signatures: &[OneSignature]) -> Result<Vec<String>, BundleError> {
        let signed = statement(DOMAIN, &[header]);
        let holds = |key: &PublicKey, one: &OneSignature| {
            let octets = STANDARD.decode(&one.ed25519).unwrap_or_default();
            one.key == key.id() && UnparsedPublicKey::new(&ED25519, key.octets).verify(&signed, &octets).is_ok()
        };
        let good: BTreeSet<([u8; 32], &str)> = self
            .keys
            .iter()
            .filter(|key| signatures.iter().any(|one| holds(key, one)))
            .map(|key| (key.octets, key.name.as_str()))
            .collect();
        // One key under two names is one key.
        let count = good.iter().map(|(octets, _)| octets).collect::<BTreeSet<_>>().len();
        // Nobody being trusted is no reason to believe everybody.
        let needed = self.needed.max(1);
        if count < needed {
            return Err(BundleError::NotSigned { good: count, needed });
        }
        Ok(good.into_iter().map(|(_, name)| name.to_owned()).collect())
    }
}
