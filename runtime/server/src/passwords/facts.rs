//! What is known about a password besides its verifier, as the store keeps it with a person: some octets, since each look
//! at a person reads them.

use mail::Login;
use serde::{Deserialize, Serialize};
use store::{Op, ReadError, Store};

/// Facts of one password. All that is unknown is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// When it was set, in Unix seconds; 0 where nobody knows.
    #[serde(rename = "s", skip_serializing_if = "is_zero")]
    pub set_s: i64,
    /// It was drawn here and read by others: the person has to change it.
    #[serde(rename = "c", skip_serializing_if = "is_false")]
    pub must_change: bool,
    /// The last warning that was told: so many seconds before it expires; 0 that it has.
    #[serde(rename = "w", skip_serializing_if = "Option::is_none")]
    pub warned_s: Option<u64>,
    /// The verifier is of a password a directory server let in at this moment, in Unix seconds; nobody set it here.
    #[serde(rename = "b", skip_serializing_if = "Option::is_none")]
    pub bound_s: Option<i64>,
}

impl Facts {
    /// From the octets of the store. What cannot be read is not known: nothing is let in by facts.
    pub fn read(octets: &[u8]) -> Facts {
        if octets.is_empty() {
            return Facts::default();
        }
        serde_json::from_slice(octets).unwrap_or_else(|error| {
            tracing::error!("facts of a password cannot be read: {error}");
            Facts::default()
        })
    }

    /// Of a password that is set now.
    pub fn set_at(now_s: i64, must_change: bool) -> Facts {
        Facts { set_s: now_s, must_change, ..Facts::default() }
    }

    pub fn octets(&self) -> Vec<u8> {
        if *self == Facts::default() {
            return Vec::new();
        }
        // INVARIANT: numbers always have a JSON form.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// The facts of a login's password.
pub fn of(store: &Store, login: &Login) -> Result<Facts, ReadError> {
    Ok(store.person(login)?.map(|row| Facts::read(&row.secret)).unwrap_or_default())
}

/// What keeps them.
pub fn op(login: &Login, facts: &Facts) -> Op {
    Op::SetSecret { login: login.clone(), secret: facts.octets() }
}

fn is_zero(value: &i64) -> bool {
    *value == 0
}

fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_come_back_and_unknown_ones_take_no_room() {
        let facts = Facts { warned_s: Some(86_400), bound_s: Some(5), ..Facts::set_at(1_800_000_000, true) };
        assert_eq!(Facts::read(&facts.octets()), facts);
        assert_eq!(Facts::default().octets(), b"");
        assert_eq!(Facts::set_at(7, false).octets(), br#"{"s":7}"#);
        assert_eq!(Facts::read(br#"{"s":7,"of a later version":1}"#), Facts::set_at(7, false));
        assert_eq!(Facts::read(b"{"), Facts::default());
    }
}
