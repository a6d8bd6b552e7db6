//! Removes old snapshots and gives back the space nothing needs any more. What a crash leaves behind, step by step:
//!
//! | step | crash after it |
//! |---|---|
//! | a manifest is unlinked | packs and segments nothing names; the next purge removes them |
//! | segments and packs nothing names are unlinked | nothing |
//! | the live pages of packs under half live are written into new packs, flushed | packs nothing names |
//! | each manifest that names such a pack is replaced by one that names the new pack | both packs are named, each by some |
//! | the old pack is unlinked | nothing |

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::time::Duration;

use super::error::io_at;
use super::manifest::{Head, Manifest, PageAt, packs_of, page_hash};
use super::pack::{self, PackReader, PackWriter};
use super::segments::{metadata_of, segment_name, segment_path};
use super::{PAGE_BYTES, SnapshotError, SnapshotName, Snapshots};

/// How long snapshots are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Younger ones stay in any case.
    pub at_least: Duration,
    /// Older ones go in any case. Between the two one stays only while it is the newest sound one there is.
    pub at_most: Duration,
}

/// What a purge did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Oldest first.
    pub removed: Vec<SnapshotName>,
    /// Snapshots that stay.
    pub kept: usize,
    pub packs_removed: u64,
    /// Those of them whose live pages were written again.
    pub packs_rewritten: u64,
    /// Octets of live pages that were written again.
    pub octets_rewritten: u64,
    pub segments_removed: u64,
    /// On the device of the snapshots, less what was written again. A segment the store still has frees nothing.
    pub octets_freed: u64,
}

impl Snapshots {
    /// Removes snapshots by their age at `now_s`, in seconds since 1970, then what no snapshot needs. A later version's
    /// manifest, or one that is damaged, keeps every pack until it is older than `at_most`.
    pub fn purge(&self, keep: Keep, now_s: i64) -> Result<Purged, SnapshotError> {
        let _alone = self.lock_changes()?;
        let _no_reader = self.lock_readers_out()?;
        let mut purged = Purged { removed: self.due(keep, now_s)?, ..Purged::default() };
        for name in &purged.removed {
            let path = self.manifest_path(*name);
            let octets = metadata_of(&path)?.map_or(0, |metadata| metadata.len());
            std::fs::remove_file(&path).map_err(io_at(&path))?;
            purged.octets_freed += octets;
        }
        self.flush_folder()?;
        let heads = self.heads()?;
        purged.kept = heads.len();
        let swept = self.sweep(&heads)?;
        purged.packs_removed = swept.packs;
        purged.segments_removed = swept.segments;
        purged.octets_freed += swept.octets;
        let rewritten = self.rewrite_sparse(&heads, &mut purged);
        if rewritten.is_err() {
            // Perhaps the device is full: new packs nobody names yet go again.
            self.heads().and_then(|heads| self.sweep(&heads))?;
        }
        rewritten.map(|()| purged)
    }

    /// What goes by age.
    fn due(&self, keep: Keep, now_s: i64) -> Result<Vec<SnapshotName>, SnapshotError> {
        let age_s = |name: &SnapshotName| now_s.saturating_sub(name.seconds());
        let seconds = |length: Duration| i64::try_from(length.as_secs()).unwrap_or(i64::MAX);
        let names = self.names()?;
        let old = |name: &&SnapshotName| age_s(name) > seconds(keep.at_least).min(seconds(keep.at_most));
        let mut due: Vec<SnapshotName> = names.iter().filter(old).copied().collect();
        let may_stay = |name: &SnapshotName| age_s(name) <= seconds(keep.at_most);
        let sound = |name: &SnapshotName| self.looks_sound(*name);
        for name in names.iter().rev().filter(|name| may_stay(name)) {
            if sound(name)? {
                due.retain(|other| other != name);
                break;
            }
        }
        Ok(due)
    }

