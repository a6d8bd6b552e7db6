//! The content of a message while it arrives: in memory up to 256 KiB, in an unlinked file beyond.
//!
//! INVARIANT (bounded-content): all contents together hold at most `HELD_OCTETS_MAX` in memory; what comes on top goes to
//! files at once, however short.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use store::{BodyRef, PutError, RecordEnvelope, Spill, Store};

/// Longest content kept in memory.
const MEMORY_OCTETS_MAX: usize = 256 * 1024;
/// Octets of all contents in memory.
const HELD_OCTETS_MAX: u64 = 64 << 20;

/// Octets all contents hold in memory now.
#[derive(Debug, Default)]
pub struct Held(AtomicU64);

pub struct Content {
    store: Arc<Store>,
    held: Arc<Held>,
    memory: Vec<u8>,
    spill: Option<Spill>,
}

impl Content {
    pub fn new(store: Arc<Store>, held: Arc<Held>) -> Content {
        Content { store, held, memory: Vec::new(), spill: None }
    }

    pub fn append(&mut self, octets: &[u8]) -> io::Result<()> {
        if let Some(spill) = &mut self.spill {
            return spill.append(octets);
        }
        let more = octets.len() as u64;
        let room = self.held.0.load(Ordering::Relaxed) + more <= HELD_OCTETS_MAX;
        if room && self.memory.len() + octets.len() <= MEMORY_OCTETS_MAX {
            self.held.0.fetch_add(more, Ordering::Relaxed);
            self.memory.extend_from_slice(octets);
            return Ok(());
        }
        // INVARIANT (bounded-content)
        let mut spill = self.store.spill()?;
        spill.append(&self.memory)?;
        spill.append(octets)?;
        self.forget_memory();
        self.spill = Some(spill);
        Ok(())
    }

    pub fn len(&self) -> u64 {
        self.spill.as_ref().map_or(self.memory.len() as u64, Spill::len)
    }

    /// At most `octets_max` octets from the beginning.
    pub fn start(&self, octets_max: usize) -> io::Result<Vec<u8>> {
        let mut start = vec![0; octets_max.min(usize::try_from(self.len()).unwrap_or(usize::MAX))];
        let mut filled = 0;
        while filled < start.len() {
            let read = self.read_at(&mut start[filled..], filled as u64)?;
            if read == 0 {
                break;
            }
            filled += read;
        }
        start.truncate(filled);
        Ok(start)
    }

    /// Fills `buffer` from `offset`: the number of octets, 0 at the end.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if let Some(spill) = &self.spill {
            return spill.read_at(buffer, offset);
        }
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(self.memory.len());
        let octets = buffer.len().min(self.memory.len() - from);
        buffer[..octets].copy_from_slice(&self.memory[from..from + octets]);
        Ok(octets)
    }

    /// Is it too long for memory, so that reading all of it back takes more than a moment?
    pub fn is_spilled(&self) -> bool {
        self.spill.is_some()
    }

    /// Writes `head` and the content as one body. May flush: not for async threads when it is long.
    pub fn put(&self, envelope: &RecordEnvelope, head: &[u8]) -> Result<BodyRef, PutError> {
        match &self.spill {
            Some(spill) => self.store.put_body_from_spill(envelope, head, spill),
            None => self.store.put_body_for(envelope, &[head, &self.memory]),
        }
    }

    fn forget_memory(&mut self) {
        self.held.0.fetch_sub(self.memory.len() as u64, Ordering::Relaxed);
        self.memory = Vec::new();
    }
}

impl Drop for Content {
    fn drop(&mut self) {
        self.forget_memory();
    }
}
