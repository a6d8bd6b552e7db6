//! What is kept apart: sealed when it comes, and gone when the plan's `retention.quarantine` ends.

mod released;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use queue::MessageFacts;
use serde::{Deserialize, Serialize};
use store::{BodyRef, CommitError, Kept, Op, PutError, Quarantined, QueueId, RecordEnvelope};

use crate::content::Content;
use crate::service::{Service, stopped};
use crate::{decisions, durable, sealed, taken};

pub use released::{NotReleased, Release, release};

/// How often it is counted for the metrics.
const COUNT_EVERY: Duration = Duration::from_secs(30);
/// Messages one commit of the night forgets.
const FORGOTTEN_AT_ONCE: usize = 200;

/// What the store keeps beside a quarantined message, as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Why, in the closed list of reasons.
    pub reason: String,
    /// Octets of the message before it was sealed.
    pub octets: u64,
    /// One of our people or machines sent it.
    pub sent: bool,
    /// What the client asked of delivery, and who it was.
    pub message: MessageFacts,
    /// The delivery, as 32 hexadecimal digits, where it was taken out of mailboxes: they get it back on release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken: Option<String>,
}

impl Facts {
    pub fn read(octets: &[u8]) -> Facts {
        queue::facts::read(octets)
    }

    pub fn written(&self) -> Vec<u8> {
        queue::facts::written(self)
    }
}

/// Writes `head` and `content` as the sealed body of the row `id`.
pub async fn shut_away(
    service: &Arc<Service>,
    id: QueueId,
    envelope: RecordEnvelope,
    head: Vec<u8>,
    content: &Arc<Content>,
) -> Result<BodyRef, PutError> {
    let (worker, content) = (service.clone(), content.clone());
    let put = move || {
        let seal = &worker.signing.seal;
        sealed::put(&worker.store, seal, id, &envelope, &head, &mut content.reader())
    };
    durable::blocking(put).await.unwrap_or(Err(PutError::Poisoned))
}

/// An entry of the story of a message that a person decided on.
pub fn told(service: &Service, event: &str, id: QueueId, rule: &str, said: &str) -> Op {
    decisions::told(event, id, rule, said, &service.plan_full, service.clock.now().0)
}

/// Counts what is in quarantine until the server stops.
pub async fn count(service: Arc<Service>) {
    let mut stop = service.stop.clone();
    loop {
        let worker = service.clone();
        if let Some(Ok(amounts)) = durable::blocking(move || worker.store.kept_amounts(Kept::Quarantine)).await {
            let metrics = &service.metrics;
            metrics.quarantine_messages.set(i64::try_from(amounts.messages).unwrap_or(i64::MAX));
            metrics.quarantine_octets.set(i64::try_from(amounts.octets).unwrap_or(i64::MAX));
            metrics.quarantine_oldest.set(amounts.oldest_s.unwrap_or(0));
        }
        if tokio::time::timeout(COUNT_EVERY, stopped(&mut stop)).await.is_ok() {
            return;
        }
    }
}

/// Forgets what came before `before_s`: quarantined messages, and those that were taken out of mailboxes.
pub fn forget(service: &Service, before_s: i64) {
    for kind in [Kept::Quarantine, Kept::Recalled] {
        let (mut after, mut gone) = (None, 0_u64);
        loop {
            let page = match service.store.kept(kind, after, FORGOTTEN_AT_ONCE) {
                Ok(page) => page,
                Err(error) => return tracing::error!("the quarantine cannot be read: {error}"),
            };
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            let old: Vec<_> = page.into_iter().filter(|kept| kept.at_s < before_s).collect();
            for kept in &old {
                // Each for itself: a manager may have taken it away meanwhile.
                match purge(service, kept, "its time in quarantine is over (retention.quarantine)", Vec::new()) {
                    Ok(()) => gone += 1,
                    Err(error) => tracing::warn!(queue_id = %kept.id, "it stays in quarantine: {error}"),
                }
            }
        }
        if gone > 0 {
            tracing::info!(gone, ?kind, "what was kept apart for long enough is gone");
        }
    }
}

/// One at a time releases or purges what was quarantined: a commit puts mail into the mailboxes of other shards before it meets
/// that the row has gone.
pub fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Forgets a message that is kept apart, for good, with its entry in the story; `with` goes into the same commit.
pub fn purge(service: &Service, kept: &Quarantined, said: &str, with: Vec<Op>) -> Result<(), CommitError> {
    let was_taken = kept.kind == Kept::Recalled || Facts::read(&kept.facts).taken.is_some();
    // Nobody takes copies for it meanwhile, or puts them back; nobody releases it.
    let _turn = if was_taken { taken::turn() } else { turn() };
    let mut ops = vec![Op::ReleaseQuarantined { id: kept.id }, told(service, "purged", kept.id, &kept.why, said)];
    ops.extend(with);
    // What its copies were goes with it: later nobody knows the row it belongs to.
    ops.extend(was_taken.then_some(Op::ForgetTaken { item: kept.id }));
    service.store.commit_wait(ops)?;
    Ok(())
}
