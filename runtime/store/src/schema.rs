//! The tables of `meta-00.db`, and how connections to it are set up.
//!
//! A message's key is `mailbox << 32 | uid`, so that the rows of a mailbox lie together in UID order. `born` is the MODSEQ a
//! message came with: it grows with the UID, so what arrived since a MODSEQ is found from the end of the mailbox, and
//! the index holds only messages changed after their arrival.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::error::OpenError;

/// What this program writes, and the newest it reads.
pub(crate) const FORMAT: i64 = 2;
/// 3.51.3 ended a bug that could reset a WAL in use.
const SQLITE_VERSION_MIN: i32 = 3_051_003;

const TABLES: &str = "
CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE person(
    id INTEGER PRIMARY KEY, login TEXT NOT NULL UNIQUE, first TEXT NOT NULL, last TEXT NOT NULL, address TEXT NOT NULL,
    folded TEXT NOT NULL UNIQUE, profile TEXT NOT NULL, unit TEXT NOT NULL, home TEXT, quota INTEGER NOT NULL, verifier TEXT);
CREATE TABLE alias(folded TEXT PRIMARY KEY, address TEXT NOT NULL, kind INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE alias_member(folded TEXT NOT NULL, n INTEGER NOT NULL, login TEXT NOT NULL, PRIMARY KEY(folded, n))
    WITHOUT ROWID;
CREATE INDEX alias_member_login ON alias_member(login);
CREATE TABLE ledger(login TEXT PRIMARY KEY, given_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE mailbox(
    id INTEGER PRIMARY KEY, account INTEGER NOT NULL, name TEXT NOT NULL, special INTEGER, uidvalidity INTEGER NOT NULL,
    uidnext INTEGER NOT NULL, modseq INTEGER NOT NULL, messages INTEGER NOT NULL, unseen INTEGER NOT NULL,
    deleted INTEGER NOT NULL, octets INTEGER NOT NULL, seq INTEGER NOT NULL);
CREATE UNIQUE INDEX mailbox_name ON mailbox(account, name);
CREATE TABLE subscription(account INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY(account, name)) WITHOUT ROWID;
CREATE TABLE msg(
    id INTEGER PRIMARY KEY, modseq INTEGER NOT NULL, born INTEGER NOT NULL, flags INTEGER NOT NULL, kw TEXT,
    size INTEGER NOT NULL, idate INTEGER NOT NULL, zone INTEGER NOT NULL, blob INTEGER NOT NULL, saved INTEGER NOT NULL);
CREATE INDEX msg_touched ON msg(id >> 32, modseq) WHERE modseq > born;
CREATE TABLE summary(
    id INTEGER PRIMARY KEY, envelope BLOB NOT NULL, bodystructure BLOB NOT NULL, body BLOB NOT NULL, preview TEXT NOT NULL,
    subject TEXT NOT NULL, sender TEXT NOT NULL, recipient TEXT NOT NULL, cc TEXT NOT NULL, bcc TEXT NOT NULL,
    message_id TEXT NOT NULL, in_reply_to TEXT NOT NULL, refs TEXT NOT NULL, sent INTEGER,
    whole INTEGER NOT NULL DEFAULT 0);
CREATE TABLE vanished(mailbox INTEGER NOT NULL, modseq INTEGER NOT NULL, uid INTEGER NOT NULL,
    PRIMARY KEY(mailbox, modseq, uid)) WITHOUT ROWID;
CREATE TABLE blob(
    id INTEGER PRIMARY KEY, seg INTEGER NOT NULL, off INTEGER NOT NULL, skip INTEGER NOT NULL, len INTEGER NOT NULL,
    crc INTEGER NOT NULL, refs INTEGER NOT NULL, freed_at INTEGER, delivery BLOB NOT NULL);
CREATE TABLE delivery(id BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE spool(
    id BLOB PRIMARY KEY, blob INTEGER NOT NULL, reverse_path TEXT NOT NULL, plan TEXT NOT NULL, accepted_at INTEGER NOT NULL,
    facts BLOB NOT NULL, waiting INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE spool_recipient(
    spool BLOB NOT NULL, n INTEGER NOT NULL, forward_path TEXT NOT NULL, hop INTEGER NOT NULL, route TEXT NOT NULL,
    state INTEGER NOT NULL, due_at INTEGER NOT NULL, attempts INTEGER NOT NULL, reply TEXT NOT NULL, facts BLOB NOT NULL,
    PRIMARY KEY(spool, n)) WITHOUT ROWID;
CREATE INDEX spool_due ON spool_recipient(due_at) WHERE state = 0;
CREATE TABLE quarantine(
    id BLOB PRIMARY KEY, blob INTEGER NOT NULL, why TEXT NOT NULL, engine TEXT NOT NULL, signature TEXT NOT NULL,
    reverse_path TEXT NOT NULL, recipients TEXT NOT NULL, facts BLOB NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE loss(
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, queue BLOB NOT NULL, reverse_path TEXT NOT NULL, recipient TEXT NOT NULL,
    reason TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TABLE decision(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, row TEXT NOT NULL);
CREATE TABLE ring(key BLOB PRIMARY KEY, ticks BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE setting(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
";

/// Format 1 did not know which header fields a summary has whole.
const FROM_1: &str = "ALTER TABLE summary ADD COLUMN whole INTEGER NOT NULL DEFAULT 0;";

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Write,
    Checkpoint,
    Read,
}

/// Opens a connection. SQLite's own locks are not needed: each connection stays with one thread at a time.
pub(crate) fn connect(database: &Path, purpose: Purpose) -> rusqlite::Result<Connection> {
    let access = match purpose {
        Purpose::Write => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        Purpose::Checkpoint => OpenFlags::SQLITE_OPEN_READ_WRITE,
        Purpose::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    let db = Connection::open_with_flags(database, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // Without it SQLite plans a cached statement again for each value bound to it (its build looks at statistics).
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    db.busy_timeout(std::time::Duration::from_secs(5))?;
    // Negative: KiB. A reader's pages come from the page cache of the system when they are not here.
    let cache_kib = match purpose {
        Purpose::Write => -32_768,
        Purpose::Checkpoint => -64,
        Purpose::Read => -2_048,
    };
    if purpose == Purpose::Write {
        db.pragma_update(None, "page_size", 4096)?;
        keep_wal(&db)?;
    }
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "wal_autocheckpoint", 0)?;
    db.pragma_update(None, "foreign_keys", false)?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.pragma_update(None, "cache_size", cache_kib)?;
    db.set_prepared_statement_cache_capacity(128);
    Ok(db)
}

/// Runs the pragma to its end, not to its first row: the row says `wal` before the change is committed, and when that fails
/// the store would go on with the rollback journal, whose commits synchronous=FULL does not make durable.
fn keep_wal(db: &Connection) -> rusqlite::Result<()> {
    let mut pragma = db.prepare("PRAGMA journal_mode = WAL")?;
    let mut rows = pragma.query([])?;
    let mut mode = String::new();
    while let Some(row) = rows.next()? {
        mode = row.get(0)?;
    }
    if mode == "wal" { Ok(()) } else { Err(rusqlite::Error::InvalidQuery) }
}

/// Creates the tables of a new store; refuses what a later version wrote. `first_uidvalidity` starts the counter of a new store.
pub(crate) fn prepare(db: &mut Connection, first_uidvalidity: u32) -> Result<(), OpenError> {
    let version = rusqlite::version_number();
    if version < SQLITE_VERSION_MIN {
        return Err(OpenError::SqliteTooOld { version });
    }
    let format: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if format > FORMAT {
        return Err(OpenError::Newer { format });
    }
    if format == FORMAT {
        // Nothing is written, so that a store opens on a full device too.
        return Ok(());
    }
    let tx = db.transaction()?;
    if format == 1 {
        tx.execute_batch(FROM_1)?;
        tx.pragma_update(None, "user_version", FORMAT)?;
        return Ok(tx.commit()?);
    }
    tx.execute_batch(TABLES)?;
    let defaults = [
        ("seq", 0),
        ("uidvalidity", i64::from(first_uidvalidity)),
        ("tail_blob", 0),
        ("next_blob", 1),
        ("next_mailbox", 1),
    ];
    for (key, value) in defaults {
        tx.execute("INSERT INTO meta(key, value) VALUES(?1, ?2)", (key, value))?;
    }
    tx.pragma_update(None, "user_version", FORMAT)?;
    tx.commit()?;
    Ok(())
}

/// The key of a message.
pub(crate) fn message_key(mailbox: u32, uid: u32) -> i64 {
    i64::from(mailbox) << 32 | i64::from(uid)
}

/// The UID in a message's key.
pub(crate) fn uid_of(key: i64) -> u32 {
    (key & 0xffff_ffff) as u32
}
