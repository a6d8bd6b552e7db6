//! The tables of a shard `meta-NN.db`, and how connections to it are set up.
//!
//! A message's key is `mailbox << 32 | uid`, so that the rows of a mailbox lie together in UID order. `born` is the MODSEQ a
//! message came with: it grows with the UID, so what arrived since a MODSEQ is found from the end of the mailbox, and
//! the index holds only messages changed after their arrival.
//!
//! Every shard has all tables. `account` and what hangs on it (`mailbox` to `acl`), `blob`, `delivery`, `taken` and
//! `changelog` are used in the shard of the account; the others only in shard 0.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::error::OpenError;
use crate::id::MailboxId;

/// What this program writes.
pub const FORMAT: i64 = 7;
/// The format floor: the oldest format whose programs can serve a store of `FORMAT` and lose nothing of it. A step that only
/// adds (tables, indexes, columns that have a default and may keep it) leaves the floor where it is; every other step raises
/// it to the format it makes. The store carries it as `served_by`, so that a program an update is fallen back to knows.
pub(crate) const FORMAT_SERVED_BY: i64 = 6;
/// The oldest format a step leads from. Format 1 was never released.
pub(crate) const FORMAT_FLOOR: i64 = 2;
/// 3.51.3 ended a bug that could reset a WAL in use.
const SQLITE_VERSION_MIN: i32 = 3_051_003;

pub(crate) const TABLES: &str = "
CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE person(
    id INTEGER PRIMARY KEY, login TEXT NOT NULL UNIQUE, first TEXT NOT NULL, last TEXT NOT NULL, address TEXT NOT NULL,
    folded TEXT NOT NULL UNIQUE, profile TEXT NOT NULL, unit TEXT NOT NULL, home TEXT, quota INTEGER NOT NULL, verifier TEXT,
    shard INTEGER NOT NULL DEFAULT 0, source INTEGER NOT NULL DEFAULT 0, foreign_id TEXT NOT NULL DEFAULT '',
    registered TEXT NOT NULL DEFAULT '', until TEXT NOT NULL DEFAULT '', standing BLOB, due INTEGER, secret BLOB);
CREATE INDEX person_foreign ON person(foreign_id) WHERE foreign_id <> '';
CREATE INDEX person_due ON person(due, login) WHERE due IS NOT NULL;
CREATE INDEX person_unit ON person(unit, login);
CREATE TABLE person_word(word TEXT NOT NULL, login TEXT NOT NULL, PRIMARY KEY(word, login)) WITHOUT ROWID;
CREATE INDEX person_word_login ON person_word(login);
CREATE TABLE alias(folded TEXT PRIMARY KEY, address TEXT NOT NULL, kind INTEGER NOT NULL, quota INTEGER NOT NULL DEFAULT 0)
    WITHOUT ROWID;
CREATE TABLE alias_member(
    folded TEXT NOT NULL, n INTEGER NOT NULL, login TEXT NOT NULL, own INTEGER NOT NULL DEFAULT 1, PRIMARY KEY(folded, n))
    WITHOUT ROWID;
CREATE INDEX alias_member_login ON alias_member(login);
CREATE TABLE alias_follows(folded TEXT NOT NULL, n INTEGER NOT NULL, target TEXT NOT NULL, PRIMARY KEY(folded, n))
    WITHOUT ROWID;
CREATE INDEX alias_follows_target ON alias_follows(target);
CREATE TABLE given(
    what TEXT PRIMARY KEY, kind INTEGER NOT NULL, holder TEXT NOT NULL, at INTEGER NOT NULL, freed_at INTEGER) WITHOUT ROWID;
CREATE INDEX given_holder ON given(holder, kind);
CREATE TABLE access(
    login TEXT NOT NULL, how TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, times INTEGER NOT NULL,
    PRIMARY KEY(login, how)) WITHOUT ROWID;
CREATE INDEX access_last ON access(last);
CREATE TABLE account(
    id INTEGER PRIMARY KEY, login TEXT NOT NULL UNIQUE, quota INTEGER NOT NULL, warned INTEGER NOT NULL);
