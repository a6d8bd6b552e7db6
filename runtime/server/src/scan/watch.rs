//! Watches the engines: probes those that are down, asks which signatures they have, and tells the managers of an outage
//! that lasts and of signatures that grow old. One task for each engine, so that there is one probe at a time.

use std::sync::Arc;
use std::time::Duration;

use mail::Address;
use plan::EngineDown;

use super::engine::{Engine, Kept, kept};
use super::freshness::Crossing;
use crate::notices::{self, Words};
use crate::service::{Service, stopped};
use crate::{clock, durable};

const TICK: Duration = Duration::from_secs(1);
/// How often an engine that is well is asked for its signatures.
const ASKED_EVERY: Duration = Duration::from_secs(60);
/// How often it is probed though it seems well. The test file of a probe leaves a line in its log.
const PROBED_EVERY: Duration = Duration::from_secs(600);
/// An outage is told once it has lasted so long: a restart of an engine is none.
const TOLD_AFTER: Duration = Duration::from_secs(60);

/// Watches until the server stops.
pub async fn keep(service: Arc<Service>) {
    let mut watches = tokio::task::JoinSet::new();
    for engine in &service.engines {
        watches.spawn(watch(service.clone(), engine.clone()));
    }
    while watches.join_next().await.is_some() {}
}

async fn watch(service: Arc<Service>, engine: Arc<Engine>) {
    let mut stop = service.stop.clone();
    let mut known = kept(&service.store, &engine.name);
    let (mut ask_at, mut probe_at, mut said) = (Duration::ZERO, Duration::ZERO, Said::default());
    loop {
        let due = engine.state().breaker.is_probe_due(engine.now());
        let turn = async {
            if due || engine.now() >= probe_at {
                probe_at = engine.now() + PROBED_EVERY;
                engine.probe().await;
            } else if engine.now() >= ask_at && engine.down_for().is_none() {
                ask_at = engine.now() + ASKED_EVERY;
                ask(&engine, &mut said).await;
            }
            tell(&service, &engine).await;
            keep_known(&service, &engine, &mut known).await;
            tokio::time::sleep(TICK).await;
        };
        tokio::select! {
            () = stopped(&mut stop) => return,
            () = turn => {}
        }
    }
}

/// What the log has said already of an engine.
#[derive(Default)]
struct Said {
    mute: bool,
    crowded: bool,
}

async fn ask(engine: &Engine, said: &mut Said) {
    match engine.ask_signatures().await {
        Ok(Some((identity, made_at_s))) => {
            said.mute = false;
            note(engine, &identity, made_at_s);
        }
        Ok(None) => {}
        // Is it gone, or does it only keep this to itself (`EnableVersionCommand no` of clamd)?
        Err(error) => {
            engine.probe().await;
            if engine.down_for().is_none() && !std::mem::replace(&mut said.mute, true) {
                tracing::warn!(engine = engine.name, "the engine does not say which signatures it has: {error}");
            }
        }
    }
    if let Some(max) = engine.too_many()
        && !std::mem::replace(&mut said.crowded, true)
    {
        tracing::warn!(engine = engine.name, max, "the service takes fewer connections than `at_once` of the plan");
    }
}

fn note(engine: &Engine, identity: &str, made_at_s: Option<i64>) {
    if engine.state().signatures.seen(identity, made_at_s, clock::unix_s()) {
        tracing::info!(engine = engine.name, identity, "signatures");
    }
}

/// What the metrics and the managers hear.
async fn tell(service: &Arc<Service>, engine: &Engine) {
    let now_s = clock::unix_s();
    if let Some(istag) = engine.signatures_heard() {
        note(engine, &istag, None);
    }
    let down_for = engine.down_for();
    let labels = [engine.name.as_str()];
    service.metrics.scanner_up.with_label_values(&labels).set(i64::from(down_for.is_none()));
    let (age_s, crossing) = {
        let signatures = &mut engine.state().signatures;
        (signatures.age_s(now_s), signatures.crossing(engine.age_max_s, now_s))
    };
    if let Some(age_s) = age_s {
        let age_s = i64::try_from(age_s).unwrap_or(i64::MAX);
        service.metrics.signature_age.with_label_values(&labels).set(age_s);
    }
    match crossing {
        Some(Crossing::Stale { age_s }) => {
            tracing::warn!(engine = engine.name, age_s, "the signatures are older than the policy wants");
            alarm(service, stale(&engine.name, age_s)).await;
        }
        Some(Crossing::Fresh) => tracing::info!(engine = engine.name, "the signatures are as new as the policy wants"),
        None => {}
    }
    if let Some(words) = outage(service, engine, down_for) {
        alarm(service, words).await;
    }
}

/// The beginning or the end of an outage, each told once, where the policy wants alarms.
fn outage(service: &Service, engine: &Engine, down_for: Option<Duration>) -> Option<Words> {
    let mut state = engine.state();
    let lasts = down_for.is_some_and(|down_for| down_for >= TOLD_AFTER);
    let news = match (state.is_told, down_for) {
        (false, Some(down_for)) if lasts => down(&engine.name, down_for),
        (true, None) => up(&engine.name),
        (_, _) => return None,
    };
    state.is_told = down_for.is_some();
    let EngineDown::TryLater { then, .. } = &service.tables.plan().antivirus.as_ref()?.engine_down;
    then.is_some_and(|then| then.alarm).then_some(news)
}

async fn alarm(service: &Arc<Service>, words: Words) {
    let managers = Address::new("postmaster", service.tables.plan().institution.domain.clone());
    match managers {
        Ok(managers) => drop(notices::tell(service, &managers, words, Vec::new()).await),
        Err(_) => tracing::error!("the managers have no address"),
    }
}

async fn keep_known(service: &Service, engine: &Engine, known: &mut Kept) {
    let now = engine.kept(known, clock::unix_s());
    if now == *known {
        return;
    }
    let Some(op) = now.op(&engine.name) else { return };
    match durable::commit(&service.store, vec![op]).await {
        Ok(_) => *known = now,
        Err(error) => tracing::warn!(engine = engine.name, "what is known of the engine cannot be kept: {error}"),
    }
}

fn down(engine: &str, down_for: Duration) -> Words {
    let seconds = down_for.as_secs();
    Words {
        subject: format!("Antivirus {engine} : aucune réponse / gives no verdict"),
        french: format!(
            "l'antivirus {engine} ne donne plus de verdict depuis {seconds} s. Le courrier attend ou passe sans lui, comme\r\n\
             le veut la règle antivirus.engine_down. Son retour sera annoncé."
        ),
        english: format!(
            "the antivirus engine {engine} has given no verdict for {seconds} s. Mail waits or goes on without it, as the\r\n\
             rule antivirus.engine_down wants. Its return will be told."
        ),
    }
}

fn up(engine: &str) -> Words {
    Words {
        subject: format!("Antivirus {engine} : de retour / is back"),
        french: format!("l'antivirus {engine} donne de nouveau des verdicts."),
        english: format!("the antivirus engine {engine} gives verdicts again."),
    }
}

fn stale(engine: &str, age_s: u64) -> Words {
    let hours = age_s / 3_600;
    Words {
        subject: format!("Antivirus {engine} : signatures anciennes / old signatures"),
        french: format!(
            "les signatures de l'antivirus {engine} ont {hours} h, plus que ne le veut scanners.{engine}.updates.\r\n\
             Les virus récents passent."
        ),
        english: format!(
            "the signatures of the antivirus engine {engine} are {hours} h old, more than scanners.{engine}.updates wants.\r\n\
             New viruses go through."
        ),
    }
}
