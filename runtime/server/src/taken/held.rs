//! Copies that wait in the spool: nobody tries them while a message is taken out of the mailboxes. What was held for that is
//! written down in the commit that holds it, so that only this is let go.

use queue::MessageFacts;
use store::{CommitError, DeliveryId, Op, QueueId, ReadError, Refusal, Store};

use super::TakenError;
use crate::clock;
use crate::service::Service;

fn key(queue_id: QueueId) -> String {
    format!("taken.held/{queue_id}")
}

/// Holds what of these waits in the spool; says what it holds now, without those that an operator held before.
pub fn hold_back(service: &Service, deliveries: &[DeliveryId]) -> Result<Vec<QueueId>, TakenError> {
    let mut held = Vec::new();
    for queue_id in deliveries.iter().map(|id| QueueId(*id)) {
        if service.store.setting(&key(queue_id))?.is_some() || set(service, queue_id, true)? {
            held.push(queue_id);
        }
    }
    service.spool.changed(held.iter().copied());
    Ok(held)
}

/// Ends the hold of those that [`hold_back`] held: they are due now. Says which.
pub fn let_go(service: &Service, deliveries: &[DeliveryId]) -> Result<Vec<QueueId>, TakenError> {
    let mut free = Vec::new();
    for queue_id in deliveries.iter().map(|id| QueueId(*id)) {
        if service.store.setting(&key(queue_id))?.is_some() {
            if set(service, queue_id, false)? {
                free.push(queue_id);
            } else {
                service.store.commit_wait(vec![let_go_op(queue_id)])?;
            }
        }
    }
    service.spool.changed(free.iter().copied());
    Ok(free)
}

/// Does [`hold_back`] hold it?
pub fn is_held(store: &Store, queue_id: QueueId) -> Result<bool, ReadError> {
    Ok(store.setting(&key(queue_id))?.is_some())
}

/// Forgets that it is held.
pub fn let_go_op(queue_id: QueueId) -> Op {
    Op::Setting { key: key(queue_id), value: None }
}

/// False when it is so already, or the message does not wait any more.
fn set(service: &Service, queue_id: QueueId, held: bool) -> Result<bool, TakenError> {
    // Nobody is at it meanwhile.
    let _turn = service.spool.blocking_turn(queue_id);
    let Some(item) = service.store.queue_item(queue_id)? else { return Ok(false) };
    let facts: MessageFacts = queue::facts::read(&item.facts);
    if facts.held == held {
        return Ok(false);
    }
    let facts = queue::facts::written(&MessageFacts { held, ..facts });
    let mut ops = vec![
        Op::Progress { queue_id, facts },
        Op::Setting { key: key(queue_id), value: held.then(|| b"held".to_vec()) },
    ];
    if !held {
        ops.push(Op::Reschedule { queue_id, due_at_s: clock::unix_s() });
    }
    match service.store.commit_wait(ops) {
        Ok(_) => Ok(true),
        Err(CommitError::Refused { why: Refusal::NoSuchQueueItem, .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
