//! How a store is opened. The defaults are what a server wants.

use std::sync::Once;

use crate::error::Fatal;

/// Called once, on the thread that found it, when a flush failed. The server logs and aborts.
pub type OnFatal = Box<dyn Fn(&Fatal) + Send + Sync>;

/// Tells it once, whoever finds it.
pub(crate) struct Fatally {
    on_fatal: OnFatal,
    once: Once,
}

impl Fatally {
    pub(crate) fn new(on_fatal: OnFatal) -> Fatally {
        Fatally { on_fatal, once: Once::new() }
    }

    pub(crate) fn tell(&self, fatal: &Fatal) {
        self.once.call_once(|| (self.on_fatal)(fatal));
    }
}

impl std::fmt::Debug for Fatally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fatally")
    }
}

pub struct Options {
    /// Ops waiting for the writer; one more is [`crate::CommitError::Busy`].
    pub queue_ops_max: usize,
    /// Ops of one group; a commit longer than this is a group of its own.
    pub group_ops_max: usize,
    /// Octets of bodies not flushed yet in one group.
    pub group_body_bytes_max: u64,
    /// A segment is closed before it grows past this.
    pub segment_bytes_max: u64,
    /// The WAL is copied into the database when it is longer than this.
    pub wal_bytes_checkpoint: u64,
    /// Connections that read at the same time.
    pub readers_max: usize,
    /// Rows kept of the decision log; older ones go.
    pub decision_rows_max: u64,
    /// Shards of the metadata, 1 to [`crate::SHARDS_MAX`]. A store that has more keeps them.
    pub shards: u8,
    /// Free octets on the device below which nothing new is taken.
    pub reserve_bytes: u64,
    /// Octets kept aside, so that a full device can still be tidied.
    pub ballast_bytes: u64,
    pub on_fatal: OnFatal,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            queue_ops_max: 4096,
            group_ops_max: 256,
            group_body_bytes_max: 32 << 20,
            segment_bytes_max: 256 << 20,
            wal_bytes_checkpoint: 64 << 20,
            readers_max: 8,
            decision_rows_max: 1_000_000,
            shards: 1,
            reserve_bytes: 64 << 20,
            ballast_bytes: 64 << 20,
            on_fatal: Box::new(|fatal| tracing::error!("{fatal}")),
        }
    }
}
