//! What snapshots cost: `cargo run --release -p store --example snapshot_bench -- [DELIVERIES] [FOLDER] [SNAPSHOTS]`.
//!
//! Fills a store with the workload of the design's targets (lognormal sizes, 1 to 3 of 2,000 mailboxes, 300 octets of
//! summary), lives through nights with 1 % of the messages changed by flags and 1 % new ones in many mailboxes, compares
//! pages with longer chunks, measures the latency of deliveries with and without a snapshot, then drill, restore and purge.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mail::mime::SummaryParts;
use mail::{Flags, Login, MailboxName, Person, SystemFlags};
use store::snapshot::{Depth, Keep, Pace, Snapshots, Source, Taken};
use store::{Deliver, FlagMode, InternalDate, MailboxId, Op, Options, SetFlags, Store, Summary, Target, UidSet};

const PEOPLE: u64 = 2_000;
const SIZE_MAX: usize = 5 << 20;
const NIGHTS: i64 = 5;
const DAY_S: i64 = 86_400;
const NIGHT_S: i64 = 1_796_009_400;
const PRODUCERS: u64 = 20;
const PAIRS: usize = 15;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let deliveries: u64 = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(20_000);
    let folder: PathBuf =
        arguments.next().map_or_else(|| std::env::temp_dir().join("facteur-snapshot-bench"), Into::into);
    let target: PathBuf = arguments.next().map_or_else(|| folder.join("snapshots"), Into::into);
    for folder in [&folder, &target] {
        let _ = std::fs::remove_dir_all(folder);
    }
    let store = Store::open(&folder, Options::default()).expect("a folder of our own");
    let source = Source { databases: vec![folder.join("meta-00.db")], segments: folder.join("segments") };
    let snapshots = Snapshots::open(&target).expect("a folder of our own");
    let content: Vec<u8> = (0..SIZE_MAX).map(|n| b' ' + (n % 90) as u8).collect();
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let inboxes = create_people(&store);
    let started = Instant::now();
    fill(&store, &content, &mut random, deliveries);
    println!(
        "{deliveries} deliveries in {:.1} s: {} MB of bodies",
        started.elapsed().as_secs_f64(),
        octets_in(&source.segments) / 1_000_000
    );
    nights(&store, &source, &snapshots, &folder, &inboxes, &content, &mut random, deliveries);
    latency(&store, &source, &folder, &content);
    drills(&snapshots, &folder);
    purge(&snapshots);
    drop(store);
    for folder in [&folder, &target] {
        let _ = std::fs::remove_dir_all(folder);
    }
}

#[allow(clippy::too_many_arguments, reason = "a story told once")]
fn nights(
    store: &Store,
    source: &Source,
    snapshots: &Snapshots,
    folder: &Path,
    inboxes: &[MailboxId],
    content: &[u8],
    random: &mut Random,
    deliveries: u64,
) {
    println!("night  pages   new  MB new  manifest KB  copied MB  s  | the same night in chunks of 16 KiB, 64 KiB: MB");
    let mut before = folder.join("night-0");
    for night in 0..=NIGHTS {
        if night > 0 {
            touch(store, inboxes, random, deliveries / 100);
            fill(store, content, random, deliveries / 100);
        }
        let taken = take(snapshots, source, NIGHT_S + night * DAY_S, Pace::FULL);
        let materialised = folder.join(format!("night-{night}"));
        snapshots.materialise(taken.name, &materialised, &mut |_| {}).expect("a sound snapshot");
        let chunks = |octets| changed(&before, &materialised, octets) as f64 / 1e6;
        println!(
            "{night:>5}  {:>5}  {:>4}  {:>6.2}  {:>11}  {:>9.1}  {:.2}  | {:.2} {:.2}",
            taken.pages,
            taken.pages_new,
            taken.pages_new as f64 * 4096.0 / 1e6,
            taken.manifest_octets / 1000,
            taken.segment_octets_copied as f64 / 1e6,
            taken.took.as_secs_f64(),
            chunks(16 << 10),
            chunks(64 << 10),
        );
        let _ = std::fs::remove_dir_all(std::mem::replace(&mut before, materialised));
    }
    let _ = std::fs::remove_dir_all(before);
}

fn take(snapshots: &Snapshots, source: &Source, now_s: i64, pace: Pace) -> Taken {
    snapshots.take(source, now_s, pace, &mut |_| {}).expect("a snapshot")
}

