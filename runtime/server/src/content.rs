//! The content of a message while it arrives: in memory up to 256 KiB, in an unlinked file beyond.
//!
//! INVARIANT (bounded-content): all contents together hold at most `HELD_OCTETS_MAX` in memory; what comes on top goes to
//! files at once, however short.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use mail::tag::Insertion;
use store::{BodyRef, Inserted, PutError, RecordEnvelope, Source, Spill, Store};

/// Longest content kept in memory.
const MEMORY_OCTETS_MAX: usize = 256 * 1024;
/// Contents up to this length are read whole at once: it takes less than handing them to another thread and back.
const AT_ONCE_OCTETS_MAX: u64 = 32 * 1024;
/// Octets of all contents in memory.
const HELD_OCTETS_MAX: u64 = 64 << 20;

/// Octets all contents hold in memory now.
#[derive(Debug, Default)]
pub struct Held(AtomicU64);

pub struct Content {
    store: Arc<Store>,
    held: Arc<Held>,
    kept: Kept,
}

/// Where the octets are.
enum Kept {
    Memory(Vec<u8>),
    /// Boxed: the hasher in it is larger than everything else of a connection.
    File(Box<Spill>),
    /// Those of another content, with some of ours inside.
    Of(Arc<Content>, Insertion),
}

impl Content {
    pub fn new(store: Arc<Store>, held: Arc<Held>) -> Content {
        Content { store, held, kept: Kept::Memory(Vec::new()) }
    }

    /// `content` with octets of ours inside, without a copy of it. It is not appended to any more.
    pub fn with(content: &Arc<Content>, insertion: Insertion) -> Content {
        Content { store: content.store.clone(), held: content.held.clone(), kept: Kept::Of(content.clone(), insertion) }
    }

    pub fn append(&mut self, octets: &[u8]) -> io::Result<()> {
        let memory = match &mut self.kept {
            Kept::Memory(memory) => memory,
            Kept::File(spill) => return spill.append(octets),
            Kept::Of(..) => return Err(io::ErrorKind::Unsupported.into()),
        };
        let more = octets.len() as u64;
        let room = self.held.0.load(Ordering::Relaxed) + more <= HELD_OCTETS_MAX;
        if room && memory.len() + octets.len() <= MEMORY_OCTETS_MAX {
            self.held.0.fetch_add(more, Ordering::Relaxed);
            memory.extend_from_slice(octets);
            return Ok(());
        }
        // INVARIANT (bounded-content)
        let mut spill = self.store.spill()?;
        spill.append(memory)?;
        spill.append(octets)?;
        self.forget_memory();
        self.kept = Kept::File(Box::new(spill));
        Ok(())
    }

    pub fn len(&self) -> u64 {
        match &self.kept {
            Kept::Memory(memory) => memory.len() as u64,
            Kept::File(spill) => spill.len(),
            Kept::Of(content, insertion) => content.len() + insertion.octets.len() as u64,
        }
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

    /// All octets, without a copy where they are in memory as they stand.
    pub fn whole(&self) -> io::Result<Cow<'_, [u8]>> {
        match &self.kept {
            Kept::Memory(memory) => Ok(Cow::Borrowed(memory)),
            Kept::File(_) | Kept::Of(..) => self.start(usize::MAX).map(Cow::Owned),
        }
    }

    /// Fills `buffer` from `offset`: the number of octets, 0 at the end.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match &self.kept {
            Kept::Memory(memory) => Ok(copied(memory, offset, buffer)),
            Kept::File(spill) => spill.read_at(buffer, offset),
            Kept::Of(content, insertion) => {
                let (at, end) = (insertion.at as u64, (insertion.at + insertion.octets.len()) as u64);
                if offset >= end {
                    return content.read_at(buffer, offset - insertion.octets.len() as u64);
                }
                if offset >= at {
                    return Ok(copied(&insertion.octets, offset - at, buffer));
                }
                let before = usize::try_from(at - offset).unwrap_or(usize::MAX).min(buffer.len());
                content.read_at(&mut buffer[..before], offset)
            }
        }
    }

    /// The same in order, for who reads it once.
    pub fn reader(&self) -> Reader<'_> {
        Reader { content: self, at: 0 }
    }

    /// Is it too long for memory, so that reading all of it back takes more than a moment?
    pub fn is_spilled(&self) -> bool {
        match &self.kept {
            Kept::Memory(_) => false,
            Kept::File(_) => true,
            Kept::Of(content, _) => content.is_spilled(),
        }
    }

    /// May an async thread read all of it, and look at what it says?
    pub fn is_read_at_once(&self) -> bool {
        !self.is_spilled() && self.len() <= AT_ONCE_OCTETS_MAX
    }

    /// Writes `head` and the content as one body, known by the hash of the content without what is ours inside it. May
    /// flush: not for async threads when it is long.
    pub fn put(&self, envelope: &RecordEnvelope, head: &[u8]) -> Result<BodyRef, PutError> {
        match &self.kept {
            Kept::Memory(memory) => self.store.put_body_for(envelope, head, &[memory]),
            Kept::File(spill) => self.store.put_body_from_spill(envelope, head, spill),
            Kept::Of(content, insertion) => {
                let source = match &content.kept {
                    Kept::Memory(memory) => Source::Octets(memory),
                    Kept::File(spill) => Source::Spill(spill),
                    Kept::Of(..) => return Err(PutError::Io(io::ErrorKind::Unsupported.into())),
                };
                let inserted = Inserted { at: insertion.at as u64, octets: &insertion.octets };
                self.store.put_body_with(envelope, head, &source, &inserted)
            }
        }
    }

    fn forget_memory(&mut self) {
        if let Kept::Memory(memory) = &mut self.kept {
            self.held.0.fetch_sub(memory.len() as u64, Ordering::Relaxed);
            *memory = Vec::new();
        }
    }
}

/// Fills `buffer` from `offset` of `octets`.
fn copied(octets: &[u8], offset: u64, buffer: &mut [u8]) -> usize {
    let from = usize::try_from(offset).unwrap_or(usize::MAX).min(octets.len());
    let count = buffer.len().min(octets.len() - from);
    buffer[..count].copy_from_slice(&octets[from..from + count]);
    count
}

impl Drop for Content {
    fn drop(&mut self) {
        self.forget_memory();
    }
}

/// A content read in order.
pub struct Reader<'a> {
    content: &'a Content,
    at: u64,
}

impl io::Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let octets = self.content.read_at(buffer, self.at)?;
        self.at += octets as u64;
        Ok(octets)
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
    fn octets_inside_another_content_are_read_and_kept_where_they_belong() {
        let (_folder, store) = Folder::store();
        for octets in [30_usize, 300_000] {
            let mut content = Content::new(store.clone(), Arc::default());
            let sent: Vec<u8> = (0..octets).map(|at| (at % 251) as u8).collect();
            content.append(&sent).unwrap();
            let content = Arc::new(content);
            for at in [0, 9, octets] {
                let edited = Content::with(&content, Insertion { at, octets: b"[SPAM] ".to_vec() });
                let expected = [&sent[..at], b"[SPAM] ", &sent[at..]].concat();
                assert_eq!((edited.len(), edited.is_spilled()), (expected.len() as u64, octets > MEMORY_OCTETS_MAX));
                assert_eq!(edited.start(usize::MAX).unwrap(), expected);
                assert_eq!(edited.start(12).unwrap(), expected[..12]);
                let body = edited.put(&RecordEnvelope::default(), b"Head: line\r\n").unwrap();
                assert_eq!(store.read_body(&body).unwrap(), [b"Head: line\r\n", expected.as_slice()].concat());
            }
        }
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
