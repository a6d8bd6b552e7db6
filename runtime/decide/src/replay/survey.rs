//! What has to be known of a whole log before its first decision is judged.

use std::collections::HashMap;

use mail::Login;

use super::{DECISIONS_MAX, Unreplayable, With};
use crate::facts::Facts;
use crate::tables::Tables;

/// Rows of a block: of each block the first turn is kept.
const BLOCK: u64 = 1_024;
/// Rows of one log.
const ROWS_MAX: u64 = 20_000_000;

/// The first of two looks at a log: who has a limit grant, from when to when it is, and how far back later rows reach.
#[derive(Debug)]
pub struct Survey {
    rows: u64,
    decisions: u64,
    /// By block: the least turn of its rows.
    firsts: Vec<u64>,
    /// Who a hash stands for, where a limit grant is theirs.
    logins: HashMap<String, Login>,
    pub(super) grants_unnamed: u64,
    pub(super) left_out: u64,
    pub(super) from_s: i64,
    pub(super) until_s: i64,
}

impl Default for Survey {
    fn default() -> Survey {
        Survey {
            rows: 0,
            decisions: 0,
            firsts: Vec::new(),
            logins: HashMap::new(),
            grants_unnamed: 0,
            left_out: 0,
            from_s: i64::MAX,
            until_s: i64::MIN,
        }
    }
}

impl Survey {
    pub fn row(&mut self, tables: &Tables, facts: &Facts, with: &With<'_>) -> Result<(), Unreplayable> {
        if self.rows.is_multiple_of(BLOCK) {
            self.firsts.push(u64::MAX);
        }
        if let Some(first) = self.firsts.last_mut() {
            *first = facts.turn.min(*first);
        }
        self.rows += 1;
        self.decisions = self.decisions.saturating_add(facts.decisions());
        if self.decisions > DECISIONS_MAX || self.rows > ROWS_MAX {
            return Err(Unreplayable::TooMany);
        }
        if facts.at_s >= with.judged_from_s {
            self.from_s = self.from_s.min(facts.at_s);
            self.until_s = self.until_s.max(facts.at_s);
            self.left_out += u64::from(facts.left_out);
        }
        self.name_grant(tables, facts, with);
        Ok(())
    }

    /// An account has one name in all its rows, or its windows would be counted apart.
    fn name_grant(&mut self, tables: &Tables, facts: &Facts, with: &With<'_>) {
        let Some(place) = facts.grant.filter(|_| !with.granted.contains_key(&facts.who)) else { return };
        let plan = match with.before {
            _ if facts.plan == with.plan => Some(tables.plan()),
            Some((hash, plan)) if facts.plan == hash => Some(plan),
            Some(_) | None => None,
        };
        let grant = plan.and_then(|plan| plan.limit_grants.get(place as usize));
        match grant.and_then(|grant| Login::new(&grant.login)) {
            Some(login) => drop(self.logins.insert(facts.who.clone(), login)),
            None => self.grants_unnamed += 1,
        }
    }

    /// The login of a hash, where a limit grant is theirs.
    pub(super) fn login<'s>(&'s self, who: &str, with: &'s With<'_>) -> Option<&'s Login> {
        with.granted.get(who).or_else(|| self.logins.get(who))
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// Makes of the least turn of each block that of all blocks from it on.
    pub(super) fn look_back(&mut self) {
        let mut least = u64::MAX;
        for first in self.firsts.iter_mut().rev() {
            least = least.min(*first);
            *first = least;
        }
    }

    /// What is before this turn was said by the first `rows` rows; `None` inside a block, and where rows came that no survey saw.
    pub(super) fn whole_before(&self, rows: u64) -> Option<u64> {
        if rows >= self.rows {
            return (rows == self.rows).then_some(u64::MAX);
        }
        let is_boundary = rows.is_multiple_of(BLOCK);
        is_boundary.then(|| self.firsts.get((rows / BLOCK) as usize).copied()).flatten()
    }
}
