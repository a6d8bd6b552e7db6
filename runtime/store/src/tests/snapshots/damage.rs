//! Damage is said with the name of the file, never a panic and never a wrong restore.

use std::path::Path;

use super::*;
use crate::snapshot::{Damage, DrillFinding};

/// A store with one message and one snapshot of it.
fn small(name: &str) -> (Nightly, Store, SnapshotName) {
    let nightly = Nightly::new(name);
    let store = store_with(&nightly.folder, &["a"]);
    put(&store, 1, "a", "hello");
    let taken = nightly.take(NIGHT_S);
    (nightly, store, taken.name)
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).unwrap();
    change(&mut bytes);
    std::fs::write(path, bytes).unwrap();
}

/// Path and damage of the error; anything else fails.
#[track_caller]
fn damage_of(error: &SnapshotError) -> (PathBuf, Damage) {
    let SnapshotError::Damaged { path, damage } = error else { panic!("{error:?}") };
    assert!(error.to_string().contains(&path.display().to_string()));
    (path.clone(), *damage)
}

/// The materialising error, after a look that there is no database to be opened by mistake.
#[track_caller]
fn refused(nightly: &Nightly, name: SnapshotName) -> SnapshotError {
    let folder = Folder::new("refused");
    let error = nightly.snapshots.materialise(name, folder.path(), &mut |_| {}).unwrap_err();
    assert!(!folder.path().join("meta-00.db").exists());
    error
}

#[test]
fn any_flipped_bit_and_any_cut_of_a_manifest_is_seen() {
    let (nightly, _store, name) = small("manifest");
    let path = nightly.path(&format!("{name}.snapshot"));
    let whole = std::fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut bad = whole.clone();
        bad[at] ^= 1 << (at % 8);
        std::fs::write(&path, &bad).unwrap();
        assert_eq!(damage_of(&refused(&nightly, name)).0, path, "octet {at}");
    }
    for len in 0..whole.len() {
        std::fs::write(&path, &whole[..len]).unwrap();
        assert_eq!(damage_of(&refused(&nightly, name)).0, path, "cut to {len}");
        assert!(nightly.snapshots.list().unwrap()[0].content.is_err(), "cut to {len}");
    }
    std::fs::write(&path, [&whole[..], b"x"].concat()).unwrap();
    assert_eq!(damage_of(&refused(&nightly, name)), (path.clone(), Damage::Cut));
    let report = nightly.verify(name);
    assert!(matches!(&report.findings[..], [DrillFinding::File(SnapshotError::Damaged { .. })]));
    std::fs::write(&path, whole).unwrap();
    nightly.assert_sound(name);
    let absent = SnapshotName::at(0);
    let missing = nightly.snapshots.materialise(absent, nightly.scratch.path(), &mut |_| {});
    assert!(matches!(missing, Err(SnapshotError::NoSuchSnapshot { name }) if name == absent));
}

#[test]
fn a_manifest_of_a_later_version_is_refused_politely_and_keeps_its_files() {
    let (nightly, store, name) = small("later");
    let path = nightly.path(&format!("{name}.snapshot"));
    change(&path, |bytes| {
        let head = u32::from_le_bytes(bytes[8..12].try_into().unwrap()) as usize;
        bytes[4..8].copy_from_slice(&[9, 0, 8, 0]);
        let checksum = blake3::hash(&bytes[..head - 32]);
        bytes[head - 32..head].copy_from_slice(checksum.as_bytes());
    });
    let newer = |error: &SnapshotError| matches!(error, SnapshotError::Newer { path: of, floor: 8 } if *of == path);
    assert!(newer(&refused(&nightly, name)));
    assert!(newer(nightly.snapshots.list().unwrap()[0].content.as_ref().unwrap_err()));
    let (packs, segments) = (nightly.files("packs"), nightly.files("segments"));
    put(&store, 2, "a", "behind");
    let second = nightly.take(NIGHT_S + DAY_S);
    nightly.assert_sound(second.name);
    let keep = crate::snapshot::Keep { at_least: Default::default(), at_most: std::time::Duration::from_secs(1 << 40) };
    nightly.snapshots.purge(keep, NIGHT_S).unwrap();
    assert!(nightly.files("packs").is_superset(&packs) && nightly.files("segments").is_superset(&segments));
}

#[test]
fn a_damaged_pack_is_named_and_the_next_snapshot_stores_its_pages_anew() {
    type Kind = (Damage, fn(&mut Vec<u8>));
    let kinds: [Kind; 5] = [
        (Damage::Page { slot: 3 }, |bytes| bytes[4 * 4096 + 77] ^= 4),
        (Damage::Cut, |bytes| bytes.truncate(bytes.len() - 1)),
        (Damage::Foreign, |bytes| bytes[0] ^= 1),
        (Damage::Checksum, |bytes| bytes[13] ^= 1),
        (Damage::Missing, Vec::clear),
    ];
    for (expected, kind) in kinds {
        let (nightly, store, name) = small("pack");
        let pack = nightly.path("packs/00000001.pack");
        change(&pack, kind);
        if expected == Damage::Missing {
            std::fs::remove_file(&pack).unwrap();
        }
        let error = refused(&nightly, name);
        assert_eq!(damage_of(&error), (pack.clone(), expected));
        let report = nightly.verify(name);
        let [DrillFinding::File(found)] = &report.findings[..] else { panic!("{:?}", report.findings) };
        assert_eq!(damage_of(found), (pack, expected));
        assert_eq!(std::fs::read_dir(nightly.scratch.path()).unwrap().count(), 0, "the scratch folder is left clean");
        put(&store, 2, "a", "behind");
        let second = nightly.take(NIGHT_S + DAY_S);
        // The first pages of empty tables are alike and stored once.
        assert!(second.pages_new > second.pages / 3, "{second:?}");
        nightly.assert_sound(second.name);
        // The damaged one goes in time, and takes the pack and its mark along.
        let keep = crate::snapshot::Keep { at_least: Default::default(), at_most: std::time::Duration::from_secs(9) };
        nightly.snapshots.purge(keep, NIGHT_S + DAY_S).unwrap();
        assert_eq!(nightly.files("packs"), ["00000002.pack".to_owned()].into());
        nightly.assert_sound(second.name);
    }
}

