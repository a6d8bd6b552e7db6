//! The mailbox that keeps everything bound for the outside (`Capture`).
//!
//! INVARIANT (once): the delivery's id follows from the message's, and the delivery is in the commit that settles its
//! recipients. However often it is tried, and for however many recipients, the message is there once.

use std::sync::Arc;

use mail::{Address, Flags};
use spam::view::View;
use store::{BodyRef, Deliver, InternalDate, Op, QueueItem, RecordEnvelope, Resolution, Target, WaitingRecipient};

use super::attempt::{Next, deferred, settled, whole};
use crate::outcome::Event;
use crate::service::Service;
use crate::{clock, durable, marks, trace};

/// Delivers the message to who is behind `address`.
pub async fn captured(
    service: &Arc<Service>,
    item: &QueueItem,
    address: &Address,
    recipients: &[&WaitingRecipient],
) -> Vec<Next> {
    let all_wait = |why: &str| -> Vec<Next> {
        recipients.iter().map(|recipient| deferred(service, item, recipient, why)).collect()
    };
    let logins = match service.store.resolve(address) {
        Ok(Resolution::Person(row)) => vec![row.person.login],
        Ok(Resolution::Alias(alias)) => alias.members,
        Ok(Resolution::Unknown) | Err(_) => return all_wait("the capturing mailbox is not there"),
    };
    let Some(content) = whole(service, item).await else { return all_wait("the message cannot be read") };
    let Some((body, content)) = with_return_path(service, item, content).await else {
        return all_wait("the message cannot be kept");
    };
    let deliver = Deliver {
        delivery_id: delivery_id(item),
        recipients: logins.into_iter().map(|login| (login, Target::Inbox)).collect(),
        body,
        summary: crate::drive::summary(&content),
        internal_date: InternalDate { seconds: clock::unix_s(), offset_minutes: 0 },
        flags: Flags::default(),
        marks: marks::of(&View::read(&content), &item.reverse_path),
    };
    let mut all: Vec<Next> =
        recipients.iter().map(|recipient| settled(item, recipient, Event::Delivered, "capture")).collect();
    if let Some(first) = all.first_mut() {
        first.with.push(Op::Deliver(Box::new(deliver)));
    }
    all
}

/// The message as a final delivery has it (RFC 5321 4.4), kept; its octets come back with it.
pub async fn with_return_path(
    service: &Arc<Service>,
    item: &QueueItem,
    content: Vec<u8>,
) -> Option<(BodyRef, Vec<u8>)> {
    let mut head = String::new();
    trace::return_path(&item.reverse_path, &mut head);
    let envelope = RecordEnvelope {
        delivery_id: delivery_id(item),
        reverse_path: Some(item.reverse_path.clone()),
        recipients: item.recipients.iter().map(|recipient| recipient.forward_path.clone()).collect(),
        accepted_at_s: item.accepted_at_s,
    };
    let whole = [head.as_bytes(), &content].concat();
    let service = service.clone();
    let keep = move || service.store.put_body_for(&envelope, b"", &[&whole]).map(|body| (body, whole));
    let kept = durable::blocking(keep).await?;
    kept.inspect_err(|error| tracing::error!("{error}")).ok()
}

/// The message's own id is that of its delivery to people here; the last octets of an id are random.
fn delivery_id(item: &QueueItem) -> [u8; 16] {
    let mut id = item.queue_id.0;
    id[15] ^= 1;
    id
}
