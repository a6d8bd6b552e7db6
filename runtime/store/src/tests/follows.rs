//! Addresses that have the members of other addresses.

use mail::{Address, Alias, AliasKind};

use super::*;
use crate::{CommitError, Given, GivenKind, Leads, Refusal, Resolution};

fn address(text: &str) -> Address {
    format!("{text}@example.org").parse().unwrap()
}

fn logins(names: &[&str]) -> Vec<mail::Login> {
    names.iter().map(|name| login(name)).collect()
}

fn to(text: &str, members: &[&str], kind: AliasKind) -> Op {
    Op::UpsertAlias(Box::new(Alias { address: address(text), members: logins(members), kind }))
}

fn function(text: &str, members: &[&str]) -> Op {
    to(text, members, AliasKind::Function)
}

/// An address and the ways it leads by.
fn led(text: &str, own: &[&str], follows: &[&str]) -> Vec<Op> {
    let follows = follows.iter().map(|name| address(name)).collect();
    vec![to(text, own, AliasKind::Alias), Op::LeadAlias { address: address(text), own: logins(own), follows }]
}

fn reached(store: &Store, text: &str) -> Vec<String> {
    match store.resolve(&address(text)).unwrap() {
        Resolution::Alias(alias) => alias.members.iter().map(ToString::to_string).collect(),
        Resolution::Person(row) => vec![row.person.login.to_string()],
        Resolution::Unknown => Vec::new(),
    }
}

#[test]
fn an_address_that_follows_others_has_their_members_as_they_come_and_go() {
    let folder = Folder::new("follows");
    let store = store_with(&folder, &["a", "b", "c", "d"]);
    store.commit_wait(vec![function("desk", &["a", "b"])]).unwrap();
    store.commit_wait(led("help", &["c"], &["desk"])).unwrap();
    store.commit_wait(led("front", &[], &["help", "desk"])).unwrap();
    let both = |members: [&str; 3]| {
        assert_eq!([reached(&store, "help"), reached(&store, "front")], [members, members]);
    };
    both(["c", "a", "b"]);
    // One leaves the function, one comes.
    store.commit_wait(vec![function("desk", &["b", "d"])]).unwrap();
    both(["c", "b", "d"]);
    let owns = |of: &str| store.owns(&login(of), &address("front")).unwrap();
    assert!(owns("d") && !owns("a"), "who may write as it follows, too");
    assert_eq!(store.aliases_of(&login("d")).unwrap().len(), 3);
    // A list that adds somebody to an address with its members of now leaves the way as it is.
    store.commit_wait(vec![to("help", &["c", "b", "d", "a"], AliasKind::Alias)]).unwrap();
    let ways = Leads { own: logins(&["c", "a"]), follows: vec![address("desk")] };
    assert_eq!(store.leads(&address("help")).unwrap(), ways);
    store.commit_wait(vec![function("desk", &["b"])]).unwrap();
    both(["c", "a", "b"]);
    assert_eq!(store.followers(&address("desk")).unwrap(), [address("front"), address("help")]);
    // Who is erased is gone from all of them; what follows an empty function outlives its last member, as the function does.
    store.commit_wait(led("only", &[], &["desk"])).unwrap();
    store.commit_wait(vec![Op::ErasePerson { login: login("b") }]).unwrap();
    assert_eq!((reached(&store, "help"), reached(&store, "only")), (vec!["c".to_owned(), "a".to_owned()], Vec::new()));
    store.commit_wait(vec![function("desk", &["d"])]).unwrap();
    assert_eq!(reached(&store, "only"), ["d"]);
    drop(store);
    assert_eq!(reached(&folder.open(), "front"), ["c", "a", "d"], "a restart changes nothing");
}

#[test]
fn no_circle_of_addresses_is_let_in() {
    let folder = Folder::new("circles");
    let store = store_with(&folder, &["a"]);
    for name in ["one", "two", "three"] {
        store.commit_wait(led(name, &["a"], &[])).unwrap();
    }
    let follow = |name: &str, other: &str| {
        let op = Op::LeadAlias { address: address(name), own: Vec::new(), follows: vec![address(other)] };
        store.commit_wait(vec![op]).map(drop)
    };
    let circle = |name: &str| Err(CommitError::Refused { op: 0, why: Refusal::Circle(address(name)) });
    assert_eq!(follow("one", "one"), circle("one"));
    follow("one", "two").unwrap();
    follow("two", "three").unwrap();
    assert_eq!((follow("two", "one"), follow("three", "one")), (circle("two"), circle("three")));
    assert_eq!(reached(&store, "one"), ["a"]);
}

#[test]
fn an_address_somebody_has_for_their_own_is_followed_to_them() {
    let folder = Folder::new("follows-official");
    let store = store_with(&folder, &["a", "b"]);
    store.commit_wait(vec![to("old", &["a"], AliasKind::Former)]).unwrap();
    store.commit_wait(led("by", &[], &["old"])).unwrap();
    let Op::UpsertPerson { mut person, .. } = person("a", 5) else { panic!("not a person") };
    person.address = address("old");
    let op = Op::UpsertPerson { person, verifier: None, mailboxes: Vec::new(), origin: None };
    store.commit_wait(vec![op]).unwrap();
    assert_eq!((reached(&store, "old"), reached(&store, "by")), (vec!["a".to_owned()], vec!["a".to_owned()]));
}

#[test]
fn the_logins_a_person_ever_had_are_found_by_whose_they_are() {
    let folder = Folder::new("given-to");
    let store = store_with(&folder, &["a", "b"]);
    let Some(row) = store.person(&login("a")).unwrap() else { panic!("not here") };
    let holder = crate::holder_of(&row.person, &row.origin);
    let op = |what: &str, kind| Given { what: what.into(), kind, holder: holder.clone(), at_s: 1, freed_at_s: Some(2) };
    let before = store.logins_given_to(&holder, 9).unwrap();
    store
        .commit_wait(vec![Op::NoteGiven(vec![
            op("longer-than-all", GivenKind::Login),
            op("x@example.org", GivenKind::Address),
        ])])
        .unwrap();
    assert!(before.contains(&"a".to_owned()));
    let mut wanted = before;
    wanted.push("longer-than-all".to_owned());
    assert_eq!(store.logins_given_to(&holder, 9).unwrap(), wanted);
    assert_eq!(store.logins_given_to("nobody", 9).unwrap(), Vec::<String>::new());
}

#[test]
fn whoever_is_given_an_address_that_was_freed_gets_no_mail_of_what_followed_it() {
    let folder = Folder::new("follows-freed");
    let store = store_with(&folder, &["a", "b", "c"]);
    store.commit_wait(vec![to("old", &["b"], AliasKind::Alias)]).unwrap();
    store.commit_wait(led("help", &["c"], &["old"])).unwrap();
    assert_eq!(reached(&store, "help"), ["c", "b"]);
    store.commit_wait(vec![Op::ErasePerson { login: login("b") }]).unwrap();
    assert_eq!((reached(&store, "help"), reached(&store, "old")), (vec!["c".to_owned()], Vec::new()));
    store.commit_wait(vec![to("old", &["a"], AliasKind::Alias)]).unwrap();
    assert_eq!((reached(&store, "old"), reached(&store, "help")), (vec!["a".to_owned()], vec!["c".to_owned()]));
    assert!(!store.owns(&login("a"), &address("help")).unwrap());
}