#[test]
fn a_pack_of_a_later_version_is_refused() {
    let (nightly, _store, name) = small("later-pack");
    let pack = nightly.path("packs/00000001.pack");
    change(&pack, |bytes| {
        bytes[6] = 2;
        let checksum = blake3::hash(&bytes[..16]);
        bytes[16..32].copy_from_slice(&checksum.as_bytes()[..16]);
    });
    assert!(matches!(refused(&nightly, name), SnapshotError::Newer { path, floor: 2 } if path == pack));
}

#[test]
fn a_pack_with_the_name_of_another_is_not_taken_for_it() {
    let (nightly, store, first) = small("swapped");
    put_many(&store, 2..90, "a");
    let second = nightly.take(NIGHT_S + DAY_S);
    let (one, two) = (nightly.path("packs/00000001.pack"), nightly.path("packs/00000002.pack"));
    std::fs::copy(&two, &one).unwrap();
    assert_eq!(damage_of(&refused(&nightly, first)).0, one);
    assert_eq!(damage_of(&refused(&nightly, second.name)).0, one);
}

#[test]
fn a_damaged_segment_is_found_by_the_drill() {
    let (nightly, store, _) = small("segment");
    put(&store, 2, "a", "which octet of me will it be?");
    let name = nightly.take(NIGHT_S + DAY_S).name;
    let segment = nightly.path("segments/00000001.seg");
    let whole = std::fs::read(&segment).unwrap();
    nightly.assert_sound(name);
    // In a header, in a body.
    for at in [5, whole.len() - 12] {
        let mut bad = whole.clone();
        bad[at] ^= 1;
        std::fs::write(&segment, &bad).unwrap();
        let report = nightly.verify(name);
        let [DrillFinding::Body { segment: 1, blob, .. }] = &report.findings[..] else { panic!("{report:?}") };
        assert_eq!((report.bodies, *blob), (2, if at == 5 { 1 } else { 2 }));
        let folder = nightly.materialise(name).unwrap();
        let old = folder.open();
        let a = inbox(&store, "a");
        let read = |uid: u32| old.read_body(&old.body_of(a, uid).unwrap().unwrap());
        if at != 5 {
            // The last message: opening takes it for one that was never acknowledged.
            assert!(old.body_of(a, 2).unwrap().is_none());
        }
        assert!(read(3 - *blob as u32).is_ok());
    }
    std::fs::write(&segment, &whole[..whole.len() - 8]).unwrap();
    assert_eq!(damage_of(&refused(&nightly, name)), (segment.clone(), Damage::Cut));
    std::fs::remove_file(&segment).unwrap();
    assert_eq!(damage_of(&refused(&nightly, name)), (segment, Damage::Missing));
    assert!(matches!(nightly.verify(name).findings[..], [DrillFinding::File(_)]));
}

#[test]
fn counts_that_are_not_those_of_the_moment_are_found() {
    let nightly = Nightly::new("counts");
    let store = store_with(&nightly.folder, &["a"]);
    put(&store, 1, "a", "hello");
    drop(store);
    // A message the sums do not know.
    let db = rusqlite::Connection::open(nightly.folder.path().join("meta-00.db")).unwrap();
    db.execute_batch(
        "INSERT INTO msg SELECT id + 1, modseq, born, flags, kw, size, idate, zone, blob, saved, thread FROM msg",
    )
    .unwrap();
    let report = nightly.verify(nightly.take(NIGHT_S).name);
    let [DrillFinding::Counts { expected, found }] = &report.findings[..] else { panic!("{report:?}") };
    assert_eq!((expected.messages, found.messages, expected.octets, found.octets), (1, 2, 5, 10));
}

#[test]
fn what_a_crash_left_is_removed_by_the_next_snapshot_unless_a_manifest_cannot_be_read() {
    let (nightly, _store, name) = small("leftovers");
    let clean = [nightly.files("packs"), nightly.files("segments")];
    let leave = || {
        std::fs::write(nightly.path("2026-11-29T03-30-00Z.snapshot.new"), b"half").unwrap();
        std::fs::write(nightly.path("packs/00000007.pack"), b"half a pack").unwrap();
        std::fs::write(nightly.path("segments/00000009.seg"), b"half a segment").unwrap();
    };
    leave();
    let path = nightly.path(&format!("{name}.snapshot"));
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let second = nightly.take(NIGHT_S + DAY_S);
    nightly.assert_sound(second.name);
    assert!(nightly.files("packs").contains("00000007.pack") && nightly.files("segments").contains("00000009.seg"));
    assert!(!nightly.path("2026-11-29T03-30-00Z.snapshot.new").exists());
    std::fs::remove_file(nightly.path(&format!("{}.snapshot", second.name))).unwrap();
    std::fs::write(&path, whole).unwrap();
    leave();
    assert_eq!(nightly.take(NIGHT_S + 2 * DAY_S).pages_new, 0);
    assert_eq!([nightly.files("packs"), nightly.files("segments")], clean);
    assert!(!nightly.path("2026-11-29T03-30-00Z.snapshot.new").exists());
    nightly.assert_sound(name);
}
