//! The life of a signing key: pure, under a clock it is given.
//!
//! | state | published in DNS | signs |
//! |---|---|---|
//! | `Published` | yes | not yet: others may not know it |
//! | `Signing` | yes | yes |
//! | `Retired` | yes: mail it signed is still on its way | no, its private half is gone |
//! | `Revoked` | with an empty `p=` (RFC 6376 3.6.1) | no |

use std::collections::BTreeMap;

use plan::SigningAlgorithm;
use serde::{Deserialize, Serialize};

const DAY_S: i64 = 86_400;
/// Where DNS cannot be asked, a new key signs after it was to be published for so long.
pub const PUBLISHED_S: i64 = 2 * DAY_S;
/// What a retired key signed is delivered, or expired, after so long.
pub const RETIRED_S: i64 = 7 * DAY_S;
/// A revoked key is told of for so long.
pub const REVOKED_S: i64 = 30 * DAY_S;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Published,
    Signing,
    Retired,
    Revoked,
}

/// A key as the rotation sees it. Times are Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Life {
    pub selector: String,
    pub algorithm: SigningAlgorithm,
    pub state: State,
    /// When it came into this state.
    pub since_s: i64,
}

/// What our resolver says of a published key's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    There,
    /// The zone answers and does not have it.
    Absent,
    /// Nobody could be asked.
    Unknown,
}

/// A step of a domain's keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Make a key and begin with this state.
    Make { algorithm: SigningAlgorithm, state: State },
    /// Bring the key with this selector into this state.
    Turn { selector: String, state: State },
    /// Forget the key.
    Forget { selector: String },
}

/// The steps that are due for the keys of one domain. `seen` has what DNS says of published ones; a key that is absent
/// there is not used, however old it is, because signatures nobody can verify are worse than an old key.
pub fn due(keys: &[Life], signing: &plan::Signing, seen: &BTreeMap<String, Seen>, now_s: i64) -> Vec<Step> {
    let mut steps = Vec::new();
    for key in keys {
        let age_s = now_s.saturating_sub(key.since_s);
        let turn = |state| Step::Turn { selector: key.selector.clone(), state };
        let wanted = signing.algorithms.contains(&key.algorithm);
        match key.state {
            State::Published | State::Signing if !wanted => steps.push(turn(State::Retired)),
            State::Published => {
                let ready = match seen.get(&key.selector).unwrap_or(&Seen::Unknown) {
                    Seen::There => true,
                    Seen::Absent => false,
                    Seen::Unknown => age_s >= PUBLISHED_S,
                };
                if ready {
                    let others =
                        keys.iter().filter(|old| old.algorithm == key.algorithm && old.state == State::Signing);
                    steps
                        .extend(others.map(|old| Step::Turn { selector: old.selector.clone(), state: State::Retired }));
                    steps.push(turn(State::Signing));
                }
            }
            State::Signing => {}
            State::Retired if age_s >= RETIRED_S => steps.push(turn(State::Revoked)),
            State::Revoked if age_s >= REVOKED_S => steps.push(Step::Forget { selector: key.selector.clone() }),
            State::Retired | State::Revoked => {}
        }
    }
    steps.extend(signing.algorithms.iter().filter_map(|algorithm| missing(keys, *algorithm, signing, now_s)));
    steps
}

/// The key an algorithm lacks, if any: its first, or the next one when the one that signs is old.
fn missing(keys: &[Life], algorithm: SigningAlgorithm, signing: &plan::Signing, now_s: i64) -> Option<Step> {
    let mut of = keys.iter().filter(|key| key.algorithm == algorithm);
    if of.clone().any(|key| key.state == State::Published) {
        return None;
    }
    let Some(signs) = of.find(|key| key.state == State::Signing) else {
        return Some(Step::Make { algorithm, state: State::Signing });
    };
    let life_s = i64::from(signing.rotate_every_days).saturating_mul(DAY_S);
    let old = life_s > 0 && now_s.saturating_sub(signs.since_s) >= life_s;
    old.then_some(Step::Make { algorithm, state: State::Published })
}

