//! The pages of databases at one moment, read through SQLite's `sqlite_dbpage` and compared with the snapshot before.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use rusqlite::Connection;

use super::error::sqlite_at;
use super::manifest::{DatabaseCounts, Manifest, PageAt, PageHash, is_database_name, page_hash};
use super::pace::Pacer;
use super::pack::{self, PackWriter};
use super::{PAGE_BYTES, SnapshotError};
use crate::schema::{self, Purpose};

/// New pages whose hashes are kept to find one that comes twice in a snapshot.
const NEW_HASHES_MAX: usize = 1 << 20;
/// Pages between two reports.
const REPORT_PAGES: u64 = 64;

/// A database at one moment.
pub(super) struct Shard<'a> {
    path: &'a Path,
    db: Connection,
    pub(super) counts: DatabaseCounts,
}

impl Shard<'_> {
    /// Begins the read transaction, which ends when the connection is dropped.
    pub(super) fn begin(path: &Path) -> Result<Shard<'_>, SnapshotError> {
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
pub(super) struct Previous {
    pages: Vec<PageAt>,
    /// Name, first page in `pages`, number of them.
    databases: Vec<(String, usize, usize)>,
    /// Indexes into `pages`, ascending by hash: a fifth of what a map would take.
    by_hash: Vec<u32>,
    /// Packs that are there in full and not known to be damaged.
    sound: BTreeSet<u32>,
}

impl Previous {
    pub(super) fn of(manifest: Manifest, packs: &Path) -> Result<Previous, SnapshotError> {
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
pub(super) struct Pages {
    previous: Previous,
    new: HashMap<PageHash, (u32, u32)>,
    /// Of all databases so far, one behind the other.
    pub(super) at: Vec<PageAt>,
}

impl Pages {
    pub(super) fn after(previous: Previous) -> Pages {
        Pages { previous, new: HashMap::new(), at: Vec::new() }
    }

    /// `progress` hears how many octets of all databases are done.
    pub(super) fn read(
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
                None => {
                    let stored = packs.pages;
                    let at = self.place(hash, page, packs)?;
                    pacer.wrote((packs.pages - stored) * PAGE_BYTES as u64);
                    at
                }
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
