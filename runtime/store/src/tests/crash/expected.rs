//! What the store has to hold after a crash, from the journal of the child.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use mail::{Flags, MailboxName};

use super::super::name;
use super::actual::Actual;
use super::journal::{Answer, Mark, Record, Stage};
use super::step::{Messages, Step, flags_of};
use super::workload::PEOPLE;
use crate::FlagMode;

#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) n: u64,
    pub(super) flags: Flags,
    /// Unknown until somebody was told.
    pub(super) modseq: Option<u64>,
}

#[derive(Clone, Debug)]
pub(super) struct Open {
    thread: u64,
    pub(super) step: Step,
    /// The store had said before that it stopped.
    late: bool,
}

/// (mailbox, UID).
pub(super) type Key = (u32, u32);

#[derive(Clone, Debug, Default)]
pub(super) struct Expected {
    /// By login, then name; the id once somebody was told.
    pub(super) mailboxes: BTreeMap<String, BTreeMap<String, Option<u32>>>,
    pub(super) messages: BTreeMap<Key, Message>,
    pub(super) gone: HashSet<Key>,
    pub(super) gone_mailboxes: HashSet<u32>,
    /// Recipients that wait.
    pub(super) spool: BTreeMap<u64, BTreeSet<u32>>,
    pub(super) quarantine: BTreeSet<u64>,
    pub(super) marks: HashMap<u32, Mark>,
    /// The message every UID was given to, for ever.
    given: HashMap<Key, u64>,
    /// The mailbox every UIDVALIDITY was given to, for ever.
    validities: HashMap<u32, u32>,
    /// Begun and not ended, in the order they were begun.
    pub(super) open: Vec<Open>,
    /// Messages seen in an account before their delivery was acknowledged.
    pub(super) seen: HashSet<(u64, String)>,
    /// Accounts that lost a mailbox since the last check, perhaps with mail in it that nobody had been told of.
    pub(super) emptied: HashSet<String>,
    pub(super) acknowledged: u64,
    /// The store stopped in this round.
    pub(super) stopped: bool,
    /// Steps that failed and left the store going.
    pub(super) failed: u64,
    pub(super) wrong: Vec<String>,
}

impl Expected {
    pub(super) fn replay(&mut self, records: &[Record]) {
        self.stopped = false;
        self.failed = 0;
        for record in records {
            match record {
                Record::Intent(thread, step) => self.begin(*thread, step),
                Record::Acknowledged(thread, answer) => {
                    self.acknowledged += 1;
                    match self.end(*thread) {
                        Some(Open { step, late: true, .. }) => {
                            self.wrong.push(format!("acknowledged after the store stopped: {step:?}"));
                        }
                        Some(Open { step, .. }) => self.hold(&step, answer),
                        None => self.wrong.push(format!("an answer without a step: {answer:?}")),
                    }
                }
                Record::Not(thread, _) => {
                    self.failed += 1;
                    self.end(*thread);
                }
                Record::Unknown(_) => self.stopped = true,
                Record::Mark(mark) => self.mark(*mark),
                Record::Bad(what) => self.wrong.push(format!("the child saw: {what}")),
                Record::Stage(Stage::People) => self.people(),
                Record::Stage(_) => {}
            }
        }
    }

    /// Every account as it is made; a second time changes nothing.
    pub(super) fn people(&mut self) {
        for login in PEOPLE {
            let names = ["INBOX", "Indésirables", "Corbeille"].map(|name| (name.to_owned(), None));
            self.mailboxes.entry(login.to_owned()).or_insert_with(|| names.into());
        }
    }

    fn begin(&mut self, thread: u64, step: &Step) {
        if let Some((mailbox, of)) = step.found() {
            for (uid, n) in of {
                self.see(thread, (mailbox, *uid), *n);
            }
        }
        self.open.push(Open { thread, step: step.clone(), late: self.stopped });
    }

    fn end(&mut self, thread: u64) -> Option<Open> {
        let at = self.open.iter().rposition(|open| open.thread == thread)?;
        Some(self.open.remove(at))
    }

    /// Somebody read the message, so it is durable, whether its delivery was acknowledged yet or not.
    fn see(&mut self, thread: u64, key: Key, n: u64) {
        match self.messages.get(&key) {
            Some(message) if message.n == n => {}
            Some(message) => self.wrong.push(format!("{key:?} is message {:x} and was read as {n:x}", message.n)),
            None if self.is_gone(key) => self.wrong.push(format!("{key:?}, message {n:x}, came back")),
            None => {
                self.add(key, n, flags_of(n));
                self.seen.insert((n, PEOPLE[thread as usize].to_owned()));
            }
        }
    }

