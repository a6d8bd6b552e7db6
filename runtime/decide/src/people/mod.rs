//! What a list of people does to those who are here: who is new, who changes, who is missing, which login and address each
//! gets, and what cannot be. Pure: the same list on the same directory gives the same, in whatever order it is written.
//!
//! Whoever is here keeps login and address. New people get theirs in order of their first day; those of one day in order of a
//! key of their own, so that the order of a file decides nothing. What the ledger says somebody else had goes to nobody
//! before `accounts.reuse_after`; what it says the same person had is theirs again.

mod assign;
mod check;
mod compare;
mod guard;
mod led;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use mail::{Address, Person};

use crate::tables::Tables;

pub use check::{day, name};
pub use guard::{Extent, too_much};
pub use led::{Led, led};

/// One person of a list. What is `None` is not said: new people get what the policy says, others keep what they have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Where it stands in its file, from 1.
    pub line: u32,
    /// The id in the directory it comes from; empty for none.
    pub foreign_id: String,
    pub login: Option<String>,
    pub first: String,
    pub last: String,
    pub address: Option<String>,
    pub profile: Option<String>,
    pub unit: Option<String>,
    pub home: Option<String>,
    pub quota_octets: Option<u64>,
    /// The first day, `YYYY-MM-DD`, or empty.
    pub registered: String,
    /// The last day; nothing in it is no end.
    pub until: Option<String>,
    /// Local parts, or whole addresses, that once were theirs.
    pub former: Vec<String>,
    /// Other addresses that lead to the person, whole or as local parts of the main domain.
    pub aliases: Vec<String>,
    /// Functional addresses the person is a member of, written alike.
    pub functions: Vec<String>,
}

/// Somebody who is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present {
    pub person: Person,
    pub foreign_id: String,
    pub registered: String,
    pub until: String,
    /// From a list like this one; only they can be missing in it.
    pub is_listed: bool,
    /// Folded addresses that lead to this person alone, without the official one.
    pub others: BTreeSet<String>,
}

/// To whom the ledger gave something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// See [`mail::holder`]; empty when nobody knows.
    pub holder: String,
    /// Nobody's, and long enough for `accounts.reuse_after`.
    pub is_free: bool,
}

/// Logins in small letters and folded addresses.
pub type Ledger = HashMap<String, Held>;

/// The ledger as a list is judged by it: whole for a list, asked key by key for one person.
pub trait Given {
    /// Of a login in small letters, or a folded address.
    fn held(&self, what: &str) -> Option<Held>;
    /// The logins this holder ever had, the shortest first.
    fn logins_of(&self, holder: &str) -> Vec<String>;
}

/// A ledger that is there whole, turned over once for a list in which somebody is new.
struct Whole<'a> {
    ledger: &'a Ledger,
    had: HashMap<&'a str, Vec<&'a str>>,
}

impl<'a> Whole<'a> {
    fn new(ledger: &'a Ledger) -> Whole<'a> {
        let mut had: HashMap<&str, Vec<&str>> = HashMap::new();
        for (what, Held { holder, .. }) in ledger.iter().filter(|(what, _)| !what.contains('@')) {
            had.entry(holder.as_str()).or_default().push(what);
        }
        had.values_mut().for_each(|logins| logins.sort_unstable_by_key(|login| (login.len(), *login)));
        Whole { ledger, had }
    }
}

impl Given for Whole<'_> {
    fn held(&self, what: &str) -> Option<Held> {
        self.ledger.get(what).cloned()
    }

    fn logins_of(&self, holder: &str) -> Vec<String> {
        self.had.get(holder).into_iter().flatten().map(|login| (*login).to_owned()).collect()
    }
}

/// What becomes of one of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Index in the list.
    pub row: usize,
    /// Index among those who are here; `None` is a new person.
    pub was: Option<usize>,
    pub person: Person,
    pub foreign_id: String,
    pub registered: String,
    pub until: String,
    /// Former addresses that come to it, the official one that is replaced among them.
    pub former: Vec<Address>,
    /// What changes of somebody who is here, in words of a list.
    pub changes: Vec<&'static str>,
    /// What somebody else has, and what this person got instead.
    pub settled: Vec<Settled>,
}

/// A collision and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// A login or an address.
    pub wanted: String,
    pub given: String,
}

/// What is wrong with one of the list, in a sentence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    pub line: u32,
    pub what: String,
}

/// All of it. With a mistake nothing may be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// In the order of the list, without those that have a mistake.
    pub people: Vec<Judged>,
    /// Indexes of those who are here, were listed once and are not any more, and have no last day before `today`.
    pub missing: Vec<usize>,
    /// In order of line.
    pub mistakes: Vec<Mistake>,
}

