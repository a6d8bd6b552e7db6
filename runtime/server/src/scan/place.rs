//! Where an engine is reached, and the connection to it.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use crate::site::Site;

const CONNECT_MAX: Duration = Duration::from_secs(3);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Address(SocketAddr),
    Unix(PathBuf),
    /// `host:port`, looked up each time.
    Host(String),
}

/// A connection of either kind.
pub trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

impl Place {
    /// `host:port` or `unix:/path` of the plan, by the site's host table.
    pub fn of(at: &str, site: &Site) -> Place {
        match at.strip_prefix("unix:") {
            Some(path) => Place::Unix(PathBuf::from(path)),
            None => site.host(at).map_or_else(|| Place::Host(at.to_owned()), Place::Address),
        }
    }

    pub async fn connect(&self) -> io::Result<Box<dyn Wire>> {
        let connecting = async {
            Ok::<Box<dyn Wire>, io::Error>(match self {
                Place::Address(address) => Box::new(without_delay(TcpStream::connect(address).await?)?),
                Place::Host(host) => Box::new(without_delay(TcpStream::connect(host).await?)?),
                Place::Unix(path) => Box::new(UnixStream::connect(path).await?),
            })
        };
        tokio::time::timeout(CONNECT_MAX, connecting).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()))
    }
}

fn without_delay(stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_nodelay(true)?;
    Ok(stream)
}
