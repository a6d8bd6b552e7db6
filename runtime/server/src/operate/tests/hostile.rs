//! Sources that mean harm, and requests that make no sense.

use std::fs;
use std::os::unix::fs::symlink;

use rustix::fs::{CWD, FileType, Mode};

use super::*;
use crate::operate::Problem;

fn maildir(path: &Path) {
    for part in ["cur", "new", "tmp"] {
        fs::create_dir_all(path.join(part)).unwrap();
    }
}

#[test]
fn links_pipes_and_folders_in_a_maildir_are_passed_over() {
    let house = House::new();
    let source = house.place("source");
    maildir(&source);
    fs::write(house.place("secret"), "not for mail\n").unwrap();
    symlink(house.place("secret"), source.join("cur/1.link:2,S")).unwrap();
    fs::create_dir(source.join("cur/2.folder:2,S")).unwrap();
    rustix::fs::mknodat(CWD, source.join("new/3.pipe"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    fs::write(source.join("new/4.good"), "Subject: good\n\n").unwrap();
    fs::write(source.join("cur/.hidden"), "no message\n").unwrap();
    // Lists that lead elsewhere are no lists.
    symlink(house.place("secret"), source.join("dovecot-keywords")).unwrap();
    symlink(house.place("secret"), source.join("subscriptions")).unwrap();
    let imported = house.import("one", None, &source).unwrap();
    let octets: Vec<Vec<u8>> = house.mails("one", "INBOX").into_iter().map(|mail| mail.octets).collect();
    assert_eq!(octets, [b"Subject: good\r\n\r\n"]);
    assert_eq!(imported.problems.count(), 3, "{:?}", imported.problems);
    assert!(imported.problems.told.iter().all(|problem| matches!(problem, Problem::NotAFile { .. })));
}

#[test]
fn folders_that_are_links_or_have_names_that_lead_elsewhere_are_passed_over() {
    let house = House::new();
    let (source, elsewhere) = (house.place("source"), house.place("elsewhere"));
    maildir(&source);
    maildir(&elsewhere);
    fs::write(elsewhere.join("cur/1.x:2,"), "Subject: elsewhere\n\n").unwrap();
    symlink(&elsewhere, source.join(".Link")).unwrap();
    for bad in ["...", ".a..b", ".&AC8-etc", ".*"] {
        maildir(&source.join(bad));
        fs::write(source.join(bad).join("cur/1.x:2,"), "Subject: bad\n\n").unwrap();
    }
    let imported = house.import("one", None, &source).unwrap();
    assert_eq!((imported.messages, imported.problems.count()), (0, 4), "{:?}", imported.problems);
    assert!(imported.problems.told.iter().all(|problem| matches!(problem, Problem::BadName { .. })));
    assert_eq!(house.mailboxes("one").len(), 1);
}

#[test]
fn a_maildir_whose_parts_are_links_is_none() {
    let house = House::new();
    let (source, elsewhere) = (house.place("source"), house.place("elsewhere"));
    maildir(&elsewhere);
    fs::create_dir(&source).unwrap();
    symlink(elsewhere.join("cur"), source.join("cur")).unwrap();
    symlink(elsewhere.join("new"), source.join("new")).unwrap();
    let path = fs::canonicalize(&source).unwrap();
    assert_eq!(house.import("one", None, &source), Err(OperateError::NotMbox { path }));
}

#[test]
fn octets_of_every_kind_are_taken_as_they_are() {
    let house = House::new();
    let source = house.place("source");
    maildir(&source);
    let all: Vec<u8> = (0..=255).filter(|octet| *octet != b'\n').collect();
    fs::write(source.join("new/1.all"), &all).unwrap();
    fs::write(source.join("new/2.line"), vec![b'x'; 3_000_000]).unwrap();
    fs::write(source.join("new/3.empty"), "").unwrap();
    house.import("one", None, &source).unwrap();
    let mails = house.mails("one", "INBOX");
    assert_eq!(mails[0].octets, all);
    assert_eq!((mails[1].octets.len(), mails[2].octets.len()), (3_000_000, 0));
}

#[test]
fn what_is_no_mbox_and_what_does_not_say_its_mailbox_is_refused() {
    let house = House::new();
    let path = house.place("text");
    fs::write(&path, "Subject: no From line\n").unwrap();
    let path = fs::canonicalize(&path).unwrap();
    assert_eq!(house.import("one", Some("INBOX"), &path), Err(OperateError::NotMbox { path: path.clone() }));
    assert_eq!(house.import("one", None, &path), Err(OperateError::WhichMailbox { path }));
    let pipe = house.place("pipe");
    rustix::fs::mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    assert!(matches!(house.import("one", Some("INBOX"), &pipe), Err(OperateError::File { .. })));
}

#[test]
fn nothing_is_written_over_or_into_the_data_folder() {
    let house = House::new();
    house.append("one", "INBOX", &mail(b"a\r\n"));
    let full = house.place("full");
    fs::create_dir(&full).unwrap();
    fs::write(full.join("file"), "mine").unwrap();
    symlink(&house.context.data, house.place("link")).unwrap();
    let whole = |to: &Path, layout| house.export("one", None, to, layout);
    let one = |to: &Path, layout| house.export("one", Some("INBOX"), to, layout);
    for layout in [Layout::Maildir, Layout::Mbox] {
        assert!(matches!(whole(&full, layout), Err(OperateError::NotEmpty { .. })));
        assert!(matches!(whole(&house.context.data, layout), Err(OperateError::InsideData { .. })));
        assert!(matches!(one(&house.place("link/segments/x"), layout), Err(OperateError::InsideData { .. })));
        assert!(matches!(whole(Path::new("relative/x"), layout), Err(OperateError::RelativePath { .. })));
        assert!(matches!(whole(&house.place("missing/x"), layout), Err(OperateError::File { .. })));
    }
    assert!(matches!(one(&full.join("file"), Layout::Mbox), Err(OperateError::NotEmpty { .. })));
    // Neither is a file that another export left unfinished, nor one behind a link.
    fs::write(full.join("out.new"), "mine").unwrap();
    assert!(matches!(one(&full.join("out"), Layout::Mbox), Err(OperateError::File { .. })));
    symlink(full.join("nothing"), full.join("dangling")).unwrap();
    assert!(matches!(one(&full.join("dangling"), Layout::Mbox), Err(OperateError::NotEmpty { .. })));
    assert_eq!(fs::read(full.join("file")).unwrap(), b"mine");
    assert_eq!(fs::read(full.join("out.new")).unwrap(), b"mine");
    assert!(!full.join("nothing").exists());
}

#[test]
fn who_and_what_is_not_there_is_named() {
    let house = House::new();
    let nobody = OperateError::NoSuchLogin { login: "no body".to_owned() };
    assert_eq!(house.export("no body", None, &house.place("x"), Layout::Mbox), Err(nobody));
    let nowhere = OperateError::NoSuchMailbox { mailbox: "Rien".to_owned() };
    assert_eq!(house.export("one", Some("Rien"), &house.place("x"), Layout::Mbox), Err(nowhere));
    assert!(matches!(house.import("one", Some("a//b"), &house.folder), Err(OperateError::BadName { .. })));
    assert!(!house.place("x").exists());
}
