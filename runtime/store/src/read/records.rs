//! Quarantine, losses, decisions, rings and settings.

use mail::Address;
use rusqlite::{OptionalExtension, Params, Row, Transaction};

use super::bodies::body_row;
use super::spool::{id_row, reverse_path};
use crate::error::ReadError;
use crate::id::{DeliveryId, MailboxId, QueueId};
use crate::op::{Kept, Loss, Quarantined, Ring};
use crate::store::Store;

/// One row of the delivery index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub id: DeliveryId,
    pub message_id: Option<String>,
    /// The first 16 octets of the BLAKE3 of the content, without our trace fields.
    pub hash: Option<[u8; 16]>,
    /// Mailbox and UID of each copy.
    pub placed: Vec<(MailboxId, u32)>,
    /// See [`crate::Deliver::marks`].
    pub marks: Vec<u64>,
}

/// How much of one kind is kept apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeptAmounts {
    pub messages: u64,
    pub octets: u64,
    /// When the oldest came, in seconds since 1970.
    pub oldest_s: Option<i64>,
}

/// An entry of the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Grows with each entry.
    pub id: i64,
    /// Seconds since 1970.
    pub at_s: i64,
    pub who: String,
    pub what: String,
}

/// How often a token was learned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenCounts {
    pub spam: u32,
    pub ham: u32,
}

