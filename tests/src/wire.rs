//! A connection as a test sees it: lines and octets, plain or under TLS, from an address of its choice.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};

/// A server that says nothing for so long has failed the test.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// A line longer than this is no line a server of ours sends.
const LINE_OCTETS_MAX: usize = 1 << 20;

/// A client's trust in the certificate in this PEM file alone.
pub fn trusting(ca: &Path) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(ca).unwrap_or_else(|error| panic!("{}: {error}", ca.display()));
    for certificate in certificates {
        let certificate = certificate.unwrap_or_else(|error| panic!("{}: {error}", ca.display()));
        roots.add(certificate).unwrap_or_else(|error| panic!("{}: {error}", ca.display()));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Arc::new(builder.expect("ring knows TLS 1.2 and 1.3").with_root_certificates(roots).with_no_client_auth())
}

/// A connection from `source`, which stands for a network of the policy.
pub fn connect(to: SocketAddr, source: Ipv4Addr) -> io::Result<TcpStream> {
    let SocketAddr::V4(to) = to else {
        return Err(io::Error::new(io::ErrorKind::Unsupported, "try listens on 127.0.0.1"));
    };
    let socket = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    rustix::net::bind(&socket, &SocketAddrV4::new(source, 0))?;
    rustix::net::connect(&socket, &to)?;
    let stream = TcpStream::from(socket);
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(SILENCE_MAX))?;
    stream.set_write_timeout(Some(SILENCE_MAX))?;
    Ok(stream)
}

/// Asks for as many open files as this process may have: a flood holds more than the usual thousand.
pub fn many_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // Where it is refused the flood says which connection could not be made.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// A connection that reads lines.
pub struct Wire {
    stream: Stream,
    /// Octets read and not yet asked for.
    waiting: Vec<u8>,
}

impl Wire {
    pub fn plain(stream: TcpStream) -> Wire {
        Wire { stream: Stream::Plain(stream), waiting: Vec::new() }
    }

    /// The same connection under TLS from here on. Nothing may wait to be read: that would be injection.
    pub fn tls(self, config: &Arc<ClientConfig>) -> io::Result<Wire> {
        let Stream::Plain(mut socket) = self.stream else {
            return Err(io::Error::other("TLS inside TLS"));
        };
        if !self.waiting.is_empty() {
            return Err(io::Error::other("octets before the handshake"));
        }
        let name = ServerName::IpAddress(socket.peer_addr()?.ip().into());
        let mut connection = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
        while connection.is_handshaking() {
            connection.complete_io(&mut socket)?;
        }
        Ok(Wire { stream: Stream::Tls(Box::new(StreamOwned::new(connection, socket))), waiting: Vec::new() })
    }

    pub fn is_tls(&self) -> bool {
        matches!(self.stream, Stream::Tls(_))
    }

    /// `tls-exporter` of this connection (RFC 9266).
    pub fn exported(&self) -> io::Result<[u8; 32]> {
        let Stream::Tls(stream) = &self.stream else { return Err(io::Error::other("no TLS")) };
        let exported = stream.conn.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b""));
        exported.map_err(io::Error::other)
    }

    /// The socket underneath.
    pub fn socket(&self) -> &TcpStream {
        match &self.stream {
            Stream::Plain(socket) => socket,
            Stream::Tls(stream) => &stream.sock,
        }
    }

    pub fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            Stream::Plain(stream) => stream.write_all(octets),
            Stream::Tls(stream) => stream.write_all(octets).and_then(|()| stream.flush()),
        }
    }

    /// One line without its CR LF.
    pub fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(at) = self.waiting.iter().position(|octet| *octet == b'\n') {
                let line: Vec<u8> = self.waiting.drain(..=at).collect();
                let line = line.strip_suffix(b"\r\n").ok_or_else(|| io::Error::other("a bare LF from the server"))?;
                return String::from_utf8(line.to_vec()).map_err(io::Error::other);
            }
            if self.waiting.len() > LINE_OCTETS_MAX {
                return Err(io::Error::other("an endless line from the server"));
            }
            self.more()?;
        }
    }

    /// So many octets exactly.
    pub fn octets(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.waiting.len() < count {
            self.more()?;
        }
        Ok(self.waiting.drain(..count).collect())
    }

    /// Whether the server has closed: nothing waits and nothing comes.
    pub fn is_closed(&mut self) -> bool {
        self.waiting.is_empty() && self.more().is_err_and(|error| error.kind() != io::ErrorKind::WouldBlock)
    }

    fn more(&mut self) -> io::Result<()> {
        let mut octets = [0; 16 * 1024];
        let read = match &mut self.stream {
            Stream::Plain(stream) => stream.read(&mut octets)?,
            Stream::Tls(stream) => read_only(stream, &mut octets)?,
        };
        if read == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection"));
        }
        self.waiting.extend_from_slice(&octets[..read]);
        Ok(())
    }
}

/// Reads without writing what still waits to be written: a server that has had enough says why before it closes, and
/// that must be heard when it no longer listens.
fn read_only(stream: &mut StreamOwned<ClientConnection, TcpStream>, octets: &mut [u8]) -> io::Result<usize> {
    loop {
        match stream.conn.reader().read(octets) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            read => return read,
        }
        if stream.conn.read_tls(&mut stream.sock)? == 0 {
            return Ok(0);
        }
        stream.conn.process_new_packets().map_err(io::Error::other)?;
    }
}
