//! Messages that are taken out of mailboxes and put back, and what is kept apart.

use mail::Keyword;

use super::*;
use crate::{
    CommitError, FlagMode, FlagScope, Kept, PutBackTaken, Quarantined, QueueId, Refusal, SetFlags, TakeOut, UidSet,
};

const ITEM: QueueId = QueueId([7; 16]);

fn mailbox(store: &Store, of: &str, named: &str) -> MailboxId {
    store.mailbox(&login(of), &name(named)).unwrap().unwrap().id
}

/// Login, mailbox and UID of all copies of deliveries 1 and 2.
fn copies(store: &Store) -> Vec<(String, String, u32)> {
    let found = store.copies_of(&[id(1), id(2)]).unwrap();
    let mut found: Vec<_> =
        found.into_iter().map(|it| (it.login.to_string(), it.name.as_str().to_owned(), it.uid)).collect();
    found.sort();
    found
}

fn take(store: &Store) -> Vec<(MailboxId, Vec<u32>)> {
    let found = store.copies_of(&[id(1), id(2)]).unwrap();
    let messages = found.into_iter().map(|it| (it.mailbox, [it.uid].into_iter().collect())).collect();
    let results = store.commit_wait(vec![Op::TakeOut(Box::new(TakeOut { item: ITEM, messages }))]).unwrap();
    let [OpResult::Taken(taken)] = &results[..] else { panic!("{results:?}") };
    taken.clone()
}

fn back(store: &Store, body: &BodyRef, limit: u32) -> usize {
    let of = |shard| {
        let back = PutBackTaken { item: ITEM, shard, body: body.clone(), summary: Summary::default(), limit };
        let results = store.commit_wait(vec![Op::PutBackTaken(Box::new(back))]).unwrap();
        placed(&results[0]).len()
    };
    store.shard_numbers().map(of).sum()
}

fn relocate(store: &Store, from: (&str, &str), to: (&str, &str), copy: bool) {
    let (from, to) = (mailbox(store, from.0, from.1), mailbox(store, to.0, to.1));
    let (uids, flags) = (UidSet::all(), FlagScope::ALL);
    let op = if copy { Op::Copy { from, uids, to, flags } } else { Op::Move { from, uids, to, flags } };
    store.commit_wait(vec![op]).unwrap();
}

fn flag(store: &Store, mailbox: MailboxId) {
    let words = ["$Important", "$Label"];
    let flags = Flags {
        system: SystemFlags::SEEN.with(SystemFlags::FLAGGED),
        keywords: words.iter().filter_map(|word| Keyword::new(word)).collect(),
    };
    let set = SetFlags { mailbox, uids: UidSet::all(), mode: FlagMode::Add, flags, unchanged_since: None };
    store.commit_wait(vec![Op::SetFlags(Box::new(set))]).unwrap();
}

/// One shard, and several, where copies to others get a row of their own.
fn stores(named: &str) -> Vec<(Folder, Store)> {
    let of = |shards| {
        let folder = Folder::new(named);
        let store = Store::open(folder.path(), Options { shards, ..Options::default() }).unwrap();
        let people = ["a", "b", "c", "d", "e", "f"].map(|login| person(login, 1 << 40));
        store.commit_wait(people.to_vec()).unwrap();
        (folder, store)
    };
    vec![of(1), of(3)]
}