impl Store {
    /// Deliveries of a shard after `after`, in order of id, which begins with the time; at most `limit`.
    pub fn deliveries(&self, shard: u8, after: DeliveryId, limit: usize) -> Result<Vec<Delivery>, ReadError> {
        self.read_in(shard, |tx| {
            let mut query = tx.prepare_cached(
                "SELECT id, message_id, hash, got, marks FROM delivery WHERE id > ?1 ORDER BY id LIMIT ?2",
            )?;
            let rows = query.query_map((&after[..], limit as i64), delivery_row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Deliveries of a shard before `before` and not before `since`, the newest first; at most `limit`.
    pub fn deliveries_before(
        &self,
        shard: u8,
        before: DeliveryId,
        since: DeliveryId,
        limit: usize,
    ) -> Result<Vec<Delivery>, ReadError> {
        self.read_in(shard, |tx| {
            let mut query = tx.prepare_cached(
                "SELECT id, message_id, hash, got, marks FROM delivery WHERE id < ?1 AND id >= ?2
                 ORDER BY id DESC LIMIT ?3",
            )?;
            let rows = query.query_map((&before[..], &since[..], limit as i64), delivery_row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Those of a shard after `after` that have `mark`, among the next `rows` of the index, in order of id; and after which
    /// id to go on, `None` at the end of the index.
    pub fn deliveries_marked(
        &self,
        shard: u8,
        mark: u64,
        after: DeliveryId,
        rows: usize,
    ) -> Result<(Vec<Delivery>, Option<DeliveryId>), ReadError> {
        let mark = mark.to_le_bytes();
        self.read_in(shard, |tx| {
            let mut query = tx.prepare_cached(
                "SELECT id, message_id, hash, got, marks FROM delivery WHERE id > ?1 ORDER BY id LIMIT ?2",
            )?;
            let mut looked = query.query((&after[..], rows as i64))?;
            let (mut found, mut seen, mut last) = (Vec::new(), 0, after);
            while let Some(row) = looked.next()? {
                (seen, last) = (seen + 1, row.get(0)?);
                let marks = row.get_ref(4)?.as_blob_or_null().map_err(rusqlite::Error::from)?.unwrap_or_default();
                if marks.chunks_exact(8).any(|one| one == mark) {
                    found.push(delivery_row(row)?);
                }
            }
            Ok((found, (seen == rows).then_some(last)))
        })
    }

    /// What was learned of each token, in their order.
    pub fn token_counts(&self, bucket: u32, tokens: &[u64]) -> Result<Vec<TokenCounts>, ReadError> {
        self.read_at_once(|tx| {
            let mut query = tx.prepare_cached("SELECT spam, ham FROM statistic WHERE bucket = ?1 AND token = ?2")?;
            let mut counts = Vec::with_capacity(tokens.len());
            for token in tokens {
                let found = query
                    .query_row((bucket, *token as i64), |row| Ok(TokenCounts { spam: row.get(0)?, ham: row.get(1)? }));
                counts.push(found.optional()?.unwrap_or_default());
            }
            Ok(counts)
        })
    }

    /// The newest `limit` entries of the audit, newest first: seconds since 1970, who, what.
    pub fn audit(&self, limit: usize) -> Result<Vec<(i64, String, String)>, ReadError> {
        self.read(|tx| {
            let mut query = tx.prepare_cached("SELECT at, who, what FROM audit ORDER BY id DESC LIMIT ?1")?;
            let rows = query.query_map([limit as i64], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Entries of the audit before `before_id`, newest first: of one who did it, and those that name what it was about.
    pub fn audit_page(
        &self,
        before_id: Option<i64>,
        who: Option<&str>,
        about: Option<&str>,
        limit: usize,
    ) -> Result<Vec<AuditRow>, ReadError> {
        self.read(|tx| {
            let mut query = tx.prepare_cached(
                "SELECT id, at, who, what FROM audit WHERE id < ?1 AND (?2 IS NULL OR who = ?2)
                 AND (?3 IS NULL OR instr(what, ?3) > 0) ORDER BY id DESC LIMIT ?4",
            )?;
            let row =
                |row: &Row| Ok(AuditRow { id: row.get(0)?, at_s: row.get(1)?, who: row.get(2)?, what: row.get(3)? });
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let rows = query.query_map((before_id.unwrap_or(i64::MAX), who, about, limit), row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// At most `limit` messages kept apart, of whatever kind, after `after`, in order of id.
    pub fn quarantined(&self, after: Option<QueueId>, limit: usize) -> Result<Vec<Quarantined>, ReadError> {
        let after = after.map(|id| id.0.to_vec()).unwrap_or_default();
        self.read(|tx| kept_rows(tx, "q.id > ?1 ORDER BY q.id LIMIT ?2", (after, limit as i64)))
    }

    /// The same of one kind.
    pub fn kept(&self, kind: Kept, after: Option<QueueId>, limit: usize) -> Result<Vec<Quarantined>, ReadError> {
        let after = after.map(|id| id.0.to_vec()).unwrap_or_default();
        let of = (kind.number(), after, limit as i64);
        self.read(|tx| kept_rows(tx, "q.kind = ?1 AND q.id > ?2 ORDER BY q.id LIMIT ?3", of))
    }

    pub fn kept_one(&self, id: QueueId) -> Result<Option<Quarantined>, ReadError> {
        self.read(|tx| Ok(kept_rows(tx, "q.id = ?1", (&id.0[..],))?.pop()))
    }

    /// How much of a kind there is; the work grows with it.
    pub fn kept_amounts(&self, kind: Kept) -> Result<KeptAmounts, ReadError> {
        self.read(|tx| {
            let mut query = tx.prepare_cached(
                "SELECT count(*), ifnull(sum(b.len), 0), min(q.at) FROM quarantine q JOIN blob b ON b.id = q.blob
                 WHERE q.kind = ?1",
            )?;
            Ok(query.query_row([kind.number()], |row| {
                let (messages, octets) = (row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as u64);
                Ok(KeptAmounts { messages, octets, oldest_s: row.get(2)? })
            })?)
        })
    }

    /// The newest `limit` losses, newest first.
    pub fn losses(&self, limit: usize) -> Result<Vec<Loss>, ReadError> {
        self.read(|tx| {
            let mut query = tx.prepare_cached(
                "SELECT queue, kind, reverse_path, recipient, reason, at FROM loss ORDER BY id DESC LIMIT ?1",
            )?;
            losses(query.query([limit as i64])?)
        })
    }

    /// The newest `limit` losses of a message, newest first.
    pub fn losses_of(&self, queue_id: QueueId, limit: usize) -> Result<Vec<Loss>, ReadError> {
        self.read(|tx| {
            let mut query = tx.prepare_cached(
                "SELECT queue, kind, reverse_path, recipient, reason, at FROM loss WHERE queue = ?1 ORDER BY id DESC LIMIT ?2",
            )?;
            losses(query.query((&queue_id.0[..], limit as i64))?)
        })
    }

    /// The newest `limit` rows of the decision log that hold `text`, newest first.
    pub fn decisions_with(&self, text: &str, limit: usize) -> Result<Vec<(i64, String)>, ReadError> {
        self.read(|tx| {
            let mut query =
                tx.prepare_cached("SELECT at, row FROM decision WHERE instr(row, ?1) > 0 ORDER BY id DESC LIMIT ?2")?;
            let rows = query.query_map((text, limit as i64), |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The newest `limit` rows of the decision log, newest first: (seconds since 1970, row).
    pub fn decisions(&self, limit: usize) -> Result<Vec<(i64, String)>, ReadError> {
        self.read(|tx| {
            let mut query = tx.prepare_cached("SELECT at, row FROM decision ORDER BY id DESC LIMIT ?1")?;
            Ok(query.query_map([limit as i64], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?)
        })
    }

    /// Rows of the decision log from `since_s` on, behind the row `after_id`, in the order they were written: (id, Unix
    /// seconds, row). Ids begin with 1.
    pub fn decisions_page(
        &self,
        since_s: i64,
        after_id: i64,
        limit: usize,
    ) -> Result<Vec<(i64, i64, String)>, ReadError> {
        self.read(|tx| {
            let mut query =
                tx.prepare_cached("SELECT id, at, row FROM decision WHERE id > ?1 AND at >= ?2 ORDER BY id LIMIT ?3")?;
            let rows = query
                .query_map((after_id, since_s, limit as i64), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// All rings, in order of key.
    pub fn load_rings(&self) -> Result<Vec<Ring>, ReadError> {
        self.read(|tx| {
            let mut query = tx.prepare_cached("SELECT key, ticks FROM ring ORDER BY key")?;
            let rings = query.query_map([], |row| Ok(Ring { key: row.get(0)?, ticks: row.get(1)? }))?;
            Ok(rings.collect::<Result<_, _>>()?)
        })
    }

    /// Settings whose keys begin with `prefix`, in order of key, those behind `after`.
    pub fn settings(&self, prefix: &str, after: &str, limit: usize) -> Result<Vec<(String, Vec<u8>)>, ReadError> {
        self.read(|tx| {
            let mut query = tx.prepare_cached(
                "SELECT key, value FROM setting WHERE key > ?1 AND key >= ?2 AND key < ?3 ORDER BY key LIMIT ?4",
            )?;
            // No text is greater than one that goes on with the last character there is.
            let end = format!("{prefix}\u{10ffff}");
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let rows = query.query_map((after, prefix, end, limit), |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    pub fn setting(&self, key: &str) -> Result<Option<Vec<u8>>, ReadError> {
        self.read(|tx| {
            let mut query = tx.prepare_cached("SELECT value FROM setting WHERE key = ?1")?;
            Ok(query.query_row([key], |row| row.get(0)).optional()?)
        })
    }
}

fn losses(mut rows: rusqlite::Rows) -> Result<Vec<Loss>, ReadError> {
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Loss {
            kind: row.get(1)?,
            queue_id: id_row(row)?,
            reverse_path: reverse_path(&row.get::<_, String>(2)?)?,
            recipient: row.get(3)?,
            reason: row.get(4)?,
            at_s: row.get(5)?,
        });
    }
    Ok(found)
}

fn delivery_row(row: &Row) -> rusqlite::Result<Delivery> {
    let (got, marks): (Option<Vec<u8>>, Option<Vec<u8>>) = (row.get(3)?, row.get(4)?);
    let mark = |octets: &[u8]| octets.iter().rev().fold(0, |mark, octet| mark << 8 | u64::from(*octet));
    Ok(Delivery {
        id: row.get(0)?,
        message_id: row.get(1)?,
        hash: row.get(2)?,
        placed: got.unwrap_or_default().chunks_exact(8).map(placed).collect(),
        marks: marks.unwrap_or_default().chunks_exact(8).map(mark).collect(),
    })
}

/// `which` is the end of the statement.
fn kept_rows(tx: &Transaction, which: &str, of: impl Params) -> Result<Vec<Quarantined>, ReadError> {
    let mut query = tx.prepare_cached(&format!(
        "SELECT q.id, q.why, q.engine, q.signature, q.reverse_path, q.recipients, q.facts, q.at,
         b.id, b.seg, b.off, b.skip, b.len, b.crc, b.email, q.kind
         FROM quarantine q JOIN blob b ON b.id = q.blob WHERE {which}"
    ))?;
    let mut rows = query.query(of)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let recipients = row.get::<_, String>(5)?;
        found.push(Quarantined {
            id: id_row(row)?,
            kind: Kept::of_number(row.get(15)?).ok_or(ReadError::Damaged)?,
            body: body_row(0, row, 8)?,
            why: row.get(1)?,
            engine: row.get(2)?,
            signature: row.get(3)?,
            reverse_path: reverse_path(&row.get::<_, String>(4)?)?,
            recipients: recipients
                .lines()
                .map(str::parse::<Address>)
                .collect::<Result<_, _>>()
                .map_err(|_| ReadError::Damaged)?,
            facts: row.get(6)?,
            at_s: row.get(7)?,
        });
    }
    Ok(found)
}

pub(super) fn placed(octets: &[u8]) -> (MailboxId, u32) {
    let number = |at: usize| u32::from_le_bytes([octets[at], octets[at + 1], octets[at + 2], octets[at + 3]]);
    (MailboxId(number(0)), number(4))
}
