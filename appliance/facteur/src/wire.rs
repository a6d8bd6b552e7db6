//! A client for the story and for probes: SMTP and IMAP over TCP and TLS, from a chosen source address, with a transcript.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpSocket;
use tokio_rustls::TlsConnector;

/// Longest line that is read.
const LINE_OCTETS_MAX: usize = 64 * 1024;
/// Longest answer that is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

trait Octets: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Octets for T {}

/// One connection and what was said on it.
pub struct Wire {
    stream: Option<BufReader<Box<dyn Octets>>>,
    connector: TlsConnector,
    host: String,
    pub transcript: Transcript,
}

/// What was said, one line each: `C: …`, `S: …`, or a note.
#[derive(Default)]
pub struct Transcript {
    lines: Vec<String>,
}

impl Transcript {
    pub fn client(&mut self, line: &str) {
        self.lines.push(format!("C: {line}"));
    }

    pub fn server(&mut self, line: &str) {
        self.lines.push(format!("S: {line}"));
    }

    pub fn note(&mut self, line: &str) {
        self.lines.push(format!("   {line}"));
    }

    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Forgets the lines from `from` on and says in their place what they were.
    pub fn fold(&mut self, from: usize, instead: &str) {
        self.lines.truncate(from);
        self.note(instead);
    }

    pub fn len(&self) -> usize {
        self.lines.len()
    }
}

/// A reply: its code and its last line's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub code: u16,
    pub text: String,
}

/// Where and how to connect.
pub struct Door {
    pub address: SocketAddr,
    /// Decides which network the server sees; unspecified leaves it to the system.
    pub source: IpAddr,
    /// The name in the certificate.
    pub host: String,
    pub implicit_tls: bool,
}

impl Wire {
    pub async fn connect(door: &Door, tls: Arc<rustls::ClientConfig>) -> io::Result<Wire> {
        let socket = if door.address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if !door.source.is_unspecified() {
            socket.bind(SocketAddr::new(door.source, 0))?;
        }
        let stream = timeout(socket.connect(door.address)).await?;
        stream.set_nodelay(true)?;
        let mut wire = Wire {
            stream: Some(BufReader::new(Box::new(stream))),
            connector: TlsConnector::from(tls),
            host: door.host.clone(),
            transcript: Transcript::default(),
        };
        if door.implicit_tls {
            wire.start_tls().await?;
        }
        Ok(wire)
    }

    /// Speaks TLS from here on.
    pub async fn start_tls(&mut self) -> io::Result<()> {
        let name = ServerName::try_from(self.host.clone()).map_err(io::Error::other)?;
        let Some(stream) = self.stream.take() else { return Err(io::Error::other("the connection is closed")) };
        let stream = timeout(self.connector.connect(name, stream.into_inner())).await?;
        self.stream = Some(BufReader::new(Box::new(stream)));
        self.transcript.note("(TLS)");
        Ok(())
    }

    pub async fn line(&mut self) -> io::Result<String> {
        let Some(stream) = self.stream.as_mut() else { return Err(io::Error::other("the connection is closed")) };
        let mut line = Vec::new();
        timeout(async {
            loop {
                let available = stream.fill_buf().await?;
                if available.is_empty() {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                let end = available.iter().position(|octet| *octet == b'\n');
                let count = end.map_or(available.len(), |end| end + 1);
                line.extend_from_slice(&available[..count]);
                stream.consume(count);
                if end.is_some() {
                    return Ok(());
                }
                if line.len() > LINE_OCTETS_MAX {
                    return Err(io::Error::other("a line without end"));
                }
            }
        })
        .await?;
        Ok(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned())
    }

    pub async fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        let Some(stream) = self.stream.as_mut() else { return Err(io::Error::other("the connection is closed")) };
        timeout(async {
            stream.write_all(octets).await?;
            stream.flush().await
        })
        .await
    }

    /// Reads one SMTP reply.
    pub async fn reply(&mut self) -> io::Result<Answer> {
        loop {
            let line = self.line().await?;
            self.transcript.server(&line);
            let code = line.get(..3).and_then(|digits| digits.parse().ok());
            let Some(code) = code else { return Err(io::Error::other(format!("no reply: {line}"))) };
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(Answer { code, text: line.get(4..).unwrap_or("").to_owned() });
            }
        }
    }

    /// Says an SMTP command and reads its reply.
    pub async fn say(&mut self, command: &str) -> io::Result<Answer> {
        self.transcript.client(command);
        self.send(format!("{command}\r\n").as_bytes()).await?;
        self.reply().await
    }

    /// The same, with a secret the transcript does not show.
    pub async fn say_secret(&mut self, shown: &str, command: &str) -> io::Result<Answer> {
        self.transcript.client(shown);
        self.send(format!("{command}\r\n").as_bytes()).await?;
        self.reply().await
    }

    /// DATA with `content`, whose lines end with CRLF; returns the last reply.
    pub async fn data(&mut self, content: &str) -> io::Result<Answer> {
        let go = self.say("DATA").await?;
        if go.code != 354 {
            return Ok(go);
        }
        let mut octets = String::with_capacity(content.len() + 8);
        for line in content.split_inclusive("\r\n") {
            if line.starts_with('.') {
                octets.push('.');
            }
            octets.push_str(line);
        }
        octets.push_str(".\r\n");
        for line in content.lines().take(12) {
            self.transcript.client(line);
        }
        self.transcript.client(".");
        self.send(octets.as_bytes()).await?;
        self.reply().await
    }

    /// Says an IMAP command under `tag` and returns all lines up to its tagged answer, which comes last.
    pub async fn command(&mut self, tag: &str, shown: &str, command: &str) -> io::Result<Vec<String>> {
        self.transcript.client(&format!("{tag} {shown}"));
        self.send(format!("{tag} {command}\r\n").as_bytes()).await?;
        let mut lines = Vec::new();
        loop {
            let line = self.line().await?;
            self.transcript.server(&line);
            let done = line.starts_with(&format!("{tag} "));
            lines.push(line);
            if done {
                return Ok(lines);
            }
        }
    }
}

async fn timeout<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(result) => result,
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "no answer within 30 s")),
    }
}
