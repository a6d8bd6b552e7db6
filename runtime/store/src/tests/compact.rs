//! Compaction: what is dead goes, what lives stays readable, also for whoever looked before.

use super::*;
use crate::{CommitError, Enqueue, Expunged, NextHop, QueueId, QueueRecipient, Refusal, UidSet};

fn small_segments(folder: &Folder, shards: u8) -> Store {
    let options = Options { segment_bytes_max: 4096, shards, ..Options::default() };
    let store = Store::open(folder.path(), options).unwrap();
    store.commit_wait(vec![person("a", 1 << 40), person("b", 1 << 40)]).unwrap();
    store
}

fn segment_bytes(store: &Store) -> u64 {
    store.segments().sizes().unwrap().iter().map(|(_, size)| size).sum()
}

#[test]
fn dead_bodies_go_and_living_ones_move() {
    for shards in [1, 3] {
        let folder = Folder::new("compact");
        let store = small_segments(&folder, shards);
        let text = |n: u64| format!("{n} {}", "z".repeat(900));
        let both = |n| {
            let body = store.put_body(&[text(n).as_bytes()]).unwrap();
            store.commit_wait(vec![deliver(n, &[("a", Target::Inbox), ("b", Target::Inbox)], &body)]).unwrap();
        };
        (0..40).for_each(both);
        let (a, b) = (inbox(&store, "a"), inbox(&store, "b"));
        // A reader holds a body from before.
        let last = *uids(&store, "a", "INBOX").iter().rev().find(|uid| **uid % 8 == 1).unwrap();
        let held = store.body_of(a, last).unwrap().unwrap();
        let words = store.read_body(&held).unwrap();
        let keep: UidSet = uids(&store, "a", "INBOX").into_iter().filter(|uid| *uid % 8 != 1).collect();
        store.commit_wait(vec![Op::Expunge { mailbox: a, which: Expunged::Exactly(keep) }]).unwrap();
        store.commit_wait(vec![Op::Expunge { mailbox: b, which: Expunged::Exactly(UidSet::all()) }]).unwrap();
        let before = segment_bytes(&store);
        let done = store.compact(0, &mut |progress| assert!(progress.done <= progress.total)).unwrap();
        assert!(done.swept >= 35 && done.segments_removed > 5 && done.bytes_moved > 0, "{done:?}");
        assert!(segment_bytes(&store) * 2 < before, "{} of {before}", segment_bytes(&store));
        assert_eq!(store.read_body(&held).unwrap(), words);
        assert_eq!(store.read_body_range(&held, 0, 3).unwrap(), words[..3]);
        for uid in uids(&store, "a", "INBOX") {
            assert!(body_text(&store, a, uid).ends_with("zzz"));
        }
        assert_sound(&store);
        drop(store);
        let store = folder.open();
        assert_sound(&store);
        assert_eq!(store.compact(0, &mut |_| ()).unwrap().bytes_moved, 0, "nothing is left to move");
    }
}

#[test]
fn a_body_freed_a_moment_ago_stays_for_whoever_holds_it() {
    let folder = Folder::new("compact-keep");
    let store = small_segments(&folder, 1);
    let placed = put(&store, 1, "a", &"k".repeat(3000));
    put(&store, 2, "a", &"l".repeat(3000));
    let held = store.body_of(placed.mailbox, placed.uid).unwrap().unwrap();
    store.commit_wait(vec![Op::Expunge { mailbox: placed.mailbox, which: Expunged::Exactly(UidSet::all()) }]).unwrap();
    store.compact(3600, &mut |_| ()).unwrap();
    assert_eq!(store.read_body(&held).unwrap().len(), 3000);
    let enqueue = |n: u64| {
        let recipient = QueueRecipient {
            forward_path: "x@example.net".parse().unwrap(),
            next_hop: NextHop::Mx,
            due_at_s: 1,
            facts: Vec::new(),
        };
        Op::Enqueue(Box::new(Enqueue {
            queue_id: QueueId(id(n)),
            body: held.clone(),
            reverse_path: mail::ReversePath::Null,
            recipients: vec![recipient],
            plan: String::new(),
            accepted_at_s: 1,
            facts: Vec::new(),
        }))
    };
    store.commit_wait(vec![enqueue(5)]).unwrap();
    assert_sound(&store);
    store
        .commit_wait(vec![Op::Settle { queue_id: QueueId(id(5)), recipient: 0, outcome: crate::Settled::Removed }])
        .unwrap();
    store.compact(0, &mut |_| ()).unwrap();
    // Gone for good: an op that names it is refused and leaves nothing behind.
    assert_eq!(store.commit_wait(vec![enqueue(6)]), Err(CommitError::Refused { op: 0, why: Refusal::BodyGone }));
    assert_eq!(store.queue_count().unwrap(), 0);
    assert_sound(&store);
}

