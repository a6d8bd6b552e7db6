//! `reopen`: a child fills a store and goes on delivering until it is killed; then the time to open what it left.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use mail::MailboxName;
use store::{Options, Store};

use crate::arguments::Arguments;
use crate::folder::{self, Scratch};
use crate::load::{self, Random, create_people, login};
use crate::mailbox::fill;
use crate::measure::{median, timed};
use crate::table::figure;

/// Fewer people than the workload has, so that the store is full soon; each gets as many.
const PEOPLE: u64 = 1000;
const PRODUCERS: u64 = 8;
/// Deliveries under load before the child is killed.
const LOAD: u64 = 2000;

pub fn run(arguments: &Arguments) {
    let scratch = Scratch::new(arguments.folder());
    let (messages, rounds) = (arguments.number("messages", 1_000_000), arguments.rounds(3));
    let (mut killed, mut cold, mut usable) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds * 2 {
        // The first child fills the store, the others find it filled.
        kill_under_load(scratch.path(), messages);
        if round % 2 == 1 {
            folder::forget(scratch.path());
        }
        let (took, store) = timed(|| Store::open(scratch.path(), Options::default()).expect("what the child left"));
        let first = timed(|| store.mailbox(&login(0), &MailboxName::inbox()).expect("a read")).0;
        let ms = took.as_secs_f64() * 1e3;
        if round % 2 == 1 {
            cold.push(ms)
        } else {
            killed.push(ms)
        }
        usable.push((took + first).as_secs_f64() * 1e3);
    }
    println!("{messages} messages, {} MiB, medians of {rounds}", folder::octets(scratch.path()) >> 20);
    println!("  opened after kill -9                    {:>10} ms   target: at most 2000 ms", figure(median(killed)));
    println!("  the same, files read from the device    {:>10} ms", figure(median(cold)));
    println!("  opened and the first answer             {:>10} ms", figure(median(usable)));
    let store = Store::open(scratch.path(), Options::default()).expect("what the child left");
    let (took, report) = timed(|| store.verify().expect("a verification"));
    println!("  verified {} messages in {:.1} s", report.messages, took.as_secs_f64());
    println!("  findings: {}", report.findings.len());
}

fn kill_under_load(folder: &Path, messages: u64) {
    let program = std::env::current_exe().expect("this program");
    let mut child: Child = Command::new(program)
        .args(["load", "--messages", &messages.to_string(), "--folder"])
        .arg(folder)
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child");
    let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    for line in lines {
        if line.is_ok_and(|line| line == "now") {
            break;
        }
    }
    child.kill().expect("a running child");
    child.wait().expect("its end");
}

/// The child: fills the store unless it is, then delivers without end and says when it may be killed.
pub fn load(arguments: &Arguments) {
    let store = Store::open(arguments.folder(), Options::default()).expect("the folder of the parent");
    let messages = arguments.number("messages", 0);
    if store.people_count().expect("a read") < load::PEOPLE {
        create_people(&store, load::PEOPLE);
        (0..PEOPLE).for_each(|person| fill(&store, person, messages / PEOPLE));
    }
    std::thread::scope(|scope| {
        for producer in 0..PRODUCERS {
            let store = &store;
            scope.spawn(move || {
                let mut random = Random::of(producer);
                for n in 0u64.. {
                    load::deliver(store, &mut random);
                    if producer == 0 && n == LOAD / PRODUCERS {
                        // Nobody hears it when the parent is gone, and then this ends too.
                        writeln!(std::io::stdout(), "now").expect("a parent");
                        std::io::stdout().flush().expect("a parent");
                    }
                }
            });
        }
    });
}
