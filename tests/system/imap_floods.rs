//! The same on the side of reading: lines, literals, pipelines and connections without end.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use tests::wire::{self, Wire};
use tests::{Facteur, Imap, Outcome};

use crate::clients::{found, python};
use crate::floods::{bounded, growth_kib, others_are_served};

/// Of long contents one person may have so much on the way (`server`, `drive/imap/room`); what else it costs is not counted.
const ROOM_KIB: u64 = 64 * 1024;

/// Sends pieces until all are out or the server has had enough; how many went.
fn pour(imap: &mut Imap, piece: &[u8], times: usize) -> usize {
    (0..times).take_while(|_| imap.send(piece).is_ok()).count()
}

/// Reads to the end; what the server said on its way there.
fn farewell(imap: &mut Imap) -> Vec<String> {
    let mut said = Vec::new();
    while let Ok(line) = imap.read() {
        said.push(String::from_utf8_lossy(&line).into_owned());
    }
    said
}

#[test]
fn a_line_of_100_mb_before_login_ends_with_a_word() -> Outcome {
    let server = Facteur::start("nantes");
    let kib = growth_kib(&server, || {
        let mut imap = Imap::connect(&server, "imaps", "outside")?;
        let written = pour(&mut imap, &[b'x'; 100_000], 1000);
        let said = farewell(&mut imap);
        assert!(said.iter().any(|line| line.contains("BYE") || line.contains("BAD")), "{written} pieces, {said:?}");
        others_are_served(&server, "after")
    })?;
    bounded("a line of 100 MB over IMAP", kib);
    Ok(())
}

#[test]
fn a_literal_of_a_gigabyte_is_refused_before_it_comes() -> Outcome {
    let server = Facteur::start("nantes");
    let who = server.describe.person("toto-j").clone();
    let kib = growth_kib(&server, || {
        let mut stranger = Imap::connect(&server, "imaps", "outside")?;
        stranger.send(b"a LOGIN {1000000000}\r\n")?;
        let answer = String::from_utf8_lossy(&stranger.read()?).into_owned();
        assert!(answer.starts_with("a BAD") || answer.starts_with("a NO") || answer.starts_with("* BYE"), "{answer}");
        let mut imap = Imap::person(&server, "outside", &who)?;
        imap.send(b"b APPEND INBOX {1000000000}\r\n")?;
        let answer = String::from_utf8_lossy(&imap.read()?).into_owned();
        assert!(answer.starts_with("b NO [TOOBIG]"), "RFC 9051 7.1: {answer}");
        imap.command("NOOP")?.ok()?;
        // Not asked for, it comes all the same: read and dropped, or cut.
        imap.send(b"c APPEND INBOX {50000000+}\r\n")?;
        let written = pour(&mut imap, &[b'x'; 100_000], 500);
        let said = if written == 500 && imap.send(b"\r\n").is_ok() {
            String::from_utf8_lossy(&imap.read()?).into_owned()
        } else {
            farewell(&mut imap).join("\n")
        };
        assert!(said.contains("TOOBIG") || said.contains("BYE"), "{written} pieces, {said}");
        Ok(())
    })?;
    bounded("literals of a gigabyte", kib);
    assert_eq!(Imap::person(&server, "outside", &who)?.count("INBOX")?, 0);
    Ok(())
}

#[test]
fn ten_thousand_pipelined_commands_of_a_reader_are_all_answered() -> Outcome {
    let server = Facteur::start("nantes");
    let who = server.describe.person("toto-jp").clone();
    let kib = growth_kib(&server, || {
        let mut imap = Imap::person(&server, "outside", &who)?;
        for batch in 0..100 {
            let commands: String = (0..100).map(|n| format!("p{} NOOP\r\n", batch * 100 + n)).collect();
            imap.send(commands.as_bytes())?;
        }
        for number in 0..10_000 {
            let answer = String::from_utf8_lossy(&imap.read()?).into_owned();
            assert!(answer.starts_with(&format!("p{number} OK")), "{number}: {answer}");
        }
        others_are_served(&server, "after")
    })?;
    bounded("10,000 pipelined commands over IMAP", kib);
    Ok(())
}

#[test]
fn connections_that_never_say_a_word_of_tls_hold_nobody_up() -> Outcome {
    let server = Facteur::start("nantes");
    let mut held = Vec::new();
    let kib = growth_kib(&server, || {
        for listener in ["imaps", "subs"] {
            for _ in 0..300 {
                let to = server.describe.listener(listener).addr;
                held.push(Wire::plain(wire::connect(to, server.describe.network("outside").source)?));
            }
        }
        others_are_served(&server, "beside")
    })?;
    bounded("600 silent connections", kib);
    Ok(())
}

