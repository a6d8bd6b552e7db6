//! Hands one message to a next hop over the network: the driver of `proto::smtp::client`.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use proto::smtp::client::{Client, ClientStep, Handover, Outcome};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::service::{Service, stopped};
use crate::tls::HANDSHAKE_MAX;

const CONNECT_MAX: Duration = Duration::from_secs(30);
/// A next hop that answers each command just in time cannot keep a handover alive for longer.
const HANDOVER_MAX: Duration = Duration::from_secs(3_600);
/// A server that stops lets a handover under way end for so long.
const DRAIN_MAX: Duration = Duration::from_secs(5);
/// Octets of content encoded at a time.
const PIECE_OCTETS: usize = 64 * 1024;

enum Wire {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Gone,
}

/// Connects to `host:port` and hands `content` over; what became of each recipient, in their order.
pub async fn hand_over(service: &Service, host_and_port: &str, handover: Handover, content: &[u8]) -> Vec<Outcome> {
    let mut client = Client::new(handover);
    let handing = async {
        match connect(service, host_and_port).await {
            Ok(stream) => {
                let host = host_and_port.rsplit_once(':').map_or(host_and_port, |(host, _)| host);
                converse(&mut client, stream, host, content).await;
            }
            Err(error) => tracing::info!(next_hop = host_and_port, "no connection: {error}"),
        }
    };
    let cut = tokio::select! {
        biased;
        () = handing => None,
        why = cut(service) => Some(why),
    };
    if let Some(why) = cut {
        tracing::warn!(next_hop = host_and_port, "the handover was cut: {why}");
    }
    // Recipients that have their outcome keep it.
    client.disconnected();
    client.results()
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

async fn connect(service: &Service, host_and_port: &str) -> io::Result<TcpStream> {
    let connecting = async {
        match service.site.host(host_and_port) {
            Some(address) => TcpStream::connect(address).await,
            None => TcpStream::connect(host_and_port).await,
        }
    };
    tokio::time::timeout(CONNECT_MAX, connecting).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()))
}

async fn converse(client: &mut Client, stream: TcpStream, host: &str, content: &[u8]) {
    let mut wire = Wire::Plain(stream);
    let mut buffer = vec![0; 4 * 1024];
    loop {
        let limit = Duration::from_secs(u64::from(client.timeout_s()));
        match client.next() {
            ClientStep::Write(octets) => {
                if !wire.write(&octets, limit).await {
                    client.disconnected();
                }
            }
            ClientStep::NeedInput => match wire.read(&mut buffer, limit).await {
                0 => client.disconnected(),
                octets => client.feed(&buffer[..octets]),
            },
            ClientStep::StartTls => match secure(&mut wire, host).await {
                true => client.tls_started(),
                false => client.tls_failed(),
            },
            ClientStep::WriteContent => {
                if !write_content(client, &mut wire, content).await {
                    client.disconnected();
                }
            }
            ClientStep::Done => return,
        }
    }
}

async fn write_content(client: &mut Client, wire: &mut Wire, content: &[u8]) -> bool {
    let limit = Duration::from_secs(u64::from(client.timeout_s()));
    let mut encoded = Vec::with_capacity(PIECE_OCTETS + PIECE_OCTETS / 8);
    for piece in content.chunks(PIECE_OCTETS) {
        client.content(piece, &mut encoded);
        if !wire.write(&encoded, limit).await {
            return false;
        }
        encoded.clear();
    }
    client.content_end(&mut encoded);
    wire.write(&encoded, limit).await
}

impl Wire {
    async fn write(&mut self, octets: &[u8], limit: Duration) -> bool {
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
    async fn read(&mut self, buffer: &mut [u8], limit: Duration) -> usize {
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
}

async fn secure(wire: &mut Wire, host: &str) -> bool {
    let Wire::Plain(stream) = std::mem::replace(wire, Wire::Gone) else { return false };
    let (Ok(name), Some(connector)) = (ServerName::try_from(host.to_owned()), connector()) else { return false };
    match tokio::time::timeout(HANDSHAKE_MAX, connector.connect(name, stream)).await {
        Ok(Ok(stream)) => {
            *wire = Wire::Tls(Box::new(stream));
            true
        }
        Ok(Err(_)) | Err(_) => false,
    }
}

/// Opportunistic TLS (RFC 7435): hides mail from who listens, proves nothing of the next hop. DANE and MTA-STS will.
fn connector() -> Option<TlsConnector> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .ok()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth();
    Some(TlsConnector::from(Arc::new(config)))
}

/// Takes any certificate; the handshake's signatures still have to be right.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
