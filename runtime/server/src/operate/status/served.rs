//! What a server knows of its own run: since when, which work in the background has ended.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock;

/// Of one run.
#[derive(Debug)]
pub(crate) struct Served {
    pub since_s: i64,
    stopped: Mutex<BTreeSet<&'static str>>,
    panics: AtomicU64,
}

impl Default for Served {
    fn default() -> Served {
        Served { since_s: clock::unix_s(), stopped: Mutex::default(), panics: AtomicU64::new(0) }
    }
}

impl Served {
    /// This work ended by a panic.
    pub fn ended(&self, work: &'static str) {
        self.panics.fetch_add(1, Ordering::Relaxed);
        lock(&self.stopped).insert(work);
    }

    /// It works again.
    pub fn begun(&self, work: &'static str) {
        lock(&self.stopped).remove(work);
    }

    /// How often work ended so.
    pub fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }

    pub fn stopped(&self) -> Vec<&'static str> {
        lock(&self.stopped).iter().copied().collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
