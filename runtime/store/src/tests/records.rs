//! Annotations, threads and identities, the delivery index, statistics, the audit.

use super::*;
use crate::{CommitError, Refusal, TokenCount, TokenCounts, UidSet};

#[test]
fn annotations_belong_to_a_mailbox_or_the_account_and_go_with_it() {
    let folder = Folder::new("annotations");
    let store = store_with(&folder, &["a", "b"]);
    let set = |mailbox: Option<&str>, entry: &str, value: Option<&[u8]>| {
        store.commit_wait(vec![Op::SetAnnotation {
            login: login("a"),
            mailbox: mailbox.map(name),
            entry: entry.to_owned(),
            value: value.map(<[u8]>::to_vec),
        }])
    };
    set(Some("Corbeille"), "/private/Comment", Some(b"mine")).unwrap();
    set(Some("Corbeille"), "/private/comment", Some(b"still mine")).unwrap();
    set(Some("INBOX"), "/shared/comment", Some(b"ours")).unwrap();
    set(None, "/private/vendor/x", Some(&[0, 255])).unwrap();
    let of = |mailbox: Option<&str>| store.annotations(&login("a"), mailbox.map(name).as_ref()).unwrap();
    assert_eq!(of(Some("Corbeille")), [("/private/comment".to_owned(), b"still mine".to_vec())]);
    assert_eq!(of(Some("INBOX")), [("/shared/comment".to_owned(), b"ours".to_vec())]);
    assert_eq!(of(None), [("/private/vendor/x".to_owned(), vec![0, 255])]);
    assert_eq!(store.annotations(&login("b"), None).unwrap(), []);
    let rename = Op::RenameMailbox { login: login("a"), from: name("Corbeille"), to: name("Poubelle") };
    store.commit_wait(vec![rename]).unwrap();
    assert_eq!(of(Some("Poubelle")).len(), 1);
    store.commit_wait(vec![Op::DeleteMailbox { login: login("a"), name: name("Poubelle") }]).unwrap();
    store
        .commit_wait(vec![Op::CreateMailbox { login: login("a"), name: name("Poubelle"), special_use: None }])
        .unwrap();
    assert_eq!(of(Some("Poubelle")), []);
    set(None, "/private/vendor/x", None).unwrap();
    assert_eq!(of(None), []);
    let refused = |why| Err(CommitError::Refused { op: 0, why });
    assert_eq!(set(Some("nowhere"), "/private/x", Some(b"x")), refused(Refusal::NoSuchMailbox));
    assert_eq!(set(None, "/private/x", Some(&[0; 64 * 1024 + 1])), refused(Refusal::TooLarge));
    for n in 0..100 {
        set(None, &format!("/private/{n}"), Some(b"x")).unwrap();
    }
    assert_eq!(set(None, "/private/one-more", Some(b"x")), refused(Refusal::TooManyAnnotations));
    set(None, "/private/7", Some(b"changed")).unwrap();
}

/// Delivers a message with these identifiers to INBOX of `a` and gives its UID.
fn say(store: &Store, n: u64, message_id: &str, in_reply_to: &str, references: &str) -> u32 {
    let body = store.put_body(&[b"text"]).unwrap();
    let Op::Deliver(mut op) = deliver(n, &[("a", Target::Inbox)], &body) else { panic!() };
    op.summary.message_id = message_id.to_owned();
    op.summary.in_reply_to = in_reply_to.to_owned();
    op.summary.references = references.to_owned();
    placed(&store.commit_wait(vec![Op::Deliver(op)]).unwrap()[0])[0].uid
}

