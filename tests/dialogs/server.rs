//! The real server as the other end of a dialogue.

use std::io::ErrorKind;
use std::sync::Arc;

use rustls::ClientConfig;
use tests::Facteur;
use tests::describe::Tls;
use tests::wire::{self, Wire};

use crate::play::{Peer, play};
use crate::script::Script;

struct Connection {
    /// Nothing only while TLS is negotiated, or after that failed.
    wire: Option<Wire>,
    tls: Arc<ClientConfig>,
}

/// Plays the whole dialogue on a connection of its own.
pub fn run(server: &Facteur, script: &Script) -> Result<(), String> {
    let listener = server.describe.listener(&script.listener);
    let socket = wire::connect(listener.addr, server.describe.network(&script.from).source);
    let wire = Wire::plain(socket.map_err(|error| error.to_string())?);
    let mut connection = Connection { wire: Some(wire), tls: Arc::clone(&server.tls) };
    if listener.tls == Tls::Implicit {
        connection.tls()?;
    }
    play(&mut connection, listener.speaks == "Smtp", script)
}

impl Connection {
    fn wire(&mut self) -> Result<&mut Wire, String> {
        self.wire.as_mut().ok_or_else(|| "TLS failed".into())
    }
}

impl Peer for Connection {
    fn line(&mut self) -> Result<String, String> {
        self.wire()?.line().map_err(|error| error.to_string())
    }

    fn send(&mut self, octets: &[u8]) -> Result<(), String> {
        match self.wire()?.send(octets) {
            // A server that has had enough closes while we write; what it said is read next.
            Err(error) if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => Ok(()),
            sent => sent.map_err(|error| error.to_string()),
        }
    }

    fn tls(&mut self) -> Result<(), String> {
        let wire = self.wire.take().ok_or("TLS failed")?;
        self.wire = Some(wire.tls(&self.tls).map_err(|error| format!("TLS: {error}"))?);
        Ok(())
    }

    fn is_closed(&mut self) -> bool {
        self.wire.as_mut().is_none_or(Wire::is_closed)
    }

    fn is_silent(&mut self) -> Option<bool> {
        // The reply to the next line must match: that is when silence shows.
        None
    }
}
