//! Where one account stands.

use decide::{AccountFacts, roles};
use serde::{Deserialize, Serialize};
use store::PersonRow;

use super::{today, with};
use crate::clock;
use crate::compromise::held_of;
use crate::operate::{Context, OperateError, Operation, Progress, Subject, place};
use crate::sessions::{Protocol, SessionOf};
use crate::standing::{GivenState, Lock, Standing, keep};

/// `POST /person/state`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateOf {
    pub login: String,
}

/// States are their words: `active`, `receive-only`. Days are `YYYY-MM-DD` and empty when nobody said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownState {
    pub login: String,
    pub name: String,
    pub state: String,
    /// By command; it wins over the dates.
    pub given: Option<ShownGiven>,
    /// The first and the last day.
    pub registered: String,
    pub until: String,
    /// What the dates bring next; unknown without a server, which knows the policy.
    pub next: Option<ShownChange>,
    pub reads: bool,
    pub sends: bool,
    pub receives: bool,
    pub sending_locked: Option<ShownLock>,
    pub outgoing_held: Option<ShownLock>,
    pub contained: Option<ShownLock>,
    /// Messages that wait while something holds them.
    pub held: u64,
    pub sessions: Vec<ShownSession>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownGiven {
    pub state: String,
    pub since: String,
    pub until: String,
    pub because: String,
    pub by: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownChange {
    pub to: String,
    pub on: String,
}

/// Times are Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownLock {
    pub because: String,
    /// Path in the policy; empty for a command.
    pub rule: String,
    pub by: String,
    pub at_s: i64,
    pub until_s: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownSession {
    pub protocol: Protocol,
    pub peer: String,
    pub since_s: i64,
}

impl From<&GivenState> for ShownGiven {
    fn from(given: &GivenState) -> ShownGiven {
        let GivenState { state, since, until, because, by } = given.clone();
        ShownGiven { state: state.word().to_owned(), since, until, because, by }
    }
}

impl From<&Lock> for ShownLock {
    fn from(lock: &Lock) -> ShownLock {
        let Lock { because, rule, by, at_s, until_s } = lock.clone();
        ShownLock { because, rule, by, at_s, until_s }
    }
}

impl From<SessionOf> for ShownSession {
    fn from(session: SessionOf) -> ShownSession {
        ShownSession { protocol: session.protocol, peer: session.peer.to_string(), since_s: session.since_s }
    }
}

impl Operation for StateOf {
    type Response = ShownState;
    const PATH: &'static str = "/person/state";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::SeePerson
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Login(&self.login)
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<ShownState, OperateError> {
        let login = place::login(context, &self.login)?;
        let Some(row) = context.store.person(&login)? else {
            return Err(OperateError::NoSuchLogin { login: self.login });
        };
        shown(context, &row)
    }
}

/// Where the account of `row` stands now.
pub(super) fn shown(context: &Context, row: &PersonRow) -> Result<ShownState, OperateError> {
    let (login, now_s, today) = (&row.person.login, clock::unix_s(), today(context));
    let standing = Standing::read(login, &row.standing);
    let facts: AccountFacts<'_> = keep::facts_of(row, &standing);
    let plan = context.live.as_ref().map(|live| live.tables.plan());
    let look = plan.map(|plan| decide::look(&plan.accounts, plan.retention.closed_accounts, facts, &today));
    let state = look.map_or(standing.account_state(), |look| look.state);
    let may = decide::may(state);
    let next = plan.and_then(|plan| decide::next_change(&plan.accounts, facts.registered, facts.until, &today));
    let contained = standing.contained.as_ref().map(|contained| ShownLock {
        because: contained.because.clone(),
        rule: String::new(),
        by: contained.by.clone(),
        at_s: contained.at_s,
        until_s: None,
    });
    let is_held = contained.is_some() || standing.outgoing_hold(now_s).is_some();
    let held = if is_held { held_of(&context.store, login.as_str())?.len() as u64 } else { 0 };
    let sessions = with(context, |_, server| server.map(|service| service.sessions.of(login)).unwrap_or_default());
    Ok(ShownState {
        login: login.to_string(),
        name: format!("{} {}", row.person.first, row.person.last),
        state: state.word().to_owned(),
        given: standing.state.as_ref().map(Into::into),
        registered: row.origin.registered.clone(),
        until: row.origin.until.clone(),
        next: next.map(|change| ShownChange { to: change.to.word().to_owned(), on: change.on }),
        reads: may.read && contained.is_none(),
        sends: may.send && contained.is_none() && standing.sending_lock(now_s).is_none(),
        receives: may.receive != decide::Receive::No,
        sending_locked: standing.sending_lock(now_s).map(Into::into),
        outgoing_held: standing.outgoing_hold(now_s).map(Into::into),
        contained,
        held,
        sessions: sessions.into_iter().map(Into::into).collect(),
    })
}