#[test]
fn copies_are_found_wherever_they_went_and_taken_and_put_back_as_they_were() {
    for (folder, store) in stores("taken") {
        let all = ["a", "b", "c", "d", "e", "f"].map(|to| (to, Target::Inbox));
        let content = store.put_body(&[b"the bait"]).unwrap();
        store.commit_wait(vec![deliver(1, &all, &content)]).unwrap();
        put(&store, 3, "a", "another");
        relocate(&store, ("a", "INBOX"), ("a", "Corbeille"), false);
        relocate(&store, ("b", "INBOX"), ("b", "Corbeille"), true);
        // Into mailboxes of others, which a shared one would be.
        relocate(&store, ("c", "INBOX"), ("d", "Corbeille"), true);
        relocate(&store, ("c", "INBOX"), ("e", "Corbeille"), true);
        flag(&store, mailbox(&store, "a", "Corbeille"));
        let found = copies(&store);
        let expected = [
            ("a", "Corbeille", 1),
            ("b", "Corbeille", 1),
            ("b", "INBOX", 1),
            ("c", "INBOX", 1),
            ("d", "Corbeille", 1),
            ("d", "INBOX", 1),
            ("e", "Corbeille", 1),
            ("e", "INBOX", 1),
            ("f", "INBOX", 1),
        ];
        assert_eq!(found, expected.map(|(of, at, uid)| (of.to_owned(), at.to_owned(), uid)));
        let trash = mailbox(&store, "a", "Corbeille");
        let row = |store: &Store, uid: u32| {
            let uids: UidSet = [uid].into_iter().collect();
            let mut row = store.messages(trash, &uids).unwrap()[0].clone();
            let identity = store.identities(trash, &uids).unwrap()[0];
            (row.uid, row.modseq) = (0, 0);
            (row, identity.email, identity.thread, identity.saved_s)
        };
        let before = row(&store, 1);
        assert_eq!(take(&store).len(), 9);
        assert_eq!((copies(&store).len(), take(&store).len()), (0, 0), "a second time there is nothing");
        assert_eq!((uids(&store, "a", "Corbeille"), uids(&store, "f", "INBOX")), (vec![2], vec![]));
        assert_eq!(store.taken(ITEM).unwrap().len(), 9);
        assert_eq!((used(&store, "b"), used(&store, "a").1), ((0, 0), 1));
        assert_sound(&store);
        drop(store);
        let store = Store::open(folder.path(), Options::default()).unwrap();
        let content = store.put_body(&[b"the bait"]).unwrap();
        let mut all = 0;
        loop {
            let some = back(&store, &content, 2);
            if some == 0 {
                break;
            }
            all += some;
        }
        assert_eq!(all, 9);
        drop(content);
        assert_eq!(store.taken(ITEM).unwrap(), []);
        assert_eq!(row(&store, 3), before);
        assert_eq!(body_text(&store, inbox(&store, "f"), 2), "the bait");
        assert_sound(&store);
        drop(store);
        let store = Store::open(folder.path(), Options::default()).unwrap();
        assert_eq!(body_text(&store, trash, 3), "the bait");
        // What came back has rows of its own, and is found as before.
        assert_eq!((copies(&store).len(), take(&store).len(), copies(&store).len()), (9, 9, 0));
        assert_eq!(store.taken(ITEM).unwrap().len(), 9);
        assert_sound(&store);
    }
}

#[test]
fn what_comes_back_finds_a_mailbox_of_that_name_or_inbox() {
    let folder = Folder::new("back");
    let store = store_with(&folder, &["a"]);
    for (n, at) in [(1, "Corbeille"), (2, "Indésirables")] {
        let body = store.put_body(&[b"text"]).unwrap();
        store.commit_wait(vec![deliver(n, &[("a", Target::Mailbox(name(at)))], &body)]).unwrap();
    }
    assert_eq!(take(&store).len(), 2);
    let gone = |at| Op::DeleteMailbox { login: login("a"), name: name(at) };
    store.commit_wait(vec![gone("Corbeille"), gone("Indésirables")]).unwrap();
    store
        .commit_wait(vec![Op::CreateMailbox { login: login("a"), name: name("Corbeille"), special_use: None }])
        .unwrap();
    let body = store.put_body(&[b"text"]).unwrap();
    assert_eq!(back(&store, &body, 9), 2);
    assert_eq!((uids(&store, "a", "Corbeille"), uids(&store, "a", "INBOX")), (vec![1], vec![1]));
    assert_sound(&store);
}

#[test]
fn what_was_taken_out_can_be_forgotten_and_a_mailbox_that_is_gone_has_nothing_to_take() {
    let folder = Folder::new("forgotten");
    let store = store_with(&folder, &["a", "b"]);
    put(&store, 1, "a", "one");
    let other = store.put_body(&[b"two"]).unwrap();
    let to = [("b", Target::Mailbox(name("Corbeille")))];
    store.commit_wait(vec![deliver(2, &to, &other)]).unwrap();
    let trash = mailbox(&store, "b", "Corbeille");
    store.commit_wait(vec![Op::DeleteMailbox { login: login("b"), name: name("Corbeille") }]).unwrap();
    let all = |mailbox| (mailbox, UidSet::all());
    let messages = vec![all(trash), all(inbox(&store, "a"))];
    let results = store.commit_wait(vec![Op::TakeOut(Box::new(TakeOut { item: ITEM, messages }))]).unwrap();
    assert_eq!(results, [OpResult::Taken(vec![(inbox(&store, "a"), vec![1])])]);
    assert_eq!(store.commit_wait(vec![Op::ForgetTaken { item: ITEM }]).unwrap(), [OpResult::Trimmed(1)]);
    let body = store.put_body(&[b"one"]).unwrap();
    assert_eq!((back(&store, &body, 9), store.taken(ITEM).unwrap().len()), (0, 0));
    assert_sound(&store);
}

