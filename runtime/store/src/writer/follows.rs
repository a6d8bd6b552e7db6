//! Addresses that lead to whoever another address leads to.
//!
//! Whom an address reaches in the end is written down for each (`alias_member`), so that a reader looks once. What of it is its
//! own says `own`; the rest comes from the addresses it follows, and is written anew in the commit that changes one of them.

use std::collections::{BTreeSet, VecDeque};

use mail::{Address, Login};

use super::Stop;
use super::group::Group;
use super::people::MEMBERS_MAX;
use crate::error::Refusal;
use crate::given::GivenKind;
use crate::op::OpResult;
use crate::read::fold;

/// Addresses one follows.
const FOLLOWS_MAX: usize = 1_000;

impl Group<'_> {
    pub(super) fn lead_alias(
        &mut self,
        address: &Address,
        own: &[Login],
        follows: &[Address],
    ) -> Result<OpResult, Stop> {
        let folded = address.folded();
        let follows: Vec<String> = follows.iter().map(Address::folded).collect();
        if follows.len() > FOLLOWS_MAX {
            return Err(Refusal::TooLarge.into());
        }
        if self.comes_back(&folded, &follows)? {
            return Err(Refusal::Circle(address.clone()).into());
        }
        let there = "SELECT EXISTS(SELECT 1 FROM alias WHERE folded = ?1)";
        let there: bool = self.db.prepare_cached(there)?.query_row([&folded], |row| row.get(0))?;
        if !there {
            return Err(Refusal::AddressTaken(address.clone()).into());
        }
        self.reaches_few_enough(own.len(), &follows)?;
        self.write_follows(&folded, &follows)?;
        // Nobody's own, whoever is behind it today.
        if !follows.is_empty() {
            self.hand_over(&folded, GivenKind::Address, &folded)?;
        }
        let own: Vec<String> = own.iter().map(fold).collect();
        self.write_members(&folded, &own, &follows)?;
        self.tell_followers(&folded)?;
        Ok(OpResult::Done)
    }

    /// Counts before anything is written; somebody who is reached by two ways counts twice.
    fn reaches_few_enough(&mut self, own: usize, follows: &[String]) -> Result<(), Stop> {
        let mut reached = own;
        let mut query = self.db.prepare_cached("SELECT count(*) FROM alias_member WHERE folded = ?1")?;
        for target in follows {
            let members: i64 = query.query_row([target], |row| row.get(0))?;
            reached = reached.saturating_add(usize::try_from(members).unwrap_or(usize::MAX));
        }
        if reached > MEMBERS_MAX { Err(Refusal::TooLarge.into()) } else { Ok(()) }
    }

    /// The addresses `folded` follows.
    pub(super) fn follows(&mut self, folded: &str) -> Result<Vec<String>, Stop> {
        let mut query = self.db.prepare_cached("SELECT target FROM alias_follows WHERE folded = ?1 ORDER BY n")?;
        Ok(query.query_map([folded], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    pub(super) fn write_follows(&mut self, folded: &str, follows: &[String]) -> Result<(), Stop> {
        self.db.prepare_cached("DELETE FROM alias_follows WHERE folded = ?1")?.execute([folded])?;
        let mut insert = self.db.prepare_cached("INSERT INTO alias_follows(folded, n, target) VALUES(?1, ?2, ?3)")?;
        for (n, target) in follows.iter().enumerate() {
            insert.execute((folded, n as i64, target))?;
        }
        Ok(())
    }

    /// What of `members` is the address's own: what was, and what comes by no other way.
    pub(super) fn own_of(&mut self, folded: &str, follows: &[String], members: &[Login]) -> Result<Vec<String>, Stop> {
        let members = members.iter().map(fold);
        if follows.is_empty() {
            return Ok(members.collect());
        }
        let (before, led) = (self.members(folded, true)?, self.led_by(follows)?);
        Ok(members.filter(|login| before.contains(login) || !led.contains(login)).collect())
    }

    /// Its own members as they are given, then who else comes by way of others. Says whether they are not who they were.
    pub(super) fn write_members(&mut self, folded: &str, own: &[String], follows: &[String]) -> Result<bool, Stop> {
        let before = self.members(folded, false)?;
        let mut all: Vec<(String, bool)> = own.iter().map(|login| (login.clone(), true)).collect();
        let mut seen: BTreeSet<String> = own.iter().cloned().collect();
        for login in self.led_by(follows)? {
            if seen.insert(login.clone()) {
                all.push((login, false));
            }
        }
        self.db.prepare_cached("DELETE FROM alias_member WHERE folded = ?1")?.execute([folded])?;
        let mut insert =
            self.db.prepare_cached("INSERT INTO alias_member(folded, n, login, own) VALUES(?1, ?2, ?3, ?4)")?;
        for (n, (login, is_own)) in all.iter().enumerate() {
            insert.execute((folded, n as i64, login, is_own))?;
        }
        Ok(seen != before.into_iter().collect())
    }

    /// Whoever follows `folded` has its members anew, and so on to where nothing changes. It ends: no circle is let in.
    pub(super) fn tell_followers(&mut self, folded: &str) -> Result<(), Stop> {
        let mut changed = VecDeque::from([folded.to_owned()]);
        while let Some(target) = changed.pop_front() {
            for follower in self.followers(&target)? {
                let (own, follows) = (self.members(&follower, true)?, self.follows(&follower)?);
                if self.write_members(&follower, &own, &follows)? {
                    changed.push_back(follower);
                }
            }
        }
        Ok(())
    }

    fn followers(&mut self, target: &str) -> Result<Vec<String>, Stop> {
        // A program of format 6 takes an address away and leaves what it followed.
        let statement = "SELECT DISTINCT f.folded FROM alias_follows f JOIN alias a ON a.folded = f.folded
             WHERE f.target = ?1 ORDER BY f.folded";
        let mut query = self.db.prepare_cached(statement)?;
        Ok(query.query_map([target], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    fn members(&mut self, folded: &str, own_alone: bool) -> Result<Vec<String>, Stop> {
        let statement = "SELECT login FROM alias_member WHERE folded = ?1 AND own >= ?2 ORDER BY n";
        let mut query = self.db.prepare_cached(statement)?;
        Ok(query.query_map((folded, own_alone), |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    /// Whom these addresses lead to now; one that is somebody's own leads to that person.
    fn led_by(&mut self, follows: &[String]) -> Result<Vec<String>, Stop> {
        let mut led = Vec::new();
        for target in follows {
            led.extend(self.members(target, false)?);
            let mut query = self.db.prepare_cached("SELECT login FROM person WHERE folded = ?1")?;
            let official: Vec<String> = query.query_map([target], |row| row.get(0))?.collect::<Result<_, _>>()?;
            led.extend(official);
        }
        Ok(led)
    }

    /// Does one of `follows` lead, by whatever way, to `folded`?
    fn comes_back(&mut self, folded: &str, follows: &[String]) -> Result<bool, Stop> {
        let mut waiting: Vec<String> = follows.to_vec();
        let mut seen = BTreeSet::new();
        while let Some(target) = waiting.pop() {
            if target == folded {
                return Ok(true);
            }
            if seen.insert(target.clone()) {
                waiting.extend(self.follows(&target)?);
            }
        }
        Ok(false)
    }
}
