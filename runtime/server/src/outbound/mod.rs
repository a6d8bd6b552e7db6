//! The way out: takes what is due from the spool and hands it to where the plan routes it, or to the site's sink.

mod handover;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mail::{Address, Flags};
use proto::smtp::client::{Handover, Outcome as Handed, Protocol, TlsUse};
use queue::{Destination, Life, destination, life, next_attempt_s};
use store::{
    CommitError, Deliver, InternalDate, Op, QueueItem, ReadError, Resolution, Settled, Target, WaitingRecipient,
};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::outcome::{Event, Outcome};
use crate::service::{Service, stopped};
use crate::site;
use crate::{clock, durable, random};

/// Messages taken from the spool at a time.
const BATCH: usize = 100;
/// Messages handed over at a time.
const AT_ONCE: usize = 8;
/// The spool is looked at at least so often.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// After trouble with the store.
const TROUBLE_WAIT: Duration = Duration::from_secs(1);
/// What cannot be handed on in this build is looked at again after this, in seconds.
const HELD_S: i64 = 4 * 3_600;

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

/// The next step of one recipient, and how it is told and counted.
struct Next {
    ops: Vec<Op>,
    event: Event,
    result: &'static str,
    about: Address,
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

/// The due recipients of one message, those with one destination together.
async fn one(service: &Arc<Service>, item: &QueueItem, now_s: i64) -> Result<(), Trouble> {
    let plan = service.tables.plan();
    let mut hops: BTreeMap<String, (Destination, Vec<&WaitingRecipient>)> = BTreeMap::new();
    for recipient in item.recipients.iter().filter(|recipient| recipient.due_at_s <= now_s) {
        let destination = destination(plan, &recipient.next_hop);
        hops.entry(format!("{destination:?}")).or_insert_with(|| (destination, Vec::new())).1.push(recipient);
    }
    for (destination, recipients) in hops.into_values() {
        let mut all = attempt(service, item, &destination, &recipients).await;
        let ops = all.iter_mut().flat_map(|next| std::mem::take(&mut next.ops)).collect();
        durable::commit(&service.store, ops).await?;
        for next in all {
            service.metrics.outbound.with_label_values(&[next.result]).inc();
            service.outcome(Outcome::done(next.event, &next.about).of(item.queue_id));
        }
    }
    Ok(())
}

async fn attempt(
    service: &Arc<Service>,
    item: &QueueItem,
    destination: &Destination,
    recipients: &[&WaitingRecipient],
) -> Vec<Next> {
    let each = |next: &dyn Fn(&WaitingRecipient) -> Next| recipients.iter().map(|recipient| next(recipient)).collect();
    if let Destination::Capture(address) = destination {
        return captured(service, item, address, recipients).await;
    }
    if service.site.outbound == site::Outbound::Sink {
        return each(&|recipient| settled(item, recipient, Event::Sunk, "sink"));
    }
    match destination {
        Destination::Capture(_) => Vec::new(),
        Destination::Mx => each(&|recipient| held(item, recipient, "delivery by MX is not built")),
        Destination::Gone => each(&|recipient| held(item, recipient, "the plan has no such route any more")),
        Destination::Smtp(host) => handed(service, item, host, Protocol::Smtp, recipients).await,
        Destination::Lmtp(host) => handed(service, item, host, Protocol::Lmtp, recipients).await,
    }
}

fn settled(item: &QueueItem, recipient: &WaitingRecipient, event: Event, result: &'static str) -> Next {
    let op = Op::Settle { queue_id: item.queue_id, recipient: recipient.number, outcome: Settled::Delivered };
    Next { ops: vec![op], event, result, about: recipient.forward_path.clone() }
}

/// This build cannot hand it on: it waits, and nothing is lost.
fn held(item: &QueueItem, recipient: &WaitingRecipient, why: &str) -> Next {
    waits(item, recipient, clock::unix_s() + HELD_S, why, "held")
}

/// A try that decided nothing. INVARIANT (never-lost): overdue and refused mail waits on, until there are DSNs.
fn deferred(service: &Service, item: &QueueItem, recipient: &WaitingRecipient, why: &str) -> Next {
    let at_s = clock::unix_s();
    if life(service.tables.plan().retention.queue, item.accepted_at_s, at_s) == Life::Overdue {
        tracing::warn!(queue_id = %item.queue_id, "older than retention.queue, and still kept: {why}");
    }
    let due_at_s = next_attempt_s(recipient.attempts, at_s, u64::from_le_bytes(random::octets()));
    waits(item, recipient, due_at_s, why, "deferred")
}

fn waits(item: &QueueItem, recipient: &WaitingRecipient, due_at_s: i64, why: &str, result: &'static str) -> Next {
    let op = Op::Attempt {
        queue_id: item.queue_id,
        recipient: recipient.number,
        at_s: clock::unix_s(),
        due_at_s,
        reply: why.to_owned(),
    };
    Next { ops: vec![op], event: Event::Deferred, result, about: recipient.forward_path.clone() }
}

async fn whole(service: &Arc<Service>, item: &QueueItem) -> Option<Vec<u8>> {
    let _permit = service.long_contents.acquire().await.ok()?;
    let (reading, body) = (service.clone(), item.body.clone());
    durable::blocking(move || reading.store.read_body(&body)).await?.ok()
}

async fn handed(
    service: &Arc<Service>,
    item: &QueueItem,
    host: &str,
    protocol: Protocol,
    recipients: &[&WaitingRecipient],
) -> Vec<Next> {
    let deferred_all = |why: &str| -> Vec<Next> {
        recipients.iter().map(|recipient| deferred(service, item, recipient, why)).collect()
    };
    let Some(content) = whole(service, item).await else { return deferred_all("the message cannot be read") };
    let header_end = content.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(content.len());
    let handover = Handover {
        protocol,
        host: service.tables.plan().institution.domain.clone(),
        tls: TlsUse::IfOffered,
        credentials: None,
        reverse_path: item.reverse_path.clone(),
        recipients: recipients.iter().map(|recipient| recipient.forward_path.clone()).collect(),
        size_octets: content.len() as u64,
        eight_bit: !content.is_ascii(),
        smtputf8: !content[..header_end].is_ascii(),
    };
    let outcomes = handover::hand_over(service, host, handover, &content).await;
    let pairs = recipients.iter().zip(outcomes);
    pairs
        .map(|(recipient, outcome)| match outcome {
            Handed::Delivered(_) => settled(item, recipient, Event::Delivered, "delivered"),
            Handed::Refused { reply, .. } => {
                deferred(service, item, recipient, &format!("{} {}", reply.code, reply.text()))
            }
            Handed::Broken { stage, trouble } => {
                deferred(service, item, recipient, &format!("{trouble:?} at {stage:?}"))
            }
        })
        .collect()
}

/// Deliveries into the mailbox that keeps everything bound for the outside. One id per recipient: a crash before the
/// commit delivers nothing, and after it the recipient is settled.
async fn captured(
    service: &Arc<Service>,
    item: &QueueItem,
    address: &Address,
    recipients: &[&WaitingRecipient],
) -> Vec<Next> {
    let missing = |why: &str| -> Vec<Next> {
        recipients.iter().map(|recipient| deferred(service, item, recipient, why)).collect()
    };
    let logins = match service.store.resolve(address) {
        Ok(Resolution::Person(row)) => vec![row.person.login],
        Ok(Resolution::Alias(alias)) => alias.members,
        Ok(Resolution::Unknown) | Err(_) => return missing("the capturing mailbox is not there"),
    };
    let Some(content) = whole(service, item).await else { return missing("the message cannot be read") };
    let summary = crate::drive::summary(&content);
    let one = |recipient: &&WaitingRecipient| {
        let mut next = settled(item, recipient, Event::Delivered, "capture");
        let deliver = Deliver {
            delivery_id: delivery_id(item, recipient),
            recipients: logins.iter().map(|login| (login.clone(), Target::Inbox)).collect(),
            body: item.body.clone(),
            summary: summary.clone(),
            internal_date: InternalDate { seconds: clock::unix_s(), offset_minutes: 0 },
            flags: Flags::default(),
        };
        next.ops.insert(0, Op::Deliver(Box::new(deliver)));
        next
    };
    recipients.iter().map(one).collect()
}

/// The queue id's last octets are random; the recipient's number keeps its deliveries apart.
fn delivery_id(item: &QueueItem, recipient: &WaitingRecipient) -> [u8; 16] {
    let mut id = item.queue_id.0;
    for (octet, number) in id[12..].iter_mut().zip((recipient.number + 1).to_be_bytes()) {
        *octet ^= number;
    }
    id
}
