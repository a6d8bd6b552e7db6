//! People, addresses, the ledger of logins.

use mail::{Address, Alias, AliasKind};

use super::*;
use crate::{CommitError, Refusal, Resolution};

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn alias(text: &str, members: &[&str], kind: AliasKind) -> Op {
    let members = members.iter().map(|member| login(member)).collect();
    Op::UpsertAlias(Box::new(Alias { address: address(text), members, kind }))
}

#[test]
fn addresses_lead_to_people_in_any_case() {
    let folder = Folder::new("resolve");
    let store = store_with(&folder, &["a", "b"]);
    store
        .commit_wait(vec![
            alias("former@example.org", &["a"], AliasKind::Former),
            alias("Service@example.org", &["a", "b"], AliasKind::Function),
        ])
        .unwrap();
    let Resolution::Person(found) = store.resolve(&address("A@EXAMPLE.org")).unwrap() else { panic!("not found") };
    assert_eq!(found.person.login, login("a"));
    assert_eq!(found.verifier.as_deref(), Some("secret"));
    let Resolution::Alias(service) = store.resolve(&address("service@example.org")).unwrap() else {
        panic!("not found")
    };
    assert_eq!((service.members, service.kind), (vec![login("a"), login("b")], AliasKind::Function));
    assert_eq!(store.resolve(&address("c@example.org")).unwrap(), Resolution::Unknown);
    let owns = |of: &str, text: &str| store.owns(&login(of), &address(text)).unwrap();
    assert!(owns("a", "a@example.org") && owns("a", "Former@example.org") && owns("b", "service@example.org"));
    assert!(!owns("b", "a@example.org") && !owns("b", "former@example.org") && !owns("c", "service@example.org"));
    assert_eq!(store.aliases_of(&login("a")).unwrap().len(), 2);
    store.commit_wait(vec![Op::RemoveAlias(address("former@example.org"))]).unwrap();
    assert_eq!(store.resolve(&address("former@example.org")).unwrap(), Resolution::Unknown);
}

#[test]
fn an_address_leads_to_one_person_only() {
    let folder = Folder::new("taken");
    let store = store_with(&folder, &["a", "b"]);
    let taken = |text: &str| Err(CommitError::Refused { op: 0, why: Refusal::AddressTaken(address(text)) });
    let Op::UpsertPerson { mut person, .. } = person("b", 5) else { panic!("not a person") };
    person.address = address("a@example.org");
    let op = |person: &mail::Person| Op::UpsertPerson {
        person: Box::new(person.clone()),
        verifier: None,
        mailboxes: Vec::new(),
        origin: None,
    };
    assert_eq!(store.commit_wait(vec![op(&person)]), taken("a@example.org"));
    assert_eq!(store.commit_wait(vec![alias("a@example.org", &["b"], AliasKind::Alias)]), taken("a@example.org"));
    store.commit_wait(vec![alias("x@example.org", &["b"], AliasKind::Former)]).unwrap();
    // Their own former address may become official again; the password stays.
    person.address = address("x@example.org");
    store.commit_wait(vec![op(&person)]).unwrap();
    let found = store.person(&login("b")).unwrap().unwrap();
    assert_eq!(found.person, *person);
    assert_eq!(found.verifier.as_deref(), Some("secret"));
    assert_eq!(store.aliases_of(&login("b")).unwrap(), []);
    assert_eq!(store.mailboxes(&login("b")).unwrap().len(), 3);
}

#[test]
fn a_login_is_never_given_twice() {
    let folder = Folder::new("ledger");
    let store = store_with(&folder, &["a"]);
    let claim = |text: &str| store.commit_wait(vec![Op::ClaimLogin { login: login(text), at_s: 7 }]);
    let taken = |text: &str| Err(CommitError::Refused { op: 0, why: Refusal::LoginTaken(login(text)) });
    assert_eq!(claim("a"), taken("a"), "a person who was created has a login that was given");
    assert_eq!(claim("toto-j"), Ok(vec![OpResult::Done]));
    assert_eq!(claim("Toto-J"), taken("Toto-J"));
    assert!(store.login_was_given(&login("toto-j")).unwrap() && !store.login_was_given(&login("toto-k")).unwrap());
    let verifier = |of: &str| Op::SetVerifier { login: login(of), verifier: "new".to_owned() };
    store.commit_wait(vec![verifier("a")]).unwrap();
    assert_eq!(store.person(&login("A")).unwrap().unwrap().verifier.as_deref(), Some("new"));
    let unknown = Refusal::NoSuchLogin(login("toto-j"));
    assert_eq!(store.commit_wait(vec![verifier("toto-j")]), Err(CommitError::Refused { op: 0, why: unknown }));
}

