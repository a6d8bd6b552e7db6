//! Eight shards do what one does.

use super::*;
use crate::{CommitError, Expunged, Import, Imported, Refusal, UidSet};

const PEOPLE: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];

fn eight(folder: &Folder) -> Store {
    let store = Store::open(folder.path(), Options { shards: 8, ..Options::default() }).unwrap();
    store.commit_wait(PEOPLE.iter().map(|login| person(login, 1 << 40)).collect()).unwrap();
    store
}

/// Two people whose accounts lie in different shards.
fn apart(store: &Store) -> (&'static str, &'static str) {
    let shard = |of: &str| inbox(store, of).shard();
    let other = PEOPLE.iter().find(|of| shard(of) != shard("a")).unwrap();
    ("a", other)
}

#[test]
fn accounts_spread_and_stay_where_they_are() {
    let folder = Folder::new("shards-stay");
    let store = eight(&folder);
    let homes: Vec<u8> = PEOPLE.iter().map(|of| inbox(&store, of).shard()).collect();
    assert!(homes.iter().collect::<std::collections::BTreeSet<_>>().len() > 3, "{homes:?}");
    drop(store);
    // Fewer are asked for: what there is stays.
    let store = folder.open();
    assert_eq!(store.shard_numbers(), 0..8);
    assert_eq!(PEOPLE.iter().map(|of| inbox(&store, of).shard()).collect::<Vec<_>>(), homes);
    drop(store);
    let store = Store::open(folder.path(), Options { shards: 11, ..Options::default() }).unwrap();
    store.commit_wait(vec![person("new", 5)]).unwrap();
    assert_eq!(PEOPLE.iter().map(|of| inbox(&store, of).shard()).collect::<Vec<_>>(), homes);
    assert_sound(&store);
    drop(store);
    std::fs::remove_file(folder.path().join("meta-03.db")).unwrap();
    assert!(matches!(Store::open(folder.path(), Options::default()), Err(crate::OpenError::WrongShard { .. })));
}

#[test]
fn one_store_grows_from_one_shard_to_several() {
    let folder = Folder::new("shards-grow");
    let store = store_with(&folder, &["a"]);
    put(&store, 1, "a", "before");
    drop(store);
    let store = eight(&folder);
    assert_eq!(inbox(&store, "a").shard(), 0);
    put(&store, 2, "a", "behind");
    assert_eq!(uids(&store, "a", "INBOX"), [1, 2]);
    assert_sound(&store);
}

#[test]
fn a_delivery_to_several_shards_arrives_once_everywhere() {
    let folder = Folder::new("shards-deliver");
    let store = eight(&folder);
    let body = store.put_body(&[b"for all"]).unwrap();
    let everybody: Vec<(&str, Target)> = PEOPLE.iter().map(|of| (*of, Target::Inbox)).collect();
    let results = store.commit_wait(vec![deliver(1, &everybody, &body), Op::Setting { key: "k".into(), value: None }]);
    let results = results.unwrap();
    assert_eq!(results.len(), 2);
    assert_eq!(placed(&results[0]).len(), PEOPLE.len());
    // The same id again, to more people: who has it does not get it twice.
    let again = store.commit_wait(vec![deliver(1, &everybody, &body)]).unwrap();
    assert_eq!(again, [OpResult::Delivered { duplicate: true, placed: Vec::new() }]);
    for of in PEOPLE {
        assert_eq!(uids(&store, of, "INBOX"), [1]);
        assert_eq!(body_text(&store, inbox(&store, of), 1), "for all");
    }
    let nobody = store.commit_wait(vec![deliver(2, &[("a", Target::Inbox), ("nobody", Target::Inbox)], &body)]);
    assert!(matches!(nobody, Err(CommitError::Refused { op: 0, why: Refusal::NoSuchLogin(_) })));
    assert_sound(&store);
}

#[test]
fn copies_and_moves_between_shards_keep_everything_but_the_uid() {
    let folder = Folder::new("shards-copy");
    let store = eight(&folder);
    let (a, b) = apart(&store);
    put(&store, 1, a, "first");
    put(&store, 2, a, "second");
    put(&store, 3, b, "there before");
    let (from, to) = (inbox(&store, a), inbox(&store, b));
    let copied = store
        .commit_wait(vec![Op::Copy { from, uids: [2].into_iter().collect(), to, flags: crate::FlagScope::ALL }])
        .unwrap();
    assert!(matches!(&copied[0], OpResult::Copied { uids, .. } if *uids == [(2, 2)]), "{copied:?}");
    let moved = store
        .commit_wait(vec![Op::Move { from, uids: [1, 9].into_iter().collect(), to, flags: crate::FlagScope::ALL }])
        .unwrap();
    assert!(matches!(&moved[0], OpResult::Copied { uids, .. } if *uids == [(1, 3)]), "{moved:?}");
    assert_eq!((uids(&store, a, "INBOX"), uids(&store, b, "INBOX")), (vec![2], vec![1, 2, 3]));
    assert_eq!([2, 3].map(|uid| body_text(&store, to, uid)), ["second", "first"]);
    let subjects = store.summaries(to, &UidSet::all(), SummaryParts::ALL, 9).unwrap();
    assert_eq!(
        subjects.iter().map(|(_, s)| s.subject.as_str()).collect::<Vec<_>>(),
        ["number 3", "number 2", "number 1"]
    );
    let email = |mailbox, uid| store.identities(mailbox, &[uid].into_iter().collect()).unwrap()[0].email;
    assert_eq!(email(from, 2), email(to, 2));
    assert_sound(&store);
    // The body is shared: both must go before the segment may.
    store.commit_wait(vec![Op::Expunge { mailbox: from, which: Expunged::Exactly(UidSet::all()) }]).unwrap();
    store.compact(0, &mut |_| ()).unwrap();
    assert_eq!(body_text(&store, to, 2), "second");
    store.commit_wait(vec![person(b, 20)]).unwrap();
    put(&store, 4, a, "does not fit");
    let refused = store.commit_wait(vec![Op::Copy { from, uids: UidSet::all(), to, flags: crate::FlagScope::ALL }]);
    assert!(matches!(refused, Err(CommitError::Refused { op: 0, why: Refusal::OverQuota { .. } })), "{refused:?}");
    assert_sound(&store);
}

#[test]
fn a_body_of_one_shard_can_be_used_in_another() {
    let folder = Folder::new("shards-body");
    let store = eight(&folder);
    let (a, b) = apart(&store);
    put(&store, 1, a, "once written");
    let body = store.body_of(inbox(&store, a), 1).unwrap().unwrap();
    let message = Imported {
        body: body.clone(),
        summary: Summary::default(),
        flags: seen(),
        internal_date: InternalDate { seconds: 7, offset_minutes: 0 },
    };
    let import = Import { login: login(b), mailbox: name("Rendu/Ici"), messages: vec![message], within_quota: true };
    let results =
        store.commit_wait(vec![Op::Import(Box::new(import)), deliver(5, &[(b, Target::Inbox)], &body)]).unwrap();
    assert!(matches!(&results[0], OpResult::Imported { uids, .. } if *uids == [1]), "{results:?}");
    let there = store.mailbox(&login(b), &name("Rendu/Ici")).unwrap().unwrap();
    assert_eq!(body_text(&store, there.id, 1), "once written");
    assert_eq!(store.select(&login(b), &name("Rendu/Ici")).unwrap().unwrap().messages[0].internal_date.seconds, 7);
    assert_eq!(body_text(&store, inbox(&store, b), 1), "once written");
    assert_sound(&store);
}
