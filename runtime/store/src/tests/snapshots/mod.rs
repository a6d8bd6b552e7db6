//! Snapshots of stores that work, what they cost, what is left of them after damage, crashes and time.

mod damage;
mod killed;
mod nights;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::*;
use crate::UidSet;
use crate::snapshot::{
    Depth, DrillReport, Pace, Progress, SnapshotError, SnapshotName, Snapshots, Source, Step, Taken,
};

/// 2026-11-30T03-30-00Z.
const NIGHT_S: i64 = 1_796_009_400;
const DAY_S: i64 = 86_400;

/// A store's folder and the snapshots of it.
struct Nightly {
    folder: Folder,
    snapshots: Snapshots,
    scratch: Folder,
}

impl Nightly {
    fn new(name: &str) -> Nightly {
        let folder = Folder::new(name);
        let snapshots = Snapshots::open(folder.path().join("snapshots")).unwrap();
        Nightly { folder, snapshots, scratch: Folder::new(&format!("{name}-scratch")) }
    }

    fn source(&self) -> Source {
        Source { databases: vec![self.folder.path().join("meta-00.db")], segments: self.folder.path().join("segments") }
    }

    fn take(&self, now_s: i64) -> Taken {
        self.snapshots.take(&self.source(), now_s, Pace::FULL, &mut |_| {}).unwrap()
    }

    fn verify(&self, name: SnapshotName) -> DrillReport {
        self.snapshots.verify(name, self.scratch.path(), Depth::Full, Pace::FULL, &mut |_| {}).unwrap()
    }

    #[track_caller]
    fn assert_sound(&self, name: SnapshotName) -> DrillReport {
        let report = self.verify(name);
        assert!(report.findings.is_empty(), "{name}: {:?}", report.findings);
        report
    }

    fn materialise(&self, name: SnapshotName) -> Result<Folder, SnapshotError> {
        let folder = Folder::new("materialised");
        self.snapshots.materialise(name, folder.path(), &mut |_| {}).map(|_| folder)
    }

