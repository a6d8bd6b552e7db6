//! What a store of several shards makes of a commit: one transaction in each shard, shard 0 last and only when the others
//! hold; ops that need two shards one after the other, each for itself.

use std::collections::{BTreeMap, BTreeSet};

use mail::Login;

use super::naive::{Answer, Mail, Naive, Number, Refused, Step, fold};
use super::translate::nowhere;
use crate::MailboxId;

/// With the index of the step in the commit. Several shards may refuse at once; any of them may be told.
type Split = Result<BTreeMap<usize, Answer>, Vec<(usize, Refused)>>;

/// Which accounts lie where, as far as the store knows; the others are looked for in shard 0.
#[derive(Clone, Debug, Default)]
pub struct Homes(pub BTreeSet<String>);

impl Homes {
    pub fn of(&self, model: &Naive, login: &Login) -> u8 {
        if self.0.contains(&fold(login)) { model.place(&fold(login)) } else { 0 }
    }

    /// Does a step need what lies in another shard than the one it changes? `sources` are the shards of bodies that were
    /// read back.
    pub fn is_slow(&self, model: &Naive, step: &Step, sources: &BTreeSet<u8>) -> bool {
        let targets: BTreeSet<u8> = match step {
            Step::Copy(from, _, to) | Step::Move(from, _, to) => [named(model, *from), named(model, *to)].into(),
            Step::Replace(login, _, _, (old, _)) => [self.of(model, login), named(model, *old)].into(),
            Step::Deliver(_, to, _) => to.iter().map(|(login, _, _)| self.of(model, login)).collect(),
            Step::Append(login, _, _) | Step::Import(login, _, _, _) => [self.of(model, login)].into(),
            Step::Keep(..) => [0].into(),
            _ => return false,
        };
        let mixed = matches!(step, Step::Copy(..) | Step::Move(..) | Step::Replace(..)) && targets.len() > 1;
        let bodies = sources.iter().any(|source| targets.iter().any(|target| target != source));
        mixed || bodies
    }

    /// Runs a commit in the model as the store runs it.
    pub fn commit(
        &mut self,
        model: &mut Naive,
        steps: &[Step],
        slow: bool,
    ) -> Result<Vec<Answer>, Vec<(usize, Refused)>> {
        let steps: Vec<(usize, &Step)> = steps.iter().enumerate().collect();
        let mut answers = BTreeMap::new();
        if slow {
            for step in steps {
                answers.extend(self.side_by_side(model, &[step])?);
            }
        } else {
            answers = self.side_by_side(model, &steps)?;
        }
        Ok(answers.into_values().collect())
    }

    fn side_by_side(&mut self, model: &mut Naive, steps: &[(usize, &Step)]) -> Split {
        let mut shares: BTreeMap<u8, Vec<(usize, Step)>> = BTreeMap::new();
        for (index, step) in steps {
            for (place, step) in self.parts(model, step) {
                shares.entry(place).or_default().push((*index, step));
            }
        }
        let last = shares.remove(&0);
        let (mut answers, mut refused) = (BTreeMap::new(), Vec::new());
        let mut run = |share: Vec<(usize, Step)>, refused: &mut Vec<_>| {
            let (indexes, steps): (Vec<usize>, Vec<Step>) = share.into_iter().unzip();
            match model.commit(&steps) {
                Ok(some) => {
                    indexes.into_iter().zip(some).for_each(|(index, answer)| merge(&mut answers, index, answer))
                }
                Err((at, why)) => refused.push((indexes[at], why)),
            }
        };
        shares.into_values().for_each(|share| run(share, &mut refused));
        if refused.is_empty() {
            last.into_iter().for_each(|share| run(share, &mut refused));
        }
        if refused.is_empty() { Ok(answers) } else { Err(refused) }
    }

    /// A step as its places see it.
    pub fn parts(&mut self, model: &Naive, step: &Step) -> Vec<(u8, Step)> {
        let place = match step {
            Step::Deliver(id, to, mail) => {
                let mut parts: BTreeMap<u8, Vec<_>> = BTreeMap::new();
                for target in to {
                    parts.entry(self.of(model, &target.0)).or_default().push(target.clone());
                }
                if parts.is_empty() {
                    parts.insert(0, Vec::new());
                }
                return parts.into_iter().map(|(place, to)| (place, Step::Deliver(*id, to, mail.clone()))).collect();
            }
            Step::Erase(login) => {
                let places: BTreeSet<u8> = model.places.values().copied().chain([0]).collect();
                let account = |place| (place, Step::EraseAccount(login.clone(), place));
                return places.into_iter().map(account).chain([(0, Step::EraseDirectory(login.clone()))]).collect();
            }
            Step::Person(person, verifier, mailboxes, origin) => {
                self.0.insert(fold(&person.login));
                let place = self.of(model, &person.login);
                if place == 0 {
                    return vec![(0, step.clone())];
                }
                let account = Step::Account(person.login.clone(), person.quota_octets, mailboxes.clone());
                return vec![(place, account), (0, Step::Directory(person.clone(), verifier.clone(), origin.clone()))];
            }
            Step::SetFlags(at, ..) | Step::Copy(at, ..) | Step::Move(at, ..) | Step::Expunge(at, ..) => {
                place_of(model, *at)
            }
            Step::Append(login, ..)
            | Step::Replace(login, ..)
            | Step::Import(login, ..)
            | Step::Create(login, ..)
            | Step::Delete(login, ..)
            | Step::Rename(login, ..)
            | Step::Subscribe(login, ..)
            | Step::Annotate(login, ..)
            | Step::Grant(login, ..)
            | Step::Warned(login, ..) => self.of(model, login),
            _ => 0,
        };
        vec![(place, step.clone())]
    }
}

fn merge(answers: &mut BTreeMap<usize, Answer>, index: usize, answer: Answer) {
    let merged = match (answers.remove(&index), answer) {
        (Some(Answer::Delivered(one, mut placed)), Answer::Delivered(other, more)) => {
            placed.extend(more);
            Answer::Delivered(one && other, placed)
        }
        (_, answer) => answer,
    };
    answers.insert(index, merged);
}

/// Where a mailbox lies or lay; 0 for one there never was.
pub fn place_of(model: &Naive, at: Number) -> u8 {
    model.mailboxes.get(at).map_or(0, |mailbox| model.place(&mailbox.account))
}

/// The shard the store reads from a mailbox's number; there is none of those nobody has.
fn named(model: &Naive, at: Number) -> u8 {
    if at < model.mailboxes.len() { place_of(model, at) } else { MailboxId(nowhere(at)).shard() }
}

/// The bodies a step brings.
pub fn mails(step: &mut Step) -> Vec<&mut Mail> {
    match step {
        Step::Deliver(_, _, mail) | Step::Append(_, _, mail) | Step::Replace(_, _, mail, _) => vec![mail],
        Step::Import(_, _, mails, _) => mails.iter_mut().collect(),
        Step::Keep(_, _, item) => vec![&mut item.mail],
        _ => Vec::new(),
    }
}

/// The mailboxes a step names by their number.
pub fn numbers(step: &mut Step) -> Vec<&mut Number> {
    match step {
        Step::Copy(from, _, to) | Step::Move(from, _, to) => vec![from, to],
        Step::SetFlags(at, ..) | Step::Expunge(at, ..) | Step::Replace(_, _, _, (at, _)) => vec![at],
        _ => Vec::new(),
    }
}
