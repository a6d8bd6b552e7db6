//! Looks at the certificate of a next hop, and says what is wrong with it in the words of TLS reports.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use ring::digest::{SHA256, SHA512, digest};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::assure::{Assurance, Matching, Selector, Tlsa, Usage};

/// What went wrong with TLS, as RFC 8460 4.3 names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsFault {
    StartTlsNotSupported,
    HostMismatch,
    Expired,
    NotTrusted,
    ValidationFailure,
    TlsaInvalid,
    DnssecInvalid,
    StsPolicyFetchError,
    StsPolicyInvalid,
    StsWebPkiInvalid,
}

impl TlsFault {
    /// For people.
    pub fn text(self) -> &'static str {
        match self {
            TlsFault::StartTlsNotSupported => "the host does not offer STARTTLS",
            TlsFault::HostMismatch => "the certificate is for another name",
            TlsFault::Expired => "the certificate has expired",
            TlsFault::NotTrusted => "nobody we trust has signed the certificate",
            TlsFault::ValidationFailure => "the certificate is not the one that is promised",
            TlsFault::TlsaInvalid => "the TLSA records cannot be used",
            TlsFault::DnssecInvalid => "the answers of DNS are forged",
            TlsFault::StsPolicyFetchError => "the MTA-STS policy cannot be had",
            TlsFault::StsPolicyInvalid => "the MTA-STS policy is no policy",
            TlsFault::StsWebPkiInvalid => "the certificate of the host of the MTA-STS policy is not good",
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            TlsFault::StartTlsNotSupported => "starttls-not-supported",
            TlsFault::HostMismatch => "certificate-host-mismatch",
            TlsFault::Expired => "certificate-expired",
            TlsFault::NotTrusted => "certificate-not-trusted",
            TlsFault::ValidationFailure => "validation-failure",
            TlsFault::TlsaInvalid => "tlsa-invalid",
            TlsFault::DnssecInvalid => "dnssec-invalid",
            TlsFault::StsPolicyFetchError => "sts-policy-fetch-error",
            TlsFault::StsPolicyInvalid => "sts-policy-invalid",
            TlsFault::StsWebPkiInvalid => "sts-webpki-invalid",
        }
    }
}

/// Public authorities and those of the site.
pub fn authorities(own: &[CertificateDer<'static>]) -> RootCertStore {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let (_, unread) = roots.add_parsable_certificates(own.iter().cloned());
    if unread > 0 {
        tracing::warn!(unread, "authorities of the site that cannot be used");
    }
    roots
}

/// A configuration for one handshake under `assurance`, and where its verdict will be.
pub fn config(
    roots: &Arc<RootCertStore>,
    assurance: &Assurance,
    also: Option<ServerName<'static>>,
) -> Result<(ClientConfig, Arc<Judge>), Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let known = WebPkiServerVerifier::builder_with_provider(roots.clone(), provider.clone())
        .build()
        .map_err(|error| Error::General(error.to_string()))?;
    let assurance = assurance.clone();
    let judge = Arc::new(Judge {
        provider: provider.clone(),
        known,
        assurance,
        also,
        verdict: Mutex::new(Err(TlsFault::ValidationFailure)),
    });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(judge.clone())
        .with_no_client_auth();
    Ok((config, judge))
}

/// Judges the certificate of one handshake. Where the assurance allows any, the verdict is only kept.
pub struct Judge {
    provider: Arc<CryptoProvider>,
    known: Arc<WebPkiServerVerifier>,
    assurance: Assurance,
    /// A second name a certificate under a DANE trust anchor may have: the recipient domain (RFC 7672 3.2.2).
    also: Option<ServerName<'static>>,
    verdict: Mutex<Result<(), TlsFault>>,
}

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judge").field("assurance", &self.assurance).finish_non_exhaustive()
    }
}

impl Judge {
    /// What was found. A handshake that came to no certificate is a `ValidationFailure`.
    pub fn verdict(&self) -> Result<(), TlsFault> {
        *self.verdict.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn dane(
        &self,
        records: &[Tlsa],
        chain: (&CertificateDer<'_>, &[CertificateDer<'_>]),
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), TlsFault> {
        let (end_entity, intermediates) = chain;
        // RFC 7672 3.1.1: the record alone binds name and key, dates and names of the certificate do not count.
        let ends = records.iter().filter(|record| record.usage == Usage::EndEntity);
        if ends.into_iter().any(|record| matches(record, end_entity)) {
            return Ok(());
        }
        let mut fault = TlsFault::ValidationFailure;
        for record in records.iter().filter(|record| record.usage == Usage::Anchor) {
            let whole = (record.selector, record.matching) == (Selector::Certificate, Matching::Exact);
            let of_record = whole.then(|| CertificateDer::from(record.data.clone()));
            let of_chain = intermediates.iter().filter(|one| matches(record, one)).map(|one| one.clone().into_owned());
            for anchor in of_record.into_iter().chain(of_chain) {
                match self.under_anchor(anchor, end_entity, intermediates, name, now) {
                    Ok(()) => return Ok(()),
                    Err(found) => fault = found,
                }
            }
        }
        Err(fault)
    }

    fn under_anchor(
        &self,
        anchor: CertificateDer<'static>,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), TlsFault> {
        let mut roots = RootCertStore::empty();
        roots.add(anchor).map_err(|_| TlsFault::TlsaInvalid)?;
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), self.provider.clone()).build();
        let verifier = verifier.map_err(|_| TlsFault::TlsaInvalid)?;
        let under = |name: &ServerName<'_>| verifier.verify_server_cert(end_entity, intermediates, name, &[], now);
        let found = match (under(name), &self.also) {
            (Err(_), Some(also)) => under(also),
            (found, _) => found,
        };
        found.map(|_| ()).map_err(|error| fault_of(&error))
    }
}

/// Does a record match this certificate (RFC 6698 2.1)?
pub fn matches(record: &Tlsa, certificate: &CertificateDer<'_>) -> bool {
    let key;
    let selected = match record.selector {
        Selector::Certificate => certificate.as_ref(),
        Selector::PublicKey => match ParsedCertificate::try_from(certificate) {
            Ok(parsed) => {
                key = parsed.subject_public_key_info();
                key.as_ref()
            }
            Err(_) => return false,
        },
    };
    match record.matching {
        Matching::Exact => selected == record.data,
        Matching::Sha256 => digest(&SHA256, selected).as_ref() == record.data,
        Matching::Sha512 => digest(&SHA512, selected).as_ref() == record.data,
    }
}

fn fault_of(error: &Error) -> TlsFault {
    match error {
        Error::InvalidCertificate(error) => match error {
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                TlsFault::HostMismatch
            }
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => TlsFault::Expired,
            CertificateError::UnknownIssuer | CertificateError::BadSignature => TlsFault::NotTrusted,
            _ => TlsFault::ValidationFailure,
        },
        _ => TlsFault::ValidationFailure,
    }
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let known =
            || self.known.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now).map(|_| ());
        let (verdict, binds) = match &self.assurance {
            Assurance::Dane(records) => (self.dane(records, (end_entity, intermediates), server_name, now), true),
            Assurance::Verified(_) => (known().map_err(|error| fault_of(&error)), true),
            Assurance::Encrypted | Assurance::Opportunistic => (known().map_err(|error| fault_of(&error)), false),
        };
        *self.verdict.lock().unwrap_or_else(PoisonError::into_inner) = verdict;
        match verdict {
            Err(_) if binds => Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure)),
            Err(_) | Ok(()) => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
