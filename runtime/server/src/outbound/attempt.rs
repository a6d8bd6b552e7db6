//! One try: where the recipients of a message go now, and what came of it for each.

use std::sync::Arc;

use mail::{Address, EnhancedCode};
use proto::smtp::client::Protocol;
use queue::{Came, Destination, Tried};
use store::{Op, QueueItem, WaitingRecipient};

use super::{capture, local, next_hop};
use crate::outcome::Event;
use crate::service::Service;
use crate::{durable, site};

/// What a try came to for one recipient; what follows is `settle`'s.
pub struct Next {
    pub number: u32,
    pub about: Address,
    pub tried: Tried,
    /// What is done in the commit that settles the recipient.
    pub with: Vec<Op>,
    /// How it is told and counted if it arrived.
    pub event: Event,
    /// The label of `facteur_outbound_total` if it arrived.
    pub result: &'static str,
}

/// Tries `recipients`, which have one destination: one outcome for each, in their order.
pub async fn attempt(
    service: &Arc<Service>,
    item: &QueueItem,
    destination: &Destination,
    recipients: &[&WaitingRecipient],
) -> Vec<Next> {
    let each = |next: &dyn Fn(&WaitingRecipient) -> Next| recipients.iter().map(|recipient| next(recipient)).collect();
    if *destination == Destination::Local {
        return local::spread(service, item, recipients).await;
    }
    if let Destination::Capture(address) = destination {
        return capture::captured(service, item, address, recipients).await;
    }
    if service.site.outbound == site::Outbound::Sink {
        return each(&|recipient| settled(item, recipient, Event::Sunk, "sink"));
    }
    match destination {
        Destination::Local | Destination::Capture(_) => Vec::new(),
        Destination::Mx => next_hop::to_domain(service, item, recipients).await,
        Destination::Gone => {
            each(&|recipient| deferred(service, item, recipient, "the plan has no such route any more"))
        }
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

/// A mailbox here has it, or the site's sink.
pub fn settled(_item: &QueueItem, recipient: &WaitingRecipient, event: Event, result: &'static str) -> Next {
    let came = if event == Event::Sunk { Came::Sunk } else { Came::Placed };
    let tried = Tried { came, said: String::new(), status: EnhancedCode(2, 0, 0), remote: None };
    Next { event, result, ..next(recipient, tried) }
}

/// A try that decided nothing, in our own words.
pub fn deferred(_service: &Service, _item: &QueueItem, recipient: &WaitingRecipient, why: &str) -> Next {
    next(recipient, Tried { came: Came::Later, said: why.to_owned(), status: EnhancedCode(4, 0, 0), remote: None })
}

pub fn next(recipient: &WaitingRecipient, tried: Tried) -> Next {
    Next {
        number: recipient.number,
        about: recipient.forward_path.clone(),
        tried,
        with: Vec::new(),
        event: Event::Delivered,
        result: "delivered",
    }
}
