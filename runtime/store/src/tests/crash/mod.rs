//! Crashes: kill -9 at random moments, power cuts, and disks that fail. What was acknowledged is there exactly once, what
//! was under way is there as a whole or not at all, and everything adds up.

mod acts;
mod actual;
mod child;
mod disk;
mod expected;
mod failing;
mod journal;
mod million;
mod power;
mod random;
mod skip;
mod step;
mod under_way;
mod worker;
mod workload;

use std::path::Path;
use std::time::{Duration, Instant};

use super::Folder;
use crate::{Options, Store};
use actual::check;
use child::Process;
use expected::Expected;
use random::{Random, is_long, say, seed};
use skip::skip;
use workload::{PEOPLE, Settings};

const KILLS: u64 = 15;
const KILLS_LONG: u64 = 200;
/// Kills on one folder; then a new one is made, so that the checks stay short.
const KILLS_PER_FOLDER: u64 = 20;

/// How long opening took, over all rounds.
#[derive(Default)]
struct Openings(Vec<Duration>);

impl Openings {
    fn open(&mut self, folder: &Path) -> Store {
        let begun = Instant::now();
        let store = Store::open(folder, Options::default()).unwrap();
        self.0.push(begun.elapsed());
        store
    }

    fn say(&self, test: &str) {
        let longest = self.0.iter().max().copied().unwrap_or_default();
        let mean = self.0.iter().sum::<Duration>() / (self.0.len().max(1) as u32);
        say(&format!("{test}: {} openings after a crash, mean {mean:.1?}, longest {longest:.1?}", self.0.len()));
    }
}

#[track_caller]
fn assert_right(wrong: &[String], round: &str) {
    let first: Vec<&String> = wrong.iter().take(20).collect();
    assert!(wrong.is_empty(), "{round}: {} things are wrong: {first:#?}", wrong.len());
}

/// The entry of every child, too.
#[test]
fn acknowledged_mail_survives_kill_9_exactly_once() {
    if let Some(settings) = Settings::from_environment() {
        workload::run(&settings);
    }
    let seed = seed("kill -9");
    let mut random = Random::from(seed);
    let rounds = if is_long() { KILLS_LONG } else { KILLS };
    let (mut openings, mut acknowledged) = (Openings::default(), 0);
    let mut on = (Folder::new("crash"), Expected::default());
    for round in 1..=rounds {
        if round % KILLS_PER_FOLDER == 0 {
            acknowledged += on.1.acknowledged;
            on = (Folder::new("crash"), Expected::default());
        }
        let (folder, expected) = &mut on;
        let settings = Settings {
            folder: folder.path().to_owned(),
            seed,
            round,
            threads: PEOPLE.len() as u64,
            steps: 0,
            faulty: false,
            relief: None,
        };
        let mut worker = Process::start(&settings, &[]);
        // A few die while they open.
        let records = if random.one_in(8) { random.below(4) } else { random.below(1_000) } as usize;
        assert!(worker.listen(records), "round {round}: the child ended by itself: {:?}", worker.records.last());
        expected.replay(&worker.kill());
        // Either the next child goes on with what recovery left, or with what the crash left.
        let wrong = if random.one_in(2) {
            check(&openings.open(folder.path()), expected)
        } else {
            let copy = Folder::new("crash-copy");
            copy_folder(folder.path(), copy.path());
            check(&openings.open(copy.path()), expected)
        };
        assert_right(&wrong, &format!("FACTEUR_SEED={seed}, round {round}"));
    }
    acknowledged += on.1.acknowledged;
    openings.say("kill -9");
    say(&format!("kill -9: {acknowledged} steps acknowledged in {rounds} rounds, none lost, none doubled"));
    assert!(acknowledged > rounds * 50, "only {acknowledged} acknowledged");
}

#[test]
fn a_body_written_before_a_failed_flush_is_not_acknowledged_after_it() {
    let folder = Folder::new("half-stopped");
    let store = super::store_with(&folder, &["a"]);
    let body = store.put_body(&[b"written in time"]).unwrap();
    // As a long body does whose own flush fails.
    store.segments().poison();
    let late = super::deliver(1, &[("a", crate::Target::Inbox)], &body);
    assert_eq!(store.commit_wait(vec![late]), Err(crate::CommitError::Poisoned));
    assert!(store.put_body(&[b"too late"]).is_err());
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    let Ok(entries) = std::fs::read_dir(from) else { return };
    for entry in entries {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
