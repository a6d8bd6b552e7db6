//! Who stands behind a plan: a file beside it with its hash, an author, a moment, a reason, and Ed25519 signatures (RFC 8032)
//! over these four. Text and digests only: nothing here signs or judges.

mod public;

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::emit;

pub use public::{BadPublicKey, PublicKey, key_id};

/// What a signature of a plan begins with, so that it is none of anything else.
const PLAN_DOMAIN: &str = "facteur plan signature 1";
/// Longest file of signatures, in octets.
pub const FILE_OCTETS_MAX: usize = 64 * 1024;
/// Signatures in one file.
pub const SIGNATURES_MAX: usize = 32;
/// Longest author and longest reason, in octets.
pub const AUTHOR_OCTETS_MAX: usize = 200;
pub const REASON_OCTETS_MAX: usize = 1_000;

/// `NAME.sig.ron`, in canonical form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// Full hash of the plan.
    pub plan: String,
    pub author: String,
    /// When it was signed first: RFC 3339 in UTC, to the second, `2026-11-30T14:00:00Z`.
    pub at: String,
    pub reason: String,
    pub signatures: Vec<OneSignature>,
}

/// The signature of one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneSignature {
    /// The key's id.
    pub key: String,
    /// 64 octets in base 64.
    pub ed25519: String,
}

/// Why a text is no file of signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadSignature {
    TooLarge,
    Syntax(String),
    /// It is not what this build would write.
    NotCanonical,
    TooMany,
    /// Author, reason or moment is not what it may be.
    Field(&'static str),
}

impl fmt::Display for BadSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadSignature::TooLarge => write!(f, "it is larger than {FILE_OCTETS_MAX} octets"),
            BadSignature::Syntax(error) => write!(f, "it does not parse: {error}"),
            BadSignature::NotCanonical => f.write_str("it is not in canonical form"),
            BadSignature::TooMany => write!(f, "it holds more than {SIGNATURES_MAX} signatures"),
            BadSignature::Field(field) => write!(f, "its {field} is not what it may be"),
        }
    }
}

impl std::error::Error for BadSignature {}

/// What Ed25519 signs: `domain`, then each field behind its length, so that no two statements have the same octets.
pub fn statement(domain: &str, fields: &[&str]) -> Vec<u8> {
    let mut octets = Vec::new();
    for text in std::iter::once(&domain).chain(fields) {
        octets.extend_from_slice(&(text.len() as u64).to_be_bytes());
        octets.extend_from_slice(text.as_bytes());
    }
    octets
}

/// What each key of a [`Signature`] signs: everything in it but the signatures.
pub fn signed_octets(signature: &Signature) -> Vec<u8> {
    let Signature { plan, author, at, reason, signatures: _ } = signature;
    statement(PLAN_DOMAIN, &[plan, author, at, reason])
}

/// Reads a file of signatures: only its canonical text. Whether they hold is another question.
pub fn read_signature(text: &str) -> Result<Signature, BadSignature> {
    let signature: Signature = read_canonical(text)?;
    check(&signature.author, &signature.at, &signature.reason, &signature.signatures)?;
    Ok(signature)
}

/// Reads a signed thing of a bounded size: only its canonical text.
pub fn read_canonical<T: Serialize + DeserializeOwned>(text: &str) -> Result<T, BadSignature> {
    if text.len() > FILE_OCTETS_MAX {
        return Err(BadSignature::TooLarge);
    }
    let read: T = ron::from_str(text).map_err(|error| BadSignature::Syntax(error.to_string()))?;
    if emit(&read) == text { Ok(read) } else { Err(BadSignature::NotCanonical) }
}

/// Are these fields of a signed thing what they may be?
pub fn check(author: &str, at: &str, reason: &str, signatures: &[OneSignature]) -> Result<(), BadSignature> {
    if signatures.len() > SIGNATURES_MAX {
        return Err(BadSignature::TooMany);
    }
    if !is_line(author, AUTHOR_OCTETS_MAX) {
        return Err(BadSignature::Field("author"));
    }
    if !is_line(reason, REASON_OCTETS_MAX) {
        return Err(BadSignature::Field("reason"));
    }
    if !is_moment(at) {
        return Err(BadSignature::Field("moment"));
    }
    Ok(())
}

/// Text that can stand in one line of a log: something, not too long, no control characters.
fn is_line(text: &str, octets_max: usize) -> bool {
    !text.trim().is_empty() && text.len() <= octets_max && !text.chars().any(char::is_control)
}

/// Of the form `2026-11-30T14:00:00Z`, so that two of them compare as their texts do.
fn is_moment(text: &str) -> bool {
    let form = "0000-00-00T00:00:00Z".bytes();
    text.len() == form.len()
        && text.bytes().zip(form).all(|(octet, wanted)| match wanted {
            b'0' => octet.is_ascii_digit(),
            other => octet == other,
        })
}

/// The law of files of signatures: what is read is written again as it was, and says one thing only.
pub fn fuzz(octets: &[u8]) {
    let Ok(text) = std::str::from_utf8(octets) else { return };
    let _ = text.parse::<PublicKey>().map(|key| assert_eq!(key.to_string().parse(), Ok(key)));
    let Ok(signature) = read_signature(text) else { return };
    assert_eq!(emit(&signature), text, "a file of signatures that is not canonical was read");
    let more = Signature { reason: format!("{} ", signature.reason), ..signature.clone() };
    assert_ne!(signed_octets(&more), signed_octets(&signature));
}

#[cfg(test)]
mod tests;
