//! `snapshot`: what snapshots of a store of some gigabytes cost: thirty nights in each of which 1 % of the messages change and
//! 1 % are new, the latency of deliveries meanwhile, one user's day put back, and what a purge frees.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mail::{Flags, MailboxName, SystemFlags};
use store::snapshot::{Keep, Pace, Snapshots, Taken};
use store::{Expunged, FlagMode, MailboxId, Op, Options, RecordEnvelope, SetFlags, Store, UidSet, Wanted};

use crate::arguments::Arguments;
use crate::folder::{self, Scratch};
use crate::load::{PEOPLE, Random, create_people, deliver, delivery, login, text};
use crate::measure::{median, percentile, timed};
use crate::table::figure;

const NIGHTS: i64 = 30;
const DAY_S: i64 = 86_400;
const NIGHT_S: i64 = 1_796_009_400;
/// Deliveries of one commit while the store is filled.
const FILL: usize = 50;
/// Producers and their rests: below what the store can take, because a server that is never idle has no latency to speak of.
const PRODUCERS: u64 = 20;
const REST: Duration = Duration::from_millis(20);

pub fn run(arguments: &Arguments) {
    let scratch = Scratch::new(arguments.folder());
    let store = Store::open(scratch.path().join("store"), Options::default()).expect("a folder of our own");
    create_people(&store, PEOPLE);
    let mut random = Random::of(1);
    let wanted = arguments.number("gigabytes", 5) << 30;
    let (took, deliveries) = timed(|| fill(&store, &mut random, usize::MAX, wanted));
    let octets = mib(folder::octets(store.data_dir()));
    println!("{deliveries} deliveries, {octets} MiB, filled in {:.0} s", took.as_secs_f64());
    let snapshots = Snapshots::open(scratch.path().join("snapshots")).expect("a folder of our own");
    nights(&store, &snapshots, &mut random, deliveries);
    for first in [false, true] {
        latency(&store, scratch.path(), first, arguments.seconds(5), arguments.rounds(10));
    }
    restore(&store, &snapshots, &scratch.path().join("then"));
    purge(&snapshots);
}

fn mib(octets: u64) -> u64 {
    octets >> 20
}

/// So many deliveries, or until the bodies are so long. Gives how many there were.
fn fill(store: &Store, random: &mut Random, deliveries: usize, octets: u64) -> usize {
    let (mut done, mut written) = (0, 0);
    while done < deliveries && written < octets {
        let ops = (0..FILL.min(deliveries - done)).map(|_| {
            let size = random.size();
            written += size as u64;
            let body = store.put_body_for(&RecordEnvelope::default(), b"Received: x\r\n", &[text(size)]);
            let recipients: Vec<u64> = (0..random.recipients()).map(|_| random.next() % PEOPLE).collect();
            delivery(random.next(), recipients, body.expect("a body"))
        });
        let ops: Vec<Op> = ops.collect();
        done += ops.len();
        store.commit_wait(ops).expect("deliveries");
    }
    done
}

fn inbox(store: &Store, person: u64) -> (MailboxId, u32) {
    let mailbox = store.mailbox(&login(person), &MailboxName::inbox()).expect("a read").expect("INBOX");
    (mailbox.id, mailbox.uidnext)
}

/// Marks messages here and there as seen or unseen, as people do.
fn touch(store: &Store, random: &mut Random, messages: usize) {
    let ops = (0..messages).map(|_| {
        let (mailbox, uidnext) = inbox(store, random.next() % PEOPLE);
        let uid = 1 + (random.next() % u64::from(uidnext)) as u32;
        let mode = if random.next().is_multiple_of(2) { FlagMode::Add } else { FlagMode::Remove };
        let (uids, flags) = (UidSet::from_ranges([uid..=uid]), Flags::system(SystemFlags::SEEN));
        Op::SetFlags(Box::new(SetFlags { mailbox, uids, mode, flags, unchanged_since: None }))
    });
    let mut ops: Vec<Op> = ops.collect();
    while !ops.is_empty() {
        let rest = ops.split_off(ops.len().min(100));
        store.commit_wait(std::mem::replace(&mut ops, rest)).expect("flags");
    }
}

fn take(store: &Store, snapshots: &Snapshots, now_s: i64, pace: Pace) -> Taken {
    store.snapshot(snapshots, now_s, pace, &mut |_| ()).expect("a snapshot")
}

/// What a snapshot takes on the device beside links to segments the store has anyway.
fn cost(taken: &Taken) -> f64 {
    (taken.pages_new * 4096 + taken.manifest_octets + taken.segment_octets_copied) as f64 / 1e6
}

fn nights(store: &Store, snapshots: &Snapshots, random: &mut Random, deliveries: usize) {
    let mut costs = Vec::new();
    for night in 0..=NIGHTS {
        if night > 0 {
            touch(store, random, deliveries / 100);
            fill(store, random, deliveries / 100, u64::MAX);
        }
        let taken = take(store, snapshots, NIGHT_S + night * DAY_S, Pace::FULL);
        if [0, 1, 2, 10, NIGHTS].contains(&night) {
            println!(
                "  night {night:>2}: {} of {} pages new, {:.1} MB of manifest, {:.1} MB of segments copied: {:.1} MB in {:.1} s",
                taken.pages_new,
                taken.pages,
                taken.manifest_octets as f64 / 1e6,
                taken.segment_octets_copied as f64 / 1e6,
                cost(&taken),
                taken.took.as_secs_f64()
            );
        }
        if night > 0 {
            costs.push(cost(&taken));
        }
    }
    let new = deliveries / 100;
    println!("  a night with {new} messages changed and {new} new: {:.1} MB (median of {NIGHTS})", median(costs));
}