#[test]
fn a_body_that_becomes_a_message_during_compaction_stays() {
    for shards in [1, 3] {
        let folder = Folder::new("compact-late");
        let store = small_segments(&folder, shards);
        let late = store.put_body(&["l".repeat(900).as_bytes()]).unwrap();
        let segment = late.segment();
        // Its segment is full of what goes, and grows no more.
        let dead: Vec<Placed> = (0..6).map(|n| put(&store, n, "b", &"d".repeat(900))).collect();
        let which = Expunged::Exactly(UidSet::all());
        store.commit_wait(vec![Op::Expunge { mailbox: dead[0].mailbox, which }]).unwrap();
        let mut late = Some(late);
        let done = store.compact(0, &mut |_| {
            if let Some(body) = late.take() {
                store.commit_wait(vec![deliver(9, &[("a", Target::Inbox)], &body)]).unwrap();
                drop(body);
                // The writer lets go of a body after it answered and before its next group.
                store.commit_wait(vec![Op::Subscribe { login: login("a"), name: name("x") }]).unwrap();
            }
        });
        let done = done.unwrap();
        assert!(done.segments_removed > 0, "{shards}: {done:?} {segment} {:?}", store.segments().sizes());
        assert!(store.segments().sizes().unwrap().iter().all(|(number, _)| *number != segment));
        assert_eq!(body_text(&store, inbox(&store, "a"), 1), "l".repeat(900));
        assert_sound(&store);
    }
}

#[test]
fn what_compaction_moved_is_not_removed_with_the_segment_it_went_to() {
    let folder = Folder::new("compact-twice");
    let store = small_segments(&folder, 1);
    // Four bodies in each segment, of which one stays; the last segment has one, which goes.
    for n in 0..17 {
        put(&store, n, if n % 4 == 0 && n < 16 { "a" } else { "b" }, &format!("{n:03}{}", "m".repeat(897)));
    }
    let (a, b) = (inbox(&store, "a"), inbox(&store, "b"));
    store.commit_wait(vec![Op::Expunge { mailbox: b, which: Expunged::Exactly(UidSet::all()) }]).unwrap();
    assert!(store.compact(0, &mut |_| ()).unwrap().segments_removed >= 4);
    let found: Vec<String> = uids(&store, "a", "INBOX").into_iter().map(|uid| body_text(&store, a, uid)).collect();
    assert!(found.iter().map(|text| &text[..3]).eq(["000", "004", "008", "012"]));
    assert_sound(&store);
}

#[test]
fn compaction_while_mail_comes_and_goes_loses_nothing() {
    let folder = Folder::new("compact-live");
    let store = small_segments(&folder, 1);
    std::thread::scope(|scope| {
        let store = &store;
        let writer = scope.spawn(move || {
            for n in 0..300u64 {
                let placed = put(store, n, "a", &format!("{n} {}", "w".repeat(700)));
                if n % 3 != 0 {
                    let which = Expunged::Exactly([placed.uid].into_iter().collect());
                    store.commit_wait(vec![Op::Expunge { mailbox: placed.mailbox, which }]).unwrap();
                }
            }
        });
        while !writer.is_finished() {
            store.compact(0, &mut |_| ()).unwrap();
        }
    });
    store.compact(0, &mut |_| ()).unwrap();
    let a = inbox(&store, "a");
    let expected: Vec<String> = (0..300).step_by(3).map(|n| format!("{n} ")).collect();
    let found: Vec<String> = uids(&store, "a", "INBOX").into_iter().map(|uid| body_text(&store, a, uid)).collect();
    assert_eq!(found.len(), expected.len());
    assert!(found.iter().zip(&expected).all(|(text, start)| text.starts_with(start)));
    assert_sound(&store);
}
