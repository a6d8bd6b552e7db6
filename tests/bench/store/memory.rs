//! `memory`: long messages stream in over many connections at once, through spills; the most memory that takes.

use store::{Options, RecordEnvelope, Store};

use crate::arguments::Arguments;
use crate::folder::Scratch;
use crate::load::{PEOPLE, create_people, delivery, text};
use crate::measure::{forget_peak, peak_mib, timed};
use crate::table::figure;

/// What a connection reads at once.
const READ_BYTES: usize = 64 << 10;

pub fn run(arguments: &Arguments) {
    let scratch = Scratch::new(arguments.folder());
    let (connections, megabytes) = (arguments.number("connections", 100), arguments.number("megabytes", 20));
    let store = Store::open(scratch.path(), Options::default()).expect("a folder of our own");
    create_people(&store, PEOPLE);
    text(READ_BYTES);
    println!("connections  peak MiB  above rest  seconds  MB/s   each {megabytes} MB");
    for connections in [1, connections.div_ceil(10), connections] {
        forget_peak();
        let rest = peak_mib();
        let (took, ()) = timed(|| stream(&store, connections, megabytes << 20));
        let (peak, seconds) = (peak_mib(), took.as_secs_f64());
        println!(
            "{connections:>11}  {:>8}  {:>10}  {:>7}  {:>4}",
            figure(peak),
            figure(peak - rest),
            figure(seconds),
            figure((connections * megabytes) as f64 / seconds)
        );
    }
}

fn stream(store: &Store, connections: u64, octets: u64) {
    std::thread::scope(|scope| {
        for connection in 0..connections {
            scope.spawn(move || {
                // A connection has a buffer of its own.
                let buffer = text(READ_BYTES).to_vec();
                let mut spill = store.spill().expect("a spill file");
                while spill.len() < octets {
                    spill.append(&buffer).expect("room on the device");
                }
                let body = store.put_body_from_spill(&RecordEnvelope::default(), b"Received: x\r\n", &spill);
                let number = connection | connections << 32;
                let op = delivery(number, [connection % PEOPLE], body.expect("a body"));
                store.commit_wait(vec![op]).expect("a delivery");
            });
        }
    });
}
