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

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::error::{io_at, sqlite_at};
use super::manifest::{
    DatabaseCounts, Head, Manifest, PageAt, PageHash, SegmentPart, is_database_name, packs_of, page_hash,
};
use super::pace::{Pacer, lower_priority};
use super::pack::{self, PackWriter};
use super::segments::Keeper;
use super::{PAGE_BYTES, Pace, Progress, SnapshotError, SnapshotName, Snapshots, Step};
use crate::schema::{self, Purpose};

/// Where a store lies.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its databases `meta-NN.db`, in order.
    pub databases: Vec<PathBuf>,
    /// The folder of its segments.
    pub segments: PathBuf,
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

/// New pages whose hashes are kept to find one that comes twice in a snapshot.
const NEW_HASHES_MAX: usize = 1 << 20;
/// Pages between two reports.
const REPORT_PAGES: u64 = 256;

impl Snapshots {
    /// Takes a snapshot of the store while it works, named by `now_s`, or a second later when that name is taken.
    /// Runs on a thread of its own; `progress` is called on the caller's.
    pub fn take(
        &self,
        source: &Source,
        now_s: i64,
        pace: Pace,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Taken, SnapshotError> {
        let _alone = self.lock_changes()?;
        let (sender, reports) = mpsc::channel();
        std::thread::scope(|scope| {
            let work = move || {
                lower_priority();
                let taken = self.take_here(source, now_s, pace, &mut |report| {
                    // Somebody who listens no more does not stop the work.
                    let _ = sender.send(report);
                });
                if taken.is_err() {
                    // Perhaps the device is full: what is of no use gives its space back now, not tomorrow.
                    self.heads().and_then(|heads| self.sweep(&heads))?;
                }
                taken
            };
            let thread = std::thread::Builder::new().name("store-snapshot".to_owned()).spawn_scoped(scope, work);
            let thread = thread.map_err(io_at(self.folder()))?;
            reports.into_iter().for_each(progress);
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
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
        let mut pages = Pages { previous, new: HashMap::new(), at: Vec::new() };
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

/// A database at one moment.
struct Shard<'a> {
    path: &'a Path,
    db: Connection,
    counts: DatabaseCounts,
}

impl Shard<'_> {
    /// Begins the read transaction, which ends when the connection is dropped.
    fn begin(path: &Path) -> Result<Shard<'_>, SnapshotError> {
        let name = path.file_name().and_then(|name| name.to_str()).filter(|name| is_database_name(name));
        let Some(name) = name else { return Err(SnapshotError::BadName { path: path.to_owned() }) };
        let db = schema::connect(path, Purpose::Read).map_err(sqlite_at(path))?;
        let number = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(sqlite_at(path));
        db.execute_batch("BEGIN").map_err(sqlite_at(path))?;
        // The first read makes the moment.
        let seq = number("SELECT value FROM meta WHERE key = 'seq'")? as u64;
        let page_octets = number("PRAGMA page_size")? as u64;
        if page_octets != PAGE_BYTES as u64 {
            return Err(SnapshotError::PageSize { path: path.to_owned(), octets: page_octets });
        }
        let pages = number("PRAGMA page_count")? as u32;
        let sums = "SELECT count(*), ifnull(sum(messages), 0), ifnull(sum(octets), 0) FROM mailbox";
        let (mailboxes, messages, octets) = db
            .query_row(sums, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)))
            .map_err(sqlite_at(path))?;
        let counts = DatabaseCounts {
            name: name.to_owned(),
            pages,
            seq,
            messages: messages as u64,
            octets: octets as u64,
            mailboxes: mailboxes as u64,
        };
        Ok(Shard { path, db, counts })
    }
}

/// The pages of the snapshot before.
#[derive(Default)]
struct Previous {
    pages: Vec<PageAt>,
    /// Name, first page in `pages`, number of them.
    databases: Vec<(String, usize, usize)>,
    /// Indexes into `pages`, ascending by hash: a fifth of what a map would take.
    by_hash: Vec<u32>,
    /// Packs that are there in full and not known to be damaged.
    sound: BTreeSet<u32>,
}

