//! How fast and how cheap deliveries are: `cargo run --release -p store --example store_bench -- [SECONDS] [FOLDER]`.
//!
//! The workload of the design's targets: lognormal sizes (median 10 KB, mean 44 KB, cap 5 MB), 1 to 3 recipients (mean
//! 1.4) of 10,000 mailboxes, 300 octets of summary, from 1, 8 and 64 producers that each wait for their delivery.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mail::mime::SummaryParts;
use mail::{Flags, Login, Person};
use store::{Deliver, InternalDate, Op, Options, Store, Summary, Target, UidSet};

const PEOPLE: u64 = 10_000;
const SIZE_MAX: usize = 5 << 20;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let seconds: u64 = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(10);
    let folder = arguments.next().map_or_else(|| std::env::temp_dir().join("facteur-store-bench"), Into::into);
    let _ = std::fs::remove_dir_all(&folder);
    let store = Store::open(&folder, Options::default()).expect("a folder of our own");
    let started = Instant::now();
    create_people(&store);
    println!("{PEOPLE} people in {:.2} s", started.elapsed().as_secs_f64());
    let content: Vec<u8> = (0..SIZE_MAX).map(|n| b' ' + (n % 90) as u8).collect();
    println!(
        "producers  deliveries/s  copies/s  CPU µs/delivery  flushes/delivery  WAL/payload  checkpoints  MB/s  RSS MB"
    );
    for producers in [1, 8, 64] {
        run(&store, &content, producers, Duration::from_secs(seconds));
    }
    one_file_per_message(&folder.join("baseline"), &content, 64, Duration::from_secs(seconds));
    reading(&store);
    drop(store);
    reopening(&folder);
    let _ = std::fs::remove_dir_all(&folder);
}

fn create_people(store: &Store) {
    let people: Vec<u64> = (0..PEOPLE).collect();
    for slice in people.chunks(500) {
        let ops = slice.iter().map(|n| {
            let person = Person {
                login: login(*n),
                first: "Jean".to_owned(),
                last: "Toto".to_owned(),
                address: format!("user{n:05}@example.org").parse().expect("an address"),
                profile: "standard".to_owned(),
                unit: "bench".to_owned(),
                home: None,
                quota_octets: 1 << 40,
            };
            Op::UpsertPerson { person: Box::new(person), verifier: None, mailboxes: Vec::new() }
        });
        store.commit_wait(ops.collect()).expect("new people");
    }
}

fn login(n: u64) -> Login {
    Login::new(&format!("user{n:05}")).expect("a login")
}

fn run(store: &Store, content: &[u8], producers: u64, length: Duration) {
    let (stop, delivered, payload) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let (before, cpu_before, written_before) = (store.metrics().now(), cpu_us(), written_bytes());
    let started = Instant::now();
    std::thread::scope(|scope| {
        for producer in 0..producers {
            let (stop, delivered, payload) = (&stop, &delivered, &payload);
            scope.spawn(move || {
                let mut random = Random(0x9E37_79B9_7F4A_7C15 ^ (producer << 40) ^ (producers << 20) ^ 1);
                while !stop.load(Ordering::Relaxed) {
                    let size = random.size();
                    deliver(store, &content[..size], &mut random);
                    delivered.fetch_add(1, Ordering::Relaxed);
                    payload.fetch_add(size as u64, Ordering::Relaxed);
                }
            });
        }
        std::thread::sleep(length);
        stop.store(true, Ordering::Relaxed);
    });
    let elapsed = started.elapsed().as_secs_f64();
    let (after, cpu, written) = (store.metrics().now(), cpu_us() - cpu_before, written_bytes() - written_before);
    let (n, payload) = (delivered.into_inner() as f64, payload.into_inner() as f64);
    let flushes = (after.flushes_wal - before.flushes_wal)
        + (after.flushes_segment - before.flushes_segment)
        + (after.flushes_checkpoint - before.flushes_checkpoint);
    println!(
        "{producers:>9}  {:>12.0}  {:>8.0}  {:>15.0}  {:>16.3}  {:>11.2}  {:>11}  {:>4.0}  {:>6}   device/payload {:.2}",
        n / elapsed,
        (after.deliveries - before.deliveries) as f64 / elapsed,
        cpu as f64 / n,
        flushes as f64 / n,
        (after.wal_bytes - before.wal_bytes) as f64 / payload,
        after.checkpoints - before.checkpoints,
        payload / elapsed / 1e6,
        resident_mb(),
        written as f64 / payload,
    );
}