CREATE TABLE mailbox(
    id INTEGER PRIMARY KEY, account INTEGER NOT NULL, name TEXT NOT NULL, special INTEGER, uidvalidity INTEGER NOT NULL,
    uidnext INTEGER NOT NULL, modseq INTEGER NOT NULL, messages INTEGER NOT NULL, unseen INTEGER NOT NULL,
    deleted INTEGER NOT NULL, octets INTEGER NOT NULL, seq INTEGER NOT NULL);
CREATE UNIQUE INDEX mailbox_name ON mailbox(account, name);
CREATE TABLE subscription(account INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY(account, name)) WITHOUT ROWID;
CREATE TABLE msg(
    id INTEGER PRIMARY KEY, modseq INTEGER NOT NULL, born INTEGER NOT NULL, flags INTEGER NOT NULL, kw TEXT,
    size INTEGER NOT NULL, idate INTEGER NOT NULL, zone INTEGER NOT NULL, blob INTEGER NOT NULL, saved INTEGER NOT NULL,
    thread INTEGER);
CREATE INDEX msg_touched ON msg(id >> 32, modseq) WHERE modseq > born;
CREATE TABLE summary(
    id INTEGER PRIMARY KEY, envelope BLOB NOT NULL, bodystructure BLOB NOT NULL, body BLOB NOT NULL, preview TEXT NOT NULL,
    subject TEXT NOT NULL, sender TEXT NOT NULL, recipient TEXT NOT NULL, cc TEXT NOT NULL, bcc TEXT NOT NULL,
    message_id TEXT NOT NULL, in_reply_to TEXT NOT NULL, refs TEXT NOT NULL, sent INTEGER,
    whole INTEGER NOT NULL DEFAULT 0);
CREATE TABLE vanished(mailbox INTEGER NOT NULL, modseq INTEGER NOT NULL, uid INTEGER NOT NULL,
    PRIMARY KEY(mailbox, modseq, uid)) WITHOUT ROWID;
CREATE TABLE thread(account INTEGER NOT NULL, hash INTEGER NOT NULL, thread INTEGER NOT NULL, PRIMARY KEY(account, hash))
    WITHOUT ROWID;
CREATE TABLE thread_fresh(
    n INTEGER PRIMARY KEY, account INTEGER NOT NULL, hash INTEGER NOT NULL, thread INTEGER NOT NULL);
CREATE TABLE annotation(
    account INTEGER NOT NULL, mailbox INTEGER NOT NULL, entry TEXT NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY(account, mailbox, entry)) WITHOUT ROWID;
CREATE TABLE acl(
    mailbox INTEGER NOT NULL, grantee TEXT NOT NULL, negative INTEGER NOT NULL, rights INTEGER NOT NULL, until INTEGER,
    PRIMARY KEY(mailbox, grantee, negative)) WITHOUT ROWID;
CREATE INDEX acl_grantee ON acl(grantee, negative, mailbox);
CREATE TABLE blob(
    id INTEGER PRIMARY KEY, seg INTEGER NOT NULL, off INTEGER NOT NULL, skip INTEGER NOT NULL, len INTEGER NOT NULL,
    crc INTEGER NOT NULL, refs INTEGER NOT NULL, freed_at INTEGER, delivery BLOB NOT NULL, email INTEGER);
CREATE INDEX blob_freed ON blob(seg) WHERE refs = 0;
CREATE INDEX blob_email ON blob(email) WHERE email IS NOT NULL;
CREATE TABLE delivery(id BLOB PRIMARY KEY, message_id TEXT, hash BLOB, got BLOB, blob INTEGER, marks BLOB) WITHOUT ROWID;
CREATE TABLE taken(
    item BLOB NOT NULL, mailbox INTEGER NOT NULL, uid INTEGER NOT NULL, account INTEGER NOT NULL, name TEXT NOT NULL,
    flags INTEGER NOT NULL, kw TEXT, idate INTEGER NOT NULL, zone INTEGER NOT NULL, saved INTEGER NOT NULL, thread INTEGER,
    email INTEGER NOT NULL, PRIMARY KEY(item, mailbox, uid)) WITHOUT ROWID;
