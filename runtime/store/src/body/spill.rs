//! Content too long for memory: an unlinked file in the data folder, so that a crash leaves nothing behind.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

/// Grows while a message streams in; hashed and summed on the way.
pub struct Spill {
    file: File,
    len: u64,
    crc: u32,
    hasher: blake3::Hasher,
}

impl Spill {
    pub(crate) fn create(data_dir: &Path) -> io::Result<Spill> {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let file = match rustix::fs::open(data_dir, flags, Mode::RUSR | Mode::WUSR) {
            Ok(fd) => File::from(fd),
            // Some file systems (overlay, NFS) have no O_TMPFILE.
            Err(_) => named_then_unlinked(data_dir)?,
        };
        Ok(Spill { file, len: 0, crc: 0, hasher: blake3::Hasher::new() })
    }

    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, self.len)?;
        self.len += bytes.len() as u64;
        self.crc = crc32c::crc32c_append(self.crc, bytes);
        self.hasher.update(bytes);
        Ok(())
    }

    /// Octets appended so far.
    pub fn len(&self) -> u64 {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// BLAKE3 of the content so far.
    pub fn hash(&self) -> [u8; 32] {
        *self.hasher.finalize().as_bytes()
    }

    /// Fills `buf` from `offset`, for scanners; the number of octets read, 0 at the end.
    pub fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buf, offset)
    }

    pub(crate) fn crc(&self) -> u32 {
        self.crc
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }
}

fn named_then_unlinked(data_dir: &Path) -> io::Result<File> {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let path = data_dir.join(format!("spill-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}
