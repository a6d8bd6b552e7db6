//! The way out: takes what is due from the spool and hands it to where the plan routes it, or to the site's sink.

use std::sync::Arc;
use std::time::Duration;

use mail::Flags;
use plan::Plan;
use queue::{Destination, Life, destination, life, next_attempt_s};
use store::{Deliver, InternalDate, Op, QueueItem, Resolution, Settled, Target, WaitingRecipient};

use crate::outcome::{Event, Outcome};
use crate::service::{Service, stopped};
use crate::site;
use crate::{clock, durable, random};

/// Messages taken from the spool at a time.
const BATCH: usize = 100;
/// The spool is looked at at least so often.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// After trouble with the store.
const TROUBLE_WAIT: Duration = Duration::from_secs(1);
/// What cannot be handed on in this build is looked at again after this, in seconds.
const HELD_S: i64 = 4 * 3_600;

/// Works until the server stops.
pub async fn run(service: Arc<Service>) {
    let mut stop = service.stop.clone();
    loop {
        let wait = match work(&service).await {
            Ok(true) => continue,
            Ok(false) => LOOK_EVERY,
            Err(()) => TROUBLE_WAIT,
        };
        tokio::select! {
            () = stopped(&mut stop) => return,
            () = service.due.notified() => {}
            () = tokio::time::sleep(wait.min(until_due(&service))) => {}
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

/// One batch; true when there may be more.
async fn work(service: &Arc<Service>) -> Result<bool, ()> {
    let said = |error: store::ReadError| tracing::error!("the spool cannot be read: {error}");
    let now_s = clock::unix_s();
    let items = service.store.queue_due(now_s, BATCH).map_err(said)?;
    for item in &items {
        if service.stopping() {
            return Ok(false);
        }
        for recipient in item.recipients.iter().filter(|recipient| recipient.due_at_s <= now_s) {
            let (ops, event, result) = attempt(service, item, recipient).await;
            if let Err(error) = durable::commit(&service.store, ops).await {
                tracing::error!(queue_id = %item.queue_id, "the spool cannot be written: {error}");
                return Err(());
            }
            service.metrics.outbound.with_label_values(&[result]).inc();
            service.outcome(Outcome::done(event, &recipient.forward_path).of(item.queue_id));
        }
    }
    let waiting = service.store.queue_count().map_err(said)?;
    service.metrics.queue_messages.set(i64::try_from(waiting).unwrap_or(i64::MAX));
    Ok(items.len() == BATCH)
}

/// What a recipient's next step is: its ops, and how it is told and counted.
async fn attempt(
    service: &Arc<Service>,
    item: &QueueItem,
    recipient: &WaitingRecipient,
) -> (Vec<Op>, Event, &'static str) {
    let plan: &Plan = service.tables.plan();
    let settle = |outcome| Op::Settle { queue_id: item.queue_id, recipient: recipient.number, outcome };
    match destination(plan, &recipient.next_hop) {
        Destination::Capture(address) => match captured(service, item, recipient, &address).await {
            Some(deliver) => (vec![deliver, settle(Settled::Delivered)], Event::Delivered, "capture"),
            None => {
                (vec![later(plan, item, recipient, "the capturing mailbox is not there")], Event::Deferred, "deferred")
            }
        },
        _ if service.site.outbound == site::Outbound::Sink => (vec![settle(Settled::Delivered)], Event::Sunk, "sink"),
        Destination::Mx => held(item, recipient, "delivery by MX is not built"),
        Destination::Lmtp(_) => held(item, recipient, "delivery by LMTP is not built"),
        Destination::Smtp(_) => held(item, recipient, "delivery to a next hop is not built"),
        Destination::Gone => held(item, recipient, "the plan has no such route any more"),
    }
}

fn held(item: &QueueItem, recipient: &WaitingRecipient, why: &str) -> (Vec<Op>, Event, &'static str) {
    let at_s = clock::unix_s();
    let op = Op::Attempt {
        queue_id: item.queue_id,
        recipient: recipient.number,
        at_s,
        due_at_s: at_s + HELD_S,
        reply: why.to_owned(),
    };
    (vec![op], Event::Deferred, "held")
}

/// INVARIANT (never-lost): overdue mail waits on, until there are DSNs.
fn later(plan: &Plan, item: &QueueItem, recipient: &WaitingRecipient, reply: &str) -> Op {
    let at_s = clock::unix_s();
    if life(plan.retention.queue, item.accepted_at_s, at_s) == Life::Overdue {
        tracing::warn!(queue_id = %item.queue_id, "older than retention.queue, and still kept: {reply}");
    }
    let spread = u64::from_le_bytes(random::octets());
    Op::Attempt {
        queue_id: item.queue_id,
        recipient: recipient.number,
        at_s,
        due_at_s: next_attempt_s(recipient.attempts, at_s, spread),
        reply: reply.to_owned(),
    }
}

/// A delivery into the mailbox that keeps everything bound for the outside. One id per recipient: a crash before the
/// commit delivers nothing, and after it the id is known.
async fn captured(
    service: &Arc<Service>,
    item: &QueueItem,
    recipient: &WaitingRecipient,
    address: &mail::Address,
) -> Option<Op> {
    let logins = match service.store.resolve(address).ok()? {
        Resolution::Person(row) => vec![row.person.login],
        Resolution::Alias(alias) => alias.members,
        Resolution::Unknown => return None,
    };
    let _permit = service.long_contents.acquire().await.ok()?;
    let (reading, body) = (service.clone(), item.body.clone());
    let whole = durable::blocking(move || reading.store.read_body(&body)).await?.ok()?;
    let mut delivery_id = item.queue_id.0;
    // The queue id's last octets are random; the recipient's number keeps its deliveries apart.
    for (octet, number) in delivery_id[12..].iter_mut().zip((recipient.number + 1).to_be_bytes()) {
        *octet ^= number;
    }
    Some(Op::Deliver(Box::new(Deliver {
        delivery_id,
        recipients: logins.into_iter().map(|login| (login, Target::Inbox)).collect(),
        body: item.body.clone(),
        summary: crate::drive::summary(&whole),
        internal_date: InternalDate { seconds: clock::unix_s(), offset_minutes: 0 },
        flags: Flags::default(),
    })))
}
