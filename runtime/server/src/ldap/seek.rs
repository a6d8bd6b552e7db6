//! A recipient nobody here has: the directory is asked once, so that mail for a newcomer of this minute arrives, and nobody
//! hears "unknown" while it cannot be asked.
//!
//! Several who ask about one address wait for one answer, and an answer is believed for some seconds: guessing addresses
//! costs the directory no more than that.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mail::Address;
use tokio::sync::OnceCell;

use super::apply::{self, Applied};
use super::connect::{Fault, line};
use super::entry::Entry;
use super::facts::Mapping;
use super::read::{self, Unread};
use super::step::{Desk, NoStep};
use super::{Ldap, desk};
use crate::durable;
use crate::service::Service;

/// A client waits for an answer at most so long.
const ANSWER_MAX: Duration = Duration::from_secs(8);
/// An address waits for its turn at most so long.
const TURN_MAX: Duration = Duration::from_secs(3);
/// That nobody has an address is believed for so long, and that nobody could be asked.
const NOBODY_KEPT: Duration = Duration::from_secs(20);
const TROUBLE_KEPT: Duration = Duration::from_secs(1);
/// Answers remembered.
const KEPT_MAX: usize = 50_000;

/// What the directory says of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sought {
    /// The person is here from now on.
    Found,
    Nobody,
    /// Ask again later.
    Unsure,
}

impl Sought {
    fn word(self) -> &'static str {
        match self {
            Sought::Found => "found",
            Sought::Nobody => "nobody",
            Sought::Unsure => "unsure",
        }
    }
}

struct Answer {
    answer: Arc<OnceCell<Sought>>,
    until: Instant,
}

/// Answers by address.
#[derive(Default)]
pub struct Answers {
    answers: Mutex<HashMap<String, Answer>>,
}

impl Answers {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Answer>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The place of an answer, which may have to be found yet.
    fn place(&self, key: &str) -> Arc<OnceCell<Sought>> {
        let now = Instant::now();
        let mut answers = self.lock();
        if let Some(answer) = answers.get(key).filter(|answer| answer.until > now) {
            return answer.answer.clone();
        }
        if answers.len() >= KEPT_MAX {
            answers.retain(|_, answer| answer.until > now);
        }
        if answers.len() >= KEPT_MAX {
            answers.clear();
        }
        let answer = Arc::new(OnceCell::new());
        answers.insert(key.to_owned(), Answer { answer: answer.clone(), until: now + ANSWER_MAX });
        answer
    }

    fn keep(&self, key: &str, answer: &Arc<OnceCell<Sought>>, kept: Duration) {
        if let Some(entry) = self.lock().get_mut(key).filter(|entry| Arc::ptr_eq(&entry.answer, answer)) {
            entry.until = Instant::now() + kept;
        }
    }

    /// After a sync everything may be otherwise.
    pub fn forget(&self) {
        self.lock().clear();
    }
}

/// Has the directory somebody with one of `addresses`? Who is found is taken over before this returns.
pub async fn seek(service: &Arc<Service>, ldap: &Ldap, addresses: &[Address]) -> Sought {
    let Some(first) = addresses.first() else { return Sought::Nobody };
    let key = first.folded();
    let place = ldap.answers.place(&key);
    let asking = place.get_or_init(|| async {
        let sought = ask(service, ldap, addresses).await;
        let kept = match sought {
            // The store says it from now on.
            Sought::Found => Duration::ZERO,
            Sought::Nobody => NOBODY_KEPT,
            Sought::Unsure => TROUBLE_KEPT,
        };
        ldap.answers.keep(&key, &place, kept);
        service.metrics.directory_seeks.with_label_values(&[sought.word()]).inc();
        sought
    });
    tokio::time::timeout(ANSWER_MAX, asking).await.map_or(Sought::Unsure, |sought| *sought)
}

async fn ask(service: &Arc<Service>, ldap: &Ldap, addresses: &[Address]) -> Sought {
    let Ok(Ok(turn)) = tokio::time::timeout(TURN_MAX, ldap.seeks.acquire()).await else { return Sought::Unsure };
    let found = entries(ldap, addresses).await;
    drop(turn);
    let Some(entries) = found else { return Sought::Unsure };
    if entries.is_empty() {
        return Sought::Nobody;
    }
    let (worker, turn) = (service.clone(), ldap.turn.clone());
    let taking = durable::blocking(move || {
        let turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = take_over(&worker, &entries);
        drop(turn);
        taken
    });
    let sought = taking.await.unwrap_or(Sought::Unsure);
    if sought == Sought::Found {
        service.spam.names.changed();
    }
    sought
}

/// The entries with one of the addresses; `None` when no server says.
async fn entries(ldap: &Ldap, addresses: &[Address]) -> Option<Vec<Entry>> {
    let rules = ldap.rules();
    let names = [&rules.attributes.mail, &rules.attributes.aliases];
    let each = addresses.iter().flat_map(|address| names.map(|name| (name, address.to_string())));
    let each: String =
        each.filter(|(name, _)| !name.is_empty()).map(|(name, text)| read::equals(name, &text)).collect();
    for server in ldap.servers.in_turn() {
        // Where addresses are made here nobody can be asked for by one. That a server answers is what counts.
        let asked = match each.is_empty() {
            true => ldap.servers.asking(server).await.map(|_| Vec::new()).map_err(Unread::Fault),
            false => one(ldap, server, &read::narrowed(rules, &format!("(|{each})"))).await,
        };
        match asked {
            Ok(entries) => return Some(entries),
            Err(Unread::Fault(fault)) => ldap.servers.failed(server, &fault).await,
            Err(other) => ldap.servers.failed(server, &Fault::Broken(other.to_string())).await,
        }
    }
    None
}

async fn one(ldap: &Ldap, server: usize, filter: &str) -> Result<Vec<Entry>, Unread> {
    let mut connection = ldap.servers.asking(server).await?;
    read::matching(&mut connection, ldap.rules(), filter, 4).await
}

/// What is to be said of the address once these entries have it. Blocks.
fn take_over(service: &Arc<Service>, entries: &[Entry]) -> Sought {
    let (desk, plan) = (desk(service), service.tables.plan());
    let Some(rules) = &plan.identity.ldap else { return Sought::Unsure };
    let mapping = Mapping { attributes: &rules.attributes, tables: &service.tables, time_zone: &service.time_zone };
    let mut sought = Sought::Nobody;
    for entry in entries {
        match taken_over(&desk, &mapping, entry) {
            Ok(true) => sought = Sought::Found,
            Ok(false) => {}
            // They are somebody there, and cannot be taken over: nobody is told that there is no such person.
            Err(says) => {
                tracing::warn!(dn = line(&entry.dn), "an entry of the directory is nobody here: {says}");
                if sought == Sought::Nobody {
                    sought = Sought::Unsure;
                }
            }
        }
    }
    sought
}

/// False for somebody without an account today.
fn taken_over(desk: &Desk, mapping: &Mapping<'_>, entry: &Entry) -> Result<bool, String> {
    let facts = mapping.facts(entry).map_err(|wrong| wrong.to_string())?;
    let step = match desk.step(&facts, false) {
        Ok(step) => step,
        Err(NoStep::NoAccount) => return Ok(false),
        Err(NoStep::Read(error)) => return Err(error.to_string()),
        Err(NoStep::Says(says)) => return Err(says),
    };
    if !step.ops.is_empty() {
        desk.store.commit_wait(step.ops.clone()).map_err(|error| error.to_string())?;
        apply::done(desk, &step, &mut Applied::default());
    }
    Ok(true)
}
