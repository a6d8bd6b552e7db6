//! The file `search-NN.db`: an FTS5 table of terms, and how far each mailbox is indexed. Rows and cursors are written in one
//! transaction, so a crash loses work and never an answer.
//!
//! `synchronous=NORMAL`: a commit is not flushed. What a power cut takes is indexed again.

use std::path::{Path, PathBuf};

use rusqlite::ffi::{SQLITE_IOERR_READ, SQLITE_IOERR_SHORT_READ};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Row};

use super::order;
use crate::schema::message_key;

/// Another format is made anew, not converted.
const FORMAT: i64 = 3;
const PAGE_BYTES: u64 = 4096;
/// FTS5 writes out what it gathered when it is longer than this, in octets.
const GATHERED_BYTES_MAX: i64 = 16 << 20;

/// More than there are here.
const STATEMENTS_KEPT: usize = 64;

/// A key is `mailbox << 32 | uid`, so a mailbox is a range of rowids and FTS5 skips over the others. `unindexed` holds
/// messages whose terms are not here: they may hold any text.
const TABLES: &str = "
CREATE TABLE state(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE mailbox(id INTEGER PRIMARY KEY, uidvalidity INTEGER NOT NULL, uid INTEGER NOT NULL, modseq INTEGER NOT NULL);
CREATE TABLE unindexed(id INTEGER PRIMARY KEY);
CREATE VIRTUAL TABLE message USING fts5(terms, content='', contentless_delete=1, detail=none, tokenize='ascii');
INSERT INTO state(key, value) VALUES('seq', 0), ('reach', 0);
";

/// How far a mailbox is indexed: messages up to `uid`, and what vanished up to `modseq`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) uidvalidity: u32,
    pub(super) uid: u32,
    pub(super) modseq: u64,
}

/// The connection that writes; one at a time.
pub(super) struct Index {
    db: Connection,
}

impl Index {
    /// Opens the file or makes it; `None` when it is of another format or cut. An error that is [`is_damage`] says that it has to be
    /// made anew.
    pub(super) fn open(path: &Path) -> rusqlite::Result<Option<Index>> {
        // SQLite would take what is missing of the last page for zeros.
        if std::fs::metadata(path).is_ok_and(|file| file.len() % PAGE_BYTES != 0) {
            return Ok(None);
        }
        let db = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        db.pragma_update(None, "page_size", PAGE_BYTES as i64)?;
        db.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        db.pragma_update(None, "synchronous", "NORMAL")?;
        // Negative: KiB.
        db.pragma_update(None, "cache_size", -8_192)?;
        db.pragma_update(None, "journal_size_limit", 64 << 20)?;
        let format: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        let index = Index { db };
        match (tables, format) {
            (0, _) => index.make()?,
            (_, FORMAT) => {}
            _ => return Ok(None),
        }
        index.look()?;
        Ok(Some(index))
    }

    fn make(&self) -> rusqlite::Result<()> {
        let tx = self.db.unchecked_transaction()?;
        tx.execute_batch(TABLES)?;
        order::make(&tx)?;
        tx.execute("INSERT INTO message(message, rank) VALUES('hashsize', ?1)", [GATHERED_BYTES_MAX])?;
        tx.pragma_update(None, "user_version", FORMAT)?;
        tx.commit()
    }

    /// Touches every table, so that a file that lost its tail is found before it answers.
    fn look(&self) -> rusqlite::Result<()> {
        self.reach()?;
        self.cursors()?;
        order::look(&self.db)?;
        for look in [
            "SELECT max(id) FROM unindexed",
            "SELECT max(id) FROM message_docsize",
            "SELECT count(*) FROM message_idx",
            "SELECT max(id) + length(block) FROM message_data",
            "SELECT count(*) FROM message WHERE message MATCH 'a' AND rowid < 0",
        ] {
            self.db.query_row(look, [], |row| row.get::<_, Option<i64>>(0))?;
        }
        Ok(())
    }

    /// Every change of the store up to this number is in the index.
    pub(super) fn seq(&self) -> rusqlite::Result<u64> {
        self.state("seq")
    }

    pub(super) fn set_seq(&self, seq: u64) -> rusqlite::Result<()> {
        self.set_state("seq", seq)
    }

    /// No change of the store behind this number is in the index.
    pub(super) fn reach(&self) -> rusqlite::Result<u64> {
        self.state("reach")
    }

    fn state(&self, key: &str) -> rusqlite::Result<u64> {
        let mut query = self.db.prepare_cached("SELECT value FROM state WHERE key = ?1")?;
        query.query_row([key], |row| row.get::<_, i64>(0)).map(|value| value as u64)
    }

    fn set_state(&self, key: &str, value: u64) -> rusqlite::Result<()> {
        let mut update = self.db.prepare_cached("UPDATE state SET value = ?2 WHERE key = ?1")?;
        update.execute((key, value as i64)).map(|_| ())
    }

    /// The cursors of all mailboxes, ascending by mailbox.
    pub(super) fn cursors(&self) -> rusqlite::Result<Vec<(u32, Cursor)>> {
        let mut query = self.db.prepare_cached("SELECT uidvalidity, uid, modseq, id FROM mailbox ORDER BY id")?;
        query.query_map([], |row| Ok((row.get(3)?, cursor_row(row)?)))?.collect()
    }

