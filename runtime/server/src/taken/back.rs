//! The way back into the mailboxes.

use store::{DeliveryId, Kept, Op, OpResult, PutBackTaken, Quarantined, QueueId, RecordEnvelope};

use super::{TakenError, item_of, let_go, turn};
use crate::quarantine::told;
use crate::sealed;
use crate::service::Service;

/// Copies of one message that one commit brings back.
const BACK_AT_ONCE: u32 = 200;
/// Messages whose copies come back in the same commits.
const MESSAGES_AT_ONCE: usize = 20;

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Back {
    pub messages: u64,
    /// Copies in the spool that are due now.
    pub let_go: Vec<QueueId>,
    /// Deliveries of which nothing is kept: they were not taken, are back already, or their time was over.
    pub unknown: Vec<QueueId>,
}

/// Puts what was taken of these deliveries back: each copy into its mailbox, or INBOX when that is gone, with flags,
/// INTERNALDATE, saved date, EMAILID and THREADID, quota or not. Not for async threads. The same call again does what is left.
pub fn put_back(service: &Service, deliveries: &[DeliveryId], why: &str, by: &str) -> Result<Back, TakenError> {
    back_from(service, Kept::Recalled, deliveries, why, by)
}

/// The same for what was taken out because a scanner found something in it, which no undo of a recall brings back.
pub fn released(service: &Service, deliveries: &[DeliveryId], why: &str, by: &str) -> Result<Back, TakenError> {
    back_from(service, Kept::Quarantine, deliveries, why, by)
}

fn back_from(
    service: &Service,
    kind: Kept,
    deliveries: &[DeliveryId],
    why: &str,
    by: &str,
) -> Result<Back, TakenError> {
    let _turn = turn();
    let mut back = Back { let_go: let_go(service, deliveries)?, ..Back::default() };
    for some in deliveries.chunks(MESSAGES_AT_ONCE) {
        let mut kept = Vec::new();
        for delivery in some {
            match service.store.kept_one(item_of(*delivery))?.filter(|row| row.kind == kind) {
                Some(row) => kept.push((*delivery, row)),
                None if back.let_go.contains(&QueueId(*delivery)) => {}
                None => back.unknown.push(QueueId(*delivery)),
            }
        }
        back.messages += copies(service, &kept)?;
        let said = format!("into the mailboxes by {by}: {why}");
        let ends = kept.iter().flat_map(|(delivery, row)| {
            [Op::ReleaseQuarantined { id: row.id }, told(service, "put-back", QueueId(*delivery), "", &said)]
        });
        let ends: Vec<Op> = ends.collect();
        if !ends.is_empty() {
            service.store.commit_wait(ends)?;
        }
    }
    Ok(back)
}

/// Brings all copies of these messages back; how many there were.
fn copies(service: &Service, kept: &[(DeliveryId, Quarantined)]) -> Result<u64, TakenError> {
    let mut left = Vec::new();
    for (delivery, row) in kept {
        let content = sealed::whole(&service.store, &service.signing.seal, row.id, &row.body);
        let content = content.map_err(TakenError::Sealed)?;
        let envelope = RecordEnvelope { delivery_id: *delivery, ..RecordEnvelope::default() };
        let body = service.store.put_body_for(&envelope, b"", &[&content]).map_err(TakenError::Put)?;
        let summary = crate::drive::summary(&content);
        left.extend(service.store.shard_numbers().map(|shard| PutBackTaken {
            item: row.id,
            shard,
            body: body.clone(),
            summary: summary.clone(),
            limit: BACK_AT_ONCE,
        }));
    }
    let mut messages = 0;
    while !left.is_empty() {
        let ops = left.iter().map(|back| Op::PutBackTaken(Box::new(back.clone()))).collect();
        let results = service.store.commit_wait(ops)?;
        let mut counts = results.iter().map(|result| match result {
            OpResult::Delivered { placed, .. } => placed.len(),
            _ => 0,
        });
        left.retain(|back| {
            let placed = counts.next().unwrap_or(0);
            messages += placed as u64;
            placed == back.limit as usize
        });
    }
    Ok(messages)
}
