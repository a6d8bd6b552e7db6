//! Delivery: once, whole, durable, within bounds.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use mail::{Flags, SpecialUse};

use super::*;
use crate::{Append, CommitError, DeliveryId, Inserted, Metrics, Refusal, Source, UidSet};

#[test]
fn a_delivery_id_given_twice_delivers_once() {
    let folder = Folder::new("twice");
    let store = store_with(&folder, &["a"]);
    let body = store.put_body(&[b"hello"]).unwrap();
    let first = store.commit_wait(vec![deliver(1, &[("a", Target::Inbox)], &body)]).unwrap();
    let again = store.commit_wait(vec![deliver(1, &[("a", Target::Inbox)], &body)]).unwrap();
    assert_eq!(placed(&first[0]).len(), 1);
    assert_eq!(again, [OpResult::Delivered { duplicate: true, placed: Vec::new() }]);
    drop(store);
    let store = folder.open();
    let body = store.put_body(&[b"hello"]).unwrap();
    let later = store.commit_wait(vec![deliver(1, &[("a", Target::Inbox)], &body)]).unwrap();
    assert_eq!(later, [OpResult::Delivered { duplicate: true, placed: Vec::new() }]);
    assert_eq!(uids(&store, "a", "INBOX"), [1]);
    assert_sound(&store);
}

#[test]
fn one_body_serves_all_recipients_and_doubles_of_a_mailbox_collapse() {
    let folder = Folder::new("recipients");
    let store = store_with(&folder, &["a", "b"]);
    let body = store.put_body(&[b"two ", b"parts"]).unwrap();
    let to = [
        ("a", Target::Inbox),
        ("A", Target::Inbox),
        ("b", Target::Special(SpecialUse::Junk)),
        ("b", Target::Mailbox(name("Indésirables"))),
        ("a", Target::Mailbox(name("not there"))),
    ];
    let results = store.commit_wait(vec![deliver(1, &to, &body)]).unwrap();
    assert_eq!(placed(&results[0]).len(), 2);
    assert_eq!(uids(&store, "a", "INBOX"), [1]);
    assert_eq!(uids(&store, "b", "Indésirables"), [1]);
    let junk = placed(&results[0])[1].mailbox;
    assert_eq!(body_text(&store, junk, 1), "two parts");
    let info = store.mailbox_by_id(junk).unwrap().unwrap();
    assert_eq!((info.counts.messages, info.counts.unseen, info.counts.size_octets), (1, 1, 9));
    assert_sound(&store);
}

#[test]
fn a_commit_holds_as_a_whole_or_not_at_all() {
    let folder = Folder::new("whole");
    let store = store_with(&folder, &["a"]);
    let before = store.mailbox(&login("a"), &name("INBOX")).unwrap();
    let body = store.put_body(&[b"hello"]).unwrap();
    let refused = store.commit_wait(vec![
        deliver(1, &[("a", Target::Inbox)], &body),
        Op::CreateMailbox { login: login("a"), name: name("x/y"), special_use: None },
        deliver(2, &[("a", Target::Mailbox(name("x/y")))], &body),
        Op::Setting { key: "k".to_owned(), value: Some(b"v".to_vec()) },
        deliver(3, &[("nobody", Target::Inbox)], &body),
    ]);
    assert_eq!(refused, Err(CommitError::Refused { op: 4, why: Refusal::NoSuchLogin(login("nobody")) }));
    assert_eq!(store.mailbox(&login("a"), &name("INBOX")).unwrap(), before);
    assert_eq!(store.mailbox(&login("a"), &name("x")).unwrap(), None);
    assert_eq!(store.setting("k").unwrap(), None);
    // Neither ids nor the body are used up by the refusal.
    let results = store.commit_wait(vec![deliver(1, &[("a", Target::Inbox)], &body)]).unwrap();
    assert_eq!(placed(&results[0])[0].uid, 1);
    assert_sound(&store);
    drop(store);
    let store = folder.open();
    assert_eq!(uids(&store, "a", "INBOX"), [1]);
    assert_sound(&store);
}