    pub(super) fn cursor(&self, mailbox: u32) -> rusqlite::Result<Option<Cursor>> {
        cursor(&self.db, mailbox)
    }

    pub(super) fn set_cursor(&self, mailbox: u32, cursor: Cursor) -> rusqlite::Result<()> {
        let mut insert = self
            .db
            .prepare_cached("INSERT OR REPLACE INTO mailbox(id, uidvalidity, uid, modseq) VALUES(?1, ?2, ?3, ?4)")?;
        insert.execute((mailbox, cursor.uidvalidity, cursor.uid, cursor.modseq as i64)).map(|_| ())
    }

    /// Keys go up within a transaction, or FTS5 writes out what it gathered each time.
    pub(super) fn add(&self, mailbox: u32, uid: u32, terms: &str) -> rusqlite::Result<()> {
        let mut insert = self.db.prepare_cached("INSERT INTO message(rowid, terms) VALUES(?1, ?2)")?;
        insert.execute((message_key(mailbox, uid), terms)).map(|_| ())
    }

    /// A message that may hold any text.
    pub(super) fn add_unindexed(&self, mailbox: u32, uid: u32) -> rusqlite::Result<()> {
        let mut insert = self.db.prepare_cached("INSERT OR IGNORE INTO unindexed(id) VALUES(?1)")?;
        insert.execute([message_key(mailbox, uid)]).map(|_| ())
    }

    /// `uids` ascend.
    pub(super) fn remove(&self, mailbox: u32, uids: &[u32]) -> rusqlite::Result<()> {
        for uid in uids {
            let key = message_key(mailbox, *uid);
            self.db.prepare_cached("DELETE FROM message WHERE rowid = ?1")?.execute([key])?;
            self.db.prepare_cached("DELETE FROM unindexed WHERE id = ?1")?.execute([key])?;
        }
        order::remove(&self.db, mailbox, uids)
    }

    /// Takes at most `limit` messages of a mailbox out; true when none is left and its cursor went too.
    pub(super) fn remove_mailbox(&self, mailbox: u32, limit: usize) -> rusqlite::Result<bool> {
        let (first, last) = (message_key(mailbox, 0), message_key(mailbox, u32::MAX));
        let mut query =
            self.db.prepare_cached("SELECT id FROM message_docsize WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT ?3")?;
        let keys: Vec<i64> =
            query.query_map((first, last, limit as i64), |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut delete = self.db.prepare_cached("DELETE FROM message WHERE rowid = ?1")?;
        for key in &keys {
            delete.execute([key])?;
        }
        if keys.len() < limit {
            self.db.execute("DELETE FROM unindexed WHERE id BETWEEN ?1 AND ?2", (first, last))?;
            order::remove_mailbox(&self.db, mailbox)?;
            self.db.execute("DELETE FROM mailbox WHERE id = ?1", [mailbox])?;
        }
        Ok(keys.len() < limit)
    }

    pub(super) fn db(&self) -> &Connection {
        &self.db
    }

    pub(super) fn begin(&self) -> rusqlite::Result<()> {
        self.db.execute_batch("BEGIN IMMEDIATE")
    }

    /// `reach` is at least the change number of what the transaction holds.
    pub(super) fn commit(&self, reach: u64) -> rusqlite::Result<()> {
        self.set_state("reach", reach)?;
        self.db.execute_batch("COMMIT")
    }

    pub(super) fn roll_back(&self) {
        if !self.db.is_autocommit() {
            // One that fails leaves nothing either: the connection goes.
            let _ = self.db.execute_batch("ROLLBACK");
        }
    }
}

pub(super) fn cursor(db: &Connection, mailbox: u32) -> rusqlite::Result<Option<Cursor>> {
    let mut query = db.prepare_cached("SELECT uidvalidity, uid, modseq FROM mailbox WHERE id = ?1")?;
    query.query_row([mailbox], cursor_row).optional()
}

fn cursor_row(row: &Row) -> rusqlite::Result<Cursor> {
    Ok(Cursor { uidvalidity: row.get(0)?, uid: row.get(1)?, modseq: row.get::<_, i64>(2)? as u64 })
}

pub(super) fn connect(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    let db = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.busy_timeout(std::time::Duration::from_secs(5))?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(db)
}

/// Deletes the file with its WAL.
pub(super) fn remove_files(path: &Path) -> std::io::Result<()> {
    // The WAL first: one that is left must not meet another file.
    for suffix in ["-wal", "-shm", ""] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match std::fs::remove_file(PathBuf::from(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// Does the error say that the file is not what was written? Everything does but trouble of the machine.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    let machine = matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::OutOfMemory
                | ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::ReadOnly
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::SchemaChanged
                | ErrorCode::OperationInterrupted
        )
    );
    // Pages that should be there and are not, or cannot be read: another file has others.
    let unreadable =
        error.sqlite_error().is_some_and(|e| [SQLITE_IOERR_READ, SQLITE_IOERR_SHORT_READ].contains(&e.extended_code));
    !machine || unreadable
}
