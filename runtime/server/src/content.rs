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
    /// Boxed: the hasher in it is larger than everything else of a connection.
    spill: Option<Box<Spill>>,
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
        self.spill = Some(Box::new(spill));
        Ok(())
    }

    pub fn len(&self) -> u64 {
        self.spill.as_ref().map_or(self.memory.len() as u64, |spill| spill.len())
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
            None => self.store.put_body_for(envelope, head, &[&self.memory]),
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

#[cfg(test)]
mod tests {
    use store::Options;

    use super::*;

    /// A store in a folder of its own, gone with the value.
    struct Folder(std::path::PathBuf);

    impl Folder {
        fn store() -> (Folder, Arc<Store>) {
            let name =
                format!("facteur-content-{}-{:016x}", std::process::id(), u64::from_le_bytes(crate::random::octets()));
            let path = std::env::temp_dir().join(name);
            let store = Store::open(&path, Options::default()).unwrap();
            (Folder(path), Arc::new(store))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_long_content_moves_to_a_file_and_reads_back_the_same() {
        let (_folder, store) = Folder::store();
        let held = Arc::new(Held::default());
        let mut content = Content::new(store.clone(), held.clone());
        let mut sent = Vec::new();
        for piece in 0..40_u8 {
            let octets = vec![piece; 10_000];
            content.append(&octets).unwrap();
            sent.extend(octets);
            assert_eq!(content.is_spilled(), sent.len() > MEMORY_OCTETS_MAX);
        }
        assert_eq!(content.len(), 400_000);
        assert_eq!(content.start(usize::MAX).unwrap(), sent);
        assert_eq!(content.start(15_000).unwrap(), sent[..15_000]);
        assert_eq!(held.0.load(Ordering::Relaxed), 0, "what is in a file is not in memory");
        let body = content.put(&RecordEnvelope::default(), b"Head: line\r\n").unwrap();
        assert_eq!(store.read_body(&body).unwrap(), [b"Head: line\r\n", sent.as_slice()].concat());
    }

    #[test]
    fn when_memory_is_taken_even_short_contents_go_to_files() {
        let (_folder, store) = Folder::store();
        let held = Arc::new(Held(AtomicU64::new(HELD_OCTETS_MAX)));
        let mut content = Content::new(store, held.clone());
        content.append(b"short").unwrap();
        assert!(content.is_spilled());
        drop(content);
        assert_eq!(held.0.load(Ordering::Relaxed), HELD_OCTETS_MAX);
    }
}
