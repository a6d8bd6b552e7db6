//! Who vouches for people, over HTTPS: an OpenID Connect provider and a CAS server in one, which do and say what a test wants.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair};
use ring::{digest, hmac};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tests::smtp::base64;

use crate::world::authority::Authority;

pub const CLIENT: &str = "mail";
pub const SECRET: &str = "s3cret:of the site";

/// Who signs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    Key,
    AnotherKey,
    /// HMAC with the public key as its secret.
    PublicKey,
    Nobody,
}

/// What it says. `{iss}`, `{nonce}` and `{login}` stand for what they name, `{now±n}` for Unix seconds.
#[derive(Clone)]
pub struct Script {
    pub header: String,
    pub claims: String,
    pub sign: Sign,
    /// Said in the place of an answer to a code or a ticket.
    pub instead: Option<String>,
    /// Of that answer.
    pub status: u16,
    /// It says nothing, until who asks goes away.
    pub is_mute: bool,
}

impl Default for Script {
    fn default() -> Script {
        Script {
            header: r#"{"alg":"EdDSA","kid":"k","typ":"JWT"}"#.to_owned(),
            claims: r#"{"iss":"{iss}","aud":"mail","azp":"mail","exp":{now+300},"iat":{now+0},"nonce":"{nonce}",
                "sub":"4711","uid":"{login}"}"#
                .to_owned(),
            sign: Sign::Key,
            instead: None,
            status: 200,
            is_mute: false,
        }
    }
}

/// What a browser that was let in asked for.
struct Let {
    login: String,
    /// `redirect_uri`, or the service.
    back: String,
    nonce: String,
    challenge: String,
}

#[derive(Default)]
struct State {
    script: Script,
    /// By code or ticket.
    let_in: HashMap<String, Let>,
    requests: Vec<String>,
}

pub struct Issuer {
    pub url: String,
    pub authority: Authority,
    state: Arc<Mutex<State>>,
}

struct Server {
    url: String,
    pair: Ed25519KeyPair,
    state: Arc<Mutex<State>>,
}

