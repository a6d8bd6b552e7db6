//! Backups of a small store, and what comes back from them.

use std::fs;

use store::snapshot::{Pace, Snapshots};

use super::*;
use crate::operate::{BackupNow, ListBackups, Restore, VerifyBackup};

fn restore(from: &str) -> Restore {
    Restore { login: "one".to_owned(), mailbox: None, message: None, from: from.to_owned(), into: None, dry_run: false }
}

fn empty(house: &House, login: &str) {
    for mailbox in house.mailboxes(login) {
        let which = store::Expunged::Exactly(store::UidSet::all());
        house.store().commit_wait(vec![Op::Expunge { mailbox: mailbox.id, which }]).unwrap();
    }
}

#[test]
fn what_was_expunged_comes_back_once_with_flags_and_date() {
    let house = House::new();
    let kept = Mail { flags: flags(5, &["x"]), ..mail(b"Message-ID: <kept@a>\r\n\r\nkept\r\n") };
    house.append("one", "INBOX", &kept);
    house.append("one", "Projets", &mail(b"Message-ID: <other@a>\r\n\r\nother\r\n"));
    let taken = house.run(BackupNow {}).unwrap();
    assert_eq!((taken.messages, taken.removed.len()), (2, 0));
    empty(&house, "one");
    let dry = house.run(Restore { dry_run: true, ..restore(&taken.name) }).unwrap();
    assert_eq!((dry.messages, house.mails("one", "INBOX").len()), (2, 0));
    let one = house.run(Restore { message: Some("kept@a".to_owned()), ..restore(&taken.name) }).unwrap();
    assert_eq!((one.messages, one.mailboxes), (1, vec![("INBOX".to_owned(), 1)]));
    assert_eq!(house.mails("one", "INBOX"), std::slice::from_ref(&kept));
    let rest = house.run(Restore { into: Some("Retour".to_owned()), ..restore(&taken.name) }).unwrap();
    assert_eq!((rest.messages, rest.present), (1, 1));
    assert_eq!(house.mails("one", "Retour").len(), 1);
    let again = house.run(restore(&taken.name)).unwrap();
    assert_eq!((again.messages, again.present), (0, 2));
    assert!(fs::read_dir(house.context.data.join("scratch")).unwrap().next().is_none(), "nothing stays behind");
    let audit = house.store().audit(10).unwrap();
    assert_eq!(audit.len(), 4, "a dry run changes nothing: {audit:?}");
}

#[test]
fn a_backup_is_listed_and_sound_until_a_file_of_it_is_not() {
    let house = House::new();
    house.append("one", "INBOX", &mail(b"a\r\n"));
    assert!(house.run(ListBackups {}).unwrap().backups.is_empty());
    let nothing = OperateError::NoSuchBackup { of: "any day".to_owned() };
    assert_eq!(house.run(VerifyBackup::default()), Err(nothing));
    let taken = house.run(BackupNow {}).unwrap();
    let listed = house.run(ListBackups {}).unwrap().backups;
    assert_eq!((listed.len(), &listed[0].name, listed[0].messages), (1, &taken.name, 1));
    let sound = house.run(VerifyBackup::default()).unwrap();
    assert_eq!((sound.name, sound.bodies, sound.findings), (taken.name.clone(), 1, Vec::new()));
    let packs = fs::read_dir(house.context.snapshots.join("packs")).unwrap();
    let pack = packs.map(|entry| entry.unwrap().path()).find(|path| path.is_file()).unwrap();
    let mut octets = fs::read(&pack).unwrap();
    let middle = octets.len() / 2;
    octets[middle] ^= 1;
    fs::write(&pack, octets).unwrap();
    let broken = house.run(VerifyBackup { name: Some(taken.name.clone()), full: true }).unwrap();
    assert!(!broken.findings.is_empty());
    assert!(matches!(house.run(restore(&taken.name)), Err(OperateError::Store { .. })));
    assert_eq!(house.mails("one", "INBOX").len(), 1);
}

#[test]
fn a_plan_says_which_backups_go() {
    let mut house = House::new();
    let snapshots = Snapshots::open(&house.context.snapshots).unwrap();
    let old = house.store().snapshot(&snapshots, 1_000_000_000, Pace::FULL, &mut |_| ()).unwrap();
    let unknown = house.run(BackupNow {}).unwrap();
    assert_eq!(unknown.removed.len(), 0, "without a plan nothing goes");
    house.context.backup = Some(plan::Backup {
        every_night_at_min: 0,
        covers: Vec::new(),
        to: plan::BackupTo::SameDisk,
        keep_at_least_s: 3_600,
        keep_at_most_s: 86_400,
        restores: Vec::new(),
    });
    let planned = house.run(BackupNow {}).unwrap();
    assert_eq!((planned.removed, planned.not_removed), (vec![old.name.to_string()], None));
}

#[test]
fn dates_without_backup_and_texts_that_are_no_date_are_named() {
    let house = House::new();
    house.run(BackupNow {}).unwrap();
    let early = OperateError::NoSuchBackup { of: "2020-01-01".to_owned() };
    assert_eq!(house.run(restore("2020-01-01")), Err(early));
    let unknown = OperateError::NoSuchBackup { of: "2020-01-01T00-00-00Z".to_owned() };
    assert_eq!(house.run(restore("2020-01-01T00-00-00Z")), Err(unknown));
    let bad = OperateError::BadDate { text: "yesterday".to_owned() };
    assert_eq!(house.run(restore("yesterday")), Err(bad));
    assert!(house.run(restore("2999-12-31")).is_ok(), "the newest until then");
}
