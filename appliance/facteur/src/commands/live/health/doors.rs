//! What a client of this machine's own listeners hears.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use server::operate::ProbeLogin;

use super::super::own_listener::{any_certificate, reachable};

/// Longest line of an answer.
const LINE_OCTETS_MAX: usize = 8 * 1024;
/// Lines of one answer.
const LINES_MAX: usize = 100;

trait Wire: Read + Write {}
impl<T: Read + Write> Wire for T {}

/// The code of the greeting: 220, or 554 where the policy takes no mail from this machine.
pub fn greeting(address: &str, tls: bool, until: Instant) -> io::Result<String> {
    let mut wire = connect(address, tls, until)?;
    let line = line(&mut wire)?;
    // The session ends as its protocol wants; what is answered to that is no matter.
    let _ = wire.write_all(b"QUIT\r\n").and_then(|()| wire.flush());
    let code = line.get(..3).unwrap_or_default().to_owned();
    match code.as_str() {
        "220" | "554" => Ok(code),
        _ => Err(io::Error::other(format!("it greets with: {line}"))),
    }
}

/// Logs in over IMAP as nobody can, and hears the word of the server that did all of it.
pub fn login(address: &str, probe: &ProbeLogin, until: Instant) -> io::Result<String> {
    let mut wire = connect(address, true, until)?;
    let greeting = line(&mut wire)?;
    if greeting.starts_with("* BYE") {
        return Ok("turns this machine away, as the policy says".to_owned());
    }
    if !greeting.starts_with("* OK") {
        return Err(io::Error::other(format!("it greets with: {greeting}")));
    }
    write!(wire, "a LOGIN {} {}\r\n", probe.login, probe.secret)?;
    wire.flush()?;
    let answer = tagged(&mut wire)?;
    let _ = wire.write_all(b"b LOGOUT\r\n").and_then(|()| wire.flush());
    if answer.contains(&probe.word) {
        return Ok("a login goes the whole way".to_owned());
    }
    if answer.starts_with("a NO [PRIVACYREQUIRED]") {
        return Ok("nobody logs in from this machine, as the policy says".to_owned());
    }
    Err(io::Error::other(format!("a login is answered with: {answer}")))
}

/// The line that ends a command.
fn tagged(wire: &mut Box<dyn Wire>) -> io::Result<String> {
    for _ in 0..LINES_MAX {
        let line = line(wire)?;
        if line.starts_with("a ") || line.starts_with("* BYE") {
            return Ok(line);
        }
    }
    Err(io::Error::other("the answer does not end"))
}

fn line(wire: &mut Box<dyn Wire>) -> io::Result<String> {
    let mut octets = Vec::new();
    let mut octet = [0];
    while octets.len() < LINE_OCTETS_MAX {
        if wire.read(&mut octet)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if octet[0] == b'\n' {
            return Ok(String::from_utf8_lossy(octets.trim_ascii_end()).into_owned());
        }
        octets.push(octet[0]);
    }
    Err(io::Error::other("a line is too long"))
}

fn connect(address: &str, tls: bool, until: Instant) -> io::Result<Box<dyn Wire>> {
    let address: SocketAddr = address.parse().map_err(io::Error::other)?;
    let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
    let stream = TcpStream::connect_timeout(&reachable(address), left)?;
    stream.set_read_timeout(Some(left))?;
    stream.set_write_timeout(Some(left))?;
    if !tls {
        return Ok(Box::new(stream));
    }
    let config = any_certificate()?;
    let name = ServerName::IpAddress(address.ip().into());
    let session = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    Ok(Box::new(StreamOwned::new(session, stream)))
}
