//! kill -9 at random moments: what was acknowledged is there exactly once, and everything adds up.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use super::*;

const ROUNDS: u64 = 10;
const FOLDER_VARIABLE: &str = "FACTEUR_STORE_CRASH_FOLDER";
const ROUND_VARIABLE: &str = "FACTEUR_STORE_CRASH_ROUND";
const PEOPLE: [&str; 5] = ["a", "b", "c", "d", "e"];

/// Runs this test again as the process that is killed.
#[test]
fn acknowledged_mail_survives_kill_9_exactly_once() {
    if let (Ok(folder), Ok(round)) = (std::env::var(FOLDER_VARIABLE), std::env::var(ROUND_VARIABLE)) {
        deliver_until_killed(&folder, round.parse().unwrap());
        return;
    }
    let folder = Folder::new("crash");
    drop(store_with(&folder, &PEOPLE));
    let mut acknowledged = Vec::new();
    let mut random = 0x9E37_79B9_7F4A_7C15u64;
    for round in 1..=ROUNDS {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        acknowledged.extend(run_and_kill(&folder, round, random % 150));
        let store = folder.open();
        assert_sound(&store);
        assert_delivered_once(&store, &acknowledged);
    }
    assert!(acknowledged.len() > 100, "only {} acknowledged", acknowledged.len());
}

/// Starts a child, kills it after `acks` acknowledgements, gives all it printed.
fn run_and_kill(folder: &Folder, round: u64, acks: u64) -> Vec<u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["tests::crash::acknowledged_mail_survives_kill_9_exactly_once", "--exact", "--nocapture"])
        .env(FOLDER_VARIABLE, folder.path())
        .env(ROUND_VARIABLE, round.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut seen = Vec::new();
    let mut killed = false;
    for line in lines.map_while(Result::ok) {
        let Some(n) = line.split("ack ").nth(1) else { continue };
        // A line cut by the kill was not heard by anybody.
        let Some(n) = n.strip_suffix('.') else { continue };
        seen.push(n.parse().unwrap());
        if seen.len() as u64 > acks && !killed {
            child.kill().unwrap();
            killed = true;
        }
    }
    child.wait().unwrap();
    assert!(killed, "the child ended by itself");
    seen
}

fn deliver_until_killed(folder: &str, round: u64) {
    let store = Store::open(folder, Options::default()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4u64 {
            let store = &store;
            scope.spawn(move || {
                for count in 0..1_000_000u64 {
                    let n = (round << 40) | (thread << 32) | count;
                    let text = format!("{n}\n{}", "z".repeat((n % 5000) as usize));
                    let body = store.put_body(&[text.as_bytes()]).unwrap();
                    let (one, other) = (PEOPLE[(n % 5) as usize], PEOPLE[(count / 5 % 5) as usize]);
                    let to = [(one, Target::Inbox), (other, Target::Special(SpecialUse::Junk))];
                    store.commit_wait(vec![deliver(n, &to, &body)]).unwrap();
                    drop(body);
                    std::io::stdout().write_all(format!("ack {n}.\n").as_bytes()).unwrap();
                }
            });
        }
    });
}

fn assert_delivered_once(store: &Store, acknowledged: &[u64]) {
    let mut found: HashMap<u64, usize> = HashMap::new();
    for of in PEOPLE {
        for mailbox in ["INBOX", "Indésirables"] {
            let selected = store.select(&login(of), &name(mailbox)).unwrap().unwrap();
            for message in selected.messages {
                let text = body_text(store, selected.mailbox.id, message.uid);
                *found.entry(text.lines().next().unwrap().parse().unwrap()).or_default() += 1;
            }
        }
    }
    for n in acknowledged {
        assert_eq!(found.get(n), Some(&2), "message {n:x}, one copy in each of two mailboxes");
    }
    assert!(found.values().all(|copies| *copies == 2), "a delivery is whole or not there");
}
