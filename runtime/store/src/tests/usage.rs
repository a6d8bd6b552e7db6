//! Quota as a sum, REPLACE, and warnings.

use super::*;
use crate::{Append, CommitError, Expunged, Refusal, Replace, UidSet};

fn fill(store: &Store, n: u64, octets: usize) -> Placed {
    put(store, n, "a", &"x".repeat(octets))
}

fn append(store: &Store, octets: usize) -> Append {
    Append {
        login: login("a"),
        mailbox: MailboxName::inbox(),
        body: store.put_body(&["y".repeat(octets).as_bytes()]).unwrap(),
        summary: Summary::default(),
        flags: Flags::default(),
        internal_date: InternalDate::default(),
    }
}

fn warned(store: &Store, fill_permille: u32) -> Result<Vec<OpResult>, CommitError> {
    store.commit_wait(vec![Op::Warned { login: login("a"), fill_permille }])
}

const ALREADY: Result<Vec<OpResult>, CommitError> = Err(CommitError::Refused { op: 0, why: Refusal::AlreadyWarned });

#[test]
fn each_crossing_of_a_level_is_told_once() {
    let folder = Folder::new("warned");
    let store = folder.open();
    store.commit_wait(vec![person("a", 1000)]).unwrap();
    assert_eq!(warned(&store, 800), ALREADY, "an empty account has crossed nothing");
    let first = fill(&store, 1, 850);
    warned(&store, 800).unwrap();
    assert_eq!(warned(&store, 800), ALREADY);
    assert_eq!(warned(&store, 950), ALREADY, "that level is not reached");
    let second = fill(&store, 2, 120);
    warned(&store, 950).unwrap();
    // Below the upper level and up again: that one is told again, the lower one is not.
    let expunge =
        |uid: u32| Op::Expunge { mailbox: first.mailbox, which: Expunged::Exactly([uid].into_iter().collect()) };
    store.commit_wait(vec![expunge(second.uid)]).unwrap();
    fill(&store, 3, 120);
    assert_eq!(warned(&store, 800), ALREADY);
    drop(store);
    let store = folder.open();
    warned(&store, 950).unwrap();
    // Below both.
    store.commit_wait(vec![expunge(first.uid)]).unwrap();
    fill(&store, 4, 800);
    warned(&store, 800).unwrap();
    assert_sound(&store);
}

#[test]
fn a_larger_quota_ends_a_warning_too() {
    let folder = Folder::new("larger-quota");
    let store = folder.open();
    store.commit_wait(vec![person("a", 1000)]).unwrap();
    fill(&store, 1, 900);
    warned(&store, 800).unwrap();
    store.commit_wait(vec![person("a", 10_000)]).unwrap();
    assert_eq!(store.usage(&login("a")).unwrap().warned_permille, 90);
    store.commit_wait(vec![person("a", 1000)]).unwrap();
    warned(&store, 800).unwrap();
}

#[test]
fn a_warning_and_its_message_are_one_commit() {
    let folder = Folder::new("warned-once");
    let store = folder.open();
    store.commit_wait(vec![person("a", 1000)]).unwrap();
    fill(&store, 1, 900);
    let warn = |n| {
        let body = store.put_body(&[b"nearly full"]).unwrap();
        let told = deliver(n, &[("a", Target::Inbox)], &body);
        store.commit_wait(vec![Op::Warned { login: login("a"), fill_permille: 800 }, told])
    };
    warn(2).unwrap();
    assert_eq!(warn(3), ALREADY);
    assert_eq!(uids(&store, "a", "INBOX"), [1, 2]);
    assert_sound(&store);
}

#[test]
fn replace_is_judged_as_if_the_old_message_had_gone_first() {
    let folder = Folder::new("replace");
    let store = folder.open();
    store.commit_wait(vec![person("a", 1000)]).unwrap();
    let old = fill(&store, 1, 900);
    let replace = |uid, octets| {
        let replace = Replace { append: append(&store, octets), mailbox: old.mailbox, uid };
        store.commit_wait(vec![Op::Replace(Box::new(replace))])
    };
    let refused = CommitError::Refused { op: 0, why: Refusal::OverQuota { used_octets: 900, quota_octets: 1000 } };
    assert_eq!(replace(1, 1001), Err(refused));
    assert_eq!(replace(7, 5), Err(CommitError::Refused { op: 0, why: Refusal::NoSuchMessage }));
    assert!(matches!(replace(1, 1000).unwrap()[0], OpResult::Appended { uid: 2, .. }));
    assert_eq!(used(&store, "a"), (1000, 1));
    assert_eq!(store.changes_since(old.mailbox, 2).unwrap().unwrap().vanished, [1]);
    assert_sound(&store);
}

#[test]
fn a_copy_costs_its_owner_the_full_size_although_the_body_is_shared() {
    let folder = Folder::new("copy-quota");
    let store = folder.open();
    store.commit_wait(vec![person("a", 1000)]).unwrap();
    let message = fill(&store, 1, 600);
    let to = store.mailbox(&login("a"), &name("Corbeille")).unwrap().unwrap().id;
    let copied = store.commit_wait(vec![Op::Copy {
        from: message.mailbox,
        uids: UidSet::all(),
        to,
        flags: crate::FlagScope::ALL,
    }]);
    let why = Refusal::OverQuota { used_octets: 600, quota_octets: 1000 };
    assert_eq!(copied, Err(CommitError::Refused { op: 0, why }));
    store
        .commit_wait(vec![Op::Move { from: message.mailbox, uids: UidSet::all(), to, flags: crate::FlagScope::ALL }])
        .unwrap();
    // What was accepted is delivered, quota or not.
    fill(&store, 2, 600);
    assert_eq!(used(&store, "a"), (1200, 2));
    assert_sound(&store);
}

#[test]
fn whoever_watches_levels_is_woken_at_a_crossing_and_finds_who_it_was() {
    let folder = Folder::new("levels");
    let store = Store::open(folder.path(), Options { shards: 4, ..Options::default() }).unwrap();
    store.commit_wait(["a", "b", "c"].map(|login| person(login, 1000)).into()).unwrap();
    let levels = [800, 950];
    let (sender, woken) = std::sync::mpsc::channel();
    store.watch_levels(levels.to_vec(), Box::new(move || sender.send(()).unwrap()));
    put(&store, 1, "a", &"x".repeat(799));
    assert!(woken.try_recv().is_err(), "nothing is reached");
    put(&store, 2, "b", &"x".repeat(960));
    woken.recv().unwrap();
    let found = store.accounts_to_warn(&levels).unwrap();
    assert_eq!(found.iter().map(|(of, level, _)| (of.as_str(), *level)).collect::<Vec<_>>(), [("b", 950)]);
    store.commit_wait(vec![Op::Warned { login: login("b"), fill_permille: 950 }]).unwrap();
    assert!(store.accounts_to_warn(&levels).unwrap().is_empty());
    put(&store, 3, "b", "more");
    assert!(woken.try_recv().is_err(), "that was told");
}
