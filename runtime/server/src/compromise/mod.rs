//! Accounts in other hands (section `compromise` of a policy). What an account does is counted by `decide::compromise`; when a
//! detector goes off a case opens, in one commit with the lock it asks for, so that no crash leaves one without the other.
//! What is left to do is done once: each step is marked in the commit that does it, or can be done twice without harm, and
//! [`keep`] goes on with what a crash cut short.
//!
//! INVARIANT (own-deeds): only what an account itself did counts. Nobody outside can have the mail of a colleague held.

mod case;
mod end;
mod held;
mod known;
mod react;

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use decide::compromise::{self, Deed, Networks, Tripped};
use decide::{RecipientClass, Refusal, Tick};
use mail::Login;
use plan::{Detector, Sign};
use store::{ReadError, Store};
use tokio::sync::Notify;

use crate::accesses::How;
use crate::drive::Recipient;
use crate::service::{Service, stopped};
use crate::{clock, durable};

pub use case::{Case, State, all, of};
pub use end::{Choice, NotLifted, lift};
pub use held::{HeldMessage, held_of, release};

/// What is left to do, and what is over, is looked for so often.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Looks between two sweeps of networks that are quiet.
const SWEEP_EVERY: u32 = 360;
/// Nothing is remembered of networks for longer than the widest window, a day; of more ways the newest.
const RECALLED_S: i64 = 86_400;
const RECALLED_MAX: u32 = 200_000;
/// A recipient's answer waits so long for the case to be durable.
const OPENS_WITHIN: Duration = Duration::from_secs(10);

/// What is in memory.
pub struct Compromise {
    /// Of the hashes of addresses.
    key: [u8; 32],
    networks: Mutex<Networks>,
    known: known::KnownOf,
    /// Ids of cases that are open, by account and detector.
    open: Mutex<HashMap<(String, String), String>>,
    /// Held by whatever changes a case.
    changing: tokio::sync::Mutex<()>,
    wake: Notify,
}

impl Compromise {
    /// `key` is one of this store's for ever.
    pub fn load(store: &Store, key: [u8; 32]) -> Result<Compromise, ReadError> {
        let open = case::all(store)?.into_iter().filter(|(_, case)| case.state != State::Ended);
        let open = open.map(|(id, case)| ((case.login, case.detector), id)).collect();
        Ok(Compromise {
            key,
            networks: Mutex::default(),
            known: known::KnownOf::default(),
            open: Mutex::new(open),
            changing: tokio::sync::Mutex::default(),
            wake: Notify::new(),
        })
    }

    /// Reads from which networks accounts were used before the last stop, for the detectors that count them.
    pub fn recall(&self, store: &Store, detectors: &BTreeMap<String, Detector>, now: Tick) -> Result<(), ReadError> {
        if !detectors.values().any(|detector| matches!(detector.when, Sign::Networks(_))) {
            return Ok(());
        }
        let now_s = clock::unix_s();
        let mut from: HashMap<Login, Vec<(IpAddr, Tick)>> = HashMap::new();
        for access in store.accesses_since(now_s.saturating_sub(RECALLED_S), RECALLED_MAX)? {
            let age_s = u32::try_from(now_s.saturating_sub(access.last_s)).unwrap_or(0);
            if let Some(address) = How::read(&access.how).and_then(|how| how.address()) {
                from.entry(access.login).or_default().push((address, now.before_s(age_s)));
            }
        }
        let mut networks = self.networks();
        for (login, from) in &from {
            compromise::recall(detectors, &mut networks, login, from, now);
        }
        Ok(())
    }

    fn open(&self) -> MutexGuard<'_, HashMap<(String, String), String>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An id for a case of this account and detector; `None` when one is open.
    fn claim(&self, login: &Login, detector: &str) -> Option<String> {
        match self.open().entry((login.to_string(), detector.to_owned())) {
            Entry::Occupied(_) => None,
            Entry::Vacant(vacant) => Some(vacant.insert(case::new_id()).clone()),
        }
    }

