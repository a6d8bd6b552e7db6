//! Flags, copies, moves and expunges as IMAP needs them.

use mail::{Flags, Keyword, SystemFlags};

use super::*;
use crate::{CommitError, Expunged, FlagMode, FlagRow, FlagScope, Refusal, SetFlags, UidSet};

fn set(mailbox: MailboxId, uids: &[u32], mode: FlagMode, flags: Flags, unchanged_since: Option<u64>) -> Op {
    let uids = uids.iter().copied().collect();
    Op::SetFlags(Box::new(SetFlags { mailbox, uids, mode, flags, unchanged_since }))
}

#[test]
fn flags_and_keywords_are_kept_and_a_change_is_a_new_modseq() {
    let folder = Folder::new("flags");
    let store = store_with(&folder, &["a"]);
    let mailbox = inbox(&store, "a");
    (1..=3).for_each(|n| drop(put(&store, n, "a", "hello")));
    let before = store.mailbox_by_id(mailbox).unwrap().unwrap();
    let keyword = Flags { keywords: [Keyword::new("$Forwarded").unwrap()].into(), ..seen() };
    let results = store.commit_wait(vec![set(mailbox, &[1, 3, 9], FlagMode::Add, keyword.clone(), None)]).unwrap();
    let modseq = before.highestmodseq + 1;
    let rows = [1, 3].map(|uid| FlagRow { uid, flags: keyword.clone(), modseq }).to_vec();
    assert_eq!(results, [OpResult::Flagged { rows, modified: Vec::new() }]);
    let after = store.mailbox_by_id(mailbox).unwrap().unwrap();
    assert_eq!((after.highestmodseq, after.counts.unseen), (modseq, 1));
    // The same again changes nothing, so the MODSEQ stays.
    store.commit_wait(vec![set(mailbox, &[1, 3], FlagMode::Add, seen(), None)]).unwrap();
    assert_eq!(store.mailbox_by_id(mailbox).unwrap().unwrap().highestmodseq, modseq);
    drop(store);
    let store = folder.open();
    let changes = store.changes_since(mailbox, before.highestmodseq).unwrap().unwrap();
    assert_eq!(changes.messages.iter().map(|m| m.uid).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(changes.messages[0].flags, keyword);
    assert_sound(&store);
}

#[test]
fn unchanged_since_leaves_what_somebody_else_changed() {
    let folder = Folder::new("unchanged");
    let store = store_with(&folder, &["a"]);
    let mailbox = inbox(&store, "a");
    (1..=3).for_each(|n| drop(put(&store, n, "a", "hello")));
    let known = store.mailbox_by_id(mailbox).unwrap().unwrap().highestmodseq;
    store.commit_wait(vec![set(mailbox, &[2], FlagMode::Add, seen(), None)]).unwrap();
    let results = store.commit_wait(vec![set(mailbox, &[1, 2, 3], FlagMode::Replace, deleted(), Some(known))]).unwrap();
    let OpResult::Flagged { rows, modified } = &results[0] else { panic!("{results:?}") };
    assert_eq!((rows.len(), &modified[..]), (2, &[2][..]));
    assert_eq!(store.messages(mailbox, &UidSet::all()).unwrap()[1].flags, seen());
}

#[test]
fn expunge_takes_what_is_deleted_and_remembers_it() {
    let folder = Folder::new("expunge");
    let store = store_with(&folder, &["a"]);
    let mailbox = inbox(&store, "a");
    (1..=5).for_each(|n| drop(put(&store, n, "a", "hello")));
    store.commit_wait(vec![set(mailbox, &[2, 4, 5], FlagMode::Add, deleted(), None)]).unwrap();
    let known = store.mailbox_by_id(mailbox).unwrap().unwrap().highestmodseq;
    let among = Expunged::DeletedAmong([1, 2, 3].into_iter().collect());
    let results = store.commit_wait(vec![Op::Expunge { mailbox, which: among }]).unwrap();
    assert_eq!(results, [OpResult::Expunged { uids: vec![2], modseq: known + 1 }]);
    let results = store.commit_wait(vec![Op::Expunge { mailbox, which: Expunged::Deleted }]).unwrap();
    assert_eq!(results, [OpResult::Expunged { uids: vec![4, 5], modseq: known + 2 }]);
    let results = store.commit_wait(vec![Op::Expunge { mailbox, which: Expunged::Deleted }]).unwrap();
    assert_eq!(results, [OpResult::Expunged { uids: Vec::new(), modseq: known + 2 }]);
    drop(store);
    let store = folder.open();
    assert_eq!(store.changes_since(mailbox, known + 1).unwrap().unwrap().vanished, [4, 5]);
    assert_eq!(put(&store, 6, "a", "hello").uid, 6, "the UIDs of the expunged do not come back");
    assert_eq!(uids(&store, "a", "INBOX"), [1, 3, 6]);
    assert_sound(&store);
}

#[test]
fn a_copy_shares_the_body_and_a_move_leaves_nothing_behind() {
    let folder = Folder::new("copy");
    let store = store_with(&folder, &["a"]);
    let from = inbox(&store, "a");
    let to = store.mailbox(&login("a"), &name("Corbeille")).unwrap().unwrap();
    (1..=3).for_each(|n| drop(put(&store, n, "a", &format!("text {n}"))));
    store.commit_wait(vec![set(from, &[2], FlagMode::Add, seen(), None)]).unwrap();
    let uids_of = |ids: &[u32]| ids.iter().copied().collect::<UidSet>();
    let copied =
        store.commit_wait(vec![Op::Copy { from, uids: uids_of(&[2, 3]), to: to.id, flags: FlagScope::ALL }]).unwrap();
    assert_eq!(copied, [OpResult::Copied { uidvalidity: to.uidvalidity, uids: vec![(2, 1), (3, 2)] }]);
    let moved =
        store.commit_wait(vec![Op::Move { from, uids: uids_of(&[1, 2]), to: to.id, flags: FlagScope::ALL }]).unwrap();
    assert_eq!(moved, [OpResult::Copied { uidvalidity: to.uidvalidity, uids: vec![(1, 3), (2, 4)] }]);
    assert_eq!(uids(&store, "a", "INBOX"), [3]);
    let there = store.select(&login("a"), &name("Corbeille")).unwrap().unwrap();
    assert_eq!(there.messages.iter().map(|m| m.flags == seen()).collect::<Vec<_>>(), [true, false, false, true]);
    let asked = |parts| store.summaries(to.id, &UidSet::all(), parts, 2).unwrap()[1].1.clone();
    let all = asked(SummaryParts::ALL);
    assert_eq!((all.subject.as_str(), all.message_id.as_str()), ("number 3", "<3@example.org>"));
    assert_eq!(all.whole, SummaryParts::SUBJECT.with(SummaryParts::TO));
    let subject = Summary { subject: all.subject, whole: SummaryParts::SUBJECT, ..Summary::default() };
    assert_eq!(asked(SummaryParts::SUBJECT), subject, "what is not asked is not read");
    assert_eq!(body_text(&store, to.id, 4), "text 2");
    let bodies = store.bodies_of(to.id, &uids_of(&[1, 3, 4, 9])).unwrap();
    let texts = bodies.iter().map(|(uid, body)| (*uid, store.read_body(body).unwrap()));
    assert!(texts.eq([(1, b"text 2".to_vec()), (3, b"text 1".to_vec()), (4, b"text 2".to_vec())]));
    assert_eq!(used(&store, "a"), (30, 5));
    assert_sound(&store);
    // Within one mailbox a move gives new UIDs.
    store.commit_wait(vec![Op::Move { from, uids: UidSet::all(), to: from, flags: FlagScope::ALL }]).unwrap();
    assert_eq!(uids(&store, "a", "INBOX"), [4]);
    assert_sound(&store);
}

#[test]
fn a_copy_takes_along_the_flags_it_may() {
    let folder = Folder::new("copy-flags");
    let store = store_with(&folder, &["a"]);
    let from = inbox(&store, "a");
    let to = store.mailbox(&login("a"), &name("Corbeille")).unwrap().unwrap().id;
    put(&store, 1, "a", "text");
    let keyword = Keyword::new("$work").unwrap();
    let all = Flags { system: SystemFlags::SEEN.with(SystemFlags::FLAGGED), keywords: [keyword].into() };
    store.commit_wait(vec![set(from, &[1], FlagMode::Replace, all.clone(), None)]).unwrap();
    let none = FlagScope { seen: false, deleted: false, others: false };
    for flags in [none, FlagScope { seen: true, ..none }, FlagScope { others: true, ..none }, FlagScope::ALL] {
        store.commit_wait(vec![Op::Copy { from, uids: UidSet::all(), to, flags }]).unwrap();
        let there = store.select(&login("a"), &name("Corbeille")).unwrap().unwrap();
        assert_eq!(there.messages.last().unwrap().flags, flags.among(&all), "{flags:?}");
    }
    let counts = store.mailbox(&login("a"), &name("Corbeille")).unwrap().unwrap().counts;
    assert_eq!((counts.messages, counts.unseen), (4, 2));
    assert_sound(&store);
}

#[test]
fn an_op_on_a_mailbox_that_is_gone_is_refused() {
    let folder = Folder::new("gone");
    let store = store_with(&folder, &["a"]);
    let gone = store.mailbox(&login("a"), &name("Corbeille")).unwrap().unwrap().id;
    store.commit_wait(vec![Op::DeleteMailbox { login: login("a"), name: name("Corbeille") }]).unwrap();
    for op in [
        set(gone, &[1], FlagMode::Add, seen(), None),
        Op::Copy { from: inbox(&store, "a"), uids: UidSet::all(), to: gone, flags: FlagScope::ALL },
        Op::Move { from: gone, uids: UidSet::all(), to: inbox(&store, "a"), flags: FlagScope::ALL },
        Op::Expunge { mailbox: gone, which: Expunged::Deleted },
    ] {
        let refused = Err(CommitError::Refused { op: 0, why: Refusal::NoSuchMailbox });
        assert_eq!(store.commit_wait(vec![op]), refused);
    }
    assert_eq!(store.changes_since(gone, 1).unwrap(), None);
    assert_eq!(store.body_of(gone, 1).unwrap().map(|body| body.len()), None);
}
