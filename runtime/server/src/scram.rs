//! Verifiers of SCRAM-SHA-256 (RFC 5802 3, RFC 7677), and proofs against them.
//!
//! INVARIANT (same-answers): a login nobody has, and one whose verifier is of another kind, get a salt that is theirs for
//! ever and a proof that fails, at the cost of a wrong password.

use std::num::NonZeroU32;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proto::sasl::{Salt, ScramProof, Secret};
use ring::{digest, hmac, pbkdf2};

/// Passes of PBKDF2: a stolen verifier is as hard to guess from as these make it, and every client pays them at each login.
const ITERATIONS: u32 = 20_000;
const SALT_OCTETS: usize = 16;
const KEY_OCTETS: usize = 32;
/// What such a verifier begins with.
const NAME: &str = "scram-sha-256$";

/// What a server keeps of a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    iterations: u32,
    salt: Vec<u8>,
    stored: [u8; KEY_OCTETS],
    server: [u8; KEY_OCTETS],
}

impl Keys {
    /// Of a password, with a salt drawn now. Takes some milliseconds of a processor.
    pub fn of(secret: &Secret) -> Keys {
        let salt: [u8; SALT_OCTETS] = crate::random::octets();
        Keys::derived(secret.reveal().as_bytes(), &salt, ITERATIONS)
    }

    fn derived(secret: &[u8], salt: &[u8], iterations: u32) -> Keys {
        let passes = NonZeroU32::new(iterations).unwrap_or(NonZeroU32::MIN);
        let mut salted = [0; KEY_OCTETS];
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, passes, salt, secret, &mut salted);
        let client = mac(&salted, b"Client Key");
        Keys { iterations, salt: salt.to_vec(), stored: hash(&client), server: mac(&salted, b"Server Key") }
    }

    /// Keys nobody's password opens, the same for a login each time: `key` is the store's own.
    pub fn of_nobody(key: &[u8; 32], login: &str) -> Keys {
        let hashed = |what: &str| {
            let mut hasher = blake3::Hasher::new_keyed(key);
            hasher.update(what.as_bytes()).update(login.as_bytes());
            *hasher.finalize().as_bytes()
        };
        let salt = hashed("salt ")[..SALT_OCTETS].to_vec();
        Keys { iterations: ITERATIONS, salt, stored: hashed("stored "), server: hashed("server ") }
    }

    /// As text, behind `scram-sha-256$`: `iterations:salt$StoredKey:ServerKey`, the octets in base64.
    pub fn text(&self) -> String {
        let [salt, stored, server] = [&self.salt[..], &self.stored, &self.server].map(|it| STANDARD.encode(it));
        format!("{NAME}{}:{salt}${stored}:{server}", self.iterations)
    }

    /// From the text of `Keys::text`.
    pub fn read(text: &str) -> Option<Keys> {
        let (salting, keys) = text.strip_prefix(NAME)?.split_once('$')?;
        let (iterations, salt) = salting.split_once(':')?;
        let (stored, server) = keys.split_once(':')?;
        let key = |text: &str| STANDARD.decode(text).ok()?.try_into().ok();
        let iterations = iterations.parse().ok().filter(|it| *it > 0)?;
        Some(Keys { iterations, salt: STANDARD.decode(salt).ok()?, stored: key(stored)?, server: key(server)? })
    }

    /// What the client needs to make its proof, with a nonce drawn now.
    pub fn salt(&self) -> Salt {
        let nonce: [u8; 18] = crate::random::octets();
        Salt { octets: self.salt.clone(), iterations: self.iterations, nonce: STANDARD.encode(nonce) }
    }

    /// The server's signature if the proof holds (RFC 5802 3).
    pub fn verify(&self, proof: &ScramProof) -> Option<Vec<u8>> {
        let client_signature = mac(&self.stored, proof.auth_message.as_bytes());
        let mut client = proof.proof;
        client.iter_mut().zip(client_signature).for_each(|(octet, other)| *octet ^= other);
        let server_signature = mac(&self.server, proof.auth_message.as_bytes());
        // Such hashes are compared in constant time.
        let right = blake3::Hash::from(hash(&client)) == blake3::Hash::from(self.stored);
        right.then(|| server_signature.to_vec())
    }
}

fn mac(key: &[u8], message: &[u8]) -> [u8; KEY_OCTETS] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message);
    octets(tag.as_ref())
}

fn hash(octets_of: &[u8]) -> [u8; KEY_OCTETS] {
    octets(digest::digest(&digest::SHA256, octets_of).as_ref())
}

fn octets(digest: &[u8]) -> [u8; KEY_OCTETS] {
    let mut octets = [0; KEY_OCTETS];
    octets.copy_from_slice(digest);
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7677 3: user `user`, password `pencil`.
    fn example() -> (Keys, ScramProof) {
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let auth_message = "n=user,r=rOprNGfwEbeRWgbNEkqO,\
            r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,\
            c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let proof = STANDARD.decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=").unwrap().try_into().unwrap();
        let proof = ScramProof { login: "user".into(), auth_message: auth_message.into(), proof };
        (Keys::derived(b"pencil", &salt, 4_096), proof)
    }

    #[test]
    fn the_example_of_the_rfc_holds_and_no_other() {
        let (keys, proof) = example();
        let signature = keys.verify(&proof).expect("the proof holds");
        assert_eq!(STANDARD.encode(signature), "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
        let changed = ScramProof { auth_message: format!("{} ", proof.auth_message), ..proof.clone() };
        assert_eq!(keys.verify(&changed), None);
        assert_eq!(Keys::of(&Secret::new("pencil")).verify(&proof), None, "another salt");
    }

    #[test]
    fn keys_are_kept_as_text() {
        let keys = Keys::of(&Secret::new("x"));
        assert!(Keys::read(&keys.text()).is_some_and(|read| read == keys));
        for bad in ["", "scram-sha-256$", "scram-sha-256$0:AA==$AA==:AA==", "scram-sha-256$1:AA==$AA==:AA=="] {
            assert!(Keys::read(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn nobodys_salt_stays_the_same_and_looks_like_any() {
        let (one, again) = (Keys::of_nobody(&[1; 32], "ghost"), Keys::of_nobody(&[1; 32], "ghost"));
        assert!(one == again && one.salt().nonce != again.salt().nonce);
        assert_ne!(one.salt, Keys::of_nobody(&[1; 32], "ghosu").salt);
        assert_ne!(one.salt, Keys::of_nobody(&[2; 32], "ghost").salt);
        let somebodys = Keys::of(&Secret::new("x")).salt();
        assert_eq!((one.salt.len(), one.iterations), (somebodys.octets.len(), somebodys.iterations));
    }
}