/// The name of a key made on `date` (`YYYYMMDD`), unlike any of `taken`.
pub fn selector(date: &str, algorithm: SigningAlgorithm, taken: &[Life]) -> String {
    let letter = match algorithm {
        SigningAlgorithm::RsaSha256 => 'r',
        SigningAlgorithm::Ed25519Sha256 => 'e',
    };
    let first = format!("f{date}-{letter}");
    let mut names = std::iter::once(first.clone()).chain((2_u32..).map(|number| format!("{first}{number}")));
    let free = |name: &String| taken.iter().all(|key| key.selector != *name);
    names.find(free).unwrap_or(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY_180: u32 = 180;

    fn signing(algorithms: &[SigningAlgorithm]) -> plan::Signing {
        plan::Signing { algorithms: algorithms.to_vec(), rotate_every_days: EVERY_180 }
    }

    /// A domain whose steps are taken at once, as the keeper takes them.
    #[derive(Default)]
    struct Domain {
        keys: Vec<Life>,
        made: u32,
    }

    impl Domain {
        fn pass(&mut self, signing: &plan::Signing, seen: Seen, now_s: i64) {
            let seen = self.keys.iter().map(|key| (key.selector.clone(), seen)).collect();
            for step in due(&self.keys, signing, &seen, now_s) {
                match step {
                    Step::Make { algorithm, state } => {
                        self.made += 1;
                        let selector = format!("k{}", self.made);
                        self.keys.push(Life { selector, algorithm, state, since_s: now_s });
                    }
                    Step::Turn { selector, state } => {
                        let key = self.keys.iter_mut().find(|key| key.selector == selector).unwrap();
                        (key.state, key.since_s) = (state, now_s);
                    }
                    Step::Forget { selector } => self.keys.retain(|key| key.selector != selector),
                }
            }
        }

        fn told(&self) -> Vec<(&str, State)> {
            self.keys.iter().map(|key| (key.selector.as_str(), key.state)).collect()
        }
    }

    #[test]
    fn a_key_is_published_before_it_signs_and_stays_published_after() {
        use State::{Published, Retired, Revoked, Signing};
        let signing = signing(&[SigningAlgorithm::RsaSha256]);
        let mut domain = Domain::default();
        for (day, expected) in [
            (0, vec![("k1", Signing)]),
            (179, vec![("k1", Signing)]),
            (180, vec![("k1", Signing), ("k2", Published)]),
            (181, vec![("k1", Signing), ("k2", Published)]),
            (182, vec![("k1", Retired), ("k2", Signing)]),
            (188, vec![("k1", Retired), ("k2", Signing)]),
            (189, vec![("k1", Revoked), ("k2", Signing)]),
            (218, vec![("k1", Revoked), ("k2", Signing)]),
            (219, vec![("k2", Signing)]),
        ] {
            domain.pass(&signing, Seen::Unknown, day * DAY_S);
            assert_eq!(domain.told(), expected, "day {day}");
        }
    }

    #[test]
    fn a_key_dns_has_signs_at_once_and_one_it_lacks_never() {
        let signing = signing(&[SigningAlgorithm::RsaSha256]);
        let mut domain = Domain::default();
        domain.pass(&signing, Seen::Unknown, 0);
        for day in [180, 190, 400] {
            domain.pass(&signing, Seen::Absent, day * DAY_S);
            assert_eq!(domain.told(), [("k1", State::Signing), ("k2", State::Published)], "day {day}");
        }
        domain.pass(&signing, Seen::There, 400 * DAY_S + 1);
        assert_eq!(domain.told(), [("k1", State::Retired), ("k2", State::Signing)]);
    }

    #[test]
    fn algorithms_rotate_apart_and_one_the_policy_drops_retires() {
        let both = signing(&[SigningAlgorithm::RsaSha256, SigningAlgorithm::Ed25519Sha256]);
        let mut domain = Domain::default();
        domain.pass(&both, Seen::Unknown, 0);
        assert_eq!(domain.told(), [("k1", State::Signing), ("k2", State::Signing)]);
        domain.pass(&signing(&[SigningAlgorithm::RsaSha256]), Seen::Unknown, DAY_S);
        assert_eq!(domain.told(), [("k1", State::Signing), ("k2", State::Retired)]);
        domain.pass(&both, Seen::Unknown, 2 * DAY_S);
        assert_eq!(domain.told(), [("k1", State::Signing), ("k2", State::Retired), ("k3", State::Signing)]);
    }

    #[test]
    fn a_clock_set_back_changes_nothing_and_never_rotating_is_never() {
        let mut domain = Domain::default();
        let mut signing = signing(&[SigningAlgorithm::RsaSha256]);
        domain.pass(&signing, Seen::Unknown, 1_000 * DAY_S);
        domain.pass(&signing, Seen::Unknown, 0);
        signing.rotate_every_days = 0;
        domain.pass(&signing, Seen::Unknown, i64::MAX);
        assert_eq!(domain.told(), [("k1", State::Signing)]);
    }

    #[test]
    fn selectors_name_the_day_and_do_not_repeat() {
        let mut taken = Vec::new();
        for expected in ["f20261130-r", "f20261130-r2", "f20261130-r3"] {
            let name = selector("20261130", SigningAlgorithm::RsaSha256, &taken);
            assert_eq!(name, expected);
            let algorithm = SigningAlgorithm::RsaSha256;
            taken.push(Life { selector: name, algorithm, state: State::Signing, since_s: 0 });
        }
        assert_eq!(selector("20261130", SigningAlgorithm::Ed25519Sha256, &taken), "f20261130-e");
    }
}
