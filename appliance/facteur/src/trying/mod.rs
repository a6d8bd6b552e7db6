//! `facteur try`: the policy's own plan, byte for byte, on a loopback site.
//!
//! What is not real is here and says so: ports on 127.0.0.1, a self-signed certificate, virus engines that know EICAR
//! only, and an Internet that takes everything and keeps nothing. The server is the one of the appliance.

mod accounts;
mod certificate;
mod describe;
mod networks;
mod stage;
mod standin;
mod story;
mod tell;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use decide::Tables;
use plan::{At, Does};
use policy::compile::Sealed;
use server::{
    CertificateFrom, Certificates, ClientAddress, DirectoryAt, Outbound, PortalAddress, Running, Server, Site, StandIn,
    World,
};
use store::Store;

use crate::Exit;
use crate::cli::TryArgs;
use crate::commands::{self, Ready};
use describe::{Description, ListenerView, NetworkView, Ordered};
use stage::Stage;

type Anything = Box<dyn std::error::Error + Send + Sync>;

/// Runs the command.
pub fn run(args: &TryArgs) -> Exit {
    let ready = match commands::ready(&args.policy, args.unproved()) {
        Ok(ready) => ready,
        Err(exit) => return exit,
    };
    crate::serving::keep_private();
    if args.no_story {
        // Nothing of this can fail: text goes to standard error.
        let _ = crate::logging::of_server(crate::logging::LogTo::Text);
    } else {
        crate::logging::plain("warn");
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return crate::serving::trouble(&error),
    };
    match runtime.block_on(serve(args, ready)) {
        Ok(true) => Exit::Fine,
        Ok(false) => Exit::StepWentOtherwise,
        Err(error) => crate::serving::trouble(error.as_ref()),
    }
}

/// Serves and tells; true unless a step went otherwise.
async fn serve(args: &TryArgs, ready: Ready) -> Result<bool, Anything> {
    let folder = Folder::new(args.data.as_deref())
        .map_err(|error| crate::serving::named(args.data.as_deref().unwrap_or(Path::new("a new folder")), error))?;
    let sealed = ready.sealed;
    let tables = Arc::new(Tables::new(sealed.plan.clone())?);
    let store = Arc::new(Store::open(&folder.path, crate::serving::store_options())?);
    let people = accounts::create(&store, &tables, ready.people.as_ref(), args.people, &folder.path)?;
    let networks = networks::networks(&tables, &sealed.map);
    let made = certificate::make(&tables, &folder.path)?;
    let site = site(args, &tables, &networks, &folder.path, made.certificate).await?;
    let mut stop = crate::serving::Stop::listen()?;
    let running = Server::start(tables.clone(), sealed.hash, site, store.clone()).await?;
    let stage = stage(&sealed, tables, networks, people, made.trust, &running, store);
    if let Some(path) = &args.describe {
        let written = describe::write(&description(&stage, &running, &folder.path), path);
        written.map_err(|error| crate::serving::named(path, error))?;
    }
    let story = async { if args.no_story { true } else { story::tell(&stage).await } };
    let good = tokio::select! {
        good = story => Some(good),
        () = stop.told() => None,
    };
    if good.is_some() && !args.once {
        tell::how_to_connect(&stage, &running, &folder.path);
        stop.told().await;
    }
    running.shutdown().await;
    drop(stage);
    // A story that was cut short is no story that went well.
    Ok(good.unwrap_or(!args.once))
}

fn stage(
    sealed: &Sealed,
    tables: Arc<Tables>,
    networks: Vec<networks::Network>,
    people: Vec<describe::PersonView>,
    tls: Arc<rustls::ClientConfig>,
    running: &Running,
    store: Arc<Store>,
) -> Stage {
    let first = |(name, all): (&String, &Vec<SocketAddr>)| all.first().map(|address| (name.clone(), *address));
    Stage {
        tables,
        map: sealed.map.clone(),
        plan: sealed.hash.short(),
        addresses: running.listeners.iter().filter_map(first).collect(),
        networks,
        people,
        tls,
        store,
    }
}

