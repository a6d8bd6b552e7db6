//! `facteur grant` and `grants`: rights on mailboxes of others, until a day if they are to end.

use decide::Asker;
use decide::roles;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use mail::{Grant, Grantee, Identifier, Login, MailboxName, Rights, RightsChange};
use serde::{Deserialize, Serialize};
use store::{MailboxInfo, Op, SetRights, Until};

use super::{Context, Live, OperateError, Operation, Progress, Subject, place};
use crate::clock;
use crate::drive::named_places::{self, Place};

/// Entries listed of one login.
const LISTED_MAX: u32 = 10_000;

/// `POST /rights/grant`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantRights {
    /// A login, `anyone` or `$group`; a `-` in front takes rights away.
    pub to: String,
    /// As everybody but its owner sees it: `Other Users/dupont-m/Sent`, `Shared Folders/contact`.
    pub mailbox: String,
    /// Letters of RFC 4314; none ends what was granted.
    pub rights: String,
    /// The last day, `YYYY-MM-DD` in the institution's time zone; without one there is no end.
    pub until: Option<String>,
}

/// `POST /rights/list`: what was granted to a login, and what on its mailboxes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantsOf {
    pub login: String,
}

/// An entry of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedGrant {
    pub mailbox: String,
    pub to: String,
    pub rights: String,
    /// The last day.
    pub until: Option<String>,
    /// False once it ended.
    pub holds: bool,
}

fn live(context: &Context) -> Result<&Live, OperateError> {
    context.live.as_ref().ok_or(OperateError::NoServer)
}

fn bad(why: impl Into<String>) -> OperateError {
    OperateError::BadRequest { why: why.into() }
}

fn zone(live: &Live) -> TimeZone {
    TimeZone::get(&live.tables.plan().institution.time_zone).unwrap_or(TimeZone::UTC)
}

/// The moment after a day.
fn end_s(live: &Live, day: &str) -> Result<i64, OperateError> {
    let bad = || OperateError::BadDate { text: day.to_owned() };
    let date: Date = day.parse().ok().filter(|_| day.len() == "2026-11-30".len()).ok_or_else(bad)?;
    let next = date.tomorrow().map_err(|_| bad())?.to_zoned(zone(live)).map_err(|_| bad())?;
    Ok(next.timestamp().as_second())
}

impl Operation for GrantRights {
    type Response = ListedGrant;
    const PATH: &'static str = "/rights/grant";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::GrantRights
    }

    /// Whose mailbox it is; one of a functional address is nobody's.
    fn subject(&self) -> Subject<'_> {
        let owner = self.mailbox.strip_prefix("Other Users/").and_then(|rest| rest.split('/').next());
        owner.map_or(Subject::Nobody, Subject::Login)
    }

    /// One commit with its line in the audit.
    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<ListedGrant, OperateError> {
        let live = live(context)?;
        let identifier = Identifier::parse(&self.to).ok_or_else(|| bad(format!("{} names nobody", self.to)))?;
        if let Grantee::Login(login) = &identifier.grantee {
            place::login(context, login.as_str())?;
        }
        let rights = Rights::parse(&self.rights).ok_or_else(|| bad(format!("{} are no rights", self.rights)))?;
        let name = place::mailbox_name(&self.mailbox)?;
        let main = &live.tables.plan().institution.domain;
        let unknown = || OperateError::NoSuchMailbox { mailbox: self.mailbox.clone() };
        let Place { account, name, .. } = named_places::others(main, &name).ok_or_else(unknown)?;
        context.store.mailbox(&account, &name)?.ok_or_else(unknown)?;
        let until_s = self.until.as_deref().map(|day| end_s(live, day)).transpose()?;
        let now_s = clock::unix_s();
        if until_s.is_some_and(|until_s| until_s <= now_s) {
            return Err(bad("that day is over"));
        }
        let end = self.until.as_ref().map(|day| format!(" until {day}")).unwrap_or_default();
        let what = format!("rights of {identifier} on {name} of {account}: {rights}{end}");
        tracing::info!(who = %context.who, "audit: {what}");
        let set = SetRights {
            login: account,
            mailbox: name,
            identifier: identifier.clone(),
            change: RightsChange::Replace,
            rights,
            until: Until::Given(until_s),
            at_s: now_s,
        };
        let audit = Op::Audit { at_s: now_s, who: context.who.to_string(), what };
        context.store.commit_wait(vec![Op::SetRights(Box::new(set)), audit])?;
        let (to, rights) = (identifier.to_string(), rights.to_string());
        Ok(ListedGrant { mailbox: self.mailbox, to, rights, until: self.until, holds: true })
    }
}

impl Operation for GrantsOf {
    type Response = Vec<ListedGrant>;
    const PATH: &'static str = "/rights/list";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::SeeRights
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Login(&self.login)
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<Vec<ListedGrant>, OperateError> {
        let live = live(context)?;
        let login = place::login(context, &self.login)?;
        let functions = context.store.functions_of(&login)?;
        let unit = context.store.person(&login)?.map(|row| row.person.unit.to_lowercase()).unwrap_or_default();
        let groups = functions.iter().map(|(address, _)| address.folded()).chain([unit]).filter(|it| !it.is_empty());
        let names = Asker { login: login.clone(), groups: groups.collect() }.names();
        let mut listed = Vec::new();
        for shared in context.store.shared_with(&names, LISTED_MAX)? {
            add(live, &mut listed, &shared.account, &shared.mailbox, &shared.grants);
        }
        let shares = functions.into_iter().filter(|(_, has_mailboxes)| *has_mailboxes);
        let accounts = shares.filter_map(|(address, _)| Login::of_function(&address)).chain([login]);
        for account in accounts {
            for mailbox in context.store.mailboxes(&account)? {
                add(live, &mut listed, &account, &mailbox, &context.store.grants(mailbox.id)?);
            }
        }
        listed.sort_by(|one, other| (&one.mailbox, &one.to).cmp(&(&other.mailbox, &other.to)));
        listed.dedup();
        Ok(listed)
    }
}

fn add(live: &Live, listed: &mut Vec<ListedGrant>, account: &Login, mailbox: &MailboxInfo, grants: &[Grant]) {
    let main = &live.tables.plan().institution.domain;
    let shown: Option<(MailboxName, String)> = named_places::shown(main, account, &mailbox.name);
    let Some((name, _)) = shown else { return };
    let now_s = clock::unix_s();
    listed.extend(grants.iter().map(|grant| ListedGrant {
        mailbox: name.to_string(),
        to: grant.identifier.to_string(),
        rights: grant.rights.to_string(),
        until: grant.until_s.map(|until_s| last_day(live, until_s)),
        holds: grant.holds_at(now_s),
    }));
}

fn last_day(live: &Live, until_s: i64) -> String {
    let last = jiff::Timestamp::from_second(until_s.saturating_sub(1)).unwrap_or_default();
    last.to_zoned(zone(live)).date().to_string()
}
