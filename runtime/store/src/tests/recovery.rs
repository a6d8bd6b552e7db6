//! What a crash between the flush of the WAL and the flush of the segment leaves: rows whose body is bad.

use std::os::unix::fs::FileExt;

use super::*;
use crate::{Enqueue, NextHop, QueueId, QueueRecipient};

/// What a crash after the last group leaves: a clean end would say that there is nothing to judge.
fn as_after_a_crash(folder: &Folder, tail_blob: i64) {
    let db = rusqlite::Connection::open(folder.path().join("meta-00.db")).unwrap();
    db.execute("UPDATE meta SET value = ?1 WHERE key = 'tail_blob'", [tail_blob]).unwrap();
}

fn tail_blob(store: &Store) -> i64 {
    let sql = "SELECT value FROM meta WHERE key = 'tail_blob'";
    store.read(|tx| Ok(tx.query_row(sql, [], |row| row.get(0))?)).unwrap()
}

/// Delivers two messages, the second as the last group with a spool row, spoils its body, and opens again.
fn check(spoil: impl FnOnce(&std::fs::File, u64, u64)) {
    let folder = Folder::new("torn");
    let store = store_with(&folder, &["a", "b"]);
    put(&store, 1, "a", "first, acknowledged");
    let body = store.put_body(&[b"second, never acknowledged"]).unwrap();
    let place = body.0.place;
    let enqueue = Enqueue {
        queue_id: QueueId([7; 16]),
        body: body.clone(),
        reverse_path: mail::ReversePath::Null,
        recipients: vec![QueueRecipient {
            forward_path: "x@example.net".parse().unwrap(),
            next_hop: NextHop::Mx,
            due_at_s: 1,
            facts: Vec::new(),
        }],
        plan: "plan".to_owned(),
        accepted_at_s: 1,
        facts: Vec::new(),
    };
    let ops = vec![deliver(2, &[("a", Target::Inbox), ("b", Target::Inbox)], &body), Op::Enqueue(Box::new(enqueue))];
    store.commit_wait(ops).unwrap();
    let before = store.mailbox(&login("a"), &name("INBOX")).unwrap().unwrap();
    let tail = tail_blob(&store);
    drop((body, store));
    as_after_a_crash(&folder, tail);

    let segment = folder.path().join(format!("segments/{:08}.seg", place.segment));
    let file = std::fs::File::options().read(true).write(true).open(segment).unwrap();
    spoil(&file, place.offset, place.offset + u64::from(place.skip));

    let store = folder.open();
    assert_eq!(store.metrics().now().recovered_bad_bodies, 1);
    assert_eq!(uids(&store, "a", "INBOX"), [1]);
    assert_eq!(uids(&store, "b", "INBOX"), [0u32; 0]);
    assert_eq!(store.queue_count().unwrap(), 0);
    let changes = store.changes_since(inbox(&store, "a"), before.highestmodseq).unwrap().unwrap();
    assert_eq!(changes.vanished, [2], "a session that saw it hears that it went");
    assert_sound(&store);
    // The UID does not come back; the delivery id may: nobody was told it was used.
    assert_eq!(put(&store, 2, "a", "second again").uid, 3);
    assert_eq!(body_text(&store, inbox(&store, "a"), 1), "first, acknowledged");
    drop(store);
    let store = folder.open();
    assert_eq!(store.metrics().now().recovered_bad_bodies, 0);
    assert_eq!(uids(&store, "a", "INBOX"), [1, 3]);
    assert_sound(&store);
}

#[test]
fn a_segment_cut_inside_the_last_body_loses_only_that_body() {
    check(|file, _, body| file.set_len(body + 3).unwrap());
}

#[test]
fn a_segment_cut_before_the_last_record_loses_only_that_body() {
    check(|file, record, _| file.set_len(record).unwrap());
}

#[test]
fn zeroes_where_the_last_body_was_are_found_by_its_checksum() {
    check(|file, _, body| file.write_all_at(&[0; 8], body).unwrap());
}

#[test]
fn a_bad_header_of_the_last_record_is_found() {
    check(|file, record, _| file.write_all_at(&[0; 8], record).unwrap());
}

