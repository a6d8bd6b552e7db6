//! The scratch folder of a run, and what of it the system keeps in memory.

use std::fs::File;
use std::path::{Path, PathBuf};

use rustix::fs::Advice;

/// Empty at first, gone with the value.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new(path: PathBuf) -> Scratch {
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a folder of our own");
        Scratch(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// All files below a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files(&entry.path())),
            _ => found.push(entry.path()),
        }
    }
    found
}

/// Octets the files below a folder take on the device.
pub fn octets(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    files(folder).iter().filter_map(|path| path.metadata().ok()).map(|metadata| metadata.blocks() * 512).sum()
}

/// Asks the system to forget what it keeps of these files, as after a restart of the machine.
pub fn forget(folder: &Path) {
    for path in files(folder) {
        let Ok(file) = File::open(&path) else { continue };
        // Only clean pages are forgotten.
        let _ = file.sync_all();
        let _ = rustix::fs::fadvise(&file, 0, None, Advice::DontNeed);
    }
}
