//! Who is here and what the ledger says, read whole for a list to be judged by.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use decide::people::{Held, Ledger, Present};
use mail::{Alias, AliasKind, Login};
use plan::Life;
use store::{PersonRow, PersonSource, ReadError, Store};

use crate::clock;

/// Rows of one read.
const PAGE: u32 = 5_000;

/// One at a time: what is judged free is given before the next is judged.
static DESK: Mutex<()> = Mutex::new(());

pub(super) fn desk() -> MutexGuard<'static, ()> {
    DESK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Everybody, in order of login.
pub(super) struct Everybody {
    pub(super) rows: Vec<PersonRow>,
    pub(super) present: Vec<Present>,
}

pub(super) fn everybody(store: &Store) -> Result<Everybody, ReadError> {
    let mut others: HashMap<String, BTreeSet<String>> = HashMap::new();
    for alias in aliases(store)? {
        if let ([one], AliasKind::Former | AliasKind::Alias) = (&alias.members[..], alias.kind) {
            others.entry(one.to_string()).or_default().insert(alias.address.folded());
        }
    }
    let rows = people(store)?;
    let present = rows.iter().map(|row| of(row, others.remove(row.person.login.as_str()).unwrap_or_default()));
    let present = present.collect();
    Ok(Everybody { rows, present })
}

pub(super) fn of(row: &PersonRow, others: BTreeSet<String>) -> Present {
    let PersonRow { person, origin, .. } = row.clone();
    let is_listed = origin.source == PersonSource::File;
    Present {
        person,
        foreign_id: origin.foreign_id,
        registered: origin.registered,
        until: origin.until,
        is_listed,
        others,
    }
}

pub(super) fn people(store: &Store) -> Result<Vec<PersonRow>, ReadError> {
    let (mut rows, mut after): (Vec<PersonRow>, Option<Login>) = (Vec::new(), None);
    loop {
        let page = store.people(after.as_ref(), PAGE)?;
        let Some(last) = page.last() else { return Ok(rows) };
        after = Some(last.person.login.clone());
        rows.extend(page);
    }
}

pub(super) fn aliases(store: &Store) -> Result<Vec<Alias>, ReadError> {
    let (mut all, mut after): (Vec<Alias>, String) = (Vec::new(), String::new());
    loop {
        let page = store.aliases(&after, PAGE)?;
        let Some(last) = page.last() else { return Ok(all) };
        after = last.address.folded();
        all.extend(page);
    }
}

/// All of the ledger.
pub(super) fn ledger(store: &Store, reuse_after: &Life) -> Result<Ledger, ReadError> {
    let (mut ledger, mut after) = (Ledger::new(), String::new());
    loop {
        let page = store.given_list(&after, PAGE)?;
        let Some(last) = page.last() else { return Ok(ledger) };
        after.clone_from(&last.what);
        for given in page {
            let is_free = is_free(given.freed_at_s, reuse_after);
            ledger.insert(given.what, Held { holder: given.holder, is_free });
        }
    }
}

/// Is what was freed then anybody's again?
pub(super) fn is_free(freed_at_s: Option<i64>, reuse_after: &Life) -> bool {
    match (freed_at_s, reuse_after) {
        (Some(freed_at_s), Life::For { s }) => {
            freed_at_s.saturating_add(i64::try_from(*s).unwrap_or(i64::MAX)) <= clock::unix_s()
        }
        (Some(_), Life::WhileAccountLives) => true,
        (Some(_), Life::Forever) | (None, _) => false,
    }
}
