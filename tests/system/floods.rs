//! Hostile clients: memory stays bounded, the others are served, and whoever is turned away is told so.

use std::io::{self, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use tests::smtp::letter;
use tests::wire::{self, Wire};
use tests::{Facteur, Imap, Outcome, Smtp};

/// What an attack may cost, in KiB. Measured: 4 MiB at most, for 25 clients that hold 100 kB each.
const GROWTH_KIB_MAX: u64 = 32 * 1024;
/// What a served client waits at most beside a flood, on a loaded machine with a debug build.
const SERVED_WITHIN: Duration = Duration::from_secs(20);

/// A stranger's message from another network arrives and is read, in time.
pub fn others_are_served(server: &Facteur, subject: &str) -> io::Result<()> {
    let begun = Instant::now();
    let who = server.describe.person("toto-jp").clone();
    let mut smtp = Smtp::stranger(server, "mx", "inside")?;
    smtp.message("a@client.example", &[&who.address], &letter("a@client.example", &who.address, subject))?
        .expect(250)?;
    let mut imap = Imap::person(server, "inside", &who)?;
    let response = imap.command("STATUS INBOX (MESSAGES)")?.ok()?;
    assert!(response.lines().iter().any(|line| line.contains("MESSAGES")), "{response:?}");
    assert!(begun.elapsed() < SERVED_WITHIN, "the others waited {:?}", begun.elapsed());
    Ok(())
}

/// How much memory an attack cost at its height.
pub fn growth_kib(server: &Facteur, attack: impl FnOnce() -> io::Result<()>) -> io::Result<u64> {
    // Whoever logs in beside the attack did so before: what hashing a password costs is not the attacker's.
    wire::many_files();
    others_are_served(server, "before")?;
    server.forget_peak();
    let (before, _) = server.resident_kib();
    attack()?;
    let (_, most) = server.resident_kib();
    println!("{before} KiB before, {most} KiB at most");
    Ok(most.saturating_sub(before))
}

#[track_caller]
pub fn bounded(name: &str, kib: u64) {
    println!("{name}: {kib} KiB");
    assert!(kib < GROWTH_KIB_MAX, "{name} cost {kib} KiB");
}

/// Writes until everything is out or the server has had enough.
pub fn pour(stream: &TcpStream, piece: &[u8], times: usize) -> usize {
    let mut stream = stream;
    (0..times).take_while(|_| stream.write_all(piece).is_ok()).count()
}

#[test]
fn a_line_of_100_mb_is_refused_and_costs_little() -> Outcome {
    let server = Facteur::start("nantes");
    let kib = growth_kib(&server, || {
        let mut smtp = Smtp::stranger(&server, "mx", "outside")?;
        let socket = smtp.wire().socket().try_clone()?;
        std::thread::scope(|scope| {
            let writer = scope.spawn(move || pour(&socket, &[b'x'; 100_000], 1000));
            others_are_served(&server, "beside")?;
            let written = writer.join().expect("writing does not panic");
            if written == 1000 {
                smtp.send(b"\r\n")?;
            }
            let reply = smtp.reply()?;
            assert!([421, 500].contains(&reply.code), "{reply:?}");
            println!("{written} of 1000 pieces of 100 kB were read before {reply:?}");
            Ok(())
        })
    })?;
    bounded("a line of 100 MB", kib);
    Ok(())
}

#[test]
fn a_line_of_100_mb_in_a_message_is_refused_and_costs_little() -> Outcome {
    let server = Facteur::start("nantes");
    let kib = growth_kib(&server, || {
        let mut smtp = Smtp::stranger(&server, "mx", "outside")?;
        smtp.mail("a@client.example")?.expect(250)?;
        smtp.rcpt("Jean.Toto@univ-nantes.fr")?.expect(250)?;
        smtp.command("DATA")?.expect(354)?;
        let socket = smtp.wire().socket().try_clone()?;
        assert_eq!(pour(&socket, &[b'x'; 100_000], 1000), 1000, "past its size a message is read to its end");
        smtp.send(b"\r\n.\r\n")?;
        let reply = smtp.reply()?;
        assert!([500, 552, 554].contains(&reply.code), "{reply:?}");
        // Ten times the size is where patience ends.
        smtp.message(
            "a@client.example",
            &["Jean.Toto@univ-nantes.fr"],
            &letter("a@client.example", "x@y.example", "ok"),
        )?
        .expect(250)?;
        Ok(())
    })?;
    bounded("a line of 100 MB in DATA", kib);
    Ok(())
}

#[test]
fn ten_times_the_size_is_cut_with_421() -> Outcome {
    let server = Facteur::start("nantes");
    let kib = growth_kib(&server, || {
        let mut smtp = Smtp::stranger(&server, "mx", "outside")?;
        smtp.mail("a@client.example")?.expect(250)?;
        smtp.rcpt("Jean.Toto@univ-nantes.fr")?.expect(250)?;
        smtp.command("DATA")?.expect(354)?;
        let socket = smtp.wire().socket().try_clone()?;
        let piece = [b"x".repeat(98), b"\r\n".to_vec()].concat().repeat(1000);
        let written = pour(&socket, &piece, 3000);
        assert!(written < 3000, "300 MB were read for 20");
        let reply = smtp.reply()?;
        assert_eq!(reply.code, 421, "{reply:?}");
        Ok(())
    })?;
    bounded("a message without end", kib);
    Ok(())
}

#[test]
fn ten_thousand_pipelined_commands_get_a_reply_each_until_the_server_tires() -> Outcome {
    let server = Facteur::start("nantes");
    let kib = growth_kib(&server, || {
        for command in ["NOOP", "RSET", "MAIL FROM:<a@client.example>", "NONSENSE"] {
            let mut smtp = Smtp::stranger(&server, "mx", "outside")?;
            let socket = smtp.wire().socket().try_clone()?;
            let all = format!("{command}\r\n").repeat(10_000);
            let writer = std::thread::spawn(move || pour(&socket, all.as_bytes(), 1));
            let mut replies = 0;
            let last = loop {
                let reply = smtp.reply()?;
                replies += 1;
                if reply.code == 421 || replies == 10_000 {
                    break reply;
                }
            };
            writer.join().expect("writing does not panic");
            println!("{command}: {replies} replies, the last {last:?}");
            assert_eq!(last.code, 421, "a client that brings no mail is cut: {last:?}");
        }
        others_are_served(&server, "after")
    })?;
    bounded("10,000 pipelined commands", kib);
    Ok(())
}

#[test]
fn ten_thousand_pipelined_recipients_get_a_reply_each() -> Outcome {
    let server = Facteur::start("nantes");
    let kib = growth_kib(&server, || {
        let mut smtp = Smtp::stranger(&server, "mx", "outside")?;
        smtp.mail("a@client.example")?.expect(250)?;
        let mut socket = smtp.wire().socket().try_clone()?;
        let all = "RCPT TO:<Jean.Toto@univ-nantes.fr>\r\n".repeat(10_000);
        let writer = std::thread::spawn(move || socket.write_all(all.as_bytes()));
        for number in 0..10_000 {
            let reply = smtp.reply()?;
            assert_eq!(reply.code, 250, "the same address again changes nothing: {number} {reply:?}");
        }
        writer.join().expect("writing does not panic")?;
        smtp.data(&letter("a@client.example", "x@y.example", "once"))?.expect(250)?;
        Ok(())
    })?;
    let who = server.describe.person("toto-j").clone();
    assert_eq!(Imap::person(&server, "inside", &who)?.count("INBOX")?, 1);
    bounded("10,000 pipelined recipients", kib);
    Ok(())
}

#[test]
fn clients_that_stall_in_a_message_hold_nobody_up() -> Outcome {
    let server = Facteur::start("nantes");
    let mut stalled = Vec::new();
    let kib = growth_kib(&server, || {
        for _ in 0..25 {
            let mut smtp = Smtp::stranger(&server, "mx", "outside")?;
            smtp.mail("a@client.example")?.expect(250)?;
            smtp.rcpt("Jean.Toto@univ-nantes.fr")?.expect(250)?;
            smtp.command("DATA")?.expect(354)?;
            smtp.send(&[b"x".repeat(98), b"\r\n".to_vec()].concat().repeat(1000))?;
            stalled.push(smtp);
        }
        others_are_served(&server, "beside")
    })?;
    bounded("25 clients that stall in DATA with 100 kB each", kib);
    drop(stalled);
    others_are_served(&server, "after")?;
    let who = server.describe.person("toto-j").clone();
    assert_eq!(Imap::person(&server, "inside", &who)?.count("INBOX")?, 0, "half a message is no message");
    Ok(())
}

#[test]
fn a_flood_of_connections_is_turned_away_by_name_and_the_others_are_served() -> Outcome {
    let server = Facteur::start("nantes");
    let mut held = Vec::new();
    let (mut greeted, mut refused) = (0, 0);
    let kib = growth_kib(&server, || {
        for _ in 0..1000 {
            let to = server.describe.listener("mx").addr;
            let mut wire = Wire::plain(wire::connect(to, server.describe.network("outside").source)?);
            let line = wire.line()?;
            match line.get(..3) {
                Some("220") => greeted += 1,
                Some("421" | "451" | "450" | "554") => {
                    refused += 1;
                    assert!(line.contains(&server.describe.plan), "a refusal names the plan: {line}");
                }
                _ => panic!("{line}"),
            }
            held.push(wire);
        }
        others_are_served(&server, "beside")
    })?;
    println!("{greeted} greeted, {refused} turned away");
    assert_eq!(greeted, 30, "as many at once as the policy says");
    bounded("1,000 connections", kib);
    drop(held);
    others_are_served(&server, "after")?;
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}
