//! Who is here and what the ledger says: read whole for a list to be judged by, looked up for one person.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use decide::people::{Given, Held, Ledger, Present, Wanted};
use mail::{Alias, AliasKind, Login};
use plan::Life;
use store::{PersonRow, PersonSource, ReadError, Store};

use crate::clock;

/// Rows of one read.
const PAGE: u32 = 5_000;
/// Logins one person ever had, that are looked at.
const OF_ONE_MAX: u32 = 100;

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

/// Whoever `wanted` may be: by the id, by the login, by name and first day.
pub(super) fn near(store: &Store, wanted: &Wanted) -> Result<Everybody, ReadError> {
    let mut rows: Vec<PersonRow> = store.person_by_foreign(&wanted.foreign_id)?.into_iter().collect();
    let holder = mail::holder(&wanted.first, &wanted.last, "", &wanted.registered);
    let logins = store.logins_given_to(&holder, OF_ONE_MAX)?;
    for login in wanted.login.iter().chain(&logins).filter_map(|login| Login::new(login)) {
        rows.extend(store.person(&login)?);
    }
    rows.sort_by(|one, other| one.person.login.as_str().cmp(other.person.login.as_str()));
    rows.dedup_by(|one, other| one.person.login == other.person.login);
    let mut present = Vec::new();
    for row in &rows {
        let mut others = BTreeSet::new();
        for alias in store.aliases_of(&row.person.login)? {
            if let ([_], AliasKind::Former | AliasKind::Alias) = (&alias.members[..], alias.kind) {
                others.insert(alias.address.folded());
            }
        }
        present.push(of(row, others));
    }
    Ok(Everybody { rows, present })
}

/// The ledger of the store, asked key by key. What cannot be read counts as somebody else's, and is told at the end.
pub(super) struct Asked<'a> {
    store: &'a Store,
    reuse_after: &'a Life,
    failed: RefCell<Option<ReadError>>,
}

impl<'a> Asked<'a> {
    pub(super) fn new(store: &'a Store, reuse_after: &'a Life) -> Asked<'a> {
        Asked { store, reuse_after, failed: RefCell::new(None) }
    }

    /// Was everything read that was asked for?
    pub(super) fn whole(&self) -> Result<(), ReadError> {
        self.failed.take().map_or(Ok(()), Err)
    }

    fn or<T>(&self, read: Result<T, ReadError>, otherwise: T) -> T {
        read.unwrap_or_else(|error| {
            self.failed.replace(Some(error));
            otherwise
        })
    }
}

impl Given for Asked<'_> {
    fn held(&self, what: &str) -> Option<Held> {
        let read = self
            .store
            .given(what)
            .map(|given| given.map(|it| Held { is_free: is_free(it.freed_at_s, self.reuse_after), holder: it.holder }));
        self.or(read, Some(Held { holder: String::new(), is_free: false }))
    }

    fn logins_of(&self, holder: &str) -> Vec<String> {
        self.or(self.store.logins_given_to(holder, OF_ONE_MAX), Vec::new())
    }
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
