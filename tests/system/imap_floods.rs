//! The same on the side of reading: lines, literals, pipelines and connections without end.

use std::io;

use tests::wire::{self, Wire};
use tests::{Facteur, Imap, Outcome};

use crate::floods::{bounded, growth_kib, others_are_served};

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
