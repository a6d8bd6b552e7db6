//! Change notifications (RFC 2177, RFC 5465): one bit and one waker per selected mailbox, set after a group is published.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::id::MailboxId;

type Waker = Box<dyn Fn() + Send + Sync>;

/// Hears of changes of one mailbox until it is dropped.
pub struct Watcher {
    bit: Arc<Bit>,
    mailbox: MailboxId,
    watchers: Weak<Watchers>,
}

struct Bit {
    changed: AtomicBool,
    waker: Waker,
}

impl Watcher {
    /// Did the mailbox change since the last call? What changed is found by `changes_since`.
    pub fn take(&self) -> bool {
        self.bit.changed.swap(false, Ordering::AcqRel)
    }

    pub fn mailbox(&self) -> MailboxId {
        self.mailbox
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        if let Some(watchers) = self.watchers.upgrade() {
            watchers.remove(self.mailbox, &self.bit);
        }
    }
}

/// Who watches what.
#[derive(Default)]
pub(crate) struct Watchers {
    of: Mutex<HashMap<MailboxId, Vec<Arc<Bit>>>>,
}

impl Watchers {
    pub(crate) fn watch(self: &Arc<Watchers>, mailbox: MailboxId, waker: Waker) -> Watcher {
        let bit = Arc::new(Bit { changed: AtomicBool::new(false), waker });
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        of.entry(mailbox).or_default().push(bit.clone());
        Watcher { bit, mailbox, watchers: Arc::downgrade(self) }
    }

    /// Sets the bits; wakes only those that were not set, so a busy mailbox does not wake a slow session twice.
    pub(crate) fn fire(&self, mailboxes: impl Iterator<Item = MailboxId>) {
        let mut woken = Vec::new();
        {
            let of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
            if of.is_empty() {
                return;
            }
            for bit in mailboxes.filter_map(|mailbox| of.get(&mailbox)).flatten() {
                if !bit.changed.swap(true, Ordering::AcqRel) {
                    woken.push(bit.clone());
                }
            }
        }
        // Wakers run without the lock: one may drop its watcher.
        woken.iter().for_each(|bit| (bit.waker)());
    }

    fn remove(&self, mailbox: MailboxId, bit: &Arc<Bit>) {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bits) = of.get_mut(&mailbox) {
            bits.retain(|other| !Arc::ptr_eq(other, bit));
            if bits.is_empty() {
                of.remove(&mailbox);
            }
        }
    }
}
