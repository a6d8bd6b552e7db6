//! A smart host that does what a test wants: takes mail, refuses, says 451, goes away after the content, says nothing.
//! It keeps what it saw, octet for octet.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read, Write};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::PrivateKeyDer;

/// A client that says nothing for so long has gone wrong.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// How the smart host behaves from now on.
#[derive(Clone, Default)]
pub struct Script {
    /// Without it a connection is taken and nothing is said.
    pub greets: bool,
    /// A greeting of another kind.
    pub greeting: Option<&'static str>,
    pub keywords: Vec<&'static str>,
    /// Recipients that hear this instead of 250.
    pub refused: BTreeMap<&'static str, &'static str>,
    /// After STARTTLS the connection ends.
    pub breaks_tls: bool,
    /// What every other recipient hears instead of 250.
    pub everybody: Option<&'static str>,
    /// What follows the next contents; afterwards all are taken.
    pub after_content: VecDeque<After>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum After {
    Reply(&'static str),
    /// The connection ends without a reply.
    Cut,
    /// Nothing is said, and the connection stays.
    Silence,
}

/// A content that came, whatever became of it.
#[derive(Clone, Debug)]
pub struct Handed {
    pub tls: bool,
    /// The MAIL command.
    pub mail: String,
    /// Recipients that heard 250.
    pub recipients: Vec<String>,
    /// From behind the 354 to the final dot and its CR LF.
    pub wire: Vec<u8>,
    /// A 250 was sent.
    pub taken: bool,
}

impl Handed {
    /// The content without the dots of DATA; panics when a CR or LF stands alone or a line was not stuffed.
    #[track_caller]
    pub fn content(&self) -> Vec<u8> {
        let end = self.wire.len().checked_sub(3).expect("a final dot");
        let mut content = Vec::with_capacity(end);
        for line in self.wire[..end].split_inclusive(|octet| *octet == b'\n') {
            let text = line.strip_suffix(b"\r\n").unwrap_or_else(|| panic!("no CR LF ends {}", line.escape_ascii()));
            assert!(!text.contains(&b'\r'), "a CR inside {}", line.escape_ascii());
            assert_ne!(text, b".", "a lone dot inside");
            content.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
        }
        content
    }

    pub fn subject(&self) -> String {
        let content = String::from_utf8_lossy(&self.content()).into_owned();
        let subject = content.split("\r\n").find_map(|line| line.strip_prefix("Subject: "));
        subject.expect("messages of tests have one").to_string()
    }
}

#[derive(Default)]
struct Shared {
    script: Mutex<Script>,
    seen: Mutex<Vec<Handed>>,
    /// Each RCPT command's address, in order of arrival.
    asked: Mutex<Vec<String>>,
    connections: Mutex<usize>,
    /// AUTH commands.
    logins: Mutex<Vec<String>>,
    /// RCPT commands.
    rcpts: Mutex<Vec<String>>,
    /// Where each connection came from.
    peers: Mutex<Vec<IpAddr>>,
}

/// The running smart host; its threads end with the test's process.
pub struct SmartHost {
    pub port: u16,
    shared: Arc<Shared>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SmartHost {
    pub fn start(script: Script) -> SmartHost {
        SmartHost::with_tls(script, tls())
    }

    /// One that shows a certificate of the test's.
    pub fn with_tls(script: Script, tls: Arc<ServerConfig>) -> SmartHost {
        let listener = TcpListener::bind("127.0.0.1:0").expect("the kernel has a port");
        let port = listener.local_addr().expect("a bound socket has one").port();
        let shared = Arc::new(Shared { script: Mutex::new(script), ..Shared::default() });
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                *lock(&accepting.connections) += 1;
                lock(&accepting.peers).extend(stream.peer_addr().map(|peer| peer.ip()));
                let (shared, tls) = (Arc::clone(&accepting), Arc::clone(&tls));
                // A client that goes away ends its conversation with an error, as it should.
                std::thread::spawn(move || Conversation::begin(stream, shared, tls).and_then(Conversation::hold));
            }
        });
        SmartHost { port, shared }
    }

