//! Since when mailboxes are full. The first recipient refused for a full mailbox starts its time, the first that has room
//! ends it; kept in the store, because three days outlive a process.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use mail::Login;
use store::{Op, ReadError, Store};

/// The setting: a line `login seconds` for each full mailbox.
const SETTING: &str = "mailboxes.full_since";

/// Full mailboxes, by login.
#[derive(Debug, Default)]
pub struct Full(Mutex<BTreeMap<String, i64>>);

impl Full {
    pub fn load(store: &Store) -> Result<Full, ReadError> {
        let kept = store.setting(SETTING)?.unwrap_or_default();
        Ok(Full(Mutex::new(read(&String::from_utf8_lossy(&kept)))))
    }

    /// Notes at `now_s` whether a recipient found `login`'s mailbox full. Since when it is, and the change to be kept if
    /// there is one. Times are Unix seconds.
    pub fn note(&self, login: &Login, full: bool, now_s: i64) -> (Option<i64>, Option<Op>) {
        let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if full && let Some(first_s) = since.get(login.as_str()) {
            return (Some(*first_s), None);
        }
        if full {
            since.insert(login.as_str().to_owned(), now_s);
        } else if since.remove(login.as_str()).is_none() {
            return (None, None);
        }
        let op = Op::Setting { key: SETTING.to_owned(), value: Some(written(&since).into_bytes()) };
        (full.then_some(now_s), Some(op))
    }
}

fn written(since: &BTreeMap<String, i64>) -> String {
    since.iter().map(|(login, first_s)| format!("{login} {first_s}\n")).collect()
}

fn read(text: &str) -> BTreeMap<String, i64> {
    let line = |line: &str| {
        let (login, first_s) = line.split_once(' ')?;
        Some((login.to_owned(), first_s.parse().ok()?))
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_runs_back_to_the_first_refusal_to_the_first_room() {
        let full = Full::default();
        let login = Login::new("toto-j").unwrap();
        assert!(matches!(full.note(&login, false, 5), (None, None)));
        assert!(matches!(full.note(&login, true, 10), (Some(10), Some(_))));
        assert!(matches!(full.note(&login, true, 99), (Some(10), None)));
        assert!(matches!(full.note(&login, false, 100), (None, Some(_))));
        assert!(matches!(full.note(&login, true, 200), (Some(200), Some(_))));
    }

    #[test]
    fn what_is_written_reads_back() {
        let since: BTreeMap<String, i64> = [("a".to_owned(), 1), ("b-c".to_owned(), -5)].into();
        assert_eq!(read(&written(&since)), since);
        assert!(read("nonsense\nx y\n").is_empty());
    }
}
