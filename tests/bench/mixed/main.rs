//! Measures many mail programs at work: `cargo bench -p tests --bench mixed`. This process is the clients, the servers are
//! others. It prints figures and judges none of them; `tests/bench/README.md` says what they are.

mod client;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tests::{Facteur, Options, Outcome, wire};

use client::{Account, Client, Door};

const USAGE: &str = "cargo bench -p tests --bench mixed -- [--clients 100] [--seconds 10] [--rounds 3] [--peer HOST:PORT]
  so many clients of 20 accounts give commands of a mail program's mix for so long, in turns on this server and the peer";
/// The peer knows user0001@example.org and so on with the password \"pass\", and is spoken to without TLS.
const ACCOUNTS: usize = 20;
/// Messages each INBOX has before.
const MESSAGES: usize = 200;

struct Arguments {
    clients: usize,
    seconds: u64,
    rounds: usize,
    peer: Option<SocketAddr>,
}

fn arguments() -> Option<Arguments> {
    let mut arguments = Arguments { clients: 100, seconds: 10, rounds: 3, peer: None };
    // Cargo adds `--bench` to what it is given.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    for pair in words.chunks(2) {
        let [name, value] = pair else { return None };
        match name.as_str() {
            "--clients" => arguments.clients = value.parse().ok()?,
            "--seconds" => arguments.seconds = value.parse().ok()?,
            "--rounds" => arguments.rounds = value.parse().ok()?,
            "--peer" => arguments.peer = Some(value.parse().ok()?),
            _ => return None,
        }
    }
    Some(arguments)
}

fn main() -> Outcome {
    let Some(arguments) = arguments() else {
        println!("{USAGE}");
        return Ok(());
    };
    wire::many_files();
    let people = u32::try_from(ACCOUNTS).unwrap_or(u32::MAX);
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies/bench");
    let server = Facteur::start_with(&policy, Options { people, ..Options::default() });
    let of =
        |person: &tests::describe::Person| Account { login: person.login.clone(), password: person.password.clone() };
    let ours: Vec<Account> =
        server.describe.people.iter().filter(|it| it.login.starts_with("user")).take(ACCOUNTS).map(of).collect();
    let mut sides = vec![("facteur", Door::Ours(&server), ours)];
    if let Some(peer) = arguments.peer {
        let theirs = (1..=ACCOUNTS)
            .map(|n| Account { login: format!("user{n:04}@example.org"), password: "pass".to_owned() })
            .collect();
        sides.push(("peer", Door::Peer(peer), theirs));
    }
    for (name, door, accounts) in &sides {
        accounts.iter().try_for_each(|account| client::fill(door, account, MESSAGES))?;
        println!("{name}: {} accounts of {MESSAGES} messages", accounts.len());
    }
    let mut rates = vec![Vec::new(); sides.len()];
    for round in 0..arguments.rounds {
        let mut order: Vec<usize> = (0..sides.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for side in order {
            let (name, door, accounts) = &sides[side];
            let rate = measure(door, accounts, &arguments)?;
            println!("round {}: {name} {rate:.0} commands/s", round + 1);
            rates[side].push(rate);
        }
    }
    let medians: Vec<f64> = rates.iter_mut().map(|rates| median(rates)).collect();
    for ((name, _, _), median) in sides.iter().zip(&medians) {
        println!("{name}: median {median:.0} commands/s");
    }
    if let [ours, theirs] = medians.as_slice() {
        println!("facteur / peer = {:.1}", ours / theirs);
    }
    Ok(())
}

/// Commands a second of all clients together.
fn measure(door: &Door<'_>, accounts: &[Account], arguments: &Arguments) -> std::io::Result<f64> {
    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    // Logging in is another measurement.
    let clients: Vec<Client> = (0..arguments.clients)
        .map(|number| Client::open(door, &accounts[number % accounts.len()], number as u64))
        .collect::<std::io::Result<_>>()?;
    std::thread::scope(|scope| {
        let begun = Instant::now();
        let working: Vec<_> = clients
            .into_iter()
            .map(|mut client| {
                let (stop, done) = (stop.clone(), done.clone());
                scope.spawn(move || -> std::io::Result<()> {
                    while !stop.load(Ordering::Relaxed) {
                        client.command()?;
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok(())
                })
            })
            .collect();
        // Threads of the round before may have left a token: the time is what counts.
        while let Some(left) = Duration::from_secs(arguments.seconds).checked_sub(begun.elapsed()) {
            std::thread::park_timeout(left);
        }
        let rate = done.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64();
        stop.store(true, Ordering::Relaxed);
        for one in working {
            one.join().expect("a client does not panic")?;
        }
        Ok(rate)
    })
}

fn median(rates: &mut [f64]) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or(0.0)
}
