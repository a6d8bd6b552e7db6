//! What can go wrong with a snapshot. Each error about a file names it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::SnapshotName;

/// Why a snapshot could not be taken, read, checked or purged.
#[derive(Debug)]
pub enum SnapshotError {
    /// Another thread or process takes, purges or reads snapshots here in a way that excludes this.
    Busy {
        folder: PathBuf,
    },
    NoSuchSnapshot {
        name: SnapshotName,
    },
    Io {
        path: PathBuf,
        error: io::Error,
    },
    /// The system gives no thread to work on.
    Thread {
        error: io::Error,
    },
    /// A database could not be read.
    Sqlite {
        path: PathBuf,
        error: rusqlite::Error,
    },
    /// A later version of this program wrote the file, and says that readers of `floor` and up understand it.
    Newer {
        path: PathBuf,
        floor: u16,
    },
    /// The file is not what was written.
    Damaged {
        path: PathBuf,
        damage: Damage,
    },
    /// Databases have pages of 4,096 octets here.
    PageSize {
        path: PathBuf,
        octets: u64,
    },
    /// What is materialised needs a folder of its own.
    NotEmpty {
        folder: PathBuf,
    },
    /// A database of the source has no file name a manifest can hold.
    BadName {
        path: PathBuf,
    },
}

/// In what way a file is not what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    Missing,
    /// Shorter than what is said of it.
    Cut,
    /// Of another kind, or the first octets changed.
    Foreign,
    /// A checksum over the file or its head does not match.
    Checksum,
    /// A page does not match its hash.
    Page {
        slot: u32,
    },
    /// The checksum matches, but the content makes no sense.
    Nonsense,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Damage::Missing => f.write_str("is missing"),
            Damage::Cut => f.write_str("is cut short"),
            Damage::Foreign => f.write_str("is not a file of a snapshot, or its first octets are damaged"),
            Damage::Checksum => f.write_str("is damaged: its checksum does not match"),
            Damage::Page { slot } => write!(f, "is damaged: page {slot} does not match its hash"),
            Damage::Nonsense => f.write_str("contradicts itself"),
        }
    }
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SnapshotError::Busy { folder } => write!(f, "{}: somebody else is at work here", folder.display()),
            SnapshotError::NoSuchSnapshot { name } => write!(f, "there is no snapshot {name}"),
            SnapshotError::Io { path, error } => write!(f, "{}: {error}", path.display()),
            SnapshotError::Thread { error } => write!(f, "no thread to work on: {error}"),
            SnapshotError::Sqlite { path, error } => write!(f, "{}: {error}", path.display()),
            SnapshotError::Newer { path, floor } => {
                write!(f, "{} has format {floor}, which is newer than this program", path.display())
            }
            SnapshotError::Damaged { path, damage } => write!(f, "{} {damage}", path.display()),
            SnapshotError::PageSize { path, octets } => {
                write!(f, "{} has pages of {octets} octets, not of 4096", path.display())
            }
            SnapshotError::NotEmpty { folder } => write!(f, "{} is not empty", folder.display()),
            SnapshotError::BadName { path } => write!(f, "{} has no name a snapshot can hold", path.display()),
        }
    }
}

impl std::error::Error for SnapshotError {}

/// For `map_err`: an input or output error of this file.
pub(super) fn io_at(path: &Path) -> impl Fn(io::Error) -> SnapshotError + '_ {
    move |error| SnapshotError::Io { path: path.to_owned(), error }
}

/// For `map_err`: an error of this database.
pub(super) fn sqlite_at(path: &Path) -> impl Fn(rusqlite::Error) -> SnapshotError + '_ {
    move |error| SnapshotError::Sqlite { path: path.to_owned(), error }
}

pub(super) fn damaged(path: &Path, damage: Damage) -> SnapshotError {
    SnapshotError::Damaged { path: path.to_owned(), damage }
}
