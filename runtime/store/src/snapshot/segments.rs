//! Segment files of snapshots: `segments/NNNNNNNN.seg`, hard links of the store's own where the file system can, else
//! copies that grow as the segment does. All snapshots share one file for a segment; each says how much of it is its own.
//!
//! A store put back from a snapshot may use the number of a segment again that another file had before: that file
//! becomes generation 1, `NNNNNNNN.1.seg`, and so on.
//!
//! INVARIANT (keep-before-and-after): segments are kept once before the read transactions begin and once after. One that
//! is freed while the transactions begin had its live records moved by a commit: whoever does not see that commit began
//! before it, so the file was there the first time; whoever sees it finds the new place the second time. So a snapshot
//! needs no lock against the collection of garbage.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::SnapshotError;
use super::error::io_at;
use super::manifest::SegmentPart;
use super::pace::{Pacer, send_off};
use crate::body::{HEADER_BYTES, Header};

const COPY_BYTES: usize = 1 << 20;

pub(super) fn segment_path(folder: &Path, number: u32, generation: u32) -> PathBuf {
    match generation {
        0 => folder.join(format!("{number:08}.seg")),
        _ => folder.join(format!("{number:08}.{generation}.seg")),
    }
}

/// Number and generation of a segment file by its name.
pub(super) fn segment_name(name: &str) -> Option<(u32, u32)> {
    let stem = name.strip_suffix(".seg")?;
    match stem.split_once('.') {
        None => Some((stem.parse().ok()?, 0)),
        Some((number, generation)) => Some((number.parse().ok()?, generation.parse().ok()?)),
    }
}

/// Keeps the segments of a store for one snapshot.
pub(super) struct Keeper<'a> {
    /// Of the snapshots.
    folder: &'a Path,
    /// Of the store.
    source: &'a Path,
    /// What earlier snapshots have of each number: the newest generation and its longest part.
    known: BTreeMap<u32, SegmentPart>,
    kept: BTreeMap<u32, Kept>,
    pub(super) linked: u64,
    pub(super) octets_copied: u64,
}

struct Kept {
    generation: u32,
    /// That belong to the snapshot.
    octets: u64,
    /// The store's file, of which octets are still to be copied from here on; absent for a link.
    copy: Option<(File, u64)>,
}