#[test]
fn people_are_listed_in_slices() {
    let folder = Folder::new("people");
    let store = store_with(&folder, &["c", "a", "b"]);
    let logins = |after: Option<&str>, limit| -> Vec<String> {
        let after = after.map(login);
        let people = store.people(after.as_ref(), limit).unwrap();
        people.iter().map(|row| row.person.login.to_string()).collect()
    };
    assert_eq!(logins(None, 2), ["a", "b"]);
    assert_eq!(logins(Some("b"), 2), ["c"]);
    assert_eq!(store.people_count().unwrap(), 3);
}

#[test]
fn people_are_found_by_parts_of_their_names_without_case_and_accents() {
    let folder = Folder::new("like");
    let store = folder.open();
    let named = |of: &str, first: &str, last: &str| {
        let Op::UpsertPerson { mut person, verifier, mailboxes, origin } = person(of, 5) else {
            panic!("not a person")
        };
        (person.first, person.last) = (first.to_owned(), last.to_owned());
        Op::UpsertPerson { person, verifier, mailboxes, origin }
    };
    let people = [("a", "Éloïse", "D'Angelo"), ("b", "Jean-Pierre", "Le Gall"), ("toto-jp", "Jean", "Toto")];
    store.commit_wait(people.map(|(login, first, last)| named(login, first, last)).into()).unwrap();
    let like = |text: &str, limit| -> Vec<String> {
        store.people_like(text, limit).unwrap().iter().map(|row| row.person.login.to_string()).collect()
    };
    for (text, found) in [
        ("ELO", vec!["a"]),
        ("angel", vec!["a"]),
        ("d'ang", vec!["a"]),
        ("jean", vec!["b", "toto-jp"]),
        ("gall jean", vec!["b"]),
        ("jean-p", vec!["b"]),
        ("toto-", vec!["toto-jp"]),
        ("toto-jp@example", vec!["toto-jp"]),
        ("ean", vec![]),
        ("  ", vec![]),
        ("%", vec![]),
    ] {
        assert_eq!(like(text, 9), found, "{text}");
    }
    assert_eq!(like("jean", 1), ["b"]);
    // A new name takes the old one's place.
    store.commit_wait(vec![named("b", "Jean-Pierre", "Martin")]).unwrap();
    assert_eq!((like("gall", 9), like("martin", 9)), (vec![], vec!["b".to_owned()]));
}

#[test]
fn what_was_given_stays_known_when_its_holder_goes() {
    let folder = Folder::new("erased");
    let store = store_with(&folder, &["a", "b"]);
    put(&store, 1, "a", "hello");
    store
        .commit_wait(vec![
            alias("old@example.org", &["a"], AliasKind::Former),
            alias("team@example.org", &["a"], AliasKind::Function),
        ])
        .unwrap();
    let held = |what: &str| store.given(what).unwrap().map(|it| (it.holder, it.freed_at_s.is_some()));
    let jean = || Some(("jean toto ".to_owned(), false));
    assert_eq!((held("a"), held("a@example.org"), held("old@example.org")), (jean(), jean(), jean()));
    store.commit_wait(vec![Op::ErasePerson { login: login("a") }]).unwrap();
    let freed = || Some(("jean toto ".to_owned(), true));
    assert_eq!((held("a"), held("a@example.org"), held("old@example.org")), (freed(), freed(), freed()));
    assert_eq!(store.person(&login("a")).unwrap(), None);
    assert_eq!(store.resolve(&address("old@example.org")).unwrap(), Resolution::Unknown);
    let Resolution::Alias(team) = store.resolve(&address("team@example.org")).unwrap() else {
        panic!("a function stays")
    };
    assert_eq!(team.members, []);
    assert_sound(&store);
    // The same login again is a new account, empty.
    store.commit_wait(vec![person("a", 1 << 30)]).unwrap();
    assert_eq!((uids(&store, "a", "INBOX"), held("a")), (vec![], jean()));
}
