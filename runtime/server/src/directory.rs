//! Who an address leads to: people and aliases of the store, domains of the plan, homes elsewhere.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use decide::{DomainKind, RecipientClass, Tables};
use mail::{Address, Domain, Login, Person};
use plan::PassOnRecipients;
use queue::Route;
use store::{ReadError, Resolution, Store};

/// People read at a time when the units are collected.
const PAGE: u32 = 1_000;
/// A unit nobody knows is looked for again after this.
const UNITS_AGE_MIN: Duration = Duration::from_secs(10);

/// What is remembered of the directory.
#[derive(Debug, Default)]
pub struct Directory {
    units: Mutex<Option<(Instant, BTreeSet<String>)>>,
}

/// A recipient, classed and with everywhere its copies go. `address` is the canonical form.
#[derive(Clone, Debug)]
pub struct Found {
    pub class: RecipientClass,
    pub address: Address,
    pub logins: Vec<Login>,
    /// Copies that leave this machine.
    pub away: Vec<(Address, Route)>,
}

impl Found {
    fn nobody(class: RecipientClass, address: Address) -> Found {
        Found { class, address, logins: Vec::new(), away: Vec::new() }
    }
}

impl Directory {
    /// Looks `address` up; `declared_octets` is what SIZE promises. Trouble with the store is `Unsure`, never `Unknown`.
    pub fn find(&self, tables: &Tables, store: &Store, address: &Address, declared_octets: u64) -> Found {
        self.try_find(tables, store, address, declared_octets).unwrap_or_else(|error| {
            tracing::error!("the directory cannot be read: {error}");
            Found::nobody(RecipientClass::Unsure, address.clone())
        })
    }

    fn try_find(
        &self,
        tables: &Tables,
        store: &Store,
        address: &Address,
        declared_octets: u64,
    ) -> Result<Found, ReadError> {
        match tables.domain(address.domain()) {
            DomainKind::Held { canonical, .. } => here(tables, store, &in_domain(address, &canonical), declared_octets),
            DomainKind::Unit { unit, canonical, .. } => {
                let found = here(tables, store, &in_domain(address, &canonical), declared_octets)?;
                // A name that only looks like a unit's is somebody else's host.
                if found.class == RecipientClass::Unknown && !self.has_unit(store, &unit)? {
                    return Ok(remote(address));
                }
                Ok(found)
            }
            DomainKind::PassOn { canonical, recipients, .. } => {
                let address = in_domain(address, &canonical);
                let class = match recipients {
                    PassOnRecipients::Any => RecipientClass::PassedOn,
                    // Asking the next hop is not built: nobody may be told "unknown" by guess.
                    PassOnRecipients::AskThere { .. } => RecipientClass::Unsure,
                    PassOnRecipients::Directory => match store.resolve(&address)? {
                        Resolution::Unknown => RecipientClass::Unknown,
                        Resolution::Person(_) | Resolution::Alias(_) => RecipientClass::PassedOn,
                    },
                };
                let route = Route::Domain(canonical);
                Ok(Found { away: vec![(address.clone(), route)], ..Found::nobody(class, address) })
            }
            DomainKind::NotOurs => Ok(remote(address)),
        }
    }

    fn has_unit(&self, store: &Store, unit: &str) -> Result<bool, ReadError> {
        let mut units = self.units.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((read, names)) = &*units
            && (names.contains(unit) || read.elapsed() < UNITS_AGE_MIN)
        {
            return Ok(names.contains(unit));
        }
        let mut names = BTreeSet::new();
        let mut after: Option<Login> = None;
        loop {
            let page = store.people(after.as_ref(), PAGE)?;
            let Some(last) = page.last() else { break };
            after = Some(last.person.login.clone());
            names.extend(page.iter().map(|row| row.person.unit.to_lowercase()));
        }
        let known = names.contains(unit);
        *units = Some((Instant::now(), names));
        Ok(known)
    }
}

/// The same local part in the domain its addresses are kept under.
fn in_domain(address: &Address, canonical: &Domain) -> Address {
    if address.domain() == canonical {
        return address.clone();
    }
    let text = address.to_string();
    let local = text.rsplit_once('@').map_or("", |(local, _)| local);
    // A local part and a domain that were each sound are sound together.
    format!("{local}@{canonical}").parse().unwrap_or_else(|_| address.clone())
}

fn remote(address: &Address) -> Found {
    let away = vec![(address.clone(), Route::Remote)];
    Found { away, ..Found::nobody(RecipientClass::Remote, address.clone()) }
}

/// An address of a held domain.
fn here(tables: &Tables, store: &Store, address: &Address, declared_octets: u64) -> Result<Found, ReadError> {
    let mut found = Found::nobody(RecipientClass::Unknown, address.clone());
    let mut full = 0;
    match store.resolve(address)? {
        Resolution::Unknown => {}
        Resolution::Person(row) => full += usize::from(add(tables, store, &row.person, declared_octets, &mut found)?),
        Resolution::Alias(alias) => {
            for login in &alias.members {
                if let Some(row) = store.person(login)? {
                    full += usize::from(add(tables, store, &row.person, declared_octets, &mut found)?);
                }
            }
        }
    }
    if !found.logins.is_empty() {
        // With one full mailbox among several the others must not go without; the full one takes it too.
        found.class = if full == found.logins.len() { RecipientClass::Full } else { RecipientClass::Local };
    } else if !found.away.is_empty() {
        found.class = RecipientClass::PassedOn;
    }
    Ok(found)
}

/// Adds a person; true when the mailbox here is full past the grace.
fn add(
    tables: &Tables,
    store: &Store,
    person: &Person,
    declared_octets: u64,
    found: &mut Found,
) -> Result<bool, ReadError> {
    if let Some(home) = &person.home {
        found.away.push((person.address.clone(), Route::Home(home.clone())));
        return Ok(false);
    }
    found.logins.push(person.login.clone());
    let grace_percent = u64::from(tables.plan().mailboxes.when_full.grace_percent);
    let with_grace = person.quota_octets.saturating_add(person.quota_octets / 100 * grace_percent);
    let (used, _) = store.usage(&person.login)?;
    Ok(used.saturating_add(declared_octets) > with_grace)
}
