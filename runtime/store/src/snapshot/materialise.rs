//! Makes a data folder out of a snapshot: databases as they were, which need no WAL, and segments.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::error::{damaged, io_at};
use super::manifest::{Manifest, PageAt, page_hash};
use super::pace::Pacer;
use super::pack::{PackReader, pack_path};
use super::segments::{extend, is_no_link, metadata_of, segment_path};
use super::{Damage, PAGE_BYTES, Pace, Progress, SnapshotError, SnapshotName, Snapshots, Step};

/// Pages read and written with one call.
const RUN_PAGES: usize = 64;

/// A folder that is a data folder now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Materialised {
    pub databases: Vec<PathBuf>,
    pub pages: u64,
    pub segments: u64,
    pub segment_octets_copied: u64,
}

/// Packs that are not what the manifest says, each with what was found first.
pub(super) type DamagedPacks = BTreeMap<u32, Damage>;

impl Snapshots {
    /// Writes the snapshot into `folder`, which is created, or empty. Every page is checked against its hash and the
    /// databases get their names last: after an error there is no database that could be opened. Segments are links
    /// where the file system can: a store opened there begins a segment of its own and never writes into them.
    pub fn materialise(
        &self,
        name: SnapshotName,
        folder: &Path,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Materialised, SnapshotError> {
        let _reading = self.lock_reading()?;
        let manifest = self.manifest(name)?;
        empty_folder(folder)?;
        let mut pacer = Pacer::start(Pace::FULL);
        // Segments first: they are cheap to miss.
        let segment_octets_copied = self.place_segments(&manifest, folder, &mut pacer, progress)?;
        let (temporary, found) = self.write_databases(&manifest, folder, &mut pacer, progress)?;
        if let Some((pack, damage)) = found.first_key_value() {
            return Err(damaged(&pack_path(&self.packs, *pack), *damage));
        }
        for path in &temporary {
            File::open(path).and_then(|file| file.sync_all()).map_err(io_at(path))?;
        }
        let databases = name_databases(&temporary)?;
        for path in [folder, &folder.join("segments")] {
            File::open(path).and_then(|folder| folder.sync_all()).map_err(io_at(path))?;
        }
        let (pages, segments) = (manifest.pages.len() as u64, manifest.head.segments.len() as u64);
        Ok(Materialised { databases, pages, segments, segment_octets_copied })
    }

    /// Writes the databases under temporary names. Damaged packs are collected, their pages left out.
    pub(super) fn write_databases(
        &self,
        manifest: &Manifest,
        folder: &Path,
        pacer: &mut Pacer,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(Vec<PathBuf>, DamagedPacks), SnapshotError> {
        let mut packs = PackReader::new(&self.packs);
        let (mut paths, mut found) = (Vec::new(), DamagedPacks::new());
        let (mut done, total) = (0, manifest.pages.len() as u64 * PAGE_BYTES as u64);
        for (database, pages) in manifest.databases() {
            let path = folder.join(format!("{}.part", database.name));
            let file = File::options().write(true).create_new(true).open(&path).map_err(io_at(&path))?;
            let mut at = 0;
            for run in pages.chunk_by(|one, next| one.pack == next.pack && one.slot.checked_add(1) == Some(next.slot)) {
                for run in run.chunks(RUN_PAGES) {
                    if let Some(bytes) = read_run(&mut packs, run, &mut found)? {
                        file.write_all_at(&bytes, at).map_err(io_at(&path))?;
                    }
                    at += (run.len() * PAGE_BYTES) as u64;
                    pacer.rest();
                    progress(Progress { step: Step::Pages, done: done + at, total });
                }
            }
            done += at;
            paths.push(path);
        }
        Ok((paths, found))
    }

    /// Links or copies the segments into `folder/segments`; gives the octets copied.
    pub(super) fn place_segments(
        &self,
        manifest: &Manifest,
        folder: &Path,
        pacer: &mut Pacer,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<u64, SnapshotError> {
        let segments = folder.join("segments");
        std::fs::DirBuilder::new().mode(0o700).create(&segments).map_err(io_at(&segments))?;
        let (mut copied, total) = (0, manifest.head.segments.iter().map(|part| part.octets).sum());
        for part in &manifest.head.segments {
            let from = segment_path(&self.segments, part.number, part.generation);
            match metadata_of(&from)? {
                None => return Err(damaged(&from, Damage::Missing)),
                Some(metadata) if metadata.len() < part.octets => return Err(damaged(&from, Damage::Cut)),
                Some(_) => {}
            }
            let to = segment_path(&segments, part.number, 0);
            match std::fs::hard_link(&from, &to) {
                Ok(()) => {}
                Err(error) if is_no_link(&error) => {
                    let file = File::open(&from).map_err(io_at(&from))?;
                    extend(&file, &to, 0, part.octets, pacer, &mut |octets| {
                        copied += octets;
                        progress(Progress { step: Step::Segments, done: copied, total });
                    })?;
                }
                Err(error) => return Err(io_at(&to)(error)),
            }
        }
        Ok(copied)
    }
}

/// Gives the databases their names.
pub(super) fn name_databases(temporary: &[PathBuf]) -> Result<Vec<PathBuf>, SnapshotError> {
    let mut databases = Vec::with_capacity(temporary.len());
    for from in temporary {
        let to = from.with_extension("");
        std::fs::rename(from, &to).map_err(io_at(from))?;
        databases.push(to);
    }
    Ok(databases)
}

/// Pages that lie one behind the other, each checked; `None` when their pack is damaged.
fn read_run(
    packs: &mut PackReader,
    run: &[PageAt],
    found: &mut DamagedPacks,
) -> Result<Option<Vec<u8>>, SnapshotError> {
    let Some(first) = run.first().filter(|page| !found.contains_key(&page.pack)) else { return Ok(None) };
    let mut bytes = vec![0; run.len() * PAGE_BYTES];
    match packs.read(first.pack, first.slot, &mut bytes) {
        Ok(()) => {}
        Err(SnapshotError::Damaged { damage, .. }) => {
            found.insert(first.pack, damage);
            return Ok(None);
        }
        Err(error) => return Err(error),
    }
    for (page, bytes) in run.iter().zip(bytes.chunks_exact(PAGE_BYTES)) {
        if page_hash(bytes) != page.hash {
            found.insert(page.pack, Damage::Page { slot: page.slot });
            return Ok(None);
        }
    }
    Ok(Some(bytes))
}

fn empty_folder(folder: &Path) -> Result<(), SnapshotError> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io_at(folder))?;
    match std::fs::read_dir(folder).map_err(io_at(folder))?.next() {
        None => Ok(()),
        Some(_) => Err(SnapshotError::NotEmpty { folder: folder.to_owned() }),
    }
}