#[test]
fn after_a_clean_end_a_bad_last_body_is_damage_and_stays() {
    let folder = Folder::new("bad-after-end");
    let store = store_with(&folder, &["a"]);
    let placed = put(&store, 1, "a", "acknowledged");
    let place = store.body_of(placed.mailbox, 1).unwrap().unwrap().0.place;
    drop(store);
    let segment = folder.path().join(format!("segments/{:08}.seg", place.segment));
    let file = std::fs::File::options().write(true).open(segment).unwrap();
    file.write_all_at(&[0; 8], place.offset + u64::from(place.skip)).unwrap();
    let store = folder.open();
    assert_eq!(uids(&store, "a", "INBOX"), [1]);
    let body = store.body_of(placed.mailbox, 1).unwrap().unwrap();
    assert!(matches!(store.read_body(&body), Err(crate::ReadError::Damaged)));
    assert!(matches!(store.verify().unwrap().findings[..], [crate::Finding::Body { shard: 0, .. }]));
}

/// Whatever a step may read, and wherever it stops in between, all of it together looks at the same as one look.
#[test]
fn a_verification_in_steps_finds_what_one_look_finds_and_says_who_has_it() {
    let folder = Folder::new("steps");
    let store = store_with(&folder, &["a", "b"]);
    let placed: Vec<_> = (1..=9).map(|number| put(&store, number, "a", &format!("message {number}"))).collect();
    put(&store, 10, "b", "another's");
    let place = store.body_of(placed[4].mailbox, 5).unwrap().unwrap().0.place;
    let segment = folder.path().join(format!("segments/{:08}.seg", place.segment));
    let file = std::fs::File::options().write(true).open(segment).unwrap();
    file.write_all_at(&[0; 4], place.offset + u64::from(place.skip)).unwrap();
    let db = rusqlite::Connection::open(folder.path().join("meta-00.db")).unwrap();
    db.execute("UPDATE mailbox SET unseen = unseen + 1 WHERE id = ?1", [placed[0].mailbox.number()]).unwrap();
    let whole = store.verify().unwrap();
    assert_eq!(whole.findings.len(), 2, "{whole:?}");
    for octets_max in [1, 20, 1 << 20] {
        let (mut next, mut found) = (Some(crate::VerifyPlace::START), crate::Report::default());
        while let Some(place) = next {
            let (report, goes_on) = store.verify_step(place, octets_max, &|_| ()).unwrap();
            assert!(report.body_bytes < octets_max + 20, "{octets_max}: {report:?}");
            found.bodies += report.bodies;
            found.body_bytes += report.body_bytes;
            found.findings.extend(report.findings);
            assert_ne!(goes_on, next, "each step goes on");
            next = goes_on;
        }
        assert_eq!((found.bodies, found.body_bytes), (whole.bodies, whole.body_bytes), "{octets_max}");
        assert_eq!(found.body_bytes, store.body_octets().unwrap());
        assert_eq!(found.findings, whole.findings, "{octets_max}");
    }
    let Some(crate::Finding::Body { shard, blob }) = whole.findings.last() else { panic!("{whole:?}") };
    let holder = crate::Holder::Message { mailbox: placed[4].mailbox, uid: 5 };
    assert_eq!(store.holders(*shard, *blob, 10).unwrap(), [holder]);
}

/// What the last step compares accounts with. A verification that could not go past it would never end.
#[test]
fn people_that_cannot_be_read_are_a_finding_and_the_last_step_is_the_last() {
    let folder = Folder::new("steps-people");
    let store = store_with(&folder, &["a"]);
    let bodies = crate::VerifyPart::Bodies;
    let last = crate::VerifyPlace { shard: store.shard_numbers().end - 1, part: bodies, after: i64::MAX };
    let found = || {
        let (report, next) = store.verify_step(last, 1, &|_| ()).unwrap();
        assert_eq!(next, None);
        report.findings
    };
    assert_eq!(found(), []);
    let path = folder.path().join("meta-00.db");
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute("UPDATE person SET shard = 200 WHERE login = 'a'", []).unwrap();
    let findings = found();
    assert!(matches!(&findings[..], [crate::Finding::Database { shard: 0, what }] if what.contains("no such shard")));
    let number = |sql: &str| db.query_row(sql, [], |row| row.get::<_, u32>(0)).map(u64::from).unwrap();
    let (root, octets) =
        (number("SELECT rootpage FROM sqlite_schema WHERE name = 'person'"), number("PRAGMA page_size"));
    number("PRAGMA wal_checkpoint(TRUNCATE)");
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.write_all_at(&[0; 512], (root - 1) * octets).unwrap();
    // Nobody reads what is in memory after another's commit.
    db.execute("UPDATE mailbox SET unseen = unseen", []).unwrap();
    let findings = found();
    assert!(matches!(&findings[..], [crate::Finding::Database { shard: 0, what }] if what.contains("malformed")));
}

