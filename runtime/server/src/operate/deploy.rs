//! Another plan for a running server: deploy it on trial, confirm it, take it back, say what ran.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use decide::Tables;
use decide::roles::Act;
use plan::{PlanHash, SourceMap};
use serde::{Deserialize, Serialize};

use super::{Context, OperateError, Operation, Progress, audit};
use crate::keys::{self, Admitted};
pub use crate::plans::slots::{End as PlanEnd, Entry as PlanEntry};
use crate::plans::slots::{Incoming, Slots, State};
pub use crate::plans::trial::GuardsNow;
use crate::plans::trial::{self, Trial};
use crate::plans::{Moved, Named, PlanState, bind_new, moved, next_hops, swap, under};
use crate::service::Service;
use crate::{clock, durable, start};

/// Shortest and longest trial, in seconds.
pub const TRIAL_S: std::ops::RangeInclusive<u64> = 5..=86_400;
/// What a reason may be long.
const REASON_CHARS_MAX: usize = 500;
/// Listed of what becomes invalid.
const LISTED_MAX: usize = 50;
/// A scanner or next hop answers within this.
const REACHED_MAX: Duration = Duration::from_secs(5);

/// Puts a plan on trial. Answered once it runs.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Deploy {
    /// Canonical text.
    pub plan: String,
    /// Its source map, for `explain`.
    pub map: Option<String>,
    pub signature: Option<String>,
    /// How long it is on trial; 0 leaves it to the plan.
    pub confirm_s: u64,
    pub reason: String,
    /// It may allow more than the plan before (L1007).
    pub ack_loosen: bool,
    /// Listeners that may be restarted (E1005).
    pub restart: Vec<String>,
    /// The caller's comparison of both policies: it only forbids more, and how it differs.
    #[serde(default)]
    pub only_tighter: bool,
    #[serde(default)]
    pub summary: String,
    /// Full hash of the plan it was compared with; empty is any. Another one that runs by now was compared with nothing.
    #[serde(default)]
    pub over: String,
}

/// What became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeployedPlan {
    /// Short names.
    pub before: String,
    pub plan: String,
    pub serial: u64,
    pub since_s: i64,
    pub until_s: i64,
    pub opened: Vec<String>,
    pub closed: Vec<String>,
    pub restarted: Vec<String>,
    /// Redirects the new plan does not allow, each with why, as many as are listed.
    pub redirects: Vec<String>,
    pub redirects_invalid: usize,
    /// Grants of room it does not allow.
    pub grants_invalid: usize,
    /// What becomes of counters, where it is not obvious.
    pub counters: Vec<String>,
    /// What should be seen to.
    pub warnings: Vec<String>,
    /// Who signed it; empty where no key is enrolled.
    pub signed_by: Vec<String>,
    pub connections: u64,
    pub guards: GuardsNow,
}

/// What came of a request about the plan that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlanAnswer<T> {
    Runs(T),
    /// Nothing changed.
    Refused {
        why: String,
        /// A code, or a path in the policy.
        rule: String,
    },
}

/// A refusal is an answer, everything else went wrong.
fn answered<T>(result: Result<T, OperateError>) -> Result<PlanAnswer<T>, OperateError> {
    match result {
        Ok(plan) => Ok(PlanAnswer::Runs(plan)),
        Err(OperateError::Refused { why, rule }) => Ok(PlanAnswer::Refused { why, rule }),
        Err(OperateError::NotSigned { why }) => Ok(PlanAnswer::Refused { why, rule: "E1001".to_owned() }),
        Err(error) => Err(error),
    }
}

/// Says that the plan on trial is to stay. It comes on a connection of its own: whoever cannot reach the server any more cannot
/// confirm what brought that about.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Confirm {
    /// Short or full hash of the plan that is meant; empty is whichever is on trial.
    #[serde(default)]
    pub plan: String,
}

/// A plan that runs now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningPlan {
    pub plan: String,
    pub serial: u64,
}

/// Takes the plan on trial back, or puts a former one in the place of the one that runs, for good.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RollBack {
    /// Short or full hash of one in the history.
    pub to: Option<String>,
    pub reason: String,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct History {}

/// The last plans, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanHistory {
    pub confirmed: String,
    pub trial_until_s: Option<i64>,
    /// Hashes are short.
    pub plans: Vec<PlanEntry>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Deployed {}

/// The plan that runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanNow {
    /// Canonical text.
    pub plan: String,
    pub map: Option<String>,
    pub hash: String,
    pub serial: u64,
    pub trial_until_s: Option<i64>,
}

