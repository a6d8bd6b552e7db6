//! A comparison taken over into the store, some hundred people in one commit.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use mail::Login;
use store::{CommitError, Op, ReadError};

use super::compare::Comparison;
use super::facts::Facts;
use super::step::{Desk, NoStep, Step};

/// People of one commit.
const BATCH: usize = 200;

/// What was taken over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    pub new: u64,
    pub changed: u64,
    pub gone: u64,
}

/// Why not everything was taken over; what was is, and the next sync does the rest.
#[derive(Debug)]
pub enum NotApplied {
    Read(ReadError),
    Commit(CommitError),
    Stopped,
}

impl std::fmt::Display for NotApplied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NotApplied::Read(error) => error.fmt(f),
            NotApplied::Commit(error) => error.fmt(f),
            NotApplied::Stopped => f.write_str("the server stops"),
        }
    }
}

impl From<ReadError> for NotApplied {
    fn from(error: ReadError) -> NotApplied {
        NotApplied::Read(error)
    }
}

/// Steps that wait for their commit, and what they give away.
#[derive(Default)]
struct Batch {
    steps: Vec<(String, Step)>,
    given: HashSet<String>,
}

/// Takes everything over. Blocks.
pub fn apply(desk: &Desk, comparison: &mut Comparison, stop: &AtomicBool) -> Result<Applied, NotApplied> {
    let mut applied = Applied::default();
    let mut batch = Batch::default();
    let (new, changed) = (std::mem::take(&mut comparison.new), std::mem::take(&mut comparison.changed));
    // Nobody's alias is somebody else's own address: everybody who is new has theirs before anybody gets an alias.
    let bare: Vec<Facts> = new.iter().map(|facts| Facts { aliases: Vec::new(), ..facts.clone() }).collect();
    let with_aliases = new.iter().filter(|facts| !facts.aliases.is_empty());
    let all = bare.iter().chain(with_aliases).map(|facts| (facts, false));
    for (facts, same_login) in all.chain(changed.iter().map(|facts| (facts, true))) {
        let Some(mut step) = stepped(desk, facts, same_login, comparison)? else { continue };
        // What somebody before in this batch gets is not in the store yet.
        if names(&step).any(|name| batch.given.contains(&name)) {
            flush(desk, &mut batch, comparison, &mut applied)?;
            match stepped(desk, facts, same_login, comparison)? {
                Some(again) => step = again,
                None => continue,
            }
        }
        batch.given.extend(names(&step));
        batch.steps.push((facts.foreign_id.clone(), step));
        if batch.steps.len() >= BATCH {
            flush(desk, &mut batch, comparison, &mut applied)?;
            if stop.load(Ordering::Relaxed) {
                return Err(NotApplied::Stopped);
            }
        }
    }
    flush(desk, &mut batch, comparison, &mut applied)?;
    // Who is new and got an alias is counted once.
    applied.changed = applied.changed.min(changed.len() as u64);
    for rows in std::mem::take(&mut comparison.gone).chunks(BATCH) {
        let ops: Vec<Op> = rows.iter().flat_map(|row| desk.gone(row)).collect();
        desk.store.commit_wait(ops).map_err(NotApplied::Commit)?;
        applied.gone += rows.len() as u64;
    }
    Ok(applied)
}

/// The step of one person; `None` when they are nobody here, which is said. What a person who changed keeps was said already.
fn stepped(
    desk: &Desk,
    facts: &Facts,
    same_login: bool,
    comparison: &mut Comparison,
) -> Result<Option<Step>, ReadError> {
    match desk.step(facts, same_login) {
        Ok(step) => {
            if !same_login {
                step.said.iter().for_each(|says| comparison.leave_out(&facts.foreign_id, says.as_str()));
            }
            Ok(Some(step))
        }
        Err(NoStep::Read(error)) => Err(error),
        Err(NoStep::NoAccount) => Ok(None),
        Err(NoStep::Says(says)) => {
            comparison.refuse(&facts.foreign_id, says);
            Ok(None)
        }
    }
}

/// What a step gives to its person: the login, and each address.
fn names(step: &Step) -> impl Iterator<Item = String> {
    let login = step.login.iter().map(|login: &Login| login.as_str().to_ascii_lowercase());
    let addresses = step.ops.iter().filter_map(|op| match op {
        Op::UpsertPerson { person, .. } => Some(person.address.folded()),
        Op::UpsertAlias(alias) => Some(alias.address.folded()),
        _ => None,
    });
    login.chain(addresses)
}

/// One commit for all; where the store refuses one of them, one commit for each.
fn flush(desk: &Desk, batch: &mut Batch, comparison: &mut Comparison, applied: &mut Applied) -> Result<(), NotApplied> {
    batch.given.clear();
    let steps = std::mem::take(&mut batch.steps);
    let all = steps.iter().flat_map(|(_, step)| step.ops.iter().cloned()).collect();
    let together = match desk.store.commit_wait(all) {
        Ok(_) => true,
        Err(CommitError::Refused { .. }) => false,
        Err(error) => return Err(NotApplied::Commit(error)),
    };
    for (foreign_id, step) in steps {
        if !together {
            match desk.store.commit_wait(step.ops.clone()) {
                Ok(_) => {}
                Err(CommitError::Refused { why, .. }) => {
                    comparison.refuse(&foreign_id, why.to_string());
                    continue;
                }
                Err(error) => return Err(NotApplied::Commit(error)),
            }
        }
        done(desk, &step, applied);
    }
    Ok(())
}

/// What is committed is believed.
pub fn done(desk: &Desk, step: &Step, applied: &mut Applied) {
    if let (Some(login), Some(redirect)) = (&step.login, &step.redirect) {
        desk.redirects.put(login, redirect.clone());
    }
    match step.is_new {
        true => applied.new += 1,
        false if !step.ops.is_empty() => applied.changed += 1,
        false => {}
    }
}
