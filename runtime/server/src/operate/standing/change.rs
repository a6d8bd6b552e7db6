//! States by command, and the last day of somebody.

use std::fmt;

use decide::{AccountState, roles};
use serde::{Deserialize, Serialize};
use store::{Op, Origin, PersonSource};

use super::shown::{ShownState, shown};
use super::{day, failed, looked_at, today, with};
use crate::operate::quarantine::because;
use crate::operate::{Context, OperateError, Operation, Progress, Subject, manager, place};
use crate::standing::{GivenState, Standing};

/// What is done to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateAct {
    /// Nobody logs in; mail is kept for when it ends.
    Suspend,
    /// Ends what `Suspend` and `Close` began.
    Resume,
    /// Nothing in, nothing out, nothing erased.
    Hold,
    /// Ends what `Hold` began.
    Release,
    /// Nothing in, nothing out; erased when the policy says.
    Close,
}

impl fmt::Display for StateAct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StateAct::Suspend => "suspend",
            StateAct::Resume => "resume",
            StateAct::Hold => "hold",
            StateAct::Release => "release",
            StateAct::Close => "close",
        })
    }
}

/// `POST /person/state/change`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeState {
    pub login: String,
    pub act: StateAct,
    pub because: String,
    /// The last day of it; `None` until somebody ends it.
    pub until: Option<String>,
    /// The manager who decides.
    pub by: Option<String>,
}

/// `POST /person/leave`: the last day of somebody; none where they stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaveOn {
    pub login: String,
    pub on: Option<String>,
    pub by: Option<String>,
}

impl Operation for ChangeState {
    type Response = ShownState;
    const PATH: &'static str = "/person/state/change";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::ChangeState
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Login(&self.login)
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<ShownState, OperateError> {
        let login = place::login(context, &self.login)?;
        let decider = manager::decider(context, &self, self.by.as_deref())?;
        let because = because(&self.because)?;
        let (today, until) = (today(context), self.until.as_deref().map(day).transpose()?.unwrap_or_default());
        if !until.is_empty() && until < today {
            return Err(OperateError::BadRequest { why: format!("{until} is over") });
        }
        let kept = context.store.person(&login)?.map(|row| Standing::read(&login, &row.standing)).unwrap_or_default();
        let before = kept.state.as_ref().map(|given| given.state);
        let state =
            new_state(self.act, before).map_err(|why| OperateError::BadRequest { why: format!("{login} {why}") })?;
        let given = state.map(|state| GivenState {
            state,
            since: today,
            until: until.clone(),
            because: because.clone(),
            by: decider.name(),
        });
        let end = if until.is_empty() { String::new() } else { format!(", until {until}") };
        let audit = decider.audited(&format!("{} of {login}{end}: {because}", self.act));
        let changed = with(context, |standings, _| {
            standings.change_with(&context.store, &login, vec![audit], Some(0), |standing| standing.state = given)
        });
        let standing = changed.map_err(|error| failed(&login, error))?;
        looked_at(context, &login)?;
        let may = decide::may(standing.account_state());
        if let Some(service) = context.server.as_ref().filter(|_| !(may.read && may.send)) {
            service.sessions.end(&login);
        }
        as_it_is(context, &login)
    }
}

/// What the command makes of the state that another command set; the error says why nothing.
fn new_state(act: StateAct, before: Option<AccountState>) -> Result<Option<AccountState>, &'static str> {
    use AccountState::{Closed, Held, Suspended};
    match (act, before) {
        (StateAct::Release, Some(Held)) => Ok(None),
        (StateAct::Release, _) => Err("is not held"),
        // Whoever keeps it for a reason is asked first.
        (_, Some(Held)) => Err("is held: release it first"),
        (StateAct::Resume, Some(Suspended | Closed)) => Ok(None),
        (StateAct::Resume, _) => Err("is neither suspended nor closed by a command; its dates say when it ends"),
        (StateAct::Suspend, _) => Ok(Some(Suspended)),
        (StateAct::Hold, _) => Ok(Some(Held)),
        (StateAct::Close, _) => Ok(Some(Closed)),
    }
}

impl Operation for LeaveOn {
    type Response = ShownState;
    const PATH: &'static str = "/person/leave";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::ChangeState
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Login(&self.login)
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<ShownState, OperateError> {
        let login = place::login(context, &self.login)?;
        let decider = manager::decider(context, &self, self.by.as_deref())?;
        let until = self.on.as_deref().map(day).transpose()?.unwrap_or_default();
        let Some(row) = context.store.person(&login)? else {
            return Err(OperateError::NoSuchLogin { login: self.login });
        };
        if row.origin.source == PersonSource::Ldap {
            let why = format!("{login} is from the directory server, and so is the last day");
            return Err(OperateError::BadRequest { why });
        }
        let what = if until.is_empty() { format!("{login} stays") } else { format!("{login} leaves on {until}") };
        let ops = vec![
            Op::UpsertPerson {
                person: Box::new(row.person),
                verifier: None,
                mailboxes: Vec::new(),
                origin: Some(Origin { until, ..row.origin }),
            },
            decider.audited(&what),
        ];
        context.store.commit_wait(ops)?;
        looked_at(context, &login)?;
        as_it_is(context, &login)
    }
}

/// Looked at once more: a closed account may be erased by now.
fn as_it_is(context: &Context, login: &mail::Login) -> Result<ShownState, OperateError> {
    match context.store.person(login)? {
        Some(row) => shown(context, &row),
        None => Ok(ShownState {
            login: login.to_string(),
            state: AccountState::Erased.word().to_owned(),
            ..ShownState::default()
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_held_is_released_first_and_what_nobody_began_is_not_ended() {
        use AccountState::{Closed, Held, Suspended};
        use StateAct::{Close, Hold, Release, Resume, Suspend};
        for (act, before, after) in [
            (Suspend, None, Ok(Some(Suspended))),
            (Suspend, Some(Closed), Ok(Some(Suspended))),
            (Suspend, Some(Held), Err(())),
            (Close, Some(Suspended), Ok(Some(Closed))),
            (Close, Some(Held), Err(())),
            (Hold, Some(Suspended), Ok(Some(Held))),
            (Hold, Some(Held), Err(())),
            (Resume, Some(Suspended), Ok(None)),
            (Resume, Some(Closed), Ok(None)),
            (Resume, Some(Held), Err(())),
            (Resume, None, Err(())),
            (Release, Some(Held), Ok(None)),
            (Release, Some(Suspended), Err(())),
            (Release, None, Err(())),
        ] {
            assert_eq!(new_state(act, before).map_err(|_| ()), after, "{act} from {before:?}");
        }
    }
}
