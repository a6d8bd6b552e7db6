//! `workload`: the store beside one file per message, in alternating rounds.

use std::sync::atomic::Ordering;
use std::time::Duration;

use store::{MetricsNow, Options, Store};

use crate::arguments::Arguments;
use crate::baseline::Baseline;
use crate::folder::Scratch;
use crate::load;
use crate::measure::timed;
use crate::produce::{Round, produce};
use crate::table::Table;

pub fn run(arguments: &Arguments) {
    let scratch = Scratch::new(arguments.folder());
    let (seconds, rounds) = (arguments.seconds(10), arguments.rounds(3));
    let default = Options::default();
    let wal_bytes_checkpoint = arguments.number("wal", default.wal_bytes_checkpoint >> 20) << 20;
    let options = Options { wal_bytes_checkpoint, ..default };
    let store = Store::open(scratch.path().join("store"), options).expect("a folder of our own");
    load::create_people(&store, load::PEOPLE);
    let baseline = arguments.has_side("files").then(|| Baseline::new(&scratch.path().join("baseline")));
    for producers in arguments.numbers("producers", &[1, 8, 64]) {
        let mut table = Table::new(["store", "one file each"]);
        table.target("CPU µs per delivery", "target: at most 120");
        table.target("device octets / payload", "target: at most 1.7");
        for round in 0..rounds {
            // The other order every second round, so that neither always runs after the other.
            for side in [round % 2, 1 - round % 2] {
                if side == 0 && arguments.has_side("store") {
                    of_store(&store, producers, seconds, &mut table);
                }
                if side == 1
                    && let Some(baseline) = &baseline
                {
                    of_baseline(baseline, producers, seconds, &mut table);
                }
            }
        }
        table.print(&format!("{producers} producers, {rounds} rounds of {} s, medians", seconds.as_secs()));
    }
    verify(&store);
}

fn of_store(store: &Store, producers: u64, seconds: Duration, table: &mut Table) {
    let before = store.metrics().now();
    let round = produce(producers, seconds, |_, random| load::deliver(store, random));
    let after = store.metrics().now();
    let since = |counter: fn(&MetricsNow) -> u64| (counter(&after) - counter(&before)) as f64;
    let flushes = since(|now| now.flushes_wal) + since(|now| now.flushes_segment) + since(|now| now.flushes_checkpoint);
    add(table, 0, &round, flushes / round.deliveries, since(|now| now.deliveries));
    table.add(0, "WAL octets / payload", since(|now| now.wal_bytes) / round.payload_octets);
    table.add(0, "deliveries per group", round.deliveries / since(|now| now.groups));
    table.add(0, "checkpoints", since(|now| now.checkpoints));
    table.add(0, "search index: CPU µs per delivery", round.search_cpu_us_each());
    table.add(0, "search index: octets / payload", round.search_write_amplification());
}

fn of_baseline(baseline: &Baseline, producers: u64, seconds: Duration, table: &mut Table) {
    let before = baseline.copies.load(Ordering::Relaxed);
    let round = produce(producers, seconds, |producer, random| baseline.deliver(producer, random));
    let copies = (baseline.copies.load(Ordering::Relaxed) - before) as f64;
    // The file and its folder.
    add(table, 1, &round, 2.0 * copies / round.deliveries, copies);
}

fn add(table: &mut Table, side: usize, round: &Round, flushes_each: f64, copies: f64) {
    table.add(side, "deliveries/s", round.per_second());
    table.add(side, "copies/s", copies / round.elapsed_s);
    table.add(side, "CPU µs per delivery", round.cpu_us_each());
    table.add(side, "flushes per delivery", flushes_each);
    table.add(side, "device octets / payload", round.write_amplification());
    table.add(side, "latency p50, ms", round.latency_ms(0.5));
    table.add(side, "latency p99, ms", round.latency_ms(0.99));
    table.add(side, "peak memory, MiB", round.peak_mib);
}

/// Speed that loses mail is none.
fn verify(store: &Store) {
    let (took, report) = timed(|| store.verify().expect("a verification"));
    println!(
        "\nverified {} messages in {:.1} s, {} findings",
        report.messages,
        took.as_secs_f64(),
        report.findings.len()
    );
}
