//! A client's connection: plain, or under TLS. Reads and writes have time limits: nobody holds a task by doing nothing.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::admission::CompressedPlace;
use crate::compress::{self, Inflated, Inflater};
use crate::tls::{self, HandshakeError};

/// A client that takes nothing for so long is gone (RFC 5321 4.5.3.2 gives it five minutes).
const WRITE_MAX: Duration = Duration::from_secs(300);
/// How long a closing side waits for the client's end of TLS.
const CLOSE_MAX: Duration = Duration::from_secs(2);

/// Compressed octets read at a time.
const COMPRESSED_OCTETS: usize = 1024;

pub enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// One of the two under DEFLATE (RFC 4978).
    Deflated(Box<Deflated>),
    /// Between the two, and after a failed handshake.
    Gone,
}

/// A stream whose octets are compressed, both ways.
pub struct Deflated {
    under: Stream,
    inflater: Inflater,
    /// Compressed connections are counted.
    _place: CompressedPlace,
}

/// What reading gave.
pub enum Read {
    Octets(usize),
    End,
    TimedOut,
}

impl Stream {
    pub fn is_tls(&self) -> bool {
        match self {
            Stream::Tls(_) => true,
            Stream::Deflated(deflated) => deflated.under.is_tls(),
            Stream::Plain(_) | Stream::Gone => false,
        }
    }

    /// Reads what is there into `buffer`, within `limit`. Cancelling loses nothing.
    pub async fn read(&mut self, buffer: &mut [u8], limit: Duration) -> Read {
        match tokio::time::timeout(limit, self.read_some(buffer)).await {
            // An end without TLS's own end is an end as well.
            Ok(Ok(0) | Err(_)) => Read::End,
            Ok(Ok(octets)) => Read::Octets(octets),
            Err(_) => Read::TimedOut,
        }
    }

    /// Reads at most `octets` into a new buffer. While nothing comes there is none: a connection may be silent for hours.
    pub async fn read_new(&mut self, octets: usize, limit: Duration) -> (Vec<u8>, Read) {
        let reading = async {
            self.ready().await?;
            let mut buffer = vec![0; octets];
            let octets = self.read_some(&mut buffer).await?;
            io::Result::Ok((buffer, octets))
        };
        match tokio::time::timeout(limit, reading).await {
            Ok(Ok((_, 0)) | Err(_)) => (Vec::new(), Read::End),
            Ok(Ok((buffer, octets))) => (buffer, Read::Octets(octets)),
            Err(_) => (Vec::new(), Read::TimedOut),
        }
    }

    /// Waits until reading may give something.
    async fn ready(&mut self) -> io::Result<()> {
        match self {
            Stream::Deflated(deflated) if !deflated.inflater.is_hungry() => Ok(()),
            Stream::Deflated(deflated) => deflated.under.ready_plain().await,
            stream => stream.ready_plain().await,
        }
    }

    async fn ready_plain(&mut self) -> io::Result<()> {
        match self {
            Stream::Plain(stream) => stream.readable().await,
            Stream::Tls(stream) => {
                let (socket, tls) = stream.get_mut();
                // What was deciphered already makes no socket readable.
                let state = tls.process_new_packets().map_err(io::Error::other)?;
                if state.plaintext_bytes_to_read() > 0 || state.peer_has_closed() {
                    return Ok(());
                }
                socket.readable().await
            }
            Stream::Deflated(_) | Stream::Gone => Ok(()),
        }
    }

    async fn read_some(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Deflated(deflated) => deflated.read(buffer).await,
            stream => stream.read_plain(buffer).await,
        }
    }

    /// Reads what came over the wire, TLS aside.
    async fn read_plain(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(stream) => stream.read(buffer).await,
            Stream::Tls(stream) => stream.read(buffer).await,
            Stream::Deflated(_) | Stream::Gone => Ok(0),
        }
    }

    /// Tells the kernel to acknowledge at once what was read. A client that writes a literal and the line's end apart
    /// holds the second back until then (RFC 1122 4.2.3.2 allows 500 ms; RFC 896), and nothing of ours goes out before.
    pub fn acknowledge(&self) {
        if let Some(socket) = self.socket() {
            // Only a matter of speed: a kernel that cannot is no slower than before.
            let _ = socket.set_quickack(true);
        }
    }

    fn socket(&self) -> Option<&TcpStream> {
        match self {
            Stream::Plain(stream) => Some(stream),
            Stream::Tls(stream) => Some(stream.get_ref().0),
            Stream::Deflated(deflated) => deflated.under.socket(),
            Stream::Gone => None,
        }
    }

    /// Writes and flushes all of `octets`, then empties it.
    pub async fn write(&mut self, octets: &mut Vec<u8>) -> io::Result<()> {
        if octets.is_empty() {
            return Ok(());
        }
        let writing = async {
            match self {
                Stream::Deflated(deflated) => {
                    let deflated_octets = compress::deflated(octets)?;
                    deflated.under.write_plain(&deflated_octets).await
                }
                stream => stream.write_plain(octets).await,
            }
        };
        let written = tokio::time::timeout(WRITE_MAX, writing).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()));
        octets.clear();
        // One long answer must not keep its memory for the hours an IMAP connection lives.
        octets.shrink_to(16 * 1024);
        written
    }

    async fn write_plain(&mut self, octets: &[u8]) -> io::Result<()> {
        match self {
            Stream::Plain(stream) => stream.write_all(octets).await,
            Stream::Tls(stream) => {
                stream.write_all(octets).await?;
                stream.flush().await
            }
            Stream::Deflated(_) | Stream::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// From here on everything is raw DEFLATE. `behind` was read already and is compressed.
    pub fn compress(&mut self, behind: Vec<u8>, place: CompressedPlace) {
        let under = std::mem::replace(self, Stream::Gone);
        *self = Stream::Deflated(Box::new(Deflated { under, inflater: Inflater::new(behind), _place: place }));
    }

    /// Negotiates TLS on a plain connection.
    pub async fn secure(&mut self, acceptor: &TlsAcceptor) -> Result<(), HandshakeError> {
        match std::mem::replace(self, Stream::Gone) {
            Stream::Plain(stream) => {
                *self = Stream::Tls(Box::new(Box::pin(tls::accept(acceptor, stream)).await?));
                Ok(())
            }
            Stream::Tls(_) | Stream::Deflated(_) | Stream::Gone => {
                Err(HandshakeError::Failed(io::ErrorKind::NotConnected.into()))
            }
        }
    }

    async fn shutdown(&mut self) -> io::Result<()> {
        let stream = match self {
            Stream::Deflated(deflated) => &mut deflated.under,
            stream => stream,
        };
        match stream {
            Stream::Plain(stream) => stream.shutdown().await,
            Stream::Tls(stream) => stream.shutdown().await,
            Stream::Deflated(_) | Stream::Gone => Ok(()),
        }
    }

    /// Says the end of the connection and lets go.
    pub async fn close(&mut self) {
        let _ = tokio::time::timeout(CLOSE_MAX, self.shutdown()).await;
        *self = Stream::Gone;
    }
}

impl Deflated {
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.inflater.inflate(buffer)? {
                Inflated::Octets(octets) => return Ok(octets),
                Inflated::End => return Ok(0),
                Inflated::Hungry => {}
            }
            self.under.ready_plain().await?;
            let mut more = vec![0; COMPRESSED_OCTETS];
            match self.under.read_plain(&mut more).await? {
                0 => return Ok(0),
                octets => self.inflater.feed(&more[..octets]),
            }
        }
    }
}
