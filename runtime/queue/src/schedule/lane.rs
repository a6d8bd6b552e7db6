//! One destination and what waits for it.

use std::collections::BTreeSet;

use store::QueueId;

use super::{Go, Toward};

/// Why a destination is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    Unreachable,
    /// It refuses this server.
    Blocked,
}

/// A destination that is not tried until `until_s`, and then with one message. Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Down {
    pub trouble: Trouble,
    pub why: String,
    pub since_s: i64,
    pub until_s: i64,
    pub failures: u32,
}

/// Where a lane stands in the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Nowhere,
    Ready,
    Timed(i64),
}

pub(super) struct Lane {
    pub toward: Toward,
    /// By due time: (Unix seconds, message).
    pub waiting: BTreeSet<(i64, QueueId)>,
    pub in_flight: u32,
    /// Tries at once: it grows as the destination takes mail, so that one that does not answer holds few places.
    window: u32,
    /// It spoke with us since it is here, and did not fail since.
    pub proven: bool,
    pub down: Option<Down>,
    pub provider: Option<usize>,
    pub place: Place,
}

impl Lane {
    pub fn new(toward: Toward, provider: Option<usize>) -> Lane {
        Lane {
            toward,
            waiting: BTreeSet::new(),
            in_flight: 0,
            window: 1,
            proven: false,
            down: None,
            provider,
            place: Place::Nowhere,
        }
    }

    /// What may be done with its first message now; `None` until a try ends.
    pub fn go(&self, now_s: i64, per_destination: u32, at_once: usize) -> Option<Go> {
        match &self.down {
            // So many share the outcome at a time that others still have their turn.
            Some(down) if now_s < down.until_s => {
                (self.in_flight as usize * 4 < at_once.max(4)).then(|| Go::Share(down.clone()))
            }
            Some(_) => (self.in_flight == 0).then_some(Go::Try),
            None => (self.in_flight < self.window.min(per_destination.max(1))).then_some(Go::Try),
        }
    }

    pub fn alive(&mut self, per_destination: u32) {
        self.down = None;
        self.proven = true;
        self.window = self.window.saturating_add(1).min(per_destination.max(1));
    }

    pub fn is_blocked(&self) -> bool {
        self.down.as_ref().is_some_and(|down| down.trouble == Trouble::Blocked)
    }

    /// How often it failed in a row.
    pub fn failures(&self) -> u32 {
        self.down.as_ref().map_or(0, |down| down.failures)
    }

    pub fn down(&mut self, trouble: Trouble, why: String, now_s: i64, wait_s: i64) {
        // Tries that began before the first failure was known say nothing new.
        if self.down.as_ref().is_some_and(|down| now_s < down.until_s && down.trouble == trouble) {
            return;
        }
        let (since_s, failures) = match &self.down {
            Some(down) if down.trouble == trouble => (down.since_s, down.failures),
            _ => (now_s, 0),
        };
        let until_s = now_s.saturating_add(wait_s);
        self.down = Some(Down { trouble, why, since_s, until_s, failures: failures.saturating_add(1) });
        self.proven = false;
        self.window = 1;
    }

    /// Nothing waits here, and nothing has to be remembered.
    pub fn is_done(&self, now_s: i64) -> bool {
        let remembered =
            self.down.as_ref().is_some_and(|down| down.trouble == Trouble::Blocked && now_s < down.until_s);
        self.waiting.is_empty() && self.in_flight == 0 && !remembered
    }
}
