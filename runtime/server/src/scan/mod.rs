//! Antivirus engines. A message goes to each engine of the plan at the same time, read in pieces from where it is kept;
//! what they say are facts for `decide::antivirus`.
//!
//! INVARIANT (no-guess): only what an engine clearly said is a verdict. An answer that is late, cut, garbled, or at odds
//! with itself, and an engine with no place free in time, are `Down`: never "infected", never "clean".
//!
//! What an engine will not look at (too large for it, or it said "clean" before it had all of the message) is `Down` for
//! 0 s and no outage: the message gets what `engine_down` says of its first moment, 451, each time it is tried, so it
//! stays with who sent it until they are told. `facteur_scans_total{result="refused"}` counts these.

mod breaker;
mod clamd;
mod command;
mod engine;
mod freshness;
#[cfg(test)]
mod hostile;
mod icap;
mod milter;
mod octets;
mod place;
pub mod rescan;
mod rspamd;
pub mod score;
mod source;
mod spamd;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use decide::{EngineResult, Tables};
use plan::{At, Scanner};
use proto::scan::icap as proto_icap;
use tokio::task::JoinSet;

pub use engine::Engine;
pub use watch::keep;

use self::engine::Kind;
use self::place::Place;
use self::source::Source;
use crate::content::Content;
use crate::service::Service;
use crate::site::{Site, StandIn};

/// What came of one look at a content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    Clean,
    Infected(String),
    Suspect(String),
    /// The engine is well and this content is not for it, for the reason given.
    Refused(String),
    /// No verdict, for the reason given.
    Failed(String),
    /// No place was free in time.
    Busy,
}

impl Look {
    /// A signature by its name.
    fn found(name: String) -> Look {
        if proto::scan::is_heuristic(&name) { Look::Suspect(name) } else { Look::Infected(name) }
    }

    /// What is wrong with an answer to a probe.
    fn told(&self, what: &str) -> String {
        match self {
            Look::Refused(why) | Look::Failed(why) => format!("{why}, on a probe"),
            Look::Clean | Look::Infected(_) | Look::Suspect(_) | Look::Busy => {
                format!("{what} is {} to it", self.word())
            }
        }
    }

    /// Label of the metric.
    fn word(&self) -> &'static str {
        match self {
            Look::Clean => "clean",
            Look::Infected(_) => "infected",
            Look::Suspect(_) => "suspect",
            Look::Refused(_) => "refused",
            Look::Failed(_) => "down",
            Look::Busy => "busy",
        }
    }
}

/// The engines of the plan's `antivirus`, as the last run of the server left them. An engine this build cannot speak to
/// and that has no stand-in in the site is an error: a plan with it is not served.
pub fn engines(tables: &Tables, site: &Site, store: &store::Store) -> Result<Vec<Arc<Engine>>, Vec<String>> {
    let plan = tables.plan();
    let names = plan.antivirus.as_ref().map(|antivirus| antivirus.engines.as_slice()).unwrap_or_default();
    let mut engines = Vec::new();
    let mut errors = Vec::new();
    for name in names {
        let Some(scanner) = plan.scanners.get(name) else {
            errors.push(format!("antivirus.engines names `{name}`, which is not defined"));
            continue;
        };
        match kind(name, scanner, site) {
            Ok(kind) => engines.push(Arc::new(Engine::new(name, scanner, kind, engine::kept(store, name)))),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(engines) } else { Err(errors) }
}

fn kind(name: &str, scanner: &Scanner, site: &Site) -> Result<Kind, String> {
    let at_once = scanner.at_once as usize;
    match (site.scanners.get(name), &scanner.at) {
        (Some(StandIn::Clamd(address)), _) => Ok(Kind::Clamd(Place::Address(*address))),
        (Some(StandIn::Icap(address)), _) => {
            let place = Place::Address(*address);
            Ok(Kind::Icap(icap::Client::new(place, &address.to_string(), "respmod", at_once)))
        }
        (Some(StandIn::Nobody), _) => Err(format!("scanners.{name}: nobody stands in for an engine")),
        (None, At::Clamd(at)) => Ok(Kind::Clamd(Place::of(at, site))),
        (None, At::Icap(at)) => {
            let parted = proto_icap::place(at);
            let (host, service) = parted.ok_or_else(|| format!("scanners.{name}.at: `{at}` is no place of ICAP"))?;
            Ok(Kind::Icap(icap::Client::new(Place::of(host, site), host, service, at_once)))
        }
        (None, At::Command(at)) => command::Program::new(name, at, &scanner.exits, &site.data, scanner.deadline_s)
            .map(Kind::Command)
            .ok_or_else(|| format!("scanners.{name}.at: no program")),
        (None, At::Milter(at)) => Ok(Kind::Milter(Place::of(at, site))),
        (None, other @ (At::Rspamd(_) | At::Spamd(_) | At::BuiltIn(_))) => {
            Err(format!("scanners.{name}: {other:?} gives no verdict on viruses here, and the site has no stand-in"))
        }
    }
}

/// Asks each engine of the plan now, with messages whose verdict is known: the names of those that do not give it.
pub async fn silent(service: &Service) -> Vec<String> {
    let mut silent = Vec::new();
    for engine in &service.engines {
        if !engine.probe().await {
            silent.push(engine.name.clone());
        }
    }
    silent
}

/// What each engine of the plan says of `content`, in the plan's order.
pub async fn all(service: &Arc<Service>, content: &Arc<Content>) -> Vec<(String, EngineResult)> {
    let mut scans = JoinSet::new();
    for (number, engine) in service.engines.iter().enumerate() {
        let (engine, source) = (engine.clone(), Source::Content(content.clone()));
        scans.spawn(async move { (number, engine.look(&source).await) });
    }
    let mut looks: Vec<Option<Look>> = service.engines.iter().map(|_| None).collect();
    while let Some(joined) = scans.join_next().await {
        if let Ok((number, look)) = joined {
            looks[number] = Some(look);
        }
    }
    let engines = service.engines.iter().zip(looks);
    engines.map(|(engine, look)| (engine.name.clone(), judged(service, engine, look))).collect()
}

/// A look as a fact. `None`: it panicked, which the panic hook counted.
fn judged(service: &Service, engine: &Engine, look: Option<Look>) -> EngineResult {
    let look = look.unwrap_or_else(|| {
        engine.failed("the scan panicked");
        Look::Failed(String::new())
    });
    service.metrics.scans.with_label_values(&[engine.name.as_str(), look.word()]).inc();
    let is_up = engine.down_for().is_none();
    service.metrics.scanner_up.with_label_values(&[engine.name.as_str()]).set(i64::from(is_up));
    match look {
        Look::Clean => EngineResult::Clean,
        Look::Infected(name) => EngineResult::Infected(name),
        Look::Suspect(name) => EngineResult::Suspect(name),
        Look::Refused(why) => {
            tracing::warn!(engine = engine.name, "does not look at a message: {why}");
            EngineResult::Down { for_s: 0 }
        }
        Look::Failed(_) | Look::Busy => {
            EngineResult::Down { for_s: engine.down_for().map_or(0, |down_for| down_for.as_secs()) }
        }
    }
}

/// The part of a deadline below which a late start, and not the engine, is to blame.
fn is_late(left: Duration, deadline: Duration) -> bool {
    left < deadline / 2
}
