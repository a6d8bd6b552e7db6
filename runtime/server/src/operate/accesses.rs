//! `facteur person accesses`: from where an account was used, by which protocol and program, and how often.

use decide::roles;
use serde::{Deserialize, Serialize};
use store::Access;

use super::{Context, OperateError, Operation, Progress, Subject, audit, place};
use crate::accesses::How;

/// Ways one answer names.
const WAYS_MAX: u32 = 500;

/// `POST /person/accesses`: the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessesOf {
    pub login: String,
}

/// A way an account was used. Times are Unix seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedAccess {
    /// `smtp`, `imap`, `pop`, `portal`.
    pub protocol: String,
    /// The network of the plan.
    pub network: String,
    /// The neighbourhood: an IPv4 /24 or an IPv6 /48.
    pub client: String,
    /// As it calls itself; empty where it does not.
    pub program: String,
    pub first_s: i64,
    pub last_s: i64,
    pub times: u64,
}

impl Operation for AccessesOf {
    type Response = Vec<ListedAccess>;
    const PATH: &'static str = "/person/accesses";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::SeeAccesses
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Login(&self.login)
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<Vec<ListedAccess>, OperateError> {
        let login = place::login(context, &self.login)?;
        if context.who.login() != Some(&login) {
            audit(context, &format!("looked from where {login} logs in"));
        }
        let all = match &context.server {
            Some(server) => server.accesses.of(&context.store, &login, WAYS_MAX)?,
            None => context.store.accesses_of(&login, WAYS_MAX)?,
        };
        Ok(all.iter().filter_map(listed).collect())
    }
}

fn listed(access: &Access) -> Option<ListedAccess> {
    let How { protocol, network, client, program } = How::read(&access.how)?;
    let Access { first_s, last_s, times, .. } = *access;
    Some(ListedAccess { protocol, network, client, program, first_s, last_s, times })
}
