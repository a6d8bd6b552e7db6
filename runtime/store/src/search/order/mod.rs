//! What indexed messages are ordered by (`mail::order`). It is there before the terms of a message or comes with them, and goes with
//! them.
//!
//! A message has a short row at first. As soon as a mailbox has enough of them they become a block (`block`), which is read
//! many times faster; UIDs only go up, so the rows of a mailbox are behind its blocks. Whoever is expunged leaves a mark in its
//! block, which is written anew when it is half empty.

mod block;
mod rows;

use mail::order::{KeyParts, Keys, MessageKeys};
use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row};

use crate::schema::message_key;
use block::{Column, Head, MESSAGES};

/// The tables of columns beside the heads: those of `KeyParts::TEXTS`, and the hashes.
const COLUMNS: [&str; 7] = ["subjects", "senders", "recipients", "ccs", "display_froms", "display_tos", "ids"];
const IDS: usize = COLUMNS.len() - 1;
const ID_OCTETS: usize = 8;

/// The id of a block is the key of its first message, expunged or not. A table for each column, so that reading one passes over
/// no other.
pub(super) fn make(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch(rows::TABLE)?;
    db.execute_batch("CREATE TABLE heads(id INTEGER PRIMARY KEY, last INTEGER NOT NULL, block BLOB NOT NULL)")?;
    COLUMNS.iter().try_for_each(|table| {
        db.execute_batch(&format!("CREATE TABLE {table}(id INTEGER PRIMARY KEY, block BLOB NOT NULL)"))
    })
}

/// Touches every table.
pub(super) fn look(db: &Connection) -> rusqlite::Result<()> {
    ["keys", "heads"].iter().chain(&COLUMNS).try_for_each(|table| {
        db.query_row(&format!("SELECT max(id) FROM {table}"), [], |row| row.get::<_, Option<i64>>(0)).map(|_| ())
    })
}

/// Adds messages above all that were there. What is enough for blocks becomes blocks.
pub(super) fn add(db: &Connection, mailbox: u32, keys: &[(u32, MessageKeys)]) -> rusqlite::Result<()> {
    for (uid, keys) in keys {
        rows::add(db, mailbox, *uid, keys)?;
    }
    while let Some((first, last)) = rows::first(db, mailbox, MESSAGES)? {
        let mut keys = Keys::default();
        rows::read(db, mailbox, (first, last), KeyParts::ALL, |_| true, &mut keys)?;
        write(db, message_key(mailbox, first), last, &keys)?;
        rows::remove(db, message_key(mailbox, first), message_key(mailbox, last))?;
    }
    Ok(())
}

fn write(db: &Connection, id: i64, last: u32, keys: &Keys) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached("INSERT OR REPLACE INTO heads(id, last, block) VALUES(?1, ?2, ?3)")?;
    insert.execute((id, last, block::heads(keys)))?;
    for (at, table) in COLUMNS.iter().enumerate() {
        let column = if at == IDS { block::ids(keys) } else { block::texts(keys, at) };
        db.prepare_cached(&format!("INSERT OR REPLACE INTO {table}(id, block) VALUES(?1, ?2)"))?
            .execute((id, column))?;
    }
    Ok(())
}

/// Messages up to this UID are here, those that went aside.
pub(super) fn last(db: &Connection, mailbox: u32) -> rusqlite::Result<u32> {
    let row = rows::last(db, mailbox)?;
    Ok(row.max(find(db, mailbox, u32::MAX)?.map_or(0, |(_, last)| last)))
}

/// Takes messages out. `uids` ascend.
pub(super) fn remove(db: &Connection, mailbox: u32, uids: &[u32]) -> rusqlite::Result<()> {
    let mut rest = uids;
    while let Some(uid) = rest.first() {
        let found = find(db, mailbox, *uid)?;
        let Some((id, _)) = found.filter(|(_, last)| last >= uid) else {
            rows::remove(db, message_key(mailbox, *uid), message_key(mailbox, *uid))?;
            rest = &rest[1..];
            continue;
        };
        rest = remove_from(db, id, rest)?;
    }
    Ok(())
}

/// The block that holds a UID if any does, and its last UID.
fn find(db: &Connection, mailbox: u32, uid: u32) -> rusqlite::Result<Option<(i64, u32)>> {
    let mut query =
        db.prepare_cached("SELECT id, last FROM heads WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1")?;
    query
        .query_row((message_key(mailbox, 0), message_key(mailbox, uid)), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

/// Marks those of `uids` that are in a block; gives those behind it.
fn remove_from<'a>(db: &Connection, id: i64, uids: &'a [u32]) -> rusqlite::Result<&'a [u32]> {
    let mut query = db.prepare_cached("SELECT last, block FROM heads WHERE id = ?1")?;
    let (last, heads) = query.query_row([id], |row| Ok((row.get::<_, u32>(0)?, heads_in(row, 1)?)))?;
    let (here, behind) = uids.split_at(uids.partition_point(|uid| *uid <= last));
    let is_gone = |head: &Head| head.is_gone || here.binary_search(&head.uid).is_ok();
    let heads: Vec<Head> = heads.into_iter().map(|head| Head { is_gone: is_gone(&head), ..head }).collect();
    let left = heads.iter().filter(|head| !head.is_gone).count();
    db.prepare_cached("UPDATE heads SET block = ?2 WHERE id = ?1")?
        .execute((id, block::write_heads(heads.iter().copied())))?;
    if left == 0 {
        remove_blocks(db, id, id)?;
    } else if left * 2 < heads.len() {
        let mut keys = Keys::default();
        let mut query = db.prepare_cached(&block_query(KeyParts::ALL))?;
        query.query_row([id], |row| push(&mut keys, row, KeyParts::ALL, |_| true))?;
        write(db, id, last, &keys)?;
    }
    Ok(behind)
}

