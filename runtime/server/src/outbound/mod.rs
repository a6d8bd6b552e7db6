//! The way out: takes what is due from the spool and hands it to where the plan routes it, or to the site's sink.

mod attempt;
mod capture;
mod handover;
mod next_hop;
pub mod pool;
mod proof;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mail::Domain;
use queue::{Destination, destination};
use store::{CommitError, QueueItem, ReadError, WaitingRecipient};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::outcome::Outcome;
use crate::service::{Service, stopped};
use crate::{clock, durable};
pub use next_hop::ask;
pub use pool::Pool;

/// Messages taken from the spool at a time.
const BATCH: usize = 100;
/// Messages handed over at a time.
const AT_ONCE: usize = 8;
/// The spool is looked at at least so often.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// After trouble with the store.
const TROUBLE_WAIT: Duration = Duration::from_secs(1);
/// Recipients of one handover: every server takes so many (RFC 5321 4.5.3.1.8).
const RECIPIENTS_AT_ONCE: usize = 100;

/// Trouble with the spool itself: it was logged, and the next look comes.
struct Trouble;

impl From<ReadError> for Trouble {
    fn from(error: ReadError) -> Trouble {
        tracing::error!("the spool cannot be read: {error}");
        Trouble
    }
}

impl From<CommitError> for Trouble {
    fn from(error: CommitError) -> Trouble {
        tracing::error!("the spool cannot be written: {error}");
        Trouble
    }
}

/// Works until the server stops.
pub async fn run(service: Arc<Service>) {
    let mut stop = service.stop.clone();
    loop {
        let wait = match work(&service).await {
            Ok(true) => Duration::ZERO,
            Ok(false) => LOOK_EVERY.min(until_due(&service)),
            Err(Trouble) => TROUBLE_WAIT,
        };
        tokio::select! {
            biased;
            () = stopped(&mut stop) => return,
            () = service.due.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

fn until_due(service: &Service) -> Duration {
    match service.store.queue_next_due() {
        Ok(Some(due_s)) => Duration::from_secs(u64::try_from(due_s - clock::unix_s()).unwrap_or(0).max(1)),
        Ok(None) => LOOK_EVERY,
        Err(_) => TROUBLE_WAIT,
    }
}

/// One batch; true when there may be more. No message is worked on twice at a time: the batch ends as a whole.
async fn work(service: &Arc<Service>) -> Result<bool, Trouble> {
    let now_s = clock::unix_s();
    let items = service.store.queue_due(now_s, BATCH)?;
    let more = items.len() == BATCH;
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut working = JoinSet::new();
    for item in items {
        let (service, places) = (service.clone(), places.clone());
        working.spawn(async move {
            let Ok(_place) = places.acquire().await else { return Ok(()) };
            if service.stopping() { Ok(()) } else { one(&service, &item, now_s).await }
        });
    }
    let mut sound = Ok(());
    while let Some(joined) = working.join_next().await {
        if let Ok(Err(trouble)) = joined {
            sound = Err(trouble);
        }
    }
    let waiting = service.store.queue_count()?;
    service.metrics.queue_messages.set(i64::try_from(waiting).unwrap_or(i64::MAX));
    sound.map(|()| more)
}

/// The due recipients of one message, those with one destination together. Addresses that need SMTPUTF8 go by
/// themselves: the others shall not fail at a next hop without it.
async fn one(service: &Arc<Service>, item: &QueueItem, now_s: i64) -> Result<(), Trouble> {
    let plan = service.tables.plan();
    let mut hops: BTreeMap<(Destination, Option<&Domain>, bool), Vec<&WaitingRecipient>> = BTreeMap::new();
    for recipient in item.recipients.iter().filter(|recipient| recipient.due_at_s <= now_s) {
        let destination = destination(plan, &recipient.next_hop);
        let domain = (destination == Destination::Mx).then(|| recipient.forward_path.domain());
        hops.entry((destination, domain, recipient.forward_path.needs_utf8())).or_default().push(recipient);
    }
    for ((destination, _, _), recipients) in hops {
        for recipients in recipients.chunks(RECIPIENTS_AT_ONCE) {
            if service.stopping() {
                return Ok(());
            }
            let mut all = attempt::attempt(service, item, &destination, recipients).await;
            let ops = all.iter_mut().flat_map(|next| std::mem::take(&mut next.ops)).collect();
            durable::commit(&service.store, ops).await?;
            for next in all {
                service.metrics.outbound.with_label_values(&[next.result]).inc();
                service.outcome(Outcome::done(next.event, &next.about).of(item.queue_id));
            }
        }
    }
    Ok(())
}
