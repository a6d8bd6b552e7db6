//! What a server knows of its own run: since when, which work in the background has ended.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock;

/// Of one run.
#[derive(Debug)]
pub(crate) struct Served {
    pub since_s: i64,
    stopped: Mutex<BTreeSet<&'static str>>,
    panics: Mutex<BTreeMap<&'static str, u64>>,
}

impl Default for Served {
    fn default() -> Served {
        Served { since_s: clock::unix_s(), stopped: Mutex::default(), panics: Mutex::default() }
    }
}

impl Served {
    /// This work ended by a panic.
    pub fn ended(&self, work: &'static str) {
        *lock(&self.panics).entry(work).or_default() += 1;
        lock(&self.stopped).insert(work);
    }

    /// It works again.
    pub fn begun(&self, work: &'static str) {
        lock(&self.stopped).remove(work);
    }

    /// How often work ended so, by its name.
    pub fn panics(&self) -> BTreeMap<&'static str, u64> {
        lock(&self.panics).clone()
    }

    pub fn stopped(&self) -> Vec<&'static str> {
        lock(&self.stopped).iter().copied().collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
