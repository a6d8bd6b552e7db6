//! Bodies: written by the caller's thread before the commit that points at them.

mod record;
mod segments;
mod spill;

use std::sync::{Arc, Mutex, PoisonError};

use mail::{Address, ReversePath};

use crate::id::{DeliveryId, ObjectId, SHARDS_MAX};

pub(crate) use record::{Codec, HEADER_BYTES, Header};
pub(crate) use segments::Segments;
pub use spill::Spill;

/// A content, wherever it waits.
#[derive(Clone, Copy)]
pub enum Source<'a> {
    Octets(&'a [u8]),
    Spill(&'a Spill),
}

/// Octets of ours inside a content.
#[derive(Clone, Copy, Debug)]
pub struct Inserted<'a> {
    /// Octets of the content before them.
    pub at: u64,
    pub octets: &'a [u8],
}

/// A body in a segment. Clones are the same body. When the last one goes and no commit took it, its record becomes void.
#[derive(Clone, Debug)]
pub struct BodyRef(pub(crate) Arc<Stored>);

/// Where a record lies, and which rows of `blob` point at it.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) place: Place,
    /// Shard and row, one for each shard where a published commit holds the body.
    held: Mutex<Vec<(u8, i64)>>,
    pub(crate) delivery: DeliveryId,
    /// The first 16 octets of the content's BLAKE3, when it was written by this process.
    pub(crate) hash: Option<[u8; 16]>,
    /// RFC 8474, when a row had it.
    pub(crate) email: Option<ObjectId>,
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

    /// A published commit of `shard` holds the body as row `blob` from now on.
    pub(crate) fn take(&self, shard: u8, blob: i64) {
        let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        if !held.iter().any(|(other, _)| *other == shard) {
            held.push((shard, blob));
        }
    }

    /// The row of the body in `shard`.
    pub(crate) fn row_in(&self, shard: u8) -> Option<i64> {
        let held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.iter().find(|(other, _)| *other == shard).map(|(_, blob)| *blob)
    }

    /// What a group gives one row: a record under one EMAILID. Copies that lived in different shards may have two.
    pub(crate) fn identity(&self) -> (Place, Option<ObjectId>) {
        (self.0.place, self.0.email)
    }

    /// The same record under an EMAILID it has already. It voids nothing: `self` does.
    pub(crate) fn named(&self, email: ObjectId) -> BodyRef {
        let stored = &*self.0;
        BodyRef(Arc::new(Stored {
            place: stored.place,
            held: Mutex::default(),
            delivery: stored.delivery,
            hash: stored.hash,
            email: Some(email),
            flushed: stored.flushed,
            segments: None,
        }))
    }

    /// Any row of the body.
    pub(crate) fn row(&self) -> Option<(u8, i64)> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner).first().copied()
    }

    /// `email` is the column of that name: nothing where the row names itself.
    pub(crate) fn from_row(shard: u8, blob: i64, place: Place, email: Option<i64>) -> BodyRef {
        BodyRef(Arc::new(Stored {
            place,
            held: Mutex::new(vec![(shard, blob)]),
            delivery: [0; 16],
            hash: None,
            email: Some(ObjectId(email.unwrap_or_else(|| own_email(shard, blob)))),
            flushed: true,
            segments: None,
        }))
    }
}

/// The EMAILID of a body that came with row `blob` of `shard`.
pub(crate) fn own_email(shard: u8, blob: i64) -> i64 {
    blob * i64::from(SHARDS_MAX) + i64::from(shard)
}

impl Drop for Stored {
    fn drop(&mut self) {
        let Some(segments) = &self.segments else { return };
        if self.held.get_mut().unwrap_or_else(PoisonError::into_inner).is_empty() {
            segments.void(&self.place);
        }
        segments.unpin(self.place.segment);
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
