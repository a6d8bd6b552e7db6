//! Starting and stopping.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use decide::{Rings, Tables, Tick};
use plan::{BackupTo, ListenerAuth, PlanHash, ReceptionStep, SendingStep};
use store::{Op, ReadError, Store};
use tokio::sync::{Semaphore, broadcast, watch};
use tokio::task::JoinHandle;

use crate::admission::Admission;
use crate::authenticate::Resolver;
use crate::blocks::Blocks;
use crate::certificates::{NoCertificate, Shelf};
use crate::clock::{self, Clock};
use crate::compromise::Compromise;
use crate::content::Held;
use crate::directory::Directory;
use crate::ldap::Ldap;
use crate::listen::Door;
use crate::metrics::{self, Metrics};
use crate::operate::jobs::Jobs;
use crate::outcome::Outcome;
use crate::passwords::kept::{self, LoadError};
use crate::plans::found::{self, Begun};
use crate::plans::slots::Slots;
use crate::plans::{PlanState, trial};
use crate::records::Records;
use crate::redirects::Redirects;
use crate::service::{OUTCOMES_KEPT, Service};
use crate::signing::{Seal, Signing};
use crate::site::{Outbound, PORTAL, PortalAddress, Site};
use crate::spam::Spam;
use crate::standing::Standings;
use crate::unbound::{self, Binder, Wanted};
use crate::verifier::Making;
use crate::world::SMTP;
use crate::world::World;
use crate::{
    accesses, control, decisions, doors, http, logs, loops, operate, outbound, portal, quarantine, random, remote,
    rings, scan, sealed_secrets, standing, tls, verifying, vitals,
};

/// Long contents read whole at a time.
const LONG_CONTENTS_MAX: usize = 4;
/// The setting that keeps the store's epoch, in Unix seconds as eight octets.
const EPOCH: &str = "clock.epoch_s";
/// The setting that keeps the key of rewritten reverse-paths, sealed.
const SRS_KEY: &str = "srs.key";
/// The setting that keeps the key of the salts of logins nobody has, 32 octets.
const NOBODYS_SALTS: &str = "logins.nobodys_salts";
/// The setting that keeps the key of whom people wrote to, 32 octets.
const KNOWN_KEY: &str = "compromise.known_key";
/// How long the last records may take at the end.
const RECORDS_MAX: Duration = Duration::from_secs(5);

/// The server; see `start`.
pub struct Server;

/// A server that runs. Dropping it stops nothing: call `shutdown`.
pub struct Running {
    /// Addresses that listen, by listener; ports are those the kernel chose.
    pub listeners: BTreeMap<String, Vec<SocketAddr>>,
    /// Where `/metrics` and `/healthz` are.
    pub http: Option<SocketAddr>,
    /// Where the portal is, in the order of the site.
    pub portal: Vec<SocketAddr>,
    /// Where operators of other machines are listened to.
    pub remote: Option<SocketAddr>,
    pub control: PathBuf,
    service: Arc<Service>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    records: JoinHandle<()>,
    /// Log lines on their way to a syslog server.
    syslog: JoinHandle<()>,
}

