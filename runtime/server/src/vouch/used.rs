//! Outings that came back: none comes back twice.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::outing::OUTING_MAX_S;

/// Those of the last minutes; who comes back to a full list begins again.
const USED_MAX: usize = 20_000;

#[derive(Default)]
pub struct Used(Mutex<HashMap<blake3::Hash, u64>>);

impl Used {
    /// Does it come back for the first time? It is noted.
    pub fn is_first(&self, id: &[u8; 32], now_s: u64) -> bool {
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if used.len() >= USED_MAX {
            used.retain(|_, at_s| now_s.saturating_sub(*at_s) < OUTING_MAX_S);
        }
        used.len() < USED_MAX && used.insert(blake3::hash(id), now_s).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_comes_back_twice_while_it_could() {
        let used = Used::default();
        assert!(used.is_first(&[1; 32], 0) && used.is_first(&[2; 32], 0));
        assert!(!used.is_first(&[1; 32], OUTING_MAX_S - 1));
        let id = |number: usize| *blake3::hash(&number.to_le_bytes()).as_bytes();
        for number in 0..USED_MAX - 2 {
            assert!(used.is_first(&id(number), 300));
        }
        assert!(!used.is_first(&[3; 32], 300), "full");
        assert!(used.is_first(&[3; 32], 300 + OUTING_MAX_S), "and room again");
    }
}
