//! Addresses of the site that cannot be bound: they are not on this machine yet, or somebody else has the port. A server that is to
//! keep trying serves all others meanwhile, says which are missing, and takes them as soon as it can.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

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
    fn trouble(&self, address: SocketAddr, error: io::Error) -> StartError {
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

impl Missing {
    pub fn is(&self, wanted: &Wanted, address: SocketAddr) -> bool {
        (&self.wanted, self.address) == (wanted, address)
    }
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
    /// What serves an address that was bound later, but for listeners of the plan. It goes on where the trying ends by a panic.
    served: Mutex<Vec<JoinHandle<()>>>,
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

    /// Notes an address a listener of the plan lost while plans changed, if it is to be tried again. Once.
    pub fn note(&self, name: &str, address: SocketAddr, error: &io::Error) {
        let wanted = Wanted::Listener(name.to_owned());
        let mut missing = self.lock();
        if self.keeps_trying() && !missing.iter().any(|it| it.is(&wanted, address)) {
            missing.push(Missing { wanted, address, why: error.to_string() });
        }
    }

    pub fn keeps_trying(&self) -> bool {
        self.keeps_trying.load(Ordering::Relaxed)
    }

    pub fn all(&self) -> Vec<Missing> {
        self.lock().clone()
    }

    /// How many addresses a listener of the plan lacks, of those that `is_asked`.
    pub fn count(&self, name: &str, is_asked: impl Fn(&Missing) -> bool) -> usize {
        let wanted = Wanted::Listener(name.to_owned());
        self.lock().iter().filter(|it| it.wanted == wanted && is_asked(it)).count()
    }

    /// Waits for what was bound later to end, once the server stops.
    pub async fn ended(&self) {
        let served = std::mem::take(&mut *self.served.lock().unwrap_or_else(PoisonError::into_inner));
        for task in served {
            // A task that panicked was counted; the others still have to end.
            let _ = task.await;
        }
    }

    fn serve(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.served.lock().unwrap_or_else(PoisonError::into_inner).push(tokio::spawn(work));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Missing>> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tries again until the server stops. `front` is the portal's, where there is one.
pub(crate) async fn keep(service: Arc<Service>, front: Option<Arc<Front>>, jobs: Arc<Jobs>) {
    let mut stop = service.stop.clone();
    while tokio::time::timeout(AGAIN, stopped(&mut stop)).await.is_err() {
        let unbound = &service.doors.unbound;
        if unbound.lock().is_empty() {
            continue;
        }
        // Not while another plan comes in: it may close what the one before would open.
        let _changing = service.plans.changing.lock().await;
        for missing in unbound.all() {
            match again(&service.current(), &missing, front.as_ref(), &jobs) {
                Ok(()) => unbound.lock().retain(|it| !it.is(&missing.wanted, missing.address)),
                Err(error) => tracing::debug!("still: {error}"),
            }
        }
    }
}

/// Serves an address now, or finds that nobody wants it any more.
fn again(
    service: &Arc<Service>,
    missing: &Missing,
    front: Option<&Arc<Front>>,
    jobs: &Arc<Jobs>,
) -> Result<(), StartError> {
    let Missing { wanted, address, .. } = missing;
    let is_wanted = match wanted {
        Wanted::Listener(name) => service.tables.listener(name).is_some() && !service.doors.has(name, *address),
        Wanted::Portal(_) => front.is_some(),
        Wanted::Metrics | Wanted::Control => true,
    };
    if !is_wanted {
        return Ok(());
    }
    let unbound = &service.doors.unbound;
    let socket = listen::bind(*address).map_err(|error| wanted.trouble(*address, error))?;
    match wanted {
        Wanted::Listener(name) => {
            let door = doors::facing(&service.tables, &service.certificates, name, socket)?;
            service.doors.serve(service, vec![door]);
        }
        Wanted::Portal(seen_as) => {
            let door = start::portal_door(&service.tables, &service.certificates, socket, *seen_as)?;
            if let Some(front) = front {
                unbound.serve(portal::serve(front.clone(), door));
            }
        }
        Wanted::Metrics => unbound.serve(http::serve_public(service.clone(), socket)),
        Wanted::Control => {
            let acceptor = remote::acceptor(service).map_err(StartError::Remote)?;
            unbound.serve(remote::serve(service.clone(), jobs.clone(), Arc::new(socket), acceptor));
        }
    }
    tracing::info!(listener = wanted.to_string(), %address, "it is listened on at last");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_lost_later_is_noted_once_and_only_where_it_is_tried_again() {
        let in_use = || io::Error::from(io::ErrorKind::AddrInUse);
        let (one, other) = ("192.0.2.1:25".parse().unwrap(), "192.0.2.2:25".parse().unwrap());
        let nobody_tries = Unbound::default();
        nobody_tries.note("mx", one, &in_use());
        assert_eq!(nobody_tries.count("mx", |_| true), 0);
        let unbound = Unbound::default();
        unbound.take(Binder::new(true));
        for address in [one, one, other] {
            unbound.note("mx", address, &in_use());
        }
        assert_eq!((unbound.count("mx", |_| true), unbound.count("imaps", |_| true)), (2, 0));
        assert_eq!(unbound.count("mx", |it| it.address == other), 1);
    }

    #[tokio::test]
    async fn what_was_bound_later_is_waited_for() {
        let (unbound, (say, said)) = (Unbound::default(), tokio::sync::oneshot::channel());
        let ended = Arc::new(AtomicBool::new(false));
        let seen = ended.clone();
        unbound.serve(async move {
            said.await.unwrap();
            seen.store(true, Ordering::SeqCst);
        });
        say.send(()).unwrap();
        unbound.ended().await;
        assert!(ended.load(Ordering::SeqCst));
    }
}