/// Why a server does not start.
#[derive(Debug)]
pub enum StartError {
    /// The plan asks for what this build does not do; serving it would break its promises.
    Unserved(Vec<String>),
    /// The site names listeners the plan does not have.
    UnknownListeners(Vec<String>),
    TimeZone(String),
    /// The key of what the store keeps sealed.
    Seal(std::io::Error),
    /// The site's view of DNS.
    World(String),
    /// The directory server of the plan.
    Ldap(String),
    Certificate(NoCertificate),
    Bind {
        listener: String,
        address: SocketAddr,
        error: std::io::Error,
    },
    Http {
        address: SocketAddr,
        error: std::io::Error,
    },
    Control {
        path: PathBuf,
        error: std::io::Error,
    },
    /// The control channel.
    Remote(operate::OperateError),
    Tls {
        listener: String,
        error: rustls::Error,
    },
    Read(ReadError),
    Commit(store::CommitError),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Unserved(lines) => write!(f, "this plan cannot be served: {}", lines.join("; ")),
            StartError::UnknownListeners(names) => write!(f, "the plan has no listener {}", names.join(", ")),
            StartError::TimeZone(name) => write!(f, "no time zone is called {name}"),
            StartError::Seal(error) => write!(f, "seal.key in the data folder: {error}"),
            StartError::World(what) | StartError::Ldap(what) => f.write_str(what),
            StartError::Certificate(error) => error.fmt(f),
            StartError::Bind { listener, address, error } => {
                write!(f, "listener {listener} cannot bind {address}: {error}")
            }
            StartError::Http { address, error } => write!(f, "metrics cannot bind {address}: {error}"),
            StartError::Remote(error) => error.fmt(f),
            StartError::Control { path, error } => write!(f, "{}: {error}", path.display()),
            StartError::Tls { listener, error } => write!(f, "TLS of listener {listener}: {error}"),
            StartError::Read(error) => error.fmt(f),
            StartError::Commit(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StartError {}

impl From<LoadError> for StartError {
    fn from(error: LoadError) -> StartError {
        match error {
            LoadError::Read(error) => StartError::Read(error),
            LoadError::Commit(error) => StartError::Commit(error),
        }
    }
}

/// What this build keeps of the plan without executing it, one line each, to be said once at start.
pub fn unserved(tables: &Tables) -> Vec<String> {
    let plan = tables.plan();
    decide::unserved(plan).into_iter().map(|one| format!("{}: {}", one.path, one.what)).collect()
}

/// What makes a plan impossible to serve.
pub(crate) fn impossible(tables: &Tables) -> Vec<String> {
    let plan = tables.plan();
    let blocking = decide::unserved(plan).into_iter().filter(|one| one.blocks_serving);
    let mut lines: Vec<String> = blocking.map(|one| format!("{}: {}", one.path, one.what)).collect();
    if !plan.may_receive.is_empty() && !plan.reception.contains(&ReceptionStep::Deliver) {
        lines.push("reception: without the step Deliver accepted mail would go nowhere".to_owned());
    }
    if !plan.may_send.is_empty() && !plan.sending.contains(&SendingStep::Route) {
        lines.push("sending: without the step Route accepted mail would go nowhere".to_owned());
    }
    lines
}

impl Server {
    /// Serves `tables` at `site` with `store`, which is open on `site.data`. Needs a tokio runtime. `hash` names the
    /// plan in replies, logs and metrics. When this returns, everything listens.
    pub async fn start(
        tables: Arc<Tables>,
        hash: PlanHash,
        site: Site,
        store: Arc<Store>,
    ) -> Result<Running, StartError> {
        Server::start_as(tables, hash, site, store, Start::default()).await
    }

    /// The same, otherwise than usual.
    pub async fn start_as(
        tables: Arc<Tables>,
        hash: PlanHash,
        site: Site,
        store: Arc<Store>,
        start: Start,
    ) -> Result<Running, StartError> {
        metrics::count_panics();
        fits(&tables, &site, start.is_deployed)?;
        let seal = Seal::of(&site.data).map_err(StartError::Seal)?;
        let site = unsealed(site, &store, &seal)?;
        let shelf = Shelf::load(&tables, &site, &store, seal).await.map_err(StartError::Certificate)?;
        let waiting = if start.waits_for_health { waiting(&tables) } else { Vec::new() };
        let mut binder = Binder::new(start.keeps_trying);
        let doors = doors(&tables, &site, &shelf, &waiting, &mut binder)?;
        let portal_doors = portal_doors(&tables, &site, &shelf, &mut binder)?;
        let (stop, stopping) = watch::channel(false);
        let Begun { serial, damage } = found::begin(&Slots::of(&site.data), &tables, &hash);
        let (service, records) = service(tables, (hash, serial), site, store, shelf, stopping).await?;
        *service.waiting.lock().unwrap_or_else(PoisonError::into_inner) = waiting;
        service.plans.damaged(damage);
        service.certificates.count(&service.metrics);
        crate::keys::say(&service);
        standing::keep::look_at_all(&service).await;
        let (http, http_socket) = http_socket(service.site.http, &mut binder)?;
        let control = control::path(&service.site.data);
        let bad_control = |error| StartError::Control { path: control.clone(), error };
        let control_socket = control::bind(&service.site.data).map_err(bad_control)?;
        service.plans.set(Some(service.clone()));
        let jobs = Arc::default();
        // What is said from here on goes there, before the work begins.
        let lines = Mutex::new(logs::open(&service));
        let syslog = loops::start(&service, "syslog", move |service| {
            logs::keep(service, lines.lock().unwrap_or_else(PoisonError::into_inner).take())
        });
        let mut tasks = tasks(&service, &jobs, control_socket);
        let remote = remote_door(&service, &jobs, &mut tasks, &mut binder)?;
        let portal = portal_doors.iter().filter_map(|door| door.socket.local_addr().ok()).collect();
        let front = portal::front(&service);
        if let Some(front) = &front {
            tasks.extend(portal_doors.into_iter().map(|door| tokio::spawn(portal::serve(front.clone(), door))));
        }
        tasks.extend(http_socket.map(|socket| tokio::spawn(http::serve_public(service.clone(), socket))));
        service.doors.serve(&service, doors);
        service.doors.unbound.take(binder);
        service.metrics.addresses_unbound.set(i64::try_from(service.doors.unbound.all().len()).unwrap_or(0));
        if start.keeps_trying {
            tasks.push(loops::start(&service, "addresses", move |service| {
                unbound::keep(service, front.clone(), jobs.clone())
            }));
        }
        let listeners = service.doors.listening();
        service.plans.keepers.turn(&service);
        Ok(Running { listeners, http, portal, remote, control, service, stop, tasks, records, syslog })
    }
}

/// The site with the secrets the store keeps sealed, where it says so.
fn unsealed(mut site: Site, store: &Store, seal: &Seal) -> Result<Site, StartError> {
    if site.sealed_secrets {
        let kept = sealed_secrets::read(store, seal).map_err(StartError::Read)?;
        for (name, secret) in kept {
            site.secrets.entry(name).or_insert(secret);
        }
    }
    Ok(site)
}

/// Can this plan be served at this site? What is left out is said.
fn fits(tables: &Tables, site: &Site, is_deployed: bool) -> Result<(), StartError> {
    let impossible = impossible(tables);
    if !impossible.is_empty() {
        return Err(StartError::Unserved(impossible));
    }
    unserved(tables).iter().for_each(|line| tracing::info!("not executed: {line}"));
    if let Some(BackupTo::Elsewhere(name)) = tables.plan().backup.as_ref().map(|backup| &backup.to)
        && !site.backups.contains_key(name)
    {
        tracing::warn!(
            "backups: the site gives no place for `{name}`, so they are kept on the disk of the data folder"
        );
    }
    if !asks(site) && tables.plan().reception.contains(&ReceptionStep::Authenticate) {
        tracing::info!("nothing leaves this machine: no name server is asked, SPF, DKIM and DMARC say `none`");
    }
    let unknown: Vec<String> = site.listeners.keys().filter(|name| tables.listener(name).is_none()).cloned().collect();
    let unknown = if site.portal.is_empty() || tables.plan().portal.is_some() {
        unknown
    } else {
        [unknown, vec![PORTAL.to_owned()]].concat()
    };
    if is_deployed {
        // The site is older than the plan: what was deployed starts again.
        unknown
            .iter()
            .for_each(|name| tracing::warn!("the site gives {name} an address, and the plan has no such listener"));
        return Ok(());
    }
    if !unknown.is_empty() {
        return Err(StartError::UnknownListeners(unknown));
    }
    Ok(())
}

/// What works for as long as the server does, whatever plan runs; `plans::keepers` has the rest.
fn tasks(service: &Arc<Service>, jobs: &Arc<Jobs>, control_socket: tokio::net::UnixListener) -> Vec<JoinHandle<()>> {
    let (jobs, control_socket) = (jobs.clone(), Arc::new(control_socket));
    vec![
        loops::start(service, "vitals", vitals::keep),
        loops::start(service, "control", move |service| {
            operate::door::serve(service, jobs.clone(), control_socket.clone())
        }),
        loops::start(service, "windows", rings::keep),
        loops::start(service, "logins_kept", kept::keep),
        loops::start(service, "accesses", accesses::keep),
        loops::start(service, "quarantine", quarantine::count),
        loops::start(service, "outbound", outbound::run),
        loops::start(service, "pool", outbound::pool::keep),
        loops::start(service, "trial", trial::keep),
        loops::start(service, "verifying", verifying::keep),
    ]
}

impl Running {
    /// Everything that happens from now on, for whoever tells it; slow watchers miss some.
    pub fn outcomes(&self) -> broadcast::Receiver<Outcome> {
        self.service.outcomes.subscribe()
    }

    /// Panics counted since the process started.
    pub fn panics(&self) -> u64 {
        metrics::panics()
    }

    /// Stops: no new connections, 421 or BYE to idle ones, a bounded time for messages under way; then the windows and
    /// the records are written.
    pub async fn shutdown(self) {
        let Running { service, stop, tasks, records, control, syslog, .. } = self;
        stop.send_replace(true);
        for task in tasks {
            // A task that panicked was counted; the others still have to end.
            let _ = task.await;
        }
        // Who is at it comes to an end, and nobody begins any more. A trial left over is over at the next start.
        drop(service.plans.changing.lock().await.take());
        let service = {
            // The one it started with may be of another plan.
            let current = service.current();
            drop(service);
            current
        };
        service.doors.ended().await;
        service.plans.keepers.end().await;
        // Nobody asks for it any more, and it would hold itself.
        service.plans.set(None);
        if let Err(error) = rings::flush(&service, &mut BTreeMap::new()).await {
            tracing::error!("the windows could not be kept: {error}");
        }
        kept::flush(&service).await;
        accesses::flush(&service).await;
        if let Err(error) = control::remove(&control) {
            tracing::warn!("{}: {error}", control.display());
        }
        tracing::info!("stopped");
        logs::end(syslog).await;
        drop(service);
        let _ = tokio::time::timeout(RECORDS_MAX, records).await;
    }
}

/// How a server starts, where it is not as usual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Start {
    /// The plan was deployed: a site that names listeners it has no longer is served all the same.
    pub is_deployed: bool,
    /// Port 25 stays closed until the control socket hears that this machine is healthy.
    pub waits_for_health: bool,
    /// An address that cannot be bound is tried again while everything else is served. Otherwise it ends the start.
    pub keeps_trying: bool,
}

/// Listeners that take mail from anybody.
fn waiting(tables: &Tables) -> Vec<String> {
    let strangers = tables.listeners().filter(|(_, _, rules)| rules.port == SMTP && rules.auth == ListenerAuth::Never);
    strangers.map(|(_, name, _)| name.to_owned()).collect()
}

/// Listeners of its plan that are closed until somebody says that the machine is healthy: until then another plan opens none.
pub(crate) fn still_waiting(service: &Service) -> Vec<String> {
    let is_waited_for = !service.waiting.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
    if is_waited_for { waiting(&service.tables) } else { Vec::new() }
}

/// Opens what waits for health, if it still does. `bears`: an address that cannot be bound is tried again, if this server does that.
pub(crate) fn open_waiting(
    service: &Arc<Service>,
    bears: bool,
) -> Result<BTreeMap<String, Vec<SocketAddr>>, StartError> {
    let names = still_waiting(service);
    let mut waits = service.waiting.lock().unwrap_or_else(PoisonError::into_inner);
    let mut opened = BTreeMap::new();
    // Two may have come at once, and one before may have come half way.
    let open = service.doors.listening();
    let bears = bears && service.doors.unbound.keeps_trying();
    for name in names.into_iter().filter(|name| !waits.is_empty() && !open.contains_key(name)) {
        let mut binder = Binder::new(bears);
        let doors = doors::bind(&service.tables, &service.site, &service.certificates, &name, &mut binder)?;
        let addresses = service.doors.serve(service, doors);
        opened.insert(name, addresses);
        // It stays open whatever becomes of the next one.
        service.doors.unbound.add(binder);
    }
    waits.clear();
    Ok(opened)
}

/// Binds every listener the site gives an address, but for those that wait.
fn doors(
    tables: &Tables,
    site: &Site,
    shelf: &Shelf,
    waiting: &[String],
    binder: &mut Binder,
) -> Result<Vec<Door>, StartError> {
    let mut bound = Vec::new();
    for (_, name, _) in tables.listeners().filter(|(_, name, _)| !waiting.iter().any(|it| it == name)) {
        bound.extend(doors::bind(tables, site, shelf, name, binder)?);
    }
    Ok(bound)
}

/// Binds the portal.
fn portal_doors(
    tables: &Tables,
    site: &Site,
    shelf: &Shelf,
    binder: &mut Binder,
) -> Result<Vec<portal::Door>, StartError> {
    let mut doors = Vec::new();
    for PortalAddress { bind, seen_as } in &site.portal {
        if let Some(socket) = binder.bind(Wanted::Portal(*seen_as), *bind)? {
            doors.push(portal_door(tables, shelf, socket, *seen_as)?);
        }
    }
    Ok(doors)
}

/// What the portal is at a bound address.
pub(crate) fn portal_door(
    tables: &Tables,
    shelf: &Shelf,
    socket: tokio::net::TcpListener,
    seen_as: Option<IpAddr>,
) -> Result<portal::Door, StartError> {
    let acceptor = tls::Acceptor::new(tables.plan().tls.oldest, shelf.of(PORTAL))
        .map_err(|error| StartError::Tls { listener: PORTAL.to_owned(), error })?;
    Ok(portal::Door { socket, acceptor, seen_as })
}

fn http_socket(
    address: Option<SocketAddr>,
    binder: &mut Binder,
) -> Result<(Option<SocketAddr>, Option<tokio::net::TcpListener>), StartError> {
    let Some(address) = address else { return Ok((None, None)) };
    let bad = |error| StartError::Http { address, error };
    let Some(socket) = binder.bind(Wanted::Metrics, address)? else { return Ok((None, None)) };
    Ok((Some(socket.local_addr().map_err(bad)?), Some(socket)))
}

/// Opens the control channel where the site has one, and says by which key it is known.
fn remote_door(
    service: &Arc<Service>,
    jobs: &Arc<Jobs>,
    tasks: &mut Vec<JoinHandle<()>>,
    binder: &mut Binder,
) -> Result<Option<SocketAddr>, StartError> {
    let Some(address) = service.site.control else { return Ok(None) };
    let bad = |error| StartError::Bind { listener: "control".to_owned(), address, error };
    let acceptor = remote::acceptor(service).map_err(StartError::Remote)?;
    let Some(socket) = binder.bind(Wanted::Control, address)? else { return Ok(None) };
    let bound = socket.local_addr().map_err(bad)?;
    let (jobs, socket) = (jobs.clone(), Arc::new(socket));
    tasks.push(loops::start(service, "remote", move |service| {
        remote::serve(service, jobs.clone(), socket.clone(), acceptor.clone())
    }));
    Ok(Some(bound))
}

/// What a service is put together from.
struct Parts {
    tables: Arc<Tables>,
    site: Site,
    store: Arc<Store>,
    world: World,
    engines: Vec<Arc<scan::Engine>>,
    scorers: scan::score::Scorers,
    time_zone: jiff::tz::TimeZone,
    redirects: Arc<Redirects>,
    requests: crate::redirects::asked::Requests,
    delegations: crate::delegations::Delegations,
    room_grants: crate::quotas::RoomGrants,
    blocks: Blocks,
    passwords: crate::passwords::Passwords,
    standings: Arc<Standings>,
    directory: Directory,
    signing: Signing,
    spam: Spam,
    resolver: Option<Resolver>,
    ldap: Option<Ldap>,
    rings: Rings,
    nobodys_salts: [u8; 32],
    compromise: Compromise,
    clock: Clock,
    records: Records,
    decisions_key: [u8; 32],
    operators: remote::operators::Operators,
}

/// Ticks this near to the end of what there is are of a clock that was wrong.
const SWEPT_TICKS: u32 = 864_000;

/// The clock of windows, and the order of decisions by it: both go on behind all that was counted or logged, also where the clock
/// of the machine was set back.
async fn clock(store: &Arc<Store>, rings: &mut Rings) -> Result<Clock, StartError> {
    let epoch_s = epoch_s(store).await?;
    let (logged, turn) = crate::recording::newest(store).map_err(StartError::Read)?;
    // A start under a clock that was years ahead is no reason to stay there.
    let logged = if logged.0 > u32::MAX - SWEPT_TICKS { Tick(0) } else { logged };
    let clock = Clock::start(epoch_s, rings.newest().unwrap_or(Tick(0)).max(logged));
    rings.turns_from(turn);
    rings.turns_from(crate::recording::turn_at(epoch_s, clock.now()));
    Ok(clock)
}

async fn parts(tables: Arc<Tables>, site: Site, store: Arc<Store>) -> Result<(Parts, JoinHandle<()>), StartError> {
    let world = World::new(&site.world, tables.plan()).map_err(StartError::World)?;
    let engines = scan::engines(&tables, &site, &store).map_err(StartError::Unserved)?;
    let scorers = scan::score::Scorers::of(tables.plan(), &site);
    let time_zone = time_zone(&tables)?;
    let redirects = Arc::new(Redirects::load(&store).map_err(StartError::Read)?);
    let requests = crate::redirects::asked::Requests::load(&store).map_err(StartError::Read)?;
    let delegations = crate::delegations::Delegations::load(&store).map_err(StartError::Read)?;
    let room_grants = crate::quotas::RoomGrants::load(&store).map_err(StartError::Read)?;
    let blocks = Blocks::load(&store, &tables).map_err(StartError::Read)?;
    let seal = Seal::of(&site.data).map_err(StartError::Seal)?;
    let srs = srs_key(&store, &seal).await?;
    let passwords = kept::load(&store, &seal, Making::of(tables.plan())).await?;
    let standings = Arc::new(Standings::load(&store).map_err(StartError::Read)?);
    let directory = Directory::load(&store, redirects.clone(), standings.clone(), time_zone.clone(), srs)
        .map_err(StartError::Read)?;
    let signing = Signing::load(tables.plan(), &site, &store, seal).map_err(StartError::Read)?;
    let spam = Spam::load(&tables, &store).map_err(StartError::Read)?;
    let resolver = asks(&site).then(|| Resolver::new(&site.world));
    let ldap = Ldap::load(tables.plan(), &site, &store).map_err(StartError::Ldap)?;
    let mut rings = rings::load(&store).map_err(StartError::Read)?;
    // Were it drawn at each start, a salt that changes would tell that nobody has the login.
    let nobodys_salts = drawn_key(&store, NOBODYS_SALTS).await?;
    let known_key = drawn_key(&store, KNOWN_KEY).await?;
    let compromise = Compromise::load(&store, known_key).map_err(StartError::Read)?;
    let clock = clock(&store, &mut rings).await?;
    let operators = remote::operators::Operators::load(&store).map_err(StartError::Read)?;
    compromise.recall(&store, &tables.plan().compromise, clock.now()).map_err(StartError::Read)?;
    let (records, writer) = Records::start(tables.plan().losses.record.clone(), store.clone());
    let (decisions_key, kept) = decisions::key(&store).map_err(StartError::Read)?;
    crate::durable::commit(&store, kept.into_iter().collect()).await.map_err(StartError::Commit)?;
    let known_from = crate::recording::known_from(&store, &rings).map_err(StartError::Read)?;
    crate::durable::commit(&store, known_from.into_iter().collect()).await.map_err(StartError::Commit)?;
    let parts = Parts {
        tables,
        site,
        store,
        world,
        engines,
        scorers,
        time_zone,
        redirects,
        requests,
        delegations,
        room_grants,
        blocks,
        passwords,
        standings,
        directory,
        signing,
        spam,
        resolver,
        ldap,
        rings,
        nobodys_salts,
        compromise,
        clock,
        records,
        decisions_key,
        operators,
    };
    Ok((parts, writer))
}

async fn service(
    tables: Arc<Tables>,
    (hash, serial): (PlanHash, u64),
    site: Site,
    store: Arc<Store>,
    shelf: Shelf,
    stop: watch::Receiver<bool>,
) -> Result<(Arc<Service>, JoinHandle<()>), StartError> {
    let (parts, writer) = parts(tables, site, store).await?;
    Ok((Arc::new(assembled(parts, (&hash, serial), shelf, stop)), writer))
}

fn assembled(
    parts: Parts,
    (hash, serial): (&PlanHash, u64),
    certificates: Shelf,
    stop: watch::Receiver<bool>,
) -> Service {
    Service {
        metrics: Arc::new(Metrics::new(&hash.short())),
        plan: hash.short(),
        plan_full: hash.full(),
        serial,
        state: PlanState::Confirmed,
        plans: Arc::default(),
        doors: Arc::default(),
        waiting: Arc::default(),
        spool: Arc::new(outbound::Spool::new(parts.tables.plan())),
        tables: parts.tables,
        site: Arc::new(parts.site),
        certificates: Arc::new(certificates),
        store: parts.store,
        operators: Arc::new(parts.operators),
        clock: Arc::new(parts.clock),
        served: Arc::default(),
        probe_logins: Arc::default(),
        passwords: Arc::new(parts.passwords),
        accesses: Arc::default(),
        delays: Arc::default(),
        compromise: Arc::new(parts.compromise),
        app_passwords: Arc::default(),
        tokens: Arc::default(),
        nobodys_salts: parts.nobodys_salts,
        admission: Admission::new(),
        annotated: Arc::default(),
        records: parts.records,
        engines: parts.engines,
        scorers: Arc::new(parts.scorers),
        signing: Arc::new(parts.signing),
        spam: Arc::new(parts.spam),
        held: Arc::new(Held::default()),
        maildrops: Arc::default(),
        directory: Arc::new(parts.directory),
        ldap: parts.ldap.map(Arc::new),
        world: Arc::new(parts.world),
        pool: Arc::default(),
        redirects: parts.redirects,
        requests: Arc::new(parts.requests),
        delegations: Arc::new(parts.delegations),
        room_grants: Arc::new(parts.room_grants),
        sessions: Arc::default(),
        standings: parts.standings,
        teaching: Arc::default(),
        blocks: Arc::new(parts.blocks),
        resolver: parts.resolver.map(Arc::new),
        tally: Arc::default(),
        report_reader: Arc::new(Semaphore::new(1)),
        refusals: Arc::default(),
        time_zone: parts.time_zone,
        long_contents: Arc::new(Semaphore::new(LONG_CONTENTS_MAX)),
        decisions_key: parts.decisions_key,
        recording: Arc::default(),
        transcripts: Arc::default(),
        draining: Arc::new(AtomicBool::new(false)),
        outcomes: broadcast::Sender::new(OUTCOMES_KEPT),
        stop,
        end: Arc::new(watch::Sender::new(false)),
        rings: Arc::new(Mutex::new(parts.rings)),
    }
}

fn time_zone(tables: &Tables) -> Result<jiff::tz::TimeZone, StartError> {
    let name = &tables.plan().institution.time_zone;
    jiff::tz::TimeZone::get(name).map_err(|_| StartError::TimeZone(name.clone()))
}

/// The key of the reverse-paths forwarded mail goes out under, made at the first start. Under another key nothing that
/// comes back is recognised.
async fn srs_key(store: &Store, seal: &Seal) -> Result<queue::srs::Key, StartError> {
    let kept = store.setting(SRS_KEY).map_err(StartError::Read)?;
    let opened = kept.as_ref();
    if let Some(octets) = opened.and_then(|sealed| <[u8; 32]>::try_from(seal.open(SRS_KEY, sealed)?).ok()) {
        return Ok(queue::srs::Key::new(octets));
    }
    let octets = random::octets();
    let mut ops = vec![Op::Setting { key: SRS_KEY.to_owned(), value: seal.seal(SRS_KEY, &octets) }];
    // Whoever finds the former seal.key has what was sealed with it.
    if let Some(closed) = kept {
        tracing::error!(
            "the key of rewritten reverse-paths does not open: is seal.key another than it was? A new one is made"
        );
        ops.push(Op::Setting { key: format!("{SRS_KEY}.closed"), value: Some(closed) });
    }
    crate::durable::commit(store, ops).await.map_err(StartError::Commit)?;
    Ok(queue::srs::Key::new(octets))
}

/// Is anybody asked about mail that comes in? A copy that sends nothing out asks nobody either, unless it is told whom.
fn asks(site: &Site) -> bool {
    site.outbound == Outbound::Network || !site.world.name_servers.is_empty()
}

/// A key of this store for ever, drawn at its first start.
async fn drawn_key(store: &Store, name: &str) -> Result<[u8; 32], StartError> {
    let kept = store.setting(name).map_err(StartError::Read)?;
    if let Some(key) = kept.and_then(|octets| <[u8; 32]>::try_from(octets).ok()) {
        return Ok(key);
    }
    let key: [u8; 32] = crate::random::octets();
    let op = Op::Setting { key: name.to_owned(), value: Some(key.to_vec()) };
    crate::durable::commit(store, vec![op]).await.map_err(StartError::Commit)?;
    Ok(key)
}

/// The store's epoch, drawn at its first start. Ticks count from there.
async fn epoch_s(store: &Store) -> Result<i64, StartError> {
    let kept = store.setting(EPOCH).map_err(StartError::Read)?;
    if let Some(octets) = kept.and_then(|octets| <[u8; 8]>::try_from(octets).ok()) {
        return Ok(i64::from_le_bytes(octets));
    }
    // A day back: the first event of a fresh store must not stand at tick 0, where "never" would begin.
    let epoch_s = clock::unix_s() - 86_400;
    let op = Op::Setting { key: EPOCH.to_owned(), value: Some(epoch_s.to_le_bytes().to_vec()) };
    crate::durable::commit(store, vec![op]).await.map_err(StartError::Commit)?;
    Ok(epoch_s)
}
