//! Quarantine, losses, decisions, rings and settings.

use mail::Address;
use rusqlite::OptionalExtension;

use super::messages::body_row;
use super::spool::{id_row, reverse_path};
use crate::error::ReadError;
use crate::id::QueueId;
use crate::op::{Loss, Quarantined, Ring};
use crate::store::Store;

impl Store {
    /// At most `limit` quarantined messages after `after`, in order of id.
    pub fn quarantined(&self, after: Option<QueueId>, limit: usize) -> Result<Vec<Quarantined>, ReadError> {
        let after = after.map(|id| id.0.to_vec()).unwrap_or_default();
        self.read(|tx| {
            let mut query = tx.prepare_cached(
                "SELECT q.id, q.why, q.engine, q.signature, q.reverse_path, q.recipients, q.facts, q.at,
                 b.id, b.seg, b.off, b.skip, b.len, b.crc
                 FROM quarantine q JOIN blob b ON b.id = q.blob WHERE q.id > ?1 ORDER BY q.id LIMIT ?2",
            )?;
            let mut rows = query.query((after, limit as i64))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let recipients = row.get::<_, String>(5)?;
                found.push(Quarantined {
                    id: id_row(row)?,
                    body: body_row(row, 8)?,
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
        })
    }

    /// The newest `limit` losses, newest first.
    pub fn losses(&self, limit: usize) -> Result<Vec<Loss>, ReadError> {
        self.read(|tx| {
            let mut query = tx.prepare_cached(
                "SELECT queue, kind, reverse_path, recipient, reason, at FROM loss ORDER BY id DESC LIMIT ?1",
            )?;
            let mut rows = query.query([limit as i64])?;
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
        })
    }

    /// The newest `limit` rows of the decision log, newest first: (seconds since 1970, row).
    pub fn decisions(&self, limit: usize) -> Result<Vec<(i64, String)>, ReadError> {
        self.read(|tx| {
            let mut query = tx.prepare_cached("SELECT at, row FROM decision ORDER BY id DESC LIMIT ?1")?;
            Ok(query.query_map([limit as i64], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?)
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

    pub fn setting(&self, key: &str) -> Result<Option<Vec<u8>>, ReadError> {
        self.read(|tx| {
            let mut query = tx.prepare_cached("SELECT value FROM setting WHERE key = ?1")?;
            Ok(query.query_row([key], |row| row.get(0)).optional()?)
        })
    }
}
