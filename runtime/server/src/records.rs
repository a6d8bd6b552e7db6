//! What is written behind the reply, many in one commit: loss records of refusals (the institution can account for any
//! message that did not arrive), and since when mailboxes are full. A flood that outruns the store loses some, which is
//! counted, and never memory.

use std::sync::Arc;
use std::time::Duration;

use plan::Loss;
use store::{Op, QueueId, Store};
use tokio::sync::mpsc;

use crate::clock;
use crate::random;

/// Records that wait for the store.
const WAITING_MAX: usize = 1_024;
/// Records of one commit.
const COMMIT_MAX: usize = 128;
/// What comes within this of the first record is in one commit with it. Nobody waits for these, and a flush for each would make
/// the next message wait.
const GATHERED: Duration = Duration::from_millis(50);

/// Where refusals leave their records.
#[derive(Clone)]
pub struct Records {
    waiting: mpsc::Sender<Op>,
    kinds: Vec<Loss>,
}

impl Records {
    /// `kinds` are those the plan records. The task that writes them ends with the last `Records`.
    pub fn start(kinds: Vec<Loss>, store: Arc<Store>) -> (Records, tokio::task::JoinHandle<()>) {
        let (waiting, arriving) = mpsc::channel(WAITING_MAX);
        let writer = tokio::spawn(write(arriving, store, GATHERED));
        (Records { waiting, kinds }, writer)
    }

    /// The same where a plan records other kinds.
    pub fn keeping(&self, kinds: Vec<Loss>) -> Records {
        Records { waiting: self.waiting.clone(), kinds }
    }

    /// False when the record found no place.
    #[must_use]
    pub fn refused(&self, kind: Loss, reverse_path: &mail::ReversePath, recipient: String, reason: &str) -> bool {
        if !self.kinds.contains(&kind) {
            return true;
        }
        let queue_id = QueueId(random::timed_id(clock::unix_ms()));
        let record = loss(kind, queue_id, reverse_path.clone(), recipient, reason);
        self.behind(Op::RecordLoss(Box::new(record)))
    }

    /// Writes `op` soon. False when it found no place.
    #[must_use]
    pub fn behind(&self, op: Op) -> bool {
        self.waiting.try_send(op).is_ok()
    }

    /// A record for a commit of the caller's; `None` when the plan does not record this kind.
    pub fn op(
        &self,
        kind: Loss,
        queue_id: QueueId,
        reverse_path: &mail::ReversePath,
        recipient: String,
        reason: &str,
    ) -> Option<Op> {
        let wanted = self.kinds.contains(&kind);
        wanted.then(|| Op::RecordLoss(Box::new(loss(kind, queue_id, reverse_path.clone(), recipient, reason))))
    }
}

fn loss(
    kind: Loss,
    queue_id: QueueId,
    reverse_path: mail::ReversePath,
    recipient: String,
    reason: &str,
) -> store::Loss {
    store::Loss {
        kind: word(kind).to_owned(),
        queue_id,
        reverse_path,
        recipient,
        reason: reason.to_owned(),
        at_s: clock::unix_s(),
    }
}

/// The policy's own word.
fn word(kind: Loss) -> &'static str {
    match kind {
        Loss::UnknownRecipient => "UnknownRecipient",
        Loss::Virus => "Virus",
        Loss::QuotaFull => "QuotaFull",
        Loss::TooLarge => "TooLarge",
        Loss::OverLimit => "OverLimit",
        Loss::NotDelivered => "NotDelivered",
    }
}

async fn write(mut arriving: mpsc::Receiver<Op>, store: Arc<Store>, gathered: Duration) {
    let mut batch = Vec::with_capacity(COMMIT_MAX);
    while arriving.recv_many(&mut batch, COMMIT_MAX).await > 0 {
        // That nothing more comes in time is no error.
        let _ = tokio::time::timeout(gathered, gather(&mut arriving, &mut batch)).await;
        if let Err(error) = crate::durable::commit(&store, std::mem::take(&mut batch)).await {
            tracing::error!("records were not written: {error}");
        }
    }
}

/// Until there is a whole commit, or no more can come.
async fn gather(arriving: &mut mpsc::Receiver<Op>, batch: &mut Vec<Op>) {
    while batch.len() < COMMIT_MAX && arriving.recv_many(batch, COMMIT_MAX - batch.len()).await > 0 {}
}

#[cfg(test)]
mod tests {
    use store::Options;

    use super::*;

    #[tokio::test]
    async fn what_comes_soon_after_a_record_is_in_its_commit_and_the_end_writes_all() {
        let folder = std::env::temp_dir().join(format!("facteur-records-{}", std::process::id()));
        let store = Arc::new(Store::open(&folder, Options::default()).unwrap());
        let (waiting, arriving) = mpsc::channel(WAITING_MAX);
        let records = Records { waiting, kinds: Vec::new() };
        let writer = tokio::spawn(write(arriving, store.clone(), Duration::from_secs(3_600)));
        let before = store.metrics().now().groups;
        for row in 0..40 {
            assert!(records.behind(Op::LogDecision { at_s: row, row: row.to_string() }));
            tokio::task::yield_now().await;
        }
        drop(records);
        writer.await.unwrap();
        assert_eq!(store.decisions(100).unwrap().len(), 40);
        assert_eq!(store.metrics().now().groups - before, 1);
        drop(store);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
