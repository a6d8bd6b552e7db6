//! Every write and every sync of a short workload goes wrong once, in every way; and machines die at random calls, with a
//! random part of what was not synced on the device.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use super::super::Folder;
use super::actual::check;
use super::child::Process;
use super::disk::Layer;
use super::expected::Expected;
use super::journal::{Record, Stage};
use super::random::{Random, is_long, say, seed};
use super::workload::{PEOPLE, Settings};
use super::{assert_right, copy_folder};
use crate::{Op, Options, Store};

/// Steps of the short workload.
const STEPS: u64 = 24;
/// Calls of it that go wrong in the short form.
const CALLS: u64 = 12;
/// How the machine dies in the file layer.
const DEAD: i32 = 86;
/// How a child ends that could not begin.
const NOT_OPENED: i32 = 3;
/// Deaths and disturbed runs on one data folder.
const RUNS_PER_FOLDER: u64 = 5;
const KINDS: [&str; 7] = ["eio", "enospc", "edquot", "short", "cut", "before", "after"];

/// One run of a child on the layer: what it said, and what is left.
struct Run {
    /// Holds `data`, as the next process sees it, and `shadow`, as it is after a power cut.
    base: Folder,
    records: Vec<Record>,
    status: ExitStatus,
    /// Calls, and those that went wrong: what was called, for which file.
    calls: u64,
    faults: Vec<String>,
}

impl Run {
    /// `from`: the data folder as it is before.
    fn new(layer: &Layer, from: Option<&Path>, settings: &Settings, variables: &[(&str, String)]) -> Run {
        let base = Folder::new("failing");
        let (data, shadow, report) = (base.path().join("data"), base.path().join("shadow"), base.path().join("report"));
        std::fs::create_dir_all(&data).unwrap();
        std::fs::create_dir_all(&shadow).unwrap();
        if let Some(from) = from {
            copy_folder(from, &data);
        }
        let own = [
            ("FAULTS_SHADOW", shadow.to_string_lossy().into_owned()),
            ("FAULTS_REPORT", report.to_string_lossy().into_owned()),
        ];
        let variables: Vec<_> = own.into_iter().chain(variables.iter().cloned()).collect();
        let relief = settings.relief.as_ref().map(|_| base.path().join("relief"));
        let mut variables = layer.variables(&data, &variables);
        variables.extend(relief.iter().map(|relief| ("FAULTS_UNTIL", relief.to_string_lossy().into_owned())));
        let settings = Settings { folder: data, relief, ..settings.clone() };
        let (records, status) = Process::start(&settings, &variables).rest();
        let report = std::fs::read_to_string(report).unwrap_or_default();
        let calls = report.lines().filter_map(|line| line.strip_prefix("calls ")?.parse().ok()).next_back();
        let faults = report.lines().filter(|line| line.starts_with("fault ")).map(str::to_owned).collect();
        Run { base, records, status, calls: calls.unwrap_or_default(), faults }
    }

    fn died(&self) -> bool {
        self.status.code() == Some(DEAD)
    }

    fn is_done(&self) -> bool {
        self.status.success() && matches!(self.records.last(), Some(Record::Stage(Stage::Done)))
    }

    fn sync_failed(&self) -> bool {
        self.faults.iter().any(|fault| fault.contains(" sync "))
    }

    fn shadow(&self) -> PathBuf {
        self.base.path().join("shadow")
    }

    /// What is wrong; afterwards `expected` is what is on the device.
    fn check(&self, expected: &mut Expected) -> Vec<String> {
        expected.replay(&self.records);
        let mut wrong = Vec::new();
        if !self.died() {
            // A sync that failed stops the store, and the next start finds it sound. All else it outlives.
            let unopened = self.status.code() == Some(NOT_OPENED) && self.sync_failed();
            if !self.is_done() && !unopened {
                wrong.push(format!("the child ended with {}: {:?}", self.status, self.records.last()));
            }
            if expected.stopped && !self.sync_failed() {
                wrong.push("the store stopped although no sync failed".to_owned());
            }
            wrong.extend(check_folder(&self.base.path().join("data"), &mut expected.clone(), "restarted"));
        }
        wrong.extend(check_folder(&self.shadow(), expected, "after the power cut"));
        wrong
    }
}

