//! Logins and addresses: who gets which. Each plain login is tried from where the last homonym ended, so that ten thousand
//! of one name are no hundred million questions.

use std::collections::HashMap;

use mail::{Address, Login};
use plan::Homonyms;

use super::{Given, Judged, Present, Settled, Wanted, compare};
use crate::login;
use crate::tables::Tables;

/// As many homonyms of an address as of a login.
const NUMBERS: u32 = 10_000;

pub(super) struct Desk<'a> {
    pub(super) tables: &'a Tables,
    given: &'a dyn Given,
    wanted: &'a [Wanted],
    present: &'a [Present],
    /// Logins and addresses of this list, with whose they are.
    fresh: HashMap<String, usize>,
    /// From which number on a plain login or address is tried.
    next: HashMap<String, u32>,
}

/// Whoever asks, by any of their keys.
pub(super) struct Asker {
    row: usize,
    keys: [String; 2],
}

impl<'a> Desk<'a> {
    pub(super) fn new(
        tables: &'a Tables,
        given: &'a dyn Given,
        wanted: &'a [Wanted],
        present: &'a [Present],
    ) -> Desk<'a> {
        Desk { tables, given, wanted, present, fresh: HashMap::new(), next: HashMap::new() }
    }

    pub(super) fn judged(&mut self, row: usize, was: Option<usize>) -> Result<Judged, String> {
        let (wanted, was_here) = (&self.wanted[row], was.map(|index| &self.present[index]));
        let own =
            |foreign_id: &str, registered: &str| mail::holder(&wanted.first, &wanted.last, foreign_id, registered);
        let before =
            was_here.map(|one| mail::holder(&one.person.first, &one.person.last, &one.foreign_id, &one.registered));
        let new = own(&wanted.foreign_id, &wanted.registered);
        let asker = Asker { row, keys: [new.clone(), before.unwrap_or(new)] };
        let mut settled = Vec::new();
        let login = match was_here {
            Some(one) => kept(wanted, one)?,
            None => self.login(wanted, &asker, &mut settled)?,
        };
        self.fresh.insert(login.as_str().to_ascii_lowercase(), row);
        let address = self.address(wanted, was_here, &asker, &mut settled)?;
        self.fresh.insert(address.folded(), row);
        let former = self.former(wanted, was_here, &address, &asker)?;
        Ok(compare::judged(self.tables, wanted, was_here, compare::Given { row, was, login, address, former, settled }))
    }

    /// Nobody else has it or had it lately.
    fn is_open(&self, what: &str, asker: &Asker) -> bool {
        if let Some(row) = self.fresh.get(what) {
            return *row == asker.row;
        }
        self.given.held(what).is_none_or(|held| held.is_free || asker.keys.contains(&held.holder))
    }

    fn login(&mut self, wanted: &Wanted, asker: &Asker, settled: &mut Vec<Settled>) -> Result<Login, String> {
        if let Some(login) = &wanted.login {
            let login = login.to_ascii_lowercase();
            return match Login::new(&login) {
                Some(given) if self.is_open(&login, asker) => Ok(given),
                _ => Err(format!("login {login} is or was somebody else's")),
            };
        }
        let again = self.given.logins_of(&asker.keys[0]);
        if let Some(again) = again.iter().find(|login| self.is_open(login, asker)).and_then(|login| Login::new(login)) {
            return Ok(again);
        }
        let rules = &self.tables.plan().identity.login;
        let who = format!("{} {}", wanted.first, wanted.last);
        let plain = login::candidates(rules, &wanted.first, &wanted.last).next().unwrap_or_default();
        let mut n = self.next.get(&plain).copied().unwrap_or(0);
        loop {
            let Some(candidate) = login::candidate(rules, &plain, n) else {
                return Err(format!("every login {plain} could become is taken: give {who} a login"));
            };
            n += 1;
            let key = candidate.to_ascii_lowercase();
            if !self.is_open(&key, asker) {
                continue;
            }
            let Some(login) = Login::new(&key).filter(|_| !key.starts_with(['$', '-'])) else {
                return Err(format!("the name of {who} gives no login but {candidate:?}: give one"));
            };
            if n > 1 {
                settled.push(Settled { wanted: plain.clone(), given: key });
            }
            self.next.insert(plain, n);
            return Ok(login);
        }
    }

    /// The one that is given, the one they have, or what the form makes of the name.
    fn address(
        &mut self,
        wanted: &Wanted,
        was: Option<&Present>,
        asker: &Asker,
        settled: &mut Vec<Settled>,
    ) -> Result<Address, String> {
        let who = format!("{} {}", wanted.first, wanted.last);
        let given = match (&wanted.address, was) {
            (Some(text), was) => {
                let address = text.parse::<Address>().map_err(|_| format!("{text:?} is no address"))?;
                // Another spelling of the same is no change.
                match was.map(|one| &one.person.address).filter(|had| had.folded() == address.folded()) {
                    Some(had) => Some(had.clone()),
                    None => Some(address),
                }
            }
            (None, Some(one)) => Some(one.person.address.clone()),
            (None, None) => None,
        };
        if let Some(address) = given {
            compare::held(self.tables, &address, false)?;
            return match self.is_open(&address.folded(), asker) {
                true => Ok(address),
                false => Err(format!("address {address} is or was somebody else's")),
            };
        }
        let text = login::official_address(&self.tables.plan().identity, &wanted.first, &wanted.last);
        let plain = text
            .parse::<Address>()
            .map_err(|_| format!("the name of {who} gives no address but {text:?}: give one"))?;
        compare::held(self.tables, &plain, false)?;
        let free = self.without_homonym(&plain, asker);
        match free {
            Some(address) => {
                if address != plain {
                    settled.push(Settled { wanted: plain.to_string(), given: address.to_string() });
                }
                Ok(address)
            }
            None => Err(format!("address {plain} is or was somebody else's: give {who} an address of their own")),
        }
    }

    fn without_homonym(&mut self, plain: &Address, asker: &Asker) -> Option<Address> {
        let folded = plain.folded();
        if self.is_open(&folded, asker) {
            return Some(plain.clone());
        }
        let Homonyms::Append { suffix, first } = &self.tables.plan().identity.address.homonyms else { return None };
        for n in self.next.get(&folded).copied().unwrap_or(0)..NUMBERS {
            let number = first.checked_add(n)?;
            let local = format!("{}{}", plain.local(), suffix.replace("{n}", &number.to_string()));
            let address = Address::new(&local, plain.domain().clone()).ok()?;
            if self.is_open(&address.folded(), asker) {
                self.next.insert(folded, n + 1);
                return Some(address);
            }
        }
        None
    }

    /// Those that do not lead to the person yet; what was official until now among them.
    fn former(
        &mut self,
        wanted: &Wanted,
        was: Option<&Present>,
        official: &Address,
        asker: &Asker,
    ) -> Result<Vec<Address>, String> {
        let mut former = Vec::new();
        if let Some(before) = was.map(|one| &one.person.address).filter(|before| before.folded() != official.folded()) {
            former.push(before.clone());
        }
        for text in &wanted.former {
            let address = self.former_of(wanted, was, text)?;
            compare::held(self.tables, &address, true)?;
            if !self.is_open(&address.folded(), asker) {
                return Err(format!("former address {address} is or was somebody else's"));
            }
            former.push(address);
        }
        former.retain(|address| {
            let folded = address.folded();
            let known = was.is_some_and(|one| one.others.contains(&folded));
            !known && folded != official.folded() && self.fresh.insert(folded, asker.row).is_none()
        });
        Ok(former)
    }

    /// Former local parts at the unit's domain; whole addresses as they are.
    fn former_of(&self, wanted: &Wanted, was: Option<&Present>, text: &str) -> Result<Address, String> {
        let plan = self.tables.plan();
        let unit = wanted.unit.as_deref().or(was.map(|one| one.person.unit.as_str())).unwrap_or_default();
        let whole = match plan.identity.address.former.as_str() {
            _ if text.contains('@') => text.to_owned(),
            "" => format!("{text}@{}", plan.institution.domain),
            form if form.contains("{unit}") && unit.is_empty() => {
                return Err(format!("former address {text:?} needs a unit, or write it whole"));
            }
            _ => login::former_address(&plan.identity, text, unit),
        };
        whole.parse().map_err(|_| format!("{whole:?} is no address"))
    }
}

/// A login never changes.
fn kept(wanted: &Wanted, was: &Present) -> Result<Login, String> {
    let had = &was.person.login;
    match &wanted.login {
        Some(login) if !login.eq_ignore_ascii_case(had.as_str()) => {
            Err(format!("{} {} has login {had}, which never becomes {login}", wanted.first, wanted.last))
        }
        _ => Ok(had.clone()),
    }
}