/// What maildir does, for the ratio: a file of its own for each copy, flushed, renamed, its folder flushed.
fn one_file_per_message(folder: &Path, content: &[u8], producers: u64, length: Duration) {
    let (stop, delivered) = (AtomicBool::new(false), AtomicU64::new(0));
    (0..64).for_each(|n| std::fs::create_dir_all(folder.join(n.to_string())).expect("a folder"));
    let (started, cpu_before) = (Instant::now(), cpu_us());
    std::thread::scope(|scope| {
        for producer in 0..producers {
            let (stop, delivered) = (&stop, &delivered);
            scope.spawn(move || {
                let mut random = Random(0x9E37_79B9_7F4A_7C15 ^ (producer << 40) ^ (producers << 20) ^ 1);
                while !stop.load(Ordering::Relaxed) {
                    let size = random.size();
                    for _ in 0..random.recipients() {
                        let mailbox = folder.join((random.next() % 64).to_string());
                        let (new, done) =
                            (mailbox.join(format!("tmp{producer}")), mailbox.join(random.next().to_string()));
                        let mut file = File::create(&new).expect("a file");
                        file.write_all(&content[..size]).and_then(|()| file.sync_data()).expect("a body");
                        std::fs::rename(new, done).expect("a rename");
                        File::open(&mailbox).and_then(|folder| folder.sync_all()).expect("a flush");
                    }
                    delivered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        std::thread::sleep(length);
        stop.store(true, Ordering::Relaxed);
    });
    let (elapsed, n) = (started.elapsed().as_secs_f64(), delivered.into_inner() as f64);
    println!(
        "one file per copy, {producers} producers: {:.0} deliveries/s, {:.0} CPU µs each",
        n / elapsed,
        (cpu_us() - cpu_before) as f64 / n
    );
    let _ = std::fs::remove_dir_all(folder);
}

fn deliver(store: &Store, content: &[u8], random: &mut Random) {
    let body =
        store.put_body_for(&store::RecordEnvelope::default(), b"Received: from bench\r\n", &[content]).expect("a body");
    let recipients = random.recipients();
    let mut delivery_id = [0; 16];
    delivery_id[..8].copy_from_slice(&since_1970_ns().to_be_bytes());
    delivery_id[8..].copy_from_slice(&random.next().to_be_bytes());
    let summary = Summary {
        envelope_imap: vec![b'e'; 120],
        bodystructure_imap: vec![b's'; 60],
        body_imap: vec![b'b'; 50],
        preview: "p".repeat(40),
        subject: "s".repeat(30),
        ..Summary::default()
    };
    let deliver = Deliver {
        delivery_id,
        recipients: (0..recipients).map(|_| (login(random.next() % PEOPLE), Target::Inbox)).collect(),
        body,
        summary,
        internal_date: InternalDate { seconds: 1_700_000_000, offset_minutes: 60 },
        flags: Flags::default(),
    };
    store.commit_wait(vec![Op::Deliver(Box::new(deliver))]).expect("a delivery");
}

/// Listing of the fullest way one mailbox can be read: 100,000 messages that share a body.
fn reading(store: &Store) {
    let inbox = store.mailbox(&login(0), &mail::MailboxName::inbox()).expect("a read").expect("INBOX").id;
    let body = store.put_body(&[b"shared"]).expect("a body");
    for slice in 0..100u64 {
        let ops = (0..1000u64).map(|n| {
            let mut delivery_id = [0xff; 16];
            delivery_id[8..].copy_from_slice(&(slice * 1000 + n).to_be_bytes());
            Op::Deliver(Box::new(Deliver {
                delivery_id,
                recipients: vec![(login(0), Target::Inbox)],
                body: body.clone(),
                summary: Summary { envelope_imap: vec![b'e'; 300], ..Summary::default() },
                internal_date: InternalDate::default(),
                flags: Flags::default(),
            }))
        });
        store.commit_wait(ops.collect()).expect("a delivery");
    }
    let time = |what: &str, work: &dyn Fn() -> usize| {
        work();
        let started = Instant::now();
        let rows = work();
        println!("{what}: {rows} rows in {:.3} ms", started.elapsed().as_secs_f64() * 1e3);
    };
    let info = || store.mailbox_by_id(inbox).expect("a read").expect("INBOX");
    time("STATUS", &|| info().counts.messages as usize / info().counts.messages as usize);
    time("rows of a whole mailbox", &|| store.messages(inbox, &UidSet::all()).expect("a read").len());
    let newest = info().uidnext;
    let last = UidSet::from_ranges([newest - 50..=newest]);
    time("newest 50 summaries", &|| store.summaries(inbox, &last, SummaryParts::ENVELOPE, 50).expect("a read").len());
    let since = info().highestmodseq - 3;
    time("changes since 3 arrivals ago", &|| {
        store.changes_since(inbox, since).expect("a read").expect("INBOX").messages.len()
    });
}

fn reopening(folder: &Path) {
    let started = Instant::now();
    let store = Store::open(folder, Options::default()).expect("the same folder");
    println!("reopened in {:.0} ms", started.elapsed().as_secs_f64() * 1e3);
    let started = Instant::now();
    let report = store.verify().expect("a verification");
    println!(
        "verified {} messages, {} findings, {:.1} s",
        report.messages,
        report.findings.len(),
        started.elapsed().as_secs_f64()
    );
}

/// xorshift; the figures do not need better.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64 + 1e-12
    }

    /// Mean 1.4: 1 in 70 %, 2 in 20 %, 3 in 10 % of the cases.
    fn recipients(&mut self) -> u64 {
        match self.next() % 10 {
            0 => 3,
            1 | 2 => 2,
            _ => 1,
        }
    }

    /// Box and Muller; sigma so that the mean is 4.4 times the median.
    fn size(&mut self) -> usize {
        let gauss = (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos();
        ((10_240.0 * (1.721 * gauss).exp()) as usize).clamp(200, SIZE_MAX)
    }
}

fn since_1970_ns() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}

/// User and system time of this process; the kernel counts in hundredths of a second.
fn cpu_us() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| after_name.get(at).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    (ticks(11) + ticks(12)) * 10_000
}

fn field(file: &str, key: &str) -> u64 {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn written_bytes() -> u64 {
    field("/proc/self/io", "write_bytes:")
}

fn resident_mb() -> u64 {
    field("/proc/self/status", "VmRSS:") / 1024
}
