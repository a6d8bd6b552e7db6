//! Whose keys are believed in a handshake: those that are enrolled, on the server's side, and the one that was written down, on the
//! operator's. That the other side has the private half, the handshake proves (RFC 8446 4.4.3).

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use super::identity::fingerprint;
use super::operators::Operators;
use crate::clock;
use crate::throttle::{Line, Throttle};

/// Operators that are enrolled, and nobody else.
#[derive(Debug)]
pub(super) struct Enrolled {
    operators: Arc<Operators>,
    algorithms: WebPkiSupportedAlgorithms,
    strangers: Throttle,
}

impl Enrolled {
    pub fn new(operators: Arc<Operators>, provider: &CryptoProvider) -> Enrolled {
        let algorithms = provider.signature_verification_algorithms;
        Enrolled { operators, algorithms, strangers: Throttle::default() }
    }
}

/// A key that is nobody's.
fn unknown() -> Error {
    Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure)
}

impl ClientCertVerifier for Enrolled {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let shown = fingerprint(end_entity).ok_or(Error::InvalidCertificate(CertificateError::BadEncoding))?;
        if self.operators.of(&shown).is_some() {
            return Ok(ClientCertVerified::assertion());
        }
        if let Line::Written { .. } = self.strangers.line(clock::unix_s()) {
            tracing::warn!(fingerprint = shown, "refused on the control channel: no operator has this key");
        }
        Err(unknown())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.2 is not spoken here".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// The server whose key was written down.
#[derive(Debug)]
pub(super) struct Pinned {
    fingerprint: String,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Pinned {
    pub fn new(fingerprint: String, provider: &CryptoProvider) -> Pinned {
        Pinned { fingerprint, algorithms: provider.signature_verification_algorithms }
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if fingerprint(end_entity).as_deref() == Some(&self.fingerprint) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(unknown())
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.2 is not spoken here".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