    fn is_gone(&self, key: Key) -> bool {
        self.gone.contains(&key) || self.gone_mailboxes.contains(&key.0)
    }

    // INVARIANT (uid-forward): a UID is given once.
    fn give(&mut self, key: Key, n: u64) {
        let before = *self.given.entry(key).or_insert(n);
        if before != n {
            self.wrong.push(format!("{key:?} was given to message {before:x} and to {n:x}"));
        }
    }

    fn validity(&mut self, uidvalidity: u32, mailbox: u32) {
        let before = *self.validities.entry(uidvalidity).or_insert(mailbox);
        if before != mailbox {
            self.wrong.push(format!("UIDVALIDITY {uidvalidity} was given to mailboxes {before} and {mailbox}"));
        }
    }

    pub(super) fn mark(&mut self, mark: Mark) {
        self.validity(mark.uidvalidity, mark.mailbox);
        let old = *self.marks.entry(mark.mailbox).or_insert(mark);
        if old.uidvalidity != mark.uidvalidity || old.uidnext > mark.uidnext || old.modseq > mark.modseq {
            self.wrong.push(format!("a mailbox went back from {old:?} to {mark:?}"));
        }
        self.marks.insert(mark.mailbox, mark);
    }

    pub(super) fn add(&mut self, key: Key, n: u64, flags: Flags) {
        self.give(key, n);
        if !self.is_gone(key) && !self.messages.contains_key(&key) {
            self.messages.insert(key, Message { n, flags, modseq: None });
        }
    }

    pub(super) fn remove(&mut self, key: Key) {
        self.messages.remove(&key);
        self.gone.insert(key);
    }

    /// An acknowledged step.
    fn hold(&mut self, step: &Step, answer: &Answer) {
        match (step, answer) {
            (Step::Deliver { n, .. } | Step::Append { n, .. } | Step::Replace { n, .. }, Answer::Placed(placed)) => {
                for (mailbox, uidvalidity, uid) in placed {
                    self.validity(*uidvalidity, *mailbox);
                    self.add((*mailbox, *uid), *n, flags_of(*n));
                }
                self.take_away(step);
            }
            (Step::Flag { mailbox, of, mode, flags }, Answer::Flagged(rows)) => {
                self.flag(*mailbox, of, *mode, flags);
                self.told(rows.iter().map(|(uid, _)| *uid), of, step);
                for (uid, modseq) in rows {
                    if let Some(message) = self.messages.get_mut(&(*mailbox, *uid)) {
                        message.modseq = Some(*modseq);
                    }
                }
            }
            (Step::Copy { from, of, to } | Step::Move { from, of, to }, Answer::Copied(uidvalidity, uids)) => {
                self.validity(*uidvalidity, *to);
                self.told(uids.iter().map(|(old, _)| *old), of, step);
                let new: HashMap<u32, u32> = uids.iter().copied().collect();
                self.copy(*from, of, *to, |uid, _| new.get(&uid).copied());
                if let Step::Move { .. } = step {
                    of.iter().for_each(|(uid, _)| self.remove((*from, *uid)));
                }
            }
            (Step::Expunge { mailbox, of }, Answer::Expunged(uids, _)) => {
                self.told(uids.iter().copied(), of, step);
                of.iter().for_each(|(uid, _)| self.remove((*mailbox, *uid)));
            }
            (_, Answer::Created(mailbox)) => self.change_names(step, Some(*mailbox)),
            (_, Answer::Done) => self.simple(step),
            _ => self.wrong.push(format!("{answer:?} answers {step:?}")),
        }
    }

    /// The answer names exactly the messages of the step.
    fn told(&mut self, uids: impl Iterator<Item = u32>, of: &Messages, step: &Step) {
        let told: BTreeSet<u32> = uids.collect();
        if told != of.iter().map(|(uid, _)| *uid).collect() {
            self.wrong.push(format!("{told:?} answers {step:?}"));
        }
    }

