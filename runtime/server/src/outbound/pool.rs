//! Connections to next hops between two messages: kept a little while, a few messages each, bounded in number.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::handover::Connection;
use crate::service::{Service, stopped};
use crate::world::assure::Assurance;

/// A connection without a message is closed after this: other servers want their places back.
const IDLE_MAX: Duration = Duration::from_secs(8);
/// Looks for such connections.
const SWEEP_EVERY: Duration = Duration::from_secs(2);
/// Messages of one connection.
pub const MESSAGES_MAX: u32 = 100;
/// Connections kept in all.
const KEPT_MAX: usize = 256;

/// Connections with the same key are as good as each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub address: SocketAddr,
    /// The name its certificate was looked at for.
    pub tls_name: String,
    /// The second name.
    pub also: Option<String>,
    pub sources: Vec<IpAddr>,
    pub assurance: Assurance,
    pub lmtp: bool,
    pub login: bool,
}

struct Idle {
    key: Key,
    connection: Connection,
    since: Instant,
}

/// The connections of one server.
#[derive(Default)]
pub struct Pool {
    idle: Mutex<Vec<Idle>>,
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The one that was used last, so that the others may go.
    pub fn take(&self, key: &Key) -> Option<Connection> {
        let mut idle = self.lock();
        let place = idle.iter().rposition(|one| one.key == *key && one.since.elapsed() < IDLE_MAX)?;
        Some(idle.remove(place).connection)
    }

    /// Keeps it, or gives back one that has to go.
    pub fn put(&self, key: Key, connection: Connection) -> Option<Connection> {
        if connection.messages >= MESSAGES_MAX {
            return Some(connection);
        }
        let mut idle = self.lock();
        let oldest = (idle.len() >= KEPT_MAX).then(|| idle.remove(0).connection);
        idle.push(Idle { key, connection, since: Instant::now() });
        oldest
    }

    fn too_old(&self) -> Vec<Connection> {
        let mut idle = self.lock();
        idle.extract_if(.., |one| one.since.elapsed() >= IDLE_MAX).map(|one| one.connection).collect()
    }

    fn all(&self) -> Vec<Connection> {
        self.lock().drain(..).map(|one| one.connection).collect()
    }
}

/// Closes what nobody uses, until the server stops.
pub async fn keep(service: Arc<Service>) {
    let mut stop = service.stop.clone();
    loop {
        tokio::select! {
            () = stopped(&mut stop) => break,
            () = tokio::time::sleep(SWEEP_EVERY) => {}
        }
        for connection in service.pool.too_old() {
            tokio::spawn(connection.quit());
        }
    }
    for connection in service.pool.all() {
        tokio::spawn(connection.quit());
    }
}
