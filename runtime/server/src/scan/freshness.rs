//! How old an engine's signatures are, and when that is told. Pure; times are Unix seconds.
//!
//! Where the engine says when they were made (clamd), that counts. Where it only says which they are (the ISTag of
//! ICAP), it is when they last changed, and nothing is known before they changed once under our eyes or were seen for as
//! long as they may grow old.

use serde::{Deserialize, Serialize};

/// The signatures of an engine as it last told of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signatures {
    /// Whatever changes with them; empty while nothing is known.
    pub identity: String,
    /// When this identity was first seen.
    pub seen_at_s: i64,
    /// When the engine says they were made.
    pub made_at_s: Option<i64>,
    /// They were told of as too old.
    pub is_stale: bool,
}

/// What is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crossing {
    /// Older than the policy wants.
    Stale { age_s: u64 },
    /// Renewed after that.
    Fresh,
}

impl Signatures {
    /// Notes what an engine says now. True when it has other signatures than before.
    pub fn seen(&mut self, identity: &str, made_at_s: Option<i64>, now_s: i64) -> bool {
        self.made_at_s = made_at_s;
        if self.identity == identity {
            return false;
        }
        self.identity = identity.to_owned();
        self.seen_at_s = now_s;
        true
    }

    /// How old they are; `None` while nothing is known.
    pub fn age_s(&self, now_s: i64) -> Option<u64> {
        if self.identity.is_empty() {
            return None;
        }
        let since_s = self.made_at_s.unwrap_or(self.seen_at_s);
        Some(u64::try_from(now_s.saturating_sub(since_s)).unwrap_or(0))
    }

    /// What is to be told now, once per crossing. `age_max_s`: the time between two updates the policy wants.
    pub fn crossing(&mut self, age_max_s: Option<u64>, now_s: i64) -> Option<Crossing> {
        let (age_s, age_max_s) = (self.age_s(now_s)?, age_max_s?);
        let is_stale = age_s > age_max_s;
        if is_stale == std::mem::replace(&mut self.is_stale, is_stale) {
            return None;
        }
        Some(if is_stale { Crossing::Stale { age_s } } else { Crossing::Fresh })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_S: i64 = 86_400;

    #[test]
    fn each_crossing_is_told_once() {
        let mut signatures = Signatures::default();
        assert_eq!(signatures.crossing(Some(100), 0), None, "nothing is known yet");
        assert!(signatures.seen("27500", Some(1_000), 1_050));
        let mut told = Vec::new();
        for now_s in (1_050..1_400).step_by(10) {
            if now_s == 1_300 {
                assert!(signatures.seen("27501", Some(1_290), now_s));
            }
            told.extend(signatures.crossing(Some(100), now_s).map(|crossing| (now_s, crossing)));
        }
        assert_eq!(told, [(1_110, Crossing::Stale { age_s: 110 }), (1_300, Crossing::Fresh)]);
    }

    #[test]
    fn where_no_date_is_said_the_last_change_counts() {
        let mut signatures = Signatures::default();
        assert_eq!(signatures.age_s(DAY_S), None);
        assert!(signatures.seen("CI0001-a", None, DAY_S));
        assert!(!signatures.seen("CI0001-a", None, 2 * DAY_S));
        assert_eq!(signatures.age_s(3 * DAY_S), Some(2 * DAY_S as u64));
        assert!(signatures.seen("CI0001-b", None, 3 * DAY_S));
        assert_eq!(signatures.age_s(3 * DAY_S + 5), Some(5));
    }

    #[test]
    fn a_policy_that_wants_nothing_is_told_nothing_and_clocks_that_differ_are_no_trouble() {
        let mut signatures = Signatures::default();
        signatures.seen("1", Some(0), 10);
        assert_eq!(signatures.crossing(None, DAY_S), None);
        signatures.seen("2", Some(DAY_S), 10);
        assert_eq!(signatures.age_s(10), Some(0), "made in a future of ours");
    }
}
