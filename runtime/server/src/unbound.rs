//! Addresses of the site that cannot be bound: they are not on this machine yet, or somebody else has the port. A server that is to
//! keep trying serves all others meanwhile, says which are missing, and takes them as soon as it can.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::operate::jobs::Jobs;
use crate::portal::{self, Front};
use crate::service::{Service, stopped};
use crate::site::PORTAL;
use crate::start::{self, StartError};
use crate::{doors, http, listen, remote};

/// Between two tries.
const AGAIN: Duration = Duration::from_secs(5);

/// Who would listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// One of the plan, by name.
    Listener(String),
    /// With where browsers see it.
    Portal(Option<IpAddr>),
    Metrics,
    Control,
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Wanted::Listener(name) => name,
            Wanted::Portal(_) => PORTAL,
            Wanted::Metrics => "metrics",
            Wanted::Control => "control",
        })
    }
}

impl Wanted {
    fn trouble(self, address: SocketAddr, error: io::Error) -> StartError {
        match self {
            Wanted::Metrics => StartError::Http { address, error },
            Wanted::Listener(_) | Wanted::Portal(_) | Wanted::Control => {
                StartError::Bind { listener: self.to_string(), address, error }
            }
        }
    }
}

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct Missing {
    pub wanted: Wanted,
    pub address: SocketAddr,
    pub why: String,
}

/// Binds what is asked, and knows what becomes of what cannot be bound.
pub(crate) struct Binder {
    keeps_trying: bool,
    missing: Vec<Missing>,
}

impl Binder {
    pub fn new(keeps_trying: bool) -> Binder {
        Binder { keeps_trying, missing: Vec::new() }
    }

    /// `None` for an address that is tried again later.
    ///
    /// # Errors
    /// It cannot be bound, and nobody tries again.
    pub fn bind(&mut self, wanted: Wanted, address: SocketAddr) -> Result<Option<TcpListener>, StartError> {
        match listen::bind(address) {
            Ok(socket) => Ok(Some(socket)),
            Err(error) if self.keeps_trying => {
                tracing::error!(listener = wanted.to_string(), %address, "it cannot be listened on, and is tried again: {error}");
                self.missing.push(Missing { wanted, address, why: error.to_string() });
                Ok(None)
            }
            Err(error) => Err(wanted.trouble(address, error)),
        }
    }
}

/// What a running server could not bind.
#[derive(Default)]
pub(crate) struct Unbound {
    keeps_trying: AtomicBool,
    missing: Mutex<Vec<Missing>>,
}

impl Unbound {
    /// Takes over what a binder found.
    pub fn take(&self, binder: Binder) {
        let Binder { keeps_trying, missing } = binder;
        self.keeps_trying.store(keeps_trying, Ordering::Relaxed);
        self.lock().extend(missing);
    }

    /// And what one found later.
    pub fn add(&self, binder: Binder) {
        self.lock().extend(binder.missing);
    }

    pub fn keeps_trying(&self) -> bool {
        self.keeps_trying.load(Ordering::Relaxed)
    }

    pub fn all(&self) -> Vec<Missing> {
        self.lock().clone()
    }

    /// Does this listener of the plan lack an address?
    pub fn lacks(&self, name: &str) -> bool {
        self.lock().iter().any(|it| it.wanted == Wanted::Listener(name.to_owned()))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Missing>> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tries again until the server stops. `front` is the portal's, where there is one.
pub(crate) async fn keep(service: Arc<Service>, front: Option<Arc<Front>>, jobs: Arc<Jobs>) {
    let mut stop = service.stop.clone();
    let mut served = JoinSet::new();
    while tokio::time::timeout(AGAIN, stopped(&mut stop)).await.is_err() {
        let unbound = &service.doors.unbound;
        for missing in unbound.all() {
            match again(&service.current(), &missing, front.as_ref(), &jobs, &mut served) {
                Ok(()) => unbound.lock().retain(|it| (&it.wanted, it.address) != (&missing.wanted, missing.address)),
                Err(error) => tracing::debug!("still: {error}"),
            }
        }
    }
    while served.join_next().await.is_some() {}
}

/// Serves an address now, or finds that nobody wants it any more.
fn again(
    service: &Arc<Service>,
    missing: &Missing,
    front: Option<&Arc<Front>>,
    jobs: &Arc<Jobs>,
    served: &mut JoinSet<()>,
) -> Result<(), StartError> {
    let Missing { wanted, address, .. } = missing;
    if let Wanted::Listener(name) = wanted
        && (service.tables.listener(name).is_none() || service.doors.has(name, *address))
    {
        return Ok(());
    }
    let socket = listen::bind(*address).map_err(|error| wanted.clone().trouble(*address, error))?;
    match wanted {
        Wanted::Listener(name) => {
            let door = doors::facing(&service.tables, &service.certificates, name, socket)?;
            service.doors.serve(service, vec![door]);
        }
        Wanted::Portal(seen_as) => {
            let door = start::portal_door(&service.tables, &service.certificates, socket, *seen_as)?;
            if let Some(front) = front {
                served.spawn(portal::serve(front.clone(), door));
            }
        }
        Wanted::Metrics => {
            served.spawn(http::serve_public(service.clone(), socket));
        }
        Wanted::Control => {
            let acceptor = remote::acceptor(service).map_err(StartError::Remote)?;
            served.spawn(remote::serve(service.clone(), jobs.clone(), Arc::new(socket), acceptor));
        }
    }
    tracing::info!(listener = wanted.to_string(), %address, "it is listened on at last");
    Ok(())
}
