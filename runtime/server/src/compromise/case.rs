//! Cases: a detector of the policy went off for an account. The store keeps each under its id, with what was done about it.

use decide::compromise::{Seen, Tripped};
use plan::Reaction;
use serde::{Deserialize, Serialize};
use store::{Op, ReadError, Store};

use crate::random;

/// Keys are this and the case's id.
const PREFIX: &str = "compromise/case/";
/// Cases read at a time.
const PAGE: usize = 100;
const DIGITS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// A case nothing is locked by ends after a day: then its detector may alert again.
const ALERT_S: i64 = 86_400;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    #[default]
    Open,
    /// Somebody lifted it, or its time is over; what follows is under way.
    Ending,
    Ended,
}

impl State {
    pub fn word(self) -> &'static str {
        match self {
            State::Open => "open",
            State::Ending => "ending",
            State::Ended => "ended",
        }
    }
}

/// A reaction of the policy, and when it was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// As the policy calls it: `Alert`, `HoldOutgoing`, `LockSending`, `EndSessions`.
    pub what: String,
    /// How long a lock holds, in seconds; 0 for the others.
    pub for_s: u64,
    /// Unix seconds; 0 when it is still to be done.
    pub at_s: i64,
}

/// A case as the store keeps it. Times are Unix seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Case {
    pub login: String,
    pub detector: String,
    /// What was seen, in words.
    pub evidence: String,
    /// From where the account was used lately, the newest first.
    pub from: Vec<String>,
    pub at_s: i64,
    pub state: State,
    pub reactions: Vec<Done>,
    /// Managers that were told: each address in the commit of its message.
    pub told: Vec<String>,
    /// It ends by itself then.
    pub until_s: i64,
    /// Who ended it, and why; `policy` where its time was over.
    pub ended_by: String,
    pub because: String,
    pub ended_s: i64,
    /// Messages of the spool that are not to go, 32 hexadecimal digits each.
    pub discard: String,
    /// What was held and went on, and what was discarded.
    pub released: u64,
    pub discarded: u64,
}

impl Case {
    pub fn new(login: &str, tripped: &Tripped, then: &[Reaction], from: Vec<String>, at_s: i64) -> Case {
        let one = |reaction: &Reaction| {
            let (what, for_s) = match *reaction {
                Reaction::Alert => ("Alert", 0),
                Reaction::HoldOutgoing { for_s } => ("HoldOutgoing", for_s),
                Reaction::LockSending { for_s } => ("LockSending", for_s),
                Reaction::EndSessions => ("EndSessions", 0),
            };
            Done { what: what.to_owned(), for_s, at_s: 0 }
        };
        let reactions: Vec<Done> = then.iter().map(one).collect();
        let longest_s = reactions.iter().map(|reaction| reaction.for_s).max().unwrap_or(0);
        let life_s = if longest_s == 0 { ALERT_S } else { i64::try_from(longest_s).unwrap_or(i64::MAX) };
        Case {
            login: login.to_owned(),
            detector: tripped.detector.clone(),
            evidence: evidence(tripped.seen),
            from,
            at_s,
            reactions,
            until_s: at_s.saturating_add(life_s),
            ..Case::default()
        }
    }

    /// The rule of the policy.
    pub fn rule(&self) -> String {
        format!("compromise.{}", self.detector)
    }

    /// Is something of it still to be done?
    pub fn is_unfinished(&self) -> bool {
        let undone = |reaction: &Done| reaction.at_s == 0;
        self.state == State::Ending || (self.state == State::Open && self.reactions.iter().any(undone))
    }

    /// Ids of messages that are not to go.
    pub fn discards(&self) -> Vec<store::QueueId> {
        let texts = (0..self.discard.len()).step_by(32).filter_map(|at| self.discard.get(at..at + 32));
        texts.filter_map(crate::operate::parse_id).collect()
    }
}

/// `41 within 15 min`, `24 of 60 within 15 min`.
fn evidence(seen: Seen) -> String {
    let width = plan::Window { max: 1, width_s: seen.within_s }.width_text();
    match (seen.of, seen.within_s) {
        (_, 0) => String::new(),
        (Some(of), _) => format!("{} of {of} within {width}", seen.count),
        (None, _) => format!("{} within {width}", seen.count),
    }
}

/// Keeps it, or forgets it.
pub fn op(id: &str, case: Option<&Case>) -> Op {
    // INVARIANT: strings and numbers always have a JSON form.
    let value = case.map(|case| serde_json::to_vec(case).unwrap_or_default());
    Op::Setting { key: format!("{PREFIX}{id}"), value }
}

pub fn of(store: &Store, id: &str) -> Result<Option<Case>, ReadError> {
    if id.is_empty() || !id.bytes().all(|octet| DIGITS.contains(&octet)) {
        return Ok(None);
    }
    Ok(store.setting(&format!("{PREFIX}{id}"))?.map(|octets| queue::facts::read(&octets)))
}

/// All of them with their ids, the newest first.
pub fn all(store: &Store) -> Result<Vec<(String, Case)>, ReadError> {
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let page = store.settings(PREFIX, &after, PAGE)?;
        let Some((last, _)) = page.last() else { break };
        after.clone_from(last);
        let read = |(key, octets): (String, Vec<u8>)| {
            Some((key.strip_prefix(PREFIX)?.to_owned(), queue::facts::read::<Case>(&octets)))
        };
        all.extend(page.into_iter().filter_map(read));
    }
    all.sort_by(|(a, one), (b, other)| other.at_s.cmp(&one.at_s).then_with(|| a.cmp(b)));
    Ok(all)
}

/// An id nobody has: ten characters are enough for that.
pub fn new_id() -> String {
    random::octets::<10>().iter().map(|octet| char::from(DIGITS[usize::from(octet % 32)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tripped(count: u32, of: Option<u32>, within_s: u32) -> Tripped {
        Tripped { detector: "first-time".into(), seen: Seen { count, of, within_s } }
    }

    #[test]
    fn a_case_lasts_as_long_as_its_longest_lock_and_one_of_alerts_a_day() {
        let then = [Reaction::Alert, Reaction::HoldOutgoing { for_s: 3_600 }, Reaction::LockSending { for_s: 7_200 }];
        let case = Case::new("toto-j", &tripped(41, None, 900), &then, Vec::new(), 1_000);
        assert_eq!((case.until_s, case.evidence.as_str()), (8_200, "41 within 15 min"));
        assert!(case.is_unfinished() && case.rule() == "compromise.first-time");
        let alert = Case::new("toto-j", &tripped(24, Some(60), 900), &[Reaction::Alert], Vec::new(), 1_000);
        assert_eq!((alert.until_s, alert.evidence.as_str()), (87_400, "24 of 60 within 15 min"));
        let redirect = Case::new("toto-j", &tripped(1, None, 0), &[], Vec::new(), 1_000);
        assert!(redirect.evidence.is_empty() && !redirect.is_unfinished());
    }

    #[test]
    fn what_is_to_go_is_known_again() {
        let id = store::QueueId([0xa7; 16]);
        let case = Case { discard: id.to_string().repeat(2), ..Case::default() };
        assert_eq!(case.discards(), [id, id]);
        let kept = serde_json::to_vec(&case).unwrap();
        assert_eq!(queue::facts::read::<Case>(&kept), case);
    }
}
