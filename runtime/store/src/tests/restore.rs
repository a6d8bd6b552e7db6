//! Messages put back from a store of then.

use super::*;
use crate::{Expunged, RestoreError, Restored, SetFlags, UidSet, Wanted};

/// The data folder as it is now, opened as a store of its own. The store that works must be closed.
pub(super) fn then(folder: &Folder, copy: &Folder) -> Store {
    std::fs::create_dir_all(copy.path().join("segments")).unwrap();
    for from in ["", "segments"] {
        for entry in std::fs::read_dir(folder.path().join(from)).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                std::fs::copy(entry.path(), copy.path().join(from).join(entry.file_name())).unwrap();
            }
        }
    }
    copy.open()
}

fn all_of(who: &str) -> Wanted {
    Wanted { login: login(who), mailbox: None, message: None, into: None }
}

fn restore(store: &Store, old: &Store, wanted: &Wanted) -> Restored {
    store.restore(old, wanted, false, &mut |progress| assert!(progress.done <= progress.total)).unwrap()
}

fn expunge(store: &Store, mailbox: MailboxId, uids: &[u32]) {
    let which = Expunged::Exactly(uids.iter().copied().collect());
    store.commit_wait(vec![Op::Expunge { mailbox, which }]).unwrap();
}

/// Five messages in INBOX of `a`, the second copied into Corbeille; the store as it was then, and the one that goes on.
fn five(folder: &Folder, copy: &Folder) -> (Store, Store) {
    let store = store_with(folder, &["a", "b"]);
    (1..=5).for_each(|n| drop(put(&store, n, "a", &format!("text {n}"))));
    let flags = SetFlags {
        mailbox: inbox(&store, "a"),
        uids: [3].into_iter().collect(),
        mode: crate::FlagMode::Add,
        flags: seen(),
        unchanged_since: None,
    };
    store.commit_wait(vec![Op::SetFlags(Box::new(flags))]).unwrap();
    let to = store.mailbox(&login("a"), &name("Corbeille")).unwrap().unwrap().id;
    store
        .commit_wait(vec![Op::Copy {
            from: inbox(&store, "a"),
            uids: [2].into_iter().collect(),
            to,
            flags: crate::FlagScope::ALL,
        }])
        .unwrap();
    drop(store);
    let old = then(folder, copy);
    (folder.open(), old)
}

#[test]
fn what_was_expunged_comes_back_as_new_messages_with_dates_flags_and_emailid_of_their_own() {
    let (folder, copy) = (Folder::new("restore"), Folder::new("restore-then"));
    let (store, old) = five(&folder, &copy);
    let inbox = inbox(&store, "a");
    let before = store.identities(inbox, &UidSet::all()).unwrap();
    expunge(&store, inbox, &[3, 5]);
    store.compact(0, &mut |_| ()).unwrap();
    let modseq = store.mailbox_by_id(inbox).unwrap().unwrap().highestmodseq;
    let restored = restore(&store, &old, &all_of("a"));
    assert_eq!((restored.messages, restored.octets, restored.present), (2, 12, 4));
    assert_eq!(restored.mailboxes, [(MailboxName::inbox(), 2)]);
    let rows = store.messages(inbox, &[6, 7].into_iter().collect()).unwrap();
    assert_eq!(rows.iter().map(|row| row.uid).collect::<Vec<_>>(), [6, 7]);
    assert!(rows.iter().all(|row| row.modseq > modseq && row.internal_date.seconds == 1_700_000_000));
    assert_eq!((rows[0].flags.clone(), rows[1].flags.clone()), (seen(), Flags::default()));
    assert_eq!([6, 7].map(|uid| body_text(&store, inbox, uid)), ["text 3", "text 5"]);
    let now = store.identities(inbox, &[6, 7].into_iter().collect()).unwrap();
    assert_eq!([now[0].email, now[1].email], [before[2].email, before[4].email]);
    assert_eq!(
        store.summaries(inbox, &[7].into_iter().collect(), SummaryParts::SUBJECT, 9).unwrap()[0].1.subject,
        "number 5"
    );
    // A second time there is nothing left to do.
    assert_eq!(restore(&store, &old, &all_of("a")).messages, 0);
    assert_eq!(uids(&store, "a", "INBOX"), [1, 2, 4, 6, 7]);
    assert_sound(&store);
}

