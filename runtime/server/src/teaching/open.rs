//! How much may wait for the managers, and from whom.

use std::collections::{BTreeMap, HashSet};

use store::{QueueId, ReadError, Store};

use super::facts::{Proposal, Proposer, Way};
use super::kept;

/// Proposals that wait: of all; of senders elsewhere and of those nobody vouches for, so that they cannot keep people out.
const WAITING_MAX: usize = 10_000;
const OUTSIDE_MAX: usize = 1_000;
/// Of one proposer in a day; restarts forget the count.
const DAILY_MAX: u32 = 200;

const DAY_S: i64 = 86_400;

/// What waits.
#[derive(Debug, Default)]
pub struct Open {
    /// Read from the store since the last decision.
    known: bool,
    ids: HashSet<QueueId>,
    /// Who has proposals by keyword.
    by_keyword: HashSet<String>,
    outside: usize,
    day: i64,
    daily: BTreeMap<String, u32>,
}

impl Open {
    /// What waits has to be read again; what was counted today stays.
    pub fn forget(&mut self) {
        self.known = false;
    }

    /// Reads what waits where that is needed.
    pub fn bring_up_to_date(&mut self, store: &Store) -> Result<(), ReadError> {
        if self.known {
            return Ok(());
        }
        (self.ids, self.by_keyword, self.outside) = (HashSet::new(), HashSet::new(), 0);
        for one in kept::proposals(store)? {
            self.count(one.id, &one.facts);
        }
        self.known = true;
        Ok(())
    }

    fn count(&mut self, id: QueueId, facts: &Proposal) {
        self.ids.insert(id);
        self.outside += usize::from(is_outside(&facts.proposer));
        if facts.way == Way::Keyword {
            self.by_keyword.insert(facts.proposer.name.to_lowercase());
        }
    }

    /// May this person have something to take back? Always, before anything was read.
    pub fn may_withdraw(&self, login: &str) -> bool {
        !self.known || self.by_keyword.contains(&login.to_lowercase())
    }

    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// May this person propose more, as far as is known? [`Open::take`] says for sure.
    pub fn has_place(&self, login: &str, now_s: i64) -> bool {
        let today = self.day == now_s.div_euclid(DAY_S);
        let daily = self.daily.get(&login.to_lowercase()).filter(|_| today);
        daily.is_none_or(|daily| *daily < DAILY_MAX) && self.ids.len() < WAITING_MAX
    }

    /// Counts one more, or says why it finds no place.
    pub fn take(&mut self, id: QueueId, facts: &Proposal, now_s: i64) -> Result<(), &'static str> {
        if self.ids.contains(&id) {
            return Ok(());
        }
        let day = now_s.div_euclid(DAY_S);
        if day != self.day {
            (self.day, self.daily) = (day, BTreeMap::new());
        }
        if self.ids.len() >= WAITING_MAX || (is_outside(&facts.proposer) && self.outside >= OUTSIDE_MAX) {
            return Err("too many proposals wait");
        }
        let daily = self.daily.entry(counted(&facts.proposer)).or_default();
        if *daily >= DAILY_MAX {
            return Err("too many proposals of one sender today");
        }
        *daily += 1;
        self.count(id, facts);
        Ok(())
    }

    pub fn withdraw(&mut self, id: QueueId) {
        self.ids.remove(&id);
    }
}

/// Nobody of ours: a login has no `@`. That SPF vouches for an address says nothing of whoever has the domain.
fn is_outside(proposer: &Proposer) -> bool {
    !proposer.proved || proposer.name.contains('@')
}

/// Whoever only claims an address has all the others who do for company, and who has one elsewhere its whole domain.
fn counted(proposer: &Proposer) -> String {
    if !proposer.proved {
        return String::new();
    }
    let name = proposer.name.to_lowercase();
    name.rsplit_once('@').map_or(name.clone(), |(_, domain)| format!("@{domain}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, proved: bool) -> Proposal {
        Proposal { proposer: Proposer { name: name.to_owned(), proved }, ..Proposal::default() }
    }

    fn id(number: u32) -> QueueId {
        QueueId(std::array::from_fn(|at| number.to_le_bytes()[at % 4]))
    }

    #[test]
    fn a_proposer_has_so_many_a_day_and_strangers_have_them_together() {
        let mut open = Open::default();
        let mut taken = |name: &str, proved, first: u32, now_s| {
            (first..first + 300).filter(|number| open.take(id(*number), &of(name, proved), now_s).is_ok()).count()
        };
        assert_eq!(taken("jean", true, 1, 0), 200);
        assert_eq!(taken("Jean", true, 1_000, 5), 0);
        assert_eq!(taken("paul", true, 2_000, 5), 200);
        assert_eq!(taken("jean", true, 3_000, DAY_S), 200, "another day");
        assert_eq!(taken("a@x", false, 4_000, DAY_S) + taken("b@x", false, 5_000, DAY_S), 200);
        assert_eq!(taken("jean", true, 1, DAY_S), 200, "what waits is no new one");
        let places = [("Jean", DAY_S), ("paul", DAY_S), ("jean", 2 * DAY_S)];
        assert_eq!(places.map(|(name, now_s)| open.has_place(name, now_s)), [false, true, true]);
    }

    #[test]
    fn strangers_fill_their_part_of_the_queue_and_no_more() {
        let mut open = Open::default();
        let stranger =
            |open: &mut Open, number: u32| open.take(id(number), &of("x", false), i64::from(number / 100) * DAY_S);
        let taken = (0..5_000).filter(|number| stranger(&mut open, *number).is_ok()).count();
        assert_eq!(taken, OUTSIDE_MAX);
        assert!(open.take(id(9_999), &of("jean", true), 0).is_ok());
        open.withdraw(id(9_999));
        assert_eq!(open.len(), OUTSIDE_MAX);
    }

    #[test]
    fn a_domain_elsewhere_whose_addresses_are_proved_keeps_nobody_out() {
        let mut open = Open::default();
        let proved = |open: &mut Open, number: u32, domain: u32| {
            open.take(id(number), &of(&format!("u{number}@d{domain}.example"), true), 0).is_ok()
        };
        assert_eq!((0..500).filter(|number| proved(&mut open, *number, 1)).count(), 200, "of one domain");
        let taken = (500..5_000).filter(|number| proved(&mut open, *number, *number)).count();
        assert_eq!(taken + 200, OUTSIDE_MAX);
        assert!(open.take(id(9_999), &of("jean", true), 0).is_ok());
    }
}
