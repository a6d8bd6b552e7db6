//! Pack files `packs/NNNNNNNN.pack`: a head of one page's length, then pages. A pack is written once and never changed;
//! which page lies where is in the manifests.
//!
//! The head: magic `FcPk`, version (2), floor (2), page size (4), number (4), 16 octets of BLAKE3 over these 16, zeros.
//! An empty file `NNNNNNNN.damaged` beside a pack says that a restore drill found it damaged: its pages are stored anew.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::error::{damaged, io_at};
use super::manifest::page_hash;
use super::pace::send_off;
use super::{Damage, PAGE_BYTES, SnapshotError};

const MAGIC: &[u8; 4] = b"FcPk";
const VERSION: u16 = 1;
const HEAD_FIELDS: usize = 16;
/// 64 MiB: purging writes at most half of that again to free the other half.
const SLOTS_MAX: u32 = 16_384;
/// Pages written with one call.
const BUFFER_PAGES: usize = 64;
/// Packs open at once while reading.
const OPEN_MAX: usize = 64;

pub(super) fn pack_path(folder: &Path, pack: u32) -> PathBuf {
    folder.join(format!("{pack:08}.pack"))
}

fn mark_path(folder: &Path, pack: u32) -> PathBuf {
    folder.join(format!("{pack:08}.damaged"))
}

fn numbers(folder: &Path, suffix: &str) -> Result<BTreeSet<u32>, SnapshotError> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).map_err(io_at(folder))? {
        let name = entry.map_err(io_at(folder))?.file_name();
        let number: Option<u32> =
            name.to_str().and_then(|name| name.strip_suffix(suffix)).and_then(|name| name.parse().ok());
        found.extend(number);
    }
    Ok(found)
}

/// The packs of a folder.
pub(super) fn packs_in(folder: &Path) -> Result<BTreeSet<u32>, SnapshotError> {
    numbers(folder, ".pack")
}

/// Those a restore drill found damaged.
pub(super) fn marked_in(folder: &Path) -> Result<BTreeSet<u32>, SnapshotError> {
    numbers(folder, ".damaged")
}

/// Says for later that a pack is damaged.
pub(super) fn mark(folder: &Path, pack: u32) -> Result<(), SnapshotError> {
    let path = mark_path(folder, pack);
    File::create(&path).map_err(io_at(&path)).map(|_| ())
}

/// Slots of a pack by the length of its file; `None` when there is no such file.
pub(super) fn slots(folder: &Path, pack: u32) -> Result<Option<u32>, SnapshotError> {
    let path = pack_path(folder, pack);
    match std::fs::metadata(&path) {
        Ok(metadata) => {
            let pages = metadata.len() / PAGE_BYTES as u64;
            Ok(Some(u32::try_from(pages.saturating_sub(1)).unwrap_or(u32::MAX)))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_at(&path)(error)),
    }
}

/// Removes a pack and its mark; gives the octets of the file.
pub(super) fn remove(folder: &Path, pack: u32) -> Result<u64, SnapshotError> {
    let path = pack_path(folder, pack);
    let octets = match std::fs::metadata(&path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(io_at(&path)(error)),
    };
    for path in [path, mark_path(folder, pack)] {
        match std::fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(io_at(&path)(error)),
        }
    }
    Ok(octets)
}

fn head(pack: u32) -> [u8; PAGE_BYTES] {
    let mut head = [0; PAGE_BYTES];
    head[..4].copy_from_slice(MAGIC);
    head[4..6].copy_from_slice(&VERSION.to_le_bytes());
    head[6..8].copy_from_slice(&VERSION.to_le_bytes());
    head[8..12].copy_from_slice(&(PAGE_BYTES as u32).to_le_bytes());
    head[12..16].copy_from_slice(&pack.to_le_bytes());
    let checksum = page_hash(&head[..HEAD_FIELDS]);
    head[HEAD_FIELDS..HEAD_FIELDS + 16].copy_from_slice(&checksum);
    head
}

/// Writes pages into packs that did not exist before.
pub(super) struct PackWriter<'a> {
    folder: &'a Path,
    next: u32,
    pack: Option<Growing>,
    pub(super) pages: u64,
}

struct Growing {
    number: u32,
    path: PathBuf,
    file: File,
    /// Slots in the file.
    written: u32,
    buffer: Vec<u8>,
}

