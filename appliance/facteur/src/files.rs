//! Policies on disk: a file, or a folder with `policy.ron` and what belongs to it.

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use policy::compile::{LoadError, Loader};

/// Largest policy or people file; the compiler has its own bound on trees.
const FILE_OCTETS_MAX: u64 = 64 << 20;

/// Reads files by the names diagnostics show.
pub struct Disk;

impl Loader for Disk {
    fn load(&self, name: &str) -> Result<String, LoadError> {
        let file = open(Path::new(name)).map_err(|error| match error.kind() {
            ErrorKind::NotFound => LoadError::NotFound,
            _ => LoadError::Unreadable(error.to_string()),
        })?;
        let mut octets = Vec::new();
        let read = file.take(FILE_OCTETS_MAX + 1).read_to_end(&mut octets);
        read.map_err(|error| LoadError::Unreadable(error.to_string()))?;
        if octets.len() as u64 > FILE_OCTETS_MAX {
            return Err(LoadError::Unreadable(format!("larger than {FILE_OCTETS_MAX} octets")));
        }
        String::from_utf8(octets).map_err(|error| LoadError::Unreadable(format!("not UTF-8: {error}")))
    }
}

/// Opens a file for reading. A named pipe without a writer would make us wait for ever, so only what the shell hands over
/// under `/dev` (`/dev/stdin`, `<(…)`) may be one.
pub fn open(path: &Path) -> std::io::Result<fs::File> {
    let kind = fs::metadata(path)?;
    if !kind.is_file() && !kind.is_dir() && !path.starts_with("/dev") {
        return Err(std::io::Error::other("not a regular file"));
    }
    fs::File::open(path)
}

/// The disk, with one file as it would be.
pub struct Overlaid<'a> {
    pub name: &'a str,
    pub text: &'a str,
}

impl Loader for Overlaid<'_> {
    fn load(&self, name: &str) -> Result<String, LoadError> {
        if name == self.name { Ok(self.text.to_owned()) } else { Disk.load(name) }
    }
}

/// What a path on the command line means.
pub struct PolicyFiles {
    /// As diagnostics show it.
    pub policy: String,
    /// `nantes`: what outputs are named after.
    pub name: String,
}

/// A folder means `policy.ron` in it, and outputs are named after it.
pub fn policy_files(path: &Path) -> PolicyFiles {
    let (policy, named_after) = if path.is_dir() {
        (path.join("policy.ron"), fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()))
    } else {
        (path.to_owned(), path.with_extension(""))
    };
    let name = named_after.file_name().map_or_else(|| "policy".to_owned(), |name| name.to_string_lossy().into_owned());
    PolicyFiles { policy: policy.to_string_lossy().into_owned(), name }
}

/// Writes under a temporary name beside `path` and renames, so that a reader sees all or nothing.
pub fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let temporary = PathBuf::from(temporary);
    fs::write(&temporary, text)?;
    fs::rename(&temporary, path)
}
