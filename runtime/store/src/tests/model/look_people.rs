//! People, addresses and the ledger are what the model has.

use mail::{Alias, Login, Person};
use proptest::prop_assert_eq;

use super::lockstep::{Checked, Waist};
use super::naive::{Human, Naive, fold};
use super::steps::{ADDRESSES, LOGINS, address_of, login_of};
use super::translate::origin_of;
use crate::{GivenKind, PersonRow, Resolution};

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
        prop_assert_eq!(store.login_was_given(&login)?, model.given.contains_key(&folded), "{}", login);
        let member = |alias: &&Alias| alias.members.iter().any(|member| fold(member) == folded);
        let aliases: Vec<Alias> = model.aliases.values().filter(member).map(kept).collect();
        prop_assert_eq!(store.aliases_of(&login)?, aliases, "of {}", login);
        for address in ADDRESSES.map(address_of) {
            let official = model.people.get(&folded).is_some_and(|it| it.person.address.folded() == address.folded());
            let alias = model.aliases.get(&address.folded()).is_some_and(|alias| member(&alias));
            prop_assert_eq!(store.owns(&login, &address)?, official || alias, "{} {}", login, address);
        }
    }
    for address in ADDRESSES.map(address_of) {
        let folded = address.folded();
        let person = model.people.iter().find(|(_, it)| it.person.address.folded() == folded);
        let expected = match (person.and_then(|(login, _)| row(model, login)), model.aliases.get(&folded)) {
            (Some(person), _) => Resolution::Person(Box::new(person)),
            (None, Some(alias)) => Resolution::Alias(kept(alias)),
            (None, None) => Resolution::Unknown,
        };
        prop_assert_eq!(store.resolve(&address)?, expected, "{}", address);
    }
    ledger(store, model)?;
    found_otherwise(store, model)
}

/// Of the ledger and of how people logged in.
fn ledger(store: &dyn Waist, model: &Naive) -> Checked {
    let addresses = ADDRESSES.map(|address| address_of(address).folded());
    for what in LOGINS.map(|login| fold(&login_of(login))).into_iter().chain(addresses) {
        let found = store.given(&what)?.map(|it| (it.holder, it.kind == GivenKind::Login, it.freed_at_s.is_some()));
        prop_assert_eq!(found.as_ref(), model.given.get(&what), "{}", what);
    }
    let listed: Vec<String> = store.given_list("", 99)?.into_iter().map(|it| it.what).collect();
    prop_assert_eq!(listed, model.given.keys().cloned().collect::<Vec<_>>());
    let aliases: Vec<Alias> = model.aliases.values().map(kept).collect();
    prop_assert_eq!(store.aliases("", 99)?, aliases);
    for login in LOGINS.map(login_of) {
        let mine = model.accesses.iter().filter(|((whose, _), _)| *whose == fold(&login));
        let mut expected: Vec<_> =
            mine.map(|((_, how), (first, last, times))| (-last, how.clone(), *first, *times)).collect();
        expected.sort();
        let found = store.accesses_of(&login, 9)?;
        let found: Vec<_> = found.into_iter().map(|it| (-it.last_s, it.how, it.first_s, it.times)).collect();
        prop_assert_eq!(found, expected, "of {}", login);
    }
    Ok(())
}

/// Not by their login.
fn found_otherwise(store: &dyn Waist, model: &Naive) -> Checked {
    let logins =
        |rows: Vec<PersonRow>| -> Vec<String> { rows.into_iter().map(|row| row.person.login.to_string()).collect() };
    let of = |which: &dyn Fn(&Human) -> bool| -> Vec<String> {
        model.people.iter().filter(|(_, human)| which(human)).map(|(login, _)| login.clone()).collect()
    };
    let mut due: Vec<_> =
        model.people.iter().filter_map(|(login, it)| Some((it.due_s.filter(|due| *due <= 4)?, login))).collect();
    due.sort();
    let due: Vec<String> = due.into_iter().map(|(_, login)| login.clone()).collect();
    prop_assert_eq!(logins(store.people_due(4, 9)?), due);
    let standing = model.people.iter().filter(|(_, it)| !it.standing.is_empty());
    let standing: Vec<_> = standing.map(|(login, it)| (login.clone(), it.standing.clone())).collect();
    let found = store.people_standing(None, 99)?.into_iter();
    prop_assert_eq!(found.map(|(login, it)| (login.to_string(), it)).collect::<Vec<_>>(), standing);
    for id in ["uid-1", "uid-2", ""] {
        let first = of(&|human| !id.is_empty() && human.origin[1] == id).into_iter().next();
        prop_assert_eq!(store.person_by_foreign(id)?.map(|row| row.person.login.to_string()), first);
    }
    for address in ADDRESSES {
        let local = &address[..1];
        let begins = |human: &Human| {
            let Person { login, first, last, address, .. } = &human.person;
            let words = [first, last, login.as_str(), &address.to_string()].map(mail::fold);
            words.iter().any(|word| word.starts_with(&local.to_lowercase()))
        };
        prop_assert_eq!(logins(store.people_like(local, 9)?), of(&begins), "like {}", local);
    }
    let units: std::collections::BTreeSet<String> =
        model.people.values().map(|human| human.person.unit.clone()).filter(|unit| !unit.is_empty()).collect();
    prop_assert_eq!(store.units(99)?, units.into_iter().collect::<Vec<_>>());
    for unit in model.people.values().map(|human| human.person.unit.clone()) {
        prop_assert_eq!(logins(store.people_of_unit(&unit, None, 9)?), of(&|human| human.person.unit == unit));
    }
    Ok(())
}

/// A person as the store gives it: with the login as it is folded.
fn row(model: &Naive, login: &str) -> Option<PersonRow> {
    let human = model.people.get(login)?.clone();
    let person = Person { login: login_of(login), ..human.person };
    let Human { verifier, standing, due_s, secret, .. } = human;
    Some(PersonRow { person, verifier, origin: origin_of(human.origin), standing, due_s, secret })
}

fn kept(alias: &Alias) -> Alias {
    let members = alias.members.iter().map(|member| login_of(&fold(member))).collect();
    Alias { members, ..alias.clone() }
}
