//! CREATE, DELETE, RENAME, SUBSCRIBE.

use super::*;
use crate::{CommitError, Refusal};

fn create(text: &str) -> Op {
    Op::CreateMailbox { login: login("a"), name: name(text), special_use: None }
}

fn delete(text: &str) -> Op {
    Op::DeleteMailbox { login: login("a"), name: name(text) }
}

fn rename(from: &str, to: &str) -> Op {
    Op::RenameMailbox { login: login("a"), from: name(from), to: name(to) }
}

fn refused(why: Refusal) -> Result<Vec<OpResult>, CommitError> {
    Err(CommitError::Refused { op: 0, why })
}

fn names(store: &Store) -> Vec<String> {
    store.mailboxes(&login("a")).unwrap().into_iter().map(|mailbox| mailbox.name.to_string()).collect()
}

#[test]
fn an_account_starts_with_its_mailboxes_subscribed() {
    let folder = Folder::new("start");
    let store = store_with(&folder, &["a"]);
    let mailboxes = store.mailboxes(&login("a")).unwrap();
    let shown: Vec<_> = mailboxes.iter().map(|m| (m.name.as_str(), m.special_use, m.subscribed)).collect();
    let expected = [
        ("Corbeille", Some(SpecialUse::Trash), true),
        ("INBOX", None, true),
        ("Indésirables", Some(SpecialUse::Junk), true),
    ];
    assert_eq!(shown, expected);
    assert_eq!(store.mailboxes(&login("nobody")).unwrap(), []);
}

#[test]
fn a_use_goes_from_one_mailbox_to_another_and_stays_there() {
    let folder = Folder::new("uses");
    let store = store_with(&folder, &["a"]);
    let set = |store: &Store, of: &str, special_use: Option<SpecialUse>| {
        store.commit_wait(vec![Op::SetSpecialUse { login: login("a"), name: name(of), special_use }])
    };
    store.commit_wait(vec![create("x")]).unwrap();
    assert_eq!(set(&store, "x", Some(SpecialUse::Junk)), refused(Refusal::SpecialUseTaken));
    assert_eq!(set(&store, "nowhere", None), refused(Refusal::NoSuchMailbox));
    set(&store, "Indésirables", Some(SpecialUse::Junk)).unwrap();
    set(&store, "Indésirables", None).unwrap();
    set(&store, "x", Some(SpecialUse::Junk)).unwrap();
    drop(store);
    let store = folder.open();
    let of = |mailbox: &str| store.mailbox(&login("a"), &name(mailbox)).unwrap().unwrap().special_use;
    assert_eq!((of("x"), of("Indésirables")), (Some(SpecialUse::Junk), None));
}

#[test]
fn create_makes_parents_and_uidvalidity_never_comes_back() {
    let folder = Folder::new("create");
    let store = store_with(&folder, &["a"]);
    store.commit_wait(vec![create("x/y/z")]).unwrap();
    assert_eq!(names(&store), ["Corbeille", "INBOX", "Indésirables", "x", "x/y", "x/y/z"]);
    assert_eq!(store.commit_wait(vec![create("x/y")]), refused(Refusal::MailboxExists(name("x/y"))));
    assert_eq!(store.commit_wait(vec![create("inbox")]), refused(Refusal::MailboxExists(MailboxName::inbox())));
    let junk = Op::CreateMailbox { login: login("a"), name: name("j"), special_use: Some(SpecialUse::Junk) };
    assert_eq!(store.commit_wait(vec![junk]), refused(Refusal::SpecialUseTaken));
    let before = store.mailbox(&login("a"), &name("x/y")).unwrap().unwrap();
    store.commit_wait(vec![delete("x/y")]).unwrap();
    assert_eq!(names(&store), ["Corbeille", "INBOX", "Indésirables", "x", "x/y/z"]);
    drop(store);
    let store = folder.open();
    store.commit_wait(vec![create("x/y")]).unwrap();
    let after = store.mailbox(&login("a"), &name("x/y")).unwrap().unwrap();
    assert!(after.uidvalidity > before.uidvalidity && after.id != before.id);
    assert_eq!(store.commit_wait(vec![delete("INBOX")]), refused(Refusal::InboxStays));
    assert_eq!(store.commit_wait(vec![delete("q")]), refused(Refusal::NoSuchMailbox));
}

