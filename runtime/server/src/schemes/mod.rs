//! Password hashes other servers kept, as they are imported: LDAP's `userPassword` (RFC 2307, and what OpenLDAP, 389
//! Directory Server and Dovecot write), and what crypt(3) makes.
//!
//! Each is read once, when it comes in, and what costs more than we pay is refused then. It opens by its own scheme until
//! the person has logged in with it, and is a verifier of ours from then on ([`crate::verifier`]).

mod crypt;
mod digests;
mod read;

use std::fmt;

use proto::sasl::Secret;

pub use read::read;

/// A hash of a known scheme. Its text is what the store keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    scheme: Scheme,
    text: String,
}

/// How a password was hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Scheme {
    /// Once, behind nothing or before a salt.
    Digest { kind: Digest, hash: Vec<u8>, salt: Vec<u8> },
    /// PBKDF2 (RFC 8018 5.2).
    Pbkdf2 { kind: Digest, rounds: u32, salt: Vec<u8>, hash: Vec<u8> },
    /// `$1$`.
    Md5Crypt { salt: String, hash: String },
    /// `$5$` and `$6$`.
    ShaCrypt { kind: Digest, rounds: u32, salt: String, hash: String },
    /// `$2a$`, `$2b$`, `$2y$`.
    Bcrypt,
    /// A verifier as ours.
    Argon2id,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Digest {
    Sha1,
    Sha256,
    Sha512,
}

/// Why a text is no hash that can be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoScheme {
    /// A scheme this server does not know, for instance DES or yescrypt: such a person needs a new password.
    Unknown,
    /// A known scheme, and something else behind it.
    Malformed,
    /// Checking it would take more of the machine than one login may.
    TooDear,
    /// The account was locked there.
    Locked,
}

impl fmt::Display for NoScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NoScheme::Unknown => {
                "a password hash of a scheme that is not supported: such a person needs a new password"
            }
            NoScheme::Malformed => "a damaged password hash",
            NoScheme::TooDear => "a password hash that costs more to check than one login may",
            NoScheme::Locked => "a locked password",
        })
    }
}

impl std::error::Error for NoScheme {}

impl Imported {
    /// As the store keeps it as a verifier.
    pub fn verifier(&self) -> &str {
        &self.text
    }

    /// For counts, in the word of the scheme.
    pub fn word(&self) -> &'static str {
        match &self.scheme {
            Scheme::Digest { kind: Digest::Sha1, salt, .. } if salt.is_empty() => "SHA",
            Scheme::Digest { kind: Digest::Sha1, .. } => "SSHA",
            Scheme::Digest { kind: Digest::Sha256, .. } => "SSHA256",
            Scheme::Digest { kind: Digest::Sha512, .. } => "SSHA512",
            Scheme::Pbkdf2 { .. } => "PBKDF2",
            Scheme::Md5Crypt { .. } => "md5-crypt",
            Scheme::ShaCrypt { .. } => "sha-crypt",
            Scheme::Bcrypt => "bcrypt",
            Scheme::Argon2id => "argon2id",
        }
    }

    /// Does `secret` open it? Takes at most some 300 ms of a processor.
    pub fn opens(&self, secret: &Secret) -> bool {
        let octets = secret.reveal().as_bytes();
        match &self.scheme {
            Scheme::Digest { kind, hash, salt } => digests::is_digest(*kind, octets, salt, hash),
            Scheme::Pbkdf2 { kind, rounds, salt, hash } => digests::is_pbkdf2(*kind, *rounds, octets, salt, hash),
            Scheme::Md5Crypt { salt, hash } => {
                digests::same(crypt::md5(octets, salt.as_bytes()).as_bytes(), hash.as_bytes())
            }
            Scheme::ShaCrypt { kind, rounds, salt, hash } => crypt::sha(*kind, *rounds, octets, salt.as_bytes())
                .is_some_and(|made| digests::same(made.as_bytes(), hash.as_bytes())),
            Scheme::Bcrypt => bcrypt::verify(octets, &self.text).unwrap_or(false),
            Scheme::Argon2id => crate::verifier::opens(secret, &self.text),
        }
    }
}

#[cfg(test)]
mod tests;
