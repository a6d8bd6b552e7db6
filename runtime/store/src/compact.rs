//! Gives room back: forgets bodies nobody points at, removes segments without live ones, and writes the live bodies of
//! segments that are less than half live again at the tail.
//!
//! Order, so that a crash at any step loses nothing: the copies are flushed, then the rows point at them, and only when that
//! is durable in every shard the old segment goes. What a crash leaves is a segment with dead octets, for the next run.
//! Snapshots hold links of their own.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::body::BodyRef;
use crate::error::{CommitError, PutError, ReadError};
use crate::op::{Op, OpResult, Part};
use crate::progress::Progress;
use crate::read::body_row;
use crate::store::Store;

/// Rows looked at in one read transaction.
const SLICE: i64 = 20_000;
/// Bodies moved in one commit, and their octets.
const MOVED_MAX: usize = 256;
const MOVED_BYTES_MAX: u64 = 16 << 20;

/// What a compaction did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Bodies forgotten.
    pub swept: u64,
    pub segments_removed: u64,
    /// Octets of the segments that went.
    pub bytes_freed: u64,
    /// Live octets written again.
    pub bytes_moved: u64,
}

/// Why a compaction stopped; what it did until then holds.
#[derive(Debug)]
pub enum CompactError {
    Read(ReadError),
    Write(PutError),
    Commit(CommitError),
}