/// Says that this machine is healthy: listeners that waited for it open.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Healthy {
    /// Short or full hash of the plan that was found healthy; empty is any.
    pub plan: String,
    /// An address that cannot be bound keeps the others from nothing.
    #[serde(default)]
    pub bears_unbound: bool,
}

/// Listeners that opened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NowOpen {
    pub opened: BTreeMap<String, Vec<std::net::SocketAddr>>,
}

fn no(code: &str, why: impl Into<String>) -> OperateError {
    OperateError::Refused { why: why.into(), rule: code.to_owned() }
}

fn server(context: &Context) -> Result<Arc<Service>, OperateError> {
    context.server.clone().map(|server| server.current()).ok_or(OperateError::NoServer)
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    // Handlers run on threads that may block.
    tokio::runtime::Handle::current().block_on(work)
}

impl Operation for Deploy {
    type Response = PlanAnswer<DeployedPlan>;
    const PATH: &'static str = "/deploy";
    const LONG: bool = true;
    /// A plan, its map, and the escapes of JSON.
    const OCTETS_MAX: usize = 64 << 20;

    fn act(&self) -> Act {
        Act::DeployPlan
    }

    fn handle(self, context: &Context, _: &mut dyn FnMut(Progress)) -> Result<Self::Response, OperateError> {
        let service = server(context)?;
        let author = context.who.to_string();
        let deployed = answered(block_on(deploy(&service, self, &author)))?;
        if let PlanAnswer::Runs(DeployedPlan { before, plan, serial, .. }) = &deployed {
            audit(context, &format!("plan {plan} runs on trial instead of {before}, serial {serial}"));
        }
        Ok(deployed)
    }
}

/// A plan that may run here, and what came of looking at it.
struct Verified {
    new: Service,
    moved: Moved,
    text: String,
    admitted: Admitted,
    warnings: Vec<String>,
}

async fn deploy(service: &Arc<Service>, asked: Deploy, author: &str) -> Result<DeployedPlan, OperateError> {
    let mut changing = service.plans.changing.lock().await;
    goes_on(service)?;
    let service = service.current();
    if changing.is_some() {
        return Err(no("deploy", "a plan is on trial already: `facteur confirm` or `facteur rollback` first"));
    }
    if !asked.over.is_empty() && asked.over != service.plan_full {
        let why = format!("{} runs now, and this was compared with another plan: look at it again", service.plan);
        return Err(no("deploy", why));
    }
    let slots = Slots::of(&service.site.data);
    let mut state = slots.state().map_err(bad)?.ok_or_else(keeps_none)?;
    let trial_s = match asked.confirm_s {
        0 => service.tables.plan().deployment.trial_s,
        asked => asked,
    };
    if !TRIAL_S.contains(&trial_s) {
        return Err(no("deploy", format!("a trial lasts {} s to {} s", TRIAL_S.start(), TRIAL_S.end())));
    }
    let Verified { mut new, moved, text, admitted, mut warnings } = verified(&service, &asked, Some(author)).await?;
    warnings.extend(unreached(&service, &new.tables).await);
    // Whoever was waited for until here takes nothing of the trial.
    let began_s = clock::unix_s();
    let until_s = began_s.saturating_add(i64::try_from(trial_s).unwrap_or(i64::MAX));
    let bound = bind_new(&new, &moved).map_err(|error| no("deploy", error.to_string()))?;
    new.state = PlanState::Trial { until_s };
    let loosens = !decide::loosened(&service.tables, &new.tables).is_empty();
    let hash = slots.keep(&text, asked.map.as_deref(), asked.signature.as_deref()).map_err(bad)?;
    let (reason, summary) = (line(&asked.reason), line(&asked.summary));
    state.on_trial(Incoming { hash: hash.clone(), at_s: began_s, author: author.to_owned(), reason, summary }, until_s);
    new.serial = state.serial(&hash);
    if !admitted.ops.is_empty() {
        durable::commit(&service.store, admitted.ops).await?;
    }
    slots.write(&state).map_err(bad)?;
    let counters = decide::carried(&service.tables, &new.tables);
    let (redirects, redirects_invalid) = redirects(&service, &new.tables);
    let grants_invalid = grants(&service, &new.tables);
    let guards = trial::now(&service);
    // First: whatever becomes of the swap, somebody takes it back.
    *changing = Some(Trial::begin(service.clone(), began_s, until_s, asked.only_tighter && !loosens));
    let new = swap(&service, new, &moved, bound).await;
    let Moved { opened, closed, restarted } = moved;
    Ok(DeployedPlan {
        before: service.plan.clone(),
        plan: new.plan.clone(),
        serial: new.serial,
        since_s: began_s,
        until_s,
        opened,
        closed,
        restarted,
        redirects,
        redirects_invalid,
        grants_invalid,
        counters,
        warnings,
        signed_by: admitted.by,
        connections: new.admission.open(),
        guards,
    })
}

