//! What a server knows of its own run: since when, what listens, which work in the background has ended.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock;

/// A listener that was opened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Opened {
    pub addresses: Vec<SocketAddr>,
    /// It accepts.
    pub open: bool,
}

/// Of one run.
#[derive(Debug)]
pub(crate) struct Served {
    pub since_s: i64,
    opened: Mutex<BTreeMap<String, Opened>>,
    stopped: Mutex<BTreeSet<&'static str>>,
}

impl Default for Served {
    fn default() -> Served {
        Served { since_s: clock::unix_s(), opened: Mutex::default(), stopped: Mutex::default() }
    }
}

impl Served {
    /// One more address of a listener accepts.
    pub fn opens(&self, listener: &str, address: SocketAddr) {
        let mut opened = lock(&self.opened);
        let one = opened.entry(listener.to_owned()).or_default();
        one.addresses.push(address);
        one.open = true;
    }

    /// What was opened under this name.
    pub fn opened(&self, listener: &str) -> Opened {
        lock(&self.opened).get(listener).cloned().unwrap_or_default()
    }

    /// This work ended by a panic.
    pub fn ended(&self, work: &'static str) {
        lock(&self.stopped).insert(work);
    }

    pub fn stopped(&self) -> Vec<&'static str> {
        lock(&self.stopped).iter().copied().collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
