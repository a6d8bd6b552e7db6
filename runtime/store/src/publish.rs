//! The number of the newest group that is durable in both places; reads wait for it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

/// Stands for "never again": no group has this number.
const POISONED: u64 = u64::MAX;

pub(crate) struct Published {
    seq: AtomicU64,
    lock: Mutex<()>,
    moved: Condvar,
}

impl Published {
    pub(crate) fn new(seq: u64) -> Published {
        Published { seq: AtomicU64::new(seq), lock: Mutex::new(()), moved: Condvar::new() }
    }

    /// Establishes (publish-after-both): called after both flushes of group `seq`.
    pub(crate) fn publish(&self, seq: u64) {
        let _guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.seq.store(seq, Ordering::Release);
        self.moved.notify_all();
    }

    /// Nothing more will be published; whoever waits gives up.
    pub(crate) fn poison(&self) {
        self.publish(POISONED);
    }

    /// The newest published group; of a poisoned store the largest number there is.
    pub(crate) fn seq(&self) -> u64 {
        self.seq.load(Ordering::Acquire)
    }

    pub(crate) fn is_poisoned(&self) -> bool {
        self.seq.load(Ordering::Acquire) == POISONED
    }

    /// The newest group that is published; `None` when nothing more ever will be.
    pub(crate) fn reached(&self) -> Option<u64> {
        Some(self.seq.load(Ordering::Acquire)).filter(|seq| *seq != POISONED)
    }

    /// Waits until a group behind `seq` is published, nothing more will be, or `stop` says so after a `wake`.
    pub(crate) fn wait_behind(&self, seq: u64, stop: impl Fn() -> bool) {
        let guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = |_: &mut ()| self.seq.load(Ordering::Acquire) <= seq && !stop();
        drop(self.moved.wait_while(guard, waits).unwrap_or_else(PoisonError::into_inner));
    }

    /// Lets those who wait look again.
    pub(crate) fn wake(&self) {
        let _guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.moved.notify_all();
    }

    /// Waits until group `seq` is published. `false` when it never will be, because a flush failed.
    pub(crate) fn wait_for(&self, seq: u64) -> bool {
        let reached = self.seq.load(Ordering::Acquire);
        if reached != POISONED && reached >= seq {
            return true;
        }
        let guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = |_: &mut ()| self.seq.load(Ordering::Acquire) < seq;
        drop(self.moved.wait_while(guard, waits).unwrap_or_else(PoisonError::into_inner));
        !self.is_poisoned()
    }
}
