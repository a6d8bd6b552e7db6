//! A plan on trial: somebody confirms it, or it is taken back (`decide::guards` says when).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use decide::guards::{self, Cause, Watched};
use mail::Login;
use queue::MessageFacts;
use store::{QueueId, QueueItem};

use super::slots::{SlotError, Slots};
use super::{PlanState, moved, refused, swap};
use crate::service::{Service, stopped};
use crate::unbound::Missing;
use crate::{clock, durable, metrics, start};

/// A plan on trial is looked at so often.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// What waits is read so often.
const WAITING_EVERY: Duration = Duration::from_secs(10);
/// Looks between two writes of who was refused.
const FLUSH_EVERY: u32 = 120;
/// Of a queue that grew so many messages are looked at, in pages.
const QUEUE_PAGES_MAX: usize = 20;
const QUEUE_PAGE: usize = 500;

/// The plan on trial, and what there was before.
pub(crate) struct Trial {
    before: Arc<Service>,
    /// Seconds since then are those of the monotonic clock: nobody ends or stretches a trial by setting the other one.
    began: Instant,
    began_s: i64,
    until_s: i64,
    panics: u64,
    /// By the name of the work.
    panics_in_background: BTreeMap<&'static str, u64>,
    queue: u64,
    only_tighter: bool,
    engines_down: bool,
    /// Addresses that were missing already.
    unbound: Vec<Missing>,
    /// Listeners waited for health: what they cannot bind once they open is none of the plan's doing.
    waited: bool,
    /// What is down, since when.
    down: BTreeMap<String, i64>,
    /// How many accounts have mail that waits, and when that was looked at.
    waiting: Option<(Instant, u32)>,
}

/// What guards see now, for who deploys.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct GuardsNow {
    /// Accounts refused something in the same hour a week ago.
    pub refused_a_week_ago: u32,
    pub engines_up: usize,
    pub engines: usize,
    pub queue: u64,
}

/// What they see before anything changed.
pub(crate) fn now(service: &Service) -> GuardsNow {
    GuardsNow {
        refused_a_week_ago: refused::a_week_ago(&service.store, clock::unix_s()).unwrap_or(0),
        engines_up: service.engines.iter().filter(|engine| engine.down_for().is_none()).count(),
        engines: service.engines.len(),
        queue: queue(service),
    }
}

fn queue(service: &Service) -> u64 {
    service.store.queue_count().unwrap_or(0)
}

impl Trial {
    /// Begins now; `before` comes back unless it is confirmed.
    pub fn begin(before: Arc<Service>, began_s: i64, until_s: i64, only_tighter: bool) -> Trial {
        before.plans.refused.begin();
        let (panics, queue, engines_down) = (metrics::panics(), queue(&before), engines_down(&before).is_some());
        let panics_in_background = before.served.panics();
        let (unbound, waited) = (before.doors.unbound.all(), !start::still_waiting(&before).is_empty());
        Trial {
            before,
            began: Instant::now(),
            began_s,
            until_s,
            panics,
            panics_in_background,
            queue,
            only_tighter,
            engines_down,
            unbound,
            waited,
            waiting: None,
            down: BTreeMap::new(),
        }
    }

    fn now_s(&self) -> i64 {
        self.began_s.saturating_add(i64::try_from(self.began.elapsed().as_secs()).unwrap_or(i64::MAX))
    }

