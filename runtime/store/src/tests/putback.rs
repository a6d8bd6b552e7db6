//! A whole store put back: what clients know of UIDs stays true, or UIDVALIDITY says that it does not.

use super::restore::then;
use super::*;
use crate::{Enqueue, Expunged, NextHop, OpenError, QueueId, QueueRecipient, SetFlags, put_back};

fn expunge(store: &Store, mailbox: MailboxId, uids: &[u32]) {
    let which = Expunged::Exactly(uids.iter().copied().collect());
    store.commit_wait(vec![Op::Expunge { mailbox, which }]).unwrap();
}

fn enqueue(store: &Store, n: u64, text: &str) {
    let recipient = QueueRecipient {
        forward_path: "x@example.net".parse().unwrap(),
        next_hop: NextHop::Mx,
        due_at_s: 1,
        facts: Vec::new(),
    };
    let op = Enqueue {
        queue_id: QueueId(id(n)),
        body: store.put_body(&[text.as_bytes()]).unwrap(),
        reverse_path: mail::ReversePath::Null,
        recipients: vec![recipient],
        plan: String::new(),
        accepted_at_s: 1,
        facts: Vec::new(),
    };
    store.commit_wait(vec![Op::Enqueue(Box::new(op))]).unwrap();
}

/// Four messages for `a`, one spooled message, as they were; then two go, one is flagged, one comes, and the spool moves on.
fn history(folder: &Folder, copy: &Folder) -> (MailboxId, u64) {
    let store = store_with(folder, &["a"]);
    (1..=4).for_each(|n| drop(put(&store, n, "a", &format!("text {n}"))));
    enqueue(&store, 100, "spooled then");
    drop(store);
    drop(then(folder, copy));
    let store = folder.open();
    let a = inbox(&store, "a");
    expunge(&store, a, &[2, 3]);
    let flag = SetFlags {
        mailbox: a,
        uids: [1].into_iter().collect(),
        mode: crate::FlagMode::Add,
        flags: seen(),
        unchanged_since: None,
    };
    store.commit_wait(vec![Op::SetFlags(Box::new(flag))]).unwrap();
    put(&store, 5, "a", "came since");
    store
        .commit_wait(vec![Op::Settle { queue_id: QueueId(id(100)), recipient: 0, outcome: crate::Settled::Delivered }])
        .unwrap();
    enqueue(&store, 101, "spooled since");
    store.commit_wait(vec![Op::CreateMailbox { login: login("a"), name: name("Nouveau"), special_use: None }]).unwrap();
    (a, store.mailbox_by_id(a).unwrap().unwrap().highestmodseq)
}

#[test]
fn with_the_databases_of_now_uids_keep_their_meaning() {
    let (folder, copy) = (Folder::new("putback"), Folder::new("putback-then"));
    let (a, known) = history(&folder, &copy);
    let uidvalidity = folder.open().mailbox_by_id(a).unwrap().unwrap().uidvalidity;
    let done = put_back(copy.path(), folder.path(), 40).unwrap();
    assert_eq!((done.mailboxes, done.kept_uidvalidity, done.returned, done.vanished), (3, 3, 2, 1));
    assert!(done.replaced.unwrap().join("meta-00.db").exists());
    let store = folder.open();
    assert_sound(&store);
    let now = store.select(&login("a"), &MailboxName::inbox()).unwrap().unwrap();
    assert_eq!(now.mailbox.uidvalidity, uidvalidity);
    let texts: Vec<(u32, String)> = now.messages.iter().map(|m| (m.uid, body_text(&store, a, m.uid))).collect();
    let expected = [(1, "text 1"), (4, "text 4"), (6, "text 2"), (7, "text 3")];
    assert_eq!(texts, expected.map(|(uid, text)| (uid, text.to_owned())));
    assert_eq!(now.mailbox.uidnext, 8);
    // A client that knew the mailbox as it was a moment ago learns exactly what is different.
    let changes = store.changes_since(a, known).unwrap().unwrap();
    assert_eq!(changes.messages.iter().map(|m| m.uid).collect::<Vec<_>>(), [1, 6, 7]);
    assert_eq!(changes.vanished, [5]);
    assert_eq!(now.messages[0].flags, Flags::default(), "not seen yet, as it was then");
    let spooled: Vec<QueueId> = store.queue_list(None, 9).unwrap().iter().map(|item| item.queue_id).collect();
    assert_eq!(spooled, [QueueId(id(101))], "what was sent since is not sent again");
    let item = store.queue_item(QueueId(id(101))).unwrap().unwrap();
    assert_eq!(store.read_body(&item.body).unwrap(), b"spooled since");
    assert_eq!(put(&store, 9, "a", "goes on").uid, 8);
    let newest = store.segments().sizes().unwrap().into_iter().map(|(segment, _)| segment).max();
    assert_eq!(newest, Some(41), "no number a snapshot knows is given again");
    assert_sound(&store);
}

#[test]
fn without_them_every_uidvalidity_is_new() {
    let (folder, copy) = (Folder::new("putback-lost"), Folder::new("putback-lost-then"));
    history(&folder, &copy);
    let before: Vec<u32> = folder.open().mailboxes(&login("a")).unwrap().iter().map(|m| m.uidvalidity).collect();
    for damaged in [true, false] {
        let again = Folder::new("putback-lost-again");
        drop(then(&copy, &again));
        if damaged {
            std::fs::write(folder.path().join("meta-00.db"), b"no database any more").unwrap();
            let _ = std::fs::remove_file(folder.path().join("meta-00.db-wal"));
        } else {
            std::fs::remove_dir_all(folder.path()).unwrap();
        }
        let done = put_back(again.path(), folder.path(), 0).unwrap();
        assert_eq!((done.mailboxes, done.kept_uidvalidity), (3, 0));
        let store = folder.open();
        assert_sound(&store);
        assert_eq!(uids(&store, "a", "INBOX"), [1, 2, 3, 4]);
        let now: Vec<u32> = store.mailboxes(&login("a")).unwrap().iter().map(|m| m.uidvalidity).collect();
        assert!(now.iter().all(|new| before.iter().all(|old| new > old)), "{before:?} {now:?}");
        assert_eq!(store.queue_count().unwrap(), 1);
    }
}

#[test]
fn a_store_between_two_times_does_not_open_until_it_is_put_back_again() {
    let (folder, copy) = (Folder::new("putback-half"), Folder::new("putback-half-then"));
    history(&folder, &copy);
    std::fs::write(folder.path().join("putting-back"), b"").unwrap();
    assert!(matches!(Store::open(folder.path(), Options::default()), Err(OpenError::HalfPutBack)));
    put_back(copy.path(), folder.path(), 0).unwrap();
    let store = folder.open();
    assert_eq!(uids(&store, "a", "INBOX").len(), 4);
    assert_sound(&store);
    let owned = put_back(copy.path(), folder.path(), 0);
    assert!(owned.is_err(), "somebody owns the folder");
    assert_eq!(store.select(&login("a"), &MailboxName::inbox()).unwrap().unwrap().messages.len(), 4);
}
