//! Bodies: written by the caller's thread before the commit that points at them.

mod record;
mod segments;
mod spill;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use mail::{Address, ReversePath};

use crate::id::DeliveryId;

pub(crate) use record::{Codec, HEADER_BYTES, Header};
pub(crate) use segments::Segments;
pub use spill::Spill;

/// A body in a segment. Clones are the same body. When the last one goes and no commit took it, its record becomes void.
#[derive(Clone, Debug)]
pub struct BodyRef(pub(crate) Arc<Stored>);

/// Where a record lies, and which row of `blob` points at it.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) place: Place,
    /// 0 while no published commit holds the body.
    pub(crate) blob: AtomicI64,
    pub(crate) delivery: DeliveryId,
    /// Flushed by the thread that wrote it, so that small bodies do not wait for it.
    pub(crate) flushed: bool,
    /// Absent for a body that was read from a row: there is nothing to void.
    segments: Option<Arc<Segments>>,
}

/// The place of a record and what its body must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) segment: u32,
    /// Of the record's header, in octets.
    pub(crate) offset: u64,
    /// From the header to the body.
    pub(crate) skip: u32,
    /// Octets of the body.
    pub(crate) len: u32,
    pub(crate) crc: u32,
}

impl BodyRef {
    /// Octets of the message: its RFC822.SIZE.
    pub fn len(&self) -> u64 {
        u64::from(self.0.place.len)
    }

    pub fn is_empty(&self) -> bool {
        self.0.place.len == 0
    }

    pub(crate) fn is_flushed(&self) -> bool {
        self.0.flushed
    }

    pub(crate) fn segment(&self) -> u32 {
        self.0.place.segment
    }

    /// A published commit holds the body as row `blob` from now on.
    pub(crate) fn take(&self, blob: i64) {
        self.0.blob.store(blob, Ordering::Release);
    }

    pub(crate) fn from_row(blob: i64, place: Place) -> BodyRef {
        let blob = AtomicI64::new(blob);
        BodyRef(Arc::new(Stored { place, blob, delivery: [0; 16], flushed: true, segments: None }))
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        if self.blob.load(Ordering::Acquire) == 0
            && let Some(segments) = &self.segments
        {
            segments.void(&self.place);
        }
    }
}

/// The envelope written in front of a body, so that the index can be rebuilt from segments alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordEnvelope {
    pub delivery_id: DeliveryId,
    pub reverse_path: Option<ReversePath>,
    pub recipients: Vec<Address>,
    pub accepted_at_s: i64,
}