/// Judges a list. `today` is `YYYY-MM-DD`.
pub fn judge(tables: &Tables, wanted: &[Wanted], present: &[Present], ledger: &Ledger, today: &str) -> Outcome {
    judge_by(tables, wanted, present, &Whole::new(ledger), today)
}

/// [`judge`] by a ledger that is asked. `present` has at least everybody the list names, by id, login, or name and first day.
pub fn judge_by(tables: &Tables, wanted: &[Wanted], present: &[Present], given: &dyn Given, today: &str) -> Outcome {
    let mut outcome = Outcome::default();
    let matched = matched(wanted, present, &mut outcome.mistakes);
    let mut rows: Vec<usize> = (0..wanted.len()).filter(|row| matched.rows.contains_key(row)).collect();
    rows.retain(|row| match check::row(tables, &wanted[*row]) {
        Ok(()) => true,
        Err(what) => {
            outcome.mistakes.push(Mistake { line: wanted[*row].line, what });
            false
        }
    });
    let mut desk = assign::Desk::new(tables, given, wanted, present);
    rows.sort_by_cached_key(|row| order(&wanted[*row]));
    // What is written stands before what follows from rules.
    rows.sort_by_key(|row| matched.rows[row].is_none() && wanted[*row].login.is_none());
    for row in rows {
        let was = matched.rows[&row];
        match desk.judged(row, was) {
            Ok(judged) => outcome.people.push(judged),
            Err(what) => outcome.mistakes.push(Mistake { line: wanted[row].line, what }),
        }
    }
    outcome.people.sort_by_key(|judged| judged.row);
    outcome.mistakes.sort();
    let missing = |(index, one): (usize, &Present)| {
        let stays = one.until.is_empty() || one.until.as_str() > today;
        (one.is_listed && stays && !matched.present.contains(&index)).then_some(index)
    };
    outcome.missing = present.iter().enumerate().filter_map(missing).collect();
    outcome
}

/// The first day, then a key of one's own: who has none comes last, and by name.
fn order(wanted: &Wanted) -> (bool, String, String, String, String, Option<String>) {
    let Wanted { foreign_id, login, first, last, registered, .. } = wanted;
    let (first, last) = (mail::fold(first), mail::fold(last));
    (registered.is_empty(), registered.clone(), foreign_id.clone(), last, first, login.clone())
}

/// Who of the list is who.
struct Matched {
    /// Rows without mistake, with the index of who it is among those who are here.
    rows: BTreeMap<usize, Option<usize>>,
    /// Those of them the list names, rightly or not.
    present: BTreeSet<usize>,
}

/// By the id in the directory, else by the login, else by name and first day.
fn matched(wanted: &[Wanted], present: &[Present], mistakes: &mut Vec<Mistake>) -> Matched {
    let (mut by_id, mut by_login, mut by_key) = (HashMap::new(), HashMap::new(), HashMap::new());
    for (index, one) in present.iter().enumerate() {
        if !one.foreign_id.is_empty() {
            by_id.insert(one.foreign_id.as_str(), index);
        }
        by_login.insert(one.person.login.as_str().to_ascii_lowercase(), index);
        by_key.insert(mail::holder(&one.person.first, &one.person.last, "", &one.registered), index);
    }
    let mut matched = Matched { rows: BTreeMap::new(), present: BTreeSet::new() };
    let mut lines: HashMap<String, u32> = HashMap::new();
    let mut named: HashMap<usize, u32> = HashMap::new();
    for (row, one) in wanted.iter().enumerate() {
        let key = mail::holder(&one.first, &one.last, "", &one.registered);
        let login = one.login.as_ref().map(|login| login.to_ascii_lowercase());
        let by_login = login.as_ref().and_then(|login| by_login.get(login)).copied();
        let of_key = || by_key.get(&key).copied().filter(|index| present[*index].foreign_id.is_empty());
        let was = match (one.foreign_id.is_empty(), &login) {
            (false, _) => by_id
                .get(one.foreign_id.as_str())
                .copied()
                .or_else(|| by_login.filter(|at| present[*at].foreign_id.is_empty())),
            (true, Some(_)) => by_login,
            (true, None) => of_key(),
        };
        let own = match (&one.foreign_id[..], &login) {
            ("", None) => format!("name {key}"),
            ("", Some(login)) => format!("login {login}"),
            (id, _) => format!("id {id}"),
        };
        let before = lines.insert(own, one.line).or_else(|| was.and_then(|index| named.get(&index).copied()));
        if let Some(index) = was {
            matched.present.insert(index);
            named.insert(index, one.line);
        }
        match before {
            None => drop(matched.rows.insert(row, was)),
            Some(before) => {
                let who = format!("{} {}", one.first, one.last);
                let what =
                    format!("{who} is the same person as on line {before}: give each an id or a login of their own");
                mistakes.push(Mistake { line: one.line, what });
            }
        }
    }
    matched
}
