//! A whole store put back from a snapshot. Nobody may own the data folder meanwhile.
//!
//! Clients remember messages by UID and UIDVALIDITY, and what they know must stay true. When the databases that are replaced
//! can still be read, they say what was given since: mailboxes keep their UIDVALIDITY, messages that are there now and were
//! there then keep their UID, those that went since come back as new messages, and those that came since vanish. Without
//! them every mailbox gets a new UIDVALIDITY. The spool is that of now where it is known: what was sent since is not sent
//! again, and what was accepted since is not lost.
//!
//! | step | crash after it |
//! |---|---|
//! | the databases of then are made ready beside | nothing happened; the folder beside is made anew the next time |
//! | the mark `putting-back` is written | the store does not open; putting back again goes on |
//! | segments are linked, old databases kept aside, new ones renamed into place | the same |
//! | the mark is removed | done |

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, Transaction};

use crate::error::OpenError;
use crate::id::SHARDS_MAX;
use crate::lock::Lock;
use crate::schema::{self, Purpose};
use crate::shard;

/// While it is there the databases may be of two times.
const MARK: &str = "putting-back";
/// Mailboxes that may have been made in the time nothing is known of: their UIDVALIDITY is not given again.
const MADE_SINCE_MAX: u32 = 1_000_000;

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PutBack {
    pub mailboxes: u64,
    /// Those whose UIDVALIDITY is what it was.
    pub kept_uidvalidity: u64,
    /// Messages that had gone and came back with a new UID.
    pub returned: u64,
    /// Messages that came since and are gone.
    pub vanished: u64,
    /// Where the databases that were replaced lie now.
    pub replaced: Option<PathBuf>,
}

#[derive(Debug)]
pub enum PutBackError {
    Open(OpenError),
    Io {
        path: PathBuf,
        error: io::Error,
    },
    Sqlite(rusqlite::Error),
    /// The folder of then holds no databases.
    Nothing(PathBuf),
}

impl std::fmt::Display for PutBackError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            PutBackError::Open(error) => error.fmt(f),
            PutBackError::Io { path, error } => write!(f, "{}: {error}", path.display()),
            PutBackError::Sqlite(error) => write!(f, "a database could not be made ready: {error}"),
            PutBackError::Nothing(folder) => write!(f, "{}: no databases are here", folder.display()),
        }
    }
}

impl std::error::Error for PutBackError {}

impl From<OpenError> for PutBackError {
    fn from(error: OpenError) -> PutBackError {
        PutBackError::Open(error)
    }
}

impl From<rusqlite::Error> for PutBackError {
    fn from(error: rusqlite::Error) -> PutBackError {
        PutBackError::Sqlite(error)
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> PutBackError + '_ {
    move |error| PutBackError::Io { path: path.to_owned(), error }
}

/// Is a data folder between two times?
pub(crate) fn is_half_done(data_dir: &Path) -> bool {
    data_dir.join(MARK).exists()
}

/// An error when somebody owns the data folder now.
pub fn not_owned(data_dir: &Path) -> Result<(), OpenError> {
    if data_dir.exists() { Lock::take(data_dir).map(drop) } else { Ok(()) }
}

/// Puts the data folder `then` (a materialised snapshot on the same device) in the place of what `data_dir` holds. Segments
/// are numbered on from `segment_floor` at least, so that no number a snapshot knows is given again.
pub fn put_back(then: &Path, data_dir: &Path, segment_floor: u32) -> Result<PutBack, PutBackError> {
    std::fs::create_dir_all(data_dir).map_err(at(data_dir))?;
    let _lock = Lock::take(data_dir)?;
    let shards: Vec<u8> = (0..SHARDS_MAX).take_while(|number| shard::path(then, *number).exists()).collect();
    if shards.is_empty() {
        return Err(PutBackError::Nothing(then.to_owned()));
    }
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_secs());
    let mut done = PutBack::default();
    for number in &shards {
        make_ready(then, data_dir, *number, now_s, &mut done)?;
    }
    let mark = data_dir.join(MARK);
    File::create(&mark).and_then(|file| file.sync_all()).map_err(at(&mark))?;
    flush(data_dir)?;
    bring_segments(then, data_dir, segment_floor)?;
    done.replaced = set_aside(data_dir, now_s)?;
    for number in &shards {
        let (from, to) = (shard::path(then, *number), shard::path(data_dir, *number));
        std::fs::rename(&from, &to).map_err(at(&from))?;
    }
    flush(data_dir)?;
    std::fs::remove_file(&mark).map_err(at(&mark))?;
    flush(data_dir)?;
    Ok(done)
}

fn flush(folder: &Path) -> Result<(), PutBackError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))
}