    fn watched(&mut self, service: &Service) -> Watched {
        let now_s = self.now_s();
        // An address that is not on this machine yet was so before, too; one that was lost on the way was not.
        let was_so = |it: &Missing| self.waited || self.unbound.iter().any(|before| before.is(&it.wanted, it.address));
        let fell = service.doors.down(service, |name| service.doors.unbound.count(name, was_so));
        let mut down: Vec<String> = fell.into_iter().map(|name| format!("listener {name}")).collect();
        // The plan before would not bring engines back that were down under it, nor those both have: somebody floods them.
        let are_others = !same_engines(&self.before, service);
        if are_others && !self.engines_down && engines_down(service).is_some() {
            down.push("every virus engine".to_owned());
        }
        self.down.retain(|what, _| down.contains(what));
        for what in down {
            self.down.entry(what).or_insert(now_s);
        }
        let contained =
            |login: &str| Login::new(login).is_some_and(|login| service.standings.of(&login).contained.is_some());
        let queue = queue(service);
        let grows =
            !self.only_tighter && queue.saturating_sub(self.queue) > self.before.tables.plan().deployment.guards.queue;
        let queue_accounts = if grows { self.waiting_accounts(service, contained) } else { 0 };
        let (in_background, of_old) = self.panics_of_loops(service);
        Watched {
            now_s,
            until_s: self.until_s,
            refused: service.plans.refused.on_trial(clock::unix_s(), contained),
            // Unreadable is as if nobody had been refused: the floor is left.
            refused_a_week_ago: refused::a_week_ago(&service.store, now_s).unwrap_or(0),
            only_tighter: self.only_tighter,
            down: self.down.clone().into_iter().collect(),
            panics: metrics::panics().saturating_sub(self.panics).saturating_sub(of_old),
            panics_in_background: in_background,
            queue,
            queue_before: self.queue,
            queue_accounts,
        }
    }

    /// New panics of work in the background: of what never panicked before, and of what did, which the plan on trial is not to blame for.
    fn panics_of_loops(&self, service: &Service) -> (u64, u64) {
        let (mut new, mut old) = (0_u64, 0_u64);
        for (work, times) in service.served.panics() {
            match self.panics_in_background.get(work) {
                Some(had) => old += times.saturating_sub(*had),
                None => new += times,
            }
        }
        (new, old)
    }

    /// Looked at now and then: it reads what waits.
    fn waiting_accounts(&mut self, service: &Service, but: impl Fn(&str) -> bool) -> u32 {
        if let Some((at, accounts)) = self.waiting
            && at.elapsed() < WAITING_EVERY
        {
            return accounts;
        }
        let floor = self.before.tables.plan().deployment.guards.accounts_floor;
        let accounts = waiting_accounts(service, self.began_s, floor, but);
        self.waiting = Some((Instant::now(), accounts));
        accounts
    }
}

fn same_engines(one: &Service, other: &Service) -> bool {
    let is_kept = |engine: &Arc<crate::scan::Engine>| other.engines.iter().any(|it| Arc::ptr_eq(it, engine));
    one.engines.len() == other.engines.len() && one.engines.iter().all(is_kept)
}

/// Accounts with mail that waits and came since then, but for those `but` names, until they are more than `floor`. Unreadable is as if
/// there were none.
fn waiting_accounts(service: &Service, since_s: i64, floor: u32, but: impl Fn(&str) -> bool) -> u32 {
    // An id begins with the time.
    let mut first = [0; 16];
    let since_ms = u64::try_from(since_s).unwrap_or(0).saturating_mul(1_000);
    first[..6].copy_from_slice(&since_ms.to_be_bytes()[2..]);
    let (mut after, mut accounts) = (QueueId(first), BTreeSet::new());
    for _ in 0..QUEUE_PAGES_MAX {
        let page = service.store.queue_list(Some(after), QUEUE_PAGE).unwrap_or_default();
        let Some(last) = page.last() else { break };
        after = last.queue_id;
        let login = |item: &QueueItem| queue::facts::read::<MessageFacts>(&item.facts).login;
        accounts.extend(page.iter().filter_map(login).map(|login| mail::fold(&login)).filter(|login| !but(login)));
        if accounts.len() > floor as usize {
            break;
        }
    }
    u32::try_from(accounts.len()).unwrap_or(u32::MAX)
}

fn engines_down(service: &Service) -> Option<Duration> {
    let down: Option<Vec<Duration>> = service.engines.iter().map(|engine| engine.down_for()).collect();
    down.and_then(|all| all.into_iter().min())
}

