//! How a certificate that was made or ordered is kept: a sealed setting, `certificate/NAME/KIND`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};
use store::{Op, ReadError, Store};

use crate::signing::Seal;
use crate::site::Certificate;

/// Where a kept certificate is from. One of each may be kept under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    SelfSigned,
    Acme,
}

/// A certificate with its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// The hosts it was made for, sorted.
    pub hosts: Vec<String>,
    /// PEM, our own first; empty while only the key is there.
    pub chain: String,
    /// PEM of PKCS #8.
    pub key: String,
    /// The directory of the authority it was ordered at; empty for what was made here.
    #[serde(default)]
    pub directory: String,
}

impl Kept {
    pub fn read(store: &Store, seal: &Seal, name: &str, kind: Kind) -> Result<Option<Kept>, ReadError> {
        let setting = setting(name, kind);
        let Some(sealed) = store.setting(&setting)? else { return Ok(None) };
        let kept = seal.open(&setting, &sealed).and_then(|text| serde_json::from_slice(&text).ok());
        if kept.is_none() {
            tracing::error!(certificate = name, "the certificate that is kept does not open: another takes its place");
        }
        Ok(kept)
    }

    /// `None` when it cannot be sealed.
    pub fn write(&self, seal: &Seal, name: &str, kind: Kind) -> Option<Op> {
        let setting = setting(name, kind);
        let sealed = seal.seal(&setting, &serde_json::to_vec(self).ok()?)?;
        Some(Op::Setting { key: setting, value: Some(sealed) })
    }

    /// `None` while there is no chain, or where it cannot be read.
    pub fn certificate(&self) -> Option<Certificate> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(self.chain.as_bytes()).collect();
        let chain = chain.ok().filter(|chain| !chain.is_empty())?;
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).ok()?;
        Some(Certificate { chain, key })
    }
}

fn setting(name: &str, kind: Kind) -> String {
    let kind = match kind {
        Kind::SelfSigned => "self-signed",
        Kind::Acme => "acme",
    };
    format!("certificate/{name}/{kind}")
}

/// DER in the armour of RFC 7468.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    // Base64 is ASCII.
    let lines = base64.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line) + "\n");
    format!("-----BEGIN {label}-----\n{}-----END {label}-----\n", lines.collect::<String>())
}