/// A server that stops changes its plan no more: what would work under another one had to end before.
fn goes_on(service: &Service) -> Result<(), OperateError> {
    if service.stopping() { Err(no("deploy", "the server stops")) } else { Ok(()) }
}

fn keeps_none() -> OperateError {
    no("deploy", "this server keeps no plans")
}

/// Words of somebody, as one line of the history and of a terminal.
fn line(words: &str) -> String {
    words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(REASON_CHARS_MAX).collect()
}

fn bad(error: crate::plans::slots::SlotError) -> OperateError {
    OperateError::file(&error.path.clone(), error.why)
}

/// Looks at a plan again, whoever compiled it (policy-language 9, sequence 1). Nobody brings one that ran here before.
async fn verified(service: &Arc<Service>, asked: &Deploy, brought_by: Option<&str>) -> Result<Verified, OperateError> {
    let (plan, hash) = plan::read(&asked.plan).map_err(|error| no("E1002", error.to_string()))?;
    if hash.full() == service.plan_full {
        return Err(signed_again(service, asked, brought_by.unwrap_or_default()).await?);
    }
    of_this_plan(asked.map.as_deref(), &hash)?;
    let admitted = if brought_by.is_none() {
        Admitted { by: Vec::new(), said: None, ops: Vec::new() }
    } else {
        keys::admit(&service.store, &hash.full(), asked.signature.as_deref(), clock::unix_s())?
    };
    let tables = Arc::new(Tables::new(plan).map_err(|error| no("deploy", error.to_string()))?);
    let impossible = start::impossible(&tables);
    if !impossible.is_empty() {
        return Err(no("deploy", format!("this plan cannot be served: {}", impossible.join("; "))));
    }
    let loosened = decide::loosened(&service.tables, &tables);
    if !loosened.is_empty() && !asked.ack_loosen {
        let some: Vec<&str> = loosened.iter().take(LISTED_MAX).map(String::as_str).collect();
        return Err(no("L1007", format!("the change loosens {}; if that is meant, `--ack loosen`", some.join(", "))));
    }
    let moved = moved(&service.tables, &tables);
    let wanted: Vec<&str> =
        moved.restarted.iter().filter(|name| !asked.restart.contains(name)).map(String::as_str).collect();
    if !wanted.is_empty() {
        let names = wanted.join(", ");
        return Err(no("E1005", format!("the change needs a restart of {names}: `--restart {}`", wanted.join(","))));
    }
    if service.tables.plan().portal.is_some() != tables.plan().portal.is_some() {
        return Err(no("E1005", "the portal comes or goes with a restart of the server"));
    }
    let mut warnings: Vec<String> =
        start::unserved(&tables).into_iter().map(|line| format!("not executed: {line}")).collect();
    let without = moved.opened.iter().filter(|name| !service.site.listeners.contains_key(*name));
    warnings.extend(without.map(|name| format!("the site gives no address for {name}: it does not listen")));
    let named = Named { hash, serial: 0, state: PlanState::Confirmed };
    let new = under(service, tables, named).map_err(|why| no("deploy", why))?;
    engines_answer(service, &new).await?;
    Ok(Verified { new, moved, text: asked.plan.clone(), admitted, warnings })
}

/// What is said of a plan that runs already. Where its signatures do not hold any more and new ones do, those are kept.
async fn signed_again(service: &Service, asked: &Deploy, author: &str) -> Result<OperateError, OperateError> {
    let runs = format!("{} runs already", service.plan);
    if asked.signature.is_none() || keys::broken(service).is_none() {
        return Ok(no("deploy", runs));
    }
    let admitted = keys::admit(&service.store, &service.plan_full, asked.signature.as_deref(), clock::unix_s())?;
    let slots = Slots::of(&service.site.data);
    slots.keep(&asked.plan, None, asked.signature.as_deref()).map_err(bad)?;
    let what =
        format!("plan {} has new signatures, of {}: {}", service.plan, admitted.by.join(", "), line(&asked.reason));
    let mut ops = admitted.ops;
    ops.push(store::Op::Audit { at_s: clock::unix_s(), who: author.to_owned(), what });
    durable::commit(&service.store, ops).await?;
    Ok(no("deploy", format!("{runs}; the signatures that came with it hold and are kept")))
}

