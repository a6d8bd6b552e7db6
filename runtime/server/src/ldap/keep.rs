//! Keeps what is known of a directory fresh, and says when it cannot.

use std::sync::Arc;
use std::time::Duration;

use mail::Address;
use store::Op;

use super::state::{LdapState, Stopped};
use super::sync::{self, Ended};
use super::{Ldap, Stop};
use crate::notices::{self, Words};
use crate::service::{Service, stopped};
use crate::{clock, durable};

/// How often what is to be told is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// After a sync that no server gave everybody for: what is down comes back soon, or not at all.
const AGAIN_MIN_S: u64 = 5;
const AGAIN_MAX_S: u64 = 300;
/// The managers hear of the same trouble once in so long.
const TOLD_S: i64 = 86_400;
/// The settings that keep when they heard.
const TOLD_STALE: &str = "directory/told-stale";
const TOLD_STOPPED: &str = "directory/told-stopped";

/// Syncs until the server stops.
pub async fn keep(service: Arc<Service>) {
    let Some(ldap) = service.ldap.as_ref() else { return };
    let mut stop = service.stop.clone();
    let (mut due_at_s, mut failures) = (clock::unix_s(), 0_u32);
    loop {
        if clock::unix_s() >= due_at_s {
            let ended = sync::run(&service, ldap).await;
            let is_failure = matches!(ended, Ended::Failed(_));
            failures = if is_failure { failures.saturating_add(1) } else { 0 };
            say(&ended);
            due_at_s = clock::unix_s().saturating_add(i64::try_from(pause_s(ldap, failures)).unwrap_or(i64::MAX));
        }
        look(&service, ldap).await;
        if tokio::time::timeout(LOOK_EVERY, stopped(&mut stop)).await.is_ok() {
            return;
        }
    }
}

fn pause_s(ldap: &Ldap, failures: u32) -> u64 {
    let refresh_s = ldap.rules().refresh_s;
    let Some(doubled) = failures.checked_sub(1) else { return refresh_s };
    AGAIN_MIN_S.checked_shl(doubled.min(16)).unwrap_or(AGAIN_MAX_S).min(AGAIN_MAX_S).min(refresh_s)
}

/// The line of the log for a sync.
pub fn say(ended: &Ended) {
    match ended {
        Ended::Fresh(sync) => {
            let (new, changed, gone, refused) = (sync.new, sync.changed, sync.gone, sync.refused);
            tracing::info!(entries = sync.entries, new, changed, gone, refused, "the directory was read");
        }
        Ended::Stopped(stopped) => {
            let (gone, changed) = (stopped.extent.gone, stopped.extent.changed);
            tracing::error!(gone, changed, "the directory changed too much at once: nothing is taken over");
        }
        Ended::Failed(why) => tracing::warn!("the directory could not be read: {why}"),
    }
}

/// What the metrics and the managers hear.
async fn look(service: &Arc<Service>, ldap: &Ldap) {
    let state = ldap.state();
    measure(service, &state);
    let now_s = clock::unix_s();
    if state.is_stale && is_due(service, TOLD_STALE, now_s) {
        tracing::error!(trouble = state.trouble, "what is known of the directory is older than the policy trusts");
        alarm(service, stale(&state), TOLD_STALE, now_s).await;
    }
    if let Some(stopped) = state.stopped
        && is_due(service, TOLD_STOPPED, now_s)
    {
        alarm(service, asks(&stopped), TOLD_STOPPED, now_s).await;
    }
    if !state.is_stale && state.stopped.is_none() {
        forget(service).await;
    }
}

