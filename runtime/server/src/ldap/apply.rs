//! A comparison taken over into the store, some hundred people in one commit.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use mail::Login;
use store::{CommitError, Op, ReadError};

use super::compare::Comparison;
use super::facts::Facts;
use super::step::{Desk, Known, NoStep, Step};

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

/// What is said of attributes that could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tell {
    /// All of it.
    New,
    /// It was said when the person was compared.
    Changed,
    Nothing,
}

/// What is taken over, and what waits for its commit.
struct Taking<'a> {
    desk: &'a Desk,
    comparison: &'a mut Comparison,
    stop: &'a AtomicBool,
    applied: Applied,
    /// Ids of people and their steps.
    waiting: Vec<(String, Step)>,
    /// What those steps give away.
    given: HashSet<String>,
}

/// Takes everything over. Blocks.
pub fn apply(desk: &Desk, comparison: &mut Comparison, stop: &AtomicBool) -> Result<Applied, NotApplied> {
    let (new, changed) = (std::mem::take(&mut comparison.new), std::mem::take(&mut comparison.changed));
    let gone = std::mem::take(&mut comparison.gone);
    let (applied, waiting, given) = (Applied::default(), Vec::new(), HashSet::new());
    let mut taking = Taking { desk, comparison, stop, applied, waiting, given };
    // Nobody's alias is somebody else's own address: everybody who is new has theirs before anybody gets an alias.
    for facts in &new {
        // Whoever is looked at again is told of then.
        let tell = if facts.aliases.is_empty() { Tell::New } else { Tell::Nothing };
        taking.take(&Facts { aliases: Vec::new(), ..facts.clone() }, tell)?;
    }
    taking.flush()?;
    for facts in new.iter().filter(|facts| !facts.aliases.is_empty()) {
        // Who was refused was told of.
        if matches!(desk.known(facts), Ok(Known::Same(_))) {
            taking.take(facts, Tell::New)?;
        }
    }
    taking.flush()?;
    // Who is new and got an alias is counted once.
    taking.applied.changed = 0;
    for facts in &changed {
        taking.take(facts, Tell::Changed)?;
    }
    taking.flush()?;
    for rows in gone.chunks(BATCH) {
        let ops: Vec<Op> = rows.iter().flat_map(|row| desk.gone(row)).collect();
        desk.store.commit_wait(ops).map_err(NotApplied::Commit)?;
        taking.applied.gone += rows.len() as u64;
    }
    Ok(taking.applied)
}

impl Taking<'_> {
    /// One person.
    fn take(&mut self, facts: &Facts, tell: Tell) -> Result<(), NotApplied> {
        let has_changed = tell == Tell::Changed;
        let mut step = self.desk.step(facts, has_changed);
        // What somebody before in this batch gets is not in the store yet.
        if step.as_ref().is_ok_and(|step| names(step).any(|name| self.given.contains(&name))) {
            self.flush()?;
            step = self.desk.step(facts, has_changed);
        }
        let step = match step {
            Ok(step) => step,
            Err(NoStep::Read(error)) => return Err(error.into()),
            Err(NoStep::NoAccount) => return Ok(()),
            Err(NoStep::Says(says)) => {
                self.comparison.refuse(&facts.foreign_id, says);
                return Ok(());
            }
        };
        if tell == Tell::New {
            step.said.iter().for_each(|says| self.comparison.leave_out(&facts.foreign_id, says.as_str()));
        }
        self.given.extend(names(&step));
        self.waiting.push((facts.foreign_id.clone(), step));
        if self.waiting.len() >= BATCH {
            self.flush()?;
            if self.stop.load(Ordering::Relaxed) {
                return Err(NotApplied::Stopped);
            }
        }
        Ok(())
    }

    /// One commit for all; where the store refuses one of them, one commit for each.
    fn flush(&mut self) -> Result<(), NotApplied> {
        self.given.clear();
        let steps = std::mem::take(&mut self.waiting);
        let all = steps.iter().flat_map(|(_, step)| step.ops.iter().cloned()).collect();
        let together = match self.desk.store.commit_wait(all) {
            Ok(_) => true,
            Err(CommitError::Refused { .. }) => false,
            Err(error) => return Err(NotApplied::Commit(error)),
        };
        for (foreign_id, step) in steps {
            if !together {
                match self.desk.store.commit_wait(step.ops.clone()) {
                    Ok(_) => {}
                    Err(CommitError::Refused { why, .. }) => {
                        self.comparison.refuse(&foreign_id, why.to_string());
                        continue;
                    }
                    Err(error) => return Err(NotApplied::Commit(error)),
                }
            }
            done(self.desk, &step, &mut self.applied);
        }
        Ok(())
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
