//! The octets between us and a next hop, in the clear or under TLS.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::tls::HANDSHAKE_MAX;
use crate::world::assure::Assurance;
use crate::world::certificate::{self, TlsFault};

pub enum Wire {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Gone,
}

/// What came of a handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secured {
    /// Version and cipher.
    pub words: String,
    /// Whether the certificate would have stood, also where any is taken.
    pub verdict: Result<(), TlsFault>,
}

impl Wire {
    pub async fn write(&mut self, octets: &[u8], limit: Duration) -> bool {
        let writing = async {
            match self {
                Wire::Plain(stream) => stream.write_all(octets).await,
                Wire::Tls(stream) => {
                    stream.write_all(octets).await?;
                    stream.flush().await
                }
                Wire::Gone => Err(io::ErrorKind::NotConnected.into()),
            }
        };
        matches!(tokio::time::timeout(limit, writing).await, Ok(Ok(())))
    }

    /// Octets read; 0 at the end, after `limit` and after trouble.
    pub async fn read(&mut self, buffer: &mut [u8], limit: Duration) -> usize {
        let reading = async {
            match self {
                Wire::Plain(stream) => stream.read(buffer).await,
                Wire::Tls(stream) => stream.read(buffer).await,
                Wire::Gone => Ok(0),
            }
        };
        match tokio::time::timeout(limit, reading).await {
            Ok(Ok(octets)) => octets,
            Ok(Err(_)) | Err(_) => 0,
        }
    }

    /// Begins TLS with `host` under `assurance`. `also` is a second name its certificate may have.
    pub async fn secure(
        &mut self,
        roots: &Arc<RootCertStore>,
        host: &str,
        also: Option<&str>,
        assurance: &Assurance,
    ) -> Result<Secured, TlsFault> {
        let Wire::Plain(stream) = std::mem::replace(self, Wire::Gone) else { return Err(TlsFault::ValidationFailure) };
        let bad = |_| TlsFault::ValidationFailure;
        let name = ServerName::try_from(host.to_owned()).map_err(|_| TlsFault::HostMismatch)?;
        let also = also.and_then(|also| ServerName::try_from(also.to_owned()).ok());
        let (config, judge) = certificate::config(roots, assurance, also).map_err(bad)?;
        let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
        let stream = match tokio::time::timeout(HANDSHAKE_MAX, connecting).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                tracing::info!(next_hop = host, "the TLS handshake failed: {error}");
                return Err(judge.verdict().err().unwrap_or(TlsFault::ValidationFailure));
            }
            Err(_) => return Err(TlsFault::ValidationFailure),
        };
        let session = stream.get_ref().1;
        let version = match session.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3",
            Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2",
            Some(_) | None => "TLS",
        };
        let cipher = session.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str()).unwrap_or("");
        let secured = Secured { words: format!("{version} {cipher}"), verdict: judge.verdict() };
        *self = Wire::Tls(Box::new(stream));
        Ok(secured)
    }
}