#[test]
fn a_store_written_by_a_later_version_is_refused() {
    let folder = Folder::new("newer");
    drop(folder.open());
    let db = rusqlite::Connection::open(folder.path().join("meta-00.db")).unwrap();
    // As of a time when a store did not say who can serve it.
    db.execute("DELETE FROM meta WHERE key = 'served_by'", []).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    drop(db);
    let refused = Store::open(folder.path(), Options::default());
    assert!(matches!(refused, Err(crate::OpenError::Newer { format: 99, .. })));
}

/// What an update that is fallen back from leaves: a format that only added, served as it is and left as it is.
#[test]
fn a_later_format_that_this_program_can_serve_is_served_and_kept() {
    let folder = Folder::new("later");
    drop(store_with(&folder, &["a"]));
    let later = |served_by: i64| {
        let db = rusqlite::Connection::open(folder.path().join("meta-00.db")).unwrap();
        db.execute("INSERT OR REPLACE INTO meta(key, value) VALUES('served_by', ?1)", [served_by]).unwrap();
        db.pragma_update(None, "user_version", crate::FORMATS.writes + 1).unwrap();
        db
    };
    later(crate::FORMATS.writes)
        .execute_batch(
            "CREATE TABLE added(id INTEGER PRIMARY KEY); ALTER TABLE msg ADD COLUMN added INTEGER DEFAULT 7;",
        )
        .unwrap();
    let store = folder.open();
    let kept = put(&store, 1, "a", "kept");
    assert!(store.verify().unwrap().findings.is_empty());
    drop(store);
    let store = folder.open();
    assert_eq!(uids(&store, "a", "INBOX"), [1]);
    assert_eq!(body_text(&store, kept.mailbox, 1), "kept");
    drop(store);
    let db = later(crate::FORMATS.writes + 1);
    let format: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(format, crate::FORMATS.writes + 1);
    drop(db);
    let refused = Store::open(folder.path(), Options::default());
    assert!(matches!(refused, Err(crate::OpenError::Newer { .. })));
}

#[test]
fn a_store_older_than_the_floor_is_refused() {
    let folder = Folder::new("older");
    drop(folder.open());
    let db = rusqlite::Connection::open(folder.path().join("meta-00.db")).unwrap();
    db.pragma_update(None, "user_version", 1).unwrap();
    drop(db);
    let refused = Store::open(folder.path(), Options::default());
    assert!(matches!(refused, Err(crate::OpenError::Older { format: 1, floor: 2 })));
}

/// `format-2` was written by the program that had that format, see its README.
#[test]
fn data_of_an_earlier_format_opens_with_all_it_had() {
    let folder = Folder::new("format-2");
    std::fs::create_dir_all(folder.path().join("segments")).unwrap();
    let written = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/format-2");
    for file in ["meta-00.db", "segments/00000001.seg"] {
        std::fs::copy(written.join(file), folder.path().join(file)).unwrap();
    }
    for _ in 0..2 {
        let store = folder.open();
        assert_sound(&store);
        let a = store.select(&login("a"), &name("INBOX")).unwrap().unwrap();
        let rows: Vec<_> = a.messages.iter().map(|m| (m.uid, m.modseq, m.flags.system.bits())).collect();
        assert_eq!(rows, [(2, 5, SystemFlags::SEEN.with(SystemFlags::FLAGGED).bits()), (3, 4, 0)]);
        assert_eq!((a.mailbox.uidnext, a.mailbox.highestmodseq), (4, 6));
        assert_eq!(a.messages[0].flags.keywords.iter().map(|k| k.as_str()).collect::<Vec<_>>(), ["$Important"]);
        assert_eq!(store.changes_since(a.mailbox.id, 5).unwrap().unwrap().vanished, [1]);
        assert_eq!(uids(&store, "a", "Corbeille"), [1]);
        assert_eq!(uids(&store, "a", "Indésirables"), [1]);
        assert_eq!(body_text(&store, inbox(&store, "b"), 2), "for two");
        assert_eq!(used(&store, "b"), (5 + 7, 2));
        assert_eq!(store.usage(&login("b")).unwrap().quota_octets, 1000);
        assert_eq!(store.setting("k").unwrap().as_deref(), Some(&b"v"[..]));
        assert_eq!(store.load_rings().unwrap().len(), 1);
        assert_eq!(store.queue_due(9, 9).unwrap()[0].recipients.len(), 1);
        // Whoever follows the change log sees every mailbox once.
        assert_eq!(store.changed_mailboxes(0, 0, 99).unwrap().unwrap().len(), 6);
    }
    let store = folder.open();
    assert_eq!(put(&store, 77, "a", "goes on").uid, 4);
    assert!(matches!(store.commit_wait(vec![person("c", 5)]).as_deref(), Ok([OpResult::Done])));
    assert_sound(&store);
}

