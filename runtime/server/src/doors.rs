//! Listeners that are open: each is opened, closed and drained by itself while the others go on.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use decide::Tables;
use plan::TlsMode;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::certificates::Shelf;
use crate::listen::{self, Door};
use crate::service::Service;
use crate::site::Site;
use crate::start::{self, StartError};
use crate::tls;
use crate::unbound::{Binder, Unbound, Wanted};

/// All of them.
#[derive(Default)]
pub(crate) struct Doors {
    open: Mutex<BTreeMap<String, Vec<Opened>>>,
    /// Closed, with connections that go on for a while.
    draining: Mutex<Vec<JoinHandle<()>>>,
    pub unbound: Unbound,
}

struct Opened {
    address: Option<SocketAddr>,
    /// Asks for the socket back; the task then only drains.
    close: oneshot::Sender<oneshot::Sender<TcpListener>>,
    task: JoinHandle<()>,
}

/// What a listener is on this site, under a plan.
///
/// # Errors
/// The plan has none of this name, or its certificate is of no use.
pub(crate) fn facing(tables: &Tables, shelf: &Shelf, name: &str, socket: TcpListener) -> Result<Door, StartError> {
    let Some(id) = tables.listener(name) else { return Err(StartError::UnknownListeners(vec![name.to_owned()])) };
    let rules = tables.listener_rules(id);
    let acceptor = match rules.tls {
        TlsMode::None => None,
        TlsMode::Offered | TlsMode::Required | TlsMode::Implicit => Some(
            tls::Acceptor::new(tables.plan().tls.oldest, shelf.of(name))
                .map_err(|error| StartError::Tls { listener: name.to_owned(), error })?,
        ),
    };
    let (name, speaks, tls) = (name.to_owned(), rules.speaks, rules.tls);
    Ok(Door { name, speaks, tls, acceptor, socket })
}

/// Binds a listener wherever the site gives it an address. Nothing is accepted yet.
///
/// # Errors
/// An address that cannot be bound and is not tried again, or a certificate that is of no use.
pub(crate) fn bind(
    tables: &Tables,
    site: &Site,
    shelf: &Shelf,
    name: &str,
    binder: &mut Binder,
) -> Result<Vec<Door>, StartError> {
    let addresses = site.listeners.get(name).map(Vec::as_slice).unwrap_or_default();
    if addresses.is_empty() {
        tracing::warn!(listener = name, "the site gives no address: it does not listen");
    }
    let mut doors = Vec::new();
    for address in addresses {
        if let Some(socket) = binder.bind(Wanted::Listener(name.to_owned()), *address)? {
            doors.push(facing(tables, shelf, name, socket)?);
        }
    }
    Ok(doors)
}

impl Doors {
    /// Serves bound doors, and says where they are.
    pub fn serve(&self, service: &Arc<Service>, doors: Vec<Door>) -> Vec<SocketAddr> {
        let mut addresses = Vec::new();
        for door in doors {
            let (name, address) = (door.name.clone(), door.socket.local_addr().ok());
            let (close, closing) = oneshot::channel();
            let task = tokio::spawn(listen::serve(service.clone(), door, closing));
            addresses.extend(address);
            self.open().entry(name).or_default().push(Opened { address, close, task });
        }
        addresses
    }

    /// Closes a listener and hands its sockets over; its connections go on for a while.
    pub async fn close(&self, name: &str) -> Vec<TcpListener> {
        let opened = self.open().remove(name).unwrap_or_default();
        let mut sockets = Vec::new();
        for Opened { close, task, .. } in opened {
            let (give, given) = oneshot::channel();
            // One that ended has no socket any more.
            if close.send(give).is_ok() {
                sockets.extend(given.await);
            }
            let mut draining = self.draining.lock().unwrap_or_else(PoisonError::into_inner);
            draining.retain(|task| !task.is_finished());
            draining.push(task);
        }
        sockets
    }

    /// Serves these sockets again, as what a plan says the listener is, and binds those that were lost on the way. What cannot be
    /// bound is tried again, if this server does that.
    ///
    /// # Errors
    /// As [`bind`]; the last one. The others are served.
    pub fn reopen(&self, service: &Arc<Service>, name: &str, sockets: Vec<TcpListener>) -> Result<(), StartError> {
        let given = service.site.listeners.get(name).map(Vec::as_slice).unwrap_or_default();
        let lost = given.len().saturating_sub(sockets.len());
        let is_bound = |address: &SocketAddr| sockets.iter().any(|socket| socket.local_addr().ok() == Some(*address));
        let lost: Vec<SocketAddr> = given.iter().filter(|it| !is_bound(it)).take(lost).copied().collect();
        let bad = |address, error| {
            self.unbound.note(name, address, &error);
            StartError::Bind { listener: name.to_owned(), address, error }
        };
        let again = lost.into_iter().map(|address| listen::bind(address).map_err(|error| bad(address, error)));
        let (mut doors, mut trouble) = (Vec::new(), Ok(()));
        for socket in sockets.into_iter().map(Ok).chain(again) {
            match socket.and_then(|socket| facing(&service.tables, &service.certificates, name, socket)) {
                Ok(door) => doors.push(door),
                Err(error) => trouble = Err(error),
            }
        }
        self.serve(service, doors);
        trouble
    }

    /// Where each listener is open.
    pub fn listening(&self) -> BTreeMap<String, Vec<SocketAddr>> {
        let open = self.open();
        open.iter().map(|(name, all)| (name.clone(), all.iter().filter_map(|it| it.address).collect())).collect()
    }

    /// Listeners of a plan that should accept connections at each address of the site, and do not. Those that wait for health are
    /// none of them. `borne` says how many addresses a listener may lack.
    pub fn down(&self, service: &Service, borne: impl Fn(&str) -> usize) -> Vec<String> {
        let waiting = start::still_waiting(service);
        let open = self.open();
        let is_down = |name: &str| {
            let wanted = service.site.listeners.get(name).map_or(0, Vec::len);
            let all = open.get(name).map(Vec::as_slice).unwrap_or_default();
            all.iter().filter(|it| !it.task.is_finished()).count() + borne(name) < wanted
        };
        let names = service.tables.listeners().map(|(_, name, _)| name.to_owned());
        names.filter(|name| !waiting.contains(name) && is_down(name)).collect()
    }

    /// Is it open at this address?
    pub fn has(&self, name: &str, address: SocketAddr) -> bool {
        self.open().get(name).is_some_and(|all| all.iter().any(|it| it.address == Some(address)))
    }

    /// Waits for all of them to end, once the server stops.
    pub async fn ended(&self) {
        let open = std::mem::take(&mut *self.open());
        let draining = std::mem::take(&mut *self.draining.lock().unwrap_or_else(PoisonError::into_inner));
        for task in open.into_values().flatten().map(|it| it.task).chain(draining) {
            // A task that panicked was counted; the others still have to end.
            let _ = task.await;
        }
        self.unbound.ended().await;
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<String, Vec<Opened>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