    /// One that takes everything and offers `keywords`.
    pub fn willing(keywords: &[&'static str]) -> SmartHost {
        SmartHost::start(Script { greets: true, keywords: keywords.to_vec(), ..Script::default() })
    }

    pub fn script(&self) -> MutexGuard<'_, Script> {
        lock(&self.shared.script)
    }

    pub fn seen(&self) -> Vec<Handed> {
        lock(&self.shared.seen).clone()
    }

    /// Contents that came.
    pub fn contents(&self) -> usize {
        lock(&self.shared.seen).len()
    }

    /// How often RCPT named this address.
    pub fn asked(&self, address: &str) -> usize {
        lock(&self.shared.asked).iter().filter(|asked| *asked == address).count()
    }

    pub fn logins(&self) -> Vec<String> {
        lock(&self.shared.logins).clone()
    }

    pub fn rcpts(&self) -> Vec<String> {
        lock(&self.shared.rcpts).clone()
    }

    pub fn peers(&self) -> Vec<IpAddr> {
        lock(&self.shared.peers).clone()
    }

    pub fn connections(&self) -> usize {
        *lock(&self.shared.connections)
    }
}

/// A certificate for another name: opportunistic TLS does not look at it.
fn tls() -> Arc<ServerConfig> {
    let key = rcgen::generate_simple_self_signed(vec!["other.example".to_string()]).expect("a certificate can be made");
    let private = PrivateKeyDer::try_from(key.signing_key.serialize_der()).expect("rcgen writes PKCS 8");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.expect("ring knows TLS 1.2 and 1.3").with_no_client_auth();
    Arc::new(builder.with_single_cert(vec![key.cert.der().clone()], private).expect("the key is the certificate's"))
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

struct Conversation {
    stream: Stream,
    waiting: Vec<u8>,
    shared: Arc<Shared>,
    tls: Arc<ServerConfig>,
    mail: String,
    recipients: Vec<String>,
}

impl Conversation {
    fn begin(stream: TcpStream, shared: Arc<Shared>, tls: Arc<ServerConfig>) -> io::Result<Conversation> {
        stream.set_read_timeout(Some(SILENCE_MAX))?;
        stream.set_nodelay(true)?;
        let stream = Stream::Plain(stream);
        Ok(Conversation { stream, waiting: Vec::new(), shared, tls, mail: String::new(), recipients: Vec::new() })
    }

    fn hold(mut self) -> io::Result<()> {
        if !lock(&self.shared.script).greets {
            return self.stay_silent();
        }
        let greeting = lock(&self.shared.script).greeting;
        self.say(greeting.unwrap_or("220 smarthost.example ESMTP"))?;
        loop {
            let line = String::from_utf8_lossy(&self.until(b"\r\n")?).trim_end().to_string();
            let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" | "LHLO" => self.hello()?,
                "STARTTLS" => self = self.secure()?,
                "MAIL" => {
                    (self.mail, self.recipients) = (line, Vec::new());
                    self.say("250 2.1.0 fine")?;
                }
                "RCPT" => self.recipient(&line)?,
                "DATA" if self.recipients.is_empty() => self.say("554 5.5.1 no recipients")?,
                "DATA" => {
                    if self.content()? {
                        return Ok(());
                    }
                }
                "RSET" => {
                    self.recipients.clear();
                    self.say("250 2.0.0 fine")?;
                }
                "AUTH" => {
                    lock(&self.shared.logins).push(line);
                    self.say("235 2.7.0 welcome")?;
                }
                "QUIT" => return self.say("221 bye"),
                _ => self.say("500 5.5.2 what?")?,
            }
        }
    }

    fn hello(&mut self) -> io::Result<()> {
        let mut keywords = lock(&self.shared.script).keywords.clone();
        if matches!(self.stream, Stream::Tls(_)) {
            keywords.retain(|keyword| *keyword != "STARTTLS");
        }
        let lines: String = keywords.iter().map(|keyword| format!("250-{keyword}\r\n")).collect();
        self.say(&format!("250-smarthost.example\r\n{lines}250 ENHANCEDSTATUSCODES"))
    }

    fn recipient(&mut self, line: &str) -> io::Result<()> {
        let address = line.split(['<', '>']).nth(1).unwrap_or_default().to_string();
        lock(&self.shared.asked).push(address.clone());
        lock(&self.shared.rcpts).push(line.to_string());
        let refusal = {
            let script = lock(&self.shared.script);
            script.refused.get(address.as_str()).copied().or(script.everybody)
        };
        if refusal.is_none() {
            self.recipients.push(address);
        }
        self.say(refusal.unwrap_or("250 2.1.5 fine"))
    }

    /// Whether the conversation is over.
    fn content(&mut self) -> io::Result<bool> {
        self.say("354 go ahead")?;
        let wire = self.content_octets()?;
        let after = lock(&self.shared.script).after_content.pop_front();
        let reply = match after {
            None => Some("250 2.6.0 taken"),
            Some(After::Reply(reply)) => Some(reply),
            Some(After::Cut | After::Silence) => None,
        };
        let taken = reply.is_some_and(|reply| reply.starts_with('2'));
        let tls = matches!(self.stream, Stream::Tls(_));
        let (mail, recipients) = (std::mem::take(&mut self.mail), std::mem::take(&mut self.recipients));
        // Before the reply: who sees that it was taken also finds it here.
        lock(&self.shared.seen).push(Handed { tls, mail, recipients, wire, taken });
        match (reply, after) {
            (Some(reply), _) => self.say(reply).map(|()| false),
            (None, Some(After::Silence)) => self.stay_silent().map(|()| true),
            (None, _) => Ok(true),
        }
    }

    /// To the first CR LF "." CR LF, and to nothing else (RFC 5321 4.1.1.4).
    fn content_octets(&mut self) -> io::Result<Vec<u8>> {
        let first = self.until(b"\r\n")?;
        if first == b".\r\n" {
            return Ok(first);
        }
        // The line end in front of the dot belongs to the line before.
        self.waiting.splice(0..0, *b"\r\n");
        let rest = self.until(b"\r\n.\r\n")?;
        Ok([&first, &rest[2..]].concat())
    }

    fn secure(mut self) -> io::Result<Conversation> {
        self.say("220 2.0.0 begin")?;
        if lock(&self.shared.script).breaks_tls {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        let Stream::Plain(stream) = self.stream else { return Err(io::Error::other("TLS inside TLS")) };
        let connection = ServerConnection::new(Arc::clone(&self.tls)).map_err(io::Error::other)?;
        let stream = Stream::Tls(Box::new(StreamOwned::new(connection, stream)));
        Ok(Conversation { stream, ..self })
    }

    fn stay_silent(&mut self) -> io::Result<()> {
        loop {
            self.more()?;
        }
    }

    fn say(&mut self, line: &str) -> io::Result<()> {
        let octets = format!("{line}\r\n").into_bytes();
        match &mut self.stream {
            Stream::Plain(stream) => stream.write_all(&octets),
            Stream::Tls(stream) => stream.write_all(&octets).and_then(|()| stream.flush()),
        }
    }

    /// Reads to the first `mark`, which comes along.
    fn until(&mut self, mark: &[u8]) -> io::Result<Vec<u8>> {
        let mut looked = 0;
        loop {
            let found = self.waiting[looked..].windows(mark.len()).position(|window| window == mark);
            if let Some(at) = found {
                return Ok(self.waiting.drain(..looked + at + mark.len()).collect());
            }
            looked = self.waiting.len().saturating_sub(mark.len() - 1);
            self.more()?;
        }
    }

    fn more(&mut self) -> io::Result<()> {
        let mut octets = [0; 16 * 1024];
        let read = match &mut self.stream {
            Stream::Plain(stream) => stream.read(&mut octets)?,
            Stream::Tls(stream) => stream.read(&mut octets)?,
        };
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.waiting.extend_from_slice(&octets[..read]);
        Ok(())
    }
}
