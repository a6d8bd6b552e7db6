//! What the index reads from the store: which mailboxes changed, and what is new in one of them.

use mail::order::{KeyParts, MessageKeys};
use rusqlite::{OptionalExtension, Row, Transaction};

use super::index::Cursor;
use crate::body::BodyRef;
use crate::error::ReadError;
use crate::id::MailboxId;
use crate::read::{body_row, keys_in, log_begins};
use crate::schema::{message_key, uid_of};

/// Mailboxes with a change behind `after`, a change number and a mailbox: ascending, at most `limit`, go on after the
/// last. A mailbox may come more than once. From (0, 0) on every mailbox there is comes. What the change log has forgotten
/// is found by the last change of each mailbox.
pub(super) fn changed(tx: &Transaction, after: (u64, u32), limit: usize) -> Result<Vec<(u64, u32)>, ReadError> {
    let mut query = if after.0 < log_begins(tx)? {
        tx.prepare_cached("SELECT seq, id FROM mailbox WHERE (seq, id) > (?1, ?2) ORDER BY seq, id LIMIT ?3")?
    } else {
        tx.prepare_cached(
            "SELECT seq, mailbox FROM changelog WHERE (seq, mailbox) > (?1, ?2) ORDER BY seq, mailbox LIMIT ?3",
        )?
    };
    let after = (i64::try_from(after.0).unwrap_or(i64::MAX), after.1, limit as i64);
    Ok(query.query_map(after, |row| Ok((row.get::<_, i64>(0)? as u64, row.get(1)?)))?.collect::<Result<_, _>>()?)
}

/// The cursor that each mailbox has when all of it is indexed, ascending by mailbox.
pub(super) fn mailboxes(tx: &Transaction) -> Result<Vec<(u32, Cursor)>, ReadError> {
    let mut query = tx.prepare_cached("SELECT uidvalidity, uidnext, modseq, id FROM mailbox ORDER BY id")?;
    Ok(query.query_map([], |row| Ok((row.get(3)?, whole(row)?)))?.collect::<Result<_, _>>()?)
}

fn whole(row: &Row) -> rusqlite::Result<Cursor> {
    let uid = u32::try_from(row.get::<_, i64>(1)? - 1).unwrap_or(u32::MAX);
    Ok(Cursor { uidvalidity: row.get(0)?, uid, modseq: row.get::<_, i64>(2)? as u64 })
}

/// The cursor that a mailbox has when all of it is indexed; `None` when it is deleted.
pub(super) fn mailbox(tx: &Transaction, mailbox: u32) -> Result<Option<Cursor>, ReadError> {
    let mut query = tx.prepare_cached("SELECT uidvalidity, uidnext, modseq FROM mailbox WHERE id = ?1")?;
    Ok(query.query_row([mailbox], whole).optional()?)
}

/// What the messages behind a UID are ordered by, ascending; at most `limit` of them.
pub(super) fn keys(
    tx: &Transaction,
    mailbox: u32,
    after: u32,
    limit: usize,
) -> Result<Vec<(u32, MessageKeys)>, ReadError> {
    Ok(keys_in(tx, mailbox, [(after.saturating_add(1), u32::MAX)], KeyParts::ALL, limit)?)
}

/// What happened to a mailbox behind a cursor, at one moment.
pub(super) struct News {
    /// Where the mailbox is when all of this is indexed.
    pub(super) cursor: Cursor,
    /// There are more messages behind `bodies`.
    pub(super) more: bool,
    /// Indexed messages that went, and such of which is known what they are ordered by, ascending.
    pub(super) vanished: Vec<u32>,
    /// New messages, ascending.
    pub(super) bodies: Vec<(u32, BodyRef)>,
    /// What those of them are ordered by of which that is not known yet.
    pub(super) keys: Vec<(u32, MessageKeys)>,
    /// At most so many messages are behind the cursor: UIDs may be missing.
    pub(super) waiting: u64,
}

/// At most `limit` bodies. Up to `keyed` it is known what messages are ordered by. `None` when the mailbox is deleted. A cursor of another UIDVALIDITY gives news of nothing: its
/// mailbox has to be taken out first.
pub(super) fn news(
    tx: &Transaction,
    mailbox: u32,
    since: Option<Cursor>,
    keyed: u32,
    limit: usize,
) -> Result<Option<News>, ReadError> {
    let Some(cursor) = self::mailbox(tx, mailbox)? else { return Ok(None) };
    let since = since.unwrap_or(Cursor { uid: 0, ..cursor });
    let mut news = News {
        cursor,
        more: false,
        vanished: Vec::new(),
        bodies: Vec::new(),
        keys: Vec::new(),
        waiting: u64::from(cursor.uid.saturating_sub(since.uid)),
    };
    if since.uidvalidity != cursor.uidvalidity {
        return Ok(Some(news));
    }
    let mut vanished =
        tx.prepare_cached("SELECT uid FROM vanished WHERE mailbox = ?1 AND modseq > ?2 AND uid <= ?3")?;
    let vanished = vanished.query_map((mailbox, since.modseq as i64, since.uid.max(keyed)), |row| row.get(0))?;
    news.vanished = vanished.collect::<Result<_, _>>()?;
    news.vanished.sort_unstable();
    let mut bodies = tx.prepare_cached(
        "SELECT msg.id, b.id, b.seg, b.off, b.skip, b.len, b.crc, b.email FROM msg CROSS JOIN blob b ON b.id = msg.blob
         WHERE msg.id > ?1 AND msg.id <= ?2 ORDER BY msg.id LIMIT ?3",
    )?;
    let bounds = (message_key(mailbox, since.uid), message_key(mailbox, u32::MAX), limit as i64);
    let bodies =
        bodies.query_map(bounds, |row| Ok((uid_of(row.get(0)?), body_row(MailboxId(mailbox).shard(), row, 1)?)))?;
    news.bodies = bodies.collect::<Result<_, _>>()?;
    if news.bodies.len() == limit
        && let Some((uid, _)) = news.bodies.last()
    {
        news.more = true;
        news.cursor.uid = *uid;
    }
    if let (Some((first, _)), Some((last, _))) = (news.bodies.first(), news.bodies.last()) {
        news.keys = keys_in(tx, mailbox, [((*first).max(keyed.saturating_add(1)), *last)], KeyParts::ALL, limit)?;
    }
    Ok(Some(news))
}
