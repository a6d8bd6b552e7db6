//! Hands one message to one address of a next hop: the driver of `proto::smtp::client`.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use mail::Domain;
use proto::sasl::Credentials;
use proto::smtp::client::{Client, ClientStep, Handover, Hello, Outcome, Protocol, Stage, TlsUse, Trouble};

use super::pool::Key;
use super::proof;
use super::wire::{Secured, Wire};
use crate::durable;
use crate::service::{Service, stopped};
use crate::world::assure::Assurance;
use crate::world::certificate::TlsFault;

/// A next hop that answers each command just in time cannot keep a handover alive for longer.
const HANDOVER_MAX: Duration = Duration::from_secs(3_600);
/// A server that stops lets a handover under way end for so long.
const DRAIN_MAX: Duration = Duration::from_secs(5);
/// How long a goodbye may take.
const QUIT_MAX: Duration = Duration::from_secs(2);
/// Octets of content encoded at a time.
const PIECE_OCTETS: usize = 64 * 1024;

/// Where a message goes, and how.
#[derive(Clone, Debug)]
pub struct Target {
    /// The name, for reports and the log.
    pub host: String,
    /// The name its certificate has to have, sent as SNI.
    pub tls_name: String,
    pub address: SocketAddr,
    /// The recipient domain, which a certificate under a DANE trust anchor may name.
    pub also: Option<String>,
    /// Our addresses.
    pub sources: Vec<IpAddr>,
    pub protocol: Protocol,
    /// Our name.
    pub greets_as: Domain,
    pub credentials: Option<Credentials>,
    pub assurance: Assurance,
}

/// What came of a handover.
#[derive(Clone, Debug)]
pub struct Handed {
    /// One for each recipient, in their order.
    pub outcomes: Vec<Outcome>,
    /// Version and cipher of TLS, and what the connection had to prove; `None` in the clear.
    pub tls: Option<String>,
    /// The next hop takes over notifications (RFC 3461 5.2.2).
    pub offers_dsn: bool,
    /// How TLS went, of a connection that was made for this and came so far.
    pub session: Option<Result<Secured, TlsFault>>,
}

/// A connection and its conversation.
pub struct Connection {
    client: Client,
    wire: Wire,
    pub messages: u32,
    /// The last handshake.
    session: Option<Result<Secured, TlsFault>>,
}

impl Target {
    fn key(&self) -> Key {
        Key {
            address: self.address,
            tls_name: self.tls_name.clone(),
            also: self.also.clone().filter(|_| matches!(self.assurance, Assurance::Dane(_))),
            sources: self.sources.clone(),
            assurance: self.assurance.clone(),
            lmtp: self.protocol == Protocol::Lmtp,
            login: self.credentials.is_some(),
        }
    }

    fn hello(&self, clear: bool) -> Hello {
        Hello {
            protocol: self.protocol,
            host: self.greets_as.clone(),
            tls: match (clear, self.assurance.allows_clear()) {
                (true, _) => TlsUse::Never,
                (false, true) => TlsUse::IfOffered,
                (false, false) => TlsUse::Required,
            },
            credentials: self.credentials.clone(),
            nonce: self.credentials.is_some().then(proof::nonce),
        }
    }
}

/// Hands `content` over on a connection that is there, or on a new one.
pub async fn hand_over(service: &Service, target: &Target, handover: &Handover, content: &[u8]) -> Handed {
    while let Some(mut connection) = service.pool.take(&target.key()) {
        connection.client.hand(handover.clone());
        let handed = connection.talk(service, target, content).await;
        // The next hop closed meanwhile, or has had enough of this connection: nothing was decided.
        if !handed.outcomes.iter().all(is_stale) {
            service.metrics.next_hop_reuses.inc();
            leave(service, target, connection);
            return Handed { session: None, ..handed };
        }
    }
    let (handed, connection) = fresh(service, target, handover, content, false).await;
    if target.assurance.allows_clear() && handed.outcomes.iter().all(is_tls_failure) {
        // RFC 7435 3: where nothing binds, TLS that fails is no worse than none.
        let (clear, connection) = fresh(service, target, handover, content, true).await;
        leave_some(service, target, connection);
        return Handed { session: handed.session, ..clear };
    }
    leave_some(service, target, connection);
    handed
}

async fn fresh(
    service: &Service,
    target: &Target,
    handover: &Handover,
    content: &[u8],
    clear: bool,
) -> (Handed, Option<Connection>) {
    service.metrics.next_hop_connections.inc();
    let stream = match service.world.connect(target.address, &target.sources).await {
        Ok(stream) => stream,
        Err(error) => {
            tracing::info!(next_hop = target.host, address = %target.address, "no connection: {error}");
            let broken = Outcome::Broken { stage: Stage::Greeting, trouble: Trouble::Disconnected };
            let outcomes = vec![broken; handover.recipients.len()];
            return (Handed { outcomes, tls: None, offers_dsn: false, session: None }, None);
        }
    };
    // A dialogue of short lines: waiting for more to send helps nobody.
    let _ = stream.set_nodelay(true);
    let client = Client::new(target.hello(clear), handover.clone());
    let mut connection = Connection { client, wire: Wire::Plain(stream), messages: 0, session: None };
    let mut handed = connection.talk(service, target, content).await;
    if handed.session.is_none() && connection.client.offers().answered && handed.tls.is_none() && !clear {
        handed.session = Some(Err(TlsFault::StartTlsNotSupported));
    }
    (handed, Some(connection))
}

