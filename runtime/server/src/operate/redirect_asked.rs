//! `facteur redirect request`, `approve`, `refuse`, `asked`: what a person asks for, and what a correspondent or a manager
//! makes of it.

use std::sync::Arc;

use decide::roles;
use mail::{Address, Domain, Login, Person};
use plan::AskedThrough;
use serde::{Deserialize, Serialize};

use super::delegate::{bad, last_day, server, tell_later};
use super::manager::{Decider, decider};
use super::{Context, OperateError, Operation, Progress, Subject, place};
use crate::clock;
use crate::notices::Words;
use crate::redirects::asked::{self, Asked, State};
use crate::redirects::{self, Approval, Redirect};
use crate::service::Service;

/// `POST /redirect/request`: the policy answers at once, or somebody has to approve it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestRedirect {
    pub login: String,
    pub to: Address,
    pub keeps_copy: bool,
    pub because: String,
    /// The domain of the institution the person comes from.
    pub home: Option<Domain>,
    /// The last day, `YYYY-MM-DD`.
    pub until: Option<String>,
}

/// `POST /redirect/approve`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApproveRedirect {
    pub login: String,
    /// What was asked for, so that nobody approves what they have not seen.
    pub to: Address,
    pub because: String,
    /// The last day, `YYYY-MM-DD`; what was asked for without one.
    pub until: Option<String>,
    /// The institution the person comes from; what the person said without one.
    pub home: Option<Domain>,
    pub by: Option<String>,
}

/// `POST /redirect/refuse`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefuseRedirect {
    pub login: String,
    pub because: String,
    pub by: Option<String>,
}

/// Whose requests are listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskedOf {
    All,
    Login(String),
    Unit(String),
}

/// `POST /redirect/asked`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListAsked {
    pub of: AskedOf,
    /// Only what waits for an approval.
    pub waiting: bool,
}

/// A request, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedRedirect {
    pub login: String,
    pub name: String,
    pub unit: String,
    pub asked: Asked,
}

impl Operation for RequestRedirect {
    type Response = Asked;
    const PATH: &'static str = "/redirect/request";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::UseOwn
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Login(&self.login)
    }

    fn handle(self, context: &Context, _: &mut dyn FnMut(Progress)) -> Result<Asked, OperateError> {
        let service = server(context)?;
        let decider = decider(context, &self, None)?;
        let person = person(context, &self.login)?;
        let asked = Asked {
            to: self.to,
            keeps_copy: self.keeps_copy,
            because: self.because.trim().to_owned(),
            home: self.home,
            until: last_day(service, self.until.as_deref())?,
            by: decider.name(),
            at_s: clock::unix_s(),
            // The policy says it in a moment.
            state: State::Waits { rule: String::new() },
        };
        let before = service.requests.of(&person.login);
        let answer = asked::asked(service, &person.login, asked, |what| decider.audited(what))?;
        if matches!(answer.state, State::Waits { .. }) && before.as_ref() != Some(&answer) {
            tell_approvers(service, &person, &answer);
        }
        Ok(answer)
    }
}

fn person(context: &Context, login: &str) -> Result<Person, OperateError> {
    let login = place::login(context, login)?;
    let no_login = || OperateError::NoSuchLogin { login: login.to_string() };
    Ok(context.store.person(&login)?.ok_or_else(no_login)?.person)
}

/// Whoever may approve it hears of it: the correspondents of the unit where requests go through them, else the managers.
fn tell_approvers(service: &Arc<Service>, person: &Person, asked: &Asked) {
    let plan = service.tables.plan();
    let form = &plan.roles.correspondents;
    let unit = roles::unit_key(&person.unit);
    let to_unit = plan.redirects.asked_through == AskedThrough::UnitItService && !form.is_empty() && !unit.is_empty();
    let of_unit =
        to_unit.then(|| form.replace("{unit}", &unit).replace("{Unit}", &unit).parse::<Address>().ok()).flatten();
    let known = of_unit.filter(|it| !matches!(service.store.resolve(it), Ok(store::Resolution::Unknown)));
    let managers =
        || plan.roles.managers.iter().filter_map(|name| Address::new(name, plan.institution.domain.clone()).ok());
    let to: Vec<Address> = known.map_or_else(|| managers().collect(), |unit| vec![unit]);
    let (login, target, because) = (&person.login, &asked.to, &asked.because);
    for address in to {
        let words = Words {
            subject: format!("Redirection demandée par {login} / Redirect asked for by {login}"),
            french: format!(
                "{login} demande que son courrier soit redirigé vers {target}.\r\nMotif : {because}\r\n\
                 Vous pouvez accepter ou refuser sur le portail."
            ),
            english: format!(
                "{login} asks that their mail go on to {target}.\r\nReason: {because}\r\n\
                 You can approve or refuse it in the portal."
            ),
        };
        tell_later(service, address, words);
    }
}

/// A request that waits, and the person.
fn waiting(context: &Context, service: &Service, login: &str) -> Result<(Person, Asked, String), OperateError> {
    let person = person(context, login)?;
    match service.requests.of(&person.login) {
        Some(asked) => match &asked.state {
            State::Waits { rule } => {
                let rule = rule.clone();
                Ok((person, asked, rule))
            }
            _ => Err(bad(format!("the request of {login} does not wait any more"))),
        },
        None => Err(bad(format!("{login} has not asked for a redirect"))),
    }
}

