//! Which roles somebody holds: they follow from functional addresses, whose members the store knows. Asked each time, so
//! that whoever leaves a group has lost its role with the next request.

use decide::Tables;
use decide::roles::{About, Act, Held, NotAllowed, allows, unit_of_correspondents};
use mail::{Address, Login};
use plan::Plan;
use store::{ReadError, Resolution, Store};

use crate::operate::{Context, OperateError, Who};
use crate::service::Service;

/// Where the plan names the roles.
const RULE: &str = "roles";
/// And those who teach the spam filter.
const TEACHERS: &str = "antispam.taught_by";

/// Whom a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject<'a> {
    Nobody,
    Login(&'a str),
    /// Everybody of a unit.
    Unit(&'a str),
}

/// What `login` holds now.
pub(crate) fn roles_of(service: &Service, login: &Login) -> Result<Held, ReadError> {
    held(&service.tables, &service.store, login)
}

/// What `login` holds, as this plan and this store say.
pub(crate) fn held(tables: &Tables, store: &Store, login: &Login) -> Result<Held, ReadError> {
    let plan = tables.plan();
    let form = plan.roles.correspondents.as_str();
    let functions = store.functions_of(login)?;
    let units = functions.iter().filter_map(|(address, _)| unit_of_correspondents(form, &address.folded()));
    Ok(Held {
        correspondent_of: units.collect(),
        manager: is_in(plan, store, &plan.roles.managers, login)?,
        administrator: is_in(plan, store, &plan.roles.administrators, login)?,
        teacher: is_in(plan, store, teachers(plan), login)?,
    })
}

/// Without a spam filter it is the managers.
fn teachers(plan: &Plan) -> &[String] {
    plan.antispam.as_ref().map_or(&plan.roles.managers, |antispam| &antispam.taught_by)
}

/// Is `login` behind one of these addresses? A name without a domain is in the institution's.
fn is_in(plan: &Plan, store: &Store, groups: &[String], login: &Login) -> Result<bool, ReadError> {
    for group in groups {
        let whole = if group.contains('@') { group.clone() } else { format!("{group}@{}", plan.institution.domain) };
        let Ok(address) = whole.parse::<Address>() else { continue };
        let is_in = match store.resolve(&address)? {
            Resolution::Alias(alias) => alias.members.contains(login),
            Resolution::Person(row) => row.person.login == *login,
            Resolution::Unknown => false,
        };
        if is_in {
            return Ok(true);
        }
    }
    Ok(false)
}

/// May who asks do it? A process that could ask may do everything. A refusal goes on the record.
pub(crate) fn must(context: &Context, act: Act, subject: Subject<'_>) -> Result<(), OperateError> {
    match &context.who {
        Who::Process { .. } => Ok(()),
        Who::Person { login, .. } => must_be(context, login, act, subject),
        Who::Operator { name, role, .. } => {
            let verdict = judged(context, &role.held(), None, act, subject)?;
            verdict.map_err(|why| refused(context, name, act, subject, why))
        }
    }
}

/// May `login` do it? As [`must`], for a manager somebody names.
pub(crate) fn must_be(context: &Context, login: &Login, act: Act, subject: Subject<'_>) -> Result<(), OperateError> {
    let live = context.live.as_ref().ok_or(OperateError::NoServer)?;
    let by = held(&live.tables, &context.store, login)?;
    let verdict = judged(context, &by, Some(login), act, subject)?;
    verdict.map_err(|why| refused(context, login.as_str(), act, subject, why))
}

/// What the table says of who holds this and has this account, if any.
fn judged(
    context: &Context,
    by: &Held,
    own: Option<&Login>,
    act: Act,
    subject: Subject<'_>,
) -> Result<Result<(), NotAllowed>, OperateError> {
    let live = context.live.as_ref().ok_or(OperateError::NoServer)?;
    Ok(match subject {
        Subject::Nobody => allows(by, act, About::NOBODY),
        Subject::Unit(unit) => allows(by, act, About::unit(unit)),
        Subject::Login(text) => match Login::new(text).map(|it| context.store.person(&it)).transpose()?.flatten() {
            // Whoever may not know of all people does not learn here who exists.
            None => allows(by, act, About::NOBODY),
            Some(row) => {
                let theirs = held(&live.tables, &context.store, &row.person.login)?;
                let oneself = own == Some(&row.person.login);
                allows(by, act, About { unit: &row.person.unit, oneself, held: &theirs })
            }
        },
    })
}

fn refused(context: &Context, who: &str, act: Act, subject: Subject<'_>, why: NotAllowed) -> OperateError {
    let about = match subject {
        Subject::Nobody => String::new(),
        Subject::Login(text) => format!(" about {text}"),
        Subject::Unit(unit) => format!(" about unit {unit}"),
    };
    crate::operate::audit(context, &format!("refused to {who}: {act:?}{about}: {why}"));
    let rule = if act.roles().contains(&decide::roles::Role::Teacher) { TEACHERS } else { RULE };
    OperateError::NotAllowed { why: why.to_string(), rule: rule.to_owned() }
}