fn measure(service: &Service, state: &LdapState) {
    let metrics = &service.metrics;
    let up = state.servers.iter().filter(|server| server.trouble.is_empty()).count();
    metrics.directory_servers_up.set(i64::try_from(up).unwrap_or(i64::MAX));
    metrics.directory_fresh.set(state.fresh_at_s.unwrap_or(0));
    metrics.directory_stale.set(i64::from(state.is_stale));
    metrics.directory_stopped.set(i64::from(state.stopped.is_some()));
    let count =
        |of: fn(&super::Sync) -> u64| state.last.as_ref().map_or(0, |sync| i64::try_from(of(sync)).unwrap_or(0));
    metrics.directory_entries.set(count(|sync| sync.entries));
    metrics.directory_refused.set(count(|sync| sync.refused));
    metrics.directory_people.set(count(|sync| sync.people));
    metrics.directory_sync_ms.set(count(|sync| sync.took_ms));
}

fn is_due(service: &Service, key: &str, now_s: i64) -> bool {
    let told = service.store.setting(key).ok().flatten();
    let told_s = told.and_then(|octets| Some(i64::from_le_bytes(octets.try_into().ok()?)));
    told_s.is_none_or(|told_s| now_s.saturating_sub(told_s) >= TOLD_S)
}

async fn alarm(service: &Arc<Service>, words: Words, key: &str, now_s: i64) {
    let note = Op::Setting { key: key.to_owned(), value: Some(now_s.to_le_bytes().to_vec()) };
    match Address::new("postmaster", service.tables.plan().institution.domain.clone()) {
        Ok(managers) => drop(notices::tell(service, &managers, words, vec![note]).await),
        Err(_) => tracing::error!("the managers have no address"),
    }
}

/// All is well: the next trouble is told at once.
async fn forget(service: &Arc<Service>) {
    let is_kept = |key: &&str| service.store.setting(key).is_ok_and(|kept| kept.is_some());
    let kept = [TOLD_STALE, TOLD_STOPPED].into_iter().filter(is_kept);
    let ops: Vec<Op> = kept.map(|key| Op::Setting { key: key.to_owned(), value: None }).collect();
    if !ops.is_empty()
        && let Err(error) = durable::commit(&service.store, ops).await
    {
        tracing::warn!("that the directory is well again cannot be kept: {error}");
    }
}

fn stale(state: &LdapState) -> Words {
    let hours = state.stale_at_most_s / 3_600;
    let trouble = &state.trouble;
    Words {
        subject: "Annuaire : plus de réponse / Directory: no answer".to_owned(),
        french: format!(
            "l'annuaire n'a pas pu être lu depuis plus de {hours} h :\r\n\
             {trouble}\r\n\
             Les personnes connues gardent leur courrier. Les mots de passe que l'annuaire vérifie ne peuvent plus l'être, et le\r\n\
             courrier pour des adresses inconnues attend chez l'expéditeur. À faire : facteur directory status"
        ),
        english: format!(
            "the directory could not be read for more than {hours} h:\r\n\
             {trouble}\r\n\
             People who are known keep their mail. Passwords that the directory checks cannot be checked any more, and mail for\r\n\
             unknown addresses waits with its senders. What to do: facteur directory status"
        ),
    }
}

fn asks(stopped: &Stopped) -> Words {
    let extent = stopped.extent;
    let (gone, changed, known, changes) = (extent.gone, extent.changed, extent.known, extent.changes());
    let at_most = match stopped.why {
        Stop::TooMuch { at_most } => at_most,
        Stop::Nobody => 0,
    };
    Words {
        subject: format!("Annuaire : {changes} changements à confirmer / Directory: {changes} changes to confirm"),
        french: format!(
            "l'annuaire n'a plus {gone} personnes sur {known}, et en change {changed}. La politique en laisse passer {at_most}\r\n\
             sans demander : rien n'est changé. Si c'est voulu :\r\n\
             facteur directory allow --changes {changes}"
        ),
        english: format!(
            "the directory has {gone} of {known} people no more, and changes {changed}. The policy lets {at_most} pass unasked:\r\n\
             nothing is changed. If it is meant:\r\n\
             facteur directory allow --changes {changes}"
        ),
    }
}