#[test]
fn answers_join_the_thread_of_what_they_answer_also_when_they_come_first() {
    let folder = Folder::new("threads");
    let store = store_with(&folder, &["a"]);
    say(&store, 1, "<1@x>", "", "");
    say(&store, 2, "<2@x>", "<1@x>", "<1@x>");
    say(&store, 3, "<other@x>", "", "");
    // Comes before what it refers to.
    say(&store, 4, "<5@x>", "<4@x>", "<3@x> <4@x>");
    say(&store, 5, "<4@x>", "<3@x>", "<3@x>");
    say(&store, 6, "", "", "");
    let found = store.identities(inbox(&store, "a"), &UidSet::all()).unwrap();
    let threads: Vec<_> = found.iter().map(|message| message.thread.unwrap()).collect();
    assert_eq!(threads[0], threads[1]);
    assert_eq!(threads[3], threads[4]);
    let distinct: std::collections::BTreeSet<_> = threads.iter().collect();
    assert_eq!(distinct.len(), 4, "{threads:?}");
    assert_eq!(found.iter().map(|m| m.email).collect::<std::collections::BTreeSet<_>>().len(), 6);
    assert!(found.iter().all(|message| message.saved_s > 1_700_000_000));
}

#[test]
fn copies_keep_email_and_thread_and_get_their_own_saved_date() {
    let folder = Folder::new("identities");
    let store = store_with(&folder, &["a"]);
    let message = put(&store, 1, "a", "text");
    let to = store.mailbox(&login("a"), &name("Corbeille")).unwrap().unwrap().id;
    store
        .commit_wait(vec![Op::Copy { from: message.mailbox, uids: UidSet::all(), to, flags: crate::FlagScope::ALL }])
        .unwrap();
    let (one, other) = (
        store.identities(message.mailbox, &UidSet::all()).unwrap()[0],
        store.identities(to, &UidSet::all()).unwrap()[0],
    );
    assert_eq!((one.email, one.thread), (other.email, other.thread));
    assert!(other.saved_s >= one.saved_s);
    assert!(one.email.to_string().chars().all(|c| c.is_ascii_alphanumeric()));
}

#[test]
fn the_delivery_index_says_who_got_what_until_it_is_trimmed() {
    let folder = Folder::new("index");
    let store = store_with(&folder, &["a", "b"]);
    let envelope = crate::RecordEnvelope::default();
    let bodies = [b"Received: one\r\n", b"Received: two\r\n"]
        .map(|head| store.put_body_for(&envelope, head, &[b"same"]).unwrap());
    store.commit_wait(vec![deliver(1 << 40, &[("a", Target::Inbox), ("b", Target::Inbox)], &bodies[0])]).unwrap();
    store.commit_wait(vec![deliver(2 << 40, &[("b", Target::Inbox)], &bodies[1])]).unwrap();
    let index = store.deliveries(0, [0; 16], 9).unwrap();
    assert_eq!(index.len(), 2);
    assert_eq!(index[0].message_id.as_deref(), Some(&*format!("<{}@example.org>", 1u64 << 40)));
    assert_eq!(index[0].placed, [(inbox(&store, "a"), 1), (inbox(&store, "b"), 1)]);
    assert_eq!(index[1].placed, [(inbox(&store, "b"), 2)]);
    assert!(index[0].hash.is_some());
    assert_eq!(index[0].hash, index[1].hash, "our own trace fields do not count");
    assert_eq!(store.deliveries(0, index[0].id, 9).unwrap().len(), 1);
    assert_eq!(store.commit_wait(vec![Op::TrimDeliveries { before_ms: 1 }]).unwrap(), [OpResult::Trimmed(2)]);
    assert_eq!(store.deliveries(0, [0; 16], 9).unwrap(), []);
}