impl std::fmt::Display for CompactError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CompactError::Read(error) => error.fmt(f),
            CompactError::Write(error) => error.fmt(f),
            CompactError::Commit(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CompactError {}

impl From<ReadError> for CompactError {
    fn from(error: ReadError) -> CompactError {
        CompactError::Read(error)
    }
}

impl From<PutError> for CompactError {
    fn from(error: PutError) -> CompactError {
        CompactError::Write(error)
    }
}

impl From<CommitError> for CompactError {
    fn from(error: CommitError) -> CompactError {
        CompactError::Commit(error)
    }
}

impl From<std::io::Error> for CompactError {
    fn from(error: std::io::Error) -> CompactError {
        CompactError::Read(ReadError::Io(error))
    }
}

impl Store {
    /// Compacts while writes go on. Bodies freed less than `keep_s` seconds ago stay, so that whoever holds one meanwhile
    /// still reads it.
    pub fn compact(&self, keep_s: u64, progress: &mut dyn FnMut(Progress)) -> Result<Compacted, CompactError> {
        let _alone = self.tidying.lock().unwrap_or_else(PoisonError::into_inner);
        let mut done = Compacted::default();
        // What is moved goes behind this, so that no segment emptied here gets anything meanwhile but new rows.
        let tail = self.segments().tail();
        let sizes = self.segments().sizes()?;
        let now_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let before_s = now_s.saturating_sub(keep_s) as i64;
        let numbers: Vec<u32> = sizes.iter().map(|(segment, _)| *segment).collect();
        for shard in self.shard_numbers() {
            done.swept += self.sweep(shard, &numbers, before_s)?;
        }
        let census = self.rows_by_segment()?;
        let total = sizes.len() as u64;
        for (at, (segment, size)) in sizes.iter().enumerate() {
            progress(Progress { what: "segments", done: at as u64, total });
            let none = Rows::default();
            let held = census.rows.get(segment).unwrap_or(&none);
            if *segment >= tail || held.bytes * 2 > *size {
                continue;
            }
            if self.segments().begin_compaction(*segment) {
                let moved = self.empty(*segment, held, &census.newest);
                self.segments().end_compaction(*segment);
                done.bytes_moved += moved?;
                done.segments_removed += 1;
                done.bytes_freed += size;
            }
        }
        progress(Progress { what: "segments", done: total, total });
        Ok(done)
    }

    fn sweep(&self, shard: u8, segments: &[u32], before_s: i64) -> Result<u64, CompactError> {
        let mut swept = 0;
        loop {
            let part = Part::Sweep { segments: segments.to_vec(), before_s };
            let answer = self.shards[usize::from(shard)].commit_wait(vec![Op::Part(Box::new(part))])?;
            match answer.first() {
                Some(OpResult::Trimmed(rows)) if *rows > 0 => swept += rows,
                _ => return Ok(swept),
            }
        }
    }

    /// What rows of all shards hold of each segment. A record two shards hold counts twice, which only keeps it longer.
    pub(crate) fn rows_by_segment(&self) -> Result<Census, ReadError> {
        let mut found = Census::default();
        for shard in self.shard_numbers() {
            let mut after = 0;
            loop {
                let slice: Vec<(i64, u32, u64, bool)> = self.read_in(shard, |tx| {
                    let mut query = tx.prepare_cached(
                        "SELECT id, seg, skip + len, refs > 0 FROM blob WHERE id > ?1 ORDER BY id LIMIT ?2",
                    )?;
                    let rows = query.query_map([after, SLICE], |row| {
                        Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)? as u64, row.get(3)?))
                    })?;
                    Ok(rows.collect::<Result<_, _>>()?)
                })?;
                let Some(last) = slice.last() else { break };
                after = last.0;
                for (blob, segment, bytes, live) in &slice {
                    let rows = found.rows.entry(*segment).or_default();
                    let bytes = bytes.next_multiple_of(8);
                    rows.bytes += bytes;
                    rows.live_bytes += if *live { bytes } else { 0 };
                    let range = rows.ranges.entry(shard).or_insert((*blob, *blob));
                    range.1 = *blob;
                }
            }
            found.newest.insert(shard, after);
        }
        Ok(found)
    }

    /// Moves what has a row in a segment and removes it. Gives the octets moved. Rows freed a moment ago move too, and those
    /// that came after the census: their bodies were in somebody's hand until now.
    fn empty(&self, segment: u32, held: &Rows, newest: &BTreeMap<u8, i64>) -> Result<u64, CompactError> {
        let mut moved = 0;
        let known = held.ranges.iter().map(|(shard, (first, last))| (*shard, *first, *last));
        for (shard, first, last) in known.chain(newest.iter().map(|(shard, newest)| (*shard, newest + 1, i64::MAX))) {
            let mut first = first;
            loop {
                let slice = self.rows_of(shard, segment, first, last)?;
                let Some((newest, _)) = slice.last() else { break };
                first = newest + 1;
                let (mut moves, mut bytes) = (Vec::new(), 0);
                for (blob, from) in slice {
                    let to = self.segments().put_again(&from)?;
                    bytes += from.len();
                    moves.push((blob, from, to));
                    if bytes >= MOVED_BYTES_MAX {
                        moved += std::mem::take(&mut bytes);
                        self.point(shard, std::mem::take(&mut moves))?;
                    }
                }
                moved += bytes;
                self.point(shard, moves)?;
            }
        }
        self.segments().remove(segment)?;
        Ok(moved)
    }

    fn point(&self, shard: u8, moves: Vec<(i64, BodyRef, BodyRef)>) -> Result<(), CompactError> {
        if moves.is_empty() {
            return Ok(());
        }
        let mut segments: Vec<u32> = moves.iter().map(|(_, _, to)| to.segment()).collect();
        segments.dedup();
        // Recovery looks only at bodies new in the last group: these must be on the device before a row points at them.
        segments.into_iter().try_for_each(|segment| self.segments().flush(segment))?;
        self.shards[usize::from(shard)].commit_wait(vec![Op::Part(Box::new(Part::Moved(moves)))])?;
        Ok(())
    }

    /// At most `MOVED_MAX` rows of a segment, with numbers between the two.
    fn rows_of(&self, shard: u8, segment: u32, first: i64, last: i64) -> Result<Vec<(i64, BodyRef)>, ReadError> {
        self.read_in(shard, |tx| {
            let mut query = tx.prepare_cached(
                "SELECT id, seg, off, skip, len, crc, email FROM blob WHERE id BETWEEN ?2 AND ?3 AND +seg = ?1
                 ORDER BY id LIMIT ?4",
            )?;
            let rows = query.query_map((segment, first, last, MOVED_MAX as i64), |row| {
                Ok((row.get(0)?, body_row(shard, row, 0)?))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

/// All rows of bodies at about one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Census {
    /// By segment.
    pub(crate) rows: BTreeMap<u32, Rows>,
    /// The last row of each shard.
    newest: BTreeMap<u8, i64>,
}

/// Rows that point into one segment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    /// Octets of records that have a row, and of those somebody points at.
    pub(crate) bytes: u64,
    pub(crate) live_bytes: u64,
    /// The smallest and the largest of these rows, by shard. Bodies come in order, so little else lies between.
    ranges: BTreeMap<u8, (i64, i64)>,
}
