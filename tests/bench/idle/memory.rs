//! Memory of the server's process.

use std::fmt;
use std::time::{Duration, Instant};

use tests::Facteur;

/// KiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// What is the process's own and its part of what it shares.
    pub proportional: u64,
    pub resident: u64,
}

impl Memory {
    /// What each of `count` connections cost since `before`.
    pub fn each(&self, before: &Memory, count: usize) -> String {
        let each = |now: u64, then: u64| now.saturating_sub(then) as f64 / count as f64;
        let (proportional, resident) =
            (each(self.proportional, before.proportional), each(self.resident, before.resident));
        format!("PSS {proportional:>9.1} KiB   RSS {resident:>9.1} KiB")
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PSS {:>9} KiB   RSS {:>9} KiB", self.proportional, self.resident)
    }
}

pub fn now(server: &Facteur) -> Memory {
    Memory { proportional: server.proportional_kib(), resident: server.resident_kib().0 }
}

/// Waits until the memory has not moved for a second: what clients did last is done.
pub fn settled(server: &Facteur) {
    let (mut last, mut since) = (now(server), Instant::now());
    let begun = since;
    while since.elapsed() < Duration::from_secs(1) && begun.elapsed() < Duration::from_secs(30) {
        std::thread::park_timeout(Duration::from_millis(100));
        let found = now(server);
        if found != last {
            (last, since) = (found, Instant::now());
        }
    }
}
