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
    pub(super) open: Vec<(u64, Step)>,
    /// Messages seen in an account before their delivery was acknowledged.
    seen: HashSet<(u64, String)>,
    /// Accounts that lost a mailbox since the last check, perhaps with mail in it that nobody had been told of.
    emptied: HashSet<String>,
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
                    if self.stopped {
                        self.wrong.push(format!("acknowledged after the store stopped: {answer:?}"));
                    }
                    match self.end(*thread) {
                        Some(step) => self.hold(&step, answer),
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
        self.open.push((thread, step.clone()));
    }

    fn end(&mut self, thread: u64) -> Option<Step> {
        let at = self.open.iter().rposition(|(of, _)| *of == thread)?;
        Some(self.open.remove(at).1)
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

    fn add(&mut self, key: Key, n: u64, flags: Flags) {
        self.give(key, n);
        if !self.is_gone(key) && !self.messages.contains_key(&key) {
            self.messages.insert(key, Message { n, flags, modseq: None });
        }
    }

    fn remove(&mut self, key: Key) {
        self.messages.remove(&key);
        self.gone.insert(key);
    }

    /// An acknowledged step.
    fn hold(&mut self, step: &Step, answer: &Answer) {
        match (step, answer) {
            (Step::Deliver { n, .. } | Step::Append { n, .. }, Answer::Placed(placed)) => {
                for (mailbox, uidvalidity, uid) in placed {
                    self.validity(*uidvalidity, *mailbox);
                    self.add((*mailbox, *uid), *n, flags_of(*n));
                }
                if let Step::Deliver { settles: Some((n, recipient)), .. } = step {
                    self.settle(*n, *recipient);
                }
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
    fn simple(&mut self, step: &Step) {
        match step {
            Step::Enqueue { n, recipients } => drop(self.spool.insert(*n, (0..*recipients).collect())),
            Step::Settle { n, recipient } => self.settle(*n, *recipient),
            Step::Quarantine { n } => drop(self.quarantine.insert(*n)),
            Step::Release { n } => drop(self.quarantine.remove(n)),
            _ => self.change_names(step, None),
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

    fn flag(&mut self, mailbox: u32, of: &Messages, mode: FlagMode, flags: &Flags) {
        for (uid, _) in of {
            if let Some(message) = self.messages.get_mut(&(mailbox, *uid)) {
                message.flags = flagged(&message.flags, mode, flags);
                message.modseq = None;
            }
        }
    }

    /// `new` gives the UID of a copy, by the UID and number of the message.
    fn copy(&mut self, from: u32, of: &Messages, to: u32, mut new: impl FnMut(u32, u64) -> Option<u32>) {
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

    /// Decides for each step that was under way whether it happened: one piece of evidence says so, then all of it must
    /// be there. What is half there shows as a difference afterwards.
    pub(super) fn settle_open(&mut self, actual: &Actual) {
        let open = std::mem::take(&mut self.open);
        let (deliveries, others): (Vec<Step>, Vec<Step>) =
            open.into_iter().map(|(_, step)| step).partition(|step| matches!(step, Step::Deliver { .. }));
        for step in others {
            if self.happened(&step, actual) {
                self.catch_up(&step, actual);
            }
        }
        for step in deliveries {
            self.catch_up_delivery(&step, actual);
        }
        self.seen.clear();
        self.emptied.clear();
    }

    fn happened(&self, step: &Step, actual: &Actual) -> bool {
        let has = |login: &String, name: &String| actual.mailboxes.get(login).is_some_and(|all| all.contains_key(name));
        match step {
            Step::Deliver { .. } => false,
            Step::Append { n, .. } => actual.messages.values().any(|message| message.n == *n),
            Step::Flag { mailbox, of, mode, flags } => of.iter().any(|(uid, _)| {
                let key = (*mailbox, *uid);
                let (Some(before), Some(now)) = (self.messages.get(&key), actual.messages.get(&key)) else {
                    return false;
                };
                let after = flagged(&before.flags, *mode, flags);
                after != before.flags && after == now.flags
            }),
            Step::Copy { of, to, .. } => of.iter().any(|(_, n)| self.extra(actual, |key| key.0 == *to, *n).is_some()),
            Step::Move { from, of, .. } | Step::Expunge { mailbox: from, of } => {
                of.iter().any(|(uid, _)| !actual.messages.contains_key(&(*from, *uid)))
            }
            Step::Create { login, name } => has(login, name),
            Step::Delete { login, name, .. } => !has(login, name),
            Step::Rename { login, to, .. } => has(login, to),
            Step::Enqueue { n, .. } => actual.spool.contains_key(n),
            Step::Settle { n, recipient } => !actual.spool.get(n).is_some_and(|waiting| waiting.contains(recipient)),
            Step::Quarantine { n } => actual.quarantine.contains(n),
            Step::Release { n } => !actual.quarantine.contains(n),
        }
    }

    /// The first message `n` at one of these places that is not accounted for.
    fn extra(&self, actual: &Actual, place: impl Fn(Key) -> bool, n: u64) -> Option<Key> {
        let candidates = actual.places.get(&n)?;
        candidates.iter().copied().find(|key| place(*key) && !self.messages.contains_key(key))
    }

    fn catch_up(&mut self, step: &Step, actual: &Actual) {
        match step {
            Step::Append { n, login, .. } => {
                if let Some(key) = self.extra(actual, |key| actual.owner(key.0) == Some(login), *n) {
                    self.add(key, *n, flags_of(*n));
                }
            }
            Step::Flag { mailbox, of, mode, flags } => self.flag(*mailbox, of, *mode, flags),
            Step::Copy { from, of, to } | Step::Move { from, of, to } => {
                // One message may be there twice, with other flags: copies come in the order of their originals.
                let mut taken = HashSet::new();
                let mut new = Vec::new();
                for (_, n) in of {
                    let key = self.extra(actual, |key| key.0 == *to && !taken.contains(&key), *n);
                    taken.extend(key);
                    new.push(key.map(|key| key.1));
                }
                let mut new = new.into_iter();
                self.copy(*from, of, *to, |_, _| new.next().flatten());
                if let Step::Move { .. } = step {
                    of.iter().for_each(|(uid, _)| self.remove((*from, *uid)));
                }
            }
            Step::Expunge { mailbox, of } => of.iter().for_each(|(uid, _)| self.remove((*mailbox, *uid))),
            _ => self.simple(step),
        }
    }

    /// A delivery is in all its accounts or in none, and its recipient of the spool is done with it.
    fn catch_up_delivery(&mut self, step: &Step, actual: &Actual) {
        let Step::Deliver { n, to, settles } = step else { return };
        let place = |this: &Expected, login: &String| this.extra(actual, |key| actual.owner(key.0) == Some(login), *n);
        let places: Vec<Option<Key>> = to.iter().map(|(login, _)| place(self, login)).collect();
        let seen = |login: &String| self.seen.contains(&(*n, login.clone()));
        if places.iter().all(Option::is_none) && !to.iter().any(|(login, _)| seen(login)) {
            return;
        }
        let missing: Vec<&String> = to
            .iter()
            .zip(&places)
            .filter(|((login, _), place)| place.is_none() && !seen(login) && !self.emptied.contains(login))
            .map(|((login, _), _)| login)
            .collect();
        if !missing.is_empty() {
            self.wrong.push(format!("message {n:x} was delivered, but not to {missing:?}"));
        }
        for key in places.into_iter().flatten() {
            self.add(key, *n, flags_of(*n));
        }
        if let Some((n, recipient)) = settles {
            self.settle(*n, *recipient);
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

fn flagged(before: &Flags, mode: FlagMode, given: &Flags) -> Flags {
    match mode {
        FlagMode::Add => before.with(given),
        FlagMode::Remove => before.without(given),
        FlagMode::Replace => given.clone(),
    }
}
