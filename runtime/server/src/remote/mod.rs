//! The control channel for operators of other machines: the requests of the control socket over TLS 1.3, both sides known by the
//! key they show. There is no authority: an operator is who holds a key that was enrolled here, the server is the key the
//! operator wrote down.
//!
//! INVARIANT (no stranger speaks): nothing of a request is read before the handshake proved an enrolled key, and who that is
//! is asked again when the request is read.

pub mod client;
mod handshakes;
pub mod identity;
pub mod operators;
mod verify;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::version::TLS13;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::admission::Kind;
use crate::operate::door;
use crate::operate::jobs::Jobs;
use crate::operate::{OperateError, Who};
use crate::portal::patience::Patient;
use crate::service::{Service, stopped};
use crate::tls::{self, HandshakeError};
use handshakes::{Handshake, Handshakes};
use identity::{Identity, fingerprint};

pub use operators::{Operator, OperatorRole};

/// Connections of operators at a time, apart from all others; strangers have none of them.
const CONNECTIONS_MAX: usize = 64;
/// A handshake takes at most this long.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Of one client address.
const OF_ADDRESS_MAX: u32 = 16;
/// Octets of an answer have to go out within this.
const WRITE_MAX: Duration = Duration::from_secs(30);
/// After the kernel gave us no connection.
const BACK_OFF: Duration = Duration::from_millis(100);
/// What both sides say they speak (RFC 7301): an octet of this channel is never taken for one of another.
const PROTOCOL: &[u8] = b"facteur-control/1";

/// Accepts until the server stops.
pub(crate) async fn serve(service: Arc<Service>, jobs: Arc<Jobs>, listener: Arc<TcpListener>, acceptor: TlsAcceptor) {
    let (places, handshakes) = (Arc::new(Semaphore::new(CONNECTIONS_MAX)), Arc::new(Handshakes::default()));
    let mut stop = service.stop.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut stop) => return,
        };
        let Ok((stream, client)) = accepted else {
            tokio::time::sleep(BACK_OFF).await;
            continue;
        };
        let handshake = handshakes.enter(client.ip());
        let (service, jobs, acceptor, places) = (service.clone(), jobs.clone(), acceptor.clone(), places.clone());
        tokio::spawn(async move {
            let Some((stream, shown)) = known(&service, &acceptor, stream, client, handshake).await else { return };
            let Ok(_place) = places.try_acquire_owned() else { return };
            let from = client.ip().to_canonical();
            let Ok(seat) = service.admission.enter(Kind::Control, from) else { return };
            if seat.at_once > OF_ADDRESS_MAX {
                return;
            }
            let asked = service.clone();
            door::converse(service, jobs, move || who(&asked, &shown, from), stream).await;
        });
    }
}

/// The handshake: what is said from here on, and the fingerprint of the key that was shown and proved.
async fn known(
    service: &Service,
    acceptor: &TlsAcceptor,
    stream: TcpStream,
    client: SocketAddr,
    mut handshake: Handshake,
) -> Option<(TlsStream<Patient<TcpStream>>, String)> {
    let _ = stream.set_nodelay(true);
    // Whoever is cut off the network says no more: the work that waits for them ends.
    let _ = rustix::net::sockopt::set_socket_keepalive(&stream, true);
    let _ = rustix::net::sockopt::set_tcp_keepidle(&stream, Duration::from_secs(30));
    let _ = rustix::net::sockopt::set_tcp_keepintvl(&stream, Duration::from_secs(10));
    let _ = rustix::net::sockopt::set_tcp_keepcnt(&stream, 3);
    let accepting = tls::accept(acceptor, Patient::new(stream, WRITE_MAX));
    let accepted = tokio::select! {
        accepted = tokio::time::timeout(HANDSHAKE_MAX, accepting) => accepted.unwrap_or(Err(HandshakeError::TimedOut)),
        () = handshake.ended() => Err(HandshakeError::TimedOut),
    };
    let stream = match accepted {
        Ok(stream) => stream,
        Err(error) => {
            service.metrics.handshakes_failed.inc();
            tracing::debug!(%client, "no TLS on the control channel: {error}");
            return None;
        }
    };
    let (_, session) = stream.get_ref();
    if session.alpn_protocol() != Some(PROTOCOL) {
        return None;
    }
    let shown = session.peer_certificates().and_then(|chain| chain.first()).and_then(|own| fingerprint(own))?;
    Some((stream, shown))
}

/// The operator with this key, as they are enrolled now.
fn who(service: &Service, shown: &str, from: IpAddr) -> Option<Who> {
    let Operator { name, role, .. } = service.operators.of(shown)?;
    Some(Who::Operator { name, role, from })
}

/// What the channel is opened with.
pub(crate) fn acceptor(service: &Service) -> Result<TlsAcceptor, OperateError> {
    let Identity { certificate, key } = Identity::of_server(&service.store, &service.site.data)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let known = Arc::new(verify::Enrolled::new(service.operators.clone(), &provider));
    let trouble = |error: rustls::Error| OperateError::Store { why: format!("the control channel: {error}") };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .map_err(trouble)?
        .with_client_cert_verifier(known)
        .with_single_cert(vec![certificate], key)
        .map_err(trouble)?;
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    // A key that was removed opens nothing any more: no session is taken up again.
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    Ok(TlsAcceptor::from(Arc::new(config)))
}