fn leave_some(service: &Service, target: &Target, connection: Option<Connection>) {
    if let Some(connection) = connection {
        leave(service, target, connection);
    }
}

/// A connection that is good for more is kept; another is closed.
fn leave(service: &Service, target: &Target, mut connection: Connection) {
    // One that went in the clear after TLS failed is not looked for under this key again: TLS may work next time.
    let lasting = connection.client.next() == ClientStep::Ready && !service.stopping();
    let fell_back = connection.session.is_none() && connection.client.offers().starttls;
    let gone = match lasting && !fell_back {
        true => service.pool.put(target.key(), connection),
        false => Some(connection),
    };
    if let Some(gone) = gone {
        tokio::spawn(gone.quit());
    }
}

fn is_stale(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Broken { stage, trouble } => (*stage, *trouble) == (Stage::Mail, Trouble::Disconnected),
        Outcome::Refused { stage, reply } => *stage == Stage::Mail && reply.code.basic == 421,
        Outcome::Delivered(_) => false,
    }
}

fn is_tls_failure(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Broken { stage: Stage::Tls, trouble: Trouble::NoTls })
}

impl Connection {
    /// Converses until the message is over, or the time.
    async fn talk(&mut self, service: &Service, target: &Target, content: &[u8]) -> Handed {
        self.messages += 1;
        let cut = tokio::select! {
            biased;
            () = self.converse(service, target, content) => None,
            why = cut(service) => Some(why),
        };
        if let Some(why) = cut {
            tracing::warn!(next_hop = target.host, "the handover was cut: {why}");
            self.client.disconnected();
        }
        let tls = match (&self.wire, &self.session) {
            (Wire::Tls(_), Some(Ok(secured))) => Some(format!("{}, {}", secured.words, target.assurance)),
            _ => None,
        };
        let offers_dsn = self.client.offers().dsn;
        Handed { outcomes: self.client.take_results(), tls, offers_dsn, session: self.session.clone() }
    }

    async fn converse(&mut self, service: &Service, target: &Target, content: &[u8]) {
        let mut buffer = vec![0; 4 * 1024];
        loop {
            let limit = Duration::from_secs(u64::from(self.client.timeout_s()));
            match self.client.next() {
                ClientStep::Write(octets) => {
                    if !self.wire.write(&octets, limit).await {
                        self.client.disconnected();
                    }
                }
                ClientStep::NeedInput => match self.wire.read(&mut buffer, limit).await {
                    0 => self.client.disconnected(),
                    octets => self.client.feed(&buffer[..octets]),
                },
                ClientStep::StartTls => {
                    let also = target.also.as_deref();
                    let secured =
                        self.wire.secure(&service.world.roots, &target.tls_name, also, &target.assurance).await;
                    match &secured {
                        Ok(_) => self.client.tls_started(),
                        Err(_) => self.client.tls_failed(),
                    }
                    self.session = Some(secured);
                }
                ClientStep::Prove(challenge) => {
                    let Some(known) = target.credentials.clone() else { return self.client.disconnected() };
                    let proved = durable::blocking(move || proof::proof(&known.secret, &challenge)).await;
                    match proved {
                        Some(proof) => self.client.proved(&proof),
                        None => self.client.disconnected(),
                    }
                }
                ClientStep::WriteContent => {
                    if !self.write_content(content).await {
                        self.client.disconnected();
                    }
                }
                ClientStep::Ready | ClientStep::Done => return,
            }
        }
    }

    async fn write_content(&mut self, content: &[u8]) -> bool {
        let limit = Duration::from_secs(u64::from(self.client.timeout_s()));
        let mut encoded = Vec::with_capacity(PIECE_OCTETS + PIECE_OCTETS / 8);
        for piece in content.chunks(PIECE_OCTETS) {
            self.client.content(piece, &mut encoded);
            if !self.wire.write(&encoded, limit).await {
                return false;
            }
            encoded.clear();
        }
        self.client.content_end(&mut encoded);
        self.wire.write(&encoded, limit).await
    }

    /// Says goodbye.
    pub async fn quit(mut self) {
        let going = async {
            self.client.quit();
            let mut buffer = [0; 512];
            loop {
                match self.client.next() {
                    ClientStep::Write(octets) => {
                        if !self.wire.write(&octets, QUIT_MAX).await {
                            return;
                        }
                    }
                    ClientStep::NeedInput => match self.wire.read(&mut buffer, QUIT_MAX).await {
                        0 => return,
                        octets => self.client.feed(&buffer[..octets]),
                    },
                    ClientStep::StartTls
                    | ClientStep::Prove(_)
                    | ClientStep::WriteContent
                    | ClientStep::Ready
                    | ClientStep::Done => return,
                }
            }
        };
        // Whoever does not answer is left.
        let _ = tokio::time::timeout(QUIT_MAX, going).await;
    }
}

/// Comes when a handover has to end, whatever the next hop does.
async fn cut(service: &Service) -> &'static str {
    let mut stop = service.stop.clone();
    let stopping = async {
        stopped(&mut stop).await;
        tokio::time::sleep(DRAIN_MAX).await;
    };
    tokio::select! {
        () = stopping => "the server stops",
        () = tokio::time::sleep(HANDOVER_MAX) => "it took too long",
    }
}
