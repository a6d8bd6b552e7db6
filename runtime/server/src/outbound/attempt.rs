//! One try: where the recipients of a message go now, and the step of the spool that follows for each.

use std::sync::Arc;

use mail::Address;
use plan::Loss;
use proto::smtp::client::Protocol;
use queue::{Destination, Life, NEVER_S, life, next_attempt_s};
use store::{Op, QueueItem, Settled, WaitingRecipient};

use super::{capture, next_hop};
use crate::outcome::Event;
use crate::service::Service;
use crate::{clock, durable, random, site};

/// What cannot be handed on in this build is looked at again after this, in seconds.
const HELD_S: i64 = 4 * 3_600;

/// The next step of one recipient, and how it is told and counted.
pub struct Next {
    pub ops: Vec<Op>,
    pub event: Event,
    /// The label of `facteur_outbound_total`.
    pub result: &'static str,
    pub about: Address,
}

/// Tries `recipients`, which have one destination: one step for each, in their order.
pub async fn attempt(
    service: &Arc<Service>,
    item: &QueueItem,
    destination: &Destination,
    recipients: &[&WaitingRecipient],
) -> Vec<Next> {
    let each = |next: &dyn Fn(&WaitingRecipient) -> Next| recipients.iter().map(|recipient| next(recipient)).collect();
    if let Destination::Capture(address) = destination {
        return capture::captured(service, item, address, recipients).await;
    }
    if service.site.outbound == site::Outbound::Sink {
        return each(&|recipient| settled(item, recipient, Event::Sunk, "sink"));
    }
    match destination {
        Destination::Capture(_) => Vec::new(),
        Destination::Mx => next_hop::to_domain(service, item, recipients).await,
        Destination::Gone => each(&|recipient| held(item, recipient, "the plan has no such route any more")),
        Destination::Smtp(host) => next_hop::handed(service, item, host, Protocol::Smtp, recipients).await,
        Destination::Lmtp(host) => next_hop::handed(service, item, host, Protocol::Lmtp, recipients).await,
    }
}

/// The whole message; `None` when it cannot be read.
pub async fn whole(service: &Arc<Service>, item: &QueueItem) -> Option<Vec<u8>> {
    let _permit = service.long_contents.acquire().await.ok()?;
    let (reading, body) = (service.clone(), item.body.clone());
    durable::blocking(move || reading.store.read_body(&body)).await?.ok()
}

/// It arrived, or the site's sink took it.
pub fn settled(item: &QueueItem, recipient: &WaitingRecipient, event: Event, result: &'static str) -> Next {
    let op = Op::Settle { queue_id: item.queue_id, recipient: recipient.number, outcome: Settled::Delivered };
    Next { ops: vec![op], event, result, about: recipient.forward_path.clone() }
}

/// This build cannot hand it on: it waits, and nothing is lost.
fn held(item: &QueueItem, recipient: &WaitingRecipient, why: &str) -> Next {
    waits(item, recipient, clock::unix_s() + HELD_S, why, "held")
}

/// A try that decided nothing. INVARIANT (never-lost): overdue mail waits on, until there are DSNs.
pub fn deferred(service: &Service, item: &QueueItem, recipient: &WaitingRecipient, why: &str) -> Next {
    let at_s = clock::unix_s();
    if life(service.tables.plan().retention.queue, item.accepted_at_s, at_s) == Life::Overdue {
        tracing::warn!(queue_id = %item.queue_id, "older than retention.queue, and still kept: {why}");
    }
    // A try that our own end cut short is made up for at the next start.
    let due_at_s = match service.stopping() {
        true => at_s,
        false => next_attempt_s(recipient.attempts, at_s, u64::from_le_bytes(random::octets())),
    };
    waits(item, recipient, due_at_s, why, "deferred")
}

/// A next hop will never take it (RFC 5321 4.2.1: a 5yz is not to be tried again as it is). INVARIANT (never-lost): it
/// stays in the spool with the reply, and on the loss record where the plan keeps one, until there are DSNs.
pub fn refused(service: &Service, item: &QueueItem, recipient: &WaitingRecipient, why: &str) -> Next {
    let mut next = waits(item, recipient, NEVER_S, why, "refused");
    let about = recipient.forward_path.to_string();
    next.ops.extend(service.records.op(Loss::NotDelivered, item.queue_id, &item.reverse_path, about, why));
    Next { event: Event::NotDelivered, ..next }
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
