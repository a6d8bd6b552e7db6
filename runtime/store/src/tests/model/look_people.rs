//! People, addresses and the ledger are what the model has.

use mail::{Alias, Login, Person};
use proptest::prop_assert_eq;

use super::lockstep::{Checked, Waist};
use super::naive::{Naive, fold};
use super::steps::{ADDRESSES, LOGINS, address_of, login_of};
use crate::{PersonRow, Resolution};

pub fn at_all(store: &dyn Waist, model: &Naive) -> Checked {
    let expected: Vec<PersonRow> = model.people.keys().filter_map(|login| row(model, login)).collect();
    prop_assert_eq!(store.people_count()?, expected.len() as u64);
    // Two at a time.
    let (mut found, mut after): (Vec<PersonRow>, Option<Login>) = (Vec::new(), None);
    loop {
        let page = store.people(after.as_ref(), 2)?;
        let Some(last) = page.last() else { break };
        after = Some(last.person.login.clone());
        found.extend(page);
    }
    prop_assert_eq!(found, expected);
    for login in LOGINS.map(login_of) {
        let folded = fold(&login);
        prop_assert_eq!(store.person(&login)?, row(model, &folded));
        prop_assert_eq!(store.login_was_given(&login)?, model.given.contains(&folded), "{}", login);
        let member = |alias: &&Alias| alias.members.iter().any(|member| fold(member) == folded);
        let aliases: Vec<Alias> = model.aliases.values().filter(member).map(kept).collect();
        prop_assert_eq!(store.aliases_of(&login)?, aliases, "of {}", login);
        for address in ADDRESSES.map(address_of) {
            let official = model.people.get(&folded).is_some_and(|(it, _)| it.address.folded() == address.folded());
            let alias = model.aliases.get(&address.folded()).is_some_and(|alias| member(&alias));
            prop_assert_eq!(store.owns(&login, &address)?, official || alias, "{} {}", login, address);
        }
    }
    for address in ADDRESSES.map(address_of) {
        let folded = address.folded();
        let person = model.people.iter().find(|(_, (person, _))| person.address.folded() == folded);
        let expected = match (person.and_then(|(login, _)| row(model, login)), model.aliases.get(&folded)) {
            (Some(person), _) => Resolution::Person(Box::new(person)),
            (None, Some(alias)) => Resolution::Alias(kept(alias)),
            (None, None) => Resolution::Unknown,
        };
        prop_assert_eq!(store.resolve(&address)?, expected, "{}", address);
    }
    Ok(())
}

/// A person as the store gives it: with the login as it is folded.
fn row(model: &Naive, login: &str) -> Option<PersonRow> {
    let (person, verifier) = model.people.get(login)?;
    let person = Person { login: login_of(login), ..person.clone() };
    Some(PersonRow { person, verifier: verifier.clone() })
}

fn kept(alias: &Alias) -> Alias {
    let members = alias.members.iter().map(|member| login_of(&fold(member))).collect();
    Alias { members, ..alias.clone() }
}
