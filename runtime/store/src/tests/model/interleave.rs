//! Commits of several threads at once, while compaction runs. The order of the answers is the order in which a shard did
//! them; the model does them in that order, and every answer and all that can be read must be the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestCaseError;
use proptest::{prop_assert, prop_assert_eq};

use super::lockstep::{Checked, Lockstep, NOWHERE, Waist};
use super::naive::{Mail, Naive, Step};
use super::split::{Homes, mails, numbers};
use super::steps;
use super::translate::{Known, agree, op, refused, text};
use super::{Folder, is_long, open, runner, seed};
use crate::{BodyRef, CommitError, OpResult};

const THREADS: usize = 4;
/// Commits of each thread, and how many of them it has under way.
const COMMITS: usize = 40;
const WINDOW: usize = 6;

/// Which commit of which thread, and its answer.
type Heard = ((usize, usize), Result<Vec<OpResult>, CommitError>);

#[test]
fn threads_that_commit_at_once_are_as_one_that_commits_in_the_order_of_the_answers() {
    assert_interleaves(6, 1);
}

#[test]
fn threads_over_eight_shards_are_as_one_too() {
    assert_interleaves(4, 8);
}

#[track_caller]
fn assert_interleaves(rounds: u32, shards: u8) {
    let mut runner = runner(1, 0);
    for round in 0..if is_long() { rounds * 40 } else { rounds } {
        let work: Vec<Vec<Vec<Step>>> = (0..THREADS)
            .map(|_| steps::commits(COMMITS).new_tree(&mut runner).expect("nothing is filtered").current())
            .collect();
        let folder = Folder::new("interleave");
        let checked = Lockstep::new(&|| Box::new(open(folder.path(), shards)), shards)
            .and_then(|mut lockstep| interleave(&mut lockstep, work, shards));
        if let Err(why) = checked {
            panic!("FACTEUR_SEED={}, round {round}: {why}", seed());
        }
    }
}

fn interleave(lockstep: &mut Lockstep, mut work: Vec<Vec<Vec<Step>>>, shards: u8) -> Checked {
    let mut puts = 1_000;
    for commits in &mut work {
        if shards > 1 {
            commits.retain(|steps| is_in_one_place(&lockstep.model, steps));
        }
        for step in commits.iter_mut().flatten() {
            let there = |at: &&mut usize| lockstep.known.mailboxes.get(**at).is_none();
            numbers(step).into_iter().filter(there).for_each(|at| *at += NOWHERE);
            for mail in mails(step) {
                puts += 1;
                mail.put = puts;
            }
        }
    }
    let total: usize = work.iter().map(Vec::len).sum();
    prop_assert!(total > 20, "{} commits are no crowd", total);
    let heard = commit_at_once(lockstep.store(), &lockstep.known, &work)?;
    prop_assert_eq!(heard.len(), total);
    replay(lockstep, &work, heard, shards)?;
    lockstep.learn()?;
    lockstep.look()?;
    lockstep.restart()?;
    lockstep.look()
}

/// Does one shard do it all? Only then the order of answers is that of one history.
fn is_in_one_place(model: &Naive, steps: &[Step]) -> bool {
    let mut homes = Homes(model.accounts.keys().cloned().collect());
    let slow = steps.iter().any(|step| homes.is_slow(model, step, &BTreeSet::new()));
    let places: BTreeSet<u8> = steps.iter().flat_map(|step| homes.parts(model, step)).map(|(place, _)| place).collect();
    !slow && places.len() == 1 && !steps.iter().any(|step| matches!(step, Step::Trim(_)))
}

fn commit_at_once(store: &dyn Waist, known: &Known, work: &[Vec<Vec<Step>>]) -> Result<Vec<Heard>, TestCaseError> {
    let (mut heard, running) = (Vec::new(), AtomicBool::new(true));
    let (sender, answers) = mpsc::channel::<Heard>();
    std::thread::scope(|scope| {
        let running = &running;
        let threads: Vec<_> = work
            .iter()
            .enumerate()
            .map(|(thread, commits)| {
                let sender = sender.clone();
                scope.spawn(move || commit_all(store, known, thread, commits, &sender))
            })
            .collect();
        drop(sender);
        let compacting = scope.spawn(move || {
            while running.load(Ordering::Acquire) {
                let compacted = store.compact(0, &mut |_| ());
                prop_assert!(compacted.is_ok(), "compaction: {:?}", compacted);
            }
            Ok::<(), TestCaseError>(())
        });
        heard.extend(answers);
        let ended = threads.into_iter().try_for_each(|thread| thread.join().unwrap());
        running.store(false, Ordering::Release);
        compacting.join().unwrap()?;
        ended
    })?;
    Ok(heard)
}

/// Some under way at the same time; each answer goes to `sender` from the thread of the store that answers.
fn commit_all(
    store: &dyn Waist,
    known: &Known,
    thread: usize,
    commits: &[Vec<Step>],
    sender: &mpsc::Sender<Heard>,
) -> Checked {
    let (permit, permits) = mpsc::channel();
    for (n, steps) in commits.iter().enumerate() {
        if n >= WINDOW {
            permits.recv()?;
        }
        let mut bodies: BTreeMap<u64, BodyRef> = BTreeMap::new();
        for mail in steps.clone().iter_mut().flat_map(mails) {
            bodies.insert(mail.put, store.put_body(&[&text(mail)])?);
        }
        let body = |mail: &Mail| bodies[&mail.put].clone();
        let ops = steps.iter().map(|step| op(step, known, &body)).collect();
        let (sender, permit) = (sender.clone(), permit.clone());
        let done = move |answer| {
            let _ = sender.send(((thread, n), answer));
            let _ = permit.send(());
        };
        store.commit(ops, Box::new(done));
    }
    Ok(())
}

fn replay(lockstep: &mut Lockstep, work: &[Vec<Vec<Step>>], heard: Vec<Heard>, shards: u8) -> Checked {
    let mut last = [None; THREADS];
    for ((thread, n), got) in heard {
        if shards == 1 {
            prop_assert!(last[thread] < Some(n), "thread {} heard of {} after {:?}", thread, n, last[thread]);
            last[thread] = Some(n);
        }
        let steps = &work[thread][n];
        match (lockstep.model.commit(steps), got) {
            (Ok(answers), Ok(results)) => {
                prop_assert_eq!(answers.len(), results.len());
                for (answer, result) in answers.iter().zip(&results) {
                    agree(&mut lockstep.known, answer, result, shards == 1)?;
                }
            }
            (Err(expected), Err(CommitError::Refused { op, why })) => {
                prop_assert_eq!(expected, (op, refused(&why)), "{:?}", steps);
            }
            other => return Err(TestCaseError::fail(format!("{steps:?}: {other:?}"))),
        }
    }
    Ok(())
}