#[test]
fn what_was_committed_is_there_after_a_restart() {
    let folder = Folder::new("restart");
    let store = store_with(&folder, &["a"]);
    let long = "x".repeat(3 << 20);
    let mut spill = store.spill().unwrap();
    for piece in long.as_bytes().chunks(100_000) {
        spill.append(piece).unwrap();
    }
    assert_eq!((spill.len(), spill.hash()), (long.len() as u64, *blake3::hash(long.as_bytes()).as_bytes()));
    let body = store.put_body_from_spill(&Default::default(), b"Received: here\r\n", &spill).unwrap();
    store.commit_wait(vec![deliver(1, &[("a", Target::Inbox)], &body)]).unwrap();
    put(&store, 2, "a", "short");
    let before = store.select(&login("a"), &name("INBOX")).unwrap().unwrap();
    let summaries = store.summaries(before.mailbox.id, &UidSet::all(), SummaryParts::ALL, 10).unwrap();
    drop(store);
    let store = folder.open();
    assert_eq!(store.select(&login("a"), &name("INBOX")).unwrap().unwrap(), before);
    assert_eq!(store.summaries(before.mailbox.id, &UidSet::all(), SummaryParts::ALL, 10).unwrap(), summaries);
    assert_eq!(summaries[1].1.subject, "number 2");
    assert_eq!(body_text(&store, before.mailbox.id, 1), format!("Received: here\r\n{long}"));
    let body = store.body_of(before.mailbox.id, 1).unwrap().unwrap();
    assert_eq!(store.read_body_range(&body, 10, 8).unwrap(), b"here\r\nxx");
    assert_eq!(store.read_body_range(&body, body.len() - 2, 100).unwrap(), b"xx");
    assert_eq!(store.read_body_range(&body, body.len() + 2, 100).unwrap(), b"");
    assert_sound(&store);
}

#[test]
fn accepted_mail_passes_the_quota_and_append_does_not() {
    let folder = Folder::new("quota");
    let store = folder.open();
    store.commit_wait(vec![person("a", 10)]).unwrap();
    put(&store, 1, "a", "12345678");
    let append = |text: &str| {
        let body = store.put_body(&[text.as_bytes()]).unwrap();
        store.commit_wait(vec![Op::Append(Box::new(Append {
            login: login("a"),
            mailbox: name("Corbeille"),
            body,
            summary: Summary::default(),
            flags: seen(),
            internal_date: InternalDate::default(),
        }))])
    };
    let over = |used_octets| {
        let why = Refusal::OverQuota { used_octets, quota_octets: 10 };
        Err(CommitError::Refused { op: 0, why })
    };
    assert_eq!(append("abc"), over(8));
    assert!(matches!(append("ab").unwrap()[0], OpResult::Appended { uid: 1, .. }));
    put(&store, 2, "a", "more than there is");
    assert_eq!(used(&store, "a"), (28, 3));
    let copy = Op::Copy {
        from: inbox(&store, "a"),
        uids: UidSet::all(),
        to: inbox(&store, "a"),
        flags: crate::FlagScope::ALL,
    };
    assert_eq!(store.commit_wait(vec![copy]), over(28));
    assert_eq!(append(""), over(28));
    assert_sound(&store);
}

