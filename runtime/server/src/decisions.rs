//! The decision log: one row for each outcome, facts only, for `why` and for replaying a day under another plan. A row is
//! JSON with a schema number; people are keyed hashes in it, so that rows of one person can be brought together and nobody
//! can be read out of them.

use serde::Serialize;
use store::{Op, QueueId, ReadError, Store};

use crate::outcome::Outcome;
use crate::{clock, random};

const SCHEMA: u32 = 1;
/// The setting that keeps the key of the hashes.
const KEY: &str = "decisions.key";
/// Hexadecimal digits of a hash.
const HASH_DIGITS: usize = 16;

#[derive(Serialize)]
struct Row<'a> {
    schema: u32,
    event: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    queue_id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    message_id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: &'a str,
    #[serde(skip_serializing_if = "String::is_empty")]
    code: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    rule: &'a str,
    plan: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    listener: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    class: &'a str,
    /// Reverse-path, forward-path or login, hashed.
    #[serde(skip_serializing_if = "String::is_empty")]
    about: String,
    /// What a next hop answered, without the address it is about.
    #[serde(skip_serializing_if = "String::is_empty")]
    said: String,
    /// Tenths of a second of the clock the windows run by.
    tick: u32,
}

/// The key of this store's hashes, drawn once; the op keeps a new one.
pub fn key(store: &Store) -> Result<([u8; 32], Option<Op>), ReadError> {
    let kept = store.setting(KEY)?.and_then(|octets| <[u8; 32]>::try_from(octets).ok());
    Ok(match kept {
        Some(key) => (key, None),
        None => {
            let key: [u8; 32] = random::octets();
            (key, Some(Op::Setting { key: KEY.to_owned(), value: Some(key.to_vec()) }))
        }
    })
}

/// The row of an outcome.
pub fn row(outcome: &Outcome, plan: &str, key: &[u8; 32], tick: u32) -> Op {
    let peer = outcome.peer.as_ref();
    let row = Row {
        schema: SCHEMA,
        event: outcome.event.word(),
        queue_id: &outcome.queue_id,
        message_id: &outcome.message_id,
        reason: outcome.reason.map_or("", decide::Reason::word),
        code: outcome.code.map(|code| code.to_string()).unwrap_or_default(),
        rule: &outcome.rule,
        plan,
        listener: peer.map_or("", |peer| peer.listener.as_str()),
        class: peer.map_or("", |peer| peer.class.as_str()),
        about: hashed(&outcome.about, key),
        said: if outcome.about.is_empty() { String::new() } else { outcome.said.replace(&outcome.about, "…") },
        tick,
    };
    // INVARIANT: strings and numbers always have a JSON form.
    Op::LogDecision { at_s: clock::unix_s(), row: serde_json::to_string(&row).unwrap_or_default() }
}

/// The row of what a person decided about a message, not a rule. `said` names who, and why.
pub fn told(event: &str, id: QueueId, rule: &str, said: &str, plan: &str, tick: u32) -> Op {
    let row = Row {
        schema: SCHEMA,
        event,
        queue_id: &id.to_string(),
        message_id: "",
        reason: "",
        code: String::new(),
        rule,
        plan,
        listener: "",
        class: "",
        about: String::new(),
        said: said.to_owned(),
        tick,
    };
    Op::LogDecision { at_s: clock::unix_s(), row: serde_json::to_string(&row).unwrap_or_default() }
}

/// The name of a person or an address in rows. A path (RFC 5321 4.1.2) goes by its address.
pub fn hashed(about: &str, key: &[u8; 32]) -> String {
    let about = about.strip_prefix('<').and_then(|path| path.strip_suffix('>')).unwrap_or(about);
    if about.is_empty() {
        return String::new();
    }
    blake3::keyed_hash(key, about.to_lowercase().as_bytes()).to_hex()[..HASH_DIGITS].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Event;

    #[test]
    fn a_row_has_facts_and_names_nobody() {
        let outcome =
            Outcome::done(Event::Delivered, "Alice@example.org").of("07").saying("250 fine, <Alice@example.org>");
        let Op::LogDecision { row, .. } = row(&outcome, "q7k3m2xw", &[7; 32], 12) else { panic!("no row") };
        let read: serde_json::Value = serde_json::from_str(&row).unwrap();
        assert_eq!((&read["schema"], &read["event"], &read["tick"]), (&1.into(), &"delivered".into(), &12.into()));
        assert!(!row.to_lowercase().contains("alice") && read.get("rule").is_none(), "{row}");
        assert_eq!(read["about"], hashed("alice@EXAMPLE.org", &[7; 32]));
        assert_eq!(read["about"], hashed("<alice@example.org>", &[7; 32]));
        assert_ne!(read["about"], hashed("alice@example.org", &[8; 32]));
    }
}
