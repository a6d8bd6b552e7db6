//! What all connections share: the tables of a plan and what is made of it, the store, the rings, the clock, the counters.
//!
//! One value serves one plan. Another plan is another value: what does not hang on the plan is the same in both. Who begins
//! something new (a transaction, a command, a request) asks for the [`current`](Service::current) one, and keeps it to the end of
//! that, so that nothing is judged by two plans.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use decide::{Rings, Tables};
use store::Store;
use tokio::sync::{broadcast, watch};

use crate::admission::Admission;
use crate::clock::{self, Clock};
use crate::metrics::Metrics;
use crate::outcome::Outcome;
use crate::passwords::Passwords;
use crate::plans::{Executed, PlanState, Plans};
use crate::records::Records;
use crate::site::Site;
use crate::throttle::{Line, Throttle};

/// Outcomes kept for a watcher that is slow; it misses older ones.
pub(crate) const OUTCOMES_KEPT: usize = 1_024;

#[derive(Clone)]
pub(crate) struct Service {
    /// What runs now, which may be another plan than this one.
    pub plans: Arc<Plans>,
    pub tables: Arc<Tables>,
    /// Short hash, for replies and logs.
    pub plan: String,
    pub plan_full: String,
    pub serial: u64,
    pub state: PlanState,
    pub site: Arc<Site>,
    /// What listeners show.
    pub certificates: Arc<crate::certificates::Shelf>,
    pub store: Arc<Store>,
    /// Who operates it from other machines.
    pub operators: Arc<crate::remote::operators::Operators>,
    pub clock: Arc<Clock>,
    /// Since when it serves, and what listens.
    pub served: Arc<crate::operate::status::Served>,
    pub passwords: Arc<Passwords>,
    /// Listeners that are open.
    pub doors: Arc<crate::doors::Doors>,
    /// Listeners that wait until somebody says that this machine is healthy.
    pub waiting: Arc<Mutex<Vec<String>>>,
    /// Who logged in from where.
    pub accesses: Arc<crate::accesses::Accesses>,
    /// Answers to failed logins that wait.
    pub delays: Arc<crate::delays::Delays>,
    pub compromise: Arc<crate::compromise::Compromise>,
    pub app_passwords: Arc<crate::app_passwords::AppPasswords>,
    pub tokens: Arc<crate::tokens::Tokens>,
    /// Of this store for ever: what salts of logins nobody has are made of.
    pub nobodys_salts: [u8; 32],
    pub metrics: Arc<Metrics>,
    pub admission: Arc<Admission>,
    pub annotated: Arc<crate::annotated::Annotated>,
    pub records: Records,
    /// The engines of the plan, in its order.
    pub engines: Vec<Arc<crate::scan::Engine>>,
    /// Scorers of the plan that are reached over a socket.
    pub scorers: Arc<crate::scan::score::Scorers>,
    pub signing: Arc<crate::signing::Signing>,
    pub spam: Arc<crate::spam::Spam>,
    /// Octets of contents in memory.
    pub held: Arc<crate::content::Held>,
    /// Maildrops that have a session.
    pub maildrops: Arc<crate::drive::pop3::Maildrops>,
    pub directory: Arc<crate::directory::Directory>,
    /// The directory server people are read from; `None` where the plan has none, or nobody is asked.
    pub ldap: Option<Arc<crate::ldap::Ldap>>,
    /// Other servers.
    pub world: Arc<crate::world::World>,
    /// Connections to next hops between two messages.
    pub pool: Arc<crate::outbound::Pool>,
    /// Who is connected.
    pub sessions: Arc<crate::sessions::Sessions>,
    /// Where accounts stand.
    pub standings: Arc<crate::standing::Standings>,
    pub teaching: Arc<crate::teaching::Teaching>,
    pub redirects: Arc<crate::redirects::Redirects>,
    /// What people ask for.
    pub requests: Arc<crate::redirects::asked::Requests>,
    pub delegations: Arc<crate::delegations::Delegations>,
    pub room_grants: Arc<crate::quotas::RoomGrants>,
    pub blocks: Arc<crate::blocks::Blocks>,
    /// Who is asked about mail that comes in; `None` where nobody is.
    pub resolver: Option<Arc<crate::authenticate::Resolver>>,
    /// What came in, counted for the domains it says it is from.
    pub tally: Arc<Mutex<crate::reports::Tally>>,
    /// Reports about us that are read at a time.
    pub report_reader: Arc<tokio::sync::Semaphore>,
    /// Bounds the log of refusals.
    pub refusals: Arc<Throttle>,
    pub time_zone: jiff::tz::TimeZone,
    /// Long contents that may be read whole at a time.
    pub long_contents: Arc<tokio::sync::Semaphore>,
    /// Of the hashes in the decision log.
    pub decisions_key: [u8; 32],
    /// Facts of transactions for the decision log.
    pub recording: Arc<crate::recording::Recording>,
    /// Who watches sessions.
    pub transcripts: Arc<crate::transcripts::Transcripts>,
    /// No new mail is taken (`facteur drain`).
    pub draining: Arc<AtomicBool>,
    /// The way out.
    pub spool: Arc<crate::outbound::Spool>,
    pub outcomes: broadcast::Sender<Outcome>,
    /// True once the server is to stop.
    pub stop: watch::Receiver<bool>,
    /// True once even messages under way are cut.
    pub end: Arc<watch::Sender<bool>>,
    pub(crate) rings: Arc<Mutex<Rings>>,
}

