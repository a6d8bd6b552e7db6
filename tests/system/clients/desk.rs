//! A person with mail in the inbox, and a connection beside the program that works on it.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tests::describe::Person;
use tests::imap::quoted;
use tests::{Facteur, Imap, wait};

/// A program, a debug build and company on two processors.
pub const WITHIN: Duration = Duration::from_secs(90);

pub struct Desk {
    pub server: Facteur,
    pub who: Person,
    pub imap: Imap,
}

impl Desk {
    /// The inbox has a message of each of these subjects.
    pub fn with(subjects: &[&str]) -> io::Result<Desk> {
        let server = Facteur::start("nantes");
        let who = server.describe.person("toto-j").clone();
        let imap = Imap::person(&server, "outside", &who)?;
        let mut desk = Desk { server, who, imap };
        for subject in subjects {
            desk.add("INBOX", subject)?;
        }
        Ok(desk)
    }

    pub fn add(&mut self, mailbox: &str, subject: &str) -> io::Result<()> {
        self.imap.append(mailbox, letter(subject).as_bytes())?.ok().map(|_| ())
    }

    /// What a mailbox holds in order of UID: the subject and, behind it, the flags in order of name.
    pub fn mail(&mut self, mailbox: &str) -> io::Result<Vec<String>> {
        self.imap.command(&format!("EXAMINE {}", quoted(mailbox)))?.ok()?;
        let fetched = self.imap.command("UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")?.ok()?;
        self.imap.command("UNSELECT")?.ok()?;
        Ok(fetched.lines().iter().filter_map(|line| summary(line)).collect())
    }

    /// Waits until a mailbox holds just this.
    #[track_caller]
    pub fn until(&mut self, mailbox: &str, expected: &[&str]) {
        let mut last = String::new();
        let deadline = std::time::Instant::now() + WITHIN;
        wait::until(WITHIN * 2, mailbox, || {
            let there = self.mail(mailbox);
            last = format!("{there:?}");
            assert!(std::time::Instant::now() < deadline, "{mailbox}: {expected:?} hoped for, {last} is there");
            there.is_ok_and(|there| there == expected).then_some(())
        });
    }

    pub fn port(&self, listener: &str) -> u16 {
        self.server.describe.listener(listener).addr.port()
    }

    pub fn ca(&self) -> std::path::Display<'_> {
        self.server.describe.ca.display()
    }

    pub fn folder(&self) -> &Path {
        self.server.scratch()
    }

    /// A file with a password in it: programs want that nobody else can read it.
    #[track_caller]
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder().join(name);
        fs::create_dir_all(path.parent().expect("it is in the scratch folder")).expect("the scratch folder is ours");
        fs::write(&path, text).expect("the scratch folder is ours");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("the file is ours");
        path
    }
}

/// What a person reads.
pub fn letter(subject: &str) -> String {
    format!(
        "From: Anne <anne@client.example>\r\nTo: Jean.Toto@univ-nantes.fr\r\nSubject: {subject}\r\n\
         Date: Mon, 23 Nov 2026 12:00:00 +0100\r\nMessage-ID: <{subject}@client.example>\r\n\r\nText of {subject}.\r\n"
    )
}

/// `subject \Flagged \Seen` of a FETCH response. \Recent is no flag of the message.
fn summary(line: &str) -> Option<String> {
    let subject = line.split_once("Subject: ")?.1.split("\r\n").next()?;
    let flags = line.split_once("FLAGS (")?.1.split(')').next()?;
    let mut words: Vec<&str> = flags.split(' ').filter(|flag| !flag.is_empty() && *flag != "\\Recent").collect();
    words.sort_unstable();
    words.insert(0, subject);
    Some(words.join(" "))
}

#[test]
fn a_message_is_told_by_its_subject_and_flags() {
    let line =
        "1 FETCH (UID 1 FLAGS (\\Seen \\Recent \\Flagged) BODY[HEADER.FIELDS (SUBJECT)] {9}\r\nSubject: a b\r\n\r\n)";
    assert_eq!(summary(line).as_deref(), Some("a b \\Flagged \\Seen"));
    assert_eq!(summary("1 FETCH (UID 1 FLAGS ())"), None);
}
