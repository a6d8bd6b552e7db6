//! Who an address leads to: people and aliases of the store, domains of the plan, homes elsewhere.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use decide::{DomainKind, RecipientClass, Tables};
use mail::{Address, Domain, Login, Person};
use plan::{MailboxRules, PassOnRecipients};
use queue::Route;
use store::{Op, ReadError, Resolution, Store};

use crate::clock;
use crate::full::Full;

/// People read at a time when the units are collected.
const PAGE: u32 = 1_000;
/// A unit nobody knows is looked for again after this.
const UNITS_AGE_MIN: Duration = Duration::from_secs(10);

/// What is remembered of the directory.
#[derive(Debug, Default)]
pub struct Directory {
    units: Mutex<Option<(Instant, BTreeSet<String>)>>,
    full: Full,
}

/// A recipient, classed and with everywhere its copies go. `address` is the canonical form.
#[derive(Clone, Debug)]
pub struct Found {
    pub class: RecipientClass,
    pub address: Address,
    pub logins: Vec<Login>,
    /// Copies that leave this machine.
    pub away: Vec<(Address, Route)>,
    /// What is to be kept of this look: since when a mailbox is full.
    pub notes: Vec<Op>,
}

/// Is there room in a mailbox? In the order in which several mailboxes behind one address are judged: the best counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Room {
    Free,
    Full,
    FullForLong,
}

impl Found {
    fn nobody(class: RecipientClass, address: Address) -> Found {
        Found { class, address, logins: Vec::new(), away: Vec::new(), notes: Vec::new() }
    }
}

impl Directory {
    pub fn load(store: &Store) -> Result<Directory, ReadError> {
        Ok(Directory { units: Mutex::default(), full: Full::load(store)? })
    }

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
            DomainKind::Held { canonical, .. } => {
                self.here(tables, store, &in_domain(address, &canonical), declared_octets)
            }
            DomainKind::Unit { unit, canonical, .. } => {
                let found = self.here(tables, store, &in_domain(address, &canonical), declared_octets)?;
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

    /// An address of a held domain.
    fn here(
        &self,
        tables: &Tables,
        store: &Store,
        address: &Address,
        declared_octets: u64,
    ) -> Result<Found, ReadError> {
        let mut found = Found::nobody(RecipientClass::Unknown, address.clone());
        let people = match store.resolve(address)? {
            Resolution::Unknown => Vec::new(),
            Resolution::Person(row) => vec![row.person],
            Resolution::Alias(alias) => {
                let rows = alias.members.iter().filter_map(|login| store.person(login).transpose());
                rows.map(|row| row.map(|row| row.person)).collect::<Result<_, _>>()?
            }
        };
        let mut room = None;
        for person in people {
            match &person.home {
                Some(home) => found.away.push((person.address.clone(), Route::Home(home.clone()))),
                None => {
                    let of_this = self.room(tables, store, &person, declared_octets, &mut found.notes)?;
                    // With one full mailbox among several the others must not go without; the full one takes it too.
                    room = Some(room.map_or(of_this, |best: Room| best.min(of_this)));
                    found.logins.push(person.login);
                }
            }
        }
        found.class = match room {
            Some(Room::Free) => RecipientClass::Local,
            Some(Room::Full) => RecipientClass::Full,
            Some(Room::FullForLong) => RecipientClass::FullForLong,
            None if !found.away.is_empty() => RecipientClass::PassedOn,
            None => RecipientClass::Unknown,
        };
        Ok(found)
    }

    fn room(
        &self,
        tables: &Tables,
        store: &Store,
        person: &Person,
        declared_octets: u64,
        notes: &mut Vec<Op>,
    ) -> Result<Room, ReadError> {
        let rules: &MailboxRules = &tables.plan().mailboxes;
        let grace_octets = person.quota_octets / 100 * u64::from(rules.when_full.grace_percent);
        let (used_octets, _) = store.usage(&person.login)?;
        let full = used_octets.saturating_add(declared_octets) > person.quota_octets.saturating_add(grace_octets);
        let now_s = clock::unix_s();
        let (since_s, note) = self.full.note(&person.login, full, now_s);
        notes.extend(note);
        let long_s = i64::try_from(rules.when_full.full_try_later_s).unwrap_or(i64::MAX);
        Ok(match since_s {
            None => Room::Free,
            Some(since_s) if now_s.saturating_sub(since_s) >= long_s => Room::FullForLong,
            Some(_) => Room::Full,
        })
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
