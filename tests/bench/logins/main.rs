//! A login storm: everybody comes back at once after a restart. `cargo bench -p tests --bench logins -- COMMAND`;
//! `tests/bench/README.md` says what it answers. It prints figures and judges none of them.

mod house;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use house::{House, Serving};
use tests::storm::{self, Report, Storm};
use tests::wire::{self, Wire};

const USAGE: &str = "cargo bench -p tests --bench logins -- storm [--people 24000] [--connections 2000]";
/// Between two looks at the MX.
const PROBE_EVERY: Duration = Duration::from_millis(200);

fn main() {
    // Cargo adds `--bench` to what it is given.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let mut words = words.iter().map(String::as_str);
    if words.next() != Some("storm") {
        return println!("{USAGE}");
    }
    let (mut people, mut connections) = (24_000, 2_000);
    while let (Some(name), Some(value)) = (words.next(), words.next().and_then(|value| value.parse().ok())) {
        match name {
            "--people" => people = value,
            "--connections" => connections = value,
            _ => return println!("{USAGE}"),
        }
    }
    wire::many_files();
    let house = House::new(people);
    for (name, kept) in [("cold", 0.0), ("warm", f64::from(people))] {
        let serving = house.serve();
        assert_eq!(serving.metric("facteur_logins_kept"), kept, "{name}");
        let (report, probes) = round(&house, &serving, connections as usize);
        tell(name, &report, &probes, &serving);
        serving.stop();
    }
}

/// One storm, and the MX asked meanwhile.
fn round(house: &House, serving: &Serving, connections: usize) -> (Report, Vec<Option<[Duration; 2]>>) {
    let mx = serving.address("mx").expect("it listens");
    let storm = Storm {
        imaps: serving.address("imaps").expect("it listens"),
        tls: house.tls.clone(),
        logins: house.logins.clone(),
        connections,
        // An address each, 127.16.0.0 onwards.
        source: |number| Ipv4Addr::from_bits(Ipv4Addr::new(127, 16, 0, 1).to_bits() + number as u32),
    };
    storm::beside(
        || storm.run(),
        || {
            let probed = probe(mx, &house.address).ok();
            std::thread::park_timeout(PROBE_EVERY);
            probed
        },
    )
}

/// How long the greeting took, and the answer to RCPT.
fn probe(mx: SocketAddr, address: &str) -> std::io::Result<[Duration; 2]> {
    let begun = Instant::now();
    let mut wire = Wire::plain(wire::connect(mx, Ipv4Addr::LOCALHOST)?);
    let mut ask = |command: &str| -> std::io::Result<()> {
        wire.send(command.as_bytes())?;
        let reply = tests::smtp::read_reply(&mut wire)?;
        if reply.is_ok() { Ok(()) } else { Err(std::io::Error::other(format!("{reply:?}"))) }
    };
    ask("")?;
    let greeted = begun.elapsed();
    ask("EHLO client.example\r\n")?;
    ask("MAIL FROM:<a@client.example>\r\n")?;
    let asked = Instant::now();
    ask(&format!("RCPT TO:<{address}>\r\n"))?;
    Ok([greeted, asked.elapsed()])
}

fn tell(name: &str, report: &Report, probes: &[Option<[Duration; 2]>], serving: &Serving) {
    let part = |of: &[Duration], permille: usize| {
        of.get((of.len() * permille / 1_000).min(of.len().saturating_sub(1))).copied()
    };
    let seconds = |time: Option<Duration>| time.map_or("-".to_owned(), |time| format!("{:.2} s", time.as_secs_f64()));
    println!(
        "{name}: {} in after {:.1} s, told wrong {}",
        report.waits.len(),
        report.lasted.as_secs_f64(),
        report.wrong
    );
    let [half, most] = [500, 990].map(|permille| seconds(part(&report.waits, permille)));
    println!("  in: half within {half}, 99 % within {most}");
    println!(
        "  told to come back {}, connections lost or turned away {} {:?}",
        report.later, report.lost, report.strange
    );
    for (what, number) in [("greeting", 0), ("RCPT", 1)] {
        let mut times: Vec<Duration> = probes.iter().flatten().map(|probe| probe[number]).collect();
        times.sort_unstable();
        let [half, most, all] = [500, 990, 1_000].map(|permille| seconds(part(&times, permille)));
        println!("  MX {what}: p50 {half}, p99 {most}, longest {all} of {}", times.len());
    }
    println!("  MX without an answer: {}", probes.iter().filter(|probe| probe.is_none()).count());
    for how in ["hashed", "shared", "remembered", "shed"] {
        let name = format!("facteur_password_checks_total{{how=\"{how}\"}}");
        println!("  {how}: {}", serving.metric(&name));
    }
    println!("  peak memory: {:.0} MiB", serving.metric("facteur_resident_memory_peak_bytes ") / 1024.0 / 1024.0);
}
