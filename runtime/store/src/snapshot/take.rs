//! Takes a snapshot. What a crash leaves behind, step by step:
//!
//! | step | crash after it |
//! |---|---|
//! | leftovers of earlier crashes are removed | nothing |
//! | segments are linked or copied | segments no manifest names, or a copy longer than any manifest says |
//! | read transactions begin, segments are looked at again, pages are read into packs | packs no manifest names |
//! | the rest of the tail is copied, segments and packs are flushed with their folders | the same |
//! | the manifest is written under a temporary name and flushed | a temporary file |
//! | it gets its name, the folder is flushed | the snapshot |

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::error::io_at;
use super::manifest::{DatabaseCounts, Head, Manifest, SegmentPart, packs_of};
use super::pace::{Pacer, apart};
use super::pack::{self, PackWriter};
use super::pages::{Pages, Previous, Shard};
use super::segments::Keeper;
use super::{PAGE_BYTES, Pace, Progress, SnapshotError, SnapshotName, Snapshots, Step};
use crate::store::Store;

/// Where a store lies.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its databases `meta-NN.db`, in order.
    pub databases: Vec<PathBuf>,
    /// The folder of its segments.
    pub segments: PathBuf,
}

impl Store {
    /// Takes a snapshot of this store; see [`Snapshots::take`]. Compaction waits meanwhile, and checkpoints do.
    pub fn snapshot(
        &self,
        snapshots: &Snapshots,
        now_s: i64,
        pace: Pace,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Taken, SnapshotError> {
        let _alone = self.tidying.lock().unwrap_or_else(PoisonError::into_inner);
        let source = Source {
            databases: self.shards.iter().map(|shard| shard.database().to_owned()).collect(),
            segments: self.segments().folder().to_owned(),
        };
        self.shards.iter().for_each(|shard| shard.pause_checkpoints(true));
        let taken = snapshots.take(&source, now_s, pace, progress);
        self.shards.iter().for_each(|shard| shard.pause_checkpoints(false));
        taken
    }
}

/// What a snapshot cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    pub name: SnapshotName,
    pub databases: Vec<DatabaseCounts>,
    /// Of all databases.
    pub pages: u64,
    /// Those no earlier snapshot had.
    pub pages_new: u64,
    pub manifest_octets: u64,
    pub segments: u64,
    pub segments_linked: u64,
    pub segment_octets_copied: u64,
    pub took: Duration,
    /// How long the read transactions were open: the WAL cannot start afresh meanwhile.
    pub transactions_open: Duration,
}

