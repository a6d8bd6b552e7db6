//! POP3: the programs that fetch by it, what it leaves in place, and whom it holds up.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use tests::program::{self, Ran};
use tests::scratch::Scratch;
use tests::skip::{Missing, skip};
use tests::wire::{self, Wire};
use tests::{Facteur, Imap, Options, Outcome, corpus, policy_copy};

use crate::clients::{found, python};

const LOGIN: &str = "user0001";
/// What a client that takes nothing may cost, in KiB.
const HELD_KIB_MAX: u64 = 32 * 1024;

fn bench() -> Facteur {
    Facteur::start_with(&program::top().join("policies/bench"), Options { people: 2, ..Options::default() })
}

fn imap(server: &Facteur) -> io::Result<Imap> {
    let mut imap = Imap::connect(server, "imaps", "outside")?;
    imap.command(&format!("LOGIN {LOGIN} pass"))?.ok()?;
    Ok(imap)
}

/// Puts messages with these subjects into INBOX.
fn fill(imap: &mut Imap, subjects: &[&str]) -> io::Result<()> {
    for subject in subjects {
        imap.append("INBOX", format!("From: a@client.example\r\nSubject: {subject}\r\n\r\nbody\r\n").as_bytes())?
            .ok()?;
    }
    Ok(())
}

/// A connection that speaks lines.
struct Pop(Wire);

impl Pop {
    fn greeted(server: &Facteur) -> io::Result<(Pop, String)> {
        let (listener, network) = (server.describe.listener("pops"), server.describe.network("outside"));
        let mut wire = Wire::plain(wire::connect(listener.addr, network.source)?).tls(&server.tls)?;
        let greeting = wire.line()?;
        Ok((Pop(wire), greeting))
    }

    fn person(server: &Facteur) -> io::Result<Pop> {
        let (mut pop, _) = Pop::greeted(server)?;
        pop.good(&format!("USER {LOGIN}"))?;
        pop.good("PASS pass")?;
        Ok(pop)
    }

    fn say(&mut self, line: &str) -> io::Result<String> {
        self.0.send(format!("{line}\r\n").as_bytes())?;
        self.0.line()
    }

    fn good(&mut self, line: &str) -> io::Result<String> {
        let said = self.say(line)?;
        if said.starts_with("+OK") { Ok(said) } else { Err(io::Error::other(format!("{line}: {said}"))) }
    }

    /// Takes the lines behind a good answer, up to their end.
    fn lines(&mut self) -> io::Result<usize> {
        let mut count = 0;
        while self.0.line()? != "." {
            count += 1;
        }
        Ok(count)
    }
}

#[test]
fn python_poplib_reads_and_removes() {
    if found("python_poplib", "python3").is_some() {
        let server = bench();
        python("pop_flow.py", &server).ends(0);
        assert_eq!(server.metric("facteur_panics_total"), 0.0);
    }
}

#[test]
fn every_message_of_the_corpus_comes_as_imap_gives_it() {
    const TEST: &str = "every_message_of_the_corpus_comes_as_imap_gives_it";
    if corpus::folder().is_none() {
        return skip(TEST, Missing::Corpus);
    }
    if found(TEST, "python3").is_some() {
        let server = bench();
        let ran = python("pop_mail.py", &server).ends(0);
        println!("{}", ran.out.lines().last().unwrap_or_default());
        assert_eq!(server.metric("facteur_panics_total"), 0.0);
    }
}

#[test]
fn curl_lists_and_fetches_by_both_ways_to_tls() -> Outcome {
    let Some(curl) = found("curl_lists_and_fetches", "curl") else { return Ok(()) };
    let server = bench();
    fill(&mut imap(&server)?, &["one", "two"])?;
    for (scheme, listener) in [("pop3s", "pops"), ("pop3", "pop")] {
        let port = server.describe.listener(listener).addr.port();
        let run = |message: &str, more: &[&str]| {
            let mut command = Command::new(&curl);
            command.args(["--silent", "--show-error", "--ssl-reqd", "--user", &format!("{LOGIN}:pass"), "--cacert"]);
            command.arg(&server.describe.ca).args(more).arg(format!("{scheme}://localhost:{port}/{message}"));
            program::run(&mut command)
        };
        assert_eq!(run("", &[]).ends(0).out.lines().count(), 2);
        assert!(run("2", &[]).ends(0).out.contains("Subject: two\r\n\r\nbody\r\n"));
        assert!(run("", &["--request", "UIDL"]).ends(0).out.starts_with("1 "));
        // curl ends with 67 when the login failed.
        run("", &["--user", &format!("{LOGIN}:wrong")]).ends(67);
    }
    assert_eq!(imap(&server)?.count("INBOX")?, 2);
    Ok(())
}

