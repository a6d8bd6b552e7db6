//! Measures what waiting costs: `cargo bench -p tests --bench idle`. This process is the client, the server is another one.
//! It prints figures and judges none of them; `tests/bench/README.md` says what they are.

mod clients;
mod memory;
mod wake;

use std::time::Instant;

use tests::scratch::Scratch;
use tests::{Facteur, Options, Outcome, policy_copy, wire};

use clients::Clients;

const USAGE: &str = "cargo bench -p tests --bench idle -- [--connections 10000] [--accounts 100] [--wakes 20]
  opens so many TLS connections to so many mailboxes, each in IDLE, then delivers so many messages";
/// Networks of the policy: no address may hold more than a quarter of all places, and each network is seen as one address.
const NETWORKS: [&str; 6] = ["nearby", "outside", "first", "second", "third", "fourth"];

struct Arguments {
    connections: usize,
    accounts: usize,
    wakes: usize,
}

fn arguments() -> Option<Arguments> {
    let mut arguments = Arguments { connections: 10_000, accounts: 100, wakes: 20 };
    // Cargo adds `--bench` to what it is given.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    for pair in words.chunks(2) {
        let [name, value] = pair else { return None };
        let place = match name.as_str() {
            "--connections" => &mut arguments.connections,
            "--accounts" => &mut arguments.accounts,
            "--wakes" => &mut arguments.wakes,
            _ => return None,
        };
        *place = value.parse().ok().filter(|number| *number > 0)?;
    }
    Some(arguments)
}

fn main() -> Outcome {
    let Some(arguments) = arguments() else {
        println!("{USAGE}");
        return Ok(());
    };
    let scratch = Scratch::new("idle");
    let server = started(&scratch, &arguments);
    wire::many_files();
    let people = clients::people(&server, arguments.accounts);
    // What logging in costs the first time, hashing above all, is not the price of waiting.
    drop(Clients::open(&server, &people, &NETWORKS[..1], people.len().min(64))?);
    memory::settled(&server);
    let before = memory::now(&server);
    println!("at rest           {before}");
    let begun = Instant::now();
    let mut clients = Clients::open(&server, &people, &NETWORKS, arguments.connections)?;
    println!("{} connections in IDLE after {:.1} s", clients.len(), begun.elapsed().as_secs_f64());
    memory::settled(&server);
    let waiting = memory::now(&server);
    println!("waiting           {waiting}");
    println!("each connection   {}", waiting.each(&before, clients.len()));
    wake::measure(&server, &people, &mut clients, arguments.wakes)?;
    memory::settled(&server);
    let after = memory::now(&server);
    println!("after the mail    {after}");
    println!("each connection   {}", after.each(&before, clients.len()));
    drop(clients);
    memory::settled(&server);
    println!("all gone          {}", memory::now(&server));
    for line in server.log_text().lines().filter(|line| line.contains("connections at once")) {
        println!("the server said: {line}");
    }
    Ok(())
}

/// The server on a copy of `policies/bench` with more networks.
fn started(scratch: &Scratch, arguments: &Arguments) -> Facteur {
    let was = "\"nearby\": In([\"192.0.2.0/24\"]), ";
    let more: String =
        (0..).zip(&NETWORKS[2..]).map(|(n, name)| format!("\"{name}\": In([\"10.{n}.0.0/16\"]), ")).collect();
    let policy = policy_copy::changed(scratch, "bench", &[(was, &format!("{was}{more}"))]);
    let people = u32::try_from(arguments.accounts).unwrap_or(u32::MAX);
    Facteur::start_with(&policy, Options { people, ..Options::default() })
}
