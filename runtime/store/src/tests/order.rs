//! What messages are ordered by is the same whether the search index says it or their summaries do.

use mail::order::{KeyParts, Keys, MessageKeys, Source};

use super::*;
use crate::{Expunged, UidSet};

const ALL: KeyParts = KeyParts::TEXTS[0]
    .with(KeyParts::TEXTS[1])
    .with(KeyParts::TEXTS[2])
    .with(KeyParts::TEXTS[3])
    .with(KeyParts::TEXTS[4])
    .with(KeyParts::TEXTS[5])
    .with(KeyParts::THREAD);

fn put_many(store: &Store, from: u64, count: u64) {
    let body = store.put_body(&[b"Subject: x\r\n\r\nx\r\n"]).unwrap();
    let ops = (from..from + count).map(|n| {
        let Op::Deliver(mut of) = deliver(n, &[("a", Target::Inbox)], &body) else { panic!("no delivery") };
        let address = format!("((\"Name {}\" NIL \"box{}\" \"x\"))", n % 7, n % 5);
        let envelope = format!("(NIL NIL {address} {address} {address} {address} NIL NIL NIL NIL)");
        of.summary.envelope_imap = envelope.into_bytes();
        of.summary.references = format!("<{}@example.org> <{}@example.org>", n / 2, n.saturating_sub(1));
        of.summary.sent_date = (n % 3 > 0).then_some(n as i64);
        Op::Deliver(of)
    });
    store.commit_wait(ops.collect()).unwrap();
}

/// Made of the summaries one by one.
fn expected(store: &Store, mailbox: MailboxId, uids: &[u32], parts: KeyParts) -> Keys {
    let set: UidSet = uids.iter().copied().collect();
    let mut keys = Keys::default();
    for (uid, summary) in store.summaries(mailbox, &set, SummaryParts::ALL, uids.len()).unwrap() {
        let of = MessageKeys::of(&Source {
            envelope: &summary.envelope_imap,
            subject: &summary.subject,
            message_id: &summary.message_id,
            in_reply_to: &summary.in_reply_to,
            references: &summary.references,
            sent_s: summary.sent_date,
        });
        keys.push(uid, &of, parts);
    }
    keys
}

#[track_caller]
fn check(store: &Store, uids: &[u32]) {
    let mailbox = inbox(store, "a");
    for parts in [ALL, KeyParts::SENT, KeyParts::THREAD, KeyParts::TO.with(KeyParts::SUBJECT)] {
        let found = store.order_keys(mailbox, uids, parts).unwrap();
        assert_eq!(found, expected(store, mailbox, uids, parts), "{parts:?}");
    }
}

#[test]
fn keys_are_the_same_with_and_without_the_index() {
    let folder = Folder::new("order");
    let mut store = store_with(&folder, &["a"]);
    put_many(&store, 1, 300);
    let all: Vec<u32> = (1..=400).collect();
    let few = [2, 9, 60, 290, 380];
    check(&store, &all);
    assert!(store.settle_search());
    check(&store, &all);
    check(&store, &few);
    check(&store, &[]);
    // Some are behind the index, some are gone.
    put_many(&store, 301, 50);
    let op =
        Op::Expunge { mailbox: inbox(&store, "a"), which: Expunged::Exactly([3, 9, 100, 310].into_iter().collect()) };
    store.commit_wait(vec![op]).unwrap();
    let there = uids(&store, "a", "INBOX");
    check(&store, &there);
    assert!(store.settle_search());
    check(&store, &all);
    check(&store, &few);
    drop(store);
    // Without its file everything is read from the summaries again.
    std::fs::remove_file(folder.path().join("search-00.db")).unwrap();
    store = folder.open();
    check(&store, &all);
    assert!(store.settle_search());
    check(&store, &all);
}
