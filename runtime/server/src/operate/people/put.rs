//! `facteur person`: people of a folder into the store.

use mail::{Alias, AliasKind, Login, MailboxName, Person, SpecialUse};
use serde::{Deserialize, Serialize};
use store::{DefaultMailbox, Op};

use super::super::{Context, OperateError, Operation, Progress, audit, place};

/// `POST /person/put`: creates people or brings them up to date; nobody is taken away. Passwords stay as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PutPeople {
    pub people: Vec<GivenPerson>,
    pub addresses: Vec<GivenAddress>,
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
}

/// An alias, a former or a functional address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenAddress {
    pub address: mail::Address,
    pub members: Vec<String>,
    pub kind: GivenKind,
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

impl Operation for PutPeople {
    type Response = PutResult;
    const PATH: &'static str = "/person/put";
    const LONG: bool = false;

    fn act(&self) -> decide::roles::Act {
        decide::roles::Act::ChangePeople
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<PutResult, OperateError> {
        let mut mailboxes = Vec::new();
        for (name, special_use) in &self.mailboxes {
            let name: MailboxName = place::mailbox_name(name)?;
            let special_use = SpecialUse::ALL.into_iter().find(|it| it.attribute() == special_use);
            mailboxes.push(DefaultMailbox { name, special_use });
        }
        let mut result = PutResult::default();
        let mut ops = Vec::new();
        for given in &self.people {
            let person = given.person()?;
            if context.store.person(&person.login)?.is_none() {
                result.new.push(person.login.to_string());
            }
            ops.push(Op::UpsertPerson {
                person: Box::new(person),
                verifier: None,
                mailboxes: mailboxes.clone(),
                origin: None,
            });
        }
        for given in &self.addresses {
            ops.push(Op::UpsertAlias(Box::new(given.alias()?)));
        }
        context.store.commit_wait(ops)?;
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
