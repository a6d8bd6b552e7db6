//! SIGKILL under load, again and again: an acknowledged message is in each of its mailboxes exactly once.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use tests::random::Random;
use tests::scratch::Scratch;
use tests::{Facteur, Imap, Options, Outcome, Smtp, program};

/// In the long form of the part, ten times as many.
const KILLS: usize = 50;
const CONNECTIONS: usize = 6;
/// The killer waits for one of the first so many acknowledgements of its round.
const ACKNOWLEDGED_BEFORE_MAX: u64 = 40;
/// And then for less than this.
const DELAY_MS_MAX: u64 = 51;

/// Message and mailbox: one copy that must be there.
type Copy = (String, String);

fn person(number: usize) -> String {
    format!("user{:04}", number % CONNECTIONS + 1)
}

/// One connection: messages without end, each to one or two people, until the server dies.
fn send(server: &Facteur, round: usize, me: usize, open: &AtomicBool, acknowledged: &Sender<Copy>) -> io::Result<()> {
    let mut smtp = Smtp::stranger(server, "mx", "outside")?;
    for number in 0_usize.. {
        let id = format!("r{round}-c{me}-n{number}");
        let readers: BTreeSet<String> = (0..=number % 2).map(|step| person(me + step)).collect();
        smtp.mail("load@client.example")?.expect(250)?;
        open.store(true, Ordering::SeqCst);
        for reader in &readers {
            smtp.rcpt(&format!("{reader}@example.org"))?.expect(250)?;
        }
        // Now and then one that is longer than what is kept in memory.
        let body = "0123456789abcdef\r\n".repeat(if number % 16 == 7 { 20_000 } else { 40 });
        let reply = smtp.data(&format!("Subject: {id}\r\n\r\n{body}"))?;
        open.store(false, Ordering::SeqCst);
        reply.expect(250)?;
        for reader in readers {
            // The killer may be gone; the acknowledgement then comes after the kill was sent and still counts.
            let _ = acknowledged.send((id.clone(), reader));
        }
    }
    Ok(())
}

/// The connection of a mail program: messages without end by APPEND, all for one person.
fn append(server: &Facteur, round: usize, me: usize, open: &AtomicBool, acknowledged: &Sender<Copy>) -> io::Result<()> {
    let reader = person(me);
    let mut imap = Imap::connect(server, "imaps", "outside")?;
    imap.command(&format!("LOGIN {reader} pass"))?.ok()?;
    for number in 0_usize.. {
        let id = format!("r{round}-a{me}-n{number}");
        open.store(true, Ordering::SeqCst);
        let response = imap.append("INBOX", format!("Subject: {id}\r\n\r\n{}", "append\r\n".repeat(100)).as_bytes())?;
        open.store(false, Ordering::SeqCst);
        response.ok()?;
        let _ = acknowledged.send((id, reader.clone()));
    }
    Ok(())
}

/// Waits for a random acknowledgement, then for a random moment, and kills. Whether a transaction was open.
fn kill(server: &Facteur, random: &mut Random, open: &[AtomicBool], from: &Receiver<Copy>, to: &mut Vec<Copy>) -> bool {
    for _ in 0..=random.below(ACKNOWLEDGED_BEFORE_MAX) {
        to.push(from.recv_timeout(Duration::from_secs(60)).expect("the server acknowledges under load"));
    }
    let deadline = Instant::now() + Duration::from_millis(random.below(DELAY_MS_MAX));
    loop {
        match from.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(copy) => to.push(copy),
            Err(RecvTimeoutError::Timeout) => break,
            Err(RecvTimeoutError::Disconnected) => panic!("every connection ended before the kill"),
        }
    }
    let hit = open.iter().any(|open| open.load(Ordering::SeqCst));
    rustix::process::kill_process(server.pid(), rustix::process::Signal::KILL).expect("the server runs");
    hit
}

/// How often each message is in each mailbox.
fn copies(server: &Facteur) -> io::Result<BTreeMap<Copy, usize>> {
    let mut copies = BTreeMap::new();
    for number in 0..CONNECTIONS {
        let reader = person(number);
        let mut imap = Imap::connect(server, "imaps", "outside")?;
        imap.command(&format!("LOGIN {reader} pass"))?.ok()?;
        imap.command("EXAMINE INBOX")?.ok()?;
        let response = imap.command("UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])")?.ok()?;
        for line in response.lines() {
            let Some((_, rest)) = line.split_once("Subject: ") else { continue };
            let id = rest.split("\r\n").next().unwrap_or_default().to_string();
            *copies.entry((id, reader.clone())).or_default() += 1;
        }
    }
    Ok(copies)
}

#[track_caller]
fn judge(copies: &BTreeMap<Copy, usize>, acknowledged: &[Copy], round: usize) {
    let lost: Vec<&Copy> = acknowledged.iter().filter(|copy| !copies.contains_key(*copy)).collect();
    assert!(lost.is_empty(), "after kill {round}, {} of {} lost: {lost:?}", lost.len(), acknowledged.len());
    let doubled: Vec<_> = copies.iter().filter(|(_, times)| **times > 1).collect();
    assert!(doubled.is_empty(), "after kill {round}, doubled: {doubled:?}");
}

#[test]
fn after_fifty_kills_under_load_each_acknowledged_message_is_there_once() -> Outcome {
    let scratch = Scratch::new("crash");
    let mut random = Random::seeded("crash");
    let start = || {
        let options = Options { people: CONNECTIONS as u32, data: Some(scratch.join("data")), ..Options::default() };
        Facteur::start_with(&program::top().join("policies/bench"), options)
    };
    let kills = if std::env::var("FACTEUR_LONG").is_ok() { 10 * KILLS } else { KILLS };
    let (mut acknowledged, mut hits) = (Vec::new(), 0);
    let mut server = start();
    for round in 1..=kills {
        let open: Vec<AtomicBool> = (0..CONNECTIONS).map(|_| AtomicBool::new(false)).collect();
        let (tell, told) = channel();
        let hit = std::thread::scope(|scope| {
            for (me, open) in open.iter().enumerate() {
                let (server, tell) = (&server, tell.clone());
                // It ends with the connection that the kill cuts.
                let work = if me == 0 { append } else { send };
                scope.spawn(move || work(server, round, me, open, &tell).err());
            }
            kill(&server, &mut random, &open, &told, &mut acknowledged)
        });
        drop(tell);
        acknowledged.extend(told.iter());
        hits += usize::from(hit);
        server.kill();
        server = start();
        judge(&copies(&server)?, &acknowledged, round);
    }
    println!(
        "{kills} kills, {hits} in an open transaction, {} copies acknowledged, none lost or doubled",
        acknowledged.len()
    );
    assert!(hits * 2 >= kills, "only {hits} of {kills} kills hit an open transaction");
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}