CREATE TABLE changelog(seq INTEGER NOT NULL, mailbox INTEGER NOT NULL, PRIMARY KEY(seq, mailbox)) WITHOUT ROWID;
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
    reverse_path TEXT NOT NULL, recipients TEXT NOT NULL, facts BLOB NOT NULL, at INTEGER NOT NULL,
    kind INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE INDEX quarantine_kind ON quarantine(kind, id);
CREATE TABLE loss(
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, queue BLOB NOT NULL, reverse_path TEXT NOT NULL, recipient TEXT NOT NULL,
    reason TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TABLE decision(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, row TEXT NOT NULL);
CREATE TABLE ring(key BLOB PRIMARY KEY, ticks BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE setting(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE statistic(
    bucket INTEGER NOT NULL, token INTEGER NOT NULL, spam INTEGER NOT NULL, ham INTEGER NOT NULL,
    PRIMARY KEY(bucket, token)) WITHOUT ROWID;
CREATE TABLE audit(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL);
";

/// Format 2 had one shard, no accounts apart from people, and no threads, annotations, change log or statistics. The
/// change log begins with every mailbox, so that whoever follows it sees all of them once.
const FROM_2: &str = "
ALTER TABLE person ADD COLUMN shard INTEGER NOT NULL DEFAULT 0;
ALTER TABLE msg ADD COLUMN thread INTEGER;
ALTER TABLE blob ADD COLUMN email INTEGER;
CREATE INDEX blob_freed ON blob(seg) WHERE refs = 0;
ALTER TABLE delivery ADD COLUMN message_id TEXT;
ALTER TABLE delivery ADD COLUMN hash BLOB;
ALTER TABLE delivery ADD COLUMN got BLOB;
CREATE TABLE account(
    id INTEGER PRIMARY KEY, login TEXT NOT NULL UNIQUE, quota INTEGER NOT NULL, warned INTEGER NOT NULL);
INSERT INTO account SELECT id, login, quota, 0 FROM person;
CREATE TABLE thread(account INTEGER NOT NULL, hash INTEGER NOT NULL, thread INTEGER NOT NULL, PRIMARY KEY(account, hash))
    WITHOUT ROWID;
CREATE TABLE thread_fresh(
    n INTEGER PRIMARY KEY, account INTEGER NOT NULL, hash INTEGER NOT NULL, thread INTEGER NOT NULL);
CREATE TABLE annotation(
    account INTEGER NOT NULL, mailbox INTEGER NOT NULL, entry TEXT NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY(account, mailbox, entry)) WITHOUT ROWID;
CREATE TABLE changelog(seq INTEGER NOT NULL, mailbox INTEGER NOT NULL, PRIMARY KEY(seq, mailbox)) WITHOUT ROWID;
INSERT INTO changelog SELECT seq, id FROM mailbox;
CREATE TABLE statistic(
    bucket INTEGER NOT NULL, token INTEGER NOT NULL, spam INTEGER NOT NULL, ham INTEGER NOT NULL,
    PRIMARY KEY(bucket, token)) WITHOUT ROWID;
CREATE TABLE audit(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL);
INSERT INTO meta VALUES('shard', 0), ('next_account', (SELECT ifnull(max(id), 0) + 1 FROM person));
";

/// Format 3 had no rights and no functional addresses with mailboxes of their own.
const FROM_3: &str = "
ALTER TABLE alias ADD COLUMN quota INTEGER NOT NULL DEFAULT 0;
CREATE TABLE acl(
    mailbox INTEGER NOT NULL, grantee TEXT NOT NULL, negative INTEGER NOT NULL, rights INTEGER NOT NULL, until INTEGER,
    PRIMARY KEY(mailbox, grantee, negative)) WITHOUT ROWID;
CREATE INDEX acl_grantee ON acl(grantee, negative, mailbox);
";

/// Format 4 kept apart what was quarantined only, took nothing out of mailboxes, and its delivery index had no marks.
const FROM_4: &str = "
ALTER TABLE quarantine ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;
CREATE INDEX quarantine_kind ON quarantine(kind, id);
ALTER TABLE delivery ADD COLUMN blob INTEGER;
ALTER TABLE delivery ADD COLUMN marks BLOB;
CREATE INDEX blob_email ON blob(email) WHERE email IS NOT NULL;
CREATE TABLE taken(
    item BLOB NOT NULL, mailbox INTEGER NOT NULL, uid INTEGER NOT NULL, account INTEGER NOT NULL, name TEXT NOT NULL,
    flags INTEGER NOT NULL, kw TEXT, idate INTEGER NOT NULL, zone INTEGER NOT NULL, saved INTEGER NOT NULL, thread INTEGER,
    email INTEGER NOT NULL, PRIMARY KEY(item, mailbox, uid)) WITHOUT ROWID;
";

/// Format 5 knew people by what a file said of them: not where they come from, until when they stay and who had which
/// address. The words people are looked for by follow, see `prepare`.
const FROM_5: &str = "
ALTER TABLE person ADD COLUMN source INTEGER NOT NULL DEFAULT 0;
ALTER TABLE person ADD COLUMN foreign_id TEXT NOT NULL DEFAULT '';
ALTER TABLE person ADD COLUMN registered TEXT NOT NULL DEFAULT '';
ALTER TABLE person ADD COLUMN until TEXT NOT NULL DEFAULT '';
ALTER TABLE person ADD COLUMN standing BLOB;
ALTER TABLE person ADD COLUMN due INTEGER;
ALTER TABLE person ADD COLUMN secret BLOB;
CREATE INDEX person_foreign ON person(foreign_id) WHERE foreign_id <> '';
CREATE INDEX person_due ON person(due, login) WHERE due IS NOT NULL;
CREATE INDEX person_unit ON person(unit, login);
CREATE TABLE person_word(word TEXT NOT NULL, login TEXT NOT NULL, PRIMARY KEY(word, login)) WITHOUT ROWID;
CREATE INDEX person_word_login ON person_word(login);
CREATE TABLE given(
    what TEXT PRIMARY KEY, kind INTEGER NOT NULL, holder TEXT NOT NULL, at INTEGER NOT NULL, freed_at INTEGER) WITHOUT ROWID;
INSERT INTO given SELECT login, 0, '', given_at, NULL FROM ledger;
DROP TABLE ledger;
CREATE TABLE access(
    login TEXT NOT NULL, how TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, times INTEGER NOT NULL,
    PRIMARY KEY(login, how)) WITHOUT ROWID;
CREATE INDEX access_last ON access(last);
";

/// Format 6 knew whom an address led to, not that it leads there by way of another; and to whom something was given, not what
/// somebody was given without looking at all of it.
const FROM_6: &str = "
ALTER TABLE alias_member ADD COLUMN own INTEGER NOT NULL DEFAULT 1;
CREATE TABLE alias_follows(folded TEXT NOT NULL, n INTEGER NOT NULL, target TEXT NOT NULL, PRIMARY KEY(folded, n))
    WITHOUT ROWID;
CREATE INDEX alias_follows_target ON alias_follows(target);
CREATE INDEX given_holder ON given(holder, kind);
";

/// What is on the record stays as it was written, whatever a statement of ours gets wrong. Entries go when they are old
/// (`retention.audit`): the trim says in `meta` up to when, in its own transaction.
const AUDIT_STAYS: &str = "
CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is not rewritten'); END;
CREATE TRIGGER audit_kept BEFORE DELETE ON audit
WHEN old.at >= ifnull((SELECT value FROM meta WHERE key = 'audit_from'), old.at)
BEGIN SELECT RAISE(ABORT, 'the audit is kept'); END;
";

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
        set_journal_mode(&db, "wal")?;
    }
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "wal_autocheckpoint", 0)?;
    db.pragma_update(None, "foreign_keys", false)?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.pragma_update(None, "cache_size", cache_kib)?;
    db.set_prepared_statement_cache_capacity(128);
    Ok(db)
}