impl<'a> PackWriter<'a> {
    /// `next` is above the number of every pack that exists or is named.
    pub(super) fn new(folder: &'a Path, next: u32) -> PackWriter<'a> {
        PackWriter { folder, next, pack: None, pages: 0 }
    }

    /// Pack and slot of the page.
    pub(super) fn push(&mut self, page: &[u8]) -> Result<(u32, u32), SnapshotError> {
        let mut pack = match self.pack.take() {
            Some(pack) if pack.slots() < SLOTS_MAX => pack,
            full => {
                full.map_or(Ok(()), Growing::finish)?;
                self.create()?
            }
        };
        let at = (pack.number, pack.slots());
        pack.buffer.extend_from_slice(page);
        if pack.buffer.len() >= BUFFER_PAGES * PAGE_BYTES {
            pack.write()?;
        }
        self.pack = Some(pack);
        self.pages += 1;
        Ok(at)
    }

    /// Flushes what was written, and the folder.
    pub(super) fn finish(mut self) -> Result<u64, SnapshotError> {
        self.pack.take().map_or(Ok(()), Growing::finish)?;
        File::open(self.folder).and_then(|folder| folder.sync_all()).map_err(io_at(self.folder))?;
        Ok(self.pages)
    }

    fn create(&mut self) -> Result<Growing, SnapshotError> {
        let number = self.next;
        let path = pack_path(self.folder, number);
        let used_up = || io_at(&path)(io::Error::other("pack numbers are used up"));
        self.next = number.checked_add(1).ok_or_else(used_up)?;
        let file = File::options().read(true).write(true).create_new(true).open(&path).map_err(io_at(&path))?;
        file.write_all_at(&head(number), 0).map_err(io_at(&path))?;
        Ok(Growing { number, path, file, written: 0, buffer: Vec::with_capacity(BUFFER_PAGES * PAGE_BYTES) })
    }
}

impl Growing {
    fn slots(&self) -> u32 {
        self.written + (self.buffer.len() / PAGE_BYTES) as u32
    }

    fn write(&mut self) -> Result<(), SnapshotError> {
        let at = (u64::from(self.written) + 1) * PAGE_BYTES as u64;
        self.file.write_all_at(&self.buffer, at).map_err(io_at(&self.path))?;
        send_off(&self.file, at, self.buffer.len() as u64);
        self.written = self.slots();
        self.buffer.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<(), SnapshotError> {
        self.write()?;
        self.file.sync_all().map_err(io_at(&self.path))
    }
}

/// Reads pages, each checked against its hash by whoever asked for it.
pub(super) struct PackReader<'a> {
    folder: &'a Path,
    open: HashMap<u32, File>,
}

impl<'a> PackReader<'a> {
    pub(super) fn new(folder: &'a Path) -> PackReader<'a> {
        PackReader { folder, open: HashMap::new() }
    }

    /// Fills `buffer` with the pages from `slot` on.
    pub(super) fn read(&mut self, pack: u32, slot: u32, buffer: &mut [u8]) -> Result<(), SnapshotError> {
        let path = pack_path(self.folder, pack);
        if !self.open.contains_key(&pack) {
            if self.open.len() >= OPEN_MAX {
                self.open.clear();
            }
            let file = open(&path, pack)?;
            self.open.insert(pack, file);
        }
        let Some(file) = self.open.get(&pack) else { return Err(damaged(&path, Damage::Missing)) };
        read_exact_at(&path, file, buffer, (u64::from(slot) + 1) * PAGE_BYTES as u64)
    }
}

fn open(path: &Path, pack: u32) -> Result<File, SnapshotError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(damaged(path, Damage::Missing)),
        Err(error) => return Err(io_at(path)(error)),
    };
    let mut found = [0; HEAD_FIELDS + 16];
    read_exact_at(path, &file, &mut found, 0)?;
    if &found[..4] != MAGIC {
        return Err(damaged(path, Damage::Foreign));
    }
    if page_hash(&found[..HEAD_FIELDS]) != found[HEAD_FIELDS..] {
        return Err(damaged(path, Damage::Checksum));
    }
    let floor = u16::from_le_bytes([found[6], found[7]]);
    if floor > VERSION {
        return Err(SnapshotError::Newer { path: path.to_owned(), floor });
    }
    // The version is the writer's; page size and number must be those of this pack.
    if found[8..HEAD_FIELDS] != head(pack)[8..HEAD_FIELDS] {
        return Err(damaged(path, Damage::Nonsense));
    }
    Ok(file)
}

fn read_exact_at(path: &Path, file: &File, buffer: &mut [u8], at: u64) -> Result<(), SnapshotError> {
    file.read_exact_at(buffer, at).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => damaged(path, Damage::Cut),
        _ => io_at(path)(error),
    })
}
