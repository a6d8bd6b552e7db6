//! THREADID (RFC 8474 5.2): a message joins the conversation of its account that knows its Message-ID or one it refers to.
//! The conversation has the key of its first message as its name; it never changes, also when a late message would join two.
//!
//! Table `thread` is found by account and identifier, so that each new message would write a page of its own there. New rows
//! wait instead, in memory and in `thread_fresh` in the order they came, and go to their place many thousands at a time,
//! sorted, so that those of an account share a page. A crash on the way leaves rows in both, which say the same.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension};

use super::Stop;
use super::group::Group;
use crate::summary::Summary;

/// Identifiers a message is looked up by: its own and those nearest to it.
const IDS_MAX: usize = 12;
/// Rows that wait before they begin to move. Some 5 MB of memory, and half as many more come while they move.
const WAITING: usize = 65_536;
/// Rows a group moves for each it adds.
const MOVED_FOR_EACH: usize = 2;
/// Rows of `thread_fresh` a group forgets after they moved. They lie side by side.
const FORGOTTEN: i64 = 1024;

/// An account and an identifier of a message in it.
type Key = (i64, i64);

/// Threads not in their place yet.
pub(super) struct Threads {
    waiting_max: usize,
    /// The rows of `thread_fresh` that have not moved.
    waiting: HashMap<Key, i64>,
    /// Those of them that go to their place now, the first at the end.
    moving: Vec<(Key, i64)>,
    /// The last row of `thread_fresh` that moves, or moved.
    moved: i64,
    /// The last one that is forgotten.
    forgotten: i64,
    next: i64,
    /// Rows this group added.
    added: usize,
    /// Those the commit that runs added.
    undo: Vec<Key>,
}

impl Threads {
    pub(super) fn load(db: &Connection) -> rusqlite::Result<Threads> {
        Threads::of(db, WAITING)
    }

    fn of(db: &Connection, waiting_max: usize) -> rusqlite::Result<Threads> {
        let mut query = db.prepare("SELECT n, account, hash, thread FROM thread_fresh ORDER BY n")?;
        let mut rows = query.query([])?;
        let (mut waiting, mut first, mut last) = (HashMap::new(), None, 0);
        while let Some(row) = rows.next()? {
            last = row.get(0)?;
            first.get_or_insert(last);
            waiting.insert((row.get(1)?, row.get(2)?), row.get(3)?);
        }
        let forgotten = first.map_or(0, |first: i64| first - 1);
        Ok(Threads {
            waiting_max,
            waiting,
            moving: Vec::new(),
            moved: forgotten,
            forgotten,
            next: last + 1,
            added: 0,
            undo: Vec::new(),
        })
    }

    fn find(&self, db: &Connection, key: Key) -> rusqlite::Result<Option<i64>> {
        if let Some(thread) = self.waiting.get(&key) {
            return Ok(Some(*thread));
        }
        db.prepare_cached("SELECT thread FROM thread WHERE account = ?1 AND hash = ?2")?
            .query_row(key, |row| row.get(0))
            .optional()
    }

    /// A key that `find` does not find.
    fn add(&mut self, db: &Connection, key: Key, thread: i64) -> rusqlite::Result<()> {
        db.prepare_cached("INSERT INTO thread_fresh(n, account, hash, thread) VALUES(?1, ?2, ?3, ?4)")?
            .execute((self.next, key.0, key.1, thread))?;
        self.next += 1;
        self.added += 1;
        self.waiting.insert(key, thread);
        self.undo.push(key);
        Ok(())
    }

    /// From here on `take_back` returns to this moment.
    pub(super) fn mark(&mut self) {
        self.undo.clear();
    }

    /// The rows themselves go with the savepoint; a number that is never used does no harm.
    pub(super) fn take_back(&mut self) {
        self.added -= self.undo.len();
        for key in self.undo.drain(..) {
            self.waiting.remove(&key);
        }
    }

