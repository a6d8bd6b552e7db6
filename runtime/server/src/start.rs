//! Starting and stopping.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The server; see `start`.
pub struct Server;

/// A server that runs. Dropping it stops nothing: call `shutdown`.
pub struct Running {
    pub listeners: BTreeMap<String, Vec<SocketAddr>>,
    pub http: Option<SocketAddr>,
    pub control: PathBuf,
}

/// Why a server does not start.
#[derive(Debug)]
pub enum StartError {
    Bind { listener: String, address: SocketAddr, error: std::io::Error },
    Control { path: PathBuf, error: std::io::Error },
    Tls { listener: String, error: rustls::Error },
    Unserved(Vec<String>),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Bind { listener, address, error } => write!(f, "listener {listener} cannot bind {address}: {error}"),
            StartError::Control { path, error } => write!(f, "{}: {error}", path.display()),
            StartError::Tls { listener, error } => write!(f, "TLS of listener {listener}: {error}"),
            StartError::Unserved(lines) => write!(f, "this plan cannot be served: {}", lines.join("; ")),
        }
    }
}

impl std::error::Error for StartError {}
