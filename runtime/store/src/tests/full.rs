//! A full device: everything new is told to come later, tidying goes on, and room ends it without a restart.

use std::os::unix::fs::MetadataExt;

use super::*;
use crate::{CommitError, Expunged, PutError, UidSet};

/// A reserve no device has stands for a full one.
fn open(folder: &Folder, reserve_bytes: u64) -> Store {
    Store::open(folder.path(), Options { reserve_bytes, ballast_bytes: 1 << 20, ..Options::default() }).unwrap()
}

#[test]
fn without_room_nothing_new_is_taken_and_old_mail_can_be_expunged() {
    let folder = Folder::new("full");
    let store = open(&folder, 0);
    store.commit_wait(vec![person("a", 1 << 40)]).unwrap();
    let placed = put(&store, 1, "a", "kept");
    assert_eq!(std::fs::metadata(folder.path().join("ballast")).unwrap().blocks() * 512, 1 << 20);
    drop(store);
    let store = open(&folder, u64::MAX / 4);
    assert!(store.is_read_only());
    assert!(matches!(store.put_body(&[b"new"]), Err(PutError::Full)));
    assert_eq!(store.commit_wait(vec![person("b", 5)]), Err(CommitError::Full));
    assert_eq!(body_text(&store, placed.mailbox, placed.uid), "kept");
    store.commit_wait(vec![Op::Expunge { mailbox: placed.mailbox, which: Expunged::Exactly(UidSet::all()) }]).unwrap();
    assert_eq!(uids(&store, "a", "INBOX"), [0u32; 0]);
    drop(store);
    let store = open(&folder, 0);
    assert!(!store.is_read_only());
    put(&store, 2, "a", "new");
    assert_sound(&store);
}
