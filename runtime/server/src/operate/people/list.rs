//! `facteur person list|show|export`: who there is, and everything that leads to somebody.

use decide::roles;
use mail::{AliasKind, Login};
use serde::{Deserialize, Serialize};
use store::{PersonRow, PersonSource};

use super::super::{Context, OperateError, Operation, Progress, Subject, place};
use super::WantedPerson;

/// People of one answer.
const PAGE_MAX: u32 = 2_000;

/// `POST /person/list`: in order of login, after one of them. With words to look for it is the first who have them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListPeople {
    pub after: Option<String>,
    pub unit: Option<String>,
    pub like: Option<String>,
    pub limit: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedPerson {
    /// As a list would have them.
    #[serde(flatten)]
    pub person: WantedPerson,
    pub source: String,
}

/// `POST /person/show`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShowPerson {
    pub login: String,
}

/// Everything that leads to a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownPerson {
    #[serde(flatten)]
    pub listed: ListedPerson,
    /// Aliases, with how many others they lead to.
    pub aliases: Vec<(String, u64)>,
    /// Functional addresses the person belongs to, with how many others do.
    pub functions: Vec<(String, u64)>,
    pub used_octets: u64,
    pub messages: u64,
    pub has_password: bool,
}

impl Operation for ListPeople {
    type Response = Vec<ListedPerson>;
    const PATH: &'static str = "/person/list";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::SeePerson
    }

    fn subject(&self) -> Subject<'_> {
        self.unit.as_deref().map_or(Subject::Nobody, Subject::Unit)
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<Vec<ListedPerson>, OperateError> {
        let limit = self.limit.clamp(1, PAGE_MAX);
        let after = self.after.as_deref().and_then(Login::new);
        let rows = match (&self.like, &self.unit) {
            // Who is in other units goes afterwards.
            (Some(text), Some(_)) => context.store.people_like(text, PAGE_MAX)?,
            (Some(text), None) => context.store.people_like(text, limit)?,
            (None, Some(unit)) => context.store.people_of_unit(unit, after.as_ref(), limit)?,
            (None, None) => context.store.people(after.as_ref(), limit)?,
        };
        let of_unit = |row: &PersonRow| self.unit.as_ref().is_none_or(|unit| row.person.unit == *unit);
        rows.into_iter()
            .filter(of_unit)
            .take(limit as usize)
            .map(|row| with_addresses(context, listed(context, row)?))
            .collect()
    }
}

impl Operation for ShowPerson {
    type Response = ShownPerson;
    const PATH: &'static str = "/person/show";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::SeePerson
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Login(&self.login)
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<ShownPerson, OperateError> {
        let login = place::login(context, &self.login)?;
        let row = context.store.person(&login)?;
        let row = row.ok_or_else(|| OperateError::NoSuchLogin { login: login.to_string() })?;
        let has_password = row.verifier.is_some();
        let (mut aliases, mut functions) = (Vec::new(), Vec::new());
        for alias in context.store.aliases_of(&login)? {
            let others = alias.members.len().saturating_sub(1) as u64;
            match alias.kind {
                AliasKind::Former => {}
                AliasKind::Alias => aliases.push((alias.address.to_string(), others)),
                AliasKind::Function | AliasKind::FunctionMailbox { .. } => {
                    functions.push((alias.address.to_string(), others));
                }
            }
        }
        let usage = context.store.usage(&login)?;
        let (used_octets, messages) = (usage.used_octets, usage.messages);
        Ok(ShownPerson { listed: listed(context, row)?, aliases, functions, used_octets, messages, has_password })
    }
}

/// With the aliases and functions somebody belongs to, as a list has them.
fn with_addresses(context: &Context, mut listed: ListedPerson) -> Result<ListedPerson, OperateError> {
    let person = &mut listed.person;
    let Some(login) = person.login.as_deref().and_then(Login::new) else { return Ok(listed) };
    for alias in context.store.aliases_of(&login)? {
        match alias.kind {
            AliasKind::Former => {}
            AliasKind::Alias => person.aliases.push(alias.address.to_string()),
            AliasKind::Function | AliasKind::FunctionMailbox { .. } => person.functions.push(alias.address.to_string()),
        }
    }
    Ok(listed)
}

fn listed(context: &Context, row: PersonRow) -> Result<ListedPerson, OperateError> {
    let PersonRow { person, origin, .. } = row;
    let former = context.store.aliases_of(&person.login)?.into_iter();
    let former = former.filter(|alias| alias.kind == AliasKind::Former).map(|alias| alias.address.to_string());
    let some = |text: String| (!text.is_empty()).then_some(text);
    let source = match origin.source {
        PersonSource::BuiltIn => "built-in",
        PersonSource::File => "file",
        PersonSource::Ldap => "ldap",
    };
    Ok(ListedPerson {
        source: source.to_owned(),
        person: WantedPerson {
            line: 0,
            id: origin.foreign_id,
            login: Some(person.login.to_string()),
            first: person.first,
            last: person.last,
            address: Some(person.address.to_string()),
            profile: some(person.profile),
            unit: some(person.unit),
            home: person.home,
            quota_octets: Some(person.quota_octets),
            registered: origin.registered,
            until: some(origin.until),
            former: former.collect(),
            ..WantedPerson::default()
        },
    })
}