    /// The manifest is whole, every file it names is there, long enough and not known to be damaged. Whether each page
    /// and body is what it was, only a drill knows.
    fn looks_sound(&self, name: SnapshotName) -> Result<bool, SnapshotError> {
        let manifest = match Manifest::read(&self.manifest_path(name)) {
            Ok(manifest) => manifest,
            Err(SnapshotError::Damaged { .. } | SnapshotError::Newer { .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        let marked = pack::marked_in(&self.packs)?;
        for (number, slots) in &manifest.head.packs {
            if marked.contains(number) || pack::slots(&self.packs, *number)?.is_none_or(|there| there < *slots) {
                return Ok(false);
            }
        }
        for part in &manifest.head.segments {
            let path = segment_path(&self.segments, part.number, part.generation);
            if metadata_of(&path)?.is_none_or(|metadata| metadata.len() < part.octets) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Removes what a crash or a removed manifest left. Nothing but temporary files while a manifest cannot be read.
    // INVARIANT (unnamed-goes).
    pub(super) fn sweep(
        &self,
        heads: &BTreeMap<SnapshotName, Result<Head, SnapshotError>>,
    ) -> Result<Swept, SnapshotError> {
        let mut swept = Swept::default();
        for name in file_names(&self.folder)?.iter().filter(|name| name.ends_with(".snapshot.new")) {
            swept.octets += remove(&self.folder.join(name))?;
        }
        if heads.values().any(Result::is_err) {
            return Ok(swept);
        }
        let heads: Vec<&Head> = heads.values().flatten().collect();
        let packs: BTreeSet<u32> = heads.iter().flat_map(|head| head.packs.keys().copied()).collect();
        for pack in pack::packs_in(&self.packs)?.union(&pack::marked_in(&self.packs)?) {
            if !packs.contains(pack) {
                swept.octets += pack::remove(&self.packs, *pack)?;
                swept.packs += 1;
            }
        }
        let parts = heads.iter().flat_map(|head| &head.segments);
        let segments: BTreeSet<(u32, u32)> = parts.map(|part| (part.number, part.generation)).collect();
        for name in file_names(&self.segments)? {
            if segment_name(&name).is_some_and(|segment| !segments.contains(&segment)) {
                swept.octets += remove(&self.segments.join(name))?;
                swept.segments += 1;
            }
        }
        Ok(swept)
    }

    /// Writes the live pages of packs less than half live again, so that the packs can go.
    fn rewrite_sparse(
        &self,
        heads: &BTreeMap<SnapshotName, Result<Head, SnapshotError>>,
        purged: &mut Purged,
    ) -> Result<(), SnapshotError> {
        if heads.values().any(Result::is_err) {
            return Ok(());
        }
        let Some(live) = self.live(heads.keys())? else { return Ok(()) };
        let marked = pack::marked_in(&self.packs)?;
        let mut sparse = BTreeMap::new();
        for (pack, slots) in &live {
            let there = pack::slots(&self.packs, *pack)?.unwrap_or(0);
            let named = slots.iter().filter(|slot| slot.is_some()).count();
            if named * 2 < there as usize && !marked.contains(pack) {
                sparse.insert(*pack, there);
            }
        }
        let next = live.last_key_value().map_or(1, |(pack, _)| pack.saturating_add(1));
        let next = pack::packs_in(&self.packs)?.last().map_or(next, |last| next.max(last.saturating_add(1)));
        let moved = self.write_live(&live, &sparse, next)?;
        if moved.is_empty() {
            return Ok(());
        }
        for (name, head) in heads {
            if head.as_ref().is_ok_and(|head| head.packs.keys().any(|pack| moved.contains_key(pack))) {
                self.rename_pages(*name, &moved)?;
            }
        }
        self.flush_folder()?;
        for (pack, slots) in &moved {
            purged.octets_freed += pack::remove(&self.packs, *pack)?;
            purged.packs_removed += 1;
            purged.packs_rewritten += 1;
            purged.octets_rewritten += slots.len() as u64 * PAGE_BYTES as u64;
        }
        purged.octets_freed = purged.octets_freed.saturating_sub(purged.octets_rewritten);
        Ok(())
    }

    /// The hash of each slot a manifest names. `None` when a manifest turns out to be damaged.
    fn live<'a>(&self, names: impl Iterator<Item = &'a SnapshotName>) -> Result<Option<Live>, SnapshotError> {
        let mut live = Live::new();
        for name in names {
            let manifest = match Manifest::read(&self.manifest_path(*name)) {
                Ok(manifest) => manifest,
                Err(error @ SnapshotError::Damaged { .. }) => {
                    tracing::warn!("no pack is rewritten: {error}");
                    return Ok(None);
                }
                Err(error) => return Err(error),
            };
            for (pack, slots) in &manifest.head.packs {
                let known = live.entry(*pack).or_default();
                known.resize(known.len().max(*slots as usize), None);
            }
            for page in &manifest.pages {
                if let Some(slot) = live.get_mut(&page.pack).and_then(|slots| slots.get_mut(page.slot as usize)) {
                    *slot = Some(page.hash);
                }
            }
        }
        Ok(Some(live))
    }

    /// Where the live pages of sparse packs are now. A pack with a damaged page stays as it is: for what is whole in it.
    fn write_live(&self, live: &Live, sparse: &BTreeMap<u32, u32>, next: u32) -> Result<Moved, SnapshotError> {
        let (mut reader, mut writer) = (PackReader::new(&self.packs), PackWriter::new(&self.packs, next));
        let mut moved = Moved::new();
        let mut page = vec![0; PAGE_BYTES];
        for pack in sparse.keys() {
            let mut slots = BTreeMap::new();
            let named = live.get(pack).into_iter().flatten().zip(0..).filter_map(|(hash, slot)| Some(((*hash)?, slot)));
            let mut whole = true;
            for (hash, slot) in named {
                match reader.read(*pack, slot, &mut page) {
                    Ok(()) if page_hash(&page) == hash => {}
                    Ok(()) | Err(SnapshotError::Damaged { .. }) => {
                        whole = false;
                        break;
                    }
                    Err(error) => return Err(error),
                }
                slots.insert(slot, writer.push(&page)?);
            }
            if whole {
                moved.insert(*pack, slots);
            } else {
                tracing::warn!("pack {pack} is damaged and not rewritten");
                pack::mark(&self.packs, *pack)?;
            }
        }
        writer.finish()?;
        Ok(moved)
    }

    fn rename_pages(&self, name: SnapshotName, moved: &Moved) -> Result<(), SnapshotError> {
        let path = self.manifest_path(name);
        let mut manifest = Manifest::read(&path)?;
        for PageAt { pack, slot, .. } in &mut manifest.pages {
            if let Some((new_pack, new_slot)) = moved.get(pack).and_then(|slots| slots.get(slot)) {
                (*pack, *slot) = (*new_pack, *new_slot);
            }
        }
        manifest.head.packs = packs_of(&manifest.pages);
        manifest.write(&path).map(|_| ())
    }
}

/// What a sweep removed.
#[derive(Default)]
pub(super) struct Swept {
    packs: u64,
    segments: u64,
    octets: u64,
}

/// Of each pack the hashes by slot.
type Live = BTreeMap<u32, Vec<Option<[u8; 16]>>>;
/// From pack and slot to the new ones.
type Moved = BTreeMap<u32, BTreeMap<u32, (u32, u32)>>;

fn file_names(folder: &Path) -> Result<Vec<String>, SnapshotError> {
    let entries = std::fs::read_dir(folder).map_err(io_at(folder))?;
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry.map_err(io_at(folder))?.file_name().into_string().ok());
    }
    Ok(names)
}

/// Gives the octets that are free now: none when the file has another link.
fn remove(path: &Path) -> Result<u64, SnapshotError> {
    use std::os::unix::fs::MetadataExt;
    let freed = metadata_of(path)?.map_or(0, |metadata| if metadata.nlink() == 1 { metadata.len() } else { 0 });
    match std::fs::remove_file(path) {
        Ok(()) => Ok(freed),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(io_at(path)(error)),
    }
}
