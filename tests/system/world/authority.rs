//! An authority of a test, the certificates it gives, and a web server that shows one page.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, PublicKeyData};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::PrivateKeyDer;

pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key, as a server shows it.
pub struct Shown {
    pub tls: Arc<ServerConfig>,
    /// SHA-256 of its public key in hexadecimal, for `TLSA 3 1 1`.
    pub key_digest: String,
    pub chain_pem: String,
    pub key_pem: String,
}

impl Authority {
    #[track_caller]
    pub fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).expect("no names are sound names");
        // OpenSSL takes a certificate whose issuer has its own name for one that signed itself.
        params.distinguished_name.push(DnType::CommonName, "An authority of a test");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key can be made");
        Authority(CertifiedIssuer::self_signed(params, key).expect("a certificate can be made"))
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// The certificate itself in hexadecimal, for `TLSA 2 0 0`.
    pub fn digest(&self) -> String {
        sha256(self.0.der())
    }

    #[track_caller]
    pub fn certifies(&self, name: &str) -> Shown {
        self.certifies_all(&[name])
    }

    #[track_caller]
    pub fn certifies_all(&self, names: &[&str]) -> Shown {
        let key = KeyPair::generate().expect("a key can be made");
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let params = CertificateParams::new(names).expect("names of a test");
        let certificate = params.signed_by(&key, &self.0).expect("an authority signs");
        let private = PrivateKeyDer::try_from(key.serialize_der()).expect("rcgen writes PKCS 8");
        let chain = vec![certificate.der().clone(), self.0.der().clone()];
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.expect("ring knows TLS 1.2 and 1.3").with_no_client_auth();
        let tls = Arc::new(builder.with_single_cert(chain, private).expect("the key is the certificate's"));
        Shown {
            tls,
            key_digest: sha256(&key.subject_public_key_info()),
            chain_pem: certificate.pem() + &self.0.pem(),
            key_pem: key.serialize_pem(),
        }
    }
}

fn sha256(octets: &[u8]) -> String {
    let suite = rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
    let digest = suite.tls13().expect("a suite of TLS 1.3").common.hash_provider.hash(octets);
    digest.as_ref().iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Answers every request with one page.
pub struct Web {
    pub port: u16,
    page: Arc<Mutex<String>>,
}

impl Web {
    pub fn start(tls: Arc<ServerConfig>, page: &str) -> Web {
        Web::start_at("127.0.0.1:0", tls, page)
    }

    pub fn start_at(address: &str, tls: Arc<ServerConfig>, page: &str) -> Web {
        let listener = TcpListener::bind(address).expect("the address is free");
        let port = listener.local_addr().expect("a bound socket has one").port();
        let page = Arc::new(Mutex::new(page.to_owned()));
        let shown = Arc::clone(&page);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Ok(connection) = ServerConnection::new(Arc::clone(&tls)) else { return };
                let mut stream = StreamOwned::new(connection, stream);
                let mut request = [0; 4_096];
                // A client that refuses the certificate goes away.
                if stream.read(&mut request).is_ok_and(|octets| octets > 0) {
                    let body = shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
                    let kind = if body.starts_with("<?xml") { "text/xml" } else { "text/plain" };
                    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close");
                    let _ = write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                    stream.conn.send_close_notify();
                    let _ = stream.flush();
                }
            }
        });
        Web { port, page }
    }

    pub fn show(&self, page: &str) {
        *self.page.lock().unwrap_or_else(PoisonError::into_inner) = page.to_owned();
    }
}