/// A script that appends what it is given to a file, and that file.
fn delivery(server: &Facteur) -> (PathBuf, PathBuf) {
    let (script, mail) = (server.scratch().join("take"), server.scratch().join("taken"));
    let text = format!("#!/bin/sh\ncat >> {}\n", mail.display());
    fs::write(&script, text).expect("the scratch folder is ours");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).expect("the file is ours");
    (script, mail)
}

fn subjects(mail: &PathBuf) -> usize {
    let text = fs::read(mail).unwrap_or_default();
    String::from_utf8_lossy(&text).lines().filter(|line| line.starts_with("Subject: ")).count()
}

#[test]
fn fetchmail_keeps_knows_what_it_has_and_removes() -> Outcome {
    let Some(fetchmail) = found("fetchmail_keeps", "fetchmail") else { return Ok(()) };
    let server = bench();
    let mut imap = imap(&server)?;
    fill(&mut imap, &["one", "two"])?;
    let (take, taken) = delivery(&server);
    let port = server.describe.listener("pops").addr.port();
    let run = |keep: &str| -> Ran {
        let rc = server.scratch().join("fetchmailrc");
        let text = format!(
            "poll localhost protocol pop3 port {port} uidl\n user {LOGIN} password pass ssl sslcertck sslcertfile {}\n \
             {keep} mda {}\n",
            server.describe.ca.display(),
            take.display()
        );
        fs::write(&rc, text).expect("the scratch folder is ours");
        fs::set_permissions(&rc, fs::Permissions::from_mode(0o600)).expect("the file is ours");
        let mut command = Command::new(&fetchmail);
        command.env("HOME", server.scratch()).env("FETCHMAILHOME", server.scratch());
        program::run(command.arg("--fetchmailrc").arg(rc).args(["--nosyslog", "--verbose"]))
    };
    run("keep").ends(0);
    assert_eq!(subjects(&taken), 2);
    // fetchmail ends with 1 when there is nothing new.
    run("keep").ends(1);
    fill(&mut imap, &["three"])?;
    run("keep").ends(0);
    assert_eq!((subjects(&taken), imap.count("INBOX")?), (3, 3), "each once, and all are still there");
    fill(&mut imap, &["four"])?;
    run("nokeep fetchall").ends(0);
    assert_eq!((subjects(&taken), imap.count("INBOX")?), (7, 0));
    Ok(())
}

#[test]
fn getmail_keeps_knows_what_it_has_and_removes() -> Outcome {
    let Some(getmail) = found("getmail_keeps", "getmail") else { return Ok(()) };
    let server = bench();
    let mut imap = imap(&server)?;
    fill(&mut imap, &["one", "two"])?;
    let (take, taken) = delivery(&server);
    let port = server.describe.listener("pops").addr.port();
    let run = |delete: bool| {
        let rc = server.scratch().join("getmailrc");
        let text = format!(
            "[retriever]\ntype = SimplePOP3SSLRetriever\nserver = localhost\nport = {port}\nusername = {LOGIN}\n\
             password = pass\nca_certs = {}\n\n[destination]\ntype = MDA_external\npath = {}\nallow_root_commands = true\n\n\
             [options]\nread_all = false\ndelete = {delete}\n",
            server.describe.ca.display(),
            take.display()
        );
        fs::write(&rc, text).expect("the scratch folder is ours");
        program::run(Command::new(&getmail).arg("--getmaildir").arg(server.scratch()).arg("--rcfile").arg(rc)).ends(0)
    };
    run(false);
    run(false);
    assert_eq!((subjects(&taken), imap.count("INBOX")?), (2, 2));
    fill(&mut imap, &["three"])?;
    run(true);
    assert_eq!((subjects(&taken), imap.count("INBOX")?), (3, 0));
    Ok(())
}

#[test]
fn a_session_in_idle_sees_what_quit_removes() -> Outcome {
    let server = bench();
    let mut imap = imap(&server)?;
    fill(&mut imap, &["one", "two", "three"])?;
    imap.command("SELECT INBOX")?.ok()?;
    imap.send(b"i IDLE\r\n")?;
    assert!(imap.read()?.starts_with(b"+ "));
    let mut pop = Pop::person(&server)?;
    pop.good("DELE 2")?;
    pop.good("QUIT")?;
    assert_eq!(imap.read()?, b"* 2 EXPUNGE");
    Ok(())
}

