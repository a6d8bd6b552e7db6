//! The socket of the portal: TLS, HTTP/1.1, and bounds on what one connection and all of them may take.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use decide::ClassId;
use hyper::server::conn::http1;
use hyper::service::Service as _;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use super::patience::Patient;
use super::{Front, Portal};
use crate::admission::Kind;
use crate::service::stopped;
use crate::tls;

/// Connections at a time, apart from those of mail: a flood here takes no mail away.
const CONNECTIONS_MAX: usize = 1_024;
/// Of one client address; many people may share one.
const OF_ADDRESS_MAX: u32 = 128;
/// Header fields of a request, and how long they may take; as long may a connection wait for its next request.
const HEADER_OCTETS_MAX: usize = 16 * 1024;
const HEADER_MAX: Duration = Duration::from_secs(10);
/// Octets of an answer have to go out within this.
const WRITE_MAX: Duration = Duration::from_secs(30);
/// A connection ends after this, whatever happens on it: a large archive over a slow line takes hours.
const CONNECTION_MAX: Duration = Duration::from_secs(4 * 3_600);
/// After the kernel gave us no connection.
const BACK_OFF: Duration = Duration::from_millis(50);
/// How often sessions that are over are forgotten.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// One bound address.
pub(crate) struct Door {
    pub socket: TcpListener,
    pub acceptor: tls::Acceptor,
    /// Everybody who comes here is seen as this address, and may name the door by its own address.
    pub seen_as: Option<IpAddr>,
}

/// Where a request comes from.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// The address decisions see.
    pub address: IpAddr,
    /// The socket's.
    pub client: IpAddr,
    pub class: ClassId,
    /// A host the door answers to besides the portal's.
    pub also: Option<SocketAddr>,
}

/// Accepts until the server stops. Requests under way then end with their connections.
pub(crate) async fn serve(front: Arc<Front>, door: Door) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let (portal, _) = front.now();
    let Door { socket, acceptor, seen_as } = door;
    let mut stop = portal.service.stop.clone();
    let mut sweep = tokio::time::interval(SWEEP_EVERY);
    loop {
        let accepted = tokio::select! {
            biased;
            () = stopped(&mut stop) => return,
            _ = sweep.tick() => {
                portal.sessions.sweep(portal.now_s());
                continue;
            }
            accepted = socket.accept() => accepted,
        };
        let Ok((stream, client)) = accepted else {
            portal.service.metrics.accept_errors.inc();
            tokio::time::sleep(BACK_OFF).await;
            continue;
        };
        let Ok(place) = places.clone().try_acquire_owned() else { continue };
        let source = source(&portal, client.ip(), seen_as, socket.local_addr().ok());
        let Ok(seat) = portal.service.admission.enter(Kind::Portal, source.client) else { continue };
        if seat.at_once > OF_ADDRESS_MAX {
            continue;
        }
        let oldest = portal.service.current().tables.plan().tls.oldest;
        let (front, acceptor) = (front.clone(), acceptor.now(oldest).acceptor);
        tokio::spawn(async move {
            let conversation = converse(&front, &acceptor, stream, source);
            let _ = tokio::time::timeout(CONNECTION_MAX, conversation).await;
            drop((place, seat));
        });
    }
}

fn source(portal: &Portal, client: IpAddr, seen_as: Option<IpAddr>, own: Option<SocketAddr>) -> Source {
    let client = client.to_canonical();
    let service = &portal.service;
    let address = seen_as.unwrap_or_else(|| service.site.client_address.view(client));
    Source { address, client, class: service.tables.class_of(address), also: own.filter(|_| seen_as.is_some()) }
}

async fn converse(front: &Arc<Front>, acceptor: &TlsAcceptor, stream: TcpStream, source: Source) {
    let (portal, _) = front.now();
    let service = &portal.service;
    let _ = stream.set_nodelay(true);
    let stream = match tls::accept(acceptor, Patient::new(stream, WRITE_MAX)).await {
        Ok(stream) => stream,
        Err(error) => {
            service.metrics.handshakes_failed.inc();
            tracing::debug!(client = %source.client, "no TLS on the portal: {error}");
            return;
        }
    };
    let front = front.clone();
    let answer = hyper::service::service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        let (portal, router) = front.now();
        let class = portal.service.tables.class_of(source.address);
        request.extensions_mut().insert(Source { class, ..source.clone() });
        TowerToHyperService::new(router).call(request)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_MAX).max_buf_size(HEADER_OCTETS_MAX);
    let connection = http.serve_connection(TokioIo::new(stream), answer);
    tokio::pin!(connection);
    let mut stop = service.stop.clone();
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!("a connection of the portal: {error}");
    }
}