/// Numbers of a shard of then, after what happened since as far as that is known. One file is left, without a WAL.
fn make_ready(then: &Path, data_dir: &Path, number: u8, now_s: u64, done: &mut PutBack) -> Result<(), PutBackError> {
    let path = shard::path(then, number);
    let mut db = schema::connect(&path, Purpose::Write)?;
    schema::prepare(&mut db, number, u32::try_from(now_s).unwrap_or(1))?;
    let survived = attach(&db, &shard::path(data_dir, number), number);
    let tx = db.transaction()?;
    if survived {
        follow(&tx, done)?;
    }
    renew(&tx, survived, u32::try_from(now_s).unwrap_or(u32::MAX), done)?;
    // Recovery has nothing to judge: all bodies of then were flushed.
    tx.execute("UPDATE meta SET value = (SELECT value FROM meta WHERE key = 'next_blob') WHERE key = 'tail_blob'", [])?;
    tx.execute(
        "INSERT OR IGNORE INTO changelog SELECT (SELECT value FROM meta WHERE key = 'seq'), id FROM mailbox",
        [],
    )?;
    tx.commit()?;
    if survived {
        db.execute_batch("DETACH gone")?;
    }
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    schema::set_journal_mode(&db, "delete")?;
    drop(db);
    File::open(&path).and_then(|file| file.sync_all()).map_err(at(&path))
}

/// Attaches the database that is replaced as `gone`, with what its WAL holds, when it can be read and is of this format.
fn attach(db: &Connection, path: &Path, number: u8) -> bool {
    let attached = || -> rusqlite::Result<bool> {
        if !path.exists() {
            return Ok(false);
        }
        // By itself first: its WAL is read and copied, and damage shows.
        let mut gone = schema::connect(path, Purpose::Write)?;
        if schema::prepare(&mut gone, number, 1).is_err() {
            return Ok(false);
        }
        let fine: String = gone.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        gone.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        drop(gone);
        if fine != "ok" {
            return Ok(false);
        }
        db.execute("ATTACH ?1 AS gone", [path.to_string_lossy()])?;
        Ok(true)
    };
    attached().unwrap_or_else(|error| {
        tracing::warn!("{}: what it says of the time since cannot be read: {error}", path.display());
        false
    })
}

/// What clients were told since stays true. `m` is a mailbox as it was, `g` the same one as it is now.
const FOLLOW: &str = "
CREATE TEMP TABLE kept AS
  SELECT m.id AS id, g.uidnext AS uidnext, max(m.modseq, g.modseq) + 1 AS modseq, g.modseq AS known
  FROM main.mailbox m JOIN gone.mailbox g ON g.id = m.id AND g.uidvalidity = m.uidvalidity;
CREATE TEMP TABLE returning_ AS
  SELECT t.id AS old, (t.id & ~0xffffffff) + k.uidnext - 1 + row_number() OVER (PARTITION BY k.id ORDER BY t.id) AS new,
    k.id AS mailbox, k.modseq AS modseq
  FROM main.msg t JOIN kept k ON k.id = t.id >> 32 LEFT JOIN gone.msg n ON n.id = t.id WHERE n.id IS NULL;
UPDATE main.msg SET
    modseq = iif(main.msg.flags = n.flags AND ifnull(main.msg.kw, '') = ifnull(n.kw, ''), n.modseq, k.modseq), born = n.born
  FROM gone.msg n, kept k WHERE n.id = main.msg.id AND k.id = n.id >> 32;
UPDATE main.msg SET id = r.new, modseq = r.modseq, born = r.modseq FROM returning_ r WHERE r.old = main.msg.id;
UPDATE main.summary SET id = r.new FROM returning_ r WHERE r.old = main.summary.id;
DELETE FROM main.vanished WHERE mailbox IN (SELECT id FROM kept);
INSERT INTO main.vanished SELECT v.mailbox, v.modseq, v.uid FROM gone.vanished v JOIN kept k ON k.id = v.mailbox;
INSERT INTO main.vanished SELECT k.id, k.modseq, n.id & 0xffffffff FROM gone.msg n JOIN kept k ON k.id = n.id >> 32
  LEFT JOIN main.msg t ON t.id = n.id WHERE t.id IS NULL;
UPDATE main.mailbox SET modseq = k.modseq,
    uidnext = k.uidnext + (SELECT count(*) FROM returning_ r WHERE r.mailbox = main.mailbox.id)
  FROM kept k WHERE k.id = main.mailbox.id;
UPDATE main.meta SET value = max(main.meta.value, g.value) + (main.meta.key = 'seq') FROM gone.meta g
  WHERE g.key = main.meta.key AND g.key IN ('seq', 'uidvalidity', 'next_blob', 'next_account', 'next_mailbox');
";

/// Spooled messages as they are now: those of then that are done since are dropped, those accepted since come along.
const SPOOL: &str = "
UPDATE main.blob SET refs = refs - 1, freed_at = iif(refs = 1, unixepoch(), NULL) WHERE id IN
  (SELECT blob FROM main.spool WHERE id NOT IN (SELECT id FROM gone.spool));
