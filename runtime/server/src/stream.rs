//! A client's connection: plain, or under TLS. Reads and writes have time limits: nobody holds a task by doing nothing.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::tls::{self, HandshakeError};

/// A client that takes nothing for so long is gone (RFC 5321 4.5.3.2 gives it five minutes).
const WRITE_MAX: Duration = Duration::from_secs(300);
/// How long a closing side waits for the client's end of TLS.
const CLOSE_MAX: Duration = Duration::from_secs(2);

pub enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// Between the two, and after a failed handshake.
    Gone,
}

/// What reading gave.
pub enum Read {
    Octets(usize),
    End,
    TimedOut,
}

impl Stream {
    pub fn is_tls(&self) -> bool {
        matches!(self, Stream::Tls(_))
    }

    /// Reads what is there into `buffer`, within `limit`. Cancelling loses nothing.
    pub async fn read(&mut self, buffer: &mut [u8], limit: Duration) -> Read {
        let reading = async {
            match self {
                Stream::Plain(stream) => stream.read(buffer).await,
                Stream::Tls(stream) => stream.read(buffer).await,
                Stream::Gone => Ok(0),
            }
        };
        match tokio::time::timeout(limit, reading).await {
            // An end without TLS's own end is an end as well.
            Ok(Ok(0) | Err(_)) => Read::End,
            Ok(Ok(octets)) => Read::Octets(octets),
            Err(_) => Read::TimedOut,
        }
    }

    /// Tells the kernel to acknowledge at once what was read. A client that writes a literal and the line's end apart
    /// holds the second back until then (RFC 1122 4.2.3.2 allows 500 ms; RFC 896), and nothing of ours goes out before.
    pub fn acknowledge(&self) {
        let socket = match self {
            Stream::Plain(stream) => stream,
            Stream::Tls(stream) => stream.get_ref().0,
            Stream::Gone => return,
        };
        // Only a matter of speed: a kernel that cannot is no slower than before.
        let _ = socket.set_quickack(true);
    }

    /// Writes and flushes all of `octets`, then empties it.
    pub async fn write(&mut self, octets: &mut Vec<u8>) -> io::Result<()> {
        if octets.is_empty() {
            return Ok(());
        }
        let writing = async {
            match self {
                Stream::Plain(stream) => stream.write_all(octets).await,
                Stream::Tls(stream) => {
                    stream.write_all(octets).await?;
                    stream.flush().await
                }
                Stream::Gone => Err(io::ErrorKind::NotConnected.into()),
            }
        };
        let written = tokio::time::timeout(WRITE_MAX, writing).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()));
        octets.clear();
        // One long answer must not keep its memory for the hours an IMAP connection lives.
        octets.shrink_to(16 * 1024);
        written
    }

    /// Negotiates TLS on a plain connection.
    pub async fn secure(&mut self, acceptor: &TlsAcceptor) -> Result<(), HandshakeError> {
        match std::mem::replace(self, Stream::Gone) {
            Stream::Plain(stream) => {
                *self = Stream::Tls(Box::new(Box::pin(tls::accept(acceptor, stream)).await?));
                Ok(())
            }
            Stream::Tls(_) | Stream::Gone => Err(HandshakeError::Failed(io::ErrorKind::NotConnected.into())),
        }
    }

    /// Says the end of the connection and lets go.
    pub async fn close(&mut self) {
        let closing = async {
            match self {
                Stream::Plain(stream) => stream.shutdown().await,
                Stream::Tls(stream) => stream.shutdown().await,
                Stream::Gone => Ok(()),
            }
        };
        let _ = tokio::time::timeout(CLOSE_MAX, closing).await;
        *self = Stream::Gone;
    }
}
