//! What is known of a directory as a whole: how fresh it is, what the last sync did, and what could not be used.

use serde::{Deserialize, Serialize};
use store::{Op, ReadError, Store};

use super::connect::line;
use super::guard::{Extent, Stop};

/// The setting that keeps it over a restart.
const KEY: &str = "directory/last";
/// The setting with the number of changes an operator let through.
const ALLOWED: &str = "directory/allowed";
/// Things that are told one by one; all are counted.
pub const REPORTS_MAX: usize = 200;

/// What is kept of the last syncs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// When everybody was read and taken over last, in Unix seconds; `None` before the first time.
    pub fresh_at_s: Option<i64>,
    pub last: Option<Sync>,
    /// A sync that waits for an operator's word.
    pub stopped: Option<Stopped>,
    /// Why the newest sync did not come to its end; empty when it did.
    pub trouble: String,
}

/// A sync that came to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sync {
    pub at_s: i64,
    pub took_ms: u64,
    /// The server that was read.
    pub server: String,
    pub entries: u64,
    /// People here that are the directory's, and have not left.
    pub people: u64,
    pub new: u64,
    pub changed: u64,
    pub gone: u64,
    /// Entries that are nobody here.
    pub refused: u64,
    /// Attributes that could not be used.
    pub left_out: u64,
    pub reports: Vec<Report>,
}

/// Something in the directory that somebody has to put right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The name of the entry, without control characters.
    pub dn: String,
    pub says: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    pub at_s: i64,
    pub extent: Extent,
    pub why: Stop,
}

/// How a directory does now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LdapState {
    pub servers: Vec<ServerState>,
    pub fresh_at_s: Option<i64>,
    /// What is known is older than the policy trusts it.
    pub is_stale: bool,
    pub stale_at_most_s: u64,
    pub refresh_s: u64,
    /// A sync is under way.
    pub is_syncing: bool,
    pub last: Option<Sync>,
    pub stopped: Option<Stopped>,
    pub trouble: String,
    /// The exact number of changes that may pass.
    pub allowed: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerState {
    pub name: String,
    /// Empty while nothing is wrong that is known.
    pub trouble: String,
}

impl LdapState {
    /// What the store alone says of it, without a word of servers.
    pub fn of(rules: &plan::Ldap, kept: Kept, now_s: i64) -> LdapState {
        LdapState {
            is_stale: kept.is_stale(rules.stale_at_most_s, now_s),
            fresh_at_s: kept.fresh_at_s,
            stale_at_most_s: rules.stale_at_most_s,
            refresh_s: rules.refresh_s,
            last: kept.last,
            stopped: kept.stopped,
            trouble: kept.trouble,
            ..LdapState::default()
        }
    }
}

impl Report {
    pub fn new(dn: &str, says: impl Into<String>) -> Report {
        Report { dn: line(dn), says: line(&says.into()) }
    }
}

impl Kept {
    pub fn load(store: &Store) -> Result<Kept, ReadError> {
        let Some(octets) = store.setting(KEY)? else { return Ok(Kept::default()) };
        // Of another build: the next sync writes it anew.
        Ok(serde_json::from_slice(&octets).unwrap_or_default())
    }

    pub fn op(&self) -> Op {
        Op::Setting { key: KEY.to_owned(), value: serde_json::to_vec(self).ok() }
    }

    /// Without any sync nothing is known, so nothing is trusted.
    pub fn is_stale(&self, stale_at_most_s: u64, now_s: i64) -> bool {
        let at_most_s = i64::try_from(stale_at_most_s).unwrap_or(i64::MAX);
        self.fresh_at_s.is_none_or(|at_s| now_s.saturating_sub(at_s) > at_most_s)
    }
}

/// What an operator let through and nothing has used yet.
pub fn allowed(store: &Store) -> Result<Option<u64>, ReadError> {
    let octets = store.setting(ALLOWED)?;
    Ok(octets.and_then(|octets| Some(u64::from_le_bytes(octets.try_into().ok()?))))
}

pub fn allow(changes: Option<u64>) -> Op {
    Op::Setting { key: ALLOWED.to_owned(), value: changes.map(|changes| changes.to_le_bytes().to_vec()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_than_the_policy_trusts_is_stale() {
        let at = |fresh_at_s| Kept { fresh_at_s, ..Kept::default() };
        assert!(at(None).is_stale(86_400, 0));
        assert!(!at(Some(1_000)).is_stale(60, 1_060));
        assert!(at(Some(1_000)).is_stale(60, 1_061));
        assert!(!at(Some(1_000)).is_stale(60, 900), "a clock that is set back makes nothing old");
    }

    #[test]
    fn what_is_told_of_an_entry_has_no_control_characters() {
        let report = Report::new("cn=a\r\nb\u{1b}[31m", "sn\u{7f} is bad");
        assert_eq!((report.dn.as_str(), report.says.as_str()), ("cn=ab[31m", "sn is bad"));
    }
}
