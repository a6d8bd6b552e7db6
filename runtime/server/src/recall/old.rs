//! What ends by itself: finds nobody took, and recalls whose copies have gone from quarantine.

use store::{CommitError, Op, QueueId, ReadError, Settled};

use super::{State, WAITS_S, all, op};
use crate::service::Service;
use crate::taken;

/// Forgets finds and refused takes of a day ago, and recalls from before `before_s` with what is held of them in the spool:
/// what nobody put back in that time nobody wants.
pub fn forget(service: &Service, before_s: i64, now_s: i64) {
    match forgotten(service, before_s, now_s) {
        Ok(0) => {}
        Ok(gone) => tracing::info!(gone, "recalls that are over are forgotten"),
        Err(error) => tracing::error!("recalls that are over stay: {error}"),
    }
}

fn forgotten(service: &Service, before_s: i64, now_s: i64) -> Result<u64, String> {
    let words = |error: ReadError| error.to_string();
    let mut gone = 0;
    for (id, recall) in all(&service.store).map_err(words)? {
        let is_over = match recall.state {
            State::Found => recall.at_s.saturating_add(WAITS_S) <= now_s,
            // The one who asked may look for a while what became of it.
            State::Waiting | State::Expired => recall.asked_at_s.saturating_add(7 * WAITS_S) <= now_s,
            State::Taking | State::Taken | State::Undoing => recall.asked_at_s < before_s,
            State::Undone => recall.undone_at_s < before_s,
        };
        if !is_over {
            continue;
        }
        if matches!(recall.state, State::Taking | State::Taken) {
            for delivery in recall.deliveries() {
                if taken::is_held(&service.store, QueueId(delivery)).map_err(words)? {
                    removed(service, QueueId(delivery)).map_err(|error| error.to_string())?;
                }
            }
        }
        service.store.commit_wait(vec![op(&id, None)]).map_err(|error| error.to_string())?;
        gone += 1;
    }
    Ok(gone)
}

/// Takes what a recall held out of the spool, with a loss record and without a word to its sender.
fn removed(service: &Service, queue_id: QueueId) -> Result<(), CommitError> {
    let _turn = service.spool.blocking_turn(queue_id);
    let Ok(Some(item)) = service.store.queue_item(queue_id) else { return Ok(()) };
    let mut ops = Vec::new();
    for recipient in &item.recipients {
        let about = recipient.forward_path.to_string();
        let kind = plan::Loss::NotDelivered;
        ops.extend(service.records.op(kind, queue_id, &item.reverse_path, about, "recalled and never put back"));
        ops.push(Op::Settle { queue_id, recipient: recipient.number, outcome: Settled::Removed });
    }
    ops.push(taken::let_go_op(queue_id));
    service.store.commit_wait(ops)?;
    service.spool.changed([queue_id]);
    Ok(())
}
