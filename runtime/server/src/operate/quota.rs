//! `facteur person quota`: more room for a person of a profile that has it on request, until a day.

use decide::roles;
use serde::{Deserialize, Serialize};

use super::delegate::{bad, last_day, server};
use super::manager::decider;
use super::{Context, OperateError, Operation, Progress, Subject, place};
use crate::clock;
use crate::quotas::{self, RoomGrant};

/// `POST /person/quota`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantQuota {
    pub login: String,
    pub octets: u64,
    pub because: String,
    /// Who approved it; who is signed in approves it themselves.
    pub approver: Option<String>,
    /// The last day, `YYYY-MM-DD`.
    pub until: String,
    pub by: Option<String>,
}

/// `POST /person/quota/end`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndQuota {
    pub login: String,
    pub by: Option<String>,
}

/// `POST /person/quota/list`: of one person, or of all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListQuotas {
    pub login: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedQuota {
    pub login: String,
    pub grant: RoomGrant,
    /// The rule that lets it be granted.
    pub rule: String,
    pub holds: bool,
}

impl Operation for GrantQuota {
    type Response = ListedQuota;
    const PATH: &'static str = "/person/quota";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::GrantQuota
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Login(&self.login)
    }

    fn handle(self, context: &Context, _: &mut dyn FnMut(Progress)) -> Result<ListedQuota, OperateError> {
        let service = server(context)?;
        let decider = decider(context, &self, self.by.as_deref())?;
        let login = place::login(context, &self.login)?;
        let no_login = || OperateError::NoSuchLogin { login: self.login.clone() };
        let person = context.store.person(&login)?.ok_or_else(no_login)?.person;
        let approver = match (context.who.login(), self.approver) {
            (Some(signed_in), _) => signed_in.to_string(),
            (None, Some(approver)) if !approver.trim().is_empty() => approver,
            (None, _) => return Err(bad("say who approved it")),
        };
        if self.because.trim().is_empty() {
            return Err(bad("say why"));
        }
        let until = last_day(service, Some(&self.until))?;
        if until.is_empty() {
            return Err(bad("say until which day"));
        }
        let rule = match quotas::may_grant(service.tables.plan(), &person.profile, self.octets) {
            Ok(rule) if service.room_grants.is_full() && service.room_grants.of(&login).is_none() => {
                return Err(OperateError::Refused { why: "there are too many grants".to_owned(), rule });
            }
            Ok(rule) => rule,
            Err((why, rule)) => {
                super::audit(context, &format!("room for {login} refused by {rule}: {why}"));
                return Err(OperateError::Refused { why, rule });
            }
        };
        let (octets, because, by) = (self.octets, self.because, decider.name());
        let grant = RoomGrant { octets, because, approver, until, by, at_s: clock::unix_s() };
        let RoomGrant { approver, until, because, .. } = &grant;
        let what = format!("{octets} octets for {login} until {until}, approved by {approver}, by {rule}: {because}");
        let mut ops = vec![service.room_grants.op(&login, Some(&grant)), decider.audited(&what)];
        ops.extend(quotas::room_op(&context.store, &login, octets)?);
        context.store.commit_wait(ops)?;
        service.room_grants.put(&login, Some(grant.clone()));
        Ok(ListedQuota { login: login.to_string(), grant, rule, holds: true })
    }
}

impl Operation for EndQuota {
    type Response = bool;
    const PATH: &'static str = "/person/quota/end";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::GrantQuota
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Login(&self.login)
    }

    /// False when there was none.
    fn handle(self, context: &Context, _: &mut dyn FnMut(Progress)) -> Result<bool, OperateError> {
        let service = server(context)?;
        let decider = decider(context, &self, self.by.as_deref())?;
        let login = place::login(context, &self.login)?;
        if service.room_grants.of(&login).is_none() {
            return Ok(false);
        }
        let profile = context.store.person(&login)?.map(|row| row.person.profile).unwrap_or_default();
        let floor = quotas::profile(service.tables.plan(), &profile).map(|(_, profile)| profile.quota.floor_octets());
        let room = floor.map(|octets| quotas::room_op(&context.store, &login, octets)).transpose()?.flatten();
        let mut ops = vec![service.room_grants.op(&login, None)];
        ops.push(decider.audited(&format!("the room granted to {login} is taken back")));
        ops.extend(room);
        context.store.commit_wait(ops)?;
        service.room_grants.put(&login, None);
        Ok(true)
    }
}

impl Operation for ListQuotas {
    type Response = Vec<ListedQuota>;
    const PATH: &'static str = "/person/quota/list";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::SeePerson
    }

    fn subject(&self) -> Subject<'_> {
        self.login.as_deref().map_or(Subject::Nobody, Subject::Login)
    }

    fn handle(self, context: &Context, _: &mut dyn FnMut(Progress)) -> Result<Vec<ListedQuota>, OperateError> {
        let service = server(context)?;
        let one = self.login.as_deref().map(|login| place::login(context, login)).transpose()?;
        let today = service.today();
        let mut listed = Vec::new();
        for (login, grant) in service.room_grants.all() {
            if one.as_ref().is_some_and(|one| one.as_str() != login) {
                continue;
            }
            let row = mail::Login::new(&login).map(|it| context.store.person(&it)).transpose()?.flatten();
            let profile = row.map(|row| row.person.profile).unwrap_or_default();
            let rule = quotas::profile(service.tables.plan(), &profile).map(|(rule, _)| rule).unwrap_or_default();
            let holds = grant.holds(&today);
            listed.push(ListedQuota { login, grant, rule, holds });
        }
        Ok(listed)
    }
}
