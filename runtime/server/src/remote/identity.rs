//! Keys that are shown in a handshake, each in a certificate it signed itself. Of the certificate only the key counts: dates
//! and names in it are nobody's word.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};
use ring::digest::{SHA256, digest};
use rustls::server::ParsedCertificate;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};
use store::{Op, Store};

use crate::operate::OperateError;
use crate::signing::Seal;

/// The setting with the server's own, sealed.
const SETTING: &str = "control.identity";
/// Characters of a fingerprint.
const FINGERPRINT_LEN: usize = 64;

/// A certificate with its key.
#[derive(Debug)]
pub struct Identity {
    pub certificate: CertificateDer<'static>,
    pub key: PrivateKeyDer<'static>,
}

/// Both as PEM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityPem {
    pub certificate: String,
    pub key: String,
}

/// The name of the key a certificate shows: SHA-256 of its SubjectPublicKeyInfo (RFC 5280 4.1.2.7, as RFC 7469 2.4 pins it) in
/// hexadecimal. `None` for what is no certificate.
pub fn fingerprint(certificate: &CertificateDer<'_>) -> Option<String> {
    let parsed = ParsedCertificate::try_from(certificate).ok()?;
    let hash = digest(&SHA256, parsed.subject_public_key_info().as_ref());
    Some(hash.as_ref().iter().map(|octet| format!("{octet:02x}")).collect())
}

/// A fingerprint as people hand it on, in the form it is compared in; spaces and colons between digits make no difference.
pub fn read_fingerprint(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
    let is_one = digits.len() == FINGERPRINT_LEN && digits.bytes().all(|octet| octet.is_ascii_hexdigit());
    is_one.then(|| digits.to_ascii_lowercase())
}

impl IdentityPem {
    /// A new one.
    pub fn new(name: &str) -> Result<IdentityPem, rcgen::Error> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        Ok(IdentityPem { certificate: params.self_signed(&key)?.pem(), key: key.serialize_pem() })
    }

    /// `None` for what is none.
    pub fn read(&self) -> Option<Identity> {
        let certificate = CertificateDer::from_pem_slice(self.certificate.as_bytes()).ok()?;
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).ok()?;
        fingerprint(&certificate)?;
        Some(Identity { certificate, key })
    }
}

/// One is made at a time.
static MAKING: Mutex<()> = Mutex::new(());

impl Identity {
    /// The server's own, made when there is none. One that does not open is trouble: operators would be told of another
    /// server. Blocks.
    pub fn of_server(store: &Store, data: &Path) -> Result<Identity, OperateError> {
        let _one = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
        let trouble = |why: String| OperateError::Store { why: format!("the identity of the control channel: {why}") };
        let seal = Seal::of(data).map_err(|error| trouble(error.to_string()))?;
        if let Some(sealed) = store.setting(SETTING)? {
            let opened = seal.open(SETTING, &sealed).and_then(|text| serde_json::from_slice(&text).ok());
            let identity = opened.and_then(|pem: IdentityPem| pem.read());
            return identity.ok_or_else(|| trouble("what the store keeps does not open".to_owned()));
        }
        let made = IdentityPem::new("facteur").map_err(|error| trouble(error.to_string()))?;
        let text = serde_json::to_vec(&made).map_err(|error| trouble(error.to_string()))?;
        let sealed = seal.seal(SETTING, &text).ok_or_else(|| trouble("it cannot be sealed".to_owned()))?;
        store.commit_wait(vec![Op::Setting { key: SETTING.to_owned(), value: Some(sealed) }])?;
        made.read().ok_or_else(|| trouble("it cannot be read".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_of_the_key_and_not_of_the_certificate() {
        let made = IdentityPem::new("anne").unwrap();
        let first = fingerprint(&made.read().unwrap().certificate).unwrap();
        let key = KeyPair::from_pem(&made.key).unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "somebody else");
        let again = params.self_signed(&key).unwrap();
        assert_ne!(again.pem(), made.certificate);
        assert_eq!(fingerprint(again.der()), Some(first.clone()));
        let other = IdentityPem::new("anne").unwrap().read().unwrap();
        assert_ne!(fingerprint(&other.certificate), Some(first));
        for none in [&b""[..], b"\x30\x03\x02\x01\x00", &[0x30; 400]] {
            assert_eq!(fingerprint(&CertificateDer::from(none)), None);
        }
    }

    #[test]
    fn people_write_fingerprints_as_they_like() {
        let digits = "ab01".repeat(16);
        let colons = digits.as_bytes().chunks(2).map(|two| String::from_utf8_lossy(two).to_uppercase());
        let colons: Vec<String> = colons.collect();
        for written in [digits.clone(), colons.join(":"), format!(" {} \n", colons.join(" "))] {
            assert_eq!(read_fingerprint(&written), Some(digits.clone()), "{written}");
        }
        for none in ["", "ab01", &digits[1..], &digits.replace('a', "g"), &format!("{digits}0")] {
            assert_eq!(read_fingerprint(none), None, "{none}");
        }
    }
}