#[test]
fn what_quit_said_holds_after_a_crash_and_what_it_did_not_say_did_not_happen() -> Outcome {
    let scratch = Scratch::new("pop3-crash");
    let policy = program::top().join("policies/bench");
    let options = || Options { people: 2, data: Some(scratch.join("data")), ..Options::default() };
    let server = Facteur::start_with(&policy, options());
    fill(&mut imap(&server)?, &["one", "two", "three"])?;
    let mut pop = Pop::person(&server)?;
    pop.good("DELE 1")?;
    pop.good("QUIT")?;
    let mut pop = Pop::person(&server)?;
    let ids = |pop: &mut Pop| -> io::Result<Vec<String>> {
        (1..=2).map(|number| pop.good(&format!("UIDL {number}"))).collect()
    };
    let before = ids(&mut pop)?;
    pop.good("DELE 1")?;
    server.kill();
    let server = Facteur::start_with(&policy, options());
    let mut pop = Pop::person(&server)?;
    assert!(pop.good("STAT")?.starts_with("+OK 2 "));
    assert_eq!(ids(&mut pop)?, before, "the ids are those of before");
    Ok(())
}

#[test]
fn messages_moved_away_by_renaming_inbox_are_not_removed() -> Outcome {
    let server = bench();
    let mut imap = imap(&server)?;
    fill(&mut imap, &["one", "two"])?;
    let mut pop = Pop::person(&server)?;
    pop.good("DELE 1")?;
    imap.command("RENAME INBOX kept")?.ok()?;
    let said = pop.say("QUIT")?;
    assert!(said.starts_with("-ERR the messages were not removed: the mailbox was renamed"), "{said}");
    assert_eq!((imap.count("kept")?, imap.count("INBOX")?), (2, 0));
    assert_eq!(Pop::person(&server)?.good("STAT")?, "+OK 0 0");
    Ok(())
}

#[test]
fn a_client_that_takes_nothing_holds_up_itself_alone() -> Outcome {
    let server = bench();
    let mut imap = imap(&server)?;
    let long = format!("Subject: long\r\n\r\n{}", "x".repeat(70).repeat(1_000) + "\r\n");
    for _ in 0..20 {
        imap.append("INBOX", long.as_bytes())?.ok()?;
    }
    server.forget_peak();
    let (before, _) = server.resident_kib();
    let mut held = Pop::person(&server)?;
    let commands: String = (0..200).map(|number| format!("RETR {}\r\n", number % 20 + 1)).collect();
    held.0.send(commands.as_bytes())?;
    // The other person reads meanwhile, by both protocols.
    let (mut pop, _) = Pop::greeted(&server)?;
    pop.good("USER user0002")?;
    pop.good("PASS pass")?;
    pop.good("QUIT")?;
    imap.command("NOOP")?.ok()?;
    let (_, most) = server.resident_kib();
    let kib = most.saturating_sub(before);
    println!("14 MB that nobody takes cost {kib} KiB");
    assert!(kib < HELD_KIB_MAX, "14 MB that nobody takes cost {kib} KiB");
    for _ in 0..200 {
        assert!(held.0.line()?.starts_with("+OK "));
        assert_eq!(held.lines()?, 3);
    }
    Ok(())
}

#[test]
fn nobody_reads_by_pop_where_the_plan_has_no_block_for_it() -> Outcome {
    let scratch = Scratch::new("pop3-closed");
    let changes = [
        (
            "    may_send: {",
            "    may_read: { \"reading\": (connecting_to: [\"imaps\"], from: Everywhere) },\n    may_send: {",
        ),
        (
            "        \"pop\":   (host: \"mail.example.org\", port: 110, speaks: Pop,  tls: StartTls(Required), auth: Required),\n",
            "",
        ),
    ];
    let policy = policy_copy::changed(&scratch, "bench", &changes);
    let server = Facteur::start_with(&policy, Options { people: 2, ..Options::default() });
    let (mut pop, greeting) = Pop::greeted(&server)?;
    assert!(greeting.starts_with("-ERR [SYS/PERM] "), "{greeting}");
    assert!(pop.0.is_closed());
    imap(&server)?.command("NOOP")?.ok()?;
    Ok(())
}
