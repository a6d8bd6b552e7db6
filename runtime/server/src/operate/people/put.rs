//! `facteur person`: people of a folder into the store.

use mail::{Alias, AliasKind, Login, MailboxName, Person, SpecialUse};
use serde::{Deserialize, Serialize};
use store::{DefaultMailbox, Op, Origin, ReadError, Store};

use super::super::{Context, Live, OperateError, Operation, Progress, audit, place};
use super::known;
use crate::clock;
use crate::redirects::{self, Redirect};

/// Who set a redirect that stands in a `people.ron`.
const FILE: &str = "people.ron";

/// `POST /person/put`: creates people or brings them up to date; nobody is taken away. Passwords stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PutPeople {
    pub people: Vec<GivenPerson>,
    pub addresses: Vec<GivenAddress>,
    /// Which addresses have the members of others; those others are there, or among `addresses`.
    #[serde(default)]
    pub leads: Vec<GivenLead>,
    /// The mailboxes a new account starts with, and their use (RFC 6154) as `\Junk`.
    pub mailboxes: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenPerson {
    pub login: String,
    pub first: String,
    pub last: String,
    pub address: mail::Address,
    pub profile: String,
    pub unit: String,
    pub home: Option<String>,
    pub quota_octets: u64,
    /// First and last day, `YYYY-MM-DD`; where neither is said, what the store knows of them stays.
    #[serde(default)]
    pub registered: String,
    #[serde(default)]
    pub until: String,
    /// Where their mail goes on to, as the file says; `None` ends what the file said before.
    #[serde(default)]
    pub redirect: Option<mail::Address>,
}

/// An alias, a former or a functional address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenAddress {
    pub address: mail::Address,
    pub members: Vec<String>,
    pub kind: GivenKind,
}

/// An address that leads to `own` and to whoever `follows` lead to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenLead {
    pub address: mail::Address,
    pub own: Vec<String>,
    pub follows: Vec<mail::Address>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GivenKind {
    Former,
    Alias,
    Function,
    /// A functional address with mailboxes of its own.
    FunctionMailbox {
        quota_octets: u64,
    },
}

/// Who was new, by login.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutResult {
    pub new: Vec<String>,
    /// Redirects the plan allows no longer, in sentences.
    #[serde(default)]
    pub said: Vec<String>,
}

impl From<&Person> for GivenPerson {
    fn from(person: &Person) -> GivenPerson {
        GivenPerson {
            login: person.login.to_string(),
            first: person.first.clone(),
            last: person.last.clone(),
            address: person.address.clone(),
            profile: person.profile.clone(),
            unit: person.unit.clone(),
            home: person.home.clone(),
            quota_octets: person.quota_octets,
            registered: String::new(),
            until: String::new(),
            redirect: None,
        }
    }
}

impl From<&Alias> for GivenAddress {
    fn from(alias: &Alias) -> GivenAddress {
        GivenAddress {
            address: alias.address.clone(),
            members: alias.members.iter().map(Login::to_string).collect(),
            kind: match alias.kind {
                AliasKind::Former => GivenKind::Former,
                AliasKind::Alias => GivenKind::Alias,
                AliasKind::Function => GivenKind::Function,
                AliasKind::FunctionMailbox { quota_octets } => GivenKind::FunctionMailbox { quota_octets },
            },
        }
    }
}

fn login(text: &str) -> Result<Login, OperateError> {
    Login::new(text).ok_or_else(|| OperateError::BadRequest { why: format!("{text} is no login") })
}

impl GivenPerson {
    fn person(&self) -> Result<Person, OperateError> {
        Ok(Person {
            login: login(&self.login)?,
            first: self.first.clone(),
            last: self.last.clone(),
            address: self.address.clone(),
            profile: self.profile.clone(),
            unit: self.unit.clone(),
            home: self.home.clone(),
            quota_octets: self.quota_octets,
        })
    }
}

impl GivenAddress {
    fn alias(&self) -> Result<Alias, OperateError> {
        let members = self.members.iter().map(|member| login(member)).collect::<Result<_, _>>()?;
        let kind = match self.kind {
            GivenKind::Former => AliasKind::Former,
            GivenKind::Alias => AliasKind::Alias,
            GivenKind::Function => AliasKind::Function,
            GivenKind::FunctionMailbox { quota_octets } => AliasKind::FunctionMailbox { quota_octets },
        };
        Ok(Alias { address: self.address.clone(), members, kind })
    }
}

