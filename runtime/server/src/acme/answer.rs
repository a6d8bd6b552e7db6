//! Answers to challenges. The address is bound when an order asks and closed when the order is over.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::http::HEADER_OCTETS_MAX;
use crate::site::Challenge;
use crate::{listen, tls};

/// An authority comes a few times, from several places; the rest are strangers.
const CONNECTIONS_MAX: usize = 64;
const CONNECTION_MAX: Duration = Duration::from_secs(10);
/// RFC 8555 8.3.
const WELL_KNOWN: &str = "/.well-known/acme-challenge/";
/// RFC 8737 6.2.
const PROTOCOL: &[u8] = b"acme-tls/1";

/// What is said for one host.
pub(super) struct Asked {
    pub host: String,
    pub token: String,
    pub key_authorization: String,
    /// SHA-256 of it.
    pub digest: Vec<u8>,
}

/// Answers until it is dropped.
pub(super) struct Answering(JoinHandle<()>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Binds the address of the challenge and answers there.
pub(super) fn start(challenge: Challenge, asked: Vec<Asked>) -> io::Result<Answering> {
    let task = match challenge {
        Challenge::Http01(at) => {
            let socket = bind(at)?;
            let words = asked.into_iter().map(|asked| (asked.token, asked.key_authorization)).collect();
            tokio::spawn(http(socket, Arc::new(words)))
        }
        Challenge::TlsAlpn01(at) => {
            let acceptor = acceptor(&asked).map_err(io::Error::other)?;
            tokio::spawn(handshakes(bind(at)?, acceptor))
        }
    };
    Ok(Answering(task))
}

fn bind(at: SocketAddr) -> io::Result<TcpListener> {
    listen::bind(at).map_err(|error| io::Error::new(error.kind(), format!("{at}: {error}")))
}

/// Connections, a bounded number at a time. They end with whoever drops this.
async fn each<F: Future<Output = ()> + Send + 'static>(socket: TcpListener, converse: impl Fn(TcpStream) -> F) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = open.join_next() => {}
            accepted = socket.accept() => {
                let Ok((stream, _)) = accepted else {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                };
                let Ok(place) = places.clone().try_acquire_owned() else { continue };
                let conversation = converse(stream);
                open.spawn(async move {
                    let _ = tokio::time::timeout(CONNECTION_MAX, conversation).await;
                    drop(place);
                });
            }
        }
    }
}

async fn http(socket: TcpListener, words: Arc<BTreeMap<String, String>>) {
    each(socket, |stream| {
        let words = words.clone();
        async move {
            let answer = service_fn(move |request: Request<Incoming>| {
                let response = said(&words, request.uri().path());
                async move { Ok::<_, Infallible>(response) }
            });
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(CONNECTION_MAX).max_buf_size(HEADER_OCTETS_MAX);
            // Whoever goes away early was not the authority.
            let _ = http.serve_connection(TokioIo::new(stream), answer).await;
        }
    })
    .await;
}

fn said(words: &BTreeMap<String, String>, path: &str) -> Response<Full<Bytes>> {
    let word = path.strip_prefix(WELL_KNOWN).and_then(|token| words.get(token));
    let mut response = Response::new(Full::from(word.cloned().unwrap_or_default()));
    if word.is_none() {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}

async fn handshakes(socket: TcpListener, acceptor: TlsAcceptor) {
    each(socket, |stream| {
        let acceptor = acceptor.clone();
        // The handshake is the answer (RFC 8737 3).
        async move { drop(tls::accept(&acceptor, stream).await) }
    })
    .await;
}

/// The library's own resolver reads names, and stumbles over the extension everything is about.
#[derive(Debug)]
struct ByHost(BTreeMap<String, Arc<CertifiedKey>>);

impl ResolvesServerCert for ByHost {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.get(hello.server_name()?).cloned()
    }
}

/// Shows each host a certificate that has the digest in it.
fn acceptor(asked: &[Asked]) -> Result<TlsAcceptor, Box<dyn std::error::Error + Send + Sync>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut shown = BTreeMap::new();
    for Asked { host, digest, .. } in asked {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec![host.clone()])?;
        if digest.len() == 32 {
            params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
        }
        let certificate = params.self_signed(&key)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let certified = CertifiedKey::from_der(vec![certificate.der().clone()], key, &provider)?;
        shown.insert(host.clone(), Arc::new(certified));
    }
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = builder.with_no_client_auth().with_cert_resolver(Arc::new(ByHost(shown)));
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
