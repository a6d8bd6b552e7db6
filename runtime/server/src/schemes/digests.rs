//! Plain digests and PBKDF2, by ring.

use std::num::NonZeroU32;

use ring::{digest, pbkdf2};

use super::Digest;

impl Digest {
    pub fn octets(self) -> usize {
        self.algorithm().output_len()
    }

    fn algorithm(self) -> &'static digest::Algorithm {
        match self {
            Digest::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Digest::Sha256 => &digest::SHA256,
            Digest::Sha512 => &digest::SHA512,
        }
    }

    fn pbkdf2(self) -> pbkdf2::Algorithm {
        match self {
            Digest::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
            Digest::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Digest::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        }
    }
}

/// The digest of the secret with the salt behind it.
pub fn is_digest(kind: Digest, secret: &[u8], salt: &[u8], hash: &[u8]) -> bool {
    let mut context = digest::Context::new(kind.algorithm());
    context.update(secret);
    context.update(salt);
    same(context.finish().as_ref(), hash)
}

pub fn is_pbkdf2(kind: Digest, rounds: u32, secret: &[u8], salt: &[u8], hash: &[u8]) -> bool {
    let Some(rounds) = NonZeroU32::new(rounds) else { return false };
    !hash.is_empty() && pbkdf2::verify(kind.pbkdf2(), rounds, salt, secret, hash).is_ok()
}

/// Compares hashes of two texts in constant time: how much of a hash was right is told to nobody.
pub fn same(one: &[u8], other: &[u8]) -> bool {
    blake3::hash(one) == blake3::hash(other)
}
