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
const SECONDS: usize = 12;

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

/// Producers deliver without end while a second with snapshots that have everything to write follows a second without,
/// so that whatever else the machine does falls on both alike.
fn latency(store: &Store, source: &Source, folder: &Path, content: &[u8]) {
    println!("pace   snapshots  s each  open s | with: deliveries  p50 ms  p99 ms | without | p99 with/without");
    let slow = Pace { share_percent: 10, ..Pace::GENTLE };
    for pace in [Pace::GENTLE, Pace::FULL, slow, Pace::GENTLE, Pace::FULL, slow] {
        let active = AtomicBool::new(false);
        let mut taken = Vec::new();
        let (with, without) = deliveries(store, content, &active, || {
            for round in 0..SECONDS {
                std::thread::sleep(Duration::from_secs(1));
                let target = folder.join(format!("loaded-{round}"));
                let snapshots = Snapshots::open(&target).expect("a folder");
                active.store(true, Ordering::SeqCst);
                let began = Instant::now();
                while began.elapsed() < Duration::from_secs(1) {
                    taken.push(take(&snapshots, source, NIGHT_S, pace));
                    for listed in snapshots.list().expect("a list") {
                        let _ = std::fs::remove_file(target.join(format!("{}.snapshot", listed.name)));
                    }
                }
                active.store(false, Ordering::SeqCst);
            }
        });
        // Not earlier: the device has work with files that go, which would fall on the seconds without a snapshot.
        for round in 0..SECONDS {
            let _ = std::fs::remove_dir_all(folder.join(format!("loaded-{round}")));
        }
        let mean = |of: &dyn Fn(&Taken) -> Duration| {
            taken.iter().map(|taken| of(taken).as_secs_f64()).sum::<f64>() / taken.len() as f64
        };
        println!(
            "{:>3} %  {:>9}  {:>6.2}  {:>6.2} | {:>16}  {:>6.2}  {:>6.2} | {} {:.2} {:.2} | {:.2}",
            pace.share_percent,
            taken.len(),
            mean(&|taken| taken.took),
            mean(&|taken| taken.transactions_open),
            with.len(),
            quantile(&with, 0.5),
            quantile(&with, 0.99),
            without.len(),
            quantile(&without, 0.5),
            quantile(&without, 0.99),
            quantile(&with, 0.99) / quantile(&without, 0.99)
        );
    }
}

/// Latencies in ms, ascending, of deliveries that began or ended while `active` and of the others.
fn deliveries(store: &Store, content: &[u8], active: &AtomicBool, meanwhile: impl FnOnce()) -> (Vec<f64>, Vec<f64>) {
    let (stop, all) = (AtomicBool::new(false), Mutex::new((Vec::new(), Vec::new())));
    std::thread::scope(|scope| {
        for producer in 0..PRODUCERS {
            let (stop, all) = (&stop, &all);
            scope.spawn(move || {
                let mut random = Random(since_1970_ns() ^ (producer << 40) | 1);
                while !stop.load(Ordering::Relaxed) {
                    let (began, before) = (Instant::now(), active.load(Ordering::SeqCst));
                    let size = random.size().min(64 << 10);
                    let deliver = delivery(store, &content[..size], &mut random);
                    store.commit_wait(vec![deliver]).expect("a delivery");
                    let took = began.elapsed().as_secs_f64() * 1e3;
                    let mut all = all.lock().expect("no panic");
                    if before || active.load(Ordering::SeqCst) {
                        all.0.push(took)
                    } else {
                        all.1.push(took)
                    }
                    drop(all);
                    // Below what the store can take: a server that is never idle has no latency to speak of.
                    std::thread::sleep(Duration::from_millis(20));
                }
            });
        }
        meanwhile();
        stop.store(true, Ordering::Relaxed);
    });
    let (mut with, mut without) = all.into_inner().expect("no panic");
    with.sort_by(f64::total_cmp);
    without.sort_by(f64::total_cmp);
    (with, without)
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
