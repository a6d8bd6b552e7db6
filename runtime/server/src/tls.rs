//! TLS of the listeners (RFC 8446; RFC 8314 for mail): rustls with ring, never older than the plan's `tls.oldest`.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use plan::TlsVersion;
use rustls::ServerConfig;
use rustls::version::{TLS12, TLS13};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::bindings;
use crate::certificates::{Shown, Slot};
use crate::site::Certificate;

/// Authorities browsers and mail programs believe.
pub fn public_authorities() -> impl Iterator<Item = rustls_pki_types::TrustAnchor<'static>> {
    webpki_roots::TLS_SERVER_ROOTS.iter().cloned()
}

/// A handshake takes at most this long.
pub const HANDSHAKE_MAX: Duration = Duration::from_secs(15);

/// An acceptor that shows `certificate`.
pub fn acceptor(oldest: TlsVersion, certificate: &Certificate) -> Result<TlsAcceptor, rustls::Error> {
    let versions: &[&rustls::SupportedProtocolVersion] = match oldest {
        TlsVersion::Tls12 => &[&TLS13, &TLS12],
        TlsVersion::Tls13 => &[&TLS13],
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)?
        .with_no_client_auth()
        .with_single_cert(certificate.chain.clone(), certificate.key.clone_key())?;
    // Mail clients hold a connection for hours; tickets for resuming cost memory and buy little.
    config.send_tls13_tickets = 1;
    config.max_fragment_size = None;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The acceptor of a slot, made anew when the slot shows another certificate or another plan has another `tls.oldest`. A connection
/// keeps the one it was given, so that what it binds logins to is what it showed.
pub(crate) struct Acceptor {
    slot: Arc<Slot>,
    made: Mutex<Made>,
}

struct Made {
    of: Arc<Shown>,
    oldest: TlsVersion,
    given: Given,
}

/// What a connection is opened with.
#[derive(Clone)]
pub(crate) struct Given {
    pub acceptor: TlsAcceptor,
    /// `tls-server-end-point` of the certificate.
    pub end_point: Option<Arc<[u8]>>,
}

impl Acceptor {
    pub fn new(oldest: TlsVersion, slot: Arc<Slot>) -> Result<Acceptor, rustls::Error> {
        let of = slot.now();
        let made = Mutex::new(Made { given: given(oldest, &of.certificate)?, of, oldest });
        Ok(Acceptor { slot, made })
    }

    /// For the next connection, under a plan with this `tls.oldest`.
    pub fn now(&self, oldest: TlsVersion) -> Given {
        let shown = self.slot.now();
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&made.of, &shown) || made.oldest != oldest {
            match given(oldest, &shown.certificate) {
                Ok(given) => *made = Made { of: shown, oldest, given },
                // The slot tried it before it showed it.
                Err(error) => tracing::error!("the new certificate `{}` cannot be shown: {error}", self.slot.name),
            }
        }
        made.given.clone()
    }
}

fn given(oldest: TlsVersion, certificate: &Certificate) -> Result<Given, rustls::Error> {
    let end_point = certificate.chain.first().and_then(|own| bindings::end_point(own)).map(Arc::from);
    Ok(Given { acceptor: acceptor(oldest, certificate)?, end_point })
}

/// Why a handshake did not end well; the client's matter, for the log.
#[derive(Debug)]
pub enum HandshakeError {
    TimedOut,
    Failed(std::io::Error),
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HandshakeError::TimedOut => f.write_str("the handshake took too long"),
            HandshakeError::Failed(error) => error.fmt(f),
        }
    }
}

/// Does the server's side of a handshake.
pub async fn accept<S>(acceptor: &TlsAcceptor, stream: S) -> Result<TlsStream<S>, HandshakeError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match tokio::time::timeout(HANDSHAKE_MAX, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(HandshakeError::Failed(error)),
        Err(_) => Err(HandshakeError::TimedOut),
    }
}
