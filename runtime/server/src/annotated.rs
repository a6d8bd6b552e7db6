//! Which entries of METADATA changed lately: for those who asked to be told (RFC 5465 5.6, 5.7), and only as long as this process lives,
//! as their sessions do.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mail::Login;
use store::MailboxId;

/// Changes that are remembered. Whoever hears of one reads it at once; one that is forgotten before is not told.
const KEPT_MAX: usize = 10_000;

#[derive(Default)]
pub struct Annotated(Mutex<Changes>);

#[derive(Default)]
struct Changes {
    last: u64,
    /// By number, ascending.
    kept: VecDeque<(u64, Change)>,
}

/// An entry that was set or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Whose it is alone; nobody's is everybody's.
    pub of: Option<Login>,
    /// None: it is an entry of the server.
    pub mailbox: Option<MailboxId>,
    pub entry: String,
}

impl Annotated {
    pub fn record(&self, change: Change) {
        let mut changes = self.changes();
        changes.last += 1;
        let number = changes.last;
        changes.kept.push_back((number, change));
        if changes.kept.len() > KEPT_MAX {
            changes.kept.pop_front();
        }
    }

    /// The number of the last change, and those of them behind `since` that may concern `login`.
    pub fn behind(&self, since: u64, login: &Login) -> (u64, Vec<Change>) {
        let changes = self.changes();
        let from = changes.kept.partition_point(|(number, _)| *number <= since);
        let concerns = |change: &&Change| change.of.as_ref().is_none_or(|of| of == login);
        let found = changes.kept.range(from..).map(|(_, change)| change).filter(concerns).cloned().collect();
        (changes.last, found)
    }

    fn changes(&self) -> MutexGuard<'_, Changes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(of: Option<&str>, entry: &str) -> Change {
        Change { of: of.map(|login| Login::new(login).unwrap()), mailbox: None, entry: entry.to_owned() }
    }

    #[test]
    fn each_hears_of_what_concerns_it_once() {
        let annotated = Annotated::default();
        let [one, other] = ["one", "other"].map(|login| Login::new(login).unwrap());
        annotated.record(change(None, "/shared/a"));
        let (last, found) = annotated.behind(0, &one);
        assert_eq!((last, found.as_slice()), (1, &[change(None, "/shared/a")][..]));
        annotated.record(change(Some("one"), "/private/b"));
        annotated.record(change(None, "/shared/c"));
        assert_eq!(annotated.behind(last, &one).1, [change(Some("one"), "/private/b"), change(None, "/shared/c")]);
        assert_eq!(annotated.behind(last, &other), (3, vec![change(None, "/shared/c")]));
        assert_eq!(annotated.behind(3, &one), (3, Vec::new()));
    }

    #[test]
    fn no_more_are_kept_than_may_be() {
        let annotated = Annotated::default();
        (0..=KEPT_MAX).for_each(|number| annotated.record(change(None, &format!("/shared/{number}"))));
        let (last, found) = annotated.behind(0, &Login::new("one").unwrap());
        assert_eq!((last, found.len(), &found[0].entry[..]), (KEPT_MAX as u64 + 1, KEPT_MAX, "/shared/1"));
    }
}
