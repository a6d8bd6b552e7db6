//! What the way out shares with those who put mail into the spool and those who operate it: the schedule, the news it has
//! not heard yet, and the turn each message has, so that a try and an operator do not change one at a time.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mail::Domain;
use plan::Plan;
use queue::schedule::{Bounds, Provider, Schedule, Toward};
use queue::{Destination, Route, destination};
use store::{NextHop, QueueId};
use tokio::sync::Notify;

/// Handovers at a time.
const AT_ONCE: usize = 200;
/// News kept; with more the whole spool is read again, which costs no memory.
const NEWS_MAX: usize = 50_000;
/// Turns; two messages that share one wait for each other.
const TURNS: usize = 64;

pub struct Spool {
    schedule: Mutex<Schedule>,
    news: Mutex<News>,
    pub wake: Notify,
    turns: Vec<tokio::sync::Mutex<()>>,
}

fn rules(plan: &Plan) -> (Bounds, Vec<Provider>) {
    let bounds = Bounds {
        at_once: AT_ONCE,
        per_destination: plan.delivery.connections_at_once,
        retry_s: plan.delivery.retry_s.clone(),
    };
    (bounds, plan.delivery.providers.iter().map(|(name, rules)| Provider::new(name, rules)).collect())
}

/// What happened to the spool since the schedule last looked.
#[derive(Default)]
pub struct News {
    pub arrived: Vec<QueueId>,
    /// Held, released, due at another time, or gone.
    pub changed: HashSet<QueueId>,
    /// There was more than could be kept.
    pub all: bool,
}

impl Spool {
    pub fn new(plan: &Plan) -> Spool {
        let (bounds, providers) = rules(plan);
        Spool {
            schedule: Mutex::new(Schedule::new(bounds, providers)),
            news: Mutex::default(),
            wake: Notify::new(),
            turns: std::iter::repeat_with(tokio::sync::Mutex::default).take(TURNS).collect(),
        }
    }

    /// Another plan says how and where messages go: all of them are looked at again.
    pub fn under(&self, plan: &Plan) {
        let (bounds, providers) = rules(plan);
        self.schedule().rebound(bounds, providers);
        *self.news.lock().unwrap_or_else(PoisonError::into_inner) = News { all: true, ..News::default() };
        self.wake.notify_one();
    }

    /// Never held across an await.
    pub fn schedule(&self) -> MutexGuard<'_, Schedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A message is in the spool: its commit is durable.
    pub fn arrived(&self, queue_id: QueueId) {
        self.hear(|news| {
            news.arrived.push(queue_id);
            news.arrived.len()
        });
    }

    /// Messages were held, released, made due or removed.
    pub fn changed(&self, ids: impl IntoIterator<Item = QueueId>) {
        self.hear(|news| {
            news.changed.extend(ids);
            news.changed.len()
        });
    }

    fn hear(&self, tell: impl FnOnce(&mut News) -> usize) {
        let mut news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        if !news.all && tell(&mut news) > NEWS_MAX {
            *news = News { all: true, ..News::default() };
        }
        drop(news);
        self.wake.notify_one();
    }

    pub fn news(&self) -> News {
        std::mem::take(&mut *self.news.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Has the schedule not heard of everything yet?
    pub fn has_news(&self) -> bool {
        let news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        news.all || !news.arrived.is_empty() || !news.changed.is_empty()
    }

    /// Whoever holds it may change the message.
    pub async fn turn(&self, queue_id: QueueId) -> tokio::sync::MutexGuard<'_, ()> {
        self.turns[usize::from(queue_id.0[15]) % TURNS].lock().await
    }

    /// The same from a thread that may block.
    pub fn blocking_turn(&self, queue_id: QueueId) -> tokio::sync::MutexGuard<'_, ()> {
        self.turns[usize::from(queue_id.0[15]) % TURNS].blocking_lock()
    }

    /// A label of few: a provider or route of the plan, else `other`.
    pub fn hop_name(&self, next_hop: &NextHop, remote: Option<&str>) -> String {
        let provider = remote.and_then(|host| self.schedule().provider_of_host(host).map(str::to_owned));
        provider.unwrap_or_else(|| match next_hop {
            NextHop::Route(route) => match route.parse() {
                Ok(Route::Home(_) | Route::Domain(_) | Route::Held) => route.clone(),
                Ok(Route::Remote) | Err(_) => "other".to_owned(),
            },
            NextHop::Mx | NextHop::Local => "other".to_owned(),
        })
    }
}

/// Where a recipient waits under `plan`.
pub fn toward(plan: &Plan, next_hop: &NextHop, domain: &Domain) -> Toward {
    let destination = destination(plan, next_hop);
    let domain = (destination == Destination::Mx).then(|| domain.as_str().to_owned());
    Toward { destination, domain }
}
