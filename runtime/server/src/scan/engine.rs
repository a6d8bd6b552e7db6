//! One engine: its places, its deadline, and what is known of how it does.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use plan::{Scanner, Window};
use serde::{Deserialize, Serialize};
use store::{Op, Store};
use tokio::sync::Semaphore;

use super::breaker::Breaker;
use super::freshness::Signatures;
use super::place::Place;
use super::source::Source;
use super::{Look, clamd, command, icap, is_late, milter};
use crate::clock;

/// One in so many places is for second looks, and at least one.
const AGAIN_SHARE: usize = 4;
/// How often a second look asks whether there is room for it.
const ROOM_EVERY: Duration = Duration::from_millis(50);

/// How an engine is spoken to.
pub enum Kind {
    Clamd(Place),
    Icap(icap::Client),
    Command(command::Program),
    Milter(Place),
}

pub struct Engine {
    pub name: String,
    kind: Kind,
    deadline: Duration,
    /// Messages it looks at at the same time.
    places: Semaphore,
    /// Of these, messages that are here already and are looked at again.
    again: Semaphore,
    at_once: usize,
    /// Signatures older than this are told of; `None` where the policy promises nothing.
    pub(super) age_max_s: Option<u64>,
    started: Instant,
    state: Mutex<State>,
}

/// What changes.
#[derive(Default)]
pub(super) struct State {
    pub breaker: Breaker,
    pub signatures: Signatures,
    /// The managers were told of the outage that lasts.
    pub is_told: bool,
}

/// What restarts must not forget, in the setting `scanner/NAME`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// Unix seconds.
    down_since_s: Option<i64>,
    is_told: bool,
    signatures: Signatures,
}

/// What the last run of the server left; nothing where it cannot be read.
pub(super) fn kept(store: &Store, name: &str) -> Kept {
    let octets = store.setting(&setting(name)).unwrap_or_else(|error| {
        tracing::error!(engine = name, "what was known of the engine cannot be read: {error}");
        None
    });
    octets.and_then(|octets| serde_json::from_slice(&octets).ok()).unwrap_or_default()
}

fn setting(name: &str) -> String {
    format!("scanner/{name}")
}

impl Kept {
    pub(super) fn op(&self, name: &str) -> Option<Op> {
        Some(Op::Setting { key: setting(name), value: Some(serde_json::to_vec(self).ok()?) })
    }
}

impl Engine {
    pub(super) fn new(name: &str, scanner: &Scanner, kind: Kind, kept: Kept) -> Engine {
        let age_s = |Window { max, width_s }: Window| u64::from(width_s).checked_div(u64::from(max));
        let down_since = kept.down_since_s.map(|since_s| clock::unix_s().saturating_sub(since_s));
        let before = down_since.map(|seconds| Duration::from_secs(u64::try_from(seconds).unwrap_or(0)));
        let breaker = Breaker::kept(before, Duration::ZERO);
        let state = State { breaker, signatures: kept.signatures, is_told: kept.is_told };
        Engine {
            name: name.to_owned(),
            kind,
            deadline: Duration::from_secs(scanner.deadline_s),
            places: Semaphore::new(scanner.at_once as usize),
            again: Semaphore::new((scanner.at_once as usize / AGAIN_SHARE).max(1)),
            at_once: scanner.at_once as usize,
            age_max_s: scanner.updates_at_least.and_then(age_s),
            started: Instant::now(),
            state: Mutex::new(state),
        }
    }

    /// What it says of a content, within its deadline, the wait for a place included.
    pub(super) async fn look(&self, source: &Source) -> Look {
        let until = tokio::time::Instant::now() + self.deadline;
        if !self.state().breaker.asks() {
            return Look::Failed(String::new());
        }
        let place = match tokio::time::timeout_at(until, self.places.acquire()).await {
            Ok(Ok(place)) => place,
            Ok(Err(_)) | Err(_) => return Look::Busy,
        };
        // It may have gone down while this waited.
        if !self.state().breaker.asks() {
            return Look::Failed(String::new());
        }
        let left = until.saturating_duration_since(tokio::time::Instant::now());
        let look = tokio::time::timeout(left, self.ask(source)).await;
        drop(place);
        match look {
            Err(_) if is_late(left, self.deadline) => Look::Busy,
            Err(_) => self.failed(&format!("no verdict within {} s", self.deadline.as_secs())),
            Ok(Ok(Look::Failed(why))) => self.failed(&why),
            // No verdict: it ends no outage, and is none.
            Ok(Ok(look @ Look::Refused(_))) => look,
            Ok(Err(error)) => self.failed(&error.to_string()),
            Ok(Ok(look)) => {
                self.worked();
                look
            }
        }
    }