impl GivenPerson {
    /// Where they come from stays.
    fn origin(&self, had: Option<Origin>) -> Option<Origin> {
        let (registered, until) = (self.registered.clone(), self.until.clone());
        let is_said = !(registered.is_empty() && until.is_empty());
        is_said.then(|| Origin { registered, until, ..had.unwrap_or_default() })
    }

    /// Where no server runs: what becomes of the days, and the change of the redirect, if any. The mail that comes is what the
    /// redirect is judged by.
    pub fn stay(&self, store: &Store) -> Result<(Option<Origin>, Option<Op>), OperateError> {
        let login = login(&self.login)?;
        let origin = self.origin(store.person(&login)?.map(|row| row.origin));
        let redirect = redirect(store, None, &login, self.redirect.as_ref(), &mut Vec::new())?;
        Ok((origin, redirect.map(|redirect| redirects::op(&login, redirect.as_ref()))))
    }
}

/// What becomes of the redirect of `login`, where that changes. A file sets and ends what it set itself, and what nobody set;
/// the plan that runs judges it as anybody's.
fn redirect(
    store: &Store,
    live: Option<&Live>,
    login: &Login,
    to: Option<&mail::Address>,
    said: &mut Vec<String>,
) -> Result<Option<Option<Redirect>>, ReadError> {
    let had = redirects::kept(store, login)?;
    if had.as_ref().is_some_and(|redirect| redirect.set_by != FILE) {
        return Ok(None);
    }
    let wanted = to.map(|to| Redirect {
        to: to.clone(),
        keeps_copy: true,
        approval: None,
        set_by: FILE.to_owned(),
        set_at_s: clock::unix_s(),
    });
    // Without a server the mail that comes is what it is judged by.
    let stop = live.zip(wanted.as_ref());
    let stop = stop.and_then(|(live, redirect)| redirect.holds(&live.tables, &live.today).err());
    if let (Some(redirect), Some(stop)) = (&wanted, &stop) {
        said.push(format!("no mail of {login} goes on to {}: {}", redirect.to, redirects::words(stop)));
    }
    let wanted = wanted.filter(|_| stop.is_none());
    let is_same = had.as_ref().map(|redirect| &redirect.to) == wanted.as_ref().map(|redirect| &redirect.to);
    Ok((!is_same).then_some(wanted))
}

impl Operation for PutPeople {
    type Response = PutResult;
    const PATH: &'static str = "/person/put";
    const LONG: bool = false;

    fn act(&self) -> decide::roles::Act {
        decide::roles::Act::ChangePeople
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<PutResult, OperateError> {
        let _desk = known::desk();
        let mut mailboxes = Vec::new();
        for (name, special_use) in &self.mailboxes {
            let name: MailboxName = place::mailbox_name(name)?;
            let special_use = SpecialUse::ALL.into_iter().find(|it| it.attribute() == special_use);
            mailboxes.push(DefaultMailbox { name, special_use });
        }
        let mut result = PutResult::default();
        let (mut ops, mut redirected) = (Vec::new(), Vec::new());
        for given in &self.people {
            let person = given.person()?;
            let row = context.store.person(&person.login)?;
            if row.is_none() {
                result.new.push(person.login.to_string());
            }
            let origin = given.origin(row.map(|row| row.origin));
            let (login, mailboxes) = (person.login.clone(), mailboxes.clone());
            ops.push(Op::UpsertPerson { person: Box::new(person), verifier: None, mailboxes, origin });
            let (live, to) = (context.live.as_ref(), given.redirect.as_ref());
            if let Some(redirect) = redirect(&context.store, live, &login, to, &mut result.said)? {
                ops.push(redirects::op(&login, redirect.as_ref()));
                redirected.push((login, redirect));
            }
        }
        for given in &self.addresses {
            ops.push(Op::UpsertAlias(Box::new(given.alias()?)));
        }
        for GivenLead { address, own, follows } in &self.leads {
            let own = own.iter().map(|member| login(member)).collect::<Result<_, _>>()?;
            ops.push(Op::LeadAlias { address: address.clone(), own, follows: follows.clone() });
        }
        context.store.commit_wait(ops)?;
        if let Some(live) = &context.live {
            redirected.into_iter().for_each(|(login, redirect)| live.redirects.put(&login, redirect));
        }
        names_changed(context);
        let (people, addresses) = (self.people.len(), self.addresses.len());
        audit(
            context,
            &format!("{people} people and {addresses} addresses brought up to date, {} new", result.new.len()),
        );
        Ok(result)
    }
}

/// Whoever compares names of senders with those of people has to read them again.
pub(super) fn names_changed(context: &Context) {
    if let Some(server) = &context.server {
        server.spam.names.changed();
    }
}
