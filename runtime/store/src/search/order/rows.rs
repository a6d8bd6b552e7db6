//! Messages that are in no block yet, a short row each.

use mail::order::{KeyParts, Keys, MessageKeys};
use rusqlite::{Connection, OptionalExtension, Row, ToSql};

use crate::schema::{message_key, uid_of};

/// `ids` are numbers of 8 octets, the lowest first.
pub(super) const TABLE: &str = "
CREATE TABLE keys(
    id INTEGER PRIMARY KEY, sent INTEGER, reply INTEGER NOT NULL, sender TEXT NOT NULL, recipient TEXT NOT NULL,
    cc TEXT NOT NULL, display_from TEXT NOT NULL, display_to TEXT NOT NULL, subject TEXT NOT NULL, ids BLOB NOT NULL);
";

/// The columns of `KeyParts::TEXTS`.
const TEXTS: [&str; 6] = ["subject", "sender", "recipient", "cc", "display_from", "display_to"];

pub(super) fn add(db: &Connection, mailbox: u32, uid: u32, keys: &MessageKeys) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT OR REPLACE INTO keys(id, sent, reply, ids, subject, sender, recipient, cc, display_from, display_to)
         VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    let ids: Vec<u8> = keys.ids.iter().flat_map(|id| id.to_le_bytes()).collect();
    let key = message_key(mailbox, uid);
    let mut values: Vec<&dyn ToSql> = vec![&key, &keys.sent_s, &keys.is_reply, &ids];
    values.extend(keys.texts.iter().map(|text| text as &dyn ToSql));
    insert.execute(values.as_slice()).map(|_| ())
}

/// Takes the rows between two keys of messages out.
pub(super) fn remove(db: &Connection, first: i64, last: i64) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM keys WHERE id BETWEEN ?1 AND ?2")?.execute((first, last)).map(|_| ())
}

/// The UIDs of the first row of a mailbox and of the last of its first `count`. `None` when it has not so many.
pub(super) fn first(db: &Connection, mailbox: u32, count: usize) -> rusqlite::Result<Option<(u32, u32)>> {
    let mut query =
        db.prepare_cached("SELECT id FROM keys WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT 1 OFFSET ?3")?;
    let (first, last) = (message_key(mailbox, 0), message_key(mailbox, u32::MAX));
    let mut at = |offset: usize| query.query_row((first, last, offset as i64), |row| row.get(0).map(uid_of)).optional();
    let Some(last) = at(count - 1)? else { return Ok(None) };
    Ok(at(0)?.map(|first| (first, last)))
}

/// The UID of the last row of a mailbox, 0 without any.
pub(super) fn last(db: &Connection, mailbox: u32) -> rusqlite::Result<u32> {
    let mut query = db.prepare_cached("SELECT max(id) FROM keys WHERE id BETWEEN ?1 AND ?2")?;
    let last: Option<i64> =
        query.query_row((message_key(mailbox, 0), message_key(mailbox, u32::MAX)), |row| row.get(0))?;
    Ok(last.map_or(0, uid_of))
}

/// Adds the wanted messages from one UID to another.
pub(super) fn read(
    db: &Connection,
    mailbox: u32,
    (first, last): (u32, u32),
    parts: KeyParts,
    mut is_wanted: impl FnMut(u32) -> bool,
    keys: &mut Keys,
) -> rusqlite::Result<()> {
    let asked: Vec<usize> = (0..TEXTS.len()).filter(|at| parts.contains(KeyParts::TEXTS[*at])).collect();
    let mut columns: String = asked.iter().map(|at| format!(", {}", TEXTS[*at])).collect();
    if parts.contains(KeyParts::THREAD) {
        columns.push_str(", ids");
    }
    let query = format!("SELECT id, sent, reply{columns} FROM keys WHERE id BETWEEN ?1 AND ?2 ORDER BY id");
    let mut query = db.prepare_cached(&query)?;
    let mut rows = query.query((message_key(mailbox, first), message_key(mailbox, last)))?;
    while let Some(row) = rows.next()? {
        let uid = uid_of(row.get(0)?);
        let is_reply = parts.contains(KeyParts::THREAD) && row.get(2)?;
        if is_wanted(uid) && keys.begin(uid, row.get(1)?, is_reply).is_some() {
            push(keys, row, &asked, parts)?;
        }
    }
    Ok(())
}

fn push(keys: &mut Keys, row: &Row, asked: &[usize], parts: KeyParts) -> rusqlite::Result<()> {
    for (column, at) in (3..).zip(asked) {
        keys.push_text(*at, row.get_ref(column)?.as_bytes()?);
    }
    if parts.contains(KeyParts::THREAD) {
        let ids = row.get_ref(3 + asked.len())?.as_blob()?;
        keys.push_ids(ids.as_chunks().0.iter().map(|id| u64::from_le_bytes(*id)));
    }
    Ok(())
}