    /// The same for a message that is here already, in a share of the places, and only while half of them are free: mail that
    /// somebody waits for goes first.
    pub(super) async fn look_again(&self, source: &Source) -> Look {
        let room = async {
            let share = self.again.acquire().await.ok()?;
            while self.places.available_permits() * 2 < self.at_once.max(2) {
                tokio::time::sleep(ROOM_EVERY).await;
            }
            Some(share)
        };
        match tokio::time::timeout(self.deadline, room).await {
            Ok(Some(_share)) => self.look(source).await,
            Ok(None) | Err(_) => Look::Busy,
        }
    }

    /// Would it be asked about messages, and has it answered of late?
    pub(super) fn is_well(&self) -> bool {
        self.down_for().is_none()
    }

    /// Is it well? It is when it finds nothing in a harmless message, and the EICAR test file where that is: a service whose
    /// engine could not be started calls everything clean. Takes no place: those may all be held by messages it hangs on.
    pub(crate) async fn probe(&self) {
        let checked = async {
            match self.ask(&Source::harmless()).await.map_err(|error| error.to_string())? {
                Look::Clean => {}
                other => return Err(other.told("a harmless message")),
            }
            match self.ask(&Source::test_file()).await.map_err(|error| error.to_string())? {
                Look::Infected(_) | Look::Suspect(_) => Ok(()),
                other => Err(other.told("the EICAR test file")),
            }
        };
        match tokio::time::timeout(self.deadline, checked).await {
            Ok(Ok(())) => self.worked(),
            Ok(Err(why)) => drop(self.failed(&why)),
            Err(_) => drop(self.failed("no verdict on a probe in time")),
        }
    }

    /// Asks which signatures it has; `None` where it cannot say.
    pub(super) async fn ask_signatures(&self) -> io::Result<Option<(String, Option<i64>)>> {
        let asking = async {
            match &self.kind {
                Kind::Clamd(place) => clamd::version(place).await.map(Some),
                Kind::Icap(client) => Ok(client.signatures().await?.map(|istag| (istag, None))),
                Kind::Command(program) => {
                    program.sandbox().await;
                    Ok(None)
                }
                Kind::Milter(_) => Ok(None),
            }
        };
        tokio::time::timeout(self.deadline, asking).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Signatures it told of by the way.
    pub(super) fn signatures_heard(&self) -> Option<String> {
        match &self.kind {
            Kind::Icap(client) => client.istag(),
            Kind::Clamd(_) | Kind::Command(_) | Kind::Milter(_) => None,
        }
    }

    /// Connections its service takes, where that is less than the plan's `at_once`.
    pub(super) fn too_many(&self) -> Option<u64> {
        match &self.kind {
            Kind::Icap(client) => client.too_many(),
            Kind::Clamd(_) | Kind::Command(_) | Kind::Milter(_) => None,
        }
    }

    async fn ask(&self, source: &Source) -> io::Result<Look> {
        match &self.kind {
            Kind::Clamd(place) => clamd::scan(place, source).await,
            Kind::Icap(client) => client.scan(source).await,
            Kind::Command(program) => program.scan(source).await,
            Kind::Milter(place) => milter::scan(place, source).await,
        }
    }

    fn worked(&self) {
        let was_down = self.state().breaker.worked(self.now());
        if let Some(down_for) = was_down {
            tracing::info!(engine = self.name, down_for_s = down_for.as_secs(), "the engine gives verdicts again");
        }
    }

    pub(super) fn failed(&self, why: &str) -> Look {
        if self.state().breaker.failed(self.now()) {
            tracing::error!(engine = self.name, "the engine gives no verdict: {why}");
        }
        Look::Failed(why.to_owned())
    }

    /// How long it has given no verdict; `None` while it does.
    pub fn down_for(&self) -> Option<Duration> {
        self.state().breaker.down_for(self.now())
    }

    /// Age of its signatures; `None` while nothing is known.
    pub fn signatures_age_s(&self, now_s: i64) -> Option<u64> {
        self.state().signatures.age_s(now_s)
    }

    /// How old the policy lets them grow.
    pub fn signatures_at_most_s(&self) -> Option<u64> {
        self.age_max_s
    }

    pub(super) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the next run of the server is to know. An outage keeps its beginning though it is reckoned anew each time.
    pub(super) fn kept(&self, before: &Kept, now_s: i64) -> Kept {
        let down_for = self.down_for();
        let state = self.state();
        let since = |down_for: Duration| now_s - i64::try_from(down_for.as_secs()).unwrap_or(0);
        let down_since_s = match (before.down_since_s, down_for.map(since)) {
            (Some(before), Some(now)) if (before - now).abs() <= 2 => Some(before),
            (_, now) => now,
        };
        Kept { down_since_s, is_told: state.is_told, signatures: state.signatures.clone() }
    }
}
