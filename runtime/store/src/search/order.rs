//! What indexed messages are ordered by (`mail::order`), one short row each. It comes and goes with the terms of a message, so the
//! cursor of a mailbox covers both.

use mail::order::{KeyParts, Keys, MessageKeys};
use rusqlite::{Connection, Row, ToSql};

use crate::id::UidSet;
use crate::schema::{message_key, uid_of};

/// `ids` are numbers of 8 octets, the lowest first.
pub(super) const TABLE: &str = "
CREATE TABLE keys(
    id INTEGER PRIMARY KEY, sent INTEGER, reply INTEGER NOT NULL, sender TEXT NOT NULL, recipient TEXT NOT NULL,
    cc TEXT NOT NULL, display_from TEXT NOT NULL, display_to TEXT NOT NULL, subject TEXT NOT NULL, ids BLOB NOT NULL);
";

/// The columns of `KeyParts::TEXTS`.
const TEXTS: [&str; 6] = ["subject", "sender", "recipient", "cc", "display_from", "display_to"];

/// A part of a mailbox is read from its first message to its last and the others are passed over, unless there are so many
/// others for each one wanted.
const PASSED_OVER: u32 = 8;

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

/// Those of the messages that are here. `uids` ascend.
pub(super) fn read(db: &Connection, mailbox: u32, uids: &[u32], parts: KeyParts) -> rusqlite::Result<Keys> {
    let (Some(first), Some(last)) = (uids.first(), uids.last()) else { return Ok(Keys::default()) };
    let asked: Vec<usize> = (0..TEXTS.len()).filter(|at| parts.contains(KeyParts::TEXTS[*at])).collect();
    let mut columns: String = asked.iter().map(|at| format!(", {}", TEXTS[*at])).collect();
    if parts.contains(KeyParts::THREAD) {
        columns.push_str(", ids");
    }
    let query = format!("SELECT id, sent, reply{columns} FROM keys WHERE id BETWEEN ?1 AND ?2 ORDER BY id");
    let mut query = db.prepare_cached(&query)?;
    let set: UidSet;
    let ranges: &[(u32, u32)] = match (last - first) / PASSED_OVER < uids.len() as u32 {
        true => &[(*first, *last)],
        false => {
            set = uids.iter().copied().collect();
            set.ranges()
        }
    };
    let (mut keys, mut wanted) = (Keys::default(), uids.iter().peekable());
    for (first, last) in ranges {
        let mut rows = query.query((message_key(mailbox, *first), message_key(mailbox, *last)))?;
        while let Some(row) = rows.next()? {
            let uid = uid_of(row.get(0)?);
            while wanted.next_if(|next| **next < uid).is_some() {}
            if wanted.next_if_eq(&&uid).is_some() && keys.begin(uid, row.get(1)?, row.get(2)?).is_some() {
                push(&mut keys, row, &asked, parts)?;
            }
        }
    }
    Ok(keys)
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
