//! How far long work is.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// How often it is told.
const EVERY: Duration = Duration::from_millis(100);

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Accounts,
    Messages,
    Octets,
    Bodies,
    Segments,
}

impl Unit {
    pub fn word(self) -> &'static str {
        match self {
            Unit::Accounts => "accounts",
            Unit::Messages => "messages",
            Unit::Octets => "octets",
            Unit::Bodies => "bodies",
            Unit::Segments => "segments",
        }
    }
}

/// `done` of `total`; the total is not always known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What is worked on now, in a word or two: a mailbox, a phase.
    pub on: String,
    pub done: u64,
    pub total: Option<u64>,
    pub unit: Unit,
}

/// Passes on ten a second and drops the others, so that a handler may tell of every message. The first is told at once.
pub(crate) struct Throttled<'a> {
    told: Option<Instant>,
    tell: &'a mut dyn FnMut(Progress),
}

impl<'a> Throttled<'a> {
    pub fn new(tell: &'a mut dyn FnMut(Progress)) -> Throttled<'a> {
        Throttled { told: None, tell }
    }

    pub fn tell(&mut self, progress: Progress) {
        if self.told.is_none_or(|told| told.elapsed() >= EVERY) {
            self.told = Some(Instant::now());
            (self.tell)(progress);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_told_and_a_flood_is_not() {
        let mut told = Vec::new();
        let mut tell = |progress: Progress| told.push(progress.done);
        let mut throttled = Throttled::new(&mut tell);
        let begun = Instant::now();
        for done in 0..10_000 {
            throttled.tell(Progress { on: String::new(), done, total: None, unit: Unit::Messages });
        }
        let most = begun.elapsed().as_millis() / EVERY.as_millis() + 1;
        assert_eq!(told[0], 0);
        assert!(told.len() as u128 <= most, "{} told", told.len());
    }
}