impl<'a> Keeper<'a> {
    pub(super) fn new(folder: &'a Path, source: &'a Path, known: BTreeMap<u32, SegmentPart>) -> Keeper<'a> {
        Keeper { folder, source, known, kept: BTreeMap::new(), linked: 0, octets_copied: 0 }
    }

    /// Keeps what there is now: links at once, and notes what is to be copied.
    pub(super) fn look(&mut self) -> Result<(), SnapshotError> {
        for entry in std::fs::read_dir(self.source).map_err(io_at(self.source))? {
            let name = entry.map_err(io_at(self.source))?.file_name();
            if let Some((number, 0)) = name.to_str().and_then(segment_name) {
                self.keep(number)?;
            }
        }
        Ok(())
    }

    fn keep(&mut self, number: u32) -> Result<(), SnapshotError> {
        let source = segment_path(self.source, number, 0);
        let file = match File::open(&source) {
            Ok(file) => file,
            // Freed since the folder was read.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(io_at(&source)(error)),
        };
        let metadata = file.metadata().map_err(io_at(&source))?;
        let octets = metadata.len();
        if octets == 0 {
            // No row points into it. A store that opens a folder with such a file writes it, so it must never be a link.
            return Ok(());
        }
        if let Some(kept) = self.kept.get_mut(&number) {
            kept.octets = octets.max(kept.octets);
            if let Some((_, from)) = kept.copy.take() {
                kept.copy = Some((file, from));
            }
            return Ok(());
        }
        let known = self.known.get(&number).copied();
        let (mut generation, mut from) = known.map_or((0, 0), |part| (part.generation, part.octets));
        let mut target = segment_path(self.folder, number, generation);
        if let Some(there) = metadata_of(&target)? {
            if (there.dev(), there.ino()) == (metadata.dev(), metadata.ino()) {
                self.kept.insert(number, Kept { generation, octets, copy: None });
                return Ok(());
            }
            from = from.min(there.len());
            if from <= octets && begin_alike(&target, &source)? {
                self.kept.insert(number, Kept { generation, octets, copy: Some((file, from)) });
                return Ok(());
            }
            while metadata_of(&target)?.is_some() {
                generation += 1;
                target = segment_path(self.folder, number, generation);
            }
        }
        let copy = match std::fs::hard_link(&source, &target) {
            Ok(()) => {
                self.linked += 1;
                None
            }
            Err(error) if is_no_link(&error) => Some((file, 0)),
            Err(error) => return Err(io_at(&target)(error)),
        };
        self.kept.insert(number, Kept { generation, octets, copy });
        Ok(())
    }

    /// Octets still to be copied.
    pub(super) fn octets_to_copy(&self) -> u64 {
        let behind = |kept: &Kept| kept.copy.as_ref().map_or(0, |(_, from)| kept.octets.saturating_sub(*from));
        self.kept.values().map(behind).sum()
    }

    /// Copies what is noted. `copied` hears how many octets were since the last time.
    pub(super) fn copy(&mut self, pacer: &mut Pacer, copied: &mut dyn FnMut(u64)) -> Result<(), SnapshotError> {
        for (number, kept) in &mut self.kept {
            let Some((file, from)) = &mut kept.copy else { continue };
            if *from < kept.octets {
                let target = segment_path(self.folder, *number, kept.generation);
                self.octets_copied += kept.octets - *from;
                extend(file, &target, *from, kept.octets, pacer, copied)?;
                *from = kept.octets;
            }
        }
        Ok(())
    }

    /// Flushes what a row of this snapshot may point at and the device may not have: SQLite shows a group as soon as
    /// its own file is flushed. `flushed` are the parts an earlier manifest names.
    pub(super) fn finish(self, flushed: &[SegmentPart]) -> Result<Vec<SegmentPart>, SnapshotError> {
        let mut parts = Vec::with_capacity(self.kept.len());
        for (number, kept) in self.kept {
            let part = SegmentPart { number, generation: kept.generation, octets: kept.octets };
            if kept.copy.is_none() && flushed.binary_search(&part).is_err() {
                let path = segment_path(self.folder, number, kept.generation);
                File::open(&path).and_then(|file| file.sync_data()).map_err(io_at(&path))?;
            }
            parts.push(part);
        }
        File::open(self.folder).and_then(|folder| folder.sync_all()).map_err(io_at(self.folder))?;
        Ok(parts)
    }
}

pub(super) fn metadata_of(path: &Path) -> Result<Option<std::fs::Metadata>, SnapshotError> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_at(path)(error)),
    }
}

/// Another file system, or one that has no links, or no more of them.
pub(super) fn is_no_link(error: &io::Error) -> bool {
    let errno = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(errno, Some(Errno::XDEV | Errno::PERM | Errno::MLINK | Errno::NOTSUP | Errno::NOSYS | Errno::ACCESS))
}

/// Whether both files begin with the same record. What a void record keeps of itself is compared, because the store may
/// have voided it between two copies.
fn begin_alike(one: &Path, other: &Path) -> Result<bool, SnapshotError> {
    let begin = |path: &Path| -> Result<Option<[u8; HEADER_BYTES]>, SnapshotError> {
        let mut bytes = [0; HEADER_BYTES];
        match File::open(path).and_then(|file| file.read_exact_at(&mut bytes, 0)) {
            Ok(()) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(io_at(path)(error)),
        }
    };
    let (Some(one), Some(other)) = (begin(one)?, begin(other)?) else { return Ok(false) };
    let kept = |bytes| Header::decode(bytes).map(|header| (header.envelope_len, header.body_len, header.body_crc));
    Ok(one == other || kept(&one).is_some_and(|one| Some(one) == kept(&other)))
}

