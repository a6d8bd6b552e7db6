//! Real mail through the whole server: a mailing list of a year, and the messages mail libraries are tested with.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tests::scratch::Scratch;
use tests::skip::{Missing, skip};
use tests::{Facteur, Imap, Options, Outcome, corpus, program};

use crate::clients::{found, maildir_files, mbsync, mbsyncrc, python};

/// Of the list's 5,991 messages.
const MESSAGES: usize = 1_000;

fn bench() -> Facteur {
    Facteur::start_with(&program::top().join("policies/bench"), Options { people: 2, ..Options::default() })
}

/// The first messages of the list, in order.
fn list(scratch: &Scratch) -> Vec<PathBuf> {
    fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("the archive was unpacked") {
            let path = entry.expect("the folder can be read").path();
            if path.is_dir() { walk(&path, files) } else { files.push(path) }
        }
    }
    let mut files = Vec::new();
    walk(&corpus::unpack("mailbox-bench/openbmc-list-6000.tar.zst", scratch), &mut files);
    files.sort();
    files.truncate(MESSAGES);
    assert_eq!(files.len(), MESSAGES);
    files
}

/// The text without what mbsync adds to find its own messages again, with LF line ends.
fn comparable(message: &[u8]) -> String {
    let text = String::from_utf8_lossy(message).replace("\r\n", "\n");
    text.lines().filter(|line| !line.starts_with("X-TUID: ")).collect::<Vec<_>>().join("\n")
}

#[test]
fn mbsync_carries_a_thousand_messages_both_ways_and_mutt_opens_them() -> Outcome {
    const TEST: &str = "mbsync_carries_a_thousand_messages";
    let Some(mbsync_program) = found(TEST, "mbsync") else { return Ok(()) };
    if corpus::folder().is_none() {
        skip(TEST, Missing::Corpus);
        return Ok(());
    }
    let (scratch, server) = (Scratch::new("list"), bench());
    let near = scratch.join("near");
    let config = mbsyncrc(&server, "user0001", "pass", &near);
    for part in ["cur", "new", "tmp"] {
        fs::create_dir_all(near.join("INBOX").join(part))?;
    }
    let mut texts = BTreeSet::new();
    for (number, file) in list(&scratch).iter().enumerate() {
        let message = fs::read(file)?;
        fs::write(near.join(format!("INBOX/new/{}.{number}.near", 1_700_000_000 + number)), &message)?;
        texts.insert(comparable(&message));
    }
    mbsync(&mbsync_program, &config);
    let mut imap = Imap::connect(&server, "imaps", "outside")?;
    imap.command("LOGIN user0001 pass")?.ok()?;
    assert_eq!(imap.count("INBOX")? as usize, MESSAGES, "all went up");
    // From the other side: an empty maildir gets all of them, octet for octet.
    let other = scratch.join("other");
    mbsync(&mbsync_program, &mbsyncrc(&server, "user0001", "pass", &other));
    let files = maildir_files(&other.join("INBOX"));
    assert_eq!(files.len(), MESSAGES, "all came down");
    for file in &files {
        assert!(texts.contains(&comparable(&fs::read(file)?)), "{} is not what went up", file.display());
    }
    // A second run finds nothing to do.
    mbsync(&mbsync_program, &config);
    assert_eq!(imap.count("INBOX")? as usize, MESSAGES);
    mutt_opens(&server, &scratch);
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}

fn mutt_opens(server: &Facteur, scratch: &Scratch) {
    if found("mutt_opens_a_thousand_messages", "mutt").is_none() {
        return;
    }
    let imaps = server.describe.listener("imaps").addr;
    let muttrc = scratch.join("muttrc");
    let home = scratch.path().display();
    let text = format!(
        "set imap_user=user0001 imap_pass=pass ssl_force_tls=yes certificate_file={}\n\
         set ssl_ca_certificates_file= sort=mailbox-order wait_key=no\n\
         set status_format=\"Msgs: %m \" header_cache=\"\" message_cachedir=\"\" imap_passive=yes\n\
         set folder={home} record= postponed={home}/postponed mbox=\n",
        server.describe.ca.display()
    );
    fs::write(&muttrc, text).expect("the scratch folder is ours");
    let mut command = Command::new("python3");
    command
        .arg(program::top().join("tests/clients/mutt.py"))
        .arg(&muttrc)
        .arg(format!("imaps://localhost:{}/INBOX", imaps.port()));
    program::run(command.arg(MESSAGES.to_string()).env("HOME", scratch.path())).ends(0);
}

#[test]
fn searches_orders_and_threads_of_a_list_are_those_of_the_rfc() -> Outcome {
    const TEST: &str = "searches_orders_and_threads_of_a_list";
    if corpus::folder().is_none() {
        skip(TEST, Missing::Corpus);
        return Ok(());
    }
    if found(TEST, "python3").is_none() {
        return Ok(());
    }
    let (scratch, server) = (Scratch::new("order"), bench());
    let list = list(&scratch).iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join("\n");
    fs::write(server.scratch().join("messages.txt"), list)?;
    let ran = python("imap_order.py", &server).ends(0);
    println!("{}", ran.out.lines().last().unwrap_or_default());
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}

#[test]
fn every_message_of_the_corpus_is_announced_as_the_grammar_says_and_as_it_is() {
    const TEST: &str = "every_message_of_the_corpus";
    if corpus::folder().is_none() {
        return skip(TEST, Missing::Corpus);
    }
    if found(TEST, "python3").is_none() {
        return;
    }
    let server = bench();
    let ran = python("imap_mime.py", &server).ends(0);
    println!("{}", ran.out.lines().last().unwrap_or_default());
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
}

#[test]
fn the_strict_parser_refuses_what_the_grammar_refuses() {
    if found("the_strict_parser", "python3").is_some() {
        let parser = program::top().join("tests/clients/bodystructure.py");
        program::run(Command::new("python3").arg("-B").arg(parser).arg("--self-test")).ends(0);
    }
}
