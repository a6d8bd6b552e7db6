//! Snapshots of a store, taken while it works, kept for weeks, and what is done with them.
//!
//! A folder of snapshots (it may be on another disk) holds
//!
//! | what | how |
//! |---|---|
//! | `packs/NNNNNNNN.pack` | pages of the databases; a page that does not change from one snapshot to the next is stored once |
//! | `segments/NNNNNNNN.seg` | segments of bodies, links of the store's own where that is possible |
//! | `NAME.snapshot` | the manifest: which page lies where and must be what, which segments belong to it |
//! | `lock`, `reading` | who is at work here |
//!
//! - INVARIANT (manifest-last): a manifest gets its name after everything it names is on the device.
//! - INVARIANT (hash-checked): no page leaves a pack unless it matches the hash in a manifest that matches its own
//!   checksum. Damage is an error that names the file.
//! - INVARIANT (unnamed-goes): what no manifest names is removed by the next snapshot or purge; but while a manifest
//!   cannot be read, nothing is, because that one may name it.
//!
//! Pages are the unit because what changes in a night is scattered: flags and arrivals touch a page here and there in
//! many mailboxes, and a longer chunk would be stored again for each of them.

mod bodies;
mod drill;
mod error;
mod manifest;
mod materialise;
mod name;
mod pace;
mod pack;
mod pages;
mod purge;
mod segments;
mod take;

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;

pub use drill::{Depth, DrillFinding, DrillReport};
pub use error::{Damage, SnapshotError};
pub use manifest::DatabaseCounts;
pub use materialise::Materialised;
pub use name::{NoSnapshotName, SnapshotName};
pub use pace::Pace;
pub use purge::{Keep, Purged};
pub use take::{Source, Taken};

use error::io_at;
use manifest::Head;

/// Of the databases.
const PAGE_BYTES: usize = 4096;

/// How far long work got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub step: Step,
    /// Octets.
    pub done: u64,
    /// Octets, as far as they are known now; each step counts its own.
    pub total: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Pages of databases are read or written.
    Pages,
    /// Segments are copied.
    Segments,
    /// Bodies are read and compared with their checksums.
    Bodies,
}

/// A folder of snapshots.
#[derive(Debug)]
pub struct Snapshots {
    folder: PathBuf,
    packs: PathBuf,
    segments: PathBuf,
}

/// A snapshot as a list shows it.
#[derive(Debug)]
pub struct Listed {
    pub name: SnapshotName,
    /// What its manifest says, or why that cannot be read.
    pub content: Result<SnapshotContent, SnapshotError>,
}

/// What the head of a manifest says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotContent {
    pub started_s: i64,
    pub ended_s: i64,
    pub databases: Vec<DatabaseCounts>,
    pub segments: u64,
    pub segment_octets: u64,
}

/// Held while files are changed or read; the kernel lets go of it when the process ends.
struct Held {
    file: File,
}

impl Drop for Held {
    fn drop(&mut self) {
        // Closing alone would not do while a process that was just forked has the file too, until it becomes another program.
        if let Err(error) = rustix::fs::flock(&self.file, FlockOperation::Unlock) {
            tracing::warn!("a folder of snapshots stays locked until the process ends: {error}");
        }
    }
}

impl Snapshots {
    /// Creates the folder when it is not there. It holds people's mail: only its owner may look.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Snapshots, SnapshotError> {
        let folder = folder.into();
        let (packs, segments) = (folder.join("packs"), folder.join("segments"));
        for path in [&folder, &packs, &segments] {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io_at(path))?;
        }
        // A folder nobody can find again has no snapshots.
        let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        for path in [parent, &folder] {
            File::open(path).and_then(|folder| folder.sync_all()).map_err(io_at(path))?;
        }
        Ok(Snapshots { folder, packs, segments })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// All snapshots, oldest first. Reads heads of manifests only.
    pub fn list(&self) -> Result<Vec<Listed>, SnapshotError> {
        let content = |head: Head| SnapshotContent {
            started_s: head.started_s,
            ended_s: head.ended_s,
            segments: head.segments.len() as u64,
            segment_octets: head.segments.iter().map(|segment| segment.octets).sum(),
            databases: head.databases,
        };
        Ok(self.heads()?.into_iter().map(|(name, head)| Listed { name, content: head.map(content) }).collect())
    }

    /// The newest snapshot taken at `seconds` or before, whether it is sound or not.
    pub fn newest_until(&self, seconds: i64) -> Result<Option<SnapshotName>, SnapshotError> {
        Ok(self.names()?.into_iter().rfind(|name| name.seconds() <= seconds))
    }

    /// The largest number of a segment any snapshot has; 0 without any.
    pub fn newest_segment(&self) -> Result<u32, SnapshotError> {
        let heads = self.heads()?;
        let segments = heads.values().flatten().flat_map(|head| head.segments.iter().map(|segment| segment.number));
        Ok(segments.max().unwrap_or(0))
    }

    /// Ascending.
    fn names(&self) -> Result<Vec<SnapshotName>, SnapshotError> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.folder).map_err(io_at(&self.folder))? {
            let name = entry.map_err(io_at(&self.folder))?.file_name();
            names.extend(name.to_str().and_then(SnapshotName::of_file));
        }
        names.sort_unstable();
        Ok(names)
    }

    fn heads(&self) -> Result<BTreeMap<SnapshotName, Result<Head, SnapshotError>>, SnapshotError> {
        Ok(self.names()?.into_iter().map(|name| (name, Head::read(&self.manifest_path(name)))).collect())
    }

    fn manifest_path(&self, name: SnapshotName) -> PathBuf {
        self.folder.join(name.file())
    }

    fn manifest(&self, name: SnapshotName) -> Result<manifest::Manifest, SnapshotError> {
        match manifest::Manifest::read(&self.manifest_path(name)) {
            Err(SnapshotError::Damaged { damage: Damage::Missing, .. }) => Err(SnapshotError::NoSuchSnapshot { name }),
            read => read,
        }
    }

    fn flush_folder(&self) -> Result<(), SnapshotError> {
        File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(io_at(&self.folder))
    }

    /// One at a time takes or purges.
    fn lock_changes(&self) -> Result<Held, SnapshotError> {
        self.lock("lock", FlockOperation::NonBlockingLockExclusive)
    }

    /// Many may read, but not while somebody purges.
    fn lock_reading(&self) -> Result<Held, SnapshotError> {
        self.lock("reading", FlockOperation::NonBlockingLockShared)
    }

    fn lock_readers_out(&self) -> Result<Held, SnapshotError> {
        self.lock("reading", FlockOperation::NonBlockingLockExclusive)
    }

    fn lock(&self, name: &str, how: FlockOperation) -> Result<Held, SnapshotError> {
        let path = self.folder.join(name);
        let file = File::options().write(true).create(true).truncate(false).open(&path).map_err(io_at(&path))?;
        match rustix::fs::flock(&file, how) {
            Ok(()) => Ok(Held { file }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(SnapshotError::Busy { folder: self.folder.clone() }),
            Err(error) => Err(io_at(&path)(error.into())),
        }
    }
}
