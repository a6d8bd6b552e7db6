//! The way back into the mailboxes.

use store::{DeliveryId, Op, OpResult, PutBackTaken, QueueId, RecordEnvelope};

use super::{TakenError, item_of, let_go, turn};
use crate::quarantine::told;
use crate::sealed;
use crate::service::Service;

/// Messages one commit brings back.
const BACK_AT_ONCE: u32 = 200;

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
    let _turn = turn();
    let mut back = Back { let_go: let_go(service, deliveries)?, ..Back::default() };
    for delivery in deliveries {
        let item = item_of(*delivery);
        match service.store.kept_one(item)? {
            None if back.let_go.contains(&QueueId(*delivery)) => {}
            None => back.unknown.push(QueueId(*delivery)),
            Some(kept) => {
                let content = sealed::whole(&service.store, &service.signing.seal, item, &kept.body);
                let content = content.map_err(TakenError::Sealed)?;
                let summary = crate::drive::summary(&content);
                let envelope = RecordEnvelope { delivery_id: *delivery, ..RecordEnvelope::default() };
                let body = service.store.put_body_for(&envelope, b"", &[&content]).map_err(TakenError::Put)?;
                for shard in service.store.shard_numbers() {
                    loop {
                        let (body, summary) = (body.clone(), summary.clone());
                        let op = PutBackTaken { item, shard, body, summary, limit: BACK_AT_ONCE };
                        let results = service.store.commit_wait(vec![Op::PutBackTaken(Box::new(op))])?;
                        let [OpResult::Delivered { placed, .. }] = results.as_slice() else { break };
                        if placed.is_empty() {
                            break;
                        }
                        back.messages += placed.len() as u64;
                    }
                }
                let said = format!("into the mailboxes by {by}: {why}");
                let told = told(service, "put-back", QueueId(*delivery), "", &said);
                service.store.commit_wait(vec![Op::ReleaseQuarantined { id: item }, told])?;
            }
        }
    }
    Ok(back)
}