#[test]
fn what_is_learned_and_unlearned_leaves_nothing_behind() {
    let folder = Folder::new("tokens");
    let store = store_with(&folder, &["a"]);
    let count = |token, spam, ham| {
        store.commit_wait(vec![Op::CountTokens { bucket: 1, tokens: vec![TokenCount { token, spam, ham }] }]).unwrap();
        store.token_counts(1, &[token]).unwrap()[0]
    };
    assert_eq!(count(u64::MAX, 3, 0), TokenCounts { spam: 3, ham: 0 });
    assert_eq!(count(u64::MAX, -1, 5), TokenCounts { spam: 2, ham: 5 });
    assert_eq!(store.token_counts(2, &[u64::MAX]).unwrap(), [TokenCounts::default()]);
    assert_eq!(count(7, 0, 1), TokenCounts { spam: 0, ham: 1 });
    let (top, seven) = ((u64::MAX, TokenCounts { spam: 2, ham: 5 }), (7, TokenCounts { spam: 0, ham: 1 }));
    assert_eq!(store.statistics(1, None, 9).unwrap(), [top, seven]);
    assert_eq!(store.statistics(1, Some(u64::MAX), 9).unwrap(), [seven]);
    assert_eq!(store.statistics(1, Some(i64::MAX as u64), 9).unwrap(), []);
    assert_eq!(count(7, 0, -1), TokenCounts::default());
    assert_eq!(count(u64::MAX, -9, -9), TokenCounts::default());
    let rows: i64 = store.read(|tx| Ok(tx.query_row("SELECT count(*) FROM statistic", [], |row| row.get(0))?)).unwrap();
    assert_eq!(rows, 0);
    let audit = |what: &str| Op::Audit { at_s: 5, who: "root".to_owned(), what: what.to_owned() };
    store.commit_wait(vec![audit("one"), audit("two")]).unwrap();
    assert_eq!(store.audit(1).unwrap(), [(5, "root".to_owned(), "two".to_owned())]);
}

#[test]
fn of_the_audit_goes_what_is_old_and_nothing_younger() {
    let folder = Folder::new("audit");
    let store = store_with(&folder, &["a"]);
    let audit = |at_s: i64| Op::Audit { at_s, who: "root".to_owned(), what: format!("at {at_s}") };
    store.commit_wait([5, 6, 7, 8].map(audit).to_vec()).unwrap();
    let left = || store.audit(9).unwrap().into_iter().map(|(at_s, ..)| at_s).collect::<Vec<_>>();
    let trimmed = |before_s| store.commit_wait(vec![Op::TrimAudit { before_s }]).unwrap();
    assert_eq!((trimmed(7), left()), (vec![OpResult::Trimmed(2)], vec![8, 7]));
    assert_eq!((trimmed(7), left()), (vec![OpResult::Trimmed(0)], vec![8, 7]));
    // Whoever writes to the database by other statements is stopped, also for what a trim of before would have let go.
    let database = folder.path().join("meta-00.db");
    drop(store);
    let raw = rusqlite::Connection::open(database).unwrap();
    for statement in ["DELETE FROM audit", "DELETE FROM audit WHERE at < 8", "UPDATE audit SET what = ''"] {
        let error = raw.execute(statement, []).unwrap_err().to_string();
        assert!(error.contains("the audit is"), "{statement}: {error}");
    }
    raw.execute("INSERT INTO meta(key, value) VALUES('audit_from', 8)", []).unwrap();
    assert!(raw.execute("DELETE FROM audit", []).is_err(), "an entry of that moment is not older");
    assert_eq!(raw.execute("DELETE FROM audit WHERE at < 8", []), Ok(1));
}

#[test]
fn ways_to_log_in_have_a_bound_for_each_login_and_the_last_used_stay() {
    let folder = Folder::new("accesses");
    let store = store_with(&folder, &["a", "b"]);
    let access = |of: &str, n: i64| {
        let how = format!("imap\toutside\t10.0.{n}.0/24\t");
        crate::Access { login: login(of), how, first_s: n, last_s: n, times: 1 }
    };
    let note = |of: &str, from: i64, to: i64| {
        store.commit_wait(vec![Op::NoteAccesses((from..to).map(|n| access(of, n)).collect())]).unwrap();
    };
    note("b", 0, 3);
    note("a", 0, 150);
    note("a", 150, 260);
    let of = |it: &str| store.accesses_of(&login(it), 1_000).unwrap().iter().map(|row| row.last_s).collect::<Vec<_>>();
    assert_eq!(of("a"), (60..260).rev().collect::<Vec<i64>>());
    assert_eq!(of("b"), [2, 1, 0]);
}
