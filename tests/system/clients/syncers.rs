//! OfflineIMAP keeps a maildir and an account alike. (mbsync is in `clients` itself: other tests run it, too.)

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tests::{Outcome, program};

use super::desk::{Desk, letter};
use super::{found, maildir_files};

fn offlineimaprc(desk: &Desk, near: &Path) -> PathBuf {
    let text = format!(
        "[general]\naccounts = me\nmetadata = {}\nui = basic\n[Account me]\nlocalrepository = near\nremoterepository = far\n\
         [Repository near]\ntype = Maildir\nlocalfolders = {}\nsep = /\n\
         [Repository far]\ntype = IMAP\nremotehost = localhost\nremoteport = {}\nremoteuser = {}\nremotepass = {}\n\
         ssl = yes\nsslcacertfile = {}\n",
        desk.folder().join("meta").display(),
        near.display(),
        desk.port("imaps"),
        desk.who.login,
        desk.who.password,
        desk.ca(),
    );
    desk.write("offlineimaprc", &text)
}

/// The file of a maildir that has this subject.
#[track_caller]
fn file_of(inbox: &Path, subject: &str) -> PathBuf {
    let line = format!("Subject: {subject}");
    let has = |file: &PathBuf| fs::read_to_string(file).is_ok_and(|text| text.lines().any(|it| it == line));
    maildir_files(inbox).into_iter().find(has).unwrap_or_else(|| panic!("no `{subject}` in {}", inbox.display()))
}

/// Gives a file of a maildir these flags, as a mail program does.
fn flag(file: &Path, flags: &str) -> std::io::Result<()> {
    let name = file.to_string_lossy().replace("/new/", "/cur/");
    fs::rename(file, format!("{}:2,{flags}", name.split(":2,").next().unwrap_or(&name)))
}

#[test]
fn offlineimap_carries_folders_flags_and_deletions_both_ways() -> Outcome {
    let Some(offlineimap) = found("offlineimap_carries", "offlineimap") else { return Ok(()) };
    let mut desk = Desk::with(&["one", "two", "three", "four"])?;
    let near = desk.folder().join("near");
    let config = offlineimaprc(&desk, &near);
    let home = desk.folder().to_owned();
    let sync = || {
        let ran = program::run(Command::new(&offlineimap).arg("-o").arg("-c").arg(&config).env("HOME", &home)).ends(0);
        assert!(!ran.out.contains("ERROR") && !ran.err.contains("ERROR"), "{}\n{}", ran.out, ran.err);
    };
    sync();
    let inbox = near.join("INBOX");
    assert_eq!(maildir_files(&inbox).len(), 4);
    assert!(near.join("Envoy&AOk-s").is_dir());
    // Here one is read and flagged, one deleted, one written; there one is answered, one deleted, and a mailbox made.
    flag(&file_of(&inbox, "one"), "FS")?;
    fs::remove_file(file_of(&inbox, "two"))?;
    fs::write(inbox.join("cur/1700000000.1.here:2,S"), letter("five").replace("\r\n", "\n"))?;
    desk.imap.command("SELECT INBOX")?.ok()?;
    desk.imap.command("STORE 3 +FLAGS (\\Answered)")?.ok()?;
    desk.imap.command("STORE 4 +FLAGS.SILENT (\\Deleted)")?.ok()?;
    desk.imap.command("CLOSE")?.ok()?;
    desk.imap.command("CREATE Projets/2026")?.ok()?;
    desk.add("Projets/2026", "six")?;
    sync();
    assert_eq!(desk.mail("INBOX")?, ["one \\Flagged \\Seen", "three \\Answered", "five \\Seen"]);
    assert_eq!(maildir_files(&inbox).len(), 3);
    assert!(file_of(&inbox, "three").to_string_lossy().ends_with(":2,R"));
    file_of(&near.join("Projets/2026"), "six");
    // A third run has nothing to do: what went up was found again by its UID.
    sync();
    assert_eq!(desk.mail("INBOX")?.len(), 3);
    assert_eq!(maildir_files(&inbox).len(), 3);
    Ok(())
}
