//! Steps that had begun and were not acknowledged when the crash came: each happened as a whole or not at all.

use std::collections::HashSet;

use super::actual::Actual;
use super::expected::{Expected, Key, flagged};
use super::step::{Step, flags_of};

impl Expected {
    /// Decides for each step that was under way whether it happened: one piece of evidence says so, then all of it must
    /// be there. What is half there shows as a difference afterwards.
    pub(super) fn settle_open(&mut self, actual: &Actual) {
        let open = std::mem::take(&mut self.open);
        let (deliveries, others): (Vec<Step>, Vec<Step>) =
            open.into_iter().map(|open| open.step).partition(|step| matches!(step, Step::Deliver { .. }));
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
            Step::Append { n, .. } | Step::Replace { n, .. } => actual.messages.values().any(|message| message.n == *n),
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
            Step::Append { n, login, .. } | Step::Replace { n, login, .. } => {
                self.take_away(step);
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
        let Step::Deliver { n, to, .. } = step else { return };
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
        self.take_away(step);
    }
}
