//! Reads single messages out of a materialised snapshot. Nothing is written, not even SQLite's own files.

use std::path::{Path, PathBuf};

use mail::MailboxName;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::Damage;
use super::SnapshotError;
use super::bodies::Bodies;
use super::error::{damaged, io_at, sqlite_at};
use super::manifest::is_database_name;
use super::segments::segment_path;
use crate::id::{MailboxId, UidSet};
use crate::read::{MessageRow, body_row, rows_in};
use crate::schema::message_key;

/// A mailbox as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldMailbox {
    pub id: MailboxId,
    /// Number of the account it belongs to.
    pub account: i64,
    pub name: MailboxName,
    pub messages: u64,
}

/// A materialised snapshot.
pub struct OpenedSnapshot {
    folder: PathBuf,
    databases: Vec<(PathBuf, Connection)>,
    bodies: Bodies,
}

impl OpenedSnapshot {
    /// Opens what [`super::Snapshots::materialise`] wrote. Nobody else may write there meanwhile.
    pub fn open(folder: &Path) -> Result<OpenedSnapshot, SnapshotError> {
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(io_at(folder))? {
            let entry = entry.map_err(io_at(folder))?;
            if entry.file_name().to_str().is_some_and(is_database_name) {
                paths.push(entry.path());
            }
        }
        paths.sort();
        if paths.is_empty() {
            return Err(damaged(&folder.join("meta-00.db"), Damage::Missing));
        }
        let open = |path: PathBuf| open_unchanging(&path).map(|db| (path, db));
        let databases = paths.into_iter().map(open).collect::<Result<_, _>>()?;
        Ok(OpenedSnapshot { folder: folder.to_owned(), databases, bodies: Bodies::of(folder) })
    }

    /// The mailboxes of an account, by name.
    pub fn mailboxes(&self, account: i64) -> Result<Vec<OldMailbox>, SnapshotError> {
        let mut found = Vec::new();
        for (path, db) in &self.databases {
            let read = || -> rusqlite::Result<Vec<(u32, String, i64)>> {
                let mut query = db.prepare_cached("SELECT id, name, messages FROM mailbox WHERE account = ?1")?;
                query.query_map([account], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
            };
            for (id, name, messages) in read().map_err(sqlite_at(path))? {
                let name = MailboxName::new(&name).map_err(|_| damaged(path, Damage::Nonsense))?;
                found.push(OldMailbox { id: MailboxId(id), account, name, messages: messages as u64 });
            }
        }
        found.sort_by(|a, b| a.name.as_str().cmp(b.name.as_str()));
        Ok(found)
    }

    /// Rows of those messages of the set that were there, ascending.
    pub fn messages(&self, mailbox: MailboxId, uids: &UidSet) -> Result<Vec<MessageRow>, SnapshotError> {
        for (path, db) in &self.databases {
            let read = || {
                let tx = db.unchecked_transaction()?;
                rows_in(&tx, mailbox, uids, 0)
            };
            let found = read().map_err(sqlite_at(path))?;
            // A mailbox is in one database.
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Ok(Vec::new())
    }

    /// The body of a message, its record and checksum compared with its row. `None` when there was no such message.
    pub fn body(&mut self, mailbox: MailboxId, uid: u32) -> Result<Option<Vec<u8>>, SnapshotError> {
        let sql =
            "SELECT b.id, b.seg, b.off, b.skip, b.len, b.crc FROM msg JOIN blob b ON b.id = msg.blob WHERE msg.id = ?1";
        for (path, db) in &self.databases {
            let read = || {
                let mut query = db.prepare_cached(sql)?;
                query.query_row([message_key(mailbox.0, uid)], |row| body_row(row, 0)).optional()
            };
            let Some(body) = read().map_err(sqlite_at(path))? else { continue };
            let segment = segment_path(&self.folder.join("segments"), body.0.place.segment, 0);
            let read = self.bodies.read(&body.0.place)?;
            return read.map(Some).ok_or_else(|| damaged(&segment, Damage::Checksum));
        }
        Ok(None)
    }
}

/// A connection to a database nobody changes. SQLite would else need a WAL and an index of it beside the file.
pub(super) fn open_unchanging(path: &Path) -> Result<Connection, SnapshotError> {
    use std::fmt::Write;
    use std::os::unix::ffi::OsStrExt;
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => uri.push(char::from(*byte)),
            // Writing into a string does not fail.
            _ => drop(write!(uri, "%{byte:02x}")),
        }
    }
    uri.push_str("?immutable=1");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(uri, flags).map_err(sqlite_at(path))
}
