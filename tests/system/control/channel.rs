//! The control channel: the same requests from another machine, by whoever has a key that is enrolled.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};
use rustls_pki_types::pem::PemObject;
use tests::Outcome;

use super::{House, facteur};

#[test]
fn an_operator_asks_from_afar_what_the_role_allows_and_the_audit_has_the_name() -> Outcome {
    let house = House::new();
    house.operator("anne", "administrator");
    house.operator("luc", "manager");
    let queue = house.afar("anne", &["queue", "list"]).ends(0);
    assert_eq!(queue.out, house.here(&["queue", "list"]).ends(0).out);
    house.afar("anne", &["person", "show", "toto-j"]).ends(0);
    house.afar("anne", &["store", "verify"]).ends(0);
    let block = ["block", "add", "sender", "eve@phish.example", "--because", "phish", "--for", "1 day"];
    house.afar("luc", &block).ends(0);
    // Each only what the role does, and neither what is done on the machine.
    let refused = house.afar("anne", &block).ends(2);
    assert!(refused.err.contains("only a mail manager may"), "{}", refused.err);
    for (who, words) in [
        ("luc", &["operator", "list"][..]),
        ("luc", &["key", "list"]),
        ("luc", &["backup", "now"]),
        ("anne", &["export", "--login", "toto-j", "--as", "mbox", "--to", "/nowhere"]),
    ] {
        let refused = house.afar(who, words);
        assert_eq!(refused.code, Some(2), "{who} {words:?}: {} {}", refused.out, refused.err);
    }
    // Nobody decides as somebody else.
    let as_other = house.afar("luc", &[&block[..], &["--by", "durand-e"]].concat()).ends(2);
    assert!(as_other.err.contains("luc does not decide as durand-e"), "{}", as_other.err);
    let audit = house.afar("anne", &["audit"]).ends(0).out;
    assert!(audit.contains("manager luc from 127.0.0.1: "), "{audit}");
    assert!(audit.contains("administrator anne from 127.0.0.1: refused to anne: Block"), "{audit}");
    Ok(())
}

#[test]
fn whoever_is_not_enrolled_any_more_is_not_heard() {
    let house = House::new();
    let anne = house.operator("anne", "administrator");
    house.identity("eve");
    let unknown = house.afar("eve", &["queue", "list"]).ends(2);
    assert!(unknown.err.contains("does not know this identity"), "{}", unknown.err);
    house.afar("anne", &["queue", "list"]).ends(0);
    // A name and a key are one operator's.
    for (name, fingerprint) in [("ANNE", house.identity("other")), ("zoe", anne)] {
        let words = ["operator", "enroll", name, "--role", "manager", &fingerprint];
        assert!(house.here(&words).ends(2).err.contains("anne"));
    }
    house.here(&["operator", "remove", "anne"]).ends(0);
    house.afar("anne", &["queue", "list"]).ends(2);
    house.here(&["operator", "remove", "anne"]).ends(4);
}

#[test]
fn an_appliance_that_shows_another_key_is_told_nothing() -> Outcome {
    let (house, other) = (House::new(), House::new());
    house.operator("anne", "administrator");
    let pin = other.here(&["operator", "pin"]).ends(0).out;
    assert_ne!(pin, house.here(&["operator", "pin"]).ends(0).out);
    fs::write(house.path("anne").join("appliance.pin"), pin)?;
    let refused = house.afar("anne", &["queue", "list"]).ends(2);
    assert!(refused.err.contains("another key than appliance.pin"), "{}", refused.err);
    // What is in the folder is not written over.
    let again = facteur(&["operator", "identity", "anne", "--into", &house.text("anne")]).ends(2);
    assert!(again.out.is_empty(), "{}", again.out);
    fs::remove_file(house.path("anne").join("appliance.pin"))?;
    let without = house.afar("anne", &["queue", "list"]).ends(2);
    assert!(without.err.contains("facteur operator pin"), "{}", without.err);
    Ok(())
}

/// Believes every server.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256, SignatureScheme::ED25519]
    }
}

