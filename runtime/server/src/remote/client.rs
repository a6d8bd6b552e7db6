//! The operator's side of the control channel.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::version::TLS13;
use rustls::{AlertDescription, CertificateError, ClientConfig};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::PROTOCOL;
use super::identity::{IdentityPem, read_fingerprint};
use super::verify::Pinned;
use crate::operate::client::{self, ClientError};
use crate::operate::{OperateError, Operation, Progress};

/// Files of a folder `facteur operator identity` makes.
pub const KEY_FILE: &str = "key.pem";
pub const CERTIFICATE_FILE: &str = "certificate.pem";
pub const PIN_FILE: &str = "appliance.pin";
/// Longest of them, in octets.
const FILE_OCTETS_MAX: u64 = 64 * 1024;
/// Connecting and the handshake take at most this long.
const CONNECT_MAX: Duration = Duration::from_secs(20);

/// A server elsewhere, and who asks it.
#[derive(Clone, Debug)]
pub struct Appliance {
    /// `host:port`.
    address: String,
    config: Arc<ClientConfig>,
}

impl Appliance {
    /// The appliance at `host:port`, asked with the identity in a folder; the error is what is wrong with that.
    pub fn new(address: &str, folder: &Path) -> Result<Appliance, String> {
        let pem = IdentityPem { certificate: file(folder, CERTIFICATE_FILE)?, key: file(folder, KEY_FILE)? };
        let identity = pem.read().ok_or_else(|| format!("{}: no identity is in this folder", folder.display()))?;
        let pin = file(folder, PIN_FILE)
            .map_err(|error| format!("{error}; `facteur operator pin` on the appliance says what belongs in it"))?;
        let pin = read_fingerprint(&pin).ok_or_else(|| format!("{PIN_FILE} holds no fingerprint of 64 digits"))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let server = Arc::new(Pinned::new(pin, &provider));
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])
            .map_err(|error| error.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(server)
            .with_client_auth_cert(vec![identity.certificate], identity.key)
            .map_err(|error| format!("{}: {error}", folder.display()))?;
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        config.resumption = rustls::client::Resumption::disabled();
        // The pin says who is there; the address is nobody's business on the way.
        config.enable_sni = false;
        Ok(Appliance { address: address.to_owned(), config: Arc::new(config) })
    }

    fn failed(&self, why: impl std::fmt::Display) -> ClientError {
        ClientError::Appliance { address: self.address.clone(), why: why.to_string() }
    }

    async fn connect(&self) -> Result<TlsStream<TcpStream>, ClientError> {
        let host = self.address.rsplit_once(':').map_or(self.address.as_str(), |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host).map_err(|error| self.failed(error))?;
        let connecting = async {
            let stream = TcpStream::connect(&self.address).await.map_err(|error| self.failed(error))?;
            let _ = stream.set_nodelay(true);
            let tls = TlsConnector::from(self.config.clone()).connect(name, stream).await;
            tls.map_err(|error| self.failed(said(&error)))
        };
        let stream = tokio::time::timeout(CONNECT_MAX, connecting).await;
        stream.unwrap_or_else(|_| Err(self.failed("it does not answer")))
    }

    /// Runs `request` there. When `interrupted` comes, the appliance sees the connection end, and stops.
    pub async fn call<O: Operation>(
        &self,
        request: O,
        interrupted: impl Future<Output = ()>,
        mut tell: impl FnMut(Progress) + Send + 'static,
    ) -> Result<O::Response, ClientError> {
        let asking = async {
            let stream = self.connect().await?;
            let answer = client::ask(stream, &request, &mut tell).await;
            answer.map_err(|error| match error {
                ClientError::Http(error) => self.failed(http_said(&error)),
                other => other,
            })
        };
        tokio::select! {
            answer = asking => answer,
            () = interrupted => Err(OperateError::Interrupted.into()),
        }
    }
}

fn file(folder: &Path, name: &str) -> Result<String, String> {
    let path = folder.join(name);
    let bad = |error: std::io::Error| format!("{}: {error}", path.display());
    if std::fs::metadata(&path).map_err(bad)?.len() > FILE_OCTETS_MAX {
        return Err(format!("{}: larger than it can be", path.display()));
    }
    std::fs::read_to_string(&path).map_err(bad)
}

/// What a handshake that failed means to an operator.
fn said(error: &std::io::Error) -> String {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        Some(rustls::Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure)) => {
            format!(
                "it shows another key than {PIN_FILE} has: this is not the appliance you enrolled at, or its data is new"
            )
        }
        Some(rustls::Error::AlertReceived(AlertDescription::AccessDenied | AlertDescription::BadCertificate)) => {
            "it does not know this identity: `facteur operator enroll` there".to_owned()
        }
        _ => error.to_string(),
    }
}

/// TLS 1.3 tells a client that it is not wanted only after the handshake.
fn http_said(error: &hyper::Error) -> String {
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if let Some(inner) = inner.downcast_ref::<std::io::Error>() {
            return said(inner);
        }
        source = inner.source();
    }
    error.to_string()
}