fn check_folder(folder: &Path, expected: &mut Expected, when: &str) -> Vec<String> {
    let _ = std::fs::remove_dir_all(folder.join(".content"));
    let store = match Store::open(folder, Options::default()) {
        Ok(store) => store,
        Err(error) => return vec![format!("{when}: {error}")],
    };
    let mut wrong = check(&store, expected);
    let value = Op::Setting { key: "goes on".to_owned(), value: Some(vec![1]) };
    if let Err(error) = store.commit_wait(vec![value]) {
        wrong.push(format!("does not go on: {error}"));
    }
    wrong.into_iter().map(|what| format!("{when}: {what}")).collect()
}

fn settings(seed: u64, round: u64, threads: u64, steps: u64) -> Settings {
    Settings { folder: PathBuf::new(), seed, round, threads, steps, faulty: true, relief: None }
}

/// The environment of a run that goes wrong at one call. How much of what was not synced is durable all the same varies.
fn fault(kind: &str, at: u64) -> Vec<(&'static str, String)> {
    let keep = [0, 300, 1_000, 700, 30][(at % 5) as usize];
    vec![
        ("FAULTS_KIND", kind.to_owned()),
        ("FAULTS_AT", at.to_string()),
        ("FAULTS_SEED", at.to_string()),
        ("FAULTS_KEEP", keep.to_string()),
    ]
}

#[test]
fn every_write_and_every_sync_may_fail_or_be_the_last() {
    let seed = seed("failing calls");
    let layer = Layer::build();
    let settings = settings(seed, 1, 1, STEPS);
    let whole = Run::new(&layer, None, &settings, &[]);
    let mut expected = Expected::default();
    assert_right(&whole.check(&mut expected), "without a fault");
    assert!(whole.is_done() && expected.acknowledged > STEPS / 3, "{} acknowledged", expected.acknowledged);
    let stride = if is_long() { 1 } else { (whole.calls / CALLS).max(1) };
    let calls: Vec<u64> = (1 + seed % stride..=whole.calls).step_by(stride as usize).collect();
    let tried = std::thread::scope(|scope| {
        let (layer, settings, calls) = (&layer, &settings, &calls);
        let halves = [0, 1].map(|half| {
            scope.spawn(move || {
                let mine = calls.iter().skip(half).step_by(2);
                mine.map(|at| KINDS.iter().filter(|kind| fails(layer, settings, kind, *at)).count()).sum::<usize>()
            })
        });
        halves.map(|half| half.join().expect("a fault was not outlived")).iter().sum::<usize>()
    });
    say(&format!("failing calls: {tried} faults at {} of {} calls, every {stride}th", calls.len(), whole.calls));
    // The last calls may fall away: threads of the store do not always share their work in the same way.
    assert!(tried > calls.len() * KINDS.len() / 2, "only {tried} faults");
}

/// One fault; was the call reached?
fn fails(layer: &Layer, settings: &Settings, kind: &str, at: u64) -> bool {
    let run = Run::new(layer, None, settings, &fault(kind, at));
    let wrong = run.check(&mut Expected::default());
    assert_right(&wrong, &format!("FACTEUR_SEED={}, {kind} at {at}: {:?}", settings.seed, run.faults));
    !run.faults.is_empty()
}

#[test]
fn machines_may_die_again_and_again_at_any_call_of_any_thread() {
    let seed = seed("deaths");
    let mut random = Random::from(seed);
    let layer = Layer::build();
    let runs = if is_long() { 200 } else { 10 };
    let mut deaths = 0;
    let mut on: (Option<Run>, Expected) = (None, Expected::default());
    for round in 1..=runs {
        if round % RUNS_PER_FOLDER == 0 {
            on = (None, Expected::default());
        }
        let mut variables = fault(["before", "after"][random.below(2) as usize], 1 + random.below(900));
        if random.one_in(3) {
            let kind = KINDS[random.below(5) as usize].to_owned();
            variables[0].1 = kind;
            variables.push(("FAULTS_CHANCE", (1 + random.below(4)).to_string()));
        }
        let settings = settings(seed, round, PEOPLE.len() as u64, 40);
        let before = on.0.as_ref().map(Run::shadow);
        let run = Run::new(&layer, before.as_deref(), &settings, &variables);
        deaths += u64::from(run.died());
        // Two faults in one run may hit all tries of opening.
        if run.status.code() == Some(NOT_OPENED) {
            say(&format!("deaths: round {round} never opened"));
            continue;
        }
        let wrong = run.check(&mut on.1);
        assert_right(&wrong, &format!("FACTEUR_SEED={seed}, round {round}, {variables:?}: {:?}", run.faults));
        on.0 = Some(run);
    }
    say(&format!("deaths: {deaths} in {runs} runs"));
    assert!(deaths >= runs / 10, "only {deaths} deaths");
}

