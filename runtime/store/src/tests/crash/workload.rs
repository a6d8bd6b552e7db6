//! The child: threads that do everything at once on one data folder, through nothing but the store's public calls.
//!
//! Each thread owns one account: it alone changes flags and mailboxes there, while mail from all threads comes in. So the
//! outcome of every step is known from the journal, although nothing waits for anything else.

use std::path::{Path, PathBuf};

use super::super::person;
use super::journal::{Journal, Record, Stage};
use super::random::Random;
use super::worker::Worker;
use crate::snapshot::{Pace, Snapshots};
use crate::{Options, Store, UidSet};

/// Account of thread 0, of thread 1, ...
pub(super) const PEOPLE: [&str; 4] = ["anne", "bilal", "chloe", "denis"];
const VARIABLE: &str = "FACTEUR_STORE_CRASH";
/// Work that changes no mail and is done now and then between two steps. What it finds wrong is the answer.
pub(super) const ALONGSIDE: [fn(&Store, &mut Random) -> Option<String>; 5] =
    [recount, list_spool, snapshot, compact, search];

/// How a child works.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) folder: PathBuf,
    pub(super) seed: u64,
    /// Numbers of messages of one data folder begin with it.
    pub(super) round: u64,
    pub(super) threads: u64,
    /// Of each thread; 0 goes on until it is killed.
    pub(super) steps: u64,
    /// Errors are expected.
    pub(super) faulty: bool,
    /// Created by the child once the store said several times that it cannot write.
    pub(super) relief: Option<PathBuf>,
}

impl Settings {
    pub(super) fn from_environment() -> Option<Settings> {
        let text = std::env::var(VARIABLE).ok()?;
        let mut lines = text.lines();
        let mut number = || lines.next()?.parse::<u64>().ok();
        let (seed, round, threads, steps, faulty) = (number()?, number()?, number()?, number()?, number()? == 1);
        let folder = PathBuf::from(lines.next()?);
        let relief = lines.next().filter(|line| !line.is_empty()).map(PathBuf::from);
        Some(Settings { folder, seed, round, threads, steps, faulty, relief })
    }

    pub(super) fn environment(&self) -> (&'static str, String) {
        let relief = self.relief.as_deref().map(Path::to_string_lossy).unwrap_or_default();
        let Settings { seed, round, threads, steps, .. } = self;
        let (faulty, folder) = (u8::from(self.faulty), self.folder.display());
        (VARIABLE, format!("{seed}\n{round}\n{threads}\n{steps}\n{faulty}\n{folder}\n{relief}"))
    }

    /// Small limits, so that segments end and checkpoints begin within seconds.
    pub(super) fn options(&self) -> Options {
        let mut random = Random::from(self.seed ^ self.round << 32);
        Options {
            segment_bytes_max: 2 << 20 | random.below(4) << 20,
            wal_bytes_checkpoint: 1 << (16 + random.below(6)),
            group_ops_max: 1 + random.below(64) as usize,
            ..Options::default()
        }
    }
}

/// Never returns: the process ends when the steps are made, or by its parent.
pub(super) fn run(settings: &Settings) -> ! {
    let journal = Journal::default();
    journal.say(&Record::Stage(Stage::Opening));
    let Some(store) = open(settings, &journal) else { std::process::exit(3) };
    journal.say(&Record::Stage(Stage::Opened));
    if !make_people(settings, &journal, &store) {
        drop(store);
        std::process::exit(3);
    }
    journal.say(&Record::Stage(Stage::People));
    std::thread::scope(|scope| {
        for thread in 0..settings.threads {
            let (store, journal) = (&store, &journal);
            scope.spawn(move || Worker::new(settings, journal, store, thread).run());
        }
    });
    drop(store);
    journal.say(&Record::Stage(Stage::Done));
    std::process::exit(0);
}

/// A fault hits once: what cannot be opened now can be opened then.
fn open(settings: &Settings, journal: &Journal) -> Option<Store> {
    for _ in 0..if settings.faulty { 3 } else { 1 } {
        match Store::open(&settings.folder, settings.options()) {
            Ok(store) => return Some(store),
            Err(error) if settings.faulty => journal.say(&Record::Stage(unopened(&error))),
            Err(error) => journal.say(&Record::Bad(format!("open: {error}"))),
        }
    }
    None
}

fn unopened(error: &crate::OpenError) -> Stage {
    super::random::say(&format!("open: {error}"));
    Stage::Unopened
}

fn make_people(settings: &Settings, journal: &Journal, store: &Store) -> bool {
    let there = || store.people_count().is_ok_and(|count| count == PEOPLE.len() as u64);
    if there() {
        return true;
    }
    for _ in 0..if settings.faulty { 3 } else { 1 } {
        match store.commit_wait(PEOPLE.iter().map(|login| person(login, 1 << 40)).collect()) {
            Ok(_) => return true,
            Err(error) if settings.faulty => {
                journal.say(&Record::Not(0, format!("people: {error}")));
                std::thread::park_timeout(std::time::Duration::from_millis(60));
            }
            Err(error) => journal.say(&Record::Bad(format!("people: {error}"))),
        }
    }
    false
}

/// While others write: each check of it sees one moment.
fn recount(store: &Store, random: &mut Random) -> Option<String> {
    let report = if random.one_in(10) { store.verify().ok()? } else { return None };
    if report.findings.is_empty() { None } else { Some(format!("a recount found {:?}", report.findings)) }
}

fn list_spool(store: &Store, _: &mut Random) -> Option<String> {
    let due = store.queue_due(2, 50).ok()?;
    due.iter().any(|item| item.recipients.is_empty()).then(|| "a spooled message without recipients".to_owned())
}

/// What is written of it is looked at after the crash. Another thread may be at it, or the disk out of order.
fn snapshot(store: &Store, random: &mut Random) -> Option<String> {
    if random.one_in(8) {
        let snapshots = Snapshots::open(store.data_dir().join("snapshots")).ok()?;
        store.snapshot(&snapshots, random.below(1 << 30) as i64, Pace::FULL, &mut |_| ()).ok()?;
    }
    None
}

fn compact(store: &Store, random: &mut Random) -> Option<String> {
    if random.one_in(8) {
        store.compact(0, &mut |_| ()).ok()?;
    }
    None
}

/// Messages the index knows and leaves out do not hold the text.
fn search(store: &Store, random: &mut Random) -> Option<String> {
    let person: &str = random.of::<&str>(&PEOPLE);
    let mailboxes = store.mailboxes(&super::super::login(person)).ok().filter(|mailboxes| !mailboxes.is_empty())?;
    let mailbox = random.of(&mailboxes);
    let text = random.below(100).to_string().repeat(2);
    let candidates = store.search_candidates(mailbox.id, std::slice::from_ref(&text)).pop()?;
    for (uid, body) in store.bodies_of(mailbox.id, &UidSet::from_ranges([0..=candidates.known_to])).ok()? {
        let content = store.read_body(&body).ok()?;
        if String::from_utf8_lossy(&content).contains(&text) && candidates.maybe.binary_search(&uid).is_err() {
            return Some(format!("message {uid} of {} holds {text} and was left out", mailbox.name));
        }
    }
    None
}