#[test]
fn quota_sums_are_exact_under_concurrent_deliveries() {
    let folder = Folder::new("sums");
    let store = store_with(&folder, &["a", "b", "c"]);
    let people = ["a", "b", "c"];
    std::thread::scope(|scope| {
        for thread in 0..6u64 {
            let store = &store;
            scope.spawn(move || {
                for n in 0..20u64 {
                    let body = store.put_body(&[&vec![b'x'; (thread * 20 + n) as usize]]).unwrap();
                    let to =
                        [(people[(n % 3) as usize], Target::Inbox), (people[(thread % 3) as usize], Target::Inbox)];
                    store.commit_wait(vec![deliver(thread * 1000 + n, &to, &body)]).unwrap();
                }
            });
        }
    });
    let (mut messages, mut octets) = (0, 0);
    for of in people {
        let selected = store.select(&login(of), &name("INBOX")).unwrap().unwrap();
        let sum: u64 = selected.messages.iter().map(|m| m.size_octets).sum();
        assert_eq!(used(&store, of), (sum, selected.messages.len() as u64));
        let in_order: Vec<u32> = (1..=selected.messages.len() as u32).collect();
        assert_eq!(selected.messages.iter().map(|m| m.uid).collect::<Vec<_>>(), in_order);
        messages += selected.messages.len();
        octets += sum;
    }
    // Of 120 deliveries those whose two recipients are one person count once.
    let expected: Vec<u64> = (0..6).flat_map(|t| (0..20).map(move |n| if n % 3 == t % 3 { 1 } else { 2 })).collect();
    assert_eq!(messages as u64, expected.iter().sum::<u64>());
    assert!(octets > 0);
    assert_sound(&store);
}

#[test]
fn deliveries_that_wait_together_share_their_flushes() {
    let folder = Folder::new("group");
    let store = store_with(&folder, &["a"]);
    let before = store.metrics().now();
    let (sender, answers) = mpsc::channel();
    for n in 0..200 {
        let body = store.put_body(&[b"hello"]).unwrap();
        let sender = sender.clone();
        let done = move |result| sender.send(result).unwrap();
        store.commit(vec![deliver(n, &[("a", Target::Inbox)], &body)], Box::new(done));
    }
    for _ in 0..200 {
        answers.recv().unwrap().unwrap();
    }
    let after = store.metrics().now();
    assert_eq!(after.deliveries - before.deliveries, 200);
    assert!(after.groups - before.groups < 100, "{after:?}");
    assert_eq!(after.flushes_wal - before.flushes_wal, after.groups - before.groups);
}

#[test]
fn a_full_queue_is_busy_and_one_long_commit_still_goes_in() {
    let folder = Folder::new("busy");
    let options = Options { queue_ops_max: 3, ..Options::default() };
    let store = Store::open(folder.path(), options).unwrap();
    let setting = |n: u32| Op::Setting { key: n.to_string(), value: Some(vec![1]) };
    store.commit_wait((0..10).map(setting).collect()).unwrap();
    // The answering thread holds the first answer back, but not the writer; so fill until the queue says no.
    let (sender, answers) = mpsc::channel();
    let mut sent = 0;
    while Metrics::now(store.metrics()).busy == 0 {
        let sender = sender.clone();
        store.commit(vec![setting(1), setting(2)], Box::new(move |result| sender.send(result).unwrap()));
        sent += 1;
    }
    let busy = (0..sent).filter(|_| answers.recv().unwrap() == Err(CommitError::Busy)).count();
    assert_eq!(busy, 1);
}

#[test]
fn a_second_owner_is_told_who_holds_the_folder() {
    let folder = Folder::new("owner");
    let store = folder.open();
    let Err(crate::OpenError::Locked { pid }) = Store::open(folder.path(), Options::default()) else {
        panic!("opened twice")
    };
    assert_eq!(pid, Some(std::process::id()));
    drop(store);
    folder.open();
}

#[test]
fn a_watcher_hears_of_its_mailbox_and_of_no_other() {
    let folder = Folder::new("watch");
    let store = store_with(&folder, &["a", "b"]);
    let woken = Arc::new(AtomicUsize::new(0));
    let count = woken.clone();
    let watcher = store.watch(
        inbox(&store, "a"),
        Box::new(move || {
            count.fetch_add(1, Ordering::SeqCst);
        }),
    );
    put(&store, 1, "b", "hello");
    assert!(!watcher.take());
    put(&store, 2, "a", "hello");
    put(&store, 3, "a", "hello");
    assert_eq!(woken.load(Ordering::SeqCst), 1, "the bit was still set");
    assert!(watcher.take() && !watcher.take());
    let set = crate::SetFlags {
        mailbox: inbox(&store, "a"),
        uids: UidSet::all(),
        mode: crate::FlagMode::Add,
        flags: Flags::default(),
        unchanged_since: None,
    };
    store.commit_wait(vec![Op::SetFlags(Box::new(set))]).unwrap();
    assert!(!watcher.take(), "nothing changed");
    drop(watcher);
    put(&store, 4, "a", "hello");
    assert_eq!(woken.load(Ordering::SeqCst), 1);
}

