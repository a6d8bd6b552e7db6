//! Counters of the store; the server gives them names and help.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$help:meta])* $name:ident,)*) => {
        /// Counted since open. `queue_ops` and `search_waiting` go down too.
        #[derive(Default, Debug)]
        pub struct Metrics { $($(#[$help])* pub $name: AtomicU64,)* }

        /// The counters read once.
        #[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
        pub struct MetricsNow { $($(#[$help])* pub $name: u64,)* }

        impl Metrics {
            pub fn now(&self) -> MetricsNow {
                MetricsNow { $($name: self.$name.load(Ordering::Relaxed),)* }
            }
        }
    };
}

counters! {
    /// Commits that hold.
    commits,
    /// Commits that were refused or failed.
    commits_failed,
    /// Commits turned away because the queue was full.
    busy,
    groups,
    ops,
    /// Messages put into mailboxes by Deliver.
    deliveries,
    /// Flushes of the WAL by commits.
    flushes_wal,
    /// Flushes of segments, those of long bodies by their own thread included.
    flushes_segment,
    /// Flushes made by checkpoints.
    flushes_checkpoint,
    /// Octets written into segments.
    body_bytes,
    /// Pages of the WAL written by commits, in octets.
    wal_bytes,
    checkpoints,
    /// Ops waiting for the writer now.
    queue_ops,
    /// Bodies found bad by the last recovery.
    recovered_bad_bodies,
    /// Messages the search index read.
    search_indexed,
    /// Messages of the mailbox the search index reads now that it has not read, at most: UIDs may be missing.
    search_waiting,
    /// Search indexes that were found damaged, or of another store, and made anew.
    search_rebuilds,
}

impl Metrics {
    pub(crate) fn add(counter: &AtomicU64, n: u64) {
        counter.fetch_add(n, Ordering::Relaxed);
    }
}