/// A map is kept only beside the plan it is of: `explain` would quote it to people who were refused.
fn of_this_plan(map: Option<&str>, hash: &PlanHash) -> Result<(), OperateError> {
    let Some(text) = map else { return Ok(()) };
    let wrong = |why: String| no("deploy", format!("the source map is not one of this plan: {why}"));
    let map: SourceMap = ron::from_str(text).map_err(|error| wrong(error.to_string()))?;
    map.check(hash).map_err(|why| wrong(why.to_string()))
}

/// An engine that comes in has to answer: with it down mail would wait or pass unseen.
async fn engines_answer(service: &Service, new: &Service) -> Result<(), OperateError> {
    let known = |engine: &Arc<crate::scan::Engine>| service.engines.iter().any(|it| Arc::ptr_eq(it, engine));
    for engine in new.engines.iter().filter(|engine| !known(engine)) {
        let answered = tokio::time::timeout(REACHED_MAX, engine.probe()).await.is_ok();
        if !answered || engine.down_for().is_some() {
            return Err(no(
                &format!("scanners.{}", engine.name),
                format!("{} gives no verdict on a probe", engine.name),
            ));
        }
    }
    Ok(())
}

/// Next hops that are new and do not answer. They may be down for a moment: that is no reason to keep a plan away.
async fn unreached(service: &Service, new: &Tables) -> Vec<String> {
    let known = next_hops(service.tables.plan());
    let mut warnings = Vec::new();
    if service.site.outbound == crate::site::Outbound::Sink {
        return warnings;
    }
    // Side by side: nobody deploys, confirms or goes back meanwhile.
    let mut asked = tokio::task::JoinSet::new();
    for hop in next_hops(new.plan()).difference(&known) {
        let (hop, address) = (hop.clone(), service.site.host(hop));
        asked.spawn(async move {
            let connecting = async {
                match address {
                    Some(address) => tokio::net::TcpStream::connect(address).await,
                    None => tokio::net::TcpStream::connect(hop.as_str()).await,
                }
            };
            match tokio::time::timeout(REACHED_MAX, connecting).await {
                Ok(Ok(_)) => None,
                Ok(Err(error)) => Some(format!("{hop} does not answer: {error}")),
                Err(_) => Some(format!("{hop} does not answer within {} s", REACHED_MAX.as_secs())),
            }
        });
    }
    while let Some(told) = asked.join_next().await {
        warnings.extend(told.ok().flatten());
    }
    warnings.sort();
    warnings
}

/// Redirects that held and do not hold under the new plan.
fn redirects(service: &Service, new: &Tables) -> (Vec<String>, usize) {
    let today = service.today();
    let all = service.redirects.all();
    let lost = all.iter().filter_map(|(login, redirect)| {
        redirect.holds(&service.tables, &today).ok()?;
        redirect.holds(new, &today).err().map(|stop| format!("{login}: {}", crate::redirects::words(&stop)))
    });
    let lost: Vec<String> = lost.collect();
    let count = lost.len();
    (lost.into_iter().take(LISTED_MAX).collect(), count)
}

/// Grants of room nobody could give any more.
fn grants(service: &Service, new: &Tables) -> usize {
    let lost = |login: &str, octets: u64| {
        let login = mail::Login::new(login)?;
        let person = service.store.person(&login).ok()??.person;
        let may = |tables: &Tables| crate::quotas::may_grant(tables.plan(), &person.profile, octets).is_ok();
        (may(&service.tables) && !may(new)).then_some(())
    };
    service.room_grants.all().iter().filter_map(|(login, grant)| lost(login, grant.octets)).count()
}

impl Operation for Confirm {
    type Response = PlanAnswer<RunningPlan>;
    const PATH: &'static str = "/confirm";
    const LONG: bool = false;

    fn act(&self) -> Act {
        Act::DeployPlan
    }

