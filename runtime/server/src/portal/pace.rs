//! How often somebody may do something: so many times in each minute.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

const WIDTH_S: u64 = 60;

pub(super) struct Pace {
    max: u32,
    /// The minute, and how often each did it in it.
    now: Mutex<(u64, HashMap<String, u32>)>,
}

impl Pace {
    /// At most `max` times a minute.
    pub fn new(max: u32) -> Pace {
        Pace { max, now: Mutex::default() }
    }

    /// May `who` do it once more? It is counted.
    pub fn may(&self, who: &str, now_s: u64) -> bool {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if now.0 != now_s / WIDTH_S {
            *now = (now_s / WIDTH_S, HashMap::new());
        }
        let times = now.1.entry(who.to_owned()).or_default();
        *times = times.saturating_add(1);
        *times <= self.max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_often_in_a_minute_and_nobody_for_others() {
        let pace = Pace::new(2);
        let asked: Vec<bool> = [("a", 60), ("a", 61), ("a", 119), ("b", 119), ("a", 120)]
            .into_iter()
            .map(|(who, now_s)| pace.may(who, now_s))
            .collect();
        assert_eq!(asked, [true, true, false, true, true]);
    }
}
