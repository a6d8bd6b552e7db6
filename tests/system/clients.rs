//! The mail programs people use, from Debian, against the real server.

mod desk;
mod fetchers;
mod scripts;
mod syncers;
mod terminal;
mod terminals;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tests::program::{self, Ran};
use tests::skip::{Missing, skip};
use tests::{Facteur, Imap, Outcome};

/// A script of `tests/clients` with the description of the server.
pub fn python(script: &str, server: &Facteur) -> Ran {
    let describe = server.scratch().join("describe.json");
    let script = program::top().join("tests/clients").join(script);
    program::run(Command::new("python3").env("PYTHONDONTWRITEBYTECODE", "1").arg(script).arg(describe))
}

/// The program, or a line that says that the test did not run.
pub fn found(test: &str, name: &str) -> Option<PathBuf> {
    let found = program::find(name);
    if found.is_none() {
        skip(test, Missing::Program(name));
    }
    found
}

#[test]
fn python_smtplib_submits_and_is_refused_as_it_should() {
    if found("python_smtplib", "python3").is_some() {
        python("smtp_flow.py", &Facteur::start("nantes")).ends(0);
    }
}

#[test]
fn python_imaplib_has_a_day_of_mail() {
    if found("python_imaplib", "python3").is_some() {
        python("imap_flow.py", &Facteur::start("nantes")).ends(0);
    }
}

#[test]
fn swaks_submits_under_tls_and_reads_refusals() -> Outcome {
    let Some(swaks) = found("swaks_submits", "swaks") else { return Ok(()) };
    let server = Facteur::start("nantes");
    let (from, to) = (server.describe.person("toto-j").clone(), server.describe.person("toto-jp").clone());
    let run = |listener: &str, network: &str, more: &[&str]| {
        let mut command = Command::new(&swaks);
        command.arg("--server").arg(server.describe.listener(listener).addr.to_string());
        command.arg("--local-interface").arg(server.describe.network(network).source.to_string());
        command.args(["--helo", "client.example", "--timeout", "60s"]).args(more);
        program::run(&mut command)
    };
    let login = ["--auth", "PLAIN", "--auth-user", &from.login, "--auth-password", &from.password];
    let addresses = ["--from", &from.address, "--to", &to.address];
    run("subm", "outside", &[&["--tls"][..], &login, &addresses].concat()).ends(0);
    run("subs", "inside", &[&["--tls-on-connect"][..], &login, &addresses].concat()).ends(0);
    let by_login = ["--auth", "LOGIN", "--auth-user", &from.login, "--auth-password", &from.password];
    run("smtp", "outside", &[&["--tls"][..], &by_login, &addresses].concat()).ends(0);
    run("mx", "outside", &["--from", "a@client.example", "--to", &to.address]).ends(0);
    // swaks ends with 24 when no recipient was accepted, with 28 when the login failed.
    let relayed = run("mx", "outside", &["--from", "a@client.example", "--to", "someone@elsewhere.example"]).ends(24);
    assert!(relayed.out.contains(&server.describe.plan), "{}", relayed.out);
    let wrong = ["--auth", "PLAIN", "--auth-user", &from.login, "--auth-password", "wrong"];
    run("subm", "outside", &[&["--tls"][..], &wrong, &addresses].concat()).ends(28);
    assert_eq!(Imap::person(&server, "outside", &to)?.count("INBOX")?, 4);
    Ok(())
}

/// An mbsync configuration for one person and one mailbox.
pub fn mbsyncrc(server: &Facteur, login: &str, password: &str, maildir: &Path) -> PathBuf {
    let imaps = server.describe.listener("imaps").addr;
    let text = format!(
        "IMAPStore far\nHost localhost\nPort {}\nUser {login}\nPass {password}\nSSLType IMAPS\nCertificateFile {}\nTimeout 120\n\n\
         MaildirStore near\nPath {maildir}/\nInbox {maildir}/INBOX\nSubFolders Verbatim\n\n\
         Channel all\nFar :far:\nNear :near:\nPatterns *\nCreate Both\nExpunge Both\nSync All\nSyncState *\n",
        imaps.port(),
        server.describe.ca.display(),
        maildir = maildir.display(),
    );
    let path = maildir.with_extension("mbsyncrc");
    fs::create_dir_all(maildir).expect("the scratch folder is ours");
    fs::write(&path, text).expect("the scratch folder is ours");
    path
}

/// Runs mbsync to its end; an error of one message is an error of the run.
#[track_caller]
pub fn mbsync(program: &Path, config: &Path) -> Ran {
    let ran = program::run(Command::new(program).arg("-c").arg(config).arg("-a")).ends(0);
    for word in ["Error", "Warning"] {
        assert!(!ran.err.contains(word) && !ran.out.contains(word), "{}\n{}", ran.out, ran.err);
    }
    ran
}

/// The message files of a maildir.
pub fn maildir_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for part in ["cur", "new"] {
        for entry in fs::read_dir(folder.join(part)).into_iter().flatten() {
            files.push(entry.expect("the folder can be read").path());
        }
    }
    files.sort();
    files
}

#[test]
fn mbsync_carries_folders_flags_and_deletions_both_ways() -> Outcome {
    let Some(mbsync_program) = found("mbsync_carries", "mbsync") else { return Ok(()) };
    let server = Facteur::start("nantes");
    let who = server.describe.person("toto-j").clone();
    let mut imap = Imap::person(&server, "outside", &who)?;
    for number in 0..3 {
        imap.append("INBOX", format!("Subject: from-far-{number}\r\n\r\nfar\r\n").as_bytes())?.ok()?;
    }
    let maildir = server.scratch().join("mail");
    let config = mbsyncrc(&server, &who.login, &who.password, &maildir);
    mbsync(&mbsync_program, &config);
    let inbox = maildir.join("INBOX");
    assert_eq!(maildir_files(&inbox).len(), 3);
    // A message of ours, one deleted and one flagged here; one flagged there.
    let files = maildir_files(&inbox);
    fs::write(inbox.join("new/1700000000.1.here"), "Subject: from-near\n\nnear\n")?;
    fs::remove_file(&files[0])?;
    let renamed = files[1].to_string_lossy().split(":2,").next().unwrap_or_default().replace("/new/", "/cur/");
    fs::rename(&files[1], format!("{renamed}:2,FS"))?;
    imap.command("SELECT INBOX")?.ok()?;
    imap.command("CREATE \"Projets/2026\"")?.ok()?;
    mbsync(&mbsync_program, &config);
    let flags = imap.command("FETCH 1:* (FLAGS)")?.ok()?;
    assert_eq!(imap.command("SEARCH SUBJECT from-near")?.ok()?.lines().len(), 1);
    assert!(
        flags.lines().iter().any(|line| line.contains("\\Flagged") && line.contains("\\Seen")),
        "{:?}",
        flags.lines()
    );
    assert_eq!(imap.count("INBOX")?, 3, "one went, one came");
    assert!(maildir.join("Projets/2026").is_dir() || maildir.join("Projets").join("2026").is_dir());
    Ok(())
}
