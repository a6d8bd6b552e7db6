//! Quarantine, losses, the decision log, rings, settings, what the spam filter learned, the audit, the delivery index.

use rusqlite::OptionalExtension;

use super::Stop;
use super::group::Group;
use super::spool::path;
use crate::error::Refusal;
use crate::id::QueueId;
use crate::op::{Kept, Loss, OpResult, Quarantined, Ring, TokenCount};

/// Rows one op takes off the delivery index or a log.
const TRIMMED_MAX: i64 = 5_000;

impl Group<'_> {
    pub(super) fn quarantine(&mut self, quarantined: &Quarantined) -> Result<OpResult, Stop> {
        let id = &quarantined.id.0[..];
        let known: bool = self
            .db
            .prepare_cached("SELECT EXISTS(SELECT 1 FROM quarantine WHERE id = ?1)")?
            .query_row([id], |row| row.get(0))?;
        if known {
            return Err(Refusal::QueueItemExists.into());
        }
        let blob = self.hold(&quarantined.body, 1, None)?;
        let recipients: Vec<String> = quarantined.recipients.iter().map(ToString::to_string).collect();
        self.db
            .prepare_cached(
                "INSERT INTO quarantine(id, blob, why, engine, signature, reverse_path, recipients, facts, at, kind)
                 VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute((
                id,
                blob,
                &quarantined.why,
                &quarantined.engine,
                &quarantined.signature,
                path(&quarantined.reverse_path),
                recipients.join("\n"),
                &quarantined.facts,
                quarantined.at_s,
                quarantined.kind.number(),
            ))?;
        Ok(OpResult::Done)
    }

    pub(super) fn recast(&mut self, id: QueueId, kind: Kept, facts: &[u8]) -> Result<OpResult, Stop> {
        let changed = self
            .db
            .prepare_cached("UPDATE quarantine SET kind = ?2, facts = ?3 WHERE id = ?1")?
            .execute((&id.0[..], kind.number(), facts))?;
        if changed == 1 { Ok(OpResult::Done) } else { Err(Refusal::NoSuchQuarantined.into()) }
    }

    pub(super) fn release_quarantined(&mut self, id: QueueId) -> Result<OpResult, Stop> {
        let blob: Option<i64> = self
            .db
            .prepare_cached("DELETE FROM quarantine WHERE id = ?1 RETURNING blob")?
            .query_row([&id.0[..]], |row| row.get(0))
            .optional()?;
        self.drop_reference(blob.ok_or(Refusal::NoSuchQuarantined)?)?;
        Ok(OpResult::Done)
    }

    pub(super) fn record_loss(&mut self, loss: &Loss) -> Result<OpResult, Stop> {
        self.db
            .prepare_cached(
                "INSERT INTO loss(kind, queue, reverse_path, recipient, reason, at) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((
                &loss.kind,
                &loss.queue_id.0[..],
                path(&loss.reverse_path),
                &loss.recipient,
                &loss.reason,
                loss.at_s,
            ))?;
        Ok(OpResult::Done)
    }

    /// The oldest rows go as new ones come: at most two per row, so that a lowered bound is reached without a long delete.
    pub(super) fn log_decision(&mut self, at_s: i64, row: &str) -> Result<OpResult, Stop> {
        self.db.prepare_cached("INSERT INTO decision(at, row) VALUES(?1, ?2)")?.execute((at_s, row))?;
        let oldest_kept =
            self.db.last_insert_rowid().saturating_sub(i64::try_from(self.decision_rows_max).unwrap_or(i64::MAX));
        self.db
            .prepare_cached(
                "DELETE FROM decision WHERE id IN (SELECT id FROM decision WHERE id <= ?1 ORDER BY id LIMIT 2)",
            )?
            .execute([oldest_kept])?;
        Ok(OpResult::Done)
    }

    pub(super) fn flush_rings(&mut self, rings: &[Ring]) -> Result<OpResult, Stop> {
        for ring in rings {
            if ring.ticks.is_empty() {
                self.db.prepare_cached("DELETE FROM ring WHERE key = ?1")?.execute([&ring.key])?;
            } else {
                self.db
                    .prepare_cached(
                        "INSERT INTO ring(key, ticks) VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET ticks = ?2",
                    )?
                    .execute((&ring.key, &ring.ticks))?;
            }
        }
        Ok(OpResult::Done)
    }

    pub(super) fn set_setting(&mut self, key: &str, value: Option<&[u8]>) -> Result<OpResult, Stop> {
        match value {
            None => self.db.prepare_cached("DELETE FROM setting WHERE key = ?1")?.execute([key])?,
            Some(value) => self
                .db
                .prepare_cached(
                    "INSERT INTO setting(key, value) VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET value = ?2",
                )?
                .execute((key, value))?,
        };
        Ok(OpResult::Done)
    }

    /// Counts that come back to nothing leave no row.
    pub(super) fn count_tokens(&mut self, bucket: u32, tokens: &[TokenCount]) -> Result<OpResult, Stop> {
        let mut add = self.db.prepare_cached(
            "INSERT INTO statistic(bucket, token, spam, ham) VALUES(?1, ?2, max(?3, 0), max(?4, 0))
             ON CONFLICT(bucket, token) DO UPDATE SET spam = max(spam + ?3, 0), ham = max(ham + ?4, 0)
             RETURNING spam = 0 AND ham = 0",
        )?;
        let mut remove = self.db.prepare_cached("DELETE FROM statistic WHERE bucket = ?1 AND token = ?2")?;
        for count in tokens {
            let token = count.token as i64;
            let nothing: bool = add.query_row((bucket, token, count.spam, count.ham), |row| row.get(0))?;
            if nothing {
                remove.execute((bucket, token))?;
            }
        }
        Ok(OpResult::Done)
    }

    pub(super) fn record_audit(&mut self, at_s: i64, who: &str, what: &str) -> Result<OpResult, Stop> {
        self.db.prepare_cached("INSERT INTO audit(at, who, what) VALUES(?1, ?2, ?3)")?.execute((at_s, who, what))?;
        Ok(OpResult::Done)
    }

    /// Ids of deliveries begin with 48 bits of Unix milliseconds.
    pub(super) fn trim_deliveries(&mut self, before_ms: u64) -> Result<OpResult, Stop> {
        let before = &before_ms.to_be_bytes()[2..];
        let removed = self
            .db
            .prepare_cached("DELETE FROM delivery WHERE id IN (SELECT id FROM delivery WHERE id < ?1 LIMIT ?2)")?
            .execute((before, TRIMMED_MAX))?;
        Ok(OpResult::Trimmed(removed as u64))
    }

    /// Rows come in order of time, so the oldest are met first.
    pub(super) fn trim_losses(&mut self, before_s: i64) -> Result<OpResult, Stop> {
        self.trim("DELETE FROM loss WHERE id IN (SELECT id FROM loss WHERE at < ?1 ORDER BY id LIMIT ?2)", before_s)
    }

    pub(super) fn trim_decisions(&mut self, before_s: i64) -> Result<OpResult, Stop> {
        self.trim(
            "DELETE FROM decision WHERE id IN (SELECT id FROM decision WHERE at < ?1 ORDER BY id LIMIT ?2)",
            before_s,
        )
    }

    pub(super) fn trim_accesses(&mut self, before_s: i64) -> Result<OpResult, Stop> {
        self.trim(
            "DELETE FROM access WHERE (login, how) IN (SELECT login, how FROM access WHERE last < ?1 LIMIT ?2)",
            before_s,
        )
    }

    /// A trigger keeps every entry that is not older than the row of `meta`, which is there for this moment alone.
    pub(super) fn trim_audit(&mut self, before_s: i64) -> Result<OpResult, Stop> {
        let mut from = self.db.prepare_cached("INSERT OR REPLACE INTO meta(key, value) VALUES('audit_from', ?1)")?;
        from.execute([before_s])?;
        drop(from);
        let removed = self.trim(
            "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ?1 ORDER BY id LIMIT ?2)",
            before_s,
        )?;
        self.db.prepare_cached("DELETE FROM meta WHERE key = 'audit_from'")?.execute([])?;
        Ok(removed)
    }

    fn trim(&mut self, statement: &str, before_s: i64) -> Result<OpResult, Stop> {
        let removed = self.db.prepare_cached(statement)?.execute((before_s, TRIMMED_MAX))?;
        Ok(OpResult::Trimmed(removed as u64))
    }
}