    fn files(&self, of: &str) -> BTreeSet<String> {
        let entries = std::fs::read_dir(self.snapshots.folder().join(of)).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    fn path(&self, of: &str) -> PathBuf {
        self.snapshots.folder().join(of)
    }
}

/// Delivers messages `numbers` to the INBOX of `to` as one commit, each with a body of its own.
fn put_many(store: &Store, numbers: std::ops::Range<u64>, to: &str) {
    let ops = numbers.map(|n| {
        let body = store.put_body(&[format!("message {n}").as_bytes()]).unwrap();
        deliver(n, &[(to, Target::Inbox)], &body)
    });
    store.commit_wait(ops.collect()).unwrap();
}

#[test]
fn a_snapshot_taken_during_deliveries_has_all_that_was_acknowledged_before_and_is_whole() {
    let nightly = Nightly::new("busy");
    let store = store_with(&nightly.folder, &["a"]);
    let (stop, acknowledged) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut taken = Vec::new();
    std::thread::scope(|scope| {
        let (store, stop, acknowledged) = (&store, &stop, &acknowledged);
        scope.spawn(move || {
            for n in 1.. {
                put(store, n, "a", &format!("message {n}"));
                acknowledged.store(n, Ordering::SeqCst);
                if stop.load(Ordering::SeqCst) {
                    break;
                }
            }
        });
        for night in 0..5 {
            let before = acknowledged.load(Ordering::SeqCst);
            let snapshot = nightly.take(NIGHT_S + night * DAY_S);
            taken.push((before, snapshot.name, acknowledged.load(Ordering::SeqCst)));
            // The next one has something new.
            while acknowledged.load(Ordering::SeqCst) < before + 20 {
                std::thread::yield_now();
            }
        }
        stop.store(true, Ordering::SeqCst);
    });
    assert_sound(&store);
    for (before, name, after) in taken {
        let report = nightly.assert_sound(name);
        let messages = report.databases[0].messages;
        // One may have been on its way to its acknowledgement.
        assert!((before..=after + 1).contains(&messages), "{before} {messages} {after}");
        let folder = nightly.materialise(name).unwrap();
        let restored = folder.open();
        assert_sound(&restored);
        let mailbox = inbox(&restored, "a");
        assert_eq!(uids(&restored, "a", "INBOX"), (1..=messages as u32).collect::<Vec<_>>());
        if messages > 0 {
            assert_eq!(body_text(&restored, mailbox, messages as u32), format!("message {messages}"));
        }
    }
}

#[test]
fn nothing_new_costs_nothing_but_a_manifest() {
    let nightly = Nightly::new("same");
    let store = store_with(&nightly.folder, &["a"]);
    put_many(&store, 1..200, "a");
    let first = nightly.take(NIGHT_S);
    assert_eq!((first.segments, first.segments_linked), (1, 1));
    // The first pages of empty tables are alike and stored once.
    assert!(first.pages_new > first.pages / 2, "{first:?}");
    let octets = std::fs::metadata(nightly.path("packs/00000001.pack")).unwrap().len();
    assert_eq!(octets, (first.pages_new + 1) * 4096);
    let packs = nightly.files("packs");
    let second = nightly.take(NIGHT_S);
    assert_eq!((second.pages, second.pages_new, second.segments_linked), (first.pages, 0, 0));
    assert_eq!(second.name.to_string(), "2026-11-30T03-30-01Z", "the name was taken");
    assert_eq!(nightly.files("packs"), packs);
    let listed = nightly.snapshots.list().unwrap();
    assert_eq!(listed.iter().map(|it| it.name).collect::<Vec<_>>(), [first.name, second.name]);
    assert_eq!(listed[1].content.as_ref().unwrap().databases, second.databases);
    assert_eq!(second.databases[0].messages, 199);
    assert_eq!(nightly.snapshots.newest_until(NIGHT_S).unwrap(), Some(first.name));
    assert_eq!(nightly.snapshots.newest_until(NIGHT_S - 1).unwrap(), None);
}

#[test]
fn a_materialised_snapshot_is_a_store_of_its_own() {
    let nightly = Nightly::new("single");
    let store = store_with(&nightly.folder, &["a", "b"]);
    put_many(&store, 1..30, "a");
    put(&store, 30, "b", "for b");
    let name = nightly.take(NIGHT_S).name;
    let (a, b) = (inbox(&store, "a"), inbox(&store, "b"));
    let gone = Op::Expunge { mailbox: a, which: crate::Expunged::Exactly(UidSet::all()) };
    store.commit_wait(vec![gone]).unwrap();
    assert_eq!(store.messages(a, &UidSet::all()).unwrap(), []);
    // A folder whose name means something in a URI.
    let folder = Folder::new("old?mode=rw#%41 é");
    nightly.snapshots.materialise(name, folder.path(), &mut |_| {}).unwrap();
    let files: BTreeSet<_> = std::fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert_eq!(files, ["meta-00.db".into(), "segments".into()].into());
    let old = folder.open();
    assert_eq!(old.messages(a, &UidSet::all()).unwrap().len(), 29);
    assert_eq!(body_text(&old, a, 7), "message 7");
    assert_eq!(body_text(&old, b, 1), "for b");
    assert!(old.body_of(b, 2).unwrap().is_none());
    drop(old);
    let again = nightly.snapshots.materialise(name, folder.path(), &mut |_| {});
    assert!(matches!(again, Err(SnapshotError::NotEmpty { .. })), "{again:?}");
}

/// Makes the database of a store that was closed a shard of another. A thread of it may still be closing: what is only in the log
/// is led into the database first.
fn take_along(store: &Folder, to: &std::path::Path) {
    let from = store.path().join("meta-00.db");
    let db = rusqlite::Connection::open(&from).unwrap();
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(db);
    std::fs::copy(from, to).unwrap();
}

#[test]
fn every_shard_is_in_a_snapshot_as_it_was() {
    let nightly = Nightly::new("shards");
    let (store, second) = (store_with(&nightly.folder, &["a"]), Folder::new("second"));
    drop(store_with(&second, &["b", "c"]));
    take_along(&second, &nightly.folder.path().join("meta-01.db"));
    put_many(&store, 1..40, "a");
    let mut source = nightly.source();
    source.databases.push(nightly.folder.path().join("meta-01.db"));
    let take = |now_s| nightly.snapshots.take(&source, now_s, Pace::FULL, &mut |_| {}).unwrap();
    let first = take(NIGHT_S);
    put_many(&store, 40..80, "a");
    let taken = take(NIGHT_S + DAY_S);
    let counts = taken.databases.iter().map(|it| (it.name.as_str(), it.messages, it.mailboxes)).collect::<Vec<_>>();
    assert_eq!(counts, [("meta-00.db", 79, 3), ("meta-01.db", 0, 6)]);
    let changed = nightly.path(&format!("packs/{:08}.pack", 2));
    assert_eq!(std::fs::metadata(changed).unwrap().len(), (taken.pages_new + 1) * 4096);
    assert!(taken.pages_new < first.pages_new, "{taken:?}");
    nightly.assert_sound(first.name);
    nightly.assert_sound(taken.name);
    let folder = nightly.materialise(taken.name).unwrap();
    let mailboxes = |file: &str| -> i64 {
        let db = rusqlite::Connection::open(folder.path().join(file)).unwrap();
        db.query_row("SELECT count(*) FROM mailbox", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(["meta-00.db", "meta-01.db"].map(mailboxes), [3, 6]);
}

#[test]
fn what_is_committed_while_the_first_shard_is_read_is_not_in_the_second() {
    let nightly = Nightly::new("moment");
    let (store, second) = (store_with(&nightly.folder, &["a"]), Folder::new("second"));
    drop(store_with(&second, &["b"]));
    let database = nightly.folder.path().join("meta-01.db");
    take_along(&second, &database);
    for first in (1..5_000).step_by(500) {
        put_many(&store, first..first + 500, "a");
    }
    let mut source = nightly.source();
    source.databases.push(database.clone());
    let db = rusqlite::Connection::open(&database).unwrap();
    // The snapshot waits for its listener, so each of these is done before the next report.
    let mut commits = 0;
    let mut commit = |_: Progress| {
        db.execute("UPDATE meta SET value = value + 1 WHERE key = 'seq'", []).unwrap();
        put(&store, 10_000 + commits, "a", "behind");
        commits += 1;
    };
    let taken = nightly.snapshots.take(&source, NIGHT_S, Pace::FULL, &mut commit).unwrap();
    assert_eq!((taken.databases[0].messages, taken.databases[1].seq), (5_000, 1));
    assert!(commits >= 3, "the first shard must have been reported more than once: {commits}");
    nightly.assert_sound(taken.name);
}

#[test]
fn a_snapshot_that_fails_leaves_nothing_behind() {
    let nightly = Nightly::new("fails");
    let store = store_with(&nightly.folder, &["a"]);
    put(&store, 1, "a", "hello");
    let absent = nightly.folder.path().join("meta-01.db");
    let named = nightly.folder.path().join("meta-00.sqlite");
    for bad in [absent, named] {
        let mut source = nightly.source();
        source.databases.push(bad.clone());
        let error = nightly.snapshots.take(&source, NIGHT_S, Pace::FULL, &mut |_| {}).unwrap_err();
        assert!(error.to_string().contains(&bad.display().to_string()), "{error}");
        assert_eq!((nightly.files("packs").len(), nightly.files("segments").len()), (0, 0));
        assert_eq!(nightly.snapshots.list().unwrap().len(), 0);
    }
    nightly.assert_sound(nightly.take(NIGHT_S).name);
}

#[test]
fn segments_that_cannot_be_links_are_copied_once_and_then_only_extended() {
    let nightly = Nightly::new("copies");
    let store = store_with(&nightly.folder, &["a"]);
    put_many(&store, 1..30, "a");
    let first = nightly.take(NIGHT_S);
    // What a snapshot on another disk would have: a file of its own.
    let (own, kept) = (nightly.folder.path().join("segments/00000001.seg"), nightly.path("segments/00000001.seg"));
    std::fs::remove_file(&kept).unwrap();
    std::fs::copy(&own, &kept).unwrap();
    let long = std::fs::metadata(&own).unwrap().len();
    // Octets behind what a manifest says are not trusted: a crash may have left them.
    std::fs::write(&kept, [std::fs::read(&own).unwrap(), vec![7; 99]].concat()).unwrap();
    put_many(&store, 30..50, "a");
    let mut steps = Vec::new();
    let mut progress = |progress: Progress| steps.push((progress.step, progress.done, progress.total));
    let second = nightly.snapshots.take(&nightly.source(), NIGHT_S + DAY_S, Pace::FULL, &mut progress).unwrap();
    let grown = std::fs::metadata(&own).unwrap().len() - long;
    assert_eq!((second.segment_octets_copied, second.segments_linked), (grown, 0));
    assert!(steps.contains(&(Step::Segments, grown, grown)), "{steps:?}");
    let octets = second.pages * 4096;
    assert_eq!(steps.last(), Some(&(Step::Pages, octets, octets)));
    assert_eq!(std::fs::read(&kept).unwrap(), std::fs::read(&own).unwrap());
    nightly.assert_sound(first.name);
    nightly.assert_sound(second.name);
    assert_eq!(nightly.take(NIGHT_S + 2 * DAY_S).segment_octets_copied, 0);
}

#[test]
fn a_segment_number_used_again_for_another_file_does_not_touch_the_old_one() {
    let nightly = Nightly::new("again");
    let store = store_with(&nightly.folder, &["a"]);
    put(&store, 1, "a", "the first file");
    let first = nightly.take(NIGHT_S);
    drop(store);
    // Another store in the same place, as after a loss.
    for file in ["meta-00.db", "segments/00000001.seg"] {
        std::fs::remove_file(nightly.folder.path().join(file)).unwrap();
    }
    let store = store_with(&nightly.folder, &["a"]);
    put(&store, 1, "a", "the second file, which is longer");
    let second = nightly.take(NIGHT_S + DAY_S);
    let third = nightly.take(NIGHT_S + 2 * DAY_S);
    assert_eq!(nightly.files("segments"), ["00000001.1.seg".to_owned(), "00000001.seg".to_owned()].into());
    for (name, text) in [(first.name, "the first file"), (third.name, "the second file, which is longer")] {
        nightly.assert_sound(name);
        let folder = nightly.materialise(name).unwrap();
        let restored = folder.open();
        assert_eq!(body_text(&restored, inbox(&restored, "a"), 1), text);
    }
    nightly.assert_sound(second.name);
}

#[test]
fn a_store_opened_from_a_snapshot_never_writes_into_the_segments_of_the_living_one() {
    let nightly = Nightly::new("apart");
    let store = store_with(&nightly.folder, &["a"]);
    // No body yet: the segment is empty, and a store begins with an empty one that it finds.
    let empty = nightly.take(NIGHT_S);
    assert_eq!(empty.segments, 0);
    put(&store, 1, "a", "one");
    let one = nightly.take(NIGHT_S + DAY_S);
    let folders = [empty, one].map(|taken| nightly.materialise(taken.name).unwrap());
    let restored = folders.each_ref().map(Folder::open);
    for restored in &restored {
        put(restored, 9, "a", "written by the restored");
        assert_sound(restored);
    }
    put(&store, 2, "a", "two");
    let mailbox = inbox(&store, "a");
    assert_eq!((body_text(&store, mailbox, 1), body_text(&store, mailbox, 2)), ("one".to_owned(), "two".to_owned()));
    assert_sound(&store);
}

#[test]
fn one_at_a_time_takes_or_purges_and_nobody_purges_what_is_read() {
    let nightly = Nightly::new("alone");
    let store = store_with(&nightly.folder, &["a"]);
    put(&store, 1, "a", "one");
    let name = nightly.take(NIGHT_S).name;
    let keep = crate::snapshot::Keep { at_least: Default::default(), at_most: Default::default() };
    let mut refused = 0;
    let mut other = |_: Progress| {
        for busy in [
            nightly.snapshots.take(&nightly.source(), NIGHT_S, Pace::FULL, &mut |_| {}).map(|_| ()),
            nightly.snapshots.purge(keep, NIGHT_S).map(|_| ()),
        ] {
            refused += u32::from(matches!(busy, Err(SnapshotError::Busy { .. })));
        }
    };
    nightly.snapshots.take(&nightly.source(), NIGHT_S + DAY_S, Pace::FULL, &mut other).unwrap();
    assert!(refused >= 2 && refused.is_multiple_of(2), "{refused}");
    let mut purges = Vec::new();
    let mut purge = |_: Progress| purges.push(nightly.snapshots.purge(keep, NIGHT_S + 99 * DAY_S));
    nightly.snapshots.verify(name, nightly.scratch.path(), Depth::Quick, Pace::FULL, &mut purge).unwrap();
    assert!(!purges.is_empty() && purges.iter().all(|it| matches!(it, Err(SnapshotError::Busy { .. }))));
    assert_eq!(nightly.snapshots.list().unwrap().len(), 2);
}