    fn handle(self, context: &Context, _: &mut dyn FnMut(Progress)) -> Result<Self::Response, OperateError> {
        let service = server(context)?;
        let other = |runs: &Service| ![&runs.plan, &runs.plan_full, &String::new()].contains(&&self.plan);
        if other(&service) {
            return answered(Err(no("deploy", format!("{} runs, not {}{}", service.plan, self.plan, last(&service)))));
        }
        match block_on(trial::confirm(&service)).map_err(bad)? {
            Some((plan, serial)) => {
                service.plans.seen_to(&Slots::of(&service.site.data));
                audit(context, &format!("plan {plan} is confirmed, serial {serial}"));
                Ok(PlanAnswer::Runs(RunningPlan { plan, serial }))
            }
            // One that was taken back meanwhile is not the one somebody said is to stay.
            None if service.current().plan_full == service.plan_full
                && service.plans.seen_to(&Slots::of(&service.site.data)) =>
            {
                audit(context, &format!("plan {} is to stay, though plans were damaged", service.plan));
                Ok(PlanAnswer::Runs(RunningPlan { plan: service.plan.clone(), serial: service.serial }))
            }
            None => {
                let service = service.current();
                answered(Err(no("deploy", format!("no plan is on trial, {} runs{}", service.plan, last(&service)))))
            }
        }
    }
}

/// What became of the last one, where it was taken back.
fn last(service: &Service) -> String {
    let state = Slots::of(&service.site.data).state().ok().flatten();
    match state.as_ref().and_then(|state| state.history.first()) {
        Some(PlanEntry { hash, end: PlanEnd::RolledBack(cause), .. }) => {
            format!("; {} was rolled back: {cause}", crate::plans::slots::short(hash))
        }
        Some(_) | None => String::new(),
    }
}

impl Operation for RollBack {
    type Response = PlanAnswer<RunningPlan>;
    const PATH: &'static str = "/rollback";
    const LONG: bool = true;

    fn act(&self) -> Act {
        Act::DeployPlan
    }

    fn handle(self, context: &Context, _: &mut dyn FnMut(Progress)) -> Result<Self::Response, OperateError> {
        let service = server(context)?;
        let answer = answered(block_on(roll_back(&service, &self, &context.who.to_string())))?;
        if let PlanAnswer::Runs(RunningPlan { plan, .. }) = &answer {
            audit(context, &format!("plan {plan} runs again instead of {}: {}", service.plan, line(&self.reason)));
        }
        Ok(answer)
    }
}

async fn roll_back(service: &Arc<Service>, asked: &RollBack, author: &str) -> Result<RunningPlan, OperateError> {
    let mut changing = service.plans.changing.lock().await;
    goes_on(service)?;
    let service = service.current();
    let slots = Slots::of(&service.site.data);
    // Before anything changes: whoever is refused finds everything as it was.
    if let Some(to) = &asked.to {
        let state = slots.state().map_err(bad)?.ok_or_else(keeps_none)?;
        let entry = former(&state, to)?;
        // The one a trial would go back to by itself is not picked out of the history, and one a file named at a start never had any.
        if !state.is_from_file(&entry.hash) && (changing.is_none() || entry.hash != state.confirmed) {
            keys::signed_today(&service.store, &slots, &entry.hash)?;
        }
    }
    if let Some(trial) = changing.as_ref() {
        trial::back(&service, trial, &decide::guards::Cause::Asked).await;
        *changing = None;
        let back = service.current();
        let is_wanted = asked.to.as_ref().is_none_or(|to| *to == back.plan || *to == back.plan_full);
        if is_wanted {
            return Ok(RunningPlan { plan: back.plan.clone(), serial: back.serial });
        }
    }
    let service = service.current();
    let mut state = slots.state().map_err(bad)?.ok_or_else(keeps_none)?;
    let entry = match &asked.to {
        Some(to) => former(&state, to)?,
        None => state.before().ok_or_else(|| no("deploy", "no plan ran before this one"))?,
    };
    let text = slots.plan(&entry.hash).map_err(bad)?;
    // What a file named at a start came with the machine and never had signatures.
    if asked.to.is_none() && !state.is_from_file(&entry.hash) {
        keys::signed_today(&service.store, &slots, &entry.hash)?;
    }
    // It ran here before: what it loosens and restarts is meant. It has to be servable all the same.
    let all = moved(&service.tables, &tables_of(&text)?).restarted;
    let again = Deploy { plan: text, ack_loosen: true, restart: all, ..Deploy::default() };
    let Verified { mut new, moved, text, .. } = verified(&service, &again, None).await?;
    let bound = bind_new(&new, &moved).map_err(|error| no("deploy", error.to_string()))?;
    let hash = plan::hash(&text).full();
    let reason = line(&asked.reason);
    let summary = format!("back to serial {}", state.serial(&hash));
    let of = Incoming { hash: hash.clone(), at_s: clock::unix_s(), author: author.to_owned(), reason, summary };
    state.take_over(of, false);
    new.serial = state.serial(&hash);
    slots.write(&state).map_err(bad)?;
    let new = swap(&service, new, &moved, bound).await;
    new.rings().settle(&new.tables);
    new.plans.seen_to(&slots);
    Ok(RunningPlan { plan: new.plan.clone(), serial: new.serial })
}