    /// At the end of a group: a step on the way of those that wait. Each is short, so that nobody waits for it.
    pub(super) fn settle(&mut self, db: &Connection) -> rusqlite::Result<()> {
        let added = std::mem::take(&mut self.added);
        if !self.moving.is_empty() {
            let stays = self.moving.len().saturating_sub(added * MOVED_FOR_EACH);
            let mut insert =
                db.prepare_cached("INSERT OR IGNORE INTO thread(account, hash, thread) VALUES(?1, ?2, ?3)")?;
            for (key, thread) in self.moving.drain(stays..).rev() {
                insert.execute((key.0, key.1, thread))?;
                self.waiting.remove(&key);
            }
        } else if self.forgotten < self.moved {
            self.forgotten = self.moved.min(self.forgotten + FORGOTTEN);
            db.prepare_cached("DELETE FROM thread_fresh WHERE n <= ?1")?.execute([self.forgotten])?;
        } else if self.waiting.len() >= self.waiting_max {
            self.moving = self.waiting.iter().map(|(key, thread)| (*key, *thread)).collect();
            self.moving.sort_unstable_by(|one, other| other.cmp(one));
            self.moved = self.next - 1;
        }
        Ok(())
    }
}

impl Group<'_> {
    /// The thread of a message that arrives with `key`; its identifiers are remembered.
    pub(super) fn thread(&mut self, account: i64, summary: &Summary, key: i64) -> Result<i64, Stop> {
        let hashes = identifiers(summary);
        let threads = &mut self.tallies.threads;
        let (mut thread, mut unknown) = (None, Vec::with_capacity(hashes.len()));
        for hash in hashes {
            match threads.find(self.db, (account, hash))? {
                Some(known) => thread = thread.or(Some(known)),
                None => unknown.push(hash),
            }
        }
        let thread = thread.unwrap_or(key);
        for hash in unknown {
            threads.add(self.db, (account, hash), thread)?;
        }
        Ok(thread)
    }
}

/// The message's own identifier first, then the one it answers, then its references from the nearest back.
fn identifiers(summary: &Summary) -> Vec<i64> {
    let own = summary.message_id.split_whitespace().take(1);
    let answered = summary.in_reply_to.split_whitespace().take(1);
    let references = summary.references.split_whitespace().rev();
    let mut hashes = Vec::new();
    for id in own.chain(answered).chain(references) {
        let hash = hash(id);
        if !hashes.contains(&hash) {
            hashes.push(hash);
        }
        if hashes.len() == IDS_MAX {
            break;
        }
    }
    hashes
}

fn hash(id: &str) -> i64 {
    let hash = blake3::hash(id.as_bytes());
    i64::from_le_bytes(std::array::from_fn(|n| hash.as_bytes()[n]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOUND: &str =
        "SELECT count(*), count(DISTINCT hash) FROM (SELECT hash FROM thread UNION ALL SELECT hash FROM thread_fresh)";

    fn database() -> Connection {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(crate::schema::TABLES).unwrap();
        db
    }

    #[test]
    fn rows_that_wait_move_and_are_found_all_the_while_also_after_a_crash() {
        let db = database();
        let mut threads = Threads::of(&db, 50).unwrap();
        let mut most = 0;
        for n in 1..=400 {
            // Accounts in turns, so that the order they came in is not the order of their place.
            let key = (n % 7, n * 7_919 % 1_009);
            assert_eq!(threads.find(&db, key).unwrap(), None);
            threads.mark();
            threads.add(&db, key, n).unwrap();
            threads.settle(&db).unwrap();
            most = most.max(threads.waiting.len());
            for m in 1..=n {
                assert_eq!(threads.find(&db, (m % 7, m * 7_919 % 1_009)).unwrap(), Some(m), "{m} after {n}");
            }
            if n % 97 == 0 {
                threads = Threads::of(&db, 50).unwrap();
            }
        }
        assert!((50..=150).contains(&most), "{most} rows waited");
        let (rows, keys): (i64, i64) = db.query_row(FOUND, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        assert_eq!(keys, 400);
        assert!((400..550).contains(&rows), "{rows} rows");
    }

    #[test]
    fn a_commit_that_is_refused_leaves_no_thread_behind() {
        let db = database();
        let mut threads = Threads::of(&db, 50).unwrap();
        threads.mark();
        threads.add(&db, (1, 1), 10).unwrap();
        threads.mark();
        db.execute_batch("SAVEPOINT one").unwrap();
        threads.add(&db, (1, 2), 20).unwrap();
        db.execute_batch("ROLLBACK TO one; RELEASE one").unwrap();
        threads.take_back();
        for mut threads in [threads, Threads::of(&db, 50).unwrap()] {
            assert_eq!(threads.find(&db, (1, 1)).unwrap(), Some(10));
            assert_eq!(threads.find(&db, (1, 2)).unwrap(), None);
            threads.settle(&db).unwrap();
        }
    }
}