#[test]
fn an_abandoned_body_is_void_and_a_refused_one_too() {
    let folder = Folder::new("void");
    let store = store_with(&folder, &["a"]);
    let abandoned = store.put_body(&[b"nobody wants me"]).unwrap();
    let place = abandoned.0.place;
    assert!(store.segments().is_sound(&place).unwrap());
    drop(abandoned);
    assert!(!store.segments().is_sound(&place).unwrap());
    let refused = store.put_body(&[b"nobody"]).unwrap();
    let place = refused.0.place;
    store.commit_wait(vec![deliver(1, &[("nobody", Target::Inbox)], &refused)]).unwrap_err();
    drop(refused);
    assert!(!store.segments().is_sound(&place).unwrap());
    let kept = store.put_body(&[b"kept"]).unwrap();
    let place = kept.0.place;
    store.commit_wait(vec![deliver(1, &[("a", Target::Inbox)], &kept)]).unwrap();
    drop(kept);
    assert!(store.segments().is_sound(&place).unwrap());
}

#[test]
fn bodies_go_into_the_next_segment_when_one_is_full() {
    let folder = Folder::new("segments");
    let options = Options { segment_bytes_max: 4096, ..Options::default() };
    let store = Store::open(folder.path(), options).unwrap();
    store.commit_wait(vec![person("a", 1 << 40)]).unwrap();
    for n in 0..10 {
        put(&store, n, "a", &"y".repeat(1000));
    }
    assert!(store.put_body(&[&[0; 5000]]).is_err());
    assert!(std::fs::read_dir(folder.path().join("segments")).unwrap().count() >= 3);
    assert_sound(&store);
    drop(store);
    assert_sound(&folder.open());
}

#[test]
fn octets_put_inside_a_content_leave_the_rest_and_the_hash_as_they_were() {
    let folder = Folder::new("inserted");
    let store = store_with(&folder, &["a"]);
    let mut id = 0;
    for octets in [5_usize, 40_000, 700_000] {
        let content: Vec<u8> = (0..octets).map(|at| (at % 251) as u8).collect();
        let mut spill = store.spill().unwrap();
        content.chunks(100_000).for_each(|piece| spill.append(piece).unwrap());
        for (source, at) in [(Source::Octets(&content), 0), (Source::Spill(&spill), 3), (Source::Octets(&content), 4)]
            .into_iter()
            .chain([(Source::Spill(&spill), content.len() as u64), (Source::Spill(&spill), 0)])
        {
            let inserted = Inserted { at, octets: b"[SPAM] " };
            let body = store.put_body_with(&Default::default(), b"Head: y\r\n", &source, &inserted).unwrap();
            let (before, behind) = content.split_at(at as usize);
            // Reading verifies the checksum.
            assert_eq!(store.read_body(&body).unwrap(), [b"Head: y\r\n", before, b"[SPAM] ", behind].concat());
            let untouched = store.put_body_for(&Default::default(), b"", &[&content]).unwrap();
            store.commit_wait(vec![deliver(id + 1, &[("a", Target::Inbox)], &body)]).unwrap();
            store.commit_wait(vec![deliver(id + 2, &[("a", Target::Inbox)], &untouched)]).unwrap();
            id += 2;
            let deliveries = store.deliveries(0, DeliveryId::default(), 100).unwrap();
            let [.., tagged, plain] = deliveries.as_slice() else { panic!("two deliveries and more") };
            assert!(tagged.hash.is_some() && tagged.hash == plain.hash);
        }
    }
    assert_sound(&store);
}
