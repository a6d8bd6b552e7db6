//! What left the house, or waits to: for each message of the spool, whom it is for and by what it can be found later. The
//! delivery index has what is in mailboxes; this has the rest, so that a recall can name copies it cannot bring back.

use plan::{Life, Retention};
use serde::{Deserialize, Serialize};
use store::{Enqueue, NextHop, Op, QueueId, ReadError, Store};

use crate::service::Service;

/// Keys are this and the queue id, which begins with the time.
const PREFIX: &str = "left/";
/// A message is not recalled after so long, and who wrote to whom is nobody's business for longer.
const KEPT_S_MAX: u64 = 30 * 86_400;
/// Rows read, or forgotten, at a time.
const PAGE: usize = 500;

/// A message of the spool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Left {
    /// See [`crate::marks`].
    pub marks: Vec<u64>,
    pub to: Vec<LeftTo>,
}

/// Where a copy goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LeftTo {
    pub address: String,
    /// The address of ours that leads there, where the client did not give it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub behind: Option<String>,
    /// Many mailboxes here are behind it: it does not leave.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub here: bool,
}

/// For the commit that puts messages into the spool: an op for each of these. `marks` are those of the content.
pub fn ops(commit: &[Op], marks: &[u64]) -> Vec<Op> {
    let enqueued = commit.iter().filter_map(|op| match op {
        Op::Enqueue(enqueue) => Some(enqueue),
        _ => None,
    });
    enqueued.map(|enqueue| op(enqueue, marks)).collect()
}

fn op(enqueue: &Enqueue, marks: &[u64]) -> Op {
    let to = enqueue.recipients.iter().map(|recipient| {
        let facts: queue::RecipientFacts = queue::facts::read(&recipient.facts);
        LeftTo {
            address: recipient.forward_path.to_string(),
            behind: facts.behind.map(|behind| behind.to_string()),
            here: recipient.next_hop == NextHop::Local,
        }
    });
    let left = Left { marks: marks.to_vec(), to: to.collect() };
    let key = format!("{PREFIX}{}", enqueue.queue_id);
    // INVARIANT: strings and numbers always have a JSON form.
    Op::Setting { key, value: Some(serde_json::to_vec(&left).unwrap_or_default()) }
}

/// The message of this id; `None` when it never was in the spool, or is forgotten.
pub fn of(store: &Store, id: QueueId) -> Result<Option<Left>, ReadError> {
    Ok(store.setting(&format!("{PREFIX}{id}"))?.map(|octets| queue::facts::read(&octets)))
}

/// Calls `each` with every message that came to the spool at `since_ms` or later, oldest first, until it says no.
pub fn since<E: From<ReadError>>(
    store: &Store,
    since_ms: u64,
    mut each: impl FnMut(QueueId, Left) -> Result<(), E>,
) -> Result<(), E> {
    let mut after = format!("{PREFIX}{}", first_of(since_ms));
    loop {
        let page = store.settings(PREFIX, &after, PAGE)?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after.clone_from(last);
        for (key, octets) in page {
            if let Some(id) = key.strip_prefix(PREFIX).and_then(crate::operate::parse_id) {
                each(id, queue::facts::read(&octets))?;
            }
        }
    }
}

/// The id before all of that millisecond.
fn first_of(ms: u64) -> QueueId {
    let mut id = [0; 16];
    id[..6].copy_from_slice(&ms.to_be_bytes()[2..]);
    QueueId(id)
}

/// Forgets what came before the plan says, or too long ago.
pub fn forget(service: &Service, retention: &Retention, now_s: i64) {
    let life_s = match retention.decisions {
        Life::For { s } => s.min(KEPT_S_MAX),
        Life::WhileAccountLives | Life::Forever => KEPT_S_MAX,
    };
    let before_s = now_s.saturating_sub(i64::try_from(life_s).unwrap_or(i64::MAX));
    let end = format!("{PREFIX}{}", first_of(u64::try_from(before_s).unwrap_or(0).saturating_mul(1_000)));
    loop {
        let page = match service.store.settings(PREFIX, "", PAGE) {
            Ok(page) => page,
            Err(error) => return tracing::error!("what left cannot be read: {error}"),
        };
        let old: Vec<Op> =
            page.into_iter().filter(|(key, _)| *key < end).map(|(key, _)| Op::Setting { key, value: None }).collect();
        if old.is_empty() {
            return;
        }
        if let Err(error) = service.store.commit_wait(old) {
            return tracing::error!("what left is not forgotten: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_the_order_of_time() {
        let key = |ms: u64| format!("{PREFIX}{}", first_of(ms));
        let keys = [0, 1, 255, 256, 1_795_996_800_000, 1_795_996_800_001, 1 << 47].map(key);
        assert!(keys.windows(2).all(|two| two[0] < two[1]), "{keys:?}");
    }
}
