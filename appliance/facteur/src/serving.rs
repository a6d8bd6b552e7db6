//! `facteur serve`: a plan and a site, until told to stop. What other commands that serve share is here too.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use decide::Tables;
use server::slots::Slots;
use server::{Outbound, Server, Site, Start};
use store::{Options, Store};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::Exit;
use crate::cli::ServeArgs;
use crate::{logging, site_file};

type Anything = Box<dyn std::error::Error + Send + Sync>;

/// Serves until SIGTERM or SIGINT.
pub fn serve(args: &ServeArgs) -> Exit {
    keep_private();
    if let Err(error) = logging::of_server(args.log) {
        return trouble(&error);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return trouble(&error),
    };
    match runtime.block_on(run(args)) {
        Ok(()) => Exit::Fine,
        Err(error) => trouble(error.as_ref()),
    }
}

async fn run(args: &ServeArgs) -> Result<(), Anything> {
    let Served { text, path, is_deployed } = plan_text(&args.plan, &site_file::data(&args.site)?)?;
    let (plan, hash) = plan::read(&text).map_err(|error| named(&path, error))?;
    let tables = Arc::new(Tables::new(plan)?);
    let site = in_twin(args.twin, site_file::read(&args.site, if is_deployed { None } else { Some(&tables) })?);
    std::fs::create_dir_all(&site.data).map_err(|error| named(&site.data, error))?;
    let store = Arc::new(Store::open(&site.data, store_options())?);
    let mut stop = Stop::listen()?;
    let start = Start { is_deployed, waits_for_health: args.wait_for_health, keeps_trying: args.keep_trying };
    let running = Server::start_as(tables, hash, site, store, start).await?;
    for (name, addresses) in listening(&running.listeners) {
        tracing::info!(listener = name, addresses, plan = hash.short(), "listening");
    }
    for address in &running.portal {
        tracing::info!(listener = "portal", addresses = address.to_string(), plan = hash.short(), "listening");
    }
    stop.told().await;
    running.shutdown().await;
    Ok(())
}

/// The plan to serve.
pub struct Served {
    pub text: String,
    /// The file it is in.
    pub path: PathBuf,
    /// It, or one that is lost, was deployed in this data folder.
    pub is_deployed: bool,
}

/// The plan that was deployed and confirmed in this data folder, if one was; where it is damaged the newest whole one before it, and
/// where none is left the one that is named. The server says what is damaged.
pub fn plan_text(named_plan: &Path, data: &Path) -> Result<Served, Anything> {
    let found = Slots::of(data).found();
    let of_file = std::fs::read_to_string(named_plan);
    if let Some((hash, text)) = found.plan {
        if !of_file.is_ok_and(|named| named == text) {
            tracing::info!("the plan that was deployed is served, not {}", named_plan.display());
        }
        let path = Slots::of(data).plan_file(&hash);
        return Ok(Served { text, path, is_deployed: true });
    }
    let text = of_file.map_err(|error| named(named_plan, error))?;
    // The site was made for what is lost: it is not measured by this one.
    Ok(Served { text, path: named_plan.to_owned(), is_deployed: !found.damage.is_empty() })
}

/// The site of a test platform: whatever it says, nothing is handed to another server. An image says it by the environment,
/// which its verified system sets.
fn in_twin(asked: bool, site: Site) -> Site {
    if !asked && std::env::var_os("FACTEUR_TWIN").is_none() {
        return site;
    }
    if site.outbound != Outbound::Sink {
        tracing::warn!(
            "this is a test platform: mail for other servers is counted and forgotten, whatever the site says"
        );
    }
    Site { outbound: Outbound::Sink, twin: true, ..site }
}

fn listening(listeners: &BTreeMap<String, Vec<std::net::SocketAddr>>) -> Vec<(String, String)> {
    let join = |all: &Vec<std::net::SocketAddr>| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    listeners.iter().map(|(name, all)| (name.clone(), join(all))).collect()
}

/// An error with the file it is about.
pub fn named(path: &Path, error: impl std::fmt::Display) -> Anything {
    format!("{}: {error}", path.display()).into()
}

/// A store that ends the process when a flush fails: what was not acknowledged is sent again by its sender, and a
/// restart recovers.
pub fn store_options() -> Options {
    Options {
        on_fatal: Box::new(|fatal| {
            tracing::error!("{fatal}");
            std::process::abort();
        }),
        ..Options::default()
    }
}

/// Says what went wrong outside the policy.
pub fn trouble(error: &(dyn std::error::Error + 'static)) -> Exit {
    eprintln!("facteur: {error}");
    Exit::Trouble
}

/// From here on what this process writes is its user's alone: mail, passwords, keys.
pub fn keep_private() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
}

/// SIGINT, SIGTERM and SIGHUP (the terminal was closed), heard from the moment this is made: before anybody is told that we listen.
pub struct Stop {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Stop {
    /// Needs a tokio runtime.
    pub fn listen() -> std::io::Result<Stop> {
        Ok(Stop {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Comes with the next signal.
    pub async fn told(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }
}
