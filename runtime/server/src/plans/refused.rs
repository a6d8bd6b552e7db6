//! Which accounts were refused something: how many in each hour of the last week, and who lately while a plan is on trial.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use mail::Login;
use store::{Op, ReadError, Store};

/// The settings that keep the number of each hour: this, and the hour since 1970.
const PREFIX: &str = "refused_accounts/";
const HOUR_S: i64 = 3_600;
const WEEK_H: i64 = 7 * 24;
/// Accounts that are told apart; above it the number stays, and is above every bound.
const ACCOUNTS_MAX: usize = 100_000;

#[derive(Default)]
pub(crate) struct Refused(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    hour: i64,
    in_hour: HashSet<String>,
    /// When each was refused something last.
    on_trial: HashMap<String, i64>,
    /// Of hours that are over and of this one, not written yet.
    waiting: Vec<(i64, usize)>,
}

impl Refused {
    /// `login` was refused something.
    pub fn note(&self, login: &Login, now_s: i64) {
        let mut seen = self.seen();
        seen.turn(now_s);
        let login = mail::fold(login.as_str());
        if seen.in_hour.len() < ACCOUNTS_MAX {
            seen.in_hour.insert(login.clone());
        }
        if seen.on_trial.len() < ACCOUNTS_MAX || seen.on_trial.contains_key(&login) {
            seen.on_trial.insert(login, now_s);
        }
    }

    /// A trial begins.
    pub fn begin(&self) {
        self.seen().on_trial.clear();
    }

    /// How many were refused something since, in the last hour, and are none of those `but` names. What is compared with an hour is
    /// never more than one: a trial of a day gathers the refusals of a day.
    pub fn on_trial(&self, now_s: i64, but: impl Fn(&str) -> bool) -> u32 {
        let seen = self.seen();
        let lately = seen.on_trial.iter().filter(|(_, at_s)| now_s.saturating_sub(**at_s) < HOUR_S);
        u32::try_from(lately.filter(|(login, _)| !but(login)).count()).unwrap_or(u32::MAX)
    }

    /// The changes of the store that keep what was counted, and forget what is older than a week.
    pub fn flush(&self, now_s: i64) -> Vec<Op> {
        let mut seen = self.seen();
        seen.turn(now_s);
        let now = (seen.hour, seen.in_hour.len());
        let all: Vec<(i64, usize)> = seen.waiting.drain(..).chain((now.1 > 0).then_some(now)).collect();
        let mut ops = Vec::new();
        for (hour, accounts) in all {
            ops.push(Op::Setting { key: key(hour), value: Some(accounts.to_string().into_bytes()) });
            ops.push(Op::Setting { key: key(hour - WEEK_H - 1), value: None });
        }
        ops
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn turn(&mut self, now_s: i64) {
        let hour = now_s.div_euclid(HOUR_S);
        if hour != self.hour {
            if !self.in_hour.is_empty() {
                self.waiting.push((self.hour, self.in_hour.len()));
            }
            self.hour = hour;
            self.in_hour.clear();
        }
    }
}

fn key(hour: i64) -> String {
    format!("{PREFIX}{hour:010}")
}

/// How many accounts were refused something in the same hour a week ago: of both clock hours that the last sixty minutes touch, the
/// one with more.
pub(super) fn a_week_ago(store: &Store, now_s: i64) -> Result<u32, ReadError> {
    let of = |at_s: i64| -> Result<u32, ReadError> {
        let kept = store.setting(&key(at_s.div_euclid(HOUR_S) - WEEK_H))?;
        let number = kept.and_then(|octets| String::from_utf8(octets).ok()).and_then(|text| text.parse().ok());
        Ok(number.unwrap_or(0))
    };
    Ok(of(now_s)?.max(of(now_s - (HOUR_S - 1))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_counts_once_an_hour_and_once_a_trial() {
        let refused = Refused::default();
        let login = |text: &str| Login::new(text).unwrap();
        refused.note(&login("early"), 0);
        refused.begin();
        for text in ["toto-j", "Toto-J", "dupont-m", "stolen"] {
            refused.note(&login(text), 3_600);
        }
        assert_eq!(refused.on_trial(3_600, |login| login == "stolen"), 2);
        // Of a long trial the last hour counts; who is refused again is there again.
        refused.note(&login("dupont-m"), 7_190);
        assert_eq!((refused.on_trial(7_199, |_| false), refused.on_trial(7_200, |_| false)), (3, 1));
        let kept = |ops: Vec<Op>| -> Vec<(String, Option<String>)> {
            let setting = |op| match op {
                Op::Setting { key, value } => Some((key, value.map(|it| String::from_utf8(it).unwrap()))),
                _ => None,
            };
            ops.into_iter().filter_map(setting).filter(|(_, value)| value.is_some()).collect()
        };
        let (first, second) = ("refused_accounts/0000000000".to_owned(), "refused_accounts/0000000001".to_owned());
        assert_eq!(kept(refused.flush(3_601)), [(first, Some("1".to_owned())), (second.clone(), Some("3".to_owned()))]);
        refused.note(&login("late"), 7_199);
        assert_eq!(kept(refused.flush(7_200)), [(second, Some("4".to_owned()))]);
        assert_eq!(kept(refused.flush(7_201)), []);
    }
}