impl Previous {
    fn of(manifest: Manifest, packs: &Path) -> Result<Previous, SnapshotError> {
        let marked = pack::marked_in(packs)?;
        let mut sound = BTreeSet::new();
        for (number, slots) in &manifest.head.packs {
            if !marked.contains(number) && pack::slots(packs, *number)?.is_some_and(|there| there >= *slots) {
                sound.insert(*number);
            }
        }
        let mut databases = Vec::new();
        let mut first = 0;
        for database in &manifest.head.databases {
            databases.push((database.name.clone(), first, database.pages as usize));
            first += database.pages as usize;
        }
        let pages = manifest.pages;
        let mut by_hash: Vec<u32> = (0..pages.len() as u32).collect();
        by_hash.sort_unstable_by_key(|index| pages[*index as usize].hash);
        Ok(Previous { pages, databases, by_hash, sound })
    }

    /// The pages of one database.
    fn database(&self, name: &str) -> &[PageAt] {
        let found = self.databases.iter().find(|(database, ..)| database == name);
        found.map_or(&[], |(_, first, pages)| &self.pages[*first..*first + *pages])
    }

    fn find(&self, hash: &PageHash) -> Option<PageAt> {
        let hash_of = |index: &u32| self.pages[*index as usize].hash;
        let from = self.by_hash.partition_point(|index| hash_of(index) < *hash);
        let alike = self.by_hash[from..].iter().map(|index| self.pages[*index as usize]);
        alike.take_while(|page| page.hash == *hash).find(|page| self.sound.contains(&page.pack))
    }
}

/// The pages of the snapshot that is being taken.
struct Pages {
    previous: Previous,
    new: HashMap<PageHash, (u32, u32)>,
    at: Vec<PageAt>,
}

impl Pages {
    /// `progress` hears how many octets of all databases are done.
    fn read(
        &mut self,
        shard: &Shard,
        packs: &mut PackWriter,
        pacer: &mut Pacer,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), SnapshotError> {
        let first = self.at.len();
        let mut query = shard.db.prepare("SELECT data FROM sqlite_dbpage").map_err(sqlite_at(shard.path))?;
        let mut rows = query.query([]).map_err(sqlite_at(shard.path))?;
        while let Some(row) = rows.next().map_err(sqlite_at(shard.path))? {
            let page = row.get_ref(0).and_then(|value| Ok(value.as_blob()?)).map_err(sqlite_at(shard.path))?;
            let hash = page_hash(page);
            let before = self.previous.database(&shard.counts.name).get(self.at.len() - first).copied();
            let unchanged = before.filter(|at| at.hash == hash && self.previous.sound.contains(&at.pack));
            let at = match unchanged {
                Some(at) => at,
                None => self.place(hash, page, packs)?,
            };
            self.at.push(at);
            if (self.at.len() as u64).is_multiple_of(REPORT_PAGES) {
                progress(self.at.len() as u64 * PAGE_BYTES as u64);
            }
            pacer.rest();
        }
        progress(self.at.len() as u64 * PAGE_BYTES as u64);
        if self.at.len() - first == shard.counts.pages as usize {
            Ok(())
        } else {
            // One transaction shows one number of pages.
            Err(sqlite_at(shard.path)(rusqlite::Error::QueryReturnedNoRows))
        }
    }

    fn place(&mut self, hash: PageHash, page: &[u8], packs: &mut PackWriter) -> Result<PageAt, SnapshotError> {
        if let Some(at) = self.previous.find(&hash) {
            return Ok(at);
        }
        if let Some((pack, slot)) = self.new.get(&hash) {
            return Ok(PageAt { hash, pack: *pack, slot: *slot });
        }
        let (pack, slot) = packs.push(page)?;
        if self.new.len() < NEW_HASHES_MAX {
            self.new.insert(hash, (pack, slot));
        }
        Ok(PageAt { hash, pack, slot })
    }
}
