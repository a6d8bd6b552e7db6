//! `facteur delegate`: who sends in whose name, until a day.

use std::sync::Arc;

use decide::roles;
use mail::Login;
use serde::{Deserialize, Serialize};

use super::manager::decider;
use super::{Context, OperateError, Operation, Progress, Subject, place};
use crate::clock;
pub use crate::delegations::Manner;
use crate::delegations::{Delegation, OF_ONE_MAX};
use crate::notices::{self, Words};
use crate::service::Service;

/// `POST /delegate/add`: `to` may send in the name of `login`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddDelegation {
    pub login: String,
    pub to: String,
    pub manner: Manner,
    pub because: String,
    /// The last day, `YYYY-MM-DD`; without one there is no end.
    pub until: Option<String>,
    /// The manager, or the owner.
    pub by: Option<String>,
}

/// `POST /delegate/end`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndDelegation {
    pub login: String,
    pub to: String,
    pub by: Option<String>,
}

/// `POST /delegate/list`: who sends in the name of `login`, and in whose name they send; of everybody where none is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListDelegations {
    pub login: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedDelegation {
    /// Whose name it is.
    pub login: String,
    pub to: String,
    pub manner: Manner,
    pub because: String,
    pub until: String,
    pub by: String,
    pub at_s: i64,
    /// False once it ended.
    pub holds: bool,
}

pub(super) fn server(context: &Context) -> Result<&Arc<Service>, OperateError> {
    context.server.as_ref().ok_or(OperateError::NoServer)
}

pub(super) fn bad(why: impl Into<String>) -> OperateError {
    OperateError::BadRequest { why: why.into() }
}

/// A day that is not over, or none.
pub(super) fn last_day(service: &Service, until: Option<&str>) -> Result<String, OperateError> {
    let Some(day) = until.map(str::trim).filter(|day| !day.is_empty()) else { return Ok(String::new()) };
    let is_day = day.len() == "2026-11-30".len() && day.parse::<jiff::civil::Date>().is_ok();
    if !is_day {
        return Err(OperateError::BadDate { text: day.to_owned() });
    }
    if day < service.today().as_str() {
        return Err(bad("that day is over"));
    }
    Ok(day.to_owned())
}

/// What a contained account gave rests, as when mail is submitted.
fn listed(service: &Service, owner: &Login, to: &Login, delegation: Delegation) -> ListedDelegation {
    let holds = delegation.holds(&service.today()) && service.standings.of(owner).contained.is_none();
    let Delegation { manner, because, until, by, at_s } = delegation;
    ListedDelegation { login: owner.to_string(), to: to.to_string(), manner, because, until, by, at_s, holds }
}

impl Operation for AddDelegation {
    type Response = ListedDelegation;
    const PATH: &'static str = "/delegate/add";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::Delegate
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Login(&self.login)
    }

    fn handle(self, context: &Context, _: &mut dyn FnMut(Progress)) -> Result<ListedDelegation, OperateError> {
        let service = server(context)?;
        let decider = decider(context, &self, self.by.as_deref())?;
        let (owner, to) = (place::login(context, &self.login)?, place::login(context, &self.to)?);
        if owner == to {
            return Err(bad("everybody sends in their own name"));
        }
        if self.because.trim().is_empty() {
            return Err(bad("say why: it is shown to the owner"));
        }
        let until = last_day(service, self.until.as_deref())?;
        if service.delegations.of(&to, &owner).is_none() && service.delegations.is_full(&to) {
            return Err(bad(format!("{to} sends for {OF_ONE_MAX} others already")));
        }
        let (by, at_s) = (decider.name(), clock::unix_s());
        let delegation = Delegation { manner: self.manner, because: self.because, until, by, at_s };
        let (manner, end) = match delegation.manner {
            Manner::As => ("as", &delegation.until),
            Manner::OnBehalf => ("on behalf of", &delegation.until),
        };
        let end = if end.is_empty() { "without end".to_owned() } else { format!("until {end}") };
        let audited = decider.audited(&format!("{to} may send {manner} {owner} {end}: {}", delegation.because));
        context.store.commit_wait(vec![service.delegations.op(&to, &owner, Some(&delegation)), audited])?;
        service.delegations.put(&to, &owner, Some(delegation.clone()));
        tell_owner(service, &owner, &to, &delegation);
        Ok(listed(service, &owner, &to, delegation))
    }
}

