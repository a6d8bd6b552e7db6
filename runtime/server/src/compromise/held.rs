//! What waits of an account whose outgoing mail is held.

use mail::{Login, header};
use plan::Loss;
use queue::MessageFacts;
use queue::facts::HeldBy;
use store::{CommitError, Op, QueueId, QueueItem, ReadError, Refusal, Settled, Store};

use crate::clock;
use crate::service::Service;

/// Messages of the spool read at a time.
const PAGE: usize = 200;
/// Octets of a message in which its Subject is looked for.
const HEADER_OCTETS_MAX: u64 = 16 * 1024;

/// A message that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldMessage {
    pub queue_id: QueueId,
    pub at_s: i64,
    pub subject: String,
    /// Recipients that wait.
    pub recipients: usize,
    pub to: Vec<String>,
    pub octets: u64,
}

/// Everything that waits of this login, the oldest first; what an operator held by itself is not among it.
pub fn held_of(store: &Store, login: &str) -> Result<Vec<HeldMessage>, ReadError> {
    let mut held: Vec<HeldMessage> = items_of(store, login)?.iter().map(|item| message(store, item)).collect();
    held.sort_by_key(|message| (message.at_s, message.queue_id.0));
    Ok(held)
}

fn items_of(store: &Store, login: &str) -> Result<Vec<QueueItem>, ReadError> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = store.queue_list(after, PAGE)?;
        let Some(last) = page.last() else { return Ok(all) };
        after = Some(last.queue_id);
        all.extend(page.into_iter().filter(|item| {
            let facts: MessageFacts = queue::facts::read(&item.facts);
            let by_operator = facts.held && facts.held_by == HeldBy::Operator;
            !by_operator && facts.login.is_some_and(|sender| sender.eq_ignore_ascii_case(login))
        }));
    }
}

fn message(store: &Store, item: &QueueItem) -> HeldMessage {
    let start = store.read_body_range(&item.body, 0, item.body.len().min(HEADER_OCTETS_MAX)).unwrap_or_default();
    HeldMessage {
        queue_id: item.queue_id,
        at_s: item.accepted_at_s,
        subject: header::find(&start, "subject").map(|field| field.text()).unwrap_or_default(),
        recipients: item.recipients.len(),
        to: item.recipients.iter().map(|recipient| recipient.forward_path.to_string()).collect(),
        octets: item.body.len(),
    }
}

/// Lets what waits of this login go, where nothing holds it any more; how many messages.
pub fn release(service: &Service, login: &Login) -> Result<u64, String> {
    let mut released = Vec::new();
    for item in items_of(&service.store, login.as_str()).map_err(|error| error.to_string())? {
        let facts: MessageFacts = queue::facts::read(&item.facts);
        match facts.held {
            // Nothing was written beside it: it waited when the hold began.
            false => released.push(item.queue_id),
            true if facts.held_by == HeldBy::Outgoing && let_go(service, item.queue_id)? => {
                released.push(item.queue_id)
            }
            true => {}
        }
    }
    service.spool.changed(released.iter().copied());
    Ok(released.len() as u64)
}

/// Ends the hold of one; false when it does not wait any more.
fn let_go(service: &Service, queue_id: QueueId) -> Result<bool, String> {
    let _turn = service.spool.blocking_turn(queue_id);
    let Some(item) = service.store.queue_item(queue_id).map_err(|error| error.to_string())? else { return Ok(false) };
    let facts: MessageFacts = queue::facts::read(&item.facts);
    let free = MessageFacts { held: false, held_by: HeldBy::default(), held_because: String::new(), ..facts };
    let ops = vec![
        Op::Progress { queue_id, facts: queue::facts::written(&free) },
        Op::Reschedule { queue_id, due_at_s: clock::unix_s() },
    ];
    match service.store.commit_wait(ops) {
        Ok(_) => Ok(true),
        Err(CommitError::Refused { why: Refusal::NoSuchQueueItem, .. }) => Ok(false),
        Err(error) => Err(error.to_string()),
    }
}

/// Takes messages out of the spool, each recipient with a loss record in the commit; how many messages. Those that are gone
/// are gone.
pub fn discard(service: &Service, ids: &[QueueId], rule: &str) -> Result<u64, String> {
    let mut discarded = 0;
    for queue_id in ids.iter().copied() {
        // Nobody is at it meanwhile.
        let _turn = service.spool.blocking_turn(queue_id);
        let Some(item) = service.store.queue_item(queue_id).map_err(|error| error.to_string())? else { continue };
        let ops = item.recipients.iter().flat_map(|recipient| {
            let (about, from) = (recipient.forward_path.to_string(), &item.reverse_path);
            let loss = service.records.op(Loss::NotDelivered, queue_id, from, about, &format!("discarded, {rule}"));
            let recipient = recipient.number;
            loss.into_iter().chain([Op::Settle { queue_id, recipient, outcome: Settled::Removed }])
        });
        match service.store.commit_wait(ops.collect()) {
            Ok(_) => discarded += 1,
            Err(CommitError::Refused { why: Refusal::NoSuchQueueItem, .. }) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    service.spool.changed(ids.iter().copied());
    Ok(discarded)
}