/// Copies octets `from` to `to` of `source` into `target`, which is created when it is not there, and flushes it.
pub(super) fn extend(
    source: &File,
    target: &Path,
    from: u64,
    to: u64,
    pacer: &mut Pacer,
    copied: &mut dyn FnMut(u64),
) -> Result<(), SnapshotError> {
    let file =
        File::options().read(true).write(true).create(true).truncate(false).open(target).map_err(io_at(target))?;
    let mut at = from;
    let mut buffer = Vec::new();
    while at < to {
        let wanted = usize::try_from(to - at).map_or(COPY_BYTES, |left| left.min(COPY_BYTES));
        // Shared blocks where the file system has them.
        let (mut read_at, mut write_at) = (at, at);
        let done = match rustix::fs::copy_file_range(source, Some(&mut read_at), &file, Some(&mut write_at), wanted) {
            Ok(octets) if octets > 0 => octets,
            _ => {
                buffer.resize(COPY_BYTES, 0);
                let octets = source.read_at(&mut buffer[..wanted], at).map_err(io_at(target))?;
                if octets == 0 {
                    return Err(io_at(target)(io::ErrorKind::UnexpectedEof.into()));
                }
                file.write_all_at(&buffer[..octets], at).map_err(io_at(target))?;
                octets
            }
        };
        send_off(&file, at, done as u64);
        pacer.wrote(done as u64);
        at += done as u64;
        copied(done as u64);
        pacer.rest();
    }
    file.sync_all().map_err(io_at(target))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Pace;

    // INVARIANT (keep-before-and-after).
    #[test]
    fn a_segment_freed_while_the_transactions_begin_is_kept_and_so_is_one_that_came() {
        let folder = std::env::temp_dir().join(format!("facteur-store-keeper-{}", std::process::id()));
        let (store, snapshots) = (folder.join("store"), folder.join("snapshots"));
        std::fs::create_dir_all(&store).unwrap();
        std::fs::create_dir_all(&snapshots).unwrap();
        for (number, text) in [(1, "freed"), (2, "grows"), (3, "")] {
            std::fs::write(segment_path(&store, number, 0), text).unwrap();
        }
        let mut keeper = Keeper::new(&snapshots, &store, BTreeMap::new());
        keeper.look().unwrap();
        std::fs::remove_file(segment_path(&store, 1, 0)).unwrap();
        std::fs::write(segment_path(&store, 2, 0), "grows more").unwrap();
        std::fs::write(segment_path(&store, 4, 0), "came").unwrap();
        keeper.look().unwrap();
        keeper.copy(&mut Pacer::start(Pace::FULL), &mut |_| {}).unwrap();
        let parts: Vec<_> = keeper.finish(&[]).unwrap().iter().map(|part| (part.number, part.octets)).collect();
        assert_eq!(parts, [(1, 5), (2, 10), (4, 4)]);
        let texts = [1, 2, 4].map(|number| std::fs::read_to_string(segment_path(&snapshots, number, 0)).unwrap());
        assert_eq!(texts, ["freed", "grows more", "came"]);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_copy_continues_where_it_ended_and_is_as_long_as_asked() {
        let folder = std::env::temp_dir().join(format!("facteur-store-extend-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (from, to) = (folder.join("from"), folder.join("to"));
        let octets: Vec<u8> = (0..3 * COPY_BYTES + 5).map(|n| (n % 251) as u8).collect();
        std::fs::write(&from, &octets).unwrap();
        let (file, mut pacer, mut copied) = (File::open(&from).unwrap(), Pacer::start(Pace::FULL), 0);
        let (first, end) = (COPY_BYTES as u64 + 3, octets.len() as u64 - 2);
        extend(&file, &to, 0, first, &mut pacer, &mut |octets| copied += octets).unwrap();
        extend(&file, &to, first, end, &mut pacer, &mut |octets| copied += octets).unwrap();
        assert_eq!((copied, std::fs::read(&to).unwrap() == octets[..octets.len() - 2]), (end, true));
        let cut = extend(&file, &to, end, end + 9, &mut pacer, &mut |_| {});
        assert!(matches!(cut, Err(SnapshotError::Io { error, .. }) if error.kind() == io::ErrorKind::UnexpectedEof));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
