//! The store against a model so simple that it cannot be wrong: every op, every read, restarts and compaction in between,
//! one shard and eight; commits of several threads at once; and seeded defects, each of which must be noticed.

mod bounds;
mod defects;
mod interleave;
mod lockstep;
mod look;
mod look_people;
mod look_records;
mod naive;
mod naive_people;
mod split;
mod steps;
mod translate;

use std::path::Path;

use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use super::Folder;
use crate::{Options, Store};
use lockstep::{DECISIONS_MAX, Lockstep, Waist};
use steps::Happening;

/// Cases of the short form, over one shard.
const CASES: u32 = 60;
/// Happenings of a case, at most.
const LENGTH: usize = 60;

fn is_long() -> bool {
    std::env::var("FACTEUR_LONG").is_ok()
}

/// From `FACTEUR_SEED`, else the same each time, else, in the long form, another each time.
fn seed() -> u64 {
    let given = std::env::var("FACTEUR_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or(if is_long() { u64::from(std::process::id()) } else { 1 })
}

/// Cases drawn from the seed, the first of which that fails is made small.
fn runner(cases: u32, shrink: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: shrink, ..Config::default() };
    let bytes: [u8; 32] = std::array::from_fn(|at| seed().to_le_bytes()[at % 8]);
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// Small segments, so that compaction has some to empty, and few rows of the decision log.
fn open(folder: &Path, shards: u8) -> Store {
    let decision_rows_max = DECISIONS_MAX as u64;
    let options =
        Options { shards, segment_bytes_max: 4096, decision_rows_max, ballast_bytes: 0, ..Options::default() };
    Store::open(folder, options).unwrap()
}

fn holds(
    cases: u32,
    shrink: u32,
    shards: u8,
    open: &dyn Fn(&Path) -> Box<dyn Waist>,
) -> Result<(), TestError<Vec<Happening>>> {
    runner(cases, shrink).run(&steps::happenings(LENGTH), |happenings| {
        let folder = Folder::new("model");
        Lockstep::new(&|| open(folder.path()), shards)?.run(&happenings)
    })
}

#[track_caller]
fn assert_holds(cases: u32, shards: u8) {
    let cases = if is_long() { cases * 50 } else { cases };
    match holds(cases, 400, shards, &|folder| Box::new(open(folder, shards))) {
        Ok(()) => {}
        Err(TestError::Abort(why)) => panic!("{why}"),
        Err(TestError::Fail(why, happenings)) => {
            let lines: Vec<String> = happenings.iter().map(|happening| format!("{happening:?}")).collect();
            panic!("FACTEUR_SEED={}: {why}\n{}", seed(), lines.join("\n"));
        }
    }
}

#[test]
fn the_store_does_what_the_naive_model_does() {
    assert_holds(CASES, 1);
}

#[test]
fn eight_shards_do_what_the_naive_model_does() {
    assert_holds(20, 8);
}

#[test]
fn the_model_is_short_and_knows_nothing_of_the_store() {
    let source = include_str!("naive.rs");
    assert!(source.lines().count() < 660, "{} lines", source.lines().count());
    for word in ["crate::", "super::", "store::", "mod ", "rusqlite", "blake3"] {
        assert!(!source.contains(word), "`{word}`");
    }
    let uses: Vec<&str> = source.lines().filter(|line| line.starts_with("use ")).collect();
    assert!(uses.iter().all(|line| line.starts_with("use std::") || line.starts_with("use mail::")), "{uses:?}");
}
