//! What the spool keeps beside a message and beside each recipient, as JSON: the store does not look inside. Rows of
//! older builds are empty, or lack what came later.

use std::collections::BTreeMap;

use mail::{Address, Body, Notify, Return};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Of the message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MessageFacts {
    /// RET (RFC 3461 4.3).
    pub ret: Option<Return>,
    /// ENVID (RFC 3461 4.4), as xtext.
    pub envid: Option<String>,
    pub body: Body,
    pub smtputf8: bool,
    /// REQUIRETLS (RFC 8689): every hop verifies TLS, or the message comes back.
    pub require_tls: bool,
    /// The sending block's `source`.
    pub source: String,
    /// The login that sent it; `None` for mail that came in and for machines.
    pub login: Option<String>,
    /// The block that took it.
    pub block: String,
    /// It came in for one of our people and goes on: sealed (RFC 8617) and under a reverse-path of ours (SRS).
    pub forwarded: bool,
    /// What Authentication-Results said when it came in, for the seal.
    pub authentication_results: String,
    /// The sender heard of the delay.
    pub delay_told: bool,
    /// Nobody tries until an operator says so.
    pub held: bool,
    /// What holds it, while it is held.
    pub held_by: HeldBy,
    /// Why, in words; empty where nobody said.
    pub held_because: String,
    /// An operator let it go, whatever is held of the account that sent it.
    pub let_go: bool,
    /// Fields of the spam filter for the copies that stay here, whole lines; empty where they stand in the message already.
    pub spam_fields: String,
    /// Those copies get the tag.
    pub spam_tagged: bool,
    /// Parts done so far of recipients that many are behind, by their number.
    pub spread: BTreeMap<u32, u16>,
}

/// What holds a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldBy {
    /// Somebody, by command.
    #[default]
    Operator,
    /// What its sender's account sends is held.
    Outgoing,
}

/// Of a recipient.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RecipientFacts {
    /// NOTIFY (RFC 3461 4.1); `None` where the client did not say, which is FAILURE and DELAY as we choose.
    pub notify: Option<Notify>,
    /// ORCPT (RFC 3461 4.2), as written.
    pub orcpt: Option<String>,
    /// The address the client gave, where an alias, a function or a redirect led on to this one.
    pub behind: Option<Address>,
    /// Into how many parts the mailboxes behind a local address are spread; 0 for one address elsewhere.
    pub parts: u16,
}

/// Octets for the store. Empty for what says nothing.
pub fn written<T: Serialize + Default + PartialEq>(facts: &T) -> Vec<u8> {
    if *facts == T::default() {
        return Vec::new();
    }
    // INVARIANT: strings, booleans and enums always have a JSON form.
    serde_json::to_vec(facts).unwrap_or_default()
}

/// What the store kept; the default where it kept nothing, or nothing this build can read.
pub fn read<T: DeserializeOwned + Default>(octets: &[u8]) -> T {
    serde_json::from_slice(octets).unwrap_or_default()
}

/// The law of both kinds: whatever the store kept gives facts, and facts come back from what is written of them.
pub fn fuzz(octets: &[u8]) {
    let message: MessageFacts = read(octets);
    assert_eq!(read::<MessageFacts>(&written(&message)), message, "facts of a message come back");
    let recipient: RecipientFacts = read(octets);
    assert_eq!(read::<RecipientFacts>(&written(&recipient)), recipient, "facts of a recipient come back");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_cut_or_overwritten_keeps_the_law() {
        let message = MessageFacts { ret: Some(Return::Headers), source: "é\"\\".into(), ..MessageFacts::default() };
        let behind = "\"a b\"@[192.0.2.1]".parse().ok();
        for kept in [written(&message), written(&RecipientFacts { behind, ..RecipientFacts::default() })] {
            for at in 0..kept.len() {
                fuzz(&kept[..at]);
                for octet in [b'0', b'"', b'@', b'\\', 0xff] {
                    let mut kept = kept.clone();
                    kept[at] = octet;
                    fuzz(&kept);
                }
            }
        }
    }

    #[test]
    fn facts_come_back_and_unknown_ones_are_passed_over() {
        let facts = MessageFacts { envid: Some("a+2Bb".into()), require_tls: true, ..MessageFacts::default() };
        assert_eq!(read::<MessageFacts>(&written(&facts)), facts);
        assert!(written(&MessageFacts::default()).is_empty());
        assert_eq!(read::<MessageFacts>(b""), MessageFacts::default());
        assert!(read::<MessageFacts>(b"{\"smtputf8\":true,\"later\":1}").smtputf8);
    }
}
