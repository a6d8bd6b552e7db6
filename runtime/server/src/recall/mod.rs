//! Recalls: a delivered message out of every mailbox it is in, by what is known of it, and back.
//!
//! A find remembers which deliveries it found; a take takes these and no others, so that what a manager looked at is what
//! goes. The state is kept in the store under the recall's id, and changes before the work it is about begins: whenever the
//! process ends, the same command again does what is left ([`crate::taken`]).

pub mod old;
mod report;
mod search;
mod sought;

use serde::{Deserialize, Serialize};
use store::{DeliveryId, Op, QueueId, ReadError, Store};

use crate::random;

pub use report::{Copy, Gone, GoneState, Report, of as report_of};
pub use search::{DELIVERIES_MAX, Found, SearchError, parts_of, search};
pub use sought::Sought;

/// Keys are this and the recall's id.
const PREFIX: &str = "recall/";
/// Recalls read at a time.
const PAGE: usize = 100;
/// How long a find can be taken by its id, and a take waits for a second manager.
pub const WAITS_S: i64 = 86_400;
const DIGITS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// What became of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    #[default]
    Found,
    /// For a second manager.
    Waiting,
    /// Nobody agreed within a day.
    Expired,
    /// Begun; it was cut short when nobody is at it.
    Taking,
    Taken,
    /// The same of the way back.
    Undoing,
    Undone,
}

impl State {
    pub fn word(self) -> &'static str {
        match self {
            State::Found => "found",
            State::Waiting => "waiting",
            State::Expired => "expired",
            State::Taking => "taking",
            State::Taken => "taken",
            State::Undoing => "undoing",
            State::Undone => "undone",
        }
    }
}

/// A recall as the store keeps it. Times are Unix seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Recall {
    pub state: State,
    pub sought: Sought,
    /// When it was looked for.
    pub at_s: i64,
    /// Who asked for the take, the second manager where one was needed, and why.
    pub by: String,
    pub approved_by: String,
    pub because: String,
    /// When the take was asked for, and when it ended.
    pub asked_at_s: i64,
    pub taken_at_s: i64,
    /// What went: messages, out of how many mailboxes of how many accounts.
    pub messages: u64,
    pub mailboxes: u64,
    pub accounts: u64,
    pub undone_by: String,
    pub undone_at_s: i64,
    /// Ids of deliveries and of messages of the spool, 32 hexadecimal digits each.
    pub ids: String,
}

impl Recall {
    pub fn deliveries(&self) -> Vec<DeliveryId> {
        let texts = (0..self.ids.len()).step_by(32).filter_map(|at| self.ids.get(at..at + 32));
        texts.filter_map(crate::operate::parse_id).map(|id| id.0).collect()
    }

    pub fn keep(&mut self, deliveries: impl IntoIterator<Item = DeliveryId>) {
        self.ids = deliveries.into_iter().map(|id| QueueId(id).to_string()).collect();
    }

    /// As it is `now_s`: what waited for too long has ended.
    #[must_use]
    pub fn now(self, now_s: i64) -> Recall {
        let over = self.state == State::Waiting && now_s >= self.asked_at_s.saturating_add(WAITS_S);
        Recall { state: if over { State::Expired } else { self.state }, ..self }
    }

    /// What the copies are kept for: by it an undo knows its own.
    pub fn why(&self, id: &str) -> String {
        format!("recall {id}: {}", self.because)
    }
}

/// True where `why` is that of recall `id`.
pub fn is_of(why: &str, id: &str) -> bool {
    why.strip_prefix("recall ").and_then(|rest| rest.strip_prefix(id)).is_some_and(|rest| rest.starts_with(':'))
}

/// Keeps it, or forgets it.
pub fn op(id: &str, recall: Option<&Recall>) -> Op {
    // INVARIANT: strings and numbers always have a JSON form.
    let value = recall.map(|recall| serde_json::to_vec(recall).unwrap_or_default());
    Op::Setting { key: format!("{PREFIX}{id}"), value }
}

pub fn of(store: &Store, id: &str) -> Result<Option<Recall>, ReadError> {
    if id.is_empty() || !id.bytes().all(|octet| DIGITS.contains(&octet)) {
        return Ok(None);
    }
    Ok(store.setting(&format!("{PREFIX}{id}"))?.map(|octets| queue::facts::read(&octets)))
}

/// All of them with their ids.
pub fn all(store: &Store) -> Result<Vec<(String, Recall)>, ReadError> {
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let page = store.settings(PREFIX, &after, PAGE)?;
        let Some((last, _)) = page.last() else { return Ok(all) };
        after.clone_from(last);
        let read = |(key, octets): (String, Vec<u8>)| {
            Some((key.strip_prefix(PREFIX)?.to_owned(), queue::facts::read(&octets)))
        };
        all.extend(page.into_iter().filter_map(read));
    }
}

/// An id nobody has: ten characters are enough for that.
pub fn new_id() -> String {
    random::octets::<10>().iter().map(|octet| char::from(DIGITS[usize::from(octet % 32)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recall_knows_its_deliveries_and_its_own_copies() {
        let mut recall = Recall { because: "phish: urgent".into(), ..Recall::default() };
        recall.keep([[1; 16], [0xfe; 16]]);
        assert_eq!(recall.deliveries(), [[1; 16], [0xfe; 16]]);
        let read: Recall = serde_json::from_slice(&serde_json::to_vec(&recall).unwrap()).unwrap();
        assert_eq!(read, recall);
        assert!(is_of(&recall.why("abc"), "abc"));
        for (why, id) in [("recall abcd: x", "abc"), ("recall abc", "abc"), ("virus", "abc"), ("", "")] {
            assert!(!is_of(why, id), "{why} {id}");
        }
    }

    #[test]
    fn what_waits_for_a_second_manager_waits_for_a_day() {
        let waiting = Recall { state: State::Waiting, asked_at_s: 1_000, ..Recall::default() };
        assert_eq!(waiting.clone().now(1_000 + WAITS_S - 1).state, State::Waiting);
        assert_eq!(waiting.clone().now(1_000 + WAITS_S).state, State::Expired);
        let taken = Recall { state: State::Taken, ..waiting };
        assert_eq!(taken.now(i64::MAX).state, State::Taken);
    }
}