/// Watches the plan on trial until the server stops, and counts who is refused.
pub(crate) async fn keep(service: Arc<Service>) {
    let mut stop = service.stop.clone();
    let mut is_blind = false;
    for turn in 1_u32.. {
        let stopping = tokio::time::timeout(LOOK_EVERY, stopped(&mut stop)).await.is_ok();
        if stopping || turn.is_multiple_of(FLUSH_EVERY) {
            let ops = service.plans.refused.flush(clock::unix_s());
            if !ops.is_empty()
                && let Err(error) = durable::commit(&service.store, ops).await
            {
                tracing::error!("how many accounts were refused could not be kept: {error}");
            }
        }
        if stopping {
            return;
        }
        let worker = service.clone();
        // A panic was counted. A plan nobody can watch goes at the next look, and until it is gone there is a next one.
        is_blind = tokio::spawn(async move { look(&worker, is_blind).await }).await.is_err();
    }
}

async fn look(service: &Arc<Service>, is_blind: bool) {
    let mut changing = service.plans.changing.lock().await;
    let Some(trial) = changing.as_mut() else { return };
    let service = &service.current();
    let cause = if is_blind {
        Some(Cause::Panic)
    } else {
        let rules = trial.before.tables.plan().deployment.guards;
        guards::judge(&rules, &trial.watched(service))
    };
    if let Some(cause) = cause {
        back(service, trial, &cause).await;
        *changing = None;
    }
}

/// Takes the plan on trial back. What goes wrong on the way is said, and does not stop it. The caller forgets the trial once this
/// came to its end, and not before.
pub(crate) async fn back(service: &Arc<Service>, trial: &Trial, cause: &Cause) {
    let before = &trial.before;
    let moved = moved(&service.tables, &before.tables);
    // What is shared is the same in both.
    let old = Service { state: PlanState::Confirmed, ..(**before).clone() };
    let back = swap(service, old, &moved, Vec::new()).await;
    let waiting = start::still_waiting(&back);
    for name in moved.opened.iter().filter(|name| !waiting.contains(name)) {
        // Each for itself: one whose port was taken meanwhile keeps no other closed.
        if let Err(error) = back.doors.reopen(&back, name, Vec::new()) {
            tracing::error!(listener = name, "a listener of the plan before does not come back: {error}");
        }
    }
    back.rings().settle(&back.tables);
    service.metrics.rollbacks.with_label_values(&[cause.word()]).inc();
    tracing::error!(plan = service.plan, back_to = back.plan, cause = cause.word(), "the plan is taken back: {cause}");
    if let Err(error) = note_back(&back, cause) {
        tracing::error!("the history does not know that a plan was taken back: {error}");
    }
    let what = format!("the plan {} was taken back, {} runs again: {cause}", service.plan, back.plan);
    let op = store::Op::Audit { at_s: clock::unix_s(), who: "the server".to_owned(), what };
    if let Err(error) = durable::commit(&back.store, vec![op]).await {
        tracing::error!("the audit does not know that a plan was taken back: {error}");
    }
}

fn note_back(service: &Service, cause: &Cause) -> Result<(), SlotError> {
    let slots = Slots::of(&service.site.data);
    let Some(mut state) = slots.state()? else { return Ok(()) };
    if state.roll_back(cause.word()) {
        slots.write(&state)?;
    }
    Ok(())
}

/// The plan on trial, which `meant` is under, is there to stay. Its short name and serial; `None` where there is none, or another.
pub(crate) async fn confirm(meant: &Arc<Service>) -> Result<Option<(String, u64)>, SlotError> {
    let mut changing = meant.plans.changing.lock().await;
    let service = meant.current();
    if changing.is_none() || service.plan_full != meant.plan_full {
        return Ok(None);
    }
    let slots = Slots::of(&service.site.data);
    let state = slots.state()?.filter(|state| matches!(&state.trial, Some((hash, _)) if *hash == service.plan_full));
    // Whoever is told that it stays has to meet it after a restart.
    let Some(mut state) = state else { return Err(slots.strange("it does not know the plan on trial")) };
    state.confirm();
    slots.write(&state)?;
    *changing = None;
    let confirmed = Arc::new(Service { state: PlanState::Confirmed, ..(*service).clone() });
    confirmed.rings().settle(&confirmed.tables);
    confirmed.plans.set(Some(confirmed.clone()));
    Ok(Some((confirmed.plan.clone(), confirmed.serial)))
}