/// A plan that was there to stay. One that only was on trial would come in without one.
fn former<'a>(state: &'a State, to: &str) -> Result<&'a PlanEntry, OperateError> {
    let entry = state.find(to).ok_or_else(|| no("deploy", format!("the history has no plan {to}")))?;
    if state.stayed(entry) {
        return Ok(entry);
    }
    let why = format!("{to} was on trial and never confirmed: `facteur deploy` it, or `facteur confirm` while it is");
    Err(no("deploy", why))
}

fn tables_of(text: &str) -> Result<Tables, OperateError> {
    let (plan, _) = plan::read(text).map_err(|error| no("E1002", error.to_string()))?;
    Tables::new(plan).map_err(|error| no("deploy", error.to_string()))
}

impl Operation for History {
    type Response = PlanHistory;
    const PATH: &'static str = "/history";
    const LONG: bool = false;

    fn act(&self) -> Act {
        Act::SeePlans
    }

    fn handle(self, context: &Context, _: &mut dyn FnMut(Progress)) -> Result<PlanHistory, OperateError> {
        let state = Slots::of(&context.data).state().map_err(bad)?;
        let Some(State { confirmed, trial, history }) = state else { return Ok(PlanHistory::default()) };
        let short = |entry: PlanEntry| PlanEntry { hash: crate::plans::slots::short(&entry.hash), ..entry };
        Ok(PlanHistory {
            confirmed: crate::plans::slots::short(&confirmed),
            trial_until_s: trial.map(|(_, until_s)| until_s),
            plans: history.into_iter().map(short).collect(),
        })
    }
}

impl Operation for Deployed {
    type Response = PlanNow;
    const PATH: &'static str = "/deployed";
    const LONG: bool = false;

    fn act(&self) -> Act {
        Act::SeePlans
    }

    fn handle(self, context: &Context, _: &mut dyn FnMut(Progress)) -> Result<PlanNow, OperateError> {
        let slots = Slots::of(&context.data);
        let Some(service) = &context.server else {
            // Nothing runs: what a start would serve.
            let found = slots.found();
            let (plan, hash, serial) = match (found.plan, found.state) {
                (Some((hash, plan)), state) => (plan, hash.clone(), state.map_or(0, |state| state.serial(&hash))),
                (None, Some(state)) => {
                    let plan = slots.plan(&state.confirmed).map_err(bad)?;
                    (plan, state.confirmed.clone(), state.serial(&state.confirmed))
                }
                (None, None) => return Err(OperateError::NoServer),
            };
            return Ok(PlanNow { plan, map: slots.map(&hash).map_err(bad)?, hash, serial, trial_until_s: None });
        };
        let executed = service.current().executed();
        Ok(PlanNow {
            plan: plan::emit(executed.tables.plan()),
            map: slots.map(&executed.plan_full).map_err(bad)?,
            hash: executed.plan_full.clone(),
            serial: executed.serial,
            trial_until_s: match executed.state {
                PlanState::Confirmed => None,
                PlanState::Trial { until_s } => Some(until_s),
            },
        })
    }
}

impl Operation for Healthy {
    type Response = NowOpen;
    const PATH: &'static str = "/healthy";
    const LONG: bool = false;

    fn handle(self, context: &Context, _: &mut dyn FnMut(Progress)) -> Result<NowOpen, OperateError> {
        let service = server(context)?;
        if ![&service.plan, &service.plan_full, &String::new()].contains(&&self.plan) {
            return Err(no("healthy", format!("{} runs, not {}", service.plan, self.plan)));
        }
        let opening = async {
            // Not while another plan comes in: each would open what it knows.
            let _changing = service.plans.changing.lock().await;
            start::open_waiting(&service.current(), self.bears_unbound)
        };
        block_on(opening).map(|opened| NowOpen { opened }).map_err(|error| no("healthy", error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_one_line_whatever_was_typed() {
        assert_eq!(line("ticket\n4417 \u{1b}[31mred"), "ticket 4417  [31mred");
        assert_eq!(line(&"é".repeat(600)).chars().count(), REASON_CHARS_MAX);
    }
}
