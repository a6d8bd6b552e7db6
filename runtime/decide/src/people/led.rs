//! Aliases and functional addresses of a list: whom each leads to. A list adds members and takes none away.

use std::collections::{BTreeMap, HashMap};

use mail::{Address, Alias, AliasKind, Login};

use super::{Judged, Ledger, Mistake, Outcome, Present, Wanted, compare};
use crate::tables::Tables;

/// Aliases of one person, and functions.
const OF_ONE_MAX: usize = 50;

/// What becomes of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Led {
    /// As they are to be: new ones, and those with new members. In order of address.
    pub changed: Vec<Alias>,
    /// Indexes among `Outcome::people` of those somebody new leads to, with the word of a list: `aliases` or `functions`.
    pub gains: Vec<(usize, &'static str)>,
    pub mistakes: Vec<Mistake>,
}

/// One address of the list.
struct Wish {
    address: Address,
    is_function: bool,
    line: u32,
    /// Indexes among `Outcome::people`.
    people: Vec<usize>,
}

/// Judges the aliases and functions of a list whose people are judged. `known` are all addresses that lead to others now.
pub fn led(
    tables: &Tables,
    wanted: &[Wanted],
    outcome: &Outcome,
    present: &[Present],
    ledger: &Ledger,
    known: &[Alias],
) -> Led {
    let mut led = Led::default();
    let wishes = wishes(tables, wanted, outcome, &mut led.mistakes);
    if wishes.is_empty() {
        return led;
    }
    let desk = Desk {
        outcome,
        ledger,
        known: known.iter().map(|alias| (alias.address.folded(), alias)).collect(),
        official: official(outcome, present),
        former: former(outcome),
    };
    for (folded, wish) in &wishes {
        match desk.judged(folded, wish) {
            Ok(Some((alias, gained))) => {
                let word = if wish.is_function { "functions" } else { "aliases" };
                led.gains.extend(gained.into_iter().map(|index| (index, word)));
                led.changed.push(alias);
            }
            Ok(None) => {}
            Err(what) => led.mistakes.push(Mistake { line: wish.line, what }),
        }
    }
    led.gains.sort_unstable();
    led.gains.dedup();
    led.mistakes.sort();
    led
}

/// All that is asked for, by folded address.
fn wishes(
    tables: &Tables,
    wanted: &[Wanted],
    outcome: &Outcome,
    mistakes: &mut Vec<Mistake>,
) -> BTreeMap<String, Wish> {
    let mut wishes: BTreeMap<String, Wish> = BTreeMap::new();
    for (index, judged) in outcome.people.iter().enumerate() {
        let one = &wanted[judged.row];
        let line = one.line;
        let mut wrong = |what: String| mistakes.push(Mistake { line, what });
        if one.aliases.len() > OF_ONE_MAX || one.functions.len() > OF_ONE_MAX {
            wrong(format!("{} {} has more than {OF_ONE_MAX} aliases, or functions", one.first, one.last));
            continue;
        }
        let aliases = one.aliases.iter().map(|text| (text, false));
        for (text, is_function) in aliases.chain(one.functions.iter().map(|text| (text, true))) {
            let address = match whole(tables, text) {
                Ok(address) => address,
                Err(what) => {
                    wrong(what);
                    continue;
                }
            };
            let new = || Wish { address: address.clone(), is_function, line, people: Vec::new() };
            let wish = wishes.entry(address.folded()).or_insert_with(new);
            if wish.is_function != is_function {
                wrong(format!("{address} is a function on one line and an alias on another"));
            } else if !wish.people.contains(&index) {
                wish.people.push(index);
            }
        }
    }
    wishes
}

/// A local part is one of the main domain.
fn whole(tables: &Tables, text: &str) -> Result<Address, String> {
    let domain = &tables.plan().institution.domain;
    let whole = if text.contains('@') { text.to_owned() } else { format!("{text}@{domain}") };
    let address: Address = whole.parse().map_err(|_| format!("{text:?} is no address"))?;
    compare::held(tables, &address, true)?;
    Ok(address)
}

