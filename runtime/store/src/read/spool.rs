//! The spool: what is due, and what waits.

use mail::ReversePath;
use rusqlite::{OptionalExtension, Row, Transaction};

use super::bodies::body_row;
use crate::error::ReadError;
use crate::id::QueueId;
use crate::spool::{NextHop, QueueItem, WaitingRecipient, Waits};
use crate::store::Store;

impl Store {
    /// At most `limit` messages with a recipient due at `now_s`, the longest overdue first; each with all the recipients
    /// that wait, due or not.
    pub fn queue_due(&self, now_s: i64, limit: usize) -> Result<Vec<QueueItem>, ReadError> {
        self.read(|tx| {
            let mut query = tx.prepare_cached(
                "SELECT spool, min(due_at) AS due FROM spool_recipient WHERE state = 0 AND due_at <= ?1
                 GROUP BY spool ORDER BY due LIMIT ?2",
            )?;
            let ids = query.query_map((now_s, limit as i64), id_row)?.collect::<Result<Vec<QueueId>, _>>()?;
            items(tx, &ids)
        })
    }

    /// When the next recipient is due, in seconds since 1970; `None` when nothing waits.
    pub fn queue_next_due(&self) -> Result<Option<i64>, ReadError> {
        self.read(|tx| {
            Ok(tx
                .prepare_cached("SELECT min(due_at) FROM spool_recipient WHERE state = 0")?
                .query_row([], |row| row.get(0))?)
        })
    }

    pub fn queue_item(&self, queue_id: QueueId) -> Result<Option<QueueItem>, ReadError> {
        self.read(|tx| item(tx, queue_id))
    }

    /// At most `limit` messages after `after`, in order of id.
    pub fn queue_list(&self, after: Option<QueueId>, limit: usize) -> Result<Vec<QueueItem>, ReadError> {
        let after = after.map(|id| id.0.to_vec()).unwrap_or_default();
        self.read(|tx| {
            let mut query = tx.prepare_cached("SELECT id FROM spool WHERE id > ?1 ORDER BY id LIMIT ?2")?;
            let ids = query.query_map((after, limit as i64), id_row)?.collect::<Result<Vec<QueueId>, _>>()?;
            items(tx, &ids)
        })
    }

    /// At most `limit` waiting recipients after one (message and number), in order of message and number.
    pub fn queue_waits(&self, after: Option<(QueueId, u32)>, limit: usize) -> Result<Vec<Waits>, ReadError> {
        let (id, number) = after.map_or((Vec::new(), 0), |(id, number)| (id.0.to_vec(), number));
        self.read(|tx| {
            let mut query = tx.prepare_cached(
                "SELECT spool, n, forward_path, hop, route, due_at FROM spool_recipient
                 WHERE (spool, n) > (?1, ?2) AND state = 0 ORDER BY spool, n LIMIT ?3",
            )?;
            let mut rows = query.query((id, number, limit as i64))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(Waits {
                    queue_id: id_row(row)?,
                    number: row.get(1)?,
                    forward_path: row.get::<_, String>(2)?.parse().map_err(|_| ReadError::Damaged)?,
                    next_hop: next_hop(row, 3)?,
                    due_at_s: row.get(5)?,
                });
            }
            Ok(found)
        })
    }

    /// Of the file: at least what this program writes, more where a later one was here.
    pub fn format(&self) -> Result<i64, ReadError> {
        self.read(|tx| Ok(tx.query_row("PRAGMA user_version", [], |row| row.get(0))?))
    }

    /// Messages in the spool.
    pub fn queue_count(&self) -> Result<u64, ReadError> {
        self.read(|tx| Ok(tx.query_row("SELECT count(*) FROM spool", [], |row| row.get::<_, i64>(0))? as u64))
    }
}

pub(super) fn id_row(row: &Row) -> rusqlite::Result<QueueId> {
    Ok(QueueId(row.get(0)?))
}

pub(super) fn reverse_path(text: &str) -> Result<ReversePath, ReadError> {
    if text.is_empty() {
        return Ok(ReversePath::Null);
    }
    text.parse().map(ReversePath::Address).map_err(|_| ReadError::Damaged)
}

fn items(tx: &Transaction, ids: &[QueueId]) -> Result<Vec<QueueItem>, ReadError> {
    let found = ids.iter().map(|id| item(tx, *id)).collect::<Result<Vec<_>, _>>()?;
    Ok(found.into_iter().flatten().collect())
}

fn item(tx: &Transaction, queue_id: QueueId) -> Result<Option<QueueItem>, ReadError> {
    let mut query = tx.prepare_cached(
        "SELECT b.id, b.seg, b.off, b.skip, b.len, b.crc, b.email, s.reverse_path, s.plan, s.accepted_at, s.facts
         FROM spool s JOIN blob b ON b.id = s.blob WHERE s.id = ?1",
    )?;
    let row = query
        .query_row([&queue_id.0[..]], |row| {
            let path: String = row.get(7)?;
            Ok((body_row(0, row, 0)?, path, row.get(8)?, row.get(9)?, row.get(10)?))
        })
        .optional()?;
    let Some((body, path, plan, accepted_at_s, facts)) = row else { return Ok(None) };
    let reverse_path = reverse_path(&path)?;
    let recipients = waiting(tx, queue_id)?;
    Ok(Some(QueueItem { queue_id, body, reverse_path, plan, accepted_at_s, facts, recipients }))
}

/// The columns `hop` and, after it, `route`.
fn next_hop(row: &Row, hop: usize) -> Result<NextHop, ReadError> {
    match row.get::<_, i64>(hop)? {
        0 => Ok(NextHop::Local),
        1 => Ok(NextHop::Mx),
        2 => Ok(NextHop::Route(row.get(hop + 1)?)),
        _ => Err(ReadError::Damaged),
    }
}

fn waiting(tx: &Transaction, queue_id: QueueId) -> Result<Vec<WaitingRecipient>, ReadError> {
    let mut query = tx.prepare_cached(
        "SELECT n, forward_path, hop, route, due_at, attempts, reply, facts FROM spool_recipient
         WHERE spool = ?1 AND state = 0 ORDER BY n",
    )?;
    let mut rows = query.query([&queue_id.0[..]])?;
    let mut recipients = Vec::new();
    while let Some(row) = rows.next()? {
        recipients.push(WaitingRecipient {
            number: row.get(0)?,
            forward_path: row.get::<_, String>(1)?.parse().map_err(|_| ReadError::Damaged)?,
            next_hop: next_hop(row, 2)?,
            due_at_s: row.get(4)?,
            attempts: row.get(5)?,
            last_reply: row.get(6)?,
            facts: row.get(7)?,
        });
    }
    Ok(recipients)
}