#[test]
fn messages_kept_apart_are_listed_by_kind_and_can_change_it() {
    let folder = Folder::new("kinds");
    let store = store_with(&folder, &["a"]);
    let keep = |n: u8, kind, at_s| {
        let quarantined = Quarantined {
            id: QueueId([n; 16]),
            kind,
            body: store.put_body(&[b"kept"]).unwrap(),
            why: "rule".to_owned(),
            engine: String::new(),
            signature: String::new(),
            reverse_path: mail::ReversePath::Null,
            recipients: Vec::new(),
            facts: vec![n],
            at_s,
        };
        store.commit_wait(vec![Op::Quarantine(Box::new(quarantined))]).unwrap();
    };
    keep(1, Kept::Quarantine, 50);
    keep(2, Kept::Proposal, 40);
    keep(3, Kept::Proposal, 30);
    let ids =
        |kind, after| -> Vec<u8> { store.kept(kind, after, 9).unwrap().iter().map(|kept| kept.id.0[0]).collect() };
    assert_eq!((ids(Kept::Quarantine, None), ids(Kept::Proposal, None)), (vec![1], vec![2, 3]));
    assert_eq!(ids(Kept::Proposal, Some(QueueId([2; 16]))), [3]);
    let amounts = store.kept_amounts(Kept::Proposal).unwrap();
    assert_eq!((amounts.messages, amounts.octets, amounts.oldest_s), (2, 8, Some(30)));
    assert_eq!(store.kept_amounts(Kept::Recalled).unwrap(), crate::KeptAmounts::default());
    let recast = |n: u8| {
        store.commit_wait(vec![Op::Recast { id: QueueId([n; 16]), kind: Kept::Taught, facts: b"new".to_vec() }])
    };
    recast(3).unwrap();
    assert_eq!(recast(9), Err(CommitError::Refused { op: 0, why: Refusal::NoSuchQuarantined }));
    assert_eq!((ids(Kept::Proposal, None), ids(Kept::Taught, None)), (vec![2], vec![3]));
    let taught = store.kept_one(QueueId([3; 16])).unwrap().unwrap();
    assert_eq!((taught.kind, taught.facts.as_slice(), taught.at_s), (Kept::Taught, &b"new"[..], 30));
    assert_eq!(store.kept_one(QueueId([9; 16])).unwrap().map(|kept| kept.id), None);
    assert_eq!(store.amounts().unwrap().quarantined, 1);
}

#[test]
fn deliveries_are_found_by_their_marks_a_bounded_number_of_rows_at_a_time() {
    let folder = Folder::new("marks");
    let store = store_with(&folder, &["a"]);
    let body = store.put_body(&[b"text"]).unwrap();
    for (n, marks) in [(1, vec![5, u64::MAX]), (2, vec![]), (3, vec![5]), (4, vec![6])] {
        let Op::Deliver(mut op) = deliver(n, &[("a", Target::Inbox)], &body) else { panic!() };
        op.marks = marks;
        store.commit_wait(vec![Op::Deliver(op)]).unwrap();
    }
    let look = |mark, after, rows| {
        let (found, next) = store.deliveries_marked(0, mark, after, rows).unwrap();
        (found.iter().map(|it| it.id[15]).collect::<Vec<_>>(), next)
    };
    assert_eq!(look(5, [0; 16], 9), (vec![1, 3], None));
    assert_eq!(look(u64::MAX, [0; 16], 9), (vec![1], None));
    assert_eq!(look(7, [0; 16], 9), (vec![], None));
    assert_eq!(look(5, [0; 16], 2), (vec![1], Some(id(2))));
    assert_eq!(look(5, id(2), 2), (vec![3], Some(id(4))));
    assert_eq!(look(5, id(4), 2), (vec![], None));
    assert_eq!(store.deliveries(0, [0; 16], 1).unwrap()[0].marks, [5, u64::MAX]);
}
