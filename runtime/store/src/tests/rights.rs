//! Lists of rights: what they survive, what they go with, and how shared mailboxes are found.

use mail::{Alias, AliasKind, Grantee, Identifier, Rights, RightsChange};

use super::*;
use crate::{CommitError, Refusal, SetRights, Until};

fn set(owner: &str, mailbox: &str, who: &str, rights: &str, until: Until) -> Op {
    Op::SetRights(Box::new(SetRights {
        login: login(owner),
        mailbox: name(mailbox),
        identifier: Identifier::parse(who).unwrap(),
        change: RightsChange::Replace,
        rights: Rights::parse(rights).unwrap(),
        until,
        at_s: 1_000,
    }))
}

/// `who rights until`, one entry after the other.
fn list(store: &Store, owner: &str, mailbox: &str) -> String {
    let id = store.mailbox(&login(owner), &name(mailbox)).unwrap().unwrap().id;
    let entries = store.grants(id).unwrap().into_iter();
    let until = |until_s: Option<i64>| until_s.map(|until_s| format!(" {until_s}")).unwrap_or_default();
    entries.map(|it| format!("{} {}{}", it.identifier, it.rights, until(it.until_s))).collect::<Vec<_>>().join(", ")
}

fn create(owner: &str, mailbox: &str) -> Op {
    Op::CreateMailbox { login: login(owner), name: name(mailbox), special_use: None }
}

#[test]
fn a_list_survives_rename_and_restart_and_goes_with_its_mailbox() {
    let folder = Folder::new("rights");
    let store = store_with(&folder, &["a", "b"]);
    let first = vec![create("a", "x"), set("a", "x", "b", "lr", Until::Given(Some(5_000)))];
    store.commit_wait(first).unwrap();
    store.commit_wait(vec![create("a", "x/y"), set("a", "x", "-b", "s", Until::AsBefore)]).unwrap();
    assert_eq!(list(&store, "a", "x"), "b lr 5000, -b s");
    assert_eq!(list(&store, "a", "x/y"), "b lr 5000", "a new mailbox begins with the list above it");
    let rename = Op::RenameMailbox { login: login("a"), from: name("x"), to: name("z") };
    store.commit_wait(vec![rename]).unwrap();
    drop(store);
    let store = folder.open();
    assert_eq!((list(&store, "a", "z"), list(&store, "a", "z/y")), ("b lr 5000, -b s".into(), "b lr 5000".into()));
    store.commit_wait(vec![set("a", "z", "b", "lrs", Until::AsBefore)]).unwrap();
    assert_eq!(list(&store, "a", "z"), "b lrs 5000, -b s", "another set of rights ends when the one before does");
    store.commit_wait(vec![set("a", "z", "b", "", Until::AsBefore)]).unwrap();
    assert_eq!(list(&store, "a", "z"), "-b s");
    let names = [Grantee::parse("b").unwrap()];
    assert_eq!(store.shared_with(&names, 9).unwrap().len(), 2);
    let delete = |mailbox| Op::DeleteMailbox { login: login("a"), name: name(mailbox) };
    store.commit_wait(vec![delete("z/y"), delete("z")]).unwrap();
    assert_eq!(store.shared_with(&names, 9).unwrap(), []);
}

#[test]
fn inbox_stays_shared_when_its_messages_get_another_name() {
    let folder = Folder::new("rights-inbox");
    let store = store_with(&folder, &["a"]);
    store.commit_wait(vec![set("a", "INBOX", "b", "lr", Until::AsBefore)]).unwrap();
    let rename = Op::RenameMailbox { login: login("a"), from: name("INBOX"), to: name("old") };
    store.commit_wait(vec![rename]).unwrap();
    assert_eq!((list(&store, "a", "INBOX"), list(&store, "a", "old")), ("b lr".into(), String::new()));
}

#[test]
fn what_is_shared_is_found_in_every_shard_by_any_name() {
    let folder = Folder::new("rights-shards");
    let store = Store::open(folder.path(), Options { shards: 4, ..Options::default() }).unwrap();
    let people = ["a", "b", "c", "d", "e", "f"];
    store.commit_wait(people.iter().map(|login| person(login, 1 << 40)).collect()).unwrap();
    for (owner, who) in [("a", "z"), ("b", "$physics"), ("c", "anyone"), ("d", "other"), ("e", "-z")] {
        store.commit_wait(vec![set(owner, "INBOX", who, "lr", Until::AsBefore)]).unwrap();
    }
    let names: Vec<Grantee> = ["anyone", "z", "$physics"].iter().filter_map(|it| Grantee::parse(it)).collect();
    let shared = store.shared_with(&names, 9).unwrap();
    let mut found: Vec<&str> = shared.iter().map(|shared| shared.account.as_str()).collect();
    found.sort_unstable();
    assert_eq!(found, ["a", "b", "c", "e"]);
}

#[test]
fn a_functional_address_may_have_mailboxes_of_its_own_and_nobody_gets_its_login() {
    let folder = Folder::new("rights-function");
    let store = store_with(&folder, &["a"]);
    let kind = AliasKind::FunctionMailbox { quota_octets: 500 };
    let alias = Alias { address: "Contact@example.org".parse().unwrap(), members: vec![login("a")], kind };
    let account = alias.account().unwrap();
    assert_eq!(account.as_str(), "$contact%example.org");
    store.commit_wait(vec![Op::UpsertAlias(Box::new(alias.clone()))]).unwrap();
    assert_eq!(store.mailboxes(&account).unwrap().len(), 1);
    assert_eq!(store.usage(&account).unwrap().quota_octets, 500);
    assert_eq!(store.resolve(&alias.address).unwrap(), crate::Resolution::Alias(alias));
    let Op::UpsertPerson { mut person, .. } = person("x", 5) else { panic!("not a person") };
    person.login = account.clone();
    let thief = Op::UpsertPerson { person, verifier: None, mailboxes: Vec::new(), origin: None };
    assert_eq!(store.commit_wait(vec![thief]), Err(CommitError::Refused { op: 0, why: Refusal::LoginTaken(account) }));
}

#[test]
fn a_list_has_so_many_entries_and_ended_ones_make_room() {
    let folder = Folder::new("rights-many");
    let store = store_with(&folder, &["a"]);
    let full = (0..200).map(|n| set("a", "INBOX", &format!("u{n}"), "l", Until::Given(Some(1_001 + n % 2))));
    store.commit_wait(full.collect()).unwrap();
    let one = set("a", "INBOX", "late", "l", Until::AsBefore);
    let refused = Err(CommitError::Refused { op: 0, why: Refusal::TooManyGrants });
    assert_eq!(store.commit_wait(vec![one.clone()]), refused);
    let Op::SetRights(mut later) = one else { panic!("not rights") };
    later.at_s = 1_001;
    store.commit_wait(vec![Op::SetRights(later)]).unwrap();
    assert_eq!(list(&store, "a", "INBOX").split(", ").count(), 101);
}
