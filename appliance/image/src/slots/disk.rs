//! What an update is done to: a disk with two slots and the folder of kernel images on its EFI system partition. A trait, so
//! that the steps can be cut after each write in tests.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::bundle::KERNEL_OCTETS_MAX;

/// A disk and its kernel images.
pub trait Machine {
    fn disk_octets(&self) -> io::Result<u64>;
    /// Fills `into` with what is at `at`, octets from the beginning of the disk.
    fn read(&self, at: u64, into: &mut [u8]) -> io::Result<()>;
    fn write(&mut self, at: u64, octets: &[u8]) -> io::Result<()>;
    /// Ends when all that was written to the disk is durable. Then what is read comes from the device.
    fn settle(&mut self) -> io::Result<()>;
    /// Names in the folder of kernel images.
    fn files(&self) -> io::Result<Vec<String>>;
    /// Octets free for more of them.
    fn files_room(&self) -> io::Result<u64>;
    fn file_octets(&self, name: &str) -> io::Result<u64>;
    fn read_file(&self, name: &str) -> io::Result<Vec<u8>>;
    /// Makes a file that must not be there.
    fn create_file(&mut self, name: &str) -> io::Result<()>;
    fn append_file(&mut self, name: &str, octets: &[u8]) -> io::Result<()>;
    fn rename_file(&mut self, from: &str, to: &str) -> io::Result<()>;
    fn remove_file(&mut self, name: &str) -> io::Result<()>;
    /// Ends when files and names are durable.
    fn settle_files(&mut self) -> io::Result<()>;
}

/// A real disk, or an image of one, with the folder its EFI system partition is mounted on.
pub struct Disk {
    file: File,
    kernels: PathBuf,
}

impl Disk {
    /// `kernels` is `EFI/Linux` on the mounted EFI system partition.
    pub fn open(device: &Path, kernels: &Path) -> io::Result<Disk> {
        let file = OpenOptions::new().read(true).write(true).open(device)?;
        Ok(Disk { file, kernels: kernels.to_owned() })
    }

    /// To look at only, without kernel images.
    pub fn open_read_only(device: &Path) -> io::Result<Disk> {
        Ok(Disk { file: File::open(device)?, kernels: PathBuf::new() })
    }

    /// To look at only.
    pub fn open_to_look(device: &Path, kernels: &Path) -> io::Result<Disk> {
        Ok(Disk { file: File::open(device)?, kernels: kernels.to_owned() })
    }

    fn path(&self, name: &str) -> io::Result<PathBuf> {
        if name.is_empty() || name == "." || name == ".." || name.contains('/') {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a name of a kernel image has no folder in it"));
        }
        Ok(self.kernels.join(name))
    }
}

impl Machine for Disk {
    fn disk_octets(&self) -> io::Result<u64> {
        // A block device has no length of its own.
        (&self.file).seek(SeekFrom::End(0))
    }

    fn read(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(into, at)
    }

    fn write(&mut self, at: u64, octets: &[u8]) -> io::Result<()> {
        self.file.write_all_at(octets, at)
    }

    fn settle(&mut self) -> io::Result<()> {
        self.file.sync_all()?;
        // What is read back is to come from the device, not from memory.
        Ok(rustix::fs::fadvise(&self.file, 0, None, rustix::fs::Advice::DontNeed)?)
    }

    fn files(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.kernels)? {
            names.extend(entry?.file_name().into_string());
        }
        names.sort();
        Ok(names)
    }

    fn files_room(&self) -> io::Result<u64> {
        let room = rustix::fs::statvfs(&self.kernels)?;
        Ok(room.f_bavail.saturating_mul(room.f_frsize))
    }

    fn file_octets(&self, name: &str) -> io::Result<u64> {
        Ok(std::fs::metadata(self.path(name)?)?.len())
    }

    fn read_file(&self, name: &str) -> io::Result<Vec<u8>> {
        let mut octets = Vec::new();
        File::open(self.path(name)?)?.take(KERNEL_OCTETS_MAX + 1).read_to_end(&mut octets)?;
        if octets.len() as u64 > KERNEL_OCTETS_MAX {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "a kernel image larger than one can be"));
        }
        Ok(octets)
    }

    fn create_file(&mut self, name: &str) -> io::Result<()> {
        OpenOptions::new().write(true).create_new(true).open(self.path(name)?).map(|_| ())
    }

    fn append_file(&mut self, name: &str, octets: &[u8]) -> io::Result<()> {
        OpenOptions::new().append(true).open(self.path(name)?)?.write_all(octets)
    }

    fn rename_file(&mut self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.path(from)?, self.path(to)?)
    }

    fn remove_file(&mut self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.path(name)?)
    }

    fn settle_files(&mut self) -> io::Result<()> {
        // FAT has names, lengths and chains in different places: the whole file system is flushed.
        let folder = File::open(&self.kernels)?;
        rustix::fs::syncfs(&folder)?;
        for name in self.files()? {
            let file = File::open(self.path(&name)?)?;
            rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
        }
        Ok(())
    }
}