impl Snapshots {
    /// Takes a snapshot of the store while it works, named by `now_s`, or a second later when that name is taken.
    /// Runs on a thread of its own; `progress` is called on the caller's, and waited for.
    pub fn take(
        &self,
        source: &Source,
        now_s: i64,
        pace: Pace,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Taken, SnapshotError> {
        let _alone = self.lock_changes()?;
        let work = |report: &mut dyn FnMut(Progress)| {
            let taken = self.take_here(source, now_s, pace, report);
            if taken.is_err() {
                // Perhaps the device is full: what is of no use gives its space back now, not tomorrow.
                self.heads().and_then(|heads| self.sweep(&heads))?;
            }
            taken
        };
        apart(work, progress)
    }

    fn take_here(
        &self,
        source: &Source,
        now_s: i64,
        pace: Pace,
        report: &mut dyn FnMut(Progress),
    ) -> Result<Taken, SnapshotError> {
        let (began, mut pacer) = (Instant::now(), Pacer::start(pace));
        let heads = self.heads()?;
        self.sweep(&heads)?;
        let readable: Vec<&Head> = heads.values().flatten().collect();
        let (previous, previous_segments) = self.previous(&heads)?;
        let mut keeper = Keeper::new(&self.segments, &source.segments, known_segments(&readable));
        keeper.look()?;
        copy(&mut keeper, &mut pacer, report)?;

        let shards = source.databases.iter().map(|path| Shard::begin(path)).collect::<Result<Vec<_>, _>>()?;
        let transactions = Instant::now();
        keeper.look()?;
        let next_pack = self.next_pack(&readable)?;
        let mut packs = PackWriter::new(&self.packs, next_pack);
        let mut pages = Pages::after(previous);
        let total = shards.iter().map(|shard| u64::from(shard.counts.pages)).sum::<u64>() * PAGE_BYTES as u64;
        for shard in &shards {
            pages.read(shard, &mut packs, &mut pacer, &mut |done| {
                report(Progress { step: Step::Pages, done, total });
            })?;
        }
        let transactions_open = transactions.elapsed();
        let databases: Vec<DatabaseCounts> = shards.into_iter().map(|shard| shard.counts).collect();

        copy(&mut keeper, &mut pacer, report)?;
        let pages_new = packs.finish()?;
        let (segments_linked, segment_octets_copied) = (keeper.linked, keeper.octets_copied);
        let segments = keeper.finish(&previous_segments)?;
        let name = self.free_name(now_s)?;
        let ended_s = now_s.saturating_add(i64::try_from(began.elapsed().as_secs()).unwrap_or(0));
        let head = Head { started_s: now_s, ended_s, databases, packs: packs_of(&pages.at), segments };
        let manifest = Manifest { head, pages: pages.at };
        let manifest_octets = manifest.write(&self.manifest_path(name))?;
        self.flush_folder()?;
        Ok(Taken {
            name,
            pages: manifest.pages.len() as u64,
            pages_new,
            manifest_octets,
            segments: manifest.head.segments.len() as u64,
            segments_linked,
            segment_octets_copied,
            databases: manifest.head.databases,
            took: began.elapsed(),
            transactions_open,
        })
    }

    /// The pages of the newest snapshot that can be read, as far as their packs are sound, and its segments.
    fn previous(
        &self,
        heads: &BTreeMap<SnapshotName, Result<Head, SnapshotError>>,
    ) -> Result<(Previous, Vec<SegmentPart>), SnapshotError> {
        for (name, head) in heads.iter().rev() {
            if head.is_err() {
                continue;
            }
            match Manifest::read(&self.manifest_path(*name)) {
                Ok(manifest) => {
                    let segments = manifest.head.segments.clone();
                    return Ok((Previous::of(manifest, &self.packs)?, segments));
                }
                Err(error @ (SnapshotError::Damaged { .. } | SnapshotError::Newer { .. })) => {
                    tracing::warn!("nothing is taken over from snapshot {name}: {error}");
                }
                Err(error) => return Err(error),
            }
        }
        Ok((Previous::default(), Vec::new()))
    }

    /// Above every pack that is there or named.
    fn next_pack(&self, heads: &[&Head]) -> Result<u32, SnapshotError> {
        let there = pack::packs_in(&self.packs)?.last().copied();
        let named = heads.iter().filter_map(|head| head.packs.last_key_value().map(|(pack, _)| *pack)).max();
        Ok(there.max(named).map_or(1, |pack| pack.saturating_add(1)))
    }

    fn free_name(&self, now_s: i64) -> Result<SnapshotName, SnapshotError> {
        let mut name = SnapshotName::at(now_s);
        while self.manifest_path(name).try_exists().map_err(io_at(self.folder()))? {
            name = SnapshotName::at(name.seconds() + 1);
        }
        Ok(name)
    }
}

fn copy(keeper: &mut Keeper, pacer: &mut Pacer, report: &mut dyn FnMut(Progress)) -> Result<(), SnapshotError> {
    let (mut done, total) = (0, keeper.octets_to_copy());
    keeper.copy(pacer, &mut |octets| {
        done += octets;
        report(Progress { step: Step::Segments, done, total });
    })
}

/// Of each number the newest generation with its longest part.
fn known_segments(heads: &[&Head]) -> BTreeMap<u32, SegmentPart> {
    let mut known = BTreeMap::new();
    for part in heads.iter().flat_map(|head| &head.segments) {
        let newest = known.entry(part.number).or_insert(*part);
        *newest = (*part).max(*newest);
    }
    known
}