/// The loopback site.
async fn site(
    args: &TryArgs,
    tables: &Tables,
    networks: &[networks::Network],
    data: &Path,
    certificate: server::Certificate,
) -> Result<Site, Anything> {
    let loopback = |port: u16| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    let mut listeners = BTreeMap::new();
    for (index, (_, name, _)) in tables.listeners().enumerate() {
        let port = match args.port_base {
            Some(base) => u16::try_from(usize::from(base) + index)
                .map_err(|_| format!("--port-base {base}: listener \"{name}\" would need a port above 65535"))?,
            None => 0,
        };
        listeners.insert(name.to_owned(), vec![loopback(port)]);
    }
    let mut scanners = BTreeMap::new();
    for (name, scanner) in &tables.plan().scanners {
        if scanner.does == Does::Antivirus && !args.real_engines {
            scanners.insert(name.clone(), standin::start(name, &scanner.at).await?);
        }
        // Nothing stands in for a scorer: its pass gives no score.
        if scanner.does == Does::SpamScore && !matches!(scanner.at, At::BuiltIn(_)) && !args.real_engines {
            scanners.insert(name.clone(), StandIn::Nobody);
        }
    }
    Ok(Site {
        twin: false,
        data: data.to_owned(),
        listeners,
        hosts: BTreeMap::new(),
        certificates: Certificates { default: CertificateFrom::Given(certificate), by_listener: BTreeMap::new() },
        outbound: Outbound::Sink,
        world: World { name_servers: args.name_server.clone(), ..World::default() },
        sources: BTreeMap::new(),
        secrets: BTreeMap::new(),
        sealed_secrets: false,
        client_address: ClientAddress::Table(networks::view(networks)),
        scanners,
        backups: BTreeMap::new(),
        // Nothing leaves this machine: people.ron has who the directory would have.
        directory: DirectoryAt::StandIn,
        http: Some(loopback(0)),
        portal: portal(tables, networks),
        control: args.control,
        syslog: None,
    })
}

/// The portal once for each network that reaches it: a browser cannot choose where it comes from, but which port it opens.
fn portal(tables: &Tables, networks: &[networks::Network]) -> Vec<PortalAddress> {
    let bind = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
    let seen_as = |network: &networks::Network| PortalAddress { bind, seen_as: Some(network.seen_as) };
    portal_networks(tables.plan(), networks).map(seen_as).collect()
}

fn portal_networks<'a>(
    plan: &'a plan::Plan,
    networks: &'a [networks::Network],
) -> impl Iterator<Item = &'a networks::Network> {
    let from = plan.portal.as_ref().map_or(&[][..], |portal| &portal.from);
    networks.iter().filter(|network| from.contains(&network.name))
}

fn description(stage: &Stage, running: &Running, data: &Path) -> Description {
    let listeners = stage.addresses.iter().filter_map(|(name, address)| {
        let rules = stage.tables.plan().listeners.get(name)?;
        let view = ListenerView {
            addr: address.to_string(),
            host: rules.host.to_string(),
            speaks: rules.speaks,
            tls: describe::tls_word(rules.tls),
            auth: rules.auth,
        };
        Some((name.clone(), view))
    });
    let networks = stage
        .networks
        .iter()
        .map(|n| (n.name.clone(), NetworkView { source: n.source.to_string(), seen_as: n.seen_as.to_string() }));
    Description {
        schema: 1,
        pid: std::process::id(),
        plan: stage.plan.clone(),
        domain: stage.tables.plan().institution.domain.to_string(),
        data: data.display().to_string(),
        portal: Ordered(
            stage
                .portal_networks()
                .zip(&running.portal)
                .map(|(network, address)| (network.name.clone(), format!("https://{address}")))
                .collect(),
        ),
        metrics: running.http.map(|address| format!("http://{address}/metrics")).unwrap_or_default(),
        control: running.control.display().to_string(),
        remote: running.remote.map(|address| address.to_string()),
        ca: data.join(certificate::FILE).display().to_string(),
        listeners: Ordered(listeners.collect()),
        networks: Ordered(networks.collect()),
        people: stage.people.clone(),
    }
}

/// The data folder; one of our own goes when we go.
struct Folder {
    path: PathBuf,
    ours: bool,
}

impl Folder {
    fn new(asked: Option<&Path>) -> std::io::Result<Folder> {
        let ours = asked.is_none();
        let path = match asked {
            Some(path) => path.to_owned(),
            None => std::env::temp_dir().join(format!("facteur-try-{}", std::process::id())),
        };
        std::fs::create_dir_all(&path)?;
        Ok(Folder { path: path.canonicalize()?, ours })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.ours {
            // What cannot be removed is in the folder for temporary files anyway.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}
