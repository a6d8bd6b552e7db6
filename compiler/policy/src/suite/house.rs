//! A plan and its people, as far as an envelope asks: who an address leads to, what a login may write. What the server
//! reads from its store, for tests and simulations that have none.

use std::collections::{BTreeMap, BTreeSet};

use decide::{Account, Client, DomainKind, RecipientClass, Tables};
use mail::{Address, Login, Person, ReversePath};
use plan::{MailDomain, PassOnRecipients, SourceMap};

use super::model::PersonGiven;
use crate::compile::Sealed;
use crate::people::Directory;
use crate::syntax::Entries;

/// A policy ready to judge.
#[derive(Debug)]
pub struct House {
    pub tables: Tables,
    /// Short hash of the plan.
    pub plan: String,
    pub map: SourceMap,
    people: BTreeMap<String, Person>,
    /// Folded address to the people behind it.
    addresses: BTreeMap<String, Behind>,
    units: BTreeSet<String>,
}

#[derive(Clone, Debug)]
struct Behind {
    logins: Vec<Login>,
}

impl House {
    /// `None` when the plan is no table, which a compiler never seals.
    pub fn new(sealed: &Sealed, directory: &Directory) -> Option<House> {
        let tables = Tables::new(sealed.plan.clone()).ok()?;
        let mut house = House {
            tables,
            plan: sealed.hash.short(),
            map: sealed.map.clone(),
            people: BTreeMap::new(),
            addresses: BTreeMap::new(),
            units: BTreeSet::new(),
        };
        for alias in &directory.aliases {
            let behind = Behind { logins: alias.members.clone() };
            house.addresses.insert(alias.address.folded(), behind);
        }
        for person in &directory.people {
            house.settle(person.clone());
        }
        Some(house)
    }

    fn settle(&mut self, person: Person) {
        self.units.insert(person.unit.to_lowercase());
        let behind = Behind { logins: vec![person.login.clone()] };
        self.addresses.insert(person.address.folded(), behind);
        self.people.insert(person.login.as_str().to_lowercase(), person);
    }

    /// Adds the people of a test file, or changes what it says of those who are there. Logins that can be none are
    /// left out.
    pub fn welcome(&mut self, given: &Entries<PersonGiven>) {
        for (login, given) in given.iter() {
            let Some(name) = Login::new(login) else { continue };
            let known = self.person(&login.value).cloned();
            let Some(mut person) = known.or_else(|| self.newcomer(name)) else { continue };
            if let Some(profile) = &given.profile {
                person.profile = profile.value.clone();
            }
            if let Some(address) = &given.address {
                person.address = address.value.0.clone();
            }
            self.settle(person);
        }
    }

    fn newcomer(&self, login: Login) -> Option<Person> {
        let plan = self.tables.plan();
        let profile = match plan.domains.get(plan.institution.domain.as_str()) {
            Some(MailDomain::Held { profile, .. }) => profile.clone(),
            Some(MailDomain::PassOn { .. } | MailDomain::AliasOf(_)) | None => plan.mailboxes.otherwise.clone(),
        };
        let address = Address::new(login.as_str(), plan.institution.domain.clone()).ok()?;
        let (first, last, unit) = (String::new(), String::new(), String::new());
        Some(Person { login, first, last, address, profile, unit, home: None, quota_octets: 0 })
    }

    /// Somebody by login, whatever the case it is typed in.
    pub fn person(&self, login: &str) -> Option<&Person> {
        self.people.get(&login.to_lowercase())
    }

    /// Logins of everybody, in order.
    pub fn logins(&self) -> impl Iterator<Item = &str> {
        self.people.keys().map(String::as_str)
    }

    /// What a session knows of somebody who has logged in.
    pub fn account(&self, login: &str) -> Option<Account> {
        self.person(login).map(|person| Account { login: person.login.clone(), profile: person.profile.clone() })
    }

    /// Is this official address or alias given already?
    pub fn has_address(&self, address: &Address) -> bool {
        self.addresses.contains_key(&address.folded())
    }

    /// Who an address leads to.
    pub fn class(&self, address: &Address) -> RecipientClass {
        match self.tables.domain(address.domain()) {
            DomainKind::Held { canonical, .. } => self.here(address, canonical.as_str()),
            DomainKind::Unit { unit, canonical, .. } => match self.here(address, canonical.as_str()) {
                // A name that only looks like a unit's is somebody else's host.
                RecipientClass::Unknown if !self.units.contains(&unit) => RecipientClass::Remote,
                class => class,
            },
            DomainKind::PassOn { canonical, recipients, .. } => match recipients {
                PassOnRecipients::Any => RecipientClass::PassedOn,
                PassOnRecipients::AskThere { .. } => RecipientClass::Unsure,
                PassOnRecipients::Directory => match self.behind(address, canonical.as_str()) {
                    Some(_) => RecipientClass::PassedOn,
                    None => RecipientClass::Unknown,
                },
            },
            DomainKind::NotOurs => RecipientClass::Remote,
        }
    }

    fn behind(&self, address: &Address, canonical: &str) -> Option<&Behind> {
        let folded = address.folded();
        let local = folded.rsplit_once('@').map_or("", |(local, _)| local);
        self.addresses.get(&format!("{local}@{canonical}"))
    }

    fn here(&self, address: &Address, canonical: &str) -> RecipientClass {
        let Some(behind) = self.behind(address, canonical) else { return RecipientClass::Unknown };
        let at_home = |login: &Login| self.person(login.as_str()).is_none_or(|person| person.home.is_none());
        if behind.logins.iter().any(at_home) { RecipientClass::Local } else { RecipientClass::PassedOn }
    }

    /// May this client write `reverse_path` as its own: its account's, or its application's?
    pub fn owns(&self, client: &Client, reverse_path: &ReversePath) -> bool {
        let Some(address) = reverse_path.address() else { return false };
        let folded = address.folded();
        if let Some(account) = &client.account {
            return self.addresses.get(&folded).is_some_and(|behind| behind.logins.contains(&account.login));
        }
        let senders = self.tables.plan().senders.as_ref();
        let application = senders.and_then(|senders| senders.known.get(self.tables.class_name(client.class)));
        application.is_some_and(|application| application.as_.iter().any(|own| own.folded() == folded))
    }
}
