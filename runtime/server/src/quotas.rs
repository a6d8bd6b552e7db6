//! More room for a person, until a day, because somebody approved it. A grant is a fact; the account's quota follows it: up
//! when it is given, back to what the profile says when it ends.

use std::sync::Arc;
use std::time::Duration;

use mail::Login;
use plan::{Plan, Profile, Quota};
use serde::{Deserialize, Serialize};
use store::{CommitError, Op, ReadError, Store};

use crate::facts::Facts;
use crate::service::{Service, stopped};
use crate::{clock, durable};

const PREFIX: &str = "quota-grant/";
const GRANTS_MAX: usize = 100_000;
/// Between two looks at which grants hold: also what a load of people or a directory overwrote is put right then.
const LOOK: Duration = Duration::from_secs(60);

/// More room for one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomGrant {
    pub octets: u64,
    pub because: String,
    pub approver: String,
    /// The last day, `YYYY-MM-DD`.
    pub until: String,
    pub by: String,
    pub at_s: i64,
}

impl RoomGrant {
    /// Dates are `YYYY-MM-DD`, so text order is the order of days.
    pub fn holds(&self, today: &str) -> bool {
        today <= self.until.as_str()
    }
}

#[derive(Debug)]
pub struct RoomGrants(Facts<RoomGrant>);

impl RoomGrants {
    pub fn load(store: &Store) -> Result<RoomGrants, ReadError> {
        Ok(RoomGrants(Facts::load(store, PREFIX, GRANTS_MAX)?))
    }

    pub fn of(&self, login: &Login) -> Option<RoomGrant> {
        self.0.of(login.as_str())
    }

    pub fn all(&self) -> Vec<(String, RoomGrant)> {
        self.0.under("")
    }

    pub fn is_full(&self) -> bool {
        self.0.is_full()
    }

    pub fn op(&self, login: &Login, grant: Option<&RoomGrant>) -> Op {
        self.0.op(login.as_str(), grant)
    }

    /// What is committed is believed.
    pub fn put(&self, login: &Login, grant: Option<RoomGrant>) {
        self.0.put(login.as_str(), grant);
    }
}

/// The profile of that name, or the one of people nobody gave one, with the path of its quota in the policy.
pub fn profile<'p>(plan: &'p Plan, name: &str) -> Option<(String, &'p Profile)> {
    let rules = &plan.mailboxes;
    let name = if rules.profiles.contains_key(name) { name } else { rules.otherwise.as_str() };
    Some((format!("mailboxes.profiles.{name}.quota"), rules.profiles.get(name)?))
}

/// May a person of this profile be granted so much? The rule that says so, or the one that does not.
pub fn may_grant(plan: &Plan, of: &str, octets: u64) -> Result<String, (String, String)> {
    let Some((rule, profile)) = profile(plan, of) else {
        return Err((format!("there is no profile {of}"), "mailboxes.profiles".to_owned()));
    };
    match profile.quota {
        Quota::OnRequest { above_octets } if octets > above_octets => Ok(rule),
        Quota::OnRequest { above_octets } => {
            Err((format!("the profile has {above_octets} octets without a grant; ask for more than that"), rule))
        }
        Quota::Fixed { octets: fixed } => {
            Err((format!("the profile `{}` has {fixed} octets, whatever is asked for", profile.label), rule))
        }
    }
}

/// The change that gives the account so much room; `None` where it has it.
pub(crate) fn room_op(store: &Store, login: &Login, octets: u64) -> Result<Option<Op>, ReadError> {
    let Some(row) = store.person(login)? else { return Ok(None) };
    if row.person.quota_octets == octets {
        return Ok(None);
    }
    let person = mail::Person { quota_octets: octets, ..row.person };
    Ok(Some(upsert(person)))
}

fn upsert(person: mail::Person) -> Op {
    Op::UpsertPerson { person: Box::new(person), verifier: None, mailboxes: Vec::new(), origin: None }
}

/// Keeps quotas as the grants say until the server stops.
pub async fn keep(service: Arc<Service>) {
    let mut stop = service.stop.clone();
    loop {
        let worker = service.clone();
        match durable::blocking(move || look(&worker).and_then(|()| forget_gone(&worker))).await {
            Some(Ok(())) | None => {}
            Some(Err(why)) => tracing::error!("grants of room could not be looked at: {why}"),
        }
        tokio::select! {
            () = stopped(&mut stop) => return,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// Whoever has a login later has nothing of what was given to, or asked by, who had it before.
fn forget_gone(service: &Service) -> Result<(), String> {
    let is_gone =
        |login: &Login| service.store.person(login).map(|row| row.is_none()).map_err(|error| error.to_string());
    let commit = |op: Op, what: String| {
        tracing::info!("audit: {what}");
        let audit = Op::Audit { at_s: clock::unix_s(), who: "the server".to_owned(), what };
        service.store.commit_wait(vec![op, audit]).map_err(|error| error.to_string())
    };
    for (to, owner, _) in service.delegations.all() {
        if is_gone(&to)? || is_gone(&owner)? {
            commit(
                service.delegations.op(&to, &owner, None),
                format!("{to} may no longer send for {owner}: one has left"),
            )?;
            service.delegations.put(&to, &owner, None);
        }
    }
    for (login, _) in service.redirects.all() {
        let Some(login) = Login::new(&login) else { continue };
        if is_gone(&login)? {
            commit(crate::redirects::op(&login, None), format!("the redirect of {login} ended: they have left"))?;
            service.redirects.put(&login, None);
        }
    }
    for (login, _) in service.requests.all() {
        let Some(login) = Login::new(&login) else { continue };
        if is_gone(&login)? {
            commit(service.requests.op(&login, None), format!("the redirect {login} asked for is forgotten"))?;
            service.requests.put(&login, None);
        }
    }
    Ok(())
}

/// One look: what holds is given, what ended or whose person is gone is taken back.
pub(crate) fn look(service: &Service) -> Result<(), String> {
    let trouble = |error: &dyn std::fmt::Display| error.to_string();
    let today = service.today();
    for (login, grant) in service.room_grants.all() {
        let Some(login) = Login::new(&login) else { continue };
        let row = service.store.person(&login).map_err(|error| trouble(&error))?;
        let room = match &row {
            Some(_) if grant.holds(&today) => Some(grant.octets),
            Some(row) => {
                let profile = profile(service.tables.plan(), &row.person.profile);
                profile.map(|(_, profile)| profile.quota.floor_octets())
            }
            None => None,
        };
        let op = room.map(|octets| room_op(&service.store, &login, octets)).transpose();
        let mut ops: Vec<Op> = op.map_err(|error| trouble(&error))?.flatten().into_iter().collect();
        let ended = row.is_none() || !grant.holds(&today);
        if ended {
            let what = format!("the room granted to {login} until {} ended", grant.until);
            tracing::info!("audit: {what}");
            ops.push(Op::Audit { at_s: clock::unix_s(), who: "the server".to_owned(), what });
            ops.push(service.room_grants.op(&login, None));
        }
        match service.store.commit_wait(ops) {
            Ok(_) if ended => service.room_grants.put(&login, None),
            Ok(_) => {}
            Err(CommitError::Closed) => return Ok(()),
            Err(error) => return Err(trouble(&error)),
        }
    }
    Ok(())
}
