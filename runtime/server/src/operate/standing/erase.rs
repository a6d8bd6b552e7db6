//! The end of a closed account before the policy's time.

use decide::{AccountState, roles};
use serde::{Deserialize, Serialize};

use super::failed;
use crate::operate::{Context, OperateError, Operation, Progress, Subject, manager, place};
use crate::standing::erase::erased;
use crate::standing::keep;

/// Where the plan says when it happens by itself.
const RULE: &str = "retention.closed_accounts";

/// `POST /person/erase`: mailboxes, addresses and rights go; the ledger keeps what was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErasePerson {
    pub login: String,
    pub by: Option<String>,
}

impl Operation for ErasePerson {
    type Response = ();
    const PATH: &'static str = "/person/erase";
    const LONG: bool = true;

    fn act(&self) -> roles::Act {
        roles::Act::ErasePerson
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Login(&self.login)
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<(), OperateError> {
        let service = context.server.as_ref().ok_or(OperateError::NoServer)?;
        let login = place::login(context, &self.login)?;
        let decider = manager::decider(context, &self, self.by.as_deref())?;
        keep::look_at(service, &login).map_err(|error| failed(&login, error))?;
        // Looking may have been its end.
        let Some(row) = context.store.person(&login)? else { return Ok(()) };
        let state = service.standings.of(&login).account_state();
        if state != AccountState::Closed {
            let why = format!("{login} is {}: only a closed account is erased", state.word());
            return Err(OperateError::Refused { why, rule: RULE.to_owned() });
        }
        erased(service, &row, &decider.to_string()).map_err(|error| failed(&login, error))
    }
}