#[test]
fn one_message_one_mailbox_or_elsewhere() {
    let (folder, copy) = (Folder::new("restore-one"), Folder::new("restore-one-then"));
    let (store, old) = five(&folder, &copy);
    let a = inbox(&store, "a");
    expunge(&store, a, &[1, 2, 3, 4, 5]);
    let dry = store.restore(&old, &all_of("a"), true, &mut |_| ()).unwrap();
    assert_eq!((dry.messages, dry.present), (4, 2), "a copy of the second is in Corbeille still");
    assert_eq!(uids(&store, "a", "INBOX"), [0u32; 0]);
    let one = Wanted { message: Some("<4@example.org>".to_owned()), ..all_of("a") };
    assert_eq!(restore(&store, &old, &one).messages, 1);
    assert_eq!(body_text(&store, a, 6), "text 4");
    let elsewhere = Wanted { into: Some(name("Rendu/Novembre")), mailbox: Some(MailboxName::inbox()), ..all_of("a") };
    assert_eq!(restore(&store, &old, &elsewhere).mailboxes, [(name("Rendu/Novembre"), 3)]);
    assert_eq!(uids(&store, "a", "Rendu/Novembre"), [1, 2, 3]);
    assert!(store.mailbox(&login("a"), &name("Rendu")).unwrap().is_some());
    let nowhere = Wanted { mailbox: Some(name("nowhere")), ..all_of("a") };
    assert!(matches!(store.restore(&old, &nowhere, false, &mut |_| ()), Err(RestoreError::NoSuchMailbox(_))));
    assert!(matches!(store.restore(&old, &all_of("nobody"), false, &mut |_| ()), Err(RestoreError::NoSuchLogin(_))));
    assert_sound(&store);
}

#[test]
fn mailboxes_that_were_deleted_or_renamed_get_their_messages_and_a_full_account_too() {
    let (folder, copy) = (Folder::new("restore-names"), Folder::new("restore-names-then"));
    let store = store_with(&folder, &["a"]);
    let create = |name_of: &str| Op::CreateMailbox { login: login("a"), name: name(name_of), special_use: None };
    store.commit_wait(vec![create("Projets/Un"), create("Projets/Deux")]).unwrap();
    for (n, at) in [(1, "Projets/Un"), (2, "Projets/Deux")] {
        let body = store.put_body(&[format!("text {n}").as_bytes()]).unwrap();
        store.commit_wait(vec![deliver(n, &[("a", Target::Mailbox(name(at)))], &body)]).unwrap();
    }
    drop(store);
    let old = then(&folder, &copy);
    let store = folder.open();
    let two = store.mailbox(&login("a"), &name("Projets/Deux")).unwrap().unwrap().id;
    expunge(&store, two, &[1]);
    store
        .commit_wait(vec![
            Op::DeleteMailbox { login: login("a"), name: name("Projets/Un") },
            Op::RenameMailbox { login: login("a"), from: name("Projets/Deux"), to: name("Archives") },
            person("a", 1),
        ])
        .unwrap();
    let mut went = restore(&store, &old, &all_of("a")).mailboxes;
    went.sort_by_key(|(to, _)| to.to_string());
    assert_eq!(went, [(name("Archives"), 1), (name("Projets/Un"), 1)]);
    assert_eq!(body_text(&store, two, 2), "text 2");
    assert_sound(&store);
}

#[test]
fn what_was_taken_out_since_stays_away_until_that_is_forgotten() {
    let (folder, copy) = (Folder::new("restore-taken"), Folder::new("restore-taken-then"));
    let (store, old) = five(&folder, &copy);
    let (inbox, item) = (inbox(&store, "a"), crate::QueueId([7; 16]));
    expunge(&store, inbox, &[5]);
    let messages = vec![(inbox, [4].into_iter().collect())];
    store.commit_wait(vec![Op::TakeOut(Box::new(crate::TakeOut { item, messages }))]).unwrap();
    let restored = restore(&store, &old, &all_of("a"));
    assert_eq!((restored.messages, restored.taken, restored.present), (1, 1, 4));
    store.commit_wait(vec![Op::ForgetTaken { item }]).unwrap();
    let restored = restore(&store, &old, &all_of("a"));
    assert_eq!((restored.messages, restored.taken), (1, 0), "nothing remembers it any more");
}