/// Octets of the chunks of the later database that the earlier has not at the same place.
fn changed(before: &Path, after: &Path, chunk: usize) -> usize {
    let read = |folder: &Path| std::fs::read(folder.join("meta-00.db")).unwrap_or_default();
    let (before, after) = (read(before), read(after));
    let mut old = before.chunks(chunk);
    after.chunks(chunk).filter(|new| old.next() != Some(*new)).map(<[u8]>::len).sum()
}

/// Marks messages as seen, each in a mailbox of its own choice, as people do.
fn touch(store: &Store, inboxes: &[MailboxId], random: &mut Random, messages: u64) {
    let mut ops = Vec::new();
    for _ in 0..messages {
        let mailbox = inboxes[(random.next() % PEOPLE) as usize];
        let info = store.mailbox_by_id(mailbox).expect("a read").expect("INBOX");
        let uid = (random.next() % u64::from(info.uidnext)) as u32;
        let set = SetFlags {
            mailbox,
            uids: UidSet::from_ranges([uid..=uid]),
            mode: if random.next().is_multiple_of(2) { FlagMode::Add } else { FlagMode::Remove },
            flags: Flags::system(SystemFlags::SEEN),
            unchanged_since: None,
        };
        ops.push(Op::SetFlags(Box::new(set)));
    }
    while !ops.is_empty() {
        let rest = ops.split_off(ops.len().min(100));
        store.commit_wait(std::mem::replace(&mut ops, rest)).expect("flags");
    }
}

/// Producers deliver without end while a second without snapshots and a second or more with one that has everything to
/// write follow each other. The median of the ratios of neighbours is what counts: other work of the machine comes in
/// bursts and falls on few of them.
fn latency(store: &Store, source: &Source, folder: &Path, content: &[u8]) {
    println!(
        "pace   s each  open s | all with: deliveries, p50, p99 ms | all without | p99 with/without of {PAIRS} pairs"
    );
    for share_percent in [25, 10, 100, 25, 10, 100] {
        let pace = Pace { share_percent, ..Pace::GENTLE };
        let began = Instant::now();
        let (mut taken, mut ends) = (Vec::new(), vec![0.0]);
        let all = deliveries(store, content, began, || {
            for pair in 0..PAIRS {
                std::thread::sleep(Duration::from_secs(1));
                ends.push(began.elapsed().as_secs_f64());
                for again in 0.. {
                    let target = folder.join(format!("loaded-{pair}-{again}"));
                    taken.push(take(&Snapshots::open(&target).expect("a folder"), source, NIGHT_S, pace));
                    if began.elapsed().as_secs_f64() > ends[ends.len() - 1] + 1.0 {
                        break;
                    }
                }
                ends.push(began.elapsed().as_secs_f64());
            }
        });
        // Not earlier: the device has work with files that go.
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            if entry.file_name().to_string_lossy().starts_with("loaded-") {
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
        let during = |window: usize| {
            let ended = all.iter().filter(|(ended, _)| (ends[window]..ends[window + 1]).contains(ended));
            ascending(ended.map(|(_, took)| *took))
        };
        let windows: Vec<Vec<f64>> = (0..2 * PAIRS).map(during).collect();
        let pooled = |odd: usize| ascending(windows.iter().skip(odd).step_by(2).flatten().copied());
        let (without, with) = (pooled(0), pooled(1));
        let ratios = ascending(windows.chunks(2).map(|pair| quantile(&pair[1], 0.99) / quantile(&pair[0], 0.99)));
        let mean = |of: &dyn Fn(&Taken) -> Duration| {
            taken.iter().map(|taken| of(taken).as_secs_f64()).sum::<f64>() / taken.len() as f64
        };
        println!(
            "{share_percent:>3} %  {:>6.2}  {:>6.2} | {} {:.2} {:.2} | {} {:.2} {:.2} | median {:.2}, quarter {:.2} to {:.2}",
            mean(&|taken| taken.took),
            mean(&|taken| taken.transactions_open),
            with.len(),
            quantile(&with, 0.5),
            quantile(&with, 0.99),
            without.len(),
            quantile(&without, 0.5),
            quantile(&without, 0.99),
            quantile(&ratios, 0.5),
            quantile(&ratios, 0.25),
            quantile(&ratios, 0.75),
        );
    }
}

/// When each delivery ended, in seconds after `began`, and how long it took in ms.
fn deliveries(store: &Store, content: &[u8], began: Instant, meanwhile: impl FnOnce()) -> Vec<(f64, f64)> {
    let (stop, all) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for producer in 0..PRODUCERS {
            let (stop, all) = (&stop, &all);
            scope.spawn(move || {
                let mut random = Random(since_1970_ns() ^ (producer << 40) | 1);
                let mut own = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let size = random.size().min(64 << 10);
                    let before = began.elapsed();
                    let deliver = delivery(store, &content[..size], &mut random);
                    store.commit_wait(vec![deliver]).expect("a delivery");
                    let after = began.elapsed();
                    own.push((after.as_secs_f64(), (after - before).as_secs_f64() * 1e3));
                    // Below what the store can take: a server that is never idle has no latency to speak of.
                    std::thread::sleep(Duration::from_millis(20));
                }
                all.lock().expect("no panic").extend(own);
            });
        }
        meanwhile();
        stop.store(true, Ordering::Relaxed);
    });
    all.into_inner().expect("no panic")
}