impl Issuer {
    #[track_caller]
    pub fn start() -> Issuer {
        let authority = Authority::new();
        let tls = authority.certifies("127.0.0.1").tls;
        let socket = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let url = format!("https://{}", socket.local_addr().expect("a bound socket has an address"));
        let state = Arc::new(Mutex::new(State::default()));
        let server = Arc::new(Server { url: url.clone(), pair: pair(), state: Arc::clone(&state) });
        // Ends with the process.
        std::thread::spawn(move || {
            for stream in socket.incoming().flatten() {
                let (server, tls) = (Arc::clone(&server), Arc::clone(&tls));
                // Whoever asks sees it fail.
                std::thread::spawn(move || server.serve(stream, tls));
            }
        });
        Issuer { url, authority, state }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on it says this.
    pub fn says(&self, script: Script) {
        self.state().script = script;
    }

    /// First lines of all requests.
    pub fn requests(&self) -> Vec<String> {
        self.state().requests.clone()
    }

    /// Lets `login` in who was sent to `location`: the code or ticket, and the URL the browser is led back to.
    #[track_caller]
    pub fn lets_in(&self, login: &str, location: &str) -> (String, String) {
        let query = query(location);
        let field = |name: &str| query.get(name).cloned().unwrap_or_default();
        let given = format!("ST-{}", url_safe(&random::<16>()));
        let (back, returned) = if location.contains("/cas/login?") {
            let back = field("service");
            (back.clone(), format!("{back}&ticket={given}"))
        } else {
            assert_eq!((field("response_type"), field("client_id")), ("code".into(), CLIENT.into()), "{location}");
            assert_eq!(field("code_challenge_method"), "S256");
            let back = field("redirect_uri");
            (back.clone(), format!("{back}?code={given}&state={}", field("state")))
        };
        let let_in = Let { login: login.to_owned(), back, nonce: field("nonce"), challenge: field("code_challenge") };
        self.state().let_in.insert(given.clone(), let_in);
        (given, returned)
    }
}

impl Server {
    fn serve(&self, stream: TcpStream, tls: Arc<ServerConfig>) -> std::io::Result<()> {
        let connection = ServerConnection::new(tls).map_err(std::io::Error::other)?;
        let mut stream = StreamOwned::new(connection, stream);
        let (head, body) = request(&mut stream)?;
        let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
        self.state().requests.push(head.lines().next().unwrap_or_default().to_owned());
        let is_mute = self.state().script.is_mute;
        if is_mute && head.starts_with("POST") {
            return stream.read_to_end(&mut Vec::new()).map(drop);
        }
        let (status, answer) = match target.split('?').next().unwrap_or_default() {
            "/.well-known/openid-configuration" => (200, self.configuration()),
            "/keys" => (200, self.keys()),
            "/token" => self.scripted().unwrap_or_else(|| self.redeemed(&head, &body)),
            "/cas/p3/serviceValidate" => self.scripted().unwrap_or_else(|| (200, self.validated(&target))),
            _ => (404, String::new()),
        };
        write!(stream, "HTTP/1.1 {status} x\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", answer.len())?;
        stream.write_all(answer.as_bytes())?;
        stream.conn.send_close_notify();
        stream.flush()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn configuration(&self) -> String {
        let at = &self.url;
        format!(
            r#"{{"issuer":"{at}","authorization_endpoint":"{at}/authorize?realm=x","token_endpoint":"{at}/token","jwks_uri":"{at}/keys"}}"#
        )
    }

    fn keys(&self) -> String {
        let public = url_safe(self.pair.public_key().as_ref());
        format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"k","use":"sig","x":"{public}"}}]}}"#)
    }

    fn scripted(&self) -> Option<(u16, String)> {
        let script = self.state().script.clone();
        Some((script.status, script.instead?))
    }

    /// RFC 6749 4.1.3 and RFC 7636 4.6: each code once, for the client it was given to, and who has its verifier.
    fn redeemed(&self, head: &str, body: &str) -> (u16, String) {
        let form = query(&format!("?{body}"));
        let field = |name: &str| form.get(name).cloned().unwrap_or_default();
        let both = format!("{CLIENT}:{}", SECRET.replace(':', "%3A").replace(' ', "%20"));
        let basic = format!("authorization: basic {}", base64(both.as_bytes())).to_ascii_lowercase();
        if !head.to_ascii_lowercase().contains(&basic) {
            return (401, r#"{"error":"invalid_client"}"#.to_owned());
        }
        let found = self.state().let_in.remove(&field("code"));
        let challenge = url_safe(digest::digest(&digest::SHA256, field("code_verifier").as_bytes()).as_ref());
        match found.filter(|found| found.challenge == challenge && found.back == field("redirect_uri")) {
            Some(found) => (200, format!(r#"{{"token_type":"Bearer","id_token":"{}"}}"#, self.token(&found))),
            None => (400, r#"{"error":"invalid_grant"}"#.to_owned()),
        }
    }

    fn token(&self, found: &Let) -> String {
        let script = self.state().script.clone();
        let claims = script.claims.replace("{iss}", &self.url).replace("{nonce}", &found.nonce);
        let claims = with_times(&claims.replace("{login}", &found.login));
        let said = format!("{}.{}", url_safe(script.header.as_bytes()), url_safe(claims.as_bytes()));
        let signature = match script.sign {
            Sign::Key => self.pair.sign(said.as_bytes()).as_ref().to_vec(),
            Sign::AnotherKey => pair().sign(said.as_bytes()).as_ref().to_vec(),
            Sign::PublicKey => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, self.pair.public_key().as_ref());
                hmac::sign(&key, said.as_bytes()).as_ref().to_vec()
            }
            Sign::Nobody => Vec::new(),
        };
        format!("{said}.{}", url_safe(&signature))
    }

    /// CAS protocol 3.0, 2.5: each ticket once, and for its service.
    fn validated(&self, target: &str) -> String {
        let query = query(target);
        let field = |name: &str| query.get(name).cloned().unwrap_or_default();
        let found = self.state().let_in.remove(&field("ticket")).filter(|found| found.back == field("service"));
        let said = match found {
            Some(found) => {
                format!("<cas:authenticationSuccess><cas:user>{}</cas:user></cas:authenticationSuccess>", found.login)
            }
            None => r#"<cas:authenticationFailure code="INVALID_TICKET">no</cas:authenticationFailure>"#.to_owned(),
        };
        format!(r#"<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">{said}</cas:serviceResponse>"#)
    }
}

fn request(stream: &mut impl Read) -> std::io::Result<(String, String)> {
    let mut octets = Vec::new();
    let mut part = [0; 4_096];
    loop {
        let text = String::from_utf8_lossy(&octets).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let lower = head.to_ascii_lowercase();
            let length = lower.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return Ok((head.to_owned(), body.to_owned()));
            }
        }
        let count = stream.read(&mut part)?;
        if count == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        octets.extend_from_slice(&part[..count]);
    }
}

/// `{now+n}` and `{now-n}` as Unix seconds.
fn with_times(text: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("past 1970").as_secs();
    let mut parts = text.split("{now");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (offset, rest) = part.split_once('}').expect("a brace closes");
        let at = now.checked_add_signed(offset.parse().expect("a number")).expect("in this era");
        whole += &format!("{at}{rest}");
    }
    whole
}

/// Names and values of a query.
pub fn query(url: &str) -> HashMap<String, String> {
    let (_, query) = url.split_once('?').unwrap_or_default();
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), decoded(value))).collect()
}

fn decoded(text: &str) -> String {
    let mut octets = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let hex = behind.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match hex.filter(|_| *first == b'%') {
            Some(octet) => {
                octets.push(octet);
                rest = &behind[2..];
            }
            None => {
                octets.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8(octets).expect("text")
}

fn random<const N: usize>() -> [u8; N] {
    let mut octets = [0; N];
    SystemRandom::new().fill(&mut octets).expect("the kernel gives random octets");
    octets
}

fn pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&random::<32>()).expect("any 32 octets are a seed")
}

/// RFC 4648 5, without padding.
fn url_safe(octets: &[u8]) -> String {
    base64(octets).trim_end_matches('=').replace('+', "-").replace('/', "_")
}
