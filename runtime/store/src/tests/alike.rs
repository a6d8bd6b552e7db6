//! What one shard answers, eight answer too.

use super::*;
use crate::{Append, CommitError, Expunged, Import, Imported, Refusal, Replace, UidSet};

/// Enough people that some lie in shard 0 and others do not.
const PEOPLE: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];

fn each(test: impl Fn(&Store)) {
    for shards in [1, 8] {
        let folder = Folder::new("alike");
        let store = Store::open(folder.path(), Options { shards, ..Options::default() }).unwrap();
        store.commit_wait(PEOPLE.iter().map(|login| person(login, 1 << 40)).collect()).unwrap();
        test(&store);
        assert_sound(&store);
    }
}

/// Somebody who lies in another shard than `a`, when there are several.
fn other(store: &Store) -> &'static str {
    PEOPLE.into_iter().skip(1).max_by_key(|of| inbox(store, of).shard() != inbox(store, "a").shard()).unwrap()
}

fn refused(op: usize, why: Refusal) -> Result<Vec<OpResult>, CommitError> {
    Err(CommitError::Refused { op, why })
}

#[test]
fn every_op_has_one_answer_and_a_refusal_names_its_op() {
    each(|store| {
        for of in PEOPLE {
            let setting = || Op::Setting { key: "k".to_owned(), value: None };
            assert_eq!(store.commit_wait(vec![person(of, 5), setting()]).unwrap(), [OpResult::Done, OpResult::Done]);
            let bad = store.commit_wait(vec![person(of, 6), Op::ReleaseQuarantined { id: crate::QueueId([9; 16]) }]);
            assert_eq!(bad, refused(1, Refusal::NoSuchQuarantined), "{of}");
        }
    });
}

#[test]
fn what_is_imported_together_has_one_modseq_also_between_shards() {
    each(|store| {
        let message = |n: u8| Imported {
            body: store.put_body(&[&[n]]).unwrap(),
            summary: Summary::default(),
            flags: seen(),
            internal_date: InternalDate::default(),
        };
        let messages = (1..=3).map(message).collect();
        let import = Import { login: login("a"), mailbox: name("INBOX"), messages, within_quota: true };
        store.commit_wait(vec![Op::Import(Box::new(import))]).unwrap();
        let (from, to) = (inbox(store, "a"), inbox(store, other(store)));
        store.commit_wait(vec![Op::Copy { from, uids: UidSet::all(), to, flags: crate::FlagScope::ALL }]).unwrap();
        for mailbox in [from, to] {
            let modseqs: Vec<u64> = store.messages(mailbox, &UidSet::all()).unwrap().iter().map(|m| m.modseq).collect();
            assert_eq!(modseqs, [2, 2, 2]);
            assert_eq!(store.mailbox_by_id(mailbox).unwrap().unwrap().highestmodseq, 2);
        }
    });
}

#[test]
fn a_message_that_is_not_there_is_not_replaced() {
    each(|store| {
        let there = put(store, 1, other(store), "there");
        let replace = |of: &str, mailbox: &str, uid| {
            let append = Append {
                login: login(of),
                mailbox: name(mailbox),
                body: store.put_body(&[b"new"]).unwrap(),
                summary: Summary::default(),
                flags: seen(),
                internal_date: InternalDate::default(),
            };
            store.commit_wait(vec![Op::Replace(Box::new(Replace { append, mailbox: there.mailbox, uid }))])
        };
        assert_eq!(replace("a", "INBOX", 2), refused(0, Refusal::NoSuchMessage));
        assert_eq!(replace("a", "nowhere", 2), refused(0, Refusal::NoSuchMessage));
        assert_eq!(replace("a", "nowhere", 1), refused(0, Refusal::NoSuchMailbox));
        assert_eq!(uids(store, "a", "INBOX"), []);
        assert!(replace("a", "INBOX", 1).is_ok());
        assert_eq!((uids(store, "a", "INBOX"), uids(store, other(store), "INBOX")), (vec![1], vec![]));
    });
}

#[test]
fn nothing_can_be_copied_and_moved_into_a_full_account() {
    each(|store| {
        let full = other(store);
        put(store, 1, full, "too much");
        store.commit_wait(vec![person(full, 3)]).unwrap();
        let (from, uids, to) = (inbox(store, "a"), UidSet::all(), inbox(store, full));
        for op in [
            Op::Copy { from, uids: uids.clone(), to, flags: crate::FlagScope::ALL },
            Op::Move { from, uids, to, flags: crate::FlagScope::ALL },
        ] {
            assert!(
                matches!(&store.commit_wait(vec![op]).unwrap()[0], OpResult::Copied { uids, .. } if uids.is_empty())
            );
        }
    });
}

#[test]
fn a_copy_for_somebody_else_joins_the_threads_of_its_new_owner() {
    each(|store| {
        let to = inbox(store, other(store));
        let first = put(store, 1, "a", "first");
        let mut op = deliver(2, &[(other(store), Target::Inbox)], &store.put_body(&[b"answer"]).unwrap());
        if let Op::Deliver(answer) = &mut op {
            answer.summary.in_reply_to = "<1@example.org>".to_owned();
        }
        store.commit_wait(vec![op]).unwrap();
        store
            .commit_wait(vec![Op::Copy { from: first.mailbox, uids: UidSet::all(), to, flags: crate::FlagScope::ALL }])
            .unwrap();
        let found = store.identities(to, &UidSet::all()).unwrap();
        assert!(found[0].thread.is_some());
        assert_eq!(found[0].thread, found[1].thread);
        store.commit_wait(vec![Op::Expunge { mailbox: to, which: Expunged::Exactly(UidSet::all()) }]).unwrap();
    });
}

#[test]
fn copies_of_one_body_keep_their_emails_although_they_move_together() {
    each(|store| {
        let body = store.put_body(&[b"for both"]).unwrap();
        let to = [("a", Target::Inbox), (other(store), Target::Inbox)];
        let results = store.commit_wait(vec![deliver(1, &to, &body)]).unwrap();
        let (from, there) = (inbox(store, "a"), inbox(store, other(store)));
        assert_eq!(placed(&results[0]).len(), 2);
        let emails = |mailbox| -> Vec<_> {
            store.identities(mailbox, &UidSet::all()).unwrap().iter().map(|message| message.email).collect()
        };
        let (one, two) = (emails(from)[0], emails(there)[0]);
        store
            .commit_wait(vec![Op::Move { from, uids: UidSet::all(), to: there, flags: crate::FlagScope::ALL }])
            .unwrap();
        store
            .commit_wait(vec![Op::Move { from: there, uids: UidSet::all(), to: from, flags: crate::FlagScope::ALL }])
            .unwrap();
        assert_eq!(emails(from), [two, one]);
    });
}
