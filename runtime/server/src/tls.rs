//! TLS of the listeners (RFC 8446; RFC 8314 for mail): rustls with ring, never older than the plan's `tls.oldest`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use plan::TlsVersion;
use rustls::ServerConfig;
use rustls::version::{TLS12, TLS13};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::site::Certificate;

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
