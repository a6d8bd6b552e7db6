//! People into the store: verifiers, default mailboxes, batches.

use std::fmt;

use mail::{Login, Person};
use plan::Plan;
use policy::people::{Directory, Lead, Stay};
use server::operate::{GivenPerson, OperateError};
use store::{CommitError, Op, Store};

/// People of one commit; a batch is one transaction.
const BATCH: usize = 200;

/// Why people could not be created.
#[derive(Debug)]
pub enum NoPeople {
    Commit(CommitError),
    /// What is known of somebody cannot be read.
    Known(OperateError),
    Address(String),
}

impl fmt::Display for NoPeople {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoPeople::Commit(error) => write!(f, "people could not be stored: {error}"),
            NoPeople::Known(error) => write!(f, "people could not be compared with those who are there: {error}"),
            NoPeople::Address(text) => write!(f, "`{text}` is no address"),
        }
    }
}

impl std::error::Error for NoPeople {}

/// Creates people or brings them up to date. `None` keeps the verifier of an existing person.
pub fn create(store: &Store, plan: &Plan, people: &[(Person, Option<String>)]) -> Result<(), NoPeople> {
    let mailboxes = server::default_mailboxes(plan.institution.pages);
    for batch in people.chunks(BATCH) {
        let ops = batch
            .iter()
            .map(|(person, verifier)| Op::UpsertPerson {
                person: Box::new(person.clone()),
                verifier: verifier.clone(),
                mailboxes: mailboxes.clone(),
                origin: None,
            })
            .collect();
        store.commit_wait(ops).map_err(NoPeople::Commit)?;
    }
    Ok(())
}

/// Everybody of a `people.ron` with their days and redirects, as `person load` brings them. Verifiers stay.
pub fn create_listed(store: &Store, plan: &Plan, directory: &Directory) -> Result<(), NoPeople> {
    let mailboxes = server::default_mailboxes(plan.institution.pages);
    for (people, stays) in directory.people.chunks(BATCH).zip(directory.stays.chunks(BATCH)) {
        let mut ops = Vec::new();
        for (person, stay) in people.iter().zip(stays) {
            let (origin, redirect) = given((person, stay)).stay(store).map_err(NoPeople::Known)?;
            let (person, mailboxes) = (Box::new(person.clone()), mailboxes.clone());
            ops.push(Op::UpsertPerson { person, verifier: None, mailboxes, origin });
            ops.extend(redirect);
        }
        store.commit_wait(ops).map_err(NoPeople::Commit)?;
    }
    Ok(())
}

/// A person with what the file says of their stay.
pub fn given((person, stay): (&Person, &Stay)) -> GivenPerson {
    let Stay { registered, until, redirect } = stay.clone();
    GivenPerson { registered, until, redirect, ..person.into() }
}

/// The addresses of a directory, then the ways from one to another: what is followed is there by then.
pub fn addresses(directory: &Directory) -> Vec<Op> {
    let aliases = directory.aliases.iter().map(|alias| Op::UpsertAlias(Box::new(alias.clone())));
    let leads = directory.leads.iter().cloned();
    aliases.chain(leads.map(|Lead { address, own, follows }| Op::LeadAlias { address, own, follows })).collect()
}

/// People for measuring: `user0001` and so on, in the institution's domain, with the default profile.
pub fn numbered(plan: &Plan, count: u32, verifier: &str) -> Result<Vec<(Person, Option<String>)>, NoPeople> {
    let profile = &plan.mailboxes.otherwise;
    let quota_octets = plan.mailboxes.profiles.get(profile).map_or(0, |p| p.quota.floor_octets());
    (1..=count)
        .map(|number| {
            let login = format!("user{number:04}");
            let text = format!("{login}@{}", plan.institution.domain);
            let address = text.parse().map_err(|_| NoPeople::Address(text.clone()))?;
            let login = Login::new(&login).ok_or(NoPeople::Address(text))?;
            let person = Person {
                login,
                first: "User".into(),
                last: format!("{number:04}"),
                address,
                profile: profile.clone(),
                unit: String::new(),
                home: None,
                quota_octets,
            };
            Ok((person, Some(verifier.to_owned())))
        })
        .collect()
}
