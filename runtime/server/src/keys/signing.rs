//! Private keys of people: PKCS 8 in PEM (RFC 8410, RFC 7468), as `facteur key new` and other programs write them.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use plan::signed::{BadPublicKey, OneSignature, PublicKey};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;

/// Characters a line of PEM has (RFC 7468 2).
const PEM_LINE: usize = 64;

/// A key that signs, with the name it goes by.
pub struct SigningKey {
    public: PublicKey,
    pair: Ed25519KeyPair,
}

/// Why a file is no key that signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadKeyFile {
    NotPem,
    NotEd25519,
    Public(BadPublicKey),
    NoRandomness,
}

impl fmt::Display for BadKeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadKeyFile::NotPem => f.write_str("no private key of PKCS 8 in PEM is in it"),
            BadKeyFile::NotEd25519 => f.write_str("the key in it is none of Ed25519"),
            BadKeyFile::Public(why) => why.fmt(f),
            BadKeyFile::NoRandomness => f.write_str("the system gives no random octets"),
        }
    }
}

impl std::error::Error for BadKeyFile {}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the private half of {}", self.public)
    }
}

impl SigningKey {
    /// A new key, and the text of its private file.
    pub fn generate(name: &str) -> Result<(SigningKey, String), BadKeyFile> {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| BadKeyFile::NoRandomness)?;
        let text = pem(document.as_ref());
        Ok((SigningKey::read(name, &text)?, text))
    }

    /// The key in a private file.
    pub fn read(name: &str, text: &str) -> Result<SigningKey, BadKeyFile> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(text.as_bytes()).map_err(|_| BadKeyFile::NotPem)?;
        // Other programs leave the public half out.
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der());
        let pair = pair.map_err(|_| BadKeyFile::NotEd25519)?;
        let octets = pair.public_key().as_ref().try_into().map_err(|_| BadKeyFile::NotEd25519)?;
        let public = PublicKey::new(name, octets).map_err(BadKeyFile::Public)?;
        Ok(SigningKey { public, pair })
    }

    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    pub fn sign(&self, octets: &[u8]) -> OneSignature {
        OneSignature { key: self.public.id(), ed25519: STANDARD.encode(self.pair.sign(octets)) }
    }
}

fn pem(der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    // INVARIANT: base 64 is ASCII, so any cut is one between characters.
    let lines: Vec<&str> =
        (0..base64.len()).step_by(PEM_LINE).map(|at| &base64[at..base64.len().min(at + PEM_LINE)]).collect();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
}