/// Windows without and with snapshots follow each other. `first`: each snapshot writes all there is, into a folder of its own;
/// else what changed since the last one, as a night does.
fn latency(store: &Store, scratch: &Path, first: bool, window: Duration, rounds: u64) {
    let (mut ratios, mut quiet, mut loaded, mut took) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut folders = Vec::new();
    for round in 0..rounds {
        let without = latencies(store, || rest(window));
        let with = latencies(store, || {
            let started = Instant::now();
            for again in 0.. {
                let target = scratch.join(if first { format!("first-{round}-{again}") } else { "nightly".to_owned() });
                let snapshots = Snapshots::open(&target).expect("a folder of our own");
                took.push(take(store, &snapshots, NIGHT_S, Pace::GENTLE).took.as_secs_f64());
                folders.push(target);
                if started.elapsed() > window {
                    break;
                }
            }
        });
        let p99 = |sorted: &[u32]| percentile(sorted, 0.99) / 1e3;
        ratios.push(p99(&with) / p99(&without));
        quiet.push(p99(&without));
        loaded.push(p99(&with));
    }
    // Not earlier: the device has work with files that go.
    folders.iter().for_each(|folder| drop(std::fs::remove_dir_all(folder)));
    println!(
        "  p99 of a delivery {}: {} ms meanwhile, {} ms without, ratio {} (median of {rounds}; target: under 1.10), {} s each",
        if first { "during first snapshots" } else { "during snapshots of what changed" },
        figure(median(loaded)),
        figure(median(quiet)),
        figure(median(ratios)),
        figure(median(took))
    );
}

/// A channel may have left a token that ends a single call at once.
fn rest(length: Duration) {
    let started = Instant::now();
    while started.elapsed() < length {
        std::thread::park_timeout(length.saturating_sub(started.elapsed()));
    }
}

/// In microseconds, ascending, of the deliveries that go on while `meanwhile` runs.
fn latencies(store: &Store, meanwhile: impl FnOnce()) -> Vec<u32> {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let stop = &stop;
        let one = |producer: u64| {
            let (mut random, mut latencies) = (Random::anew(producer), Vec::new());
            while !stop.load(Ordering::Relaxed) {
                latencies.push(timed(|| deliver(store, &mut random)).0.as_micros() as u32);
                rest(REST);
            }
            latencies
        };
        let threads: Vec<_> = (0..PRODUCERS).map(|producer| scope.spawn(move || one(producer))).collect();
        meanwhile();
        stop.store(true, Ordering::Relaxed);
        let mut all: Vec<u32> = threads.into_iter().flat_map(|thread| thread.join().expect("a producer")).collect();
        all.sort_unstable();
        all
    })
}

/// One user deletes a day's mail and wants it back from the newest snapshot.
fn restore(store: &Store, snapshots: &Snapshots, then: &Path) {
    let (mailbox, uidnext) = inbox(store, 0);
    let day = UidSet::from_ranges([uidnext.saturating_sub(20)..=uidnext]);
    take(store, snapshots, NIGHT_S + NIGHTS * DAY_S + 1, Pace::FULL);
    store.commit_wait(vec![Op::Expunge { mailbox, which: Expunged::Exactly(day) }]).expect("an expunge");
    let name = snapshots.list().expect("a list").last().expect("a snapshot").name;
    let (placed, _) = timed(|| snapshots.materialise(name, then, &mut |_| ()).expect("a sound snapshot"));
    let (opened, old) = timed(|| Store::open(then, Options::default()).expect("what was placed"));
    let wanted = Wanted { login: login(0), mailbox: None, message: None, into: None };
    let (took, restored) = timed(|| store.restore(&old, &wanted, false, &mut |_| ()).expect("a restore"));
    println!(
        "  {} messages of one user back in {:.2} s: snapshot placed {:.2} s, opened {:.2} s, restored {:.2} s",
        restored.messages,
        (placed + opened + took).as_secs_f64(),
        placed.as_secs_f64(),
        opened.as_secs_f64(),
        took.as_secs_f64()
    );
    drop(old);
    let _ = std::fs::remove_dir_all(then);
}

fn purge(snapshots: &Snapshots) {
    let before = folder::octets(&snapshots.folder().join("packs"));
    let keep = Keep { at_least: Duration::from_secs(1), at_most: Duration::from_secs(2 * DAY_S as u64) };
    let (took, purged) = timed(|| snapshots.purge(keep, NIGHT_S + NIGHTS * DAY_S).expect("a purge"));
    let after = folder::octets(&snapshots.folder().join("packs"));
    println!(
        "  purge of {} snapshots in {:.2} s: {} MiB freed, packs from {} to {} MiB",
        purged.removed.len(),
        took.as_secs_f64(),
        mib(purged.octets_freed),
        mib(before),
        mib(after)
    );
}