fn remove_blocks(db: &Connection, first: i64, last: i64) -> rusqlite::Result<()> {
    ["heads"].iter().chain(&COLUMNS).try_for_each(|table| {
        let mut delete = db.prepare_cached(&format!("DELETE FROM {table} WHERE id BETWEEN ?1 AND ?2"))?;
        delete.execute((first, last)).map(|_| ())
    })
}

pub(super) fn remove_mailbox(db: &Connection, mailbox: u32) -> rusqlite::Result<()> {
    let (first, last) = (message_key(mailbox, 0), message_key(mailbox, u32::MAX));
    rows::remove(db, first, last)?;
    remove_blocks(db, first, last)
}

/// Those of the messages that are here. `uids` ascend.
pub(super) fn read(db: &mut Connection, mailbox: u32, uids: &[u32], parts: KeyParts) -> rusqlite::Result<Keys> {
    let tx = db.transaction()?;
    let (mut keys, mut rest) = (Keys::default(), uids);
    // Where the blocks end and rows begin.
    let blocks = find(&tx, mailbox, u32::MAX)?.map_or(0, |(_, last)| last);
    let mut query = tx.prepare_cached(&block_query(parts))?;
    while let Some(uid) = rest.first().filter(|uid| **uid <= blocks) {
        let Some((id, last)) = find(&tx, mailbox, *uid)?.filter(|(_, last)| last >= uid) else {
            rest = &rest[1..];
            continue;
        };
        let (here, behind) = rest.split_at(rest.partition_point(|uid| *uid <= last));
        let mut wanted = Wanted(here);
        query.query_row([id], |row| push(&mut keys, row, parts, |uid| wanted.has(uid)))?;
        rest = behind;
    }
    if let (Some(first), Some(last)) = (rest.first(), rest.last()) {
        let mut wanted = Wanted(rest);
        rows::read(&tx, mailbox, (*first, *last), parts, |uid| wanted.has(uid), &mut keys)?;
    }
    Ok(keys)
}

/// UIDs that are looked for, ascending, by UIDs that ascend, too.
struct Wanted<'a>(&'a [u32]);

impl Wanted<'_> {
    fn has(&mut self, uid: u32) -> bool {
        while let Some((first, behind)) = self.0.split_first().filter(|(first, _)| **first <= uid) {
            self.0 = behind;
            if *first == uid {
                return true;
            }
        }
        false
    }
}

/// The columns of a block that are asked, in the order of `COLUMNS`.
fn columns(parts: KeyParts) -> impl Iterator<Item = usize> {
    let asked = move |at: &usize| parts.contains(KeyParts::TEXTS.get(*at).copied().unwrap_or(KeyParts::THREAD));
    (0..COLUMNS.len()).filter(asked)
}

/// A column that is missing is NULL, and no block then.
fn block_query(parts: KeyParts) -> String {
    let tables = || columns(parts).map(|at| COLUMNS[at]);
    let selected: String = tables().map(|table| format!(", {table}.block")).collect();
    let joined: String = tables().map(|table| format!(" LEFT JOIN {table} ON {table}.id = ?1")).collect();
    format!("SELECT heads.block{selected} FROM heads{joined} WHERE heads.id = ?1")
}

/// Adds those messages of a block that are there and wanted.
fn push(keys: &mut Keys, row: &Row, parts: KeyParts, mut is_wanted: impl FnMut(u32) -> bool) -> rusqlite::Result<()> {
    let heads = heads_in(row, 0)?;
    let taken: Vec<bool> = heads.iter().map(|head| is_wanted(head.uid) && !head.is_gone).collect();
    let taken_heads = heads.iter().zip(&taken).filter(|(_, taken)| **taken).map(|(head, _)| head);
    for Head { uid, sent_s, is_reply, .. } in taken_heads {
        keys.begin(*uid, *sent_s, *is_reply && parts.contains(KeyParts::THREAD)).ok_or_else(|| damaged(0))?;
    }
    for (place, at) in (1..).zip(columns(parts)) {
        let unit = if at == IDS { ID_OCTETS } else { 1 };
        let column = row.get_ref(place)?.as_blob().ok().and_then(|column| Column::read(column, heads.len(), unit));
        let column = column.ok_or_else(|| damaged(place))?;
        for (octets, _) in column.rows(unit).zip(&taken).filter(|(_, taken)| **taken) {
            match at {
                IDS => keys.push_ids(octets.as_chunks().0.iter().map(|id| u64::from_le_bytes(*id))),
                text => keys.push_text(text, octets),
            }
        }
    }
    Ok(())
}

fn heads_in(row: &Row, place: usize) -> rusqlite::Result<Vec<Head>> {
    let ValueRef::Blob(column) = row.get_ref(place)? else { return Err(damaged(place)) };
    block::read_heads(column).ok_or_else(|| damaged(place))
}

fn damaged(place: usize) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(place, Type::Blob, "a block is not what was written".into())
}