/// How a stranger opens the channel.
struct Stranger<'a> {
    version: &'static rustls::SupportedProtocolVersion,
    protocol: &'a [u8],
    /// The folder of an identity.
    shows: Option<&'a str>,
}

impl Stranger<'_> {
    /// What comes back of `said`: nothing, where the server does not listen to this.
    fn hears(&self, house: &House, said: &[u8]) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(&[self.version])?;
        let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody));
        let mut config = match self.shows {
            Some(folder) => {
                let chain = vec![CertificateDer::from_pem_file(house.path(folder).join("certificate.pem"))?];
                builder
                    .with_client_auth_cert(chain, PrivateKeyDer::from_pem_file(house.path(folder).join("key.pem"))?)?
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![self.protocol.to_vec()];
        let stream = TcpStream::connect(house.server.describe.remote.ok_or("the channel listens")?)?;
        stream.set_read_timeout(Some(std::time::Duration::from_secs(60)))?;
        let session = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost")?)?;
        let mut stream = StreamOwned::new(session, stream);
        let mut heard = Vec::new();
        // Where it is refused one of these is an error.
        let _ = stream.write_all(said).and_then(|()| stream.flush());
        let _ = stream.read_to_end(&mut heard);
        Ok(heard)
    }
}

#[test]
fn octets_of_strangers_change_nothing_and_are_answered_with_nothing() -> Outcome {
    let house = House::new();
    house.operator("anne", "administrator");
    house.identity("eve");
    let request = b"POST /queue/list HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}";
    let channel = b"facteur-control/1";
    let good = Stranger { version: &TLS13, protocol: channel, shows: Some("anne") };
    let heard = good.hears(&house, request)?;
    assert!(heard.starts_with(b"HTTP/1.1 "), "{}", String::from_utf8_lossy(&heard));
    for stranger in [
        Stranger { version: &TLS13, protocol: channel, shows: None },
        Stranger { version: &TLS13, protocol: channel, shows: Some("eve") },
        Stranger { version: &TLS12, protocol: channel, shows: Some("anne") },
        Stranger { version: &TLS13, protocol: b"http/1.1", shows: Some("anne") },
    ] {
        let heard = stranger.hears(&house, request)?;
        assert!(heard.is_empty(), "{}", String::from_utf8_lossy(&heard));
    }
    // Those of an operator are bounded.
    let large = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "a".repeat(64 * 1024));
    let body = b"POST /queue/list HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\n\r\n{}".to_vec();
    let endless = [&body[..], &b" ".repeat(2 << 20)].concat();
    for said in [b"\0\xff garbage\r\n\r\n".to_vec(), large.into_bytes(), endless] {
        let heard = good.hears(&house, &said)?;
        let status = String::from_utf8_lossy(&heard).into_owned();
        assert!(heard.is_empty() || status.starts_with("HTTP/1.1 4"), "{status}");
    }
    for said in [&b"GET / HTTP/1.0\r\n\r\n"[..], &[0; 300], b"\x16\x03\x01\xff\xff"] {
        let mut stream = TcpStream::connect(house.server.describe.remote.ok_or("the channel listens")?)?;
        stream.write_all(said)?;
        stream.shutdown(std::net::Shutdown::Write)?;
        stream.set_read_timeout(Some(std::time::Duration::from_secs(60)))?;
        let mut heard = Vec::new();
        let _ = stream.read_to_end(&mut heard);
        assert!(!heard.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&heard));
    }
    house.afar("anne", &["queue", "list"]).ends(0);
    Ok(())
}

#[test]
fn strangers_who_stay_silent_keep_no_operator_out() -> Outcome {
    let house = House::new();
    house.operator("anne", "administrator");
    let address = house.server.describe.remote.ok_or("the channel listens")?;
    let mut silent = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(address)?;
        // Half of a record of TLS.
        stream.write_all(&[22, 3, 1, 2])?;
        silent.push(stream);
    }
    house.afar("anne", &["queue", "list"]).ends(0);
    let mut first = silent.swap_remove(0);
    let mut rest = Vec::new();
    // Closed or reset: it made room.
    let _ = first.read_to_end(&mut rest);
    house.afar("anne", &["queue", "list"]).ends(0);
    Ok(())
}
