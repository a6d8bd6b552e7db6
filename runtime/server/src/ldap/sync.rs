//! One sync: everybody is read, compared with who is here, judged as a whole, and taken over.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use tokio::sync::mpsc;

use super::apply::{self, Applied};
use super::compare::{self, Comparison};
use super::guard::Stop;
use super::read::{self, Unread};
use super::state::{self, Kept, Stopped, Sync};
use super::{Ldap, desk};
use crate::service::Service;
use crate::{clock, durable};

/// Entries on their way from the connection to the comparison.
const WAITING_MAX: usize = 500;

/// How a sync ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Everything is as in the directory.
    Fresh(Sync),
    /// It waits for an operator's word.
    Stopped(Stopped),
    /// No server gave everybody, or the store took nothing.
    Failed(String),
}

/// Runs one, and keeps what became of it. One at a time.
pub async fn run(service: &Arc<Service>, ldap: &Ldap) -> Ended {
    let turn = ldap.syncing.lock().await;
    let ended = run_alone(service, ldap).await;
    drop(turn);
    ended
}

async fn run_alone(service: &Arc<Service>, ldap: &Ldap) -> Ended {
    let began = Instant::now();
    let mut stopping = service.stop.clone();
    let read = tokio::select! {
        read = everybody(service, ldap) => read,
        () = crate::service::stopped(&mut stopping) => Err("the server stops".to_owned()),
    };
    let ended = match read {
        Ok((server, comparison)) => judged(service, ldap, server, comparison, began).await,
        Err(why) => Ended::Failed(why),
    };
    let now_s = clock::unix_s();
    let mut kept = ldap.kept().clone();
    match &ended {
        Ended::Fresh(sync) => {
            kept = Kept { fresh_at_s: Some(now_s), last: Some(sync.clone()), stopped: None, trouble: String::new() };
        }
        Ended::Stopped(stopped) => {
            kept.stopped = Some(*stopped);
            kept.trouble.clear();
        }
        Ended::Failed(why) => kept.trouble.clone_from(why),
    }
    let mut ops = vec![kept.op()];
    if matches!(ended, Ended::Fresh(_)) {
        // An operator's word is for one sync.
        ops.push(state::allow(None));
        ldap.answers.forget();
    }
    *ldap.kept() = kept;
    if let Err(error) = durable::commit(&service.store, ops).await {
        tracing::error!("what the directory sync did cannot be kept: {error}");
    }
    ended
}

/// Everybody from the first server that gives them all, beside everybody here.
async fn everybody(service: &Arc<Service>, ldap: &Ldap) -> Result<(String, Comparison), String> {
    ldap.servers.back_to_the_first().await;
    let mut why = "no server answers".to_owned();
    for server in ldap.servers.in_turn() {
        let name = ldap.servers.name(server);
        match from_one(service, ldap, server).await {
            Ok(comparison) => {
                ldap.servers.is_well(server);
                return Ok((name, comparison));
            }
            Err(Unread::Fault(fault)) => {
                why = format!("{name}: {fault}");
                ldap.servers.failed(server, &fault).await;
            }
            Err(other) => why = format!("{name}: {other}"),
        }
        tracing::warn!("people could not be read from a directory server: {why}");
    }
    Err(why)
}

async fn from_one(service: &Arc<Service>, ldap: &Ldap, server: usize) -> Result<Comparison, Unread> {
    // A connection of its own: questions about one person go on meanwhile.
    let mut connection = ldap.servers.asker_on(server).await?;
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    let (desk, time_zone) = (desk(service), service.time_zone.clone());
    let attributes = ldap.rules().attributes.clone();
    let comparing = durable::blocking(move || compare::compare(&desk, &attributes, &time_zone, receiver));
    let reading = async {
        let read = read::everybody(&mut connection, ldap.rules(), &sender).await;
        drop(sender);
        read
    };
    let (read, compared) = tokio::join!(reading, comparing);
    let _ = connection.unbind().await;
    let comparison = match compared {
        Some(Ok(comparison)) => comparison,
        Some(Err(error)) => return Err(Unread::Store(error.to_string())),
        None => return Err(Unread::Store("the comparison panicked".to_owned())),
    };
    // Only who was read to the end is everybody.
    read.map(|_| comparison)
}

async fn judged(service: &Arc<Service>, ldap: &Ldap, server: String, comparison: Comparison, began: Instant) -> Ended {
    let rules = service.tables.plan().accounts.mass_change;
    let allowed = state::allowed(&service.store).unwrap_or_default();
    let extent = comparison.extent;
    if let Err(why) = extent.judge(rules, allowed) {
        return match why {
            Stop::Nobody => Ended::Failed(format!("{server}: it names nobody, which is never taken for an answer")),
            Stop::TooMuch { .. } => Ended::Stopped(Stopped { at_s: clock::unix_s(), extent, why }),
        };
    }
    match taken_over(service, ldap, comparison).await {
        Ok((applied, comparison)) => Ended::Fresh(Sync {
            at_s: clock::unix_s(),
            took_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            server,
            entries: extent.entries,
            people: (extent.known + applied.new).saturating_sub(applied.gone),
            new: applied.new,
            changed: applied.changed,
            gone: applied.gone,
            refused: comparison.refused,
            left_out: comparison.left_out,
            reports: comparison.reports,
        }),
        Err(why) => Ended::Failed(why),
    }
}

async fn taken_over(
    service: &Arc<Service>,
    ldap: &Ldap,
    mut comparison: Comparison,
) -> Result<(Applied, Comparison), String> {
    let (desk, turn) = (desk(service), ldap.turn.clone());
    let stop = Arc::new(AtomicBool::new(false));
    let told = stop.clone();
    let work = durable::blocking(move || {
        let turn = turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let applied = apply::apply(&desk, &mut comparison, &told);
        drop(turn);
        applied.map(|applied| (applied, comparison)).map_err(|error| error.to_string())
    });
    let mut stopping = service.stop.clone();
    tokio::pin!(work);
    let taken = tokio::select! {
        taken = &mut work => taken,
        () = crate::service::stopped(&mut stopping) => {
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
            work.await
        }
    };
    // Names of people may have changed: what looks like one of them is looked for by them.
    service.spam.names.changed();
    taken.unwrap_or_else(|| Err("the work panicked".to_owned()))
}