#[test]
fn nesting_without_end_is_a_bad_command() -> io::Result<()> {
    let server = Facteur::start("nantes");
    let who = server.describe.person("toto-j").clone();
    let mut imap = Imap::person(&server, "outside", &who)?;
    imap.command("SELECT INBOX")?.ok()?;
    let nested = format!("SEARCH {}ALL{}", "(".repeat(3000), ")".repeat(3000));
    assert_eq!(imap.command(&nested)?.status, "BAD");
    let negated = format!("SEARCH {}ALL", "NOT ".repeat(1500));
    let response = imap.command(&negated)?;
    assert!(["BAD", "OK", "NO"].contains(&response.status.as_str()), "{response:?}");
    imap.command("NOOP")?.ok()?;
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}

/// A message of `octets` octets with this subject.
fn long_message(subject: &str, octets: usize) -> Vec<u8> {
    let line = b"What nobody looks for stands in none of these lines.\r\n";
    let head = format!("From: a@client.example\r\nSubject: {subject}\r\n\r\n");
    [head.as_bytes(), &line.repeat(octets / line.len())].concat()
}

/// Fills INBOX with `1 << doublings` messages.
fn fill(imap: &mut Imap, message: &[u8], doublings: u32) -> io::Result<()> {
    imap.append("INBOX", message)?.ok()?;
    imap.command("SELECT INBOX")?.ok()?;
    for _ in 0..doublings {
        imap.command("COPY 1:* INBOX")?.ok()?;
    }
    Ok(())
}

#[test]
fn clients_that_do_not_read_their_long_messages_hold_nobody_up_and_cost_what_one_person_may() -> Outcome {
    let server = Facteur::start("nantes");
    let who = server.describe.person("toto-j").clone();
    let mut imap = Imap::person(&server, "outside", &who)?;
    let message = long_message("long", 18_000_000);
    imap.append("INBOX", &message)?.ok()?;
    let other = server.describe.person("toto-jp").clone();
    let mut reader = Imap::person(&server, "inside", &other)?;
    reader.append("INBOX", &message)?.ok()?;
    reader.command("SELECT INBOX")?.ok()?;
    let mut stalled = Vec::new();
    let kib = growth_kib(&server, || {
        for _ in 0..16 {
            let mut client = Imap::person(&server, "outside", &who)?;
            client.command("EXAMINE INBOX")?.ok()?;
            client.send(b"f FETCH 1 (BODY.PEEK[])\r\n")?;
            stalled.push(client);
        }
        // Their own other commands are answered, and other people get long messages too.
        assert_eq!(imap.count("INBOX")?, 1);
        others_are_served(&server, "beside")?;
        let got = reader.command("FETCH 1 (BODY.PEEK[])")?.ok()?;
        assert!(got.untagged.iter().any(|response| response.len() > message.len()));
        Ok(())
    })?;
    println!("16 clients that do not read 18 MB: {kib} KiB");
    assert!(kib < 2 * ROOM_KIB, "{kib} KiB");
    // Whoever reads gets it whole, though the others still do not: they have what they wait for, or wait for room.
    let mut last = stalled.swap_remove(0);
    let whole = last.read()?;
    assert!(whole.len() > message.len(), "{} octets", whole.len());
    drop(stalled);
    assert_eq!(Imap::person(&server, "outside", &who)?.count("INBOX")?, 1);
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}

#[test]
fn a_search_through_a_huge_mailbox_holds_nobody_up() -> Outcome {
    let server = Facteur::start("nantes");
    let who = server.describe.person("toto-j").clone();
    let mut imap = Imap::person(&server, "outside", &who)?;
    fill(&mut imap, &long_message("one of many", 20_000), 10)?;
    let kib = growth_kib(&server, || {
        // Two letters are in no index: each message is looked through.
        let searches: Vec<Imap> = (0..4)
            .map(|_| {
                let mut client = Imap::person(&server, "outside", &who)?;
                client.command("EXAMINE INBOX")?.ok()?;
                client.send(b"s SEARCH BODY \"zq\"\r\n")?;
                Ok(client)
            })
            .collect::<io::Result<_>>()?;
        others_are_served(&server, "beside")?;
        for mut client in searches {
            assert_eq!(client.read()?, b"* SEARCH");
            assert!(client.read()?.starts_with(b"s OK"));
        }
        Ok(())
    })?;
    bounded("four searches through 1,024 messages", kib);
    Ok(())
}