fn ascending(numbers: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    numbers
}

fn quantile(ascending: &[f64], q: f64) -> f64 {
    ascending[((ascending.len() - 1) as f64 * q) as usize]
}

fn drills(snapshots: &Snapshots, folder: &Path) {
    let name = snapshots.list().expect("a list").last().expect("a snapshot").name;
    for depth in [Depth::Quick, Depth::Full] {
        let report = snapshots.verify(name, folder, depth, Pace::FULL, &mut |_| {}).expect("a drill");
        println!(
            "drill {depth:?}: restored in {:.2} s, databases checked in {:.2} s, {} bodies ({} MB) in {:.2} s, {} findings",
            report.restoring.as_secs_f64(),
            report.checking_databases.as_secs_f64(),
            report.bodies,
            report.body_octets / 1_000_000,
            report.checking_bodies.as_secs_f64(),
            report.findings.len()
        );
    }
}

fn purge(snapshots: &Snapshots) {
    let octets = || octets_in(&snapshots.folder().join("packs"));
    let before = octets();
    let began = Instant::now();
    let keep = Keep { at_least: Duration::from_secs(DAY_S as u64), at_most: Duration::from_secs(30 * DAY_S as u64) };
    let purged = snapshots.purge(keep, NIGHT_S + NIGHTS * DAY_S).expect("a purge");
    println!(
        "purge in {:.2} s: packs from {:.1} to {:.1} MB; {purged:?}",
        began.elapsed().as_secs_f64(),
        before as f64 / 1e6,
        octets() as f64 / 1e6
    );
}

fn octets_in(folder: &Path) -> u64 {
    std::fs::read_dir(folder)
        .expect("a folder")
        .map(|it| it.and_then(|it| it.metadata()).map_or(0, |it| it.len()))
        .sum()
}

fn create_people(store: &Store) -> Vec<MailboxId> {
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
    let inbox = |n| store.mailbox(&login(n), &MailboxName::inbox()).expect("a read").expect("INBOX").id;
    (0..PEOPLE).map(inbox).collect()
}

fn login(n: u64) -> Login {
    Login::new(&format!("user{n:05}")).expect("a login")
}

fn fill(store: &Store, content: &[u8], random: &mut Random, deliveries: u64) {
    for first in (0..deliveries).step_by(100) {
        let ops = (first..deliveries.min(first + 100)).map(|_| {
            let size = random.size();
            delivery(store, &content[..size], random)
        });
        store.commit_wait(ops.collect()).expect("deliveries");
    }
}

fn delivery(store: &Store, content: &[u8], random: &mut Random) -> Op {
    let body = store.put_body(&[b"Received: from bench\r\n", content]).expect("a body");
    let recipients = random.recipients();
    let mut delivery_id = [0; 16];
    delivery_id[..8].copy_from_slice(&since_1970_ns().to_be_bytes());
    delivery_id[8..].copy_from_slice(&random.next().to_be_bytes());
    let summary = Summary {
        envelope_imap: vec![b'e'; 120],
        bodystructure_imap: vec![b's'; 60],
        body_imap: vec![b'b'; 50],
        preview: "p".repeat(40),
        subject: format!("s{:029}", random.next()),
        whole: SummaryParts::SUBJECT,
        ..Summary::default()
    };
    Op::Deliver(Box::new(Deliver {
        delivery_id,
        recipients: (0..recipients).map(|_| (login(random.next() % PEOPLE), Target::Inbox)).collect(),
        body,
        summary,
        internal_date: InternalDate { seconds: 1_700_000_000, offset_minutes: 60 },
        flags: Flags::default(),
    }))
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