/// The positive control: without its syncs the store must be seen to lose mail when the machine dies.
#[test]
fn a_store_that_does_not_sync_loses_mail_when_the_machine_dies() {
    let layer = Layer::build();
    for unsynced in ["meta-", "segments/"] {
        let mut variables = fault("after", 250);
        variables.retain(|(name, _)| *name != "FAULTS_KEEP");
        variables.push(("FAULTS_NO_SYNC", unsynced.to_owned()));
        let run = Run::new(&layer, None, &settings(3, 1, 1, 40), &variables);
        assert!(run.died(), "{unsynced}: {}", run.status);
        let wrong = run.check(&mut Expected::default());
        assert!(!wrong.is_empty(), "nothing was lost without syncs of {unsynced}");
    }
}

#[test]
fn a_full_disk_refuses_mail_until_there_is_room_and_loses_none() {
    let seed = seed("full disk");
    let layer = Layer::build();
    for (kind, at) in [("enospc", 350), ("edquot", 300), ("cut", 400), ("eio", 500)] {
        let mut settings = settings(seed, at, 2, 250);
        settings.relief = Some(PathBuf::new());
        let run = Run::new(&layer, None, &settings, &fault(kind, at));
        let mut expected = Expected::default();
        let wrong = run.check(&mut expected);
        assert_right(&wrong, &format!("FACTEUR_SEED={seed}, {kind} from {at}: {} faults", run.faults.len()));
        let last_failure = run.records.iter().rposition(|record| matches!(record, Record::Not(..)));
        let after = &run.records[last_failure.expect("nothing failed")..];
        let acknowledged = after.iter().filter(|record| matches!(record, Record::Acknowledged(..))).count();
        assert!(acknowledged > 20, "{kind}: only {acknowledged} steps succeeded once there was room");
    }
}

/// The checks themselves: each change behind the journal's back is seen.
#[test]
fn a_lost_doubled_changed_or_returned_message_is_seen() {
    let folder = Folder::new("tampered");
    let settings = Settings { folder: folder.path().to_owned(), faulty: false, ..settings(7, 1, 2, 150) };
    let (records, status) = Process::start(&settings, &[]).rest();
    assert!(status.success());
    let mut before = Expected::default();
    before.replay(&records);
    assert_right(&check(&Store::open(folder.path(), Options::default()).unwrap(), &mut before.clone()), "as it is");
    for tamper in tampers(&before) {
        let copy = Folder::new("tampered-copy");
        copy_folder(folder.path(), copy.path());
        let store = Store::open(copy.path(), Options::default()).unwrap();
        store.commit_wait(vec![tamper.clone()]).unwrap();
        let wrong = check(&store, &mut before.clone());
        assert!(!wrong.is_empty(), "{tamper:?} was not seen");
    }
    // What was acknowledged and is taken out of the journal shows, too.
    let forgotten =
        records.iter().position(|record| matches!(record, Record::Intent(_, super::step::Step::Append { .. })));
    let mut shorter = records.clone();
    shorter.drain(forgotten.unwrap()..forgotten.unwrap() + 1);
    let mut expected = Expected::default();
    expected.replay(&shorter);
    assert!(!check(&Store::open(folder.path(), Options::default()).unwrap(), &mut expected).is_empty());
}

fn tampers(expected: &Expected) -> Vec<Op> {
    let (&(mailbox, uid), _) = expected.messages.first_key_value().unwrap();
    let mailbox = crate::MailboxId(mailbox);
    let uids: crate::UidSet = [uid].into_iter().collect();
    let flags = mail::Flags { keywords: mail::Keyword::new("unseen").into_iter().collect(), ..mail::Flags::default() };
    let set = crate::SetFlags { mailbox, uids: uids.clone(), mode: crate::FlagMode::Add, flags, unchanged_since: None };
    let (n, waiting) = expected.spool.first_key_value().unwrap();
    let settle = Op::Settle {
        queue_id: crate::QueueId(super::super::id(*n)),
        recipient: *waiting.first().unwrap(),
        outcome: crate::Settled::Delivered,
    };
    let name = super::super::name("Unheard");
    vec![
        Op::Expunge { mailbox, which: crate::Expunged::Exactly(uids.clone()) },
        Op::Copy { from: mailbox, uids: uids.clone(), to: mailbox, flags: crate::FlagScope::ALL },
        Op::Move { from: mailbox, uids, to: mailbox, flags: crate::FlagScope::ALL },
        Op::SetFlags(Box::new(set)),
        settle,
        Op::CreateMailbox { login: super::super::login(PEOPLE[0]), name, special_use: None },
    ]
}
