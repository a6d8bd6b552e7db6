//! Drivers: each reads what a client sends, feeds the session of its protocol, and does what the session asks.

mod accept;
mod authors;
mod blocked;
mod facts;
mod imap;
pub(crate) mod login;
mod onward;
pub mod opening;
pub(crate) mod pop3;
mod smtp;
mod success;
pub mod told;
mod transaction;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use decide::{Block, ClassId, ListenerId, Reason, Refusal, Tells};
use mail::reply;
use plan::{Speaks, TlsMode};
use proto::sasl::Bindings;
use tokio_rustls::TlsAcceptor;

use crate::admission::Place;
use crate::outcome::{Event, Outcome, Peer};
use crate::service::{Service, stopped};
use crate::sessions::Entered;
use crate::stream::{Read, Stream};
use crate::{bindings, tls};

pub(crate) use accept::{HEADER_OCTETS_MAX, Session};
pub(crate) use imap::place as named_places;
pub(crate) use onward::SPREAD_AT_ONCE;
pub(crate) use transaction::{Open, Recipient};

/// A connection that was accepted, and everything known of it before the first octet.
pub struct Connection {
    pub stream: Stream,
    pub peer: Peer,
    pub listener: ListenerId,
    pub class: ClassId,
    pub block: Result<Block, Refusal>,
    /// How it may say for whom it speaks.
    pub tells: Tells,
    /// Nothing was heard of it yet.
    pub unheard: bool,
    /// The client it speaks for.
    pub told_address: Option<IpAddr>,
    /// For STARTTLS and implicit TLS; absent where TLS is off.
    pub acceptor: Option<TlsAcceptor>,
    /// `tls-server-end-point` of the listener's certificate.
    pub end_point: Option<Arc<[u8]>>,
}

impl Connection {
    /// Takes the plan that runs now for what begins now: true where it is another one than before. A listener it does not have any
    /// more, or that speaks something else in it, leaves the connection under the plan it came under, without anything it may do.
    fn take_plan(&mut self, service: &mut Arc<Service>) -> bool {
        let now = service.current();
        if Arc::ptr_eq(&now, service) {
            return false;
        }
        let speaks = service.tables.listener_rules(self.listener).speaks;
        let listener = now.tables.listener(&self.peer.listener);
        let Some(listener) = listener.filter(|id| now.tables.listener_rules(*id).speaks == speaks) else {
            self.block = Err(Refusal::new(reply::CUT_OFF, Reason::NoBlock, "", "this service is closed"));
            return false;
        };
        // What was told changes limits and logs, never the class.
        let class = now.tables.class_of(now.site.client_address.view(self.peer.client));
        (self.listener, self.class) = (listener, class);
        self.block = now.tables.connection(listener, class);
        self.tells = now.tables.tells(class);
        now.tables.class_name(class).clone_into(&mut self.peer.class);
        *service = now;
        true
    }

    /// What SCRAM can be bound to now.
    fn bindings(&self) -> Bindings {
        bindings::of(&self.stream, self.end_point.as_deref())
    }
}

/// What waiting for the client gave.
enum Woken {
    Octets(usize),
    End,
    TimedOut,
    /// The server is to stop.
    Stopping,
    /// This session is to end: somebody said so.
    Ended,
}

/// Holds the conversation to its end, then gives its place back.
pub async fn converse(service: Arc<Service>, mut connection: Connection, place: Place) {
    let rules = service.tables.listener_rules(connection.listener);
    let open = service.metrics.connections_open.with_label_values(&[connection.peer.listener.as_str()]);
    open.inc();
    let _counted = Counted(open);
    let implicit = rules.tls == TlsMode::Implicit;
    if told::before(&mut connection, implicit, tls::HANDSHAKE_MAX).await.is_err() {
        tracing::debug!(listener = connection.peer.listener, client = %connection.peer.client, "no PROXY header");
        return;
    }
    if implicit {
        let Some(acceptor) = connection.acceptor.clone() else { return };
        if let Err(error) = connection.stream.secure(&acceptor).await {
            service.metrics.handshakes_failed.inc();
            tracing::debug!(listener = connection.peer.listener, client = %connection.peer.client, "TLS: {error}");
            return;
        }
    }
    if let Err(refusal) = &connection.block {
        service.outcome(Outcome::refused(Event::TurnedAway, refusal, "").from_peer(&connection.peer));
    }
    // Boxed, as are the rare long steps below: a future is as large as its largest step, for as long as it lives.
    match rules.speaks {
        Speaks::Smtp | Speaks::Lmtp => Box::pin(smtp::run(service.clone(), connection)).await,
        Speaks::Imap => Box::pin(imap::run(service.clone(), connection)).await,
        Speaks::Pop => Box::pin(pop3::run(service.clone(), connection)).await,
    }
    drop(place);
}

/// Takes one off the gauge, also when the task panics.
struct Counted(prometheus::IntGauge);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Reads within `limit`. A server that stops wakes it, when it is `busy` only at the very end.
async fn read(
    service: &Service,
    stream: &mut Stream,
    entered: Option<&Entered>,
    buffer: &mut [u8],
    limit: Duration,
    busy: bool,
) -> Woken {
    let mut stop = if busy { service.end.subscribe() } else { service.stop.clone() };
    tokio::select! {
        biased;
        () = stopped(&mut stop) => Woken::Stopping,
        () = ended(entered) => Woken::Ended,
        read = stream.read(buffer, limit) => read.into(),
    }
}

/// Reads at most `octets` within `limit`, into a buffer that is there only once something came. A server that stops wakes it.
async fn read_new(
    service: &Service,
    stream: &mut Stream,
    entered: Option<&Entered>,
    octets: usize,
    limit: Duration,
) -> (Vec<u8>, Woken) {
    let mut stop = service.stop.clone();
    tokio::select! {
        biased;
        () = stopped(&mut stop) => (Vec::new(), Woken::Stopping),
        () = ended(entered) => (Vec::new(), Woken::Ended),
        (buffer, read) = stream.read_new(octets, limit) => (buffer, read.into()),
    }
}

/// Resolves when the session of somebody who logged in is to end.
async fn ended(entered: Option<&Entered>) {
    match entered {
        Some(entered) => entered.ended().await,
        None => std::future::pending().await,
    }
}

impl From<Read> for Woken {
    fn from(read: Read) -> Woken {
        match read {
            Read::Octets(octets) => Woken::Octets(octets),
            Read::End => Woken::End,
            Read::TimedOut => Woken::TimedOut,
        }
    }
}

/// What the store keeps beside a message so that listing opens no body.
pub fn summary(whole: &[u8]) -> store::Summary {
    let parsed = mail::mime::summarize(whole);
    let bracketed = |ids: &[String]| ids.iter().map(|id| format!("<{id}>")).collect::<Vec<_>>().join(" ");
    store::Summary {
        message_id: parsed.bracketed_id(),
        whole: parsed.whole,
        envelope_imap: parsed.envelope_imap,
        bodystructure_imap: parsed.bodystructure_imap,
        body_imap: parsed.body_imap,
        preview: parsed.preview,
        subject: parsed.subject,
        from: parsed.from,
        to: parsed.to,
        cc: parsed.cc,
        bcc: parsed.bcc,
        in_reply_to: bracketed(&parsed.in_reply_to),
        references: bracketed(&parsed.references),
        sent_date: parsed.sent.map(|date| date.unix_seconds),
    }
}
