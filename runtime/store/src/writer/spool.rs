//! Rows of the spool: in, tried, settled.

use mail::ReversePath;
use rusqlite::OptionalExtension;

use super::Stop;
use super::group::Group;
use crate::error::Refusal;
use crate::id::QueueId;
use crate::op::OpResult;
use crate::spool::{Enqueue, NextHop, Settled};

impl Group<'_> {
    pub(super) fn enqueue(&mut self, enqueue: &Enqueue) -> Result<OpResult, Stop> {
        let id = &enqueue.queue_id.0[..];
        if enqueue.recipients.is_empty() {
            return Err(Refusal::NoRecipients.into());
        }
        let known: bool = self
            .db
            .prepare_cached("SELECT EXISTS(SELECT 1 FROM spool WHERE id = ?1)")?
            .query_row([id], |row| row.get(0))?;
        if known {
            return Err(Refusal::QueueItemExists.into());
        }
        let blob = self.hold(&enqueue.body, 1, None)?;
        self.db
            .prepare_cached(
                "INSERT INTO spool(id, blob, reverse_path, plan, accepted_at, facts, waiting)
                 VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute((
                id,
                blob,
                path(&enqueue.reverse_path),
                &enqueue.plan,
                enqueue.accepted_at_s,
                &enqueue.facts,
                enqueue.recipients.len() as i64,
            ))?;
        let mut insert = self.db.prepare_cached(
            "INSERT INTO spool_recipient(spool, n, forward_path, hop, route, state, due_at, attempts, reply, facts)
             VALUES(?1, ?2, ?3, ?4, ?5, 0, ?6, 0, '', ?7)",
        )?;
        for (n, recipient) in enqueue.recipients.iter().enumerate() {
            let (hop, route) = match &recipient.next_hop {
                NextHop::Local => (0, ""),
                NextHop::Mx => (1, ""),
                NextHop::Route(route) => (2, route.as_str()),
            };
            let forward_path = recipient.forward_path.to_string();
            insert.execute((id, n as i64, forward_path, hop, route, recipient.due_at_s, &recipient.facts))?;
        }
        Ok(OpResult::Done)
    }

    pub(super) fn progress(&mut self, queue_id: QueueId, facts: &[u8]) -> Result<OpResult, Stop> {
        let found =
            self.db.prepare_cached("UPDATE spool SET facts = ?2 WHERE id = ?1")?.execute((&queue_id.0[..], facts))?;
        one_row(found)
    }

    pub(super) fn attempt(
        &mut self,
        queue_id: QueueId,
        recipient: u32,
        due_at_s: i64,
        reply: &str,
    ) -> Result<OpResult, Stop> {
        let found = self
            .db
            .prepare_cached(
                "UPDATE spool_recipient SET attempts = attempts + 1, due_at = ?3, reply = ?4
                 WHERE spool = ?1 AND n = ?2 AND state = 0",
            )?
            .execute((&queue_id.0[..], recipient, due_at_s, reply))?;
        one_row(found)
    }

    pub(super) fn reschedule(&mut self, queue_id: QueueId, due_at_s: i64) -> Result<OpResult, Stop> {
        let found = self
            .db
            .prepare_cached("UPDATE spool_recipient SET due_at = ?2 WHERE spool = ?1 AND state = 0")?
            .execute((&queue_id.0[..], due_at_s))?;
        if found == 0 { Err(Refusal::NoSuchQueueItem.into()) } else { Ok(OpResult::Done) }
    }

    pub(super) fn settle(&mut self, queue_id: QueueId, recipient: u32, outcome: Settled) -> Result<OpResult, Stop> {
        let id = &queue_id.0[..];
        let state = match outcome {
            Settled::Delivered => 1,
            Settled::Failed => 2,
            Settled::Removed => 3,
        };
        let found = self
            .db
            .prepare_cached(
                "UPDATE spool_recipient SET state = ?3, attempts = attempts + 1 WHERE spool = ?1 AND n = ?2 AND state = 0",
            )?
            .execute((id, recipient, state))?;
        one_row(found)?;
        let left: Option<(i64, i64)> = self
            .db
            .prepare_cached("UPDATE spool SET waiting = waiting - 1 WHERE id = ?1 RETURNING waiting, blob")?
            .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((0, blob)) = left else { return Ok(OpResult::Done) };
        self.db.prepare_cached("DELETE FROM spool_recipient WHERE spool = ?1")?.execute([id])?;
        self.db.prepare_cached("DELETE FROM spool WHERE id = ?1")?.execute([id])?;
        self.drop_reference(blob)?;
        Ok(OpResult::Done)
    }
}

fn one_row(found: usize) -> Result<OpResult, Stop> {
    if found == 1 { Ok(OpResult::Done) } else { Err(Refusal::NoSuchQueueItem.into()) }
}

/// A reverse-path as its column holds it: nothing for `<>`.
pub(super) fn path(reverse_path: &ReversePath) -> String {
    reverse_path.address().map(ToString::to_string).unwrap_or_default()
}
