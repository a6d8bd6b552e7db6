//! What messages are ordered by is the same whether the search index says it or their summaries do.

use mail::order::{KeyParts, Keys, MessageKeys, Source};

use super::*;
use crate::{Expunged, UidSet};

const ALL: KeyParts = KeyParts::ALL;

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

fn expunge(store: &Store, uids: impl IntoIterator<Item = u32>) {
    let op = Op::Expunge { mailbox: inbox(store, "a"), which: Expunged::Exactly(uids.into_iter().collect()) };
    store.commit_wait(vec![op]).unwrap();
}

/// Of those that are there, and of some others.
fn check_after_settling(store: &Store) {
    assert!(store.settle_search());
    let there = uids(store, "a", "INBOX");
    check(store, &there);
    let every_ninth: Vec<u32> = (1..=1_400).filter(|uid| uid % 9 == 0).collect();
    check(store, &every_ninth);
    check(store, &[255, 256, 257, 512, 513]);
    let mailbox = inbox(store, "a");
    let keys = store.search_of(mailbox).unwrap().order_keys(mailbox, &there, ALL);
    assert_eq!(keys.uids(), there, "the index has them all");
}

#[test]
fn a_mailbox_becomes_blocks_as_it_grows() {
    let folder = Folder::new("order-blocks");
    let store = store_with(&folder, &["a"]);
    let mut next = 1;
    for up_to in [1, 255, 256, 257, 511, 512, 1_030] {
        put_many(&store, next, up_to + 1 - next);
        next = up_to + 1;
        check_after_settling(&store);
    }
    let file = rusqlite::Connection::open(folder.path().join("search-00.db")).unwrap();
    let count = |table: &str| -> i64 {
        file.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    assert_eq!((count("heads"), count("subjects"), count("ids"), count("keys")), (4, 4, 4, 6));
    // One in a block, some at its ends, most of one, all of one, some that are rows still.
    for gone in [100..101, 250..260, 260..400, 513..769, 1_000..1_027] {
        expunge(&store, gone);
        check_after_settling(&store);
    }
    assert_eq!((count("heads"), count("ids"), count("keys")), (3, 3, 4));
    let heads: i64 = file.query_row("SELECT length(block) FROM heads WHERE last = 512", [], |row| row.get(0)).unwrap();
    assert_eq!(heads, 4 + 13 * 113, "a block that is half empty is written anew");
    put_many(&store, 2_000, 300);
    check_after_settling(&store);
    expunge(&store, 1..=2_000);
    check_after_settling(&store);
    assert_eq!((count("heads"), count("subjects"), count("ids"), count("keys")), (0, 0, 0, 0));
    assert_eq!(store.metrics().now().search_rebuilds, 0);
}

#[test]
fn a_damaged_block_is_not_believed_and_made_anew() {
    let folder = Folder::new("order-damage");
    let store = store_with(&folder, &["a"]);
    put_many(&store, 1, 600);
    let all: Vec<u32> = (1..=600).collect();
    for (rebuilds, damage) in (1..).zip([
        "UPDATE subjects SET block = zeroblob(length(block)) WHERE id = (SELECT max(id) FROM subjects)",
        "UPDATE heads SET block = substr(block, 1, 30)",
        "DELETE FROM ids",
        "UPDATE senders SET block = (SELECT block FROM ids WHERE ids.id = senders.id)",
        "UPDATE ccs SET block = 'text'",
    ]) {
        assert!(store.settle_search());
        check(&store, &all);
        let file = rusqlite::Connection::open(folder.path().join("search-00.db")).unwrap();
        assert!(file.execute(damage, []).unwrap() > 0);
        drop(file);
        check(&store, &all);
        assert!(store.settle_search());
        check(&store, &all);
        assert_eq!(store.metrics().now().search_rebuilds, rebuilds, "{damage}");
    }
}

#[test]
fn blocks_of_a_deleted_mailbox_go_with_it() {
    let folder = Folder::new("order-deleted");
    let store = store_with(&folder, &["a"]);
    let create = || Op::CreateMailbox { login: login("a"), name: name("Dossier"), special_use: None };
    store.commit_wait(vec![create()]).unwrap();
    put_many(&store, 1, 400);
    let to = store.mailbox(&login("a"), &name("Dossier")).unwrap().unwrap().id;
    store
        .commit_wait(vec![Op::Copy { from: inbox(&store, "a"), uids: UidSet::all(), to, flags: crate::FlagScope::ALL }])
        .unwrap();
    assert!(store.settle_search());
    let file = rusqlite::Connection::open(folder.path().join("search-00.db")).unwrap();
    let count = || -> i64 { file.query_row("SELECT count(*) FROM heads", [], |row| row.get(0)).unwrap() };
    assert_eq!(count(), 2);
    store.commit_wait(vec![Op::DeleteMailbox { login: login("a"), name: name("Dossier") }]).unwrap();
    assert!(store.settle_search());
    assert_eq!(count(), 1);
    check_after_settling(&store);
}

#[test]
fn what_goes_while_its_terms_are_not_there_yet_leaves_no_keys() {
    let folder = Folder::new("order-ahead");
    let store = store_with(&folder, &["a"]);
    put_many(&store, 1, 600);
    assert!(store.settle_search());
    // As after a crash behind the keys and before the terms of most.
    let file = rusqlite::Connection::open(folder.path().join("search-00.db")).unwrap();
    let mailbox = inbox(&store, "a");
    let key = |uid| crate::schema::message_key(mailbox.0, uid);
    file.execute("UPDATE mailbox SET uid = 100 WHERE id = ?1", [mailbox.0]).unwrap();
    file.execute("DELETE FROM message WHERE rowid BETWEEN ?1 AND ?2", [key(101), key(600)]).unwrap();
    drop(file);
    expunge(&store, (90..95).chain(150..300).chain(598..=600));
    put_many(&store, 601, 20);
    check_after_settling(&store);
    assert_eq!(store.search_candidates(mailbox, &["subject".to_owned()])[0].known_to, 620);
    assert_eq!(store.metrics().now().search_indexed, 600 + 500 - 153 + 20, "each whose terms were missing, once");
}