#[test]
fn a_storm_of_commands_whose_answers_nobody_reads_stops_itself_alone() -> Outcome {
    let server = Facteur::start("nantes");
    let who = server.describe.person("toto-j").clone();
    let mut imap = Imap::person(&server, "outside", &who)?;
    fill(&mut imap, &long_message("often asked for", 20_000), 4)?;
    let mut stalled = Vec::new();
    let kib = growth_kib(&server, || {
        for _ in 0..10 {
            let mut client = Imap::person(&server, "outside", &who)?;
            client.command("EXAMINE INBOX")?.ok()?;
            // 3 GB of answers, were they read.
            client.send("f FETCH 1:* (ENVELOPE BODY.PEEK[])\r\n".repeat(1_000).as_bytes())?;
            stalled.push(client);
        }
        others_are_served(&server, "beside")
    })?;
    bounded("10,000 commands whose answers nobody reads", kib);
    for mut client in stalled {
        assert!(client.read()?.starts_with(b"* 1 FETCH"), "the first answer is there");
    }
    Ok(())
}

#[test]
fn deflate_is_understood_in_any_piece_and_a_bomb_fills_nothing() -> Outcome {
    if found("deflate_is_understood", "python3").is_none() {
        return Ok(());
    }
    let server = Facteur::start("nantes");
    let kib = growth_kib(&server, || {
        python("compress.py", &server).ends(0);
        others_are_served(&server, "after")
    })?;
    bounded("a bomb of 100 MB", kib);
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}

/// Overwrites the database below the server, its memory of what is there included.
fn damage(data: &Path) -> io::Result<()> {
    let database = OpenOptions::new().write(true).open(data.join("meta-00.db"))?;
    let octets = database.metadata()?.len();
    database.write_all_at(&vec![0xff; octets.saturating_sub(4096) as usize], 4096)?;
    let log = OpenOptions::new().write(true).open(data.join("meta-00.db-wal"))?;
    let octets = log.metadata()?.len();
    log.write_all_at(&vec![0xff; octets.saturating_sub(32) as usize], 32)?;
    // The header of the index of that log, twice: whoever reads next looks at the log itself.
    OpenOptions::new().write(true).open(data.join("meta-00.db-shm"))?.write_all_at(&[0xff; 96], 0)
}

#[test]
fn a_damaged_store_is_not_available_and_never_an_empty_list() -> Outcome {
    let server = Facteur::start("office");
    let who = server.describe.person("martin-c").clone();
    let mut imap = Imap::person(&server, "outside", &who)?;
    let mut idle = Imap::person(&server, "outside", &who)?;
    assert!(imap.command("LIST \"\" *")?.ok()?.untagged.len() > 1);
    // What is written behind the logins is written before the second of these: a store that cannot write ends the process.
    for _ in 0..2 {
        imap.append("INBOX", b"Subject: kept\r\n\r\nhello\r\n")?.ok()?;
    }
    imap.command("SELECT INBOX")?.ok()?;
    idle.command("SELECT INBOX")?.ok()?;
    idle.send(b"i IDLE\r\n")?;
    assert!(idle.read()?.starts_with(b"+ "));
    damage(&server.describe.data)?;
    for command in [
        "LIST \"\" *",
        "LIST \"\" (INBOX) RETURN (STATUS (MESSAGES))",
        "LSUB \"\" *",
        "STATUS INBOX (MESSAGES)",
        "GETQUOTAROOT INBOX",
        "FETCH 1 (BODY.PEEK[])",
        "SEARCH ALL",
        "STORE 1 +FLAGS (\\Seen)",
        "COPY 1 Archives",
        "SELECT INBOX",
        "EXAMINE INBOX",
    ] {
        let response = imap.command(command)?;
        assert_eq!(response.status, "NO", "{command}: {response:?}");
        assert!(response.text.starts_with("[UNAVAILABLE] "), "{command}: {response:?}");
        let told = response.lines().into_iter().find(|line| !line.starts_with("OK [CLOSED]"));
        assert_eq!(told, None, "{command} tells nothing");
    }
    // Who waits goes on waiting, and can stop.
    idle.send(b"DONE\r\n")?;
    assert!(idle.read()?.starts_with(b"i OK"));
    imap.command("NOOP")?.ok()?;
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}
