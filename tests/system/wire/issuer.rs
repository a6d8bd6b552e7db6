//! An issuer of tokens (RFC 9068): signs them, and shows its key over HTTPS.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::PrivateKeyDer;
use tests::scratch::Scratch;
use tests::smtp::base64;

pub struct Issuer {
    pair: Ed25519KeyPair,
    /// Where its keys are.
    pub keys: String,
    asked: Arc<AtomicU32>,
    scratch: Scratch,
}

impl Issuer {
    #[track_caller]
    pub fn start() -> Issuer {
        let scratch = Scratch::new("issuer");
        let key = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_string()]).expect("a certificate can be made");
        std::fs::write(scratch.join("issuer.pem"), key.cert.pem()).expect("the scratch folder is ours");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let secret = PrivateKeyDer::try_from(key.signing_key.serialize_der()).expect("a key");
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|it| it.with_no_client_auth().with_single_cert(vec![key.cert.der().clone()], secret))
            .expect("the certificate suits its key");
        let mut seed = [0; 32];
        SystemRandom::new().fill(&mut seed).expect("the kernel gives random octets");
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("any 32 octets are a seed");
        let set = format!(
            r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"k","x":"{}"}}]}}"#,
            url_safe(pair.public_key().as_ref())
        );
        let socket = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let port = socket.local_addr().expect("a bound socket has an address").port();
        let asked = Arc::new(AtomicU32::new(0));
        let (config, counter) = (Arc::new(config), Arc::clone(&asked));
        // Ends with the process.
        std::thread::spawn(move || {
            for stream in socket.incoming().flatten() {
                counter.fetch_add(1, Ordering::Relaxed);
                // Whoever asks sees it fail.
                let _ = answer(stream, &config, &set);
            }
        });
        Issuer { pair, keys: format!("https://127.0.0.1:{port}/keys"), asked, scratch }
    }

    /// The PEM file of the authority that vouches for it.
    pub fn authority(&self) -> PathBuf {
        self.scratch.join("issuer.pem")
    }

    /// How often somebody asked for its keys.
    pub fn asked(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }

    /// A token for `login` that ends `seconds` from now.
    pub fn token(&self, login: &str, audience: &str, seconds: i64) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("past 1970").as_secs();
        let expires = now.checked_add_signed(seconds).expect("in this era");
        let claims = format!(r#"{{"iss":"https://id.example","aud":"{audience}","exp":{expires},"uid":"{login}"}}"#);
        let header = r#"{"alg":"EdDSA","typ":"at+jwt","kid":"k"}"#;
        let said = format!("{}.{}", url_safe(header.as_bytes()), url_safe(claims.as_bytes()));
        format!("{said}.{}", url_safe(self.pair.sign(said.as_bytes()).as_ref()))
    }
}

fn answer(stream: TcpStream, config: &Arc<ServerConfig>, set: &str) -> std::io::Result<()> {
    let connection = ServerConnection::new(Arc::clone(config)).map_err(std::io::Error::other)?;
    let mut stream = StreamOwned::new(connection, stream);
    let mut request = Vec::new();
    let mut octets = [0; 1024];
    while !request.ends_with(b"\r\n\r\n") {
        let count = stream.read(&mut octets)?;
        if count == 0 {
            return Ok(());
        }
        request.extend_from_slice(&octets[..count]);
    }
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{set}", set.len())?;
    stream.conn.send_close_notify();
    stream.flush()
}

/// RFC 4648 5, without padding.
fn url_safe(octets: &[u8]) -> String {
    base64(octets).trim_end_matches('=').replace('+', "-").replace('/', "_")
}
