//! The keys of SCRAM-SHA-256 (RFC 5802 3) as a client computes them.

use std::num::NonZeroU32;

use proto::sasl::Secret;
use proto::smtp::client::{Challenge, Proof};
use ring::digest::{SHA256, digest};
use ring::hmac::{HMAC_SHA256, Key, sign};
use ring::pbkdf2::{PBKDF2_HMAC_SHA256, derive};

use crate::random;

/// The client's part of a nonce: 18 octets in hexadecimal.
pub fn nonce() -> String {
    random::octets::<18>().iter().map(|octet| format!("{octet:02x}")).collect()
}

/// What shows that we know `secret`, and what will show that the server does. Takes some milliseconds.
pub fn proof(secret: &Secret, challenge: &Challenge) -> Proof {
    let mut salted = [0; 32];
    let iterations = NonZeroU32::new(challenge.iterations).unwrap_or(NonZeroU32::MIN);
    derive(PBKDF2_HMAC_SHA256, iterations, &challenge.salt, secret.reveal().as_bytes(), &mut salted);
    let signed = |key: &[u8], text: &[u8]| {
        let mut octets = [0; 32];
        octets.copy_from_slice(sign(&Key::new(HMAC_SHA256, key), text).as_ref());
        octets
    };
    let mut client = signed(&salted, b"Client Key");
    let stored = digest(&SHA256, &client);
    let signature = signed(stored.as_ref(), challenge.auth_message.as_bytes());
    client.iter_mut().zip(signature).for_each(|(key, octet)| *key ^= octet);
    let server = signed(&signed(&salted, b"Server Key"), challenge.auth_message.as_bytes());
    Proof { client, server }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7677 3.
    #[test]
    fn the_example_of_the_rfc_comes_to_its_proof() {
        let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let challenge = Challenge {
            salt: vec![0x5b, 0x6d, 0x99, 0x68, 0x9d, 0x12, 0x35, 0x8e, 0xec, 0xa0, 0x4b, 0x14, 0x12, 0x36, 0xfa, 0x81],
            iterations: 4_096,
            auth_message: format!(
                "n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r={nonce}"
            ),
        };
        let proof = proof(&Secret::new("pencil"), &challenge);
        let hex = |octets: [u8; 32]| octets.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
        assert_eq!(hex(proof.client), "747cdb65aa56224e2352137e52d7bdcad6a0f738df30782caa69a2cfb0277554");
        assert_eq!(hex(proof.server), "eabae24d1062db75a9451ff0b6ea7e98c8546549ff741e672d3251b2397de46e");
    }
}