/// Runs the pragma to its end, not to its first row: the row says the mode before the change is committed, and when that
/// fails the store would go on with the rollback journal, whose commits synchronous=FULL does not make durable.
pub(crate) fn set_journal_mode(db: &Connection, wanted: &str) -> rusqlite::Result<()> {
    let mut pragma = db.prepare(&format!("PRAGMA journal_mode = {wanted}"))?;
    let mut rows = pragma.query([])?;
    let mut mode = String::new();
    while let Some(row) = rows.next()? {
        mode = row.get(0)?;
    }
    if mode == wanted { Ok(()) } else { Err(rusqlite::Error::InvalidQuery) }
}

/// What a program does with formats, for whoever decides which program comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Formats {
    /// What it writes.
    pub writes: i64,
    /// Programs that write this format or a later one can serve what it writes.
    pub served_by: i64,
    /// The oldest it leads to its own.
    pub leads_from: i64,
}

/// Those of this program.
pub const FORMATS: Formats = Formats { writes: FORMAT, served_by: FORMAT_SERVED_BY, leads_from: FORMAT_FLOOR };

/// Creates the tables of a new shard and leads older ones to this format; refuses what is too old, and what is newer and says
/// that this program cannot serve it. What a later program wrote and this one can serve stays in the later format.
/// `first_uidvalidity` starts the counter of a new shard.
pub(crate) fn prepare(db: &mut Connection, shard: u8, first_uidvalidity: u32) -> Result<(), OpenError> {
    let version = rusqlite::version_number();
    if version < SQLITE_VERSION_MIN {
        return Err(OpenError::SqliteTooOld { version });
    }
    let format: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if format > FORMAT && served_by(db, format)? > FORMAT {
        return Err(OpenError::Newer { format, newest: FORMAT });
    }
    if format != 0 && format < FORMAT_FLOOR {
        return Err(OpenError::Older { format, floor: FORMAT_FLOOR });
    }
    if format >= FORMAT {
        // Nothing is written, so that a store opens on a full device too.
        let is: i64 = db.query_row("SELECT value FROM meta WHERE key = 'shard'", [], |row| row.get(0))?;
        return if is == i64::from(shard) { Ok(()) } else { Err(OpenError::WrongShard { file: shard, is }) };
    }
    let tx = db.transaction()?;
    if format != 0 {
        let steps = [(2, FROM_2), (3, FROM_3), (4, FROM_4), (5, FROM_5), (6, FROM_6)];
        steps.iter().filter(|(from, _)| *from >= format).try_for_each(|(_, step)| tx.execute_batch(step))?;
        if format < 6 {
            crate::given::fill_in(&tx)?;
            tx.execute_batch(AUDIT_STAYS)?;
        }
        tx.execute("INSERT OR REPLACE INTO meta(key, value) VALUES('served_by', ?1)", [FORMAT_SERVED_BY])?;
        tx.pragma_update(None, "user_version", FORMAT)?;
        return Ok(tx.commit()?);
    }
    tx.execute_batch(TABLES)?;
    tx.execute_batch(AUDIT_STAYS)?;
    let first = i64::from(shard) << MailboxId::NUMBER_BITS;
    let defaults = [
        ("shard", i64::from(shard)),
        ("served_by", FORMAT_SERVED_BY),
        ("seq", 0),
        ("uidvalidity", i64::from(first_uidvalidity)),
        ("tail_blob", 0),
        ("next_blob", 1),
        ("next_account", first + 1),
        ("next_mailbox", first + 1),
    ];
    for (key, value) in defaults {
        tx.execute("INSERT INTO meta(key, value) VALUES(?1, ?2)", (key, value))?;
    }
    tx.pragma_update(None, "user_version", FORMAT)?;
    tx.commit()?;
    Ok(())
}

/// The format floor of a store of this format. One that says nothing is for programs of its own format alone.
fn served_by(db: &Connection, format: i64) -> Result<i64, OpenError> {
    let said = db.query_row("SELECT value FROM meta WHERE key = 'served_by'", [], |row| row.get(0));
    match said {
        Ok(served_by) => Ok(served_by),
        Err(rusqlite::Error::QueryReturnedNoRows) => Ok(format),
        Err(error) => Err(error.into()),
    }
}

/// The key of a message.
pub(crate) fn message_key(mailbox: u32, uid: u32) -> i64 {
    i64::from(mailbox) << 32 | i64::from(uid)
}

/// The UID in a message's key.
pub(crate) fn uid_of(key: i64) -> u32 {
    (key & 0xffff_ffff) as u32
}
