//! Where a scanner is reached: `host:port`, or `unix:/path` of a socket on this machine.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use crate::site::Site;

/// A connection takes at most this long to come about.
const CONNECT_MAX: Duration = Duration::from_secs(3);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Address(SocketAddr),
    Unix(PathBuf),
    /// `host:port`, looked up each time.
    Host(String),
}

/// Octets both ways, whatever carries them.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Place {
    /// What the plan writes, as this site reaches it.
    pub fn of(site: &Site, at: &str) -> Place {
        match at.strip_prefix("unix:") {
            Some(path) => Place::Unix(PathBuf::from(path)),
            None => site.host(at).map_or_else(|| Place::Host(at.to_owned()), Place::Address),
        }
    }

    pub async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        let connecting = async {
            Ok::<Box<dyn Stream>, io::Error>(match self {
                Place::Address(address) => Box::new(TcpStream::connect(address).await?),
                Place::Host(host) => Box::new(TcpStream::connect(host).await?),
                Place::Unix(path) => Box::new(UnixStream::connect(path).await?),
            })
        };
        tokio::time::timeout(CONNECT_MAX, connecting).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()))
    }
}
