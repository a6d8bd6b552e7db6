//! `many`: a store of many messages beside an empty one, in alternating rounds of one run.
//!
//! The large store is filled in sweeps over all accounts, a few dozen messages to each, so that its trees are as uneven as
//! those of a store that grew over years. Each message has a body of its own in the segments.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mail::MailboxName;
use mail::mime::SummaryParts;
use store::{Op, Options, Store, UidSet};

use crate::arguments::Arguments;
use crate::folder::{self, Scratch};
use crate::load::{self, Random, create_people, delivery, login};
use crate::measure::{median, percentile, timed};
use crate::produce::produce;
use crate::table::Table;

/// Messages of one person in one sweep, and people of one commit.
const BURST: u64 = 40;
const PEOPLE_AT_ONCE: u64 = 25;
/// Mailboxes that both stores have alike, for SELECT.
const ALIKE: u64 = 40;

pub fn run(arguments: &Arguments) {
    let scratch = Scratch::new(arguments.folder());
    let messages = arguments.number("messages", 20_000_000);
    let (large_path, empty_path) = (scratch.path().join("large"), scratch.path().join("empty"));
    let open = |path: &Path| Store::open(path, Options::default()).expect("a folder of our own");
    let (large, empty) = (open(&large_path), open(&empty_path));
    create_people(&large, load::PEOPLE);
    create_people(&empty, load::PEOPLE);
    let each = (messages / load::PEOPLE).max(1);
    fill(&large, &large_path, 0..load::PEOPLE, each);
    fill(&empty, &empty_path, 0..ALIKE, each);
    // Else the search index of the one still has work when that of the other has none.
    let (took, _) = timed(|| large.settle_search() && empty.settle_search());
    println!("the search index came after in {:.0} s", took.as_secs_f64());
    let mut table = Table::new(["large", "empty"]);
    for round in 0..arguments.rounds(3) {
        for side in [round % 2, 1 - round % 2] {
            let store = if side == 0 { &large } else { &empty };
            ingest(store, side as usize, arguments.seconds(10), &mut table);
            select(store, side as usize, round, &mut table);
        }
    }
    table.print(&format!("a store of {} messages beside an empty one (target: within 1.5)", each * load::PEOPLE));
    drop(large);
    let (took, large) = timed(|| open(&large_path));
    println!("opened again in {:.0} ms", took.as_secs_f64() * 1e3);
    drop(large);
}

/// `each` messages to each of these people.
fn fill(store: &Store, path: &Path, people: std::ops::Range<u64>, each: u64) {
    let (total, done) = (each * (people.end - people.start), AtomicU64::new(0));
    let (started, mut said) = (Instant::now(), Instant::now());
    let mut sent = 0;
    while sent < each {
        let burst = BURST.min(each - sent);
        let all: Vec<u64> = people.clone().collect();
        for some in all.chunks(PEOPLE_AT_ONCE as usize) {
            let ops = some.iter().flat_map(|person| (sent..sent + burst).map(|n| small(store, *person, n)));
            let ops: Vec<Op> = ops.collect();
            done.fetch_add(ops.len() as u64, Ordering::Relaxed);
            // Not waited for: the writer has the next commit at hand while the bodies of the one after are written.
            commit(store, ops);
            if said.elapsed() > Duration::from_secs(20) {
                said = Instant::now();
                report(path, done.load(Ordering::Relaxed), total, started);
            }
        }
        sent += burst;
    }
    // The writer takes what it is given in order: this one is the last.
    store.commit_wait(vec![Op::Setting { key: "bench".to_owned(), value: None }]).expect("a commit");
    report(path, total, total, started);
}

fn small(store: &Store, person: u64, n: u64) -> Op {
    let number = person << 32 | n;
    let text = format!("Subject: {number}\r\n\r\nA short message, and the next is another.\r\n");
    delivery(number, [person], store.put_body(&[text.as_bytes()]).expect("a body"))
}

/// Waits when the queue is full, for the commits before it.
fn commit(store: &Store, ops: Vec<Op>) {
    use std::sync::mpsc::sync_channel;
    thread_local! {
        static BEFORE: std::cell::RefCell<Option<std::sync::mpsc::Receiver<()>>> = const { std::cell::RefCell::new(None) };
    }
    let (sender, receiver) = sync_channel(1);
    let before = BEFORE.replace(Some(receiver));
    store.commit(
        ops,
        Box::new(move |answer| {
            answer.expect("deliveries");
            let _ = sender.send(());
        }),
    );
    if let Some(before) = before {
        let _ = before.recv();
    }
}

fn report(path: &Path, done: u64, total: u64, started: Instant) {
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{done} of {total} messages, {:.0} s, {:.0}/s, {} MiB on the device",
        seconds,
        done as f64 / seconds,
        folder::octets(path) >> 20
    );
}

fn ingest(store: &Store, side: usize, seconds: Duration, table: &mut Table) {
    for producers in [8, 64] {
        let round = produce(producers, seconds, |_, random| load::deliver(store, random));
        table.add(side, &format!("deliveries/s, {producers} producers"), round.per_second());
        table.add(side, &format!("CPU µs per delivery, {producers} producers"), round.cpu_us_each());
        table.add(side, &format!("device octets / payload, {producers}"), round.write_amplification());
        table.add(side, &format!("p99 latency ms, {producers} producers"), round.latency_ms(0.99));
    }
}

/// Mailboxes that are alike in both: all rows, and what a client shows first.
fn select(store: &Store, side: usize, round: u64, table: &mut Table) {
    let mut random = Random::of(round);
    let (mut selects, mut rows, mut newest) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..200 {
        let login = login(random.next() % ALIKE);
        let (took, mailbox) = timed(|| {
            let mailbox = store.mailbox(&login, &MailboxName::inbox()).expect("a read").expect("INBOX");
            store.listing(mailbox.id, mailbox.highestmodseq).expect("a read");
            mailbox
        });
        selects.push(took.as_micros() as u32);
        let (took, _) = timed(|| store.select(&login, &MailboxName::inbox()).expect("a read").expect("INBOX"));
        rows.push(took.as_micros() as u32);
        let uids = UidSet::from_ranges([mailbox.uidnext.saturating_sub(50)..=mailbox.uidnext]);
        let read = || store.summaries(mailbox.id, &uids, SummaryParts::ENVELOPE, 50).expect("a read");
        newest.push(f64::from(timed(read).0.as_micros() as u32));
    }
    for (what, mut all) in [("SELECT", selects), ("all rows of a mailbox", rows)] {
        all.sort_unstable();
        table.add(side, &format!("{what}, µs p50"), percentile(&all, 0.5));
        table.add(side, &format!("{what}, µs p99"), percentile(&all, 0.99));
    }
    table.add(side, "envelopes of the newest 50, µs", median(newest));
}