    fn networks(&self) -> MutexGuard<'_, Networks> {
        self.networks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who is logged in named a recipient: `accepted` when it is one more of the message, else why not.
pub async fn recipient(service: &Arc<Service>, login: &Login, accepted: Option<&Recipient>, refusal: Option<&Refusal>) {
    if service.tables.plan().compromise.is_empty() {
        return;
    }
    match (accepted, refusal) {
        (None, Some(refusal)) if compromise::is_limit_trip(refusal) => {
            did(service, login, Deed::LimitTripped(&refusal.rule)).await;
        }
        (None, Some(refusal)) if compromise::is_refused_recipient(refusal) => {
            did(service, login, Deed::Asked { refused: true }).await;
        }
        (Some(recipient), None) => {
            did(service, login, Deed::Asked { refused: false }).await;
            // Colleagues are no strangers, whatever house keeps their mail.
            let leaves = recipient.found.class == RecipientClass::Remote;
            if leaves && known::is_new(service, login, &recipient.found.address.folded()).await {
                did(service, login, Deed::FirstTime).await;
            }
        }
        _ => {}
    }
}

/// The same of MAIL that was refused.
pub async fn message_refused(service: &Arc<Service>, login: &Login, refusal: &Refusal) {
    if compromise::is_limit_trip(refusal) {
        did(service, login, Deed::LimitTripped(&refusal.rule)).await;
    }
}

/// Somebody logged in from there.
pub async fn logged_in(service: &Arc<Service>, login: &Login, from: IpAddr) {
    did(service, login, Deed::LoggedIn { from }).await;
}

/// Its owner asked for it, and mail of this account goes on to an address outside from now on.
pub fn redirected(service: &Arc<Service>, login: &Login) {
    let (worker, login) = (service.clone(), login.clone());
    tokio::spawn(async move { did(&worker, &login, Deed::Redirected).await });
}

/// A next hop refused for good what this login sent.
pub async fn bounced(service: &Arc<Service>, login: &str) {
    if let Some(login) = Login::new(login) {
        did(service, &login, Deed::Bounced).await;
    }
}

/// Counts it, and opens the cases it leads to.
async fn did(service: &Arc<Service>, login: &Login, deed: Deed<'_>) {
    for tripped in counted(service, login, deed) {
        opened(service, login, tripped).await;
    }
}

fn counted(service: &Service, login: &Login, deed: Deed<'_>) -> Vec<Tripped> {
    let detectors = &service.tables.plan().compromise;
    if detectors.is_empty() {
        return Vec::new();
    }
    let now = service.clock.now();
    let mut networks = service.compromise.networks();
    compromise::signs(detectors, &mut service.rings(), &mut networks, login, deed, now)
}

/// Opens a case, unless this detector has one open for the account.
async fn opened(service: &Arc<Service>, login: &Login, tripped: Tripped) {
    if let Some(id) = service.compromise.claim(login, &tripped.detector) {
        let (worker, login) = (service.clone(), login.clone());
        // A client that goes away does not cut it short.
        let opening = tokio::spawn(async move { react::open(&worker, &id, &login, &tripped).await });
        let _ = tokio::time::timeout(OPENS_WITHIN, opening).await;
    }
}

/// Goes on with what was cut short, and ends what is over, until the server stops.
pub async fn keep(service: Arc<Service>) {
    let mut stop = service.stop.clone();
    for turn in 1_u32.. {
        look(&service).await;
        known::flush(&service).await;
        if turn.is_multiple_of(SWEEP_EVERY) {
            service.compromise.networks().sweep(service.clock.now());
        }
        tokio::select! {
            () = stopped(&mut stop) => break,
            () = service.compromise.wake.notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
    known::flush(&service).await;
}

async fn look(service: &Arc<Service>) {
    let ids: Vec<String> = service.compromise.open().values().cloned().collect();
    for id in ids {
        let worker = service.clone();
        let name = id.clone();
        let read = durable::blocking(move || case::of(&worker.store, &name)).await;
        match read {
            Some(Ok(Some(case))) if case.state == State::Ending => end::go_on(service, &id).await,
            Some(Ok(Some(case))) if case.until_s <= clock::unix_s() => end::expired(service, &id).await,
            Some(Ok(Some(case))) if case.is_unfinished() => react::go_on(service, &id).await,
            Some(Ok(_)) | None => {}
            Some(Err(error)) => tracing::error!("a case cannot be read: {error}"),
        }
        if service.stopping() {
            return;
        }
    }
}

/// Forgets ended cases from before a moment, and what is kept of people who are gone.
pub fn forget(service: &Service, before_s: i64) {
    let gone = || -> Result<(), ReadError> {
        for (id, case) in case::all(&service.store)? {
            let is_old = case.state == State::Ended && case.ended_s < before_s;
            if is_old && let Err(error) = service.store.commit_wait(vec![case::op(&id, None)]) {
                tracing::error!("what is too old stays: {error}");
            }
        }
        known::forget_gone(&service.store)
    };
    if let Err(error) = gone() {
        tracing::error!("what is too old stays: {error}");
    }
}
