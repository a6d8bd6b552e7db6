//! `facteur person add|change|remove`: one person, judged as one line of a list is.

use decide::people::{Given as _, Wanted, judge_by};
use decide::roles;
use serde::{Deserialize, Serialize};
use store::PersonSource;

use super::super::{Context, OperateError, Operation, Progress, Subject, audit, place};
use super::import::{ImportedPerson, ops, said};
use super::wanted::WantedPerson;
use super::{known, put};

/// The section of a policy that says who gets which login and address.
const RULE: &str = "identity";

/// `POST /person/add`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddPerson {
    pub person: WantedPerson,
}

/// `POST /person/change`: what is said changes, the rest stays. The login never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangePerson {
    pub login: String,
    pub first: Option<String>,
    pub last: Option<String>,
    pub address: Option<String>,
    pub profile: Option<String>,
    pub unit: Option<String>,
    pub home: Option<String>,
    pub quota_octets: Option<u64>,
    pub registered: Option<String>,
    /// Nothing in it is no end.
    pub until: Option<String>,
    pub former: Vec<String>,
}

/// `POST /person/remove`: the last day, today where none is given. What follows is the policy's `accounts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemovePerson {
    pub login: String,
    pub on: Option<String>,
}

impl Operation for AddPerson {
    type Response = ImportedPerson;
    const PATH: &'static str = "/person/add";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::ChangePeople
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<ImportedPerson, OperateError> {
        let WantedPerson { aliases, functions, password, .. } = &self.person;
        if !aliases.is_empty() || !functions.is_empty() || password.is_some() {
            let why = "aliases, functions and a password come by commands of their own, or with a list".to_owned();
            return Err(OperateError::BadRequest { why });
        }
        bring(context, self.person.into(), true)
    }
}

impl Operation for ChangePerson {
    type Response = ImportedPerson;
    const PATH: &'static str = "/person/change";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::ChangePeople
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Login(&self.login)
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<ImportedPerson, OperateError> {
        let login = place::login(context, &self.login)?;
        let row = context.store.person(&login)?;
        let row = row.ok_or_else(|| OperateError::NoSuchLogin { login: login.to_string() })?;
        let wanted = Wanted {
            line: 1,
            foreign_id: row.origin.foreign_id,
            login: Some(login.to_string()),
            first: self.first.unwrap_or(row.person.first),
            last: self.last.unwrap_or(row.person.last),
            address: self.address,
            profile: self.profile,
            unit: self.unit,
            home: self.home,
            quota_octets: self.quota_octets,
            registered: self.registered.unwrap_or(row.origin.registered),
            until: self.until,
            former: self.former,
            ..Wanted::default()
        };
        bring(context, wanted, false)
    }
}

impl Operation for RemovePerson {
    type Response = ImportedPerson;
    const PATH: &'static str = "/person/remove";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::ChangePeople
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Login(&self.login)
    }

    fn handle(self, context: &Context, tell: &mut dyn FnMut(Progress)) -> Result<ImportedPerson, OperateError> {
        let live = context.live.as_ref().ok_or(OperateError::NoServer)?;
        let until = Some(self.on.unwrap_or_else(|| live.today.clone()));
        let nothing = || None;
        let change = ChangePerson {
            login: self.login,
            first: nothing(),
            last: nothing(),
            address: nothing(),
            profile: nothing(),
            unit: nothing(),
            home: nothing(),
            quota_octets: None,
            registered: nothing(),
            until,
            former: Vec::new(),
        };
        change.handle(context, tell)
    }
}

/// Judges one and writes it.
fn bring(context: &Context, wanted: Wanted, is_new: bool) -> Result<ImportedPerson, OperateError> {
    let live = context.live.as_ref().ok_or(OperateError::NoServer)?;
    let refused = |why: String| OperateError::Refused { why, rule: RULE.to_owned() };
    let _desk = known::desk();
    let near = known::near(&context.store, &wanted)?;
    let ledger = known::Asked::new(&context.store, &live.tables.plan().accounts.reuse_after);
    let line = wanted.line;
    let outcome = judge_by(&live.tables, &[wanted], &near.present, &ledger, &live.today);
    ledger.whole()?;
    let judged = match (outcome.people.first(), outcome.mistakes.first()) {
        (Some(judged), None) => judged,
        (_, Some(mistake)) => return Err(refused(mistake.what.clone())),
        (None, None) => return Err(refused("nobody is named".to_owned())),
    };
    if is_new && judged.was.is_some() {
        let why = format!("{} is here already: `facteur person change` changes them", judged.person.login);
        return Err(refused(why));
    }
    let told = said(judged, line);
    if judged.was.is_none() || !judged.changes.is_empty() {
        let is_unheard = ledger.held(judged.person.login.as_str()).is_none();
        context.store.commit_wait(ops(live, judged, &near.rows, is_unheard, PersonSource::BuiltIn))?;
        put::names_changed(context);
        let what = if is_new { "added".to_owned() } else { format!("changed: {}", told.changes.join(", ")) };
        audit(context, &format!("person {} {what}", told.login));
    }
    Ok(told)
}