/// Everybody's own address once the list is taken over.
fn official(outcome: &Outcome, present: &[Present]) -> HashMap<String, Login> {
    let mut changes: HashMap<usize, &Judged> = HashMap::new();
    let mut all: HashMap<String, Login> = HashMap::new();
    for judged in &outcome.people {
        all.insert(judged.person.address.folded(), judged.person.login.clone());
        if let Some(index) = judged.was {
            changes.insert(index, judged);
        }
    }
    let others = present.iter().enumerate().filter(|(index, _)| !changes.contains_key(index));
    all.extend(others.map(|(_, one)| (one.person.address.folded(), one.person.login.clone())));
    all
}

/// Those the list makes former addresses.
fn former(outcome: &Outcome) -> HashMap<String, &Login> {
    let of = |judged: &'_ Judged| -> Vec<String> { judged.former.iter().map(Address::folded).collect() };
    outcome
        .people
        .iter()
        .flat_map(|judged| of(judged).into_iter().map(|folded| (folded, &judged.person.login)))
        .collect()
}

struct Desk<'a> {
    outcome: &'a Outcome,
    ledger: &'a Ledger,
    known: HashMap<String, &'a Alias>,
    official: HashMap<String, Login>,
    former: HashMap<String, &'a Login>,
}

impl Desk<'_> {
    /// The address as it is to be, and who is new to it; `None` where it leads to all of them already.
    fn judged(&self, folded: &str, wish: &Wish) -> Result<Option<(Alias, Vec<usize>)>, String> {
        let login = |index: &usize| &self.outcome.people[*index].person.login;
        let alone = match wish.people[..] {
            [index] => Some(index),
            _ => None,
        };
        let is_own = |owner: &Login| !wish.is_function && alone.is_some_and(|index| login(&index) == owner);
        let address = &wish.address;
        if let Some(owner) = self.official.get(folded).or(self.former.get(folded).copied()) {
            return if is_own(owner) { Ok(None) } else { Err(format!("{address} is or was the address of {owner}")) };
        }
        let had = self.known.get(folded).copied();
        let kind = match had.map(|alias| (alias.kind, &alias.members[..])) {
            Some((AliasKind::Former, [owner])) if is_own(owner) => return Ok(None),
            Some((AliasKind::Former, _)) => return Err(format!("{address} is a former address of somebody else")),
            Some((AliasKind::Alias, _)) if wish.is_function => return Err(format!("{address} is an alias already")),
            Some((AliasKind::Function | AliasKind::FunctionMailbox { .. }, _)) if !wish.is_function => {
                return Err(format!("{address} is a function already"));
            }
            Some((kind, _)) => kind,
            None if wish.is_function => AliasKind::Function,
            None => AliasKind::Alias,
        };
        // What somebody had lately is theirs to get again, and nobody else's, nor several people's. What led to several before
        // was nobody's.
        if let (None, Some(held)) = (had, self.ledger.get(folded))
            && !held.is_free
            && held.holder != folded
            && alone.is_none_or(|index| held.holder != holder(&self.outcome.people[index]))
        {
            return Err(format!("{address} was somebody else's, and is given to nobody before `reuse_after`"));
        }
        let mut members = had.map(|alias| alias.members.clone()).unwrap_or_default();
        let gained: Vec<usize> = wish.people.iter().copied().filter(|index| !members.contains(login(index))).collect();
        if gained.is_empty() {
            return Ok(None);
        }
        members.extend(gained.iter().map(|index| login(index).clone()));
        Ok(Some((Alias { address: address.clone(), members, kind }, gained)))
    }
}

fn holder(judged: &Judged) -> String {
    mail::holder(&judged.person.first, &judged.person.last, &judged.foreign_id, &judged.registered)
}