/// `format-4` in a folder of its own.
fn written_by_4(named: &str) -> Folder {
    let folder = Folder::new(named);
    std::fs::create_dir_all(folder.path().join("segments")).unwrap();
    let written = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/format-4");
    for file in ["meta-00.db", "segments/00000001.seg"] {
        std::fs::copy(written.join(file), folder.path().join(file)).unwrap();
    }
    folder
}

/// Of format 4 opens, and so does the same without what format 4 brought.
#[test]
fn data_of_formats_3_and_4_open_with_all_they_had() {
    for format in [3, 4] {
        let folder = written_by_4("format-4");
        if format == 3 {
            let db = rusqlite::Connection::open(folder.path().join("meta-00.db")).unwrap();
            db.execute_batch("DROP TABLE acl; ALTER TABLE alias DROP COLUMN quota; PRAGMA user_version = 3;").unwrap();
        }
        for _ in 0..2 {
            let store = folder.open();
            assert_sound(&store);
            assert_eq!((uids(&store, "a", "INBOX"), uids(&store, "a", "Corbeille")), (vec![1], vec![1]));
            let kept = store.kept(crate::Kept::Quarantine, None, 9).unwrap();
            assert_eq!((kept.len(), kept[0].signature.as_str(), &kept[0].facts[..]), (1, "Eicar", &[1, 2][..]));
            assert_eq!(store.read_body(&kept[0].body).unwrap(), b"EICAR");
            assert_eq!(store.token_counts(1, &[7]).unwrap(), [crate::TokenCounts { spam: 2, ham: 1 }]);
            assert_eq!(store.grants(inbox(&store, "a")).unwrap().len(), if format == 4 { 1 } else { 0 });
            // The index of then names no bodies; the copies are found all the same.
            let found = store.copies_of(&[id(1), id(2)]).unwrap();
            let found: Vec<_> = found.iter().map(|it| (it.login.as_str(), it.name.as_str(), it.delivery[15])).collect();
            assert_eq!(found, [("a", "INBOX", 1), ("a", "Corbeille", 2), ("b", "INBOX", 1)]);
            assert_eq!(store.deliveries(0, [0; 16], 9).unwrap()[0].marks, []);
            let holder = |what: &str| store.given(what).unwrap().map(|it| (it.holder, it.freed_at_s));
            assert_eq!((holder("a"), holder("a@example.org")), (Some(("jean toto ".into(), None)), holder("a")));
            assert_eq!(store.people_like("toto b", 9).unwrap()[0].person.login, login("b"));
            assert_eq!(store.person(&login("a")).unwrap().unwrap().origin, crate::Origin::default());
        }
        let store = folder.open();
        assert_eq!(put(&store, 77, "a", "goes on").uid, 3);
        assert_sound(&store);
    }
}

#[test]
fn a_failed_flush_stops_every_later_commit() {
    let folder = Folder::new("poison");
    let (sender, fatal) = std::sync::mpsc::channel();
    let on_fatal = Box::new(move |fatal: &crate::Fatal| sender.send(fatal.clone()).unwrap());
    let store = Store::open(folder.path(), Options { on_fatal, ..Options::default() }).unwrap();
    store.commit_wait(vec![person("a", 1 << 40)]).unwrap();
    let body = store.put_body(&[b"hello"]).unwrap();
    // A segment that is gone cannot be flushed, whatever the file system.
    store.segments().forget_files();
    std::fs::remove_dir_all(folder.path().join("segments")).unwrap();
    let poisoned = Err(crate::CommitError::Poisoned);
    assert_eq!(store.commit_wait(vec![deliver(1, &[("a", Target::Inbox)], &body)]), poisoned);
    assert!(fatal.recv().unwrap().what.contains("segment"));
    assert_eq!(store.commit_wait(vec![Op::Setting { key: "k".to_owned(), value: None }]), poisoned);
    assert!(matches!(store.put_body(&[b"x"]), Err(crate::PutError::Poisoned)));
    assert!(matches!(store.person(&login("a")), Err(crate::ReadError::Poisoned)));
}
