//! Keys of signatures: RSA of 2,048 bits (RFC 8301) and Ed25519 (RFC 8463).

use std::convert::Infallible;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use plan::SigningAlgorithm;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::rand_core::{TryCryptoRng, TryRng};

use crate::random;

/// RFC 8301 3.2: signers use at least 1,024 bits and should use 2,048.
const RSA_BITS: usize = 2_048;

/// A key that signs.
pub enum PrivateKey {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

impl PrivateKey {
    /// A new key as DER: PKCS #1 for RSA, PKCS #8 for Ed25519. RSA takes up to some seconds of a processor: not for async
    /// threads. `None` when the system cannot make one.
    pub fn generate(algorithm: SigningAlgorithm) -> Option<Vec<u8>> {
        match algorithm {
            SigningAlgorithm::RsaSha256 => {
                let key = rsa::PrivateKey::new(&mut Kernel, RSA_BITS).ok()?;
                Some(key.to_pkcs1_der().ok()?.as_bytes().to_vec())
            }
            SigningAlgorithm::Ed25519Sha256 => {
                Some(Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).ok()?.as_ref().to_vec())
            }
        }
    }

    /// Reads what `generate` made.
    pub fn read(algorithm: SigningAlgorithm, der: &[u8]) -> Option<PrivateKey> {
        match algorithm {
            SigningAlgorithm::RsaSha256 => Some(PrivateKey::Rsa(Box::new(RsaKeyPair::from_der(der).ok()?))),
            SigningAlgorithm::Ed25519Sha256 => {
                Some(PrivateKey::Ed25519(Box::new(Ed25519KeyPair::from_pkcs8(der).ok()?)))
            }
        }
    }

    pub fn algorithm(&self) -> SigningAlgorithm {
        match self {
            PrivateKey::Rsa(_) => SigningAlgorithm::RsaSha256,
            PrivateKey::Ed25519(_) => SigningAlgorithm::Ed25519Sha256,
        }
    }

    /// The tag `p=` of its record, base64: a SubjectPublicKeyInfo for RSA, as every verifier takes it (RFC 6376 3.6.1 with
    /// erratum 3017), the bare key for Ed25519 (RFC 8463 4.2).
    pub fn public(&self) -> String {
        match self {
            PrivateKey::Rsa(key) => STANDARD.encode(subject_public_key_info(key.public_key().as_ref())),
            PrivateKey::Ed25519(key) => STANDARD.encode(key.public_key().as_ref()),
        }
    }

    /// The signature of `octets`, base64. Ed25519 signs their SHA-256 (RFC 8463 3).
    pub fn sign(&self, octets: &[u8]) -> Option<String> {
        match self {
            PrivateKey::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), octets, &mut signature).ok()?;
                Some(STANDARD.encode(signature))
            }
            PrivateKey::Ed25519(key) => Some(STANDARD.encode(key.sign(digest(&SHA256, octets).as_ref()))),
        }
    }
}

/// The value of the tag `a=`.
pub fn word(algorithm: SigningAlgorithm) -> &'static str {
    match algorithm {
        SigningAlgorithm::RsaSha256 => "rsa-sha256",
        SigningAlgorithm::Ed25519Sha256 => "ed25519-sha256",
    }
}

/// RFC 5280 4.1 with the algorithm rsaEncryption (RFC 3279 2.3.1) around an RSAPublicKey.
fn subject_public_key_info(rsa_public_key: &[u8]) -> Vec<u8> {
    const RSA_ENCRYPTION: [u8; 15] =
        [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
    let bits = [&[0], rsa_public_key].concat();
    let inside = [&RSA_ENCRYPTION, tagged(0x03, &bits).as_slice()].concat();
    tagged(0x30, &inside)
}

/// A DER value with its tag and length.
fn tagged(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = value.len().to_be_bytes();
    let length = &length[length.iter().position(|byte| *byte != 0).unwrap_or(length.len() - 1)..];
    let mut out = vec![tag];
    match length {
        [short] if *short < 0x80 => out.push(*short),
        long => {
            out.push(0x80 | long.len() as u8);
            out.extend_from_slice(long);
        }
    }
    out.extend_from_slice(value);
    out
}

/// The kernel's randomness, in the shape the search for primes asks for.
struct Kernel;

impl TryRng for Kernel {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(random::octets()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(random::octets()))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        random::fill(out);
        Ok(())
    }
}

impl TryCryptoRng for Kernel {}

#[cfg(test)]
mod tests {
    use ring::signature::{ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;

    #[test]
    fn a_new_key_signs_what_its_public_half_verifies() {
        for algorithm in [SigningAlgorithm::RsaSha256, SigningAlgorithm::Ed25519Sha256] {
            let der = PrivateKey::generate(algorithm).unwrap();
            let key = PrivateKey::read(algorithm, &der).unwrap();
            let signature = STANDARD.decode(key.sign(b"octets").unwrap()).unwrap();
            let public = STANDARD.decode(key.public()).unwrap();
            match algorithm {
                SigningAlgorithm::RsaSha256 => {
                    assert_eq!(public.len(), 294, "2,048 bits");
                    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &public[24..]);
                    key.verify(b"octets", &signature).unwrap();
                }
                SigningAlgorithm::Ed25519Sha256 => {
                    let hash = digest(&SHA256, b"octets");
                    UnparsedPublicKey::new(&ED25519, &public).verify(hash.as_ref(), &signature).unwrap();
                }
            }
            assert!(PrivateKey::read(algorithm, &der[1..]).is_none());
        }
    }
}
