//! A month: what each night costs, and what is left when snapshots go.

use std::time::Duration;

use super::*;
use crate::snapshot::{Keep, Purged};
use crate::{FlagMode, SetFlags};

const PEOPLE: [&str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
const MESSAGES: u64 = 6_000;

/// Changes the flags of 1 % of the messages, here and there in three of the mailboxes, and delivers half a percent.
fn day(store: &Store, night: u64) {
    for n in 0..3 {
        let seed = night * 7 + n * 3;
        let person = PEOPLE[(seed % 10) as usize];
        let uids: UidSet = (0..20).map(|k| ((seed * 37 + k * 101) % (MESSAGES / 10)) as u32 + 1).collect();
        let mode = if night.is_multiple_of(2) { FlagMode::Add } else { FlagMode::Remove };
        let set = SetFlags { mailbox: inbox(store, person), uids, mode, flags: seen(), unchanged_since: None };
        store.commit_wait(vec![Op::SetFlags(Box::new(set))]).unwrap();
        let first = MESSAGES * 10 + night * 100 + n * 10;
        put_many(store, first..first + 10, person);
    }
}

fn filled(nightly: &Nightly) -> Store {
    let store = store_with(&nightly.folder, &PEOPLE);
    for (n, person) in PEOPLE.iter().enumerate() {
        let first = n as u64 * (MESSAGES / 10);
        put_many(&store, first + 1..first + 1 + MESSAGES / 10, person);
    }
    store
}

fn keep_days(at_least: u64, at_most: u64) -> Keep {
    let days = |n: u64| Duration::from_secs(n * DAY_S as u64);
    Keep { at_least: days(at_least), at_most: days(at_most) }
}

fn octets(nightly: &Nightly, of: &str) -> u64 {
    nightly.files(of).iter().map(|file| std::fs::metadata(nightly.path(of).join(file)).unwrap().len()).sum()
}

#[test]
fn thirty_nights_cost_what_changed_and_the_purge_gives_it_back() {
    let nightly = Nightly::new("month");
    let store = filled(&nightly);
    let first = nightly.take(NIGHT_S);
    assert!(first.pages_new > first.pages / 2, "{first:?}");
    let mut texts = Vec::new();
    for night in 1..=30 {
        day(&store, night);
        let taken = nightly.take(NIGHT_S + night as i64 * DAY_S);
        // The rows that changed, the ends of the tables that grew, and the tables that count: far from all.
        assert!(taken.pages_new * 3 < taken.pages, "night {night}: {} of {} pages", taken.pages_new, taken.pages);
        texts.push((taken.name, taken.databases[0].messages));
    }
    assert_eq!(nightly.snapshots.list().unwrap().len(), 31);
    nightly.assert_sound(texts[0].0);
    let before = octets(&nightly, "packs");
    let now_s = NIGHT_S + 30 * DAY_S;
    let purged = nightly.snapshots.purge(keep_days(3, 9), now_s).unwrap();
    let after = octets(&nightly, "packs");
    assert_eq!((purged.removed.len(), purged.kept), (27, 4));
    assert!(purged.packs_rewritten > 0 && after * 2 < before, "{before} {after} {purged:?}");
    assert!(purged.octets_freed >= before - after - 31 * 4096, "{before} {after} {purged:?}");
    for (name, messages) in &texts[26..] {
        assert_eq!(nightly.assert_sound(*name).databases[0].messages, *messages);
        let folder = nightly.materialise(*name).unwrap();
        assert_sound(&folder.open());
    }
    // What stays is enough to go on from, and a second purge has nothing to do.
    assert_eq!(nightly.take(now_s + DAY_S).pages_new, 0);
    let again = nightly.snapshots.purge(keep_days(4, 9), now_s + DAY_S).unwrap();
    assert_eq!(again, Purged { kept: 5, ..Purged::default() });
}

#[test]
fn young_ones_stay_old_ones_go_and_the_newest_sound_one_stays_while_it_may() {
    let nightly = Nightly::new("ages");
    let store = store_with(&nightly.folder, &["a"]);
    put(&store, 1, "a", "one");
    let names: Vec<_> = (0..4).map(|night| nightly.take(NIGHT_S + night * DAY_S).name).collect();
    let purge = |keep, days: i64| nightly.snapshots.purge(keep, NIGHT_S + days * DAY_S).unwrap().removed;
    assert_eq!(purge(keep_days(3, 5), 3), []);
    assert_eq!(purge(keep_days(3, 5), 4), [names[0]]);
    // The newest is damaged, so the one before it is all there is.
    std::fs::write(nightly.path(&format!("{}.snapshot", names[3])), b"FcSn").unwrap();
    assert_eq!(purge(keep_days(1, 20), 10), [names[1], names[3]]);
    nightly.assert_sound(names[2]);
    assert_eq!(purge(keep_days(1, 20), 22), []);
    assert_eq!(purge(keep_days(1, 20), 23), [names[2]]);
    assert_eq!((nightly.files("packs").len(), nightly.files("segments").len()), (0, 0));
    // A store whose snapshots are all gone begins again.
    let taken = nightly.take(NIGHT_S + 24 * DAY_S);
    assert!(taken.pages_new > taken.pages / 3, "{taken:?}");
    nightly.assert_sound(taken.name);
}

#[test]
fn segments_go_with_the_last_snapshot_that_names_them() {
    let nightly = Nightly::new("segments-go");
    for night in 0..3 {
        let store = nightly.folder.open();
        if night == 0 {
            store.commit_wait(vec![person("a", 1 << 40)]).unwrap();
        }
        put(&store, night, "a", "a store begins a segment each time it is opened");
        nightly.take(NIGHT_S + night as i64 * DAY_S);
    }
    // The store is rid of the first: only the snapshots have it now.
    std::fs::remove_file(nightly.folder.path().join("segments/00000001.seg")).unwrap();
    let later = nightly.take(NIGHT_S + 3 * DAY_S);
    assert_eq!((later.segments, nightly.files("segments").len()), (2, 3));
    let octets = std::fs::metadata(nightly.path("segments/00000001.seg")).unwrap().len();
    let purged = nightly.snapshots.purge(keep_days(0, 9), NIGHT_S + 3 * DAY_S).unwrap();
    assert_eq!((purged.removed.len(), purged.segments_removed), (3, 1));
    assert!(purged.octets_freed >= octets);
    assert_eq!(nightly.files("segments"), ["00000002.seg".to_owned(), "00000003.seg".to_owned()].into());
}