    /// Steps whose answer says nothing.
    pub(super) fn simple(&mut self, step: &Step) {
        match step {
            Step::Enqueue { n, recipients, .. } => {
                self.spool.insert(*n, (0..*recipients).collect());
                self.take_away(step);
            }
            Step::Settle { n, recipient } => self.settle(*n, *recipient),
            Step::Quarantine { n } => drop(self.quarantine.insert(*n)),
            Step::Release { n } => drop(self.quarantine.remove(n)),
            _ => self.change_names(step, None),
        }
    }

    /// What goes in the same commit as what comes.
    pub(super) fn take_away(&mut self, step: &Step) {
        match step {
            Step::Deliver { settles: Some((n, recipient)), .. }
            | Step::Enqueue { settles: Some((n, recipient)), .. } => {
                self.settle(*n, *recipient);
            }
            Step::Replace { from, of, .. } => of.iter().for_each(|(uid, _)| self.remove((*from, *uid))),
            _ => {}
        }
    }

    fn settle(&mut self, n: u64, recipient: u32) {
        if let Some(waiting) = self.spool.get_mut(&n) {
            waiting.remove(&recipient);
            if waiting.is_empty() {
                self.spool.remove(&n);
            }
        }
    }

    pub(super) fn flag(&mut self, mailbox: u32, of: &Messages, mode: FlagMode, flags: &Flags) {
        for (uid, _) in of {
            if let Some(message) = self.messages.get_mut(&(mailbox, *uid)) {
                message.flags = flagged(&message.flags, mode, flags);
                message.modseq = None;
            }
        }
    }

    /// `new` gives the UID of a copy, by the UID and number of the message.
    pub(super) fn copy(&mut self, from: u32, of: &Messages, to: u32, mut new: impl FnMut(u32, u64) -> Option<u32>) {
        for (uid, n) in of {
            let flags = self.messages.get(&(from, *uid)).map(|message| message.flags.clone());
            match (flags, new(*uid, *n)) {
                (Some(flags), Some(new)) => self.add((to, new), *n, flags),
                _ => self.wrong.push(format!("message {n:x} was not copied from {from} to {to} with the others")),
            }
        }
    }

    fn change_names(&mut self, step: &Step, made: Option<u32>) {
        let (Step::Create { login, .. } | Step::Delete { login, .. } | Step::Rename { login, .. }) = step else {
            return;
        };
        let names = self.mailboxes.entry(login.clone()).or_default();
        match step {
            Step::Create { name, .. } => {
                add_parents(names, name);
                names.insert(name.clone(), made);
            }
            Step::Delete { name, mailbox, .. } => {
                names.remove(name);
                self.gone_mailboxes.insert(*mailbox);
                self.messages.retain(|(of, _), _| of != mailbox);
                self.emptied.insert(login.clone());
            }
            Step::Rename { from, to, .. } => {
                add_parents(names, to);
                let id = names.remove(from).flatten();
                names.insert(to.clone(), id);
                if from == "INBOX" {
                    names.insert(from.clone(), None);
                    return;
                }
                let under = format!("{from}/");
                let children: Vec<String> = names.keys().filter(|name| name.starts_with(&under)).cloned().collect();
                for child in children {
                    let id = names.remove(&child).flatten();
                    names.insert(format!("{to}/{}", &child[under.len()..]), id);
                }
            }
            _ => {}
        }
    }

    /// From here on the folder is known as it is.
    pub(super) fn adopt(&mut self, actual: &Actual) {
        for (key, found) in &actual.messages {
            if let Some(message) = self.messages.get_mut(key) {
                message.modseq = Some(found.modseq);
            }
        }
        for (login, mailboxes) in &actual.mailboxes {
            let known = mailboxes.iter().map(|(name, info)| (name.clone(), Some(info.id.number()))).collect();
            self.mailboxes.insert(login.clone(), known);
        }
    }
}

fn add_parents(names: &mut BTreeMap<String, Option<u32>>, of: &str) {
    for parent in name(of).parents() {
        let parent: &MailboxName = &parent;
        names.entry(parent.as_str().to_owned()).or_insert(None);
    }
}

pub(super) fn flagged(before: &Flags, mode: FlagMode, given: &Flags) -> Flags {
    match mode {
        FlagMode::Add => before.with(given),
        FlagMode::Remove => before.without(given),
        FlagMode::Replace => given.clone(),
        FlagMode::ReplaceWithin(scope) => scope.outside().among(before).with(&scope.among(given)),
    }
}