DELETE FROM main.spool_recipient WHERE spool NOT IN (SELECT id FROM gone.spool);
DELETE FROM main.spool WHERE id NOT IN (SELECT id FROM gone.spool);
INSERT OR REPLACE INTO main.spool_recipient SELECT * FROM gone.spool_recipient;
UPDATE main.spool SET waiting = g.waiting, facts = g.facts FROM gone.spool g WHERE g.id = main.spool.id;
CREATE TEMP TABLE newly AS SELECT id, blob FROM gone.spool WHERE id NOT IN (SELECT id FROM main.spool);
INSERT OR IGNORE INTO main.blob(id, seg, off, skip, len, crc, refs, freed_at, delivery, email)
  SELECT id, seg, off, skip, len, crc, 0, NULL, delivery, email FROM gone.blob WHERE id IN (SELECT blob FROM newly);
UPDATE main.blob SET freed_at = NULL, refs = refs + (SELECT count(*) FROM newly WHERE newly.blob = main.blob.id)
  WHERE id IN (SELECT blob FROM newly);
INSERT INTO main.spool SELECT * FROM gone.spool WHERE id IN (SELECT id FROM newly);
";

fn follow(tx: &Transaction, done: &mut PutBack) -> rusqlite::Result<()> {
    tx.execute_batch(FOLLOW)?;
    tx.execute_batch(SPOOL)?;
    let count = |sql: &str| tx.query_row(sql, [], |row| row.get::<_, i64>(0)).map(|n| n as u64);
    done.kept_uidvalidity += count("SELECT count(*) FROM kept")?;
    done.returned += count("SELECT count(*) FROM returning_")?;
    done.vanished += count(
        "SELECT count(*) FROM gone.msg n JOIN kept k ON k.id = n.id >> 32 LEFT JOIN main.msg t ON t.id = n.id
         WHERE t.id IS NULL",
    )?;
    Ok(())
}

/// A UIDVALIDITY nobody saw for every mailbox of which the time since is not known.
fn renew(tx: &Transaction, survived: bool, now_s: u32, done: &mut PutBack) -> rusqlite::Result<()> {
    let unknown = if survived { "id NOT IN (SELECT id FROM kept)" } else { "1" };
    tx.execute(
        "UPDATE meta SET value = max(value, (SELECT ifnull(max(uidvalidity), 0) FROM mailbox), ?1)
         + iif(?2, 0, ?3) WHERE key = 'uidvalidity'",
        (now_s, survived, MADE_SINCE_MAX),
    )?;
    tx.execute(
        &format!(
            "UPDATE mailbox SET uidvalidity = n.number + (SELECT value FROM meta WHERE key = 'uidvalidity')
             FROM (SELECT id AS which, row_number() OVER (ORDER BY id) AS number FROM mailbox WHERE {unknown}) n
             WHERE n.which = mailbox.id"
        ),
        [],
    )?;
    tx.execute("UPDATE meta SET value = max(value, (SELECT ifnull(max(uidvalidity), 0) FROM mailbox)) WHERE key = 'uidvalidity'", [])?;
    done.mailboxes += tx.query_row("SELECT count(*) FROM mailbox", [], |row| row.get::<_, i64>(0))? as u64;
    Ok(())
}

/// Segments of then that went since come back; none is written over.
fn bring_segments(then: &Path, data_dir: &Path, segment_floor: u32) -> Result<(), PutBackError> {
    let (from, to) = (then.join("segments"), data_dir.join("segments"));
    std::fs::create_dir_all(&to).map_err(at(&to))?;
    let mut newest = segment_floor;
    for folder in [&from, &to] {
        for entry in std::fs::read_dir(folder).map_err(at(folder))? {
            let name = entry.map_err(at(folder))?.file_name();
            let Some(number) = name.to_str().and_then(|n| n.strip_suffix(".seg")).and_then(|n| n.parse::<u32>().ok())
            else {
                continue;
            };
            newest = newest.max(number);
            let (source, target) = (from.join(&name), to.join(&name));
            if !target.exists() {
                std::fs::hard_link(&source, &target).map_err(at(&source))?;
            }
        }
    }
    // The next store goes on behind it.
    let tail = to.join(format!("{:08}.seg", newest.saturating_add(1)));
    File::create(&tail).and_then(|file| file.sync_all()).map_err(at(&tail))?;
    flush(&to)
}

/// Keeps what is replaced, and forgets what is derived from it.
fn set_aside(data_dir: &Path, now_s: u64) -> Result<Option<PathBuf>, PutBackError> {
    let aside = data_dir.join(format!("replaced-{now_s}"));
    let mut moved = false;
    for entry in std::fs::read_dir(data_dir).map_err(at(data_dir))? {
        let entry = entry.map_err(at(data_dir))?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if name.starts_with("search-") && !entry.path().is_dir() {
            std::fs::remove_file(&path).map_err(at(&path))?;
        } else if name.starts_with("meta-") {
            std::fs::create_dir_all(&aside).map_err(at(&aside))?;
            std::fs::rename(&path, aside.join(&*name)).map_err(at(&path))?;
            moved = true;
        }
    }
    Ok(moved.then_some(aside))
}