impl Service {
    /// The one that serves the plan that runs now.
    pub fn current(self: &Arc<Service>) -> Arc<Service> {
        self.plans.current().unwrap_or_else(|| self.clone())
    }

    /// The plan this one serves.
    pub fn executed(&self) -> Arc<Executed> {
        Arc::new(Executed {
            tables: self.tables.clone(),
            plan: self.plan.clone(),
            plan_full: self.plan_full.clone(),
            serial: self.serial,
            state: self.state,
        })
    }

    pub fn tables(&self) -> Arc<Tables> {
        self.tables.clone()
    }

    /// All windows. Held for a decision, never across an await.
    pub fn rings(&self) -> MutexGuard<'_, Rings> {
        self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Logs, counts and tells an outcome.
    pub fn outcome(&self, outcome: Outcome) {
        let is_logged = self.log(&outcome);
        if is_logged {
            let row = crate::decisions::row(&outcome, &self.plan_full, &self.decisions_key, self.clock.now().0);
            self.metrics.records_dropped.inc_by(u64::from(!self.records.behind(row)));
        }
        if let Some(reason) = outcome.reason {
            // Blocks of managers come and go: in a label they are one rule.
            let rule = if outcome.rule.starts_with("block.") { "block" } else { outcome.rule.as_str() };
            self.metrics.refusals.with_label_values(&[reason.word(), rule]).inc();
        }
        // Nobody may be watching.
        let _ = self.outcomes.send(outcome);
    }

    /// False when a flood left it out.
    fn log(&self, outcome: &Outcome) -> bool {
        if outcome.event.is_loud() {
            match self.refusals.line(clock::unix_s()) {
                Line::Written { left_out: 0 } => {}
                Line::Written { left_out } => tracing::info!(left_out, "refusals were not written here"),
                Line::LeftOut => return false,
            }
        }
        outcome.log(&self.plan);
        true
    }

    /// Today in the institution's time zone, `YYYY-MM-DD`, for grants that end.
    pub fn today(&self) -> String {
        jiff::Timestamp::now().to_zoned(self.time_zone.clone()).date().to_string()
    }

    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    pub fn stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Why this server is not healthy, in a word.
    pub fn trouble(&self) -> Option<&'static str> {
        if self.stopping() {
            return Some("stopping");
        }
        if self.store.is_read_only() {
            return Some("no room on the device");
        }
        None
    }

    /// What is not as it should be while the server is healthy, a line each.
    pub fn detail(&self) -> String {
        let Some(state) = self.ldap.as_deref().map(crate::ldap::Ldap::state) else { return String::new() };
        let stale = if state.is_stale { "directory: stale\n" } else { "" };
        let stopped = if state.stopped.is_some() { "directory: a sync waits for an operator\n" } else { "" };
        format!("{stale}{stopped}")
    }
}

/// Waits until the server is to stop.
pub async fn stopped(stop: &mut watch::Receiver<bool>) {
    // The sender is gone only when the server is.
    let _ = stop.wait_for(|stopping| *stopping).await;
}
