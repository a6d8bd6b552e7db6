//! What is kept beside a proposal and beside a taught message, as JSON: the store does not look inside.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use spam::campaign::Fingerprint;

/// Who proposed it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Proposer {
    /// A login, or the address the mail came from.
    pub name: String,
    /// They logged in, or SPF says that the address may have sent it. Else it is only what the mail claims.
    pub proved: bool,
}

/// How it came to us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Attached to a mail to `antispam.corrections`.
    #[default]
    Report,
    /// A person marked the message in their mailbox.
    Keyword,
    /// A manager handed it in.
    Manager,
}

/// Is it what was delivered here?
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Integrity {
    Intact,
    /// Delivered here, and changed since in these ways.
    Altered(Vec<String>),
    #[default]
    Unknown,
}

/// Of a proposal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Proposal {
    pub proposer: Proposer,
    pub way: Way,
    pub spam: bool,
    pub integrity: Integrity,
    /// Why nothing can be learned from it; then the body is the header of the report.
    pub unusable: String,
    /// The body is what was delivered here, or the same octets.
    pub ours: bool,
    /// Hexadecimal, of the delivery; empty where none is known.
    pub delivery: String,
    /// Mailboxes that delivery put it into.
    pub received: u32,
    /// Names the content that came, whoever it was delivered to.
    pub hash: Octets,
    pub fingerprint: Octets,
    pub message_id: String,
    /// As the message has them, decoded.
    pub subject: String,
    pub from: String,
    pub hosts: Vec<String>,
}

impl Proposal {
    /// `None` where there is too little of it, or it is of another version.
    pub fn print(&self) -> Option<Fingerprint> {
        Fingerprint::from_octets(&self.fingerprint.0)
    }
}

/// Of a taught message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Taught {
    pub spam: bool,
    /// Who decided.
    pub by: String,
    pub at_s: i64,
    /// Who had proposed it.
    pub proposers: Vec<Proposer>,
    pub hash: Octets,
    pub message_id: String,
    pub subject: String,
    pub from: String,
    /// Of `tokens`; they are part of what is counted only under the version that is counted.
    pub tokens_version: u32,
    /// What was added for it, each once: forgetting subtracts exactly that.
    pub tokens: Tokens,
    /// The body was removed when it was too old.
    pub purged: bool,
}

/// Octets, in JSON as base64.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Octets(pub Vec<u8>);

impl Serialize for Octets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64.decode(text).map(Octets).map_err(serde::de::Error::custom)
    }
}

/// Tokens, in JSON as base64 of their octets, least first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tokens(pub Vec<u64>);

impl Serialize for Tokens {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Octets(self.0.iter().flat_map(|token| token.to_le_bytes()).collect()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Tokens {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Octets(octets) = Octets::deserialize(deserializer)?;
        let (tokens, rest) = octets.as_chunks();
        if !rest.is_empty() {
            return Err(serde::de::Error::custom("a token is cut"));
        }
        Ok(Tokens(tokens.iter().map(|eight| u64::from_le_bytes(*eight)).collect()))
    }
}

/// Octets for the store.
pub fn written<T: Serialize>(facts: &T) -> Vec<u8> {
    // INVARIANT: strings, booleans and numbers always have a JSON form.
    serde_json::to_vec(facts).unwrap_or_default()
}

/// `None` of what this build cannot read.
pub fn read<T: for<'de> Deserialize<'de>>(facts: &[u8]) -> Option<T> {
    serde_json::from_slice(facts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_read_as_they_were_written_and_rows_of_older_builds_too() {
        let taught = Taught { tokens: Tokens(vec![1, u64::MAX, 7]), hash: Octets(vec![0, 255]), ..Taught::default() };
        assert_eq!(read(&written(&taught)), Some(taught));
        let altered = Proposal { integrity: Integrity::Altered(vec!["body".to_owned()]), ..Proposal::default() };
        assert_eq!(read(&written(&altered)), Some(altered));
        assert_eq!(read::<Proposal>(b"{}"), Some(Proposal::default()));
        assert_eq!(read::<Proposal>(b""), None);
        assert_eq!(read::<Taught>(br#"{"tokens":"AAAA"}"#), None);
    }
}