#[test]
fn delete_frees_the_bodies_and_the_quota() {
    let folder = Folder::new("delete");
    let store = store_with(&folder, &["a"]);
    let body = store.put_body(&[b"hello"]).unwrap();
    let both = [("a", Target::Mailbox(name("Corbeille"))), ("a", Target::Inbox)];
    store.commit_wait(vec![deliver(1, &both, &body)]).unwrap();
    store.commit_wait(vec![delete("Corbeille")]).unwrap();
    assert_eq!(used(&store, "a"), (5, 1));
    assert_eq!(body_text(&store, inbox(&store, "a"), 1), "hello");
    assert_sound(&store);
}

#[test]
fn rename_takes_the_children_along() {
    let folder = Folder::new("rename");
    let store = store_with(&folder, &["a"]);
    store.commit_wait(vec![create("x/y/z"), create("x0")]).unwrap();
    let before = store.mailbox(&login("a"), &name("x/y")).unwrap().unwrap();
    store.commit_wait(vec![rename("x", "p/q")]).unwrap();
    assert_eq!(names(&store), ["Corbeille", "INBOX", "Indésirables", "p", "p/q", "p/q/y", "p/q/y/z", "x0"]);
    let after = store.mailbox(&login("a"), &name("p/q/y")).unwrap().unwrap();
    assert_eq!((after.id, after.uidvalidity), (before.id, before.uidvalidity));
    assert_eq!(store.commit_wait(vec![rename("x0", "p/q")]), refused(Refusal::MailboxExists(name("p/q"))));
    assert_eq!(store.commit_wait(vec![rename("p", "p/q/r")]), refused(Refusal::BadName));
    assert_eq!(store.commit_wait(vec![rename("x", "r")]), refused(Refusal::NoSuchMailbox));
    let deep = ["d"; 15].join("/");
    assert_eq!(store.commit_wait(vec![rename("p", &deep)]), refused(Refusal::BadName));
}

#[test]
fn rename_of_inbox_moves_the_messages_and_leaves_inbox_empty() {
    let folder = Folder::new("inbox");
    let store = store_with(&folder, &["a"]);
    store.commit_wait(vec![create("INBOX/child")]).unwrap();
    (1..=3).for_each(|n| drop(put(&store, n, "a", "hello")));
    let before = store.mailbox(&login("a"), &MailboxName::inbox()).unwrap().unwrap();
    store.commit_wait(vec![rename("INBOX", "old/2026")]).unwrap();
    assert_eq!(uids(&store, "a", "old/2026"), [1, 2, 3]);
    let after = store.mailbox(&login("a"), &MailboxName::inbox()).unwrap().unwrap();
    assert_eq!((after.counts.messages, after.uidnext), (0, 1));
    assert!(after.uidvalidity > before.uidvalidity);
    assert!(store.mailbox(&login("a"), &name("INBOX/child")).unwrap().is_some(), "children stay (RFC 9051 6.3.6)");
    assert_eq!(put(&store, 4, "a", "hello").mailbox, after.id);
    assert_sound(&store);
}

#[test]
fn a_name_can_be_subscribed_without_a_mailbox() {
    let folder = Folder::new("subscribe");
    let store = store_with(&folder, &["a"]);
    store
        .commit_wait(vec![
            Op::Subscribe { login: login("a"), name: name("later") },
            Op::Unsubscribe { login: login("a"), name: name("Corbeille") },
        ])
        .unwrap();
    let subscribed: Vec<String> = store.subscriptions(&login("a")).unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(subscribed, ["INBOX", "Indésirables", "later"]);
    assert!(!store.mailbox(&login("a"), &name("Corbeille")).unwrap().unwrap().subscribed);
}