impl Operation for ApproveRedirect {
    type Response = Asked;
    const PATH: &'static str = "/redirect/approve";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::ApproveRedirect
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Login(&self.login)
    }

    fn handle(self, context: &Context, _: &mut dyn FnMut(Progress)) -> Result<Asked, OperateError> {
        let service = server(context)?;
        let decider = decider(context, &self, self.by.as_deref())?;
        let (person, mut asked, _) = waiting(context, service, &self.login)?;
        may_approve(context, service, &decider, &person)?;
        if asked.to != self.to {
            return Err(bad(format!("{} asks for {} by now", self.login, asked.to)));
        }
        let until = last_day(service, self.until.as_deref())?;
        let approval = Approval {
            home: self.home.or(asked.home.clone()),
            approver: decider.name(),
            because: self.because.trim().to_owned(),
            until: if until.is_empty() { asked.until.clone() } else { until },
        };
        let redirect = Redirect {
            to: asked.to.clone(),
            keeps_copy: asked.keeps_copy,
            approval: Some(approval),
            set_by: decider.name(),
            set_at_s: clock::unix_s(),
        };
        let rule = redirect
            .holds(&service.tables, &service.today())
            .map_err(|stop| OperateError::Refused { why: redirects::words(&stop), rule: stop.rule().to_owned() })?;
        if service.redirects.is_full() && service.redirects.of(&person.login).is_none() {
            let (why, rule) = ("there are too many redirects".to_owned(), "redirects".to_owned());
            return Err(OperateError::Refused { why, rule });
        }
        asked.state = State::Approved { by: decider.name(), rule: rule.clone(), at_s: clock::unix_s() };
        let login = &person.login;
        let audited = decider.audited(&format!("redirect of {login} to {} approved, by {rule}", asked.to));
        let set = redirects::op(login, Some(&redirect));
        context.store.commit_wait(vec![set, service.requests.op(login, Some(&asked)), audited])?;
        service.redirects.put(login, Some(redirect));
        service.requests.put(login, Some(asked.clone()));
        tell_person(service, &person, &asked, ("acceptée", "approved"), &self.because);
        Ok(asked)
    }
}

/// Correspondents approve only where the policy has requests go through them.
fn may_approve(context: &Context, service: &Service, decider: &Decider, person: &Person) -> Result<(), OperateError> {
    let Some(login) = decider.login() else { return Ok(()) };
    let held = crate::roles::roles_of(service, login)?;
    if held.manager || service.tables.plan().redirects.asked_through == AskedThrough::UnitItService {
        return Ok(());
    }
    let why = format!("requests of {} are decided by mail managers here", person.login);
    super::audit(context, &format!("refused to {login}: {why}"));
    Err(OperateError::NotAllowed { why, rule: "redirects.asked_through".to_owned() })
}

fn tell_person(service: &Arc<Service>, person: &Person, asked: &Asked, (fr, en): (&str, &str), because: &str) {
    let to = &asked.to;
    let words = Words {
        subject: format!("Votre redirection est {fr} / Your redirect is {en}"),
        french: format!("votre demande de redirection vers {to} est {fr}.\r\n{because}"),
        english: format!("your request for a redirect to {to} is {en}.\r\n{because}"),
    };
    tell_later(service, person.address.clone(), words);
}

impl Operation for RefuseRedirect {
    type Response = Asked;
    const PATH: &'static str = "/redirect/refuse";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::ApproveRedirect
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Login(&self.login)
    }

    fn handle(self, context: &Context, _: &mut dyn FnMut(Progress)) -> Result<Asked, OperateError> {
        let service = server(context)?;
        let decider = decider(context, &self, self.by.as_deref())?;
        let (person, mut asked, rule) = waiting(context, service, &self.login)?;
        may_approve(context, service, &decider, &person)?;
        if self.because.trim().is_empty() {
            return Err(bad("say why: the person reads it"));
        }
        asked.state = State::Refused { why: self.because.clone(), rule, by: decider.name() };
        let login = &person.login;
        let audited = decider.audited(&format!("redirect of {login} to {} refused: {}", asked.to, self.because));
        context.store.commit_wait(vec![service.requests.op(login, Some(&asked)), audited])?;
        service.requests.put(login, Some(asked.clone()));
        tell_person(service, &person, &asked, ("refusée", "refused"), &self.because);
        Ok(asked)
    }
}

impl Operation for ListAsked {
    type Response = Vec<AskedRedirect>;
    const PATH: &'static str = "/redirect/asked";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::SeeRedirects
    }

    fn subject(&self) -> Subject<'_> {
        match &self.of {
            AskedOf::All => Subject::Nobody,
            AskedOf::Login(login) => Subject::Login(login),
            AskedOf::Unit(unit) => Subject::Unit(unit),
        }
    }

    fn handle(self, context: &Context, _: &mut dyn FnMut(Progress)) -> Result<Vec<AskedRedirect>, OperateError> {
        let service = server(context)?;
        let all = match &self.of {
            AskedOf::Login(login) => {
                let login = place::login(context, login)?;
                service.requests.of(&login).map(|asked| (login.to_string(), asked)).into_iter().collect()
            }
            AskedOf::All | AskedOf::Unit(_) => service.requests.all(),
        };
        let mut listed = Vec::new();
        for (login, asked) in all {
            if self.waiting && !matches!(asked.state, State::Waits { .. }) {
                continue;
            }
            let row = Login::new(&login).map(|it| context.store.person(&it)).transpose()?.flatten();
            let Some(person) = row.map(|row| row.person) else { continue };
            let is_in = match &self.of {
                AskedOf::Unit(unit) => roles::unit_key(unit) == roles::unit_key(&person.unit),
                AskedOf::All | AskedOf::Login(_) => true,
            };
            if is_in {
                let name = format!("{} {}", person.first, person.last);
                listed.push(AskedRedirect { login, name, unit: person.unit, asked });
            }
        }
        Ok(listed)
    }
}