/// The owner hears of it where somebody else gave it.
fn tell_owner(service: &Arc<Service>, owner: &Login, to: &Login, delegation: &Delegation) {
    if delegation.by.eq_ignore_ascii_case(owner.as_str()) {
        return;
    }
    let Ok(Some(row)) = service.store.person(owner) else { return };
    let (by, because) = (&delegation.by, &delegation.because);
    let (jusque, until) = match delegation.until.as_str() {
        "" => ("sans date de fin".to_owned(), "without an end".to_owned()),
        day => (format!("jusqu'au {day} inclus"), format!("until {day}, that day included")),
    };
    let words = Words {
        subject: "Quelqu'un peut écrire en votre nom / Somebody may write in your name".to_owned(),
        french: format!(
            "{to} peut désormais envoyer du courrier en votre nom, {jusque}.\r\n\
             Accordé par {by} : {because}\r\n\
             Vous pouvez y mettre fin à tout moment sur le portail, ou en répondant à ce message."
        ),
        english: format!(
            "{to} may now send mail in your name, {until}.\r\n\
             Given by {by}: {because}\r\n\
             You can end this at any time in the portal, or by answering this message."
        ),
    };
    tell_later(service, row.person.address, words);
}

/// Sends a notice without waiting for it.
pub(super) fn tell_later(service: &Arc<Service>, to: mail::Address, words: Words) {
    let service = service.clone();
    // A command without a server tells nobody.
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(async move { notices::tell(&service, &to, words, Vec::new()).await });
    }
}

impl Operation for EndDelegation {
    type Response = bool;
    const PATH: &'static str = "/delegate/end";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::Delegate
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Login(&self.login)
    }

    /// False when there was none.
    fn handle(self, context: &Context, _: &mut dyn FnMut(Progress)) -> Result<bool, OperateError> {
        let service = server(context)?;
        let decider = decider(context, &self, self.by.as_deref())?;
        let no_login = |text: &str| OperateError::NoSuchLogin { login: text.to_owned() };
        // Whoever has left still can be taken off the list.
        let owner = Login::new(&self.login).ok_or_else(|| no_login(&self.login))?;
        let to = Login::new(&self.to).ok_or_else(|| no_login(&self.to))?;
        if service.delegations.of(&to, &owner).is_none() {
            return Ok(false);
        }
        let audited = decider.audited(&format!("{to} may no longer send for {owner}"));
        context.store.commit_wait(vec![service.delegations.op(&to, &owner, None), audited])?;
        service.delegations.put(&to, &owner, None);
        Ok(true)
    }
}

impl Operation for ListDelegations {
    type Response = Vec<ListedDelegation>;
    const PATH: &'static str = "/delegate/list";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::SeeRights
    }

    fn subject(&self) -> Subject<'_> {
        self.login.as_deref().map_or(Subject::Nobody, Subject::Login)
    }

    fn handle(self, context: &Context, _: &mut dyn FnMut(Progress)) -> Result<Vec<ListedDelegation>, OperateError> {
        let service = server(context)?;
        let about = self.login.as_deref().map(|login| place::login(context, login)).transpose()?;
        let is_of = |one: &Login, other: &Login| {
            let is = |login: &Login| about.as_ref().is_none_or(|it| it.as_str().eq_ignore_ascii_case(login.as_str()));
            is(one) || is(other)
        };
        let all = service.delegations.all().into_iter().filter(|(to, owner, _)| is_of(to, owner));
        Ok(all.map(|(to, owner, delegation)| listed(service, &owner, &to, delegation)).collect())
    }
}
