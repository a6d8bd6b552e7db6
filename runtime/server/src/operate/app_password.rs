//! `facteur person app-password`: secrets of one mail program each.

use decide::roles;
use serde::{Deserialize, Serialize};

use super::{Context, OperateError, Operation, Progress, Subject, audit, place};
use crate::app_passwords::{self, AppPassword, AppPasswords, OF_ONE_MAX};
use crate::clock;

/// Longest name, in octets.
const NAME_OCTETS_MAX: usize = 64;

/// `POST /person/app-password/add`: a new one under a name the login does not use yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddAppPassword {
    pub login: String,
    pub name: String,
}

/// `POST /person/app-password/list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListAppPasswords {
    pub login: String,
}

/// `POST /person/app-password/remove`. It opens nothing from then on, and what is open of the account ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoveAppPassword {
    pub login: String,
    pub name: String,
}

/// The only time the secret is told.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddedAppPassword {
    pub login: String,
    pub name: String,
    pub secret: String,
}

/// What is told of an app password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedAppPassword {
    pub name: String,
    /// Unix seconds.
    pub created_s: i64,
    /// `YYYY-MM-DD` in the institution's time zone. It may be some seconds late.
    pub used_on: Option<String>,
    /// From where, and by which protocol: `imap from 203.0.113.0/24 (outside)`.
    pub used_from: Option<String>,
}

fn change<T>(
    context: &Context,
    login: &mail::Login,
    change: impl FnOnce(&mut Vec<AppPassword>) -> Result<T, OperateError>,
) -> Result<T, OperateError> {
    match &context.server {
        Some(server) => server.app_passwords.change(&context.store, login, change),
        None => AppPasswords::default().change(&context.store, login, change),
    }
}

impl Operation for AddAppPassword {
    type Response = AddedAppPassword;
    const PATH: &'static str = "/person/app-password/add";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::UseOwn
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Login(&self.login)
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<AddedAppPassword, OperateError> {
        let login = place::login(context, &self.login)?;
        let bad = |why: String| OperateError::BadRequest { why };
        if self.name.trim().is_empty() || self.name.len() > NAME_OCTETS_MAX || self.name.contains(char::is_control) {
            return Err(bad(format!("a name has 1 to {NAME_OCTETS_MAX} octets and no control characters")));
        }
        let (one, secret) = AppPassword::draw(&login, &self.name, clock::unix_s());
        change(context, &login, |all| {
            if all.iter().any(|kept| kept.name == one.name) {
                return Err(bad(format!("{login} has an app password {} already; remove it first", one.name)));
            }
            if all.len() >= OF_ONE_MAX {
                return Err(bad(format!("{login} has {OF_ONE_MAX} app passwords, which is as many as there may be")));
            }
            all.push(one);
            Ok(())
        })?;
        audit(context, &format!("app password {} of {login} made", self.name));
        Ok(AddedAppPassword { login: login.to_string(), name: self.name, secret })
    }
}

impl Operation for ListAppPasswords {
    type Response = Vec<ListedAppPassword>;
    const PATH: &'static str = "/person/app-password/list";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::EndAppPasswords
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Login(&self.login)
    }

    fn handle(
        self,
        context: &Context,
        _tell: &mut dyn FnMut(Progress),
    ) -> Result<Vec<ListedAppPassword>, OperateError> {
        let login = place::login(context, &self.login)?;
        let all = app_passwords::of(&context.store, &login)?.into_iter();
        let listed = |AppPassword { name, created_s, used_on, used_from, .. }| ListedAppPassword {
            name,
            created_s,
            used_on,
            used_from,
        };
        Ok(all.map(listed).collect())
    }
}

impl Operation for RemoveAppPassword {
    type Response = bool;
    const PATH: &'static str = "/person/app-password/remove";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::EndAppPasswords
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Login(&self.login)
    }

    /// False when there was none of this name.
    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<bool, OperateError> {
        let login = place::login(context, &self.login)?;
        let removed = change(context, &login, |all| {
            let before = all.len();
            all.retain(|kept| kept.name != self.name);
            Ok(all.len() < before)
        })?;
        if removed {
            audit(context, &format!("app password {} of {login} removed", self.name));
            // Which session it opened is not known: the others log in again by what they have.
            if let Some(server) = &context.server {
                server.sessions.end_programs(&login);
            }
        }
        Ok(removed)
    }
}
