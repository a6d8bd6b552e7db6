//! People into the store: verifiers, default mailboxes, batches.

use std::fmt;

use mail::{Login, Person};
use plan::Plan;
use policy::people::{Directory, Lead};
use store::{CommitError, Op, Store};

/// People of one commit; a batch is one transaction.
const BATCH: usize = 200;

/// Why people could not be created.
#[derive(Debug)]
pub enum NoPeople {
    Commit(CommitError),
    Address(String),
}

impl fmt::Display for NoPeople {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoPeople::Commit(error) => write!(f, "people could not be stored: {error}"),
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
