//! A self-signed certificate for every name of the policy's listeners, and the trust in it for the story's client.

use std::path::Path;
use std::sync::Arc;

use decide::Tables;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// Name of the PEM file in the data folder.
pub const FILE: &str = "cert.pem";

pub struct Made {
    pub certificate: server::Certificate,
    pub trust: Arc<rustls::ClientConfig>,
}

/// Makes a new one and writes the public half to the data folder.
pub fn make(tables: &Tables, data: &Path) -> Result<Made, Box<dyn std::error::Error + Send + Sync>> {
    let mut names: Vec<String> = tables
        .listeners()
        .flat_map(|(_, _, rules)| std::iter::once(&rules.host).chain(&rules.also))
        .map(ToString::to_string)
        .chain(["localhost".to_owned(), "127.0.0.1".to_owned()])
        .collect();
    names.sort();
    names.dedup();
    let made = rcgen::generate_simple_self_signed(names)?;
    std::fs::write(data.join(FILE), made.cert.pem())?;
    let der: CertificateDer<'static> = made.cert.der().clone();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(der.clone())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let trust = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let certificate = server::Certificate { chain: vec![der], key };
    Ok(Made { certificate, trust: Arc::new(trust) })
}
