//! One connection to a directory server: TLS from the first octet or after StartTLS (RFC 4511 4.14), then a bind.
//!
//! TLS is ours, with our authorities. What the server sends goes through `frame` before the library reads it.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::sync::Arc;
use std::time::Duration;

use ldap3::{LdapConnAsync, LdapConnSettings, StdStream};
use plan::LdapTls;
use proto::sasl::Secret;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use super::frame::{self, Unsound};

/// Connection, TLS and bind together.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// An answer to a bind.
pub const BIND_MAX: Duration = Duration::from_secs(5);
/// ExtendedRequest 1.3.6.1.4.1.1466.20037 under the id 1.
const START_TLS: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
const PIECE: usize = 16 * 1024;

/// Result codes (RFC 4511 appendix A).
pub const SUCCESS: u32 = 0;
pub const SIZE_LIMIT_EXCEEDED: u32 = 4;
pub const NO_SUCH_OBJECT: u32 = 32;
pub const INVALID_CREDENTIALS: u32 = 49;

/// How one server of the plan is reached.
#[derive(Clone, Debug)]
pub struct Reach {
    pub host: String,
    pub port: u16,
    pub tls: LdapTls,
    /// Where the site says the host is; `None` asks the system.
    pub at: Option<SocketAddr>,
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Why a server cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    Connect(String),
    TimedOut(&'static str),
    Tls(String),
    /// The server does not know us under the name of the plan.
    Bind(String),
    /// It answered with this code, and what it said.
    Code(u32, String),
    Broken(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Connect(why) => write!(f, "no connection: {why}"),
            Fault::TimedOut(what) => write!(f, "no {what} in time"),
            Fault::Tls(why) => write!(f, "TLS: {why}"),
            Fault::Bind(why) => write!(f, "it does not take our name and password: {why}"),
            Fault::Code(code, said) => write!(f, "it answers with code {code}: {said}"),
            Fault::Broken(why) => write!(f, "the connection broke: {why}"),
        }
    }
}

/// What a server said, for a line: without control characters, and not too long.
pub fn line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

impl From<ldap3::LdapError> for Fault {
    fn from(error: ldap3::LdapError) -> Fault {
        match error {
            ldap3::LdapError::Timeout { .. } => Fault::TimedOut("answer"),
            ldap3::LdapError::LdapResult { result } => Fault::Code(result.rc, line(&result.text)),
            other => Fault::Broken(other.to_string()),
        }
    }
}

/// TLS as a client of servers that `roots` vouch for.
pub fn tls(roots: Arc<RootCertStore>) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

/// Connects, without a bind. The handle is closed when the connection is.
pub async fn connect(reach: &Reach, tls: &Arc<ClientConfig>) -> Result<ldap3::Ldap, Fault> {
    tokio::time::timeout(CONNECT_MAX, connected(reach, tls)).await.unwrap_or(Err(Fault::TimedOut("connection")))
}

/// Binds as somebody (RFC 4513 5.1.3). An empty secret would be nobody's bind that succeeds: it is never sent.
pub async fn bind(ldap: &mut ldap3::Ldap, dn: &str, secret: &Secret) -> Result<u32, Fault> {
    if dn.is_empty() || secret.reveal().is_empty() {
        return Ok(INVALID_CREDENTIALS);
    }
    Ok(ldap.with_timeout(BIND_MAX).simple_bind(dn, secret.reveal()).await?.rc)
}

async fn connected(reach: &Reach, tls: &Arc<ClientConfig>) -> Result<ldap3::Ldap, Fault> {
    let mut stream = tcp(reach).await.map_err(|error| Fault::Connect(error.to_string()))?;
    // What is small is asked for often: it goes at once.
    let _ = stream.set_nodelay(true);
    if reach.tls == LdapTls::StartTls {
        start_tls(&mut stream).await?;
    }
    let host = reach.host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(host).map_err(|error| Fault::Tls(error.to_string()))?;
    let stream = TlsConnector::from(tls.clone()).connect(name, stream).await;
    let stream = stream.map_err(|error| Fault::Tls(error.to_string()))?;
    let broken = |error: io::Error| Fault::Broken(error.to_string());
    let (ours, theirs) = StdUnixStream::pair().map_err(broken)?;
    ours.set_nonblocking(true).map_err(broken)?;
    let ours = UnixStream::from_std(ours).map_err(broken)?;
    let settings = LdapConnSettings::new().set_std_stream(StdStream::Unix(theirs));
    let (driver, ldap) = LdapConnAsync::with_settings(settings, "ldapi:///").await?;
    tokio::spawn(async move {
        if let Err(error) = driver.drive().await {
            tracing::debug!("a connection to a directory server ended: {error}");
        }
    });
    let name = reach.to_string();
    tokio::spawn(async move {
        if let Err(error) = carry(stream, ours).await {
            tracing::warn!(server = name, "a connection to a directory server is given up: {error}");
        }
    });
    Ok(ldap)
}

async fn tcp(reach: &Reach) -> io::Result<TcpStream> {
    if let Some(at) = reach.at {
        return TcpStream::connect(at).await;
    }
    let host = reach.host.trim_start_matches('[').trim_end_matches(']');
    TcpStream::connect((host, reach.port)).await
}

/// What the server says before TLS is one answer and nothing else: whatever stands behind it could be anybody's.
async fn start_tls(stream: &mut TcpStream) -> Result<(), Fault> {
    let broken = |error: io::Error| Fault::Broken(error.to_string());
    stream.write_all(START_TLS).await.map_err(broken)?;
    let mut answer = Vec::new();
    loop {
        match frame::whole(&answer).map_err(|unsound| Fault::Broken(unsound.to_string()))? {
            Some(all) if all == answer.len() => break,
            Some(_) => return Err(Fault::Tls("it says more than its answer before TLS".to_owned())),
            None if stream.read_buf(&mut answer).await.map_err(broken)? == 0 => {
                return Err(Fault::Broken("it closed".to_owned()));
            }
            None => {}
        }
    }
    match frame::result_code(&answer) {
        Some(SUCCESS) => Ok(()),
        code => Err(Fault::Tls(format!("it refuses StartTLS (code {})", code.unwrap_or_default()))),
    }
}

/// Carries octets both ways until one side ends, whole sound messages only towards us.
async fn carry<S: AsyncRead + AsyncWrite>(server: S, ours: UnixStream) -> io::Result<()> {
    let (mut from_server, mut to_server) = tokio::io::split(server);
    let (mut from_us, mut to_us) = ours.into_split();
    let up = async {
        tokio::io::copy(&mut from_us, &mut to_server).await?;
        to_server.shutdown().await
    };
    let down = async {
        let mut octets = Vec::with_capacity(PIECE);
        loop {
            let mut sent = 0;
            while let Some(all) = frame::whole(&octets[sent..]).map_err(unsound)? {
                sent += all;
            }
            to_us.write_all(&octets[..sent]).await?;
            octets.drain(..sent);
            if from_server.read_buf(&mut octets).await? == 0 {
                return Ok(());
            }
        }
    };
    // Whoever ends first ends it: the library hears the end of its stream.
    tokio::select! {
        ended = up => ended.or_else(is_end),
        ended = down => ended.or_else(is_end),
    }
}

fn unsound(unsound: Unsound) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, unsound.to_string())
}

/// A server that goes away says nothing that has to be told.
fn is_end(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::InvalidData { Err(error) } else { Ok(()) }
}
