//! Who an address leads to: people and aliases of the store, domains of the plan, homes elsewhere.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use decide::{DomainKind, Receive, RecipientClass, Tables};
use jiff::tz::TimeZone;
use mail::{Address, Alias, AliasKind, Domain, Login, Person, ReversePath};
use plan::{Held, MailboxRules, NextHop, PassOnRecipients};
use queue::{Route, srs};
use store::{Op, ReadError, Resolution, Store};

use crate::clock;
use crate::full::Full;
use crate::redirects::{self, Redirects};
use crate::standing::Standings;

/// People read at a time when the units are collected.
const PAGE: u32 = 1_000;
/// A unit nobody knows is looked for again after this.
const UNITS_AGE_MIN: Duration = Duration::from_secs(10);

/// People behind one address that are looked at one by one when it is named.
const MEMBERS_MAX: usize = 64;

/// Units there are, and when they were read.
type Units = Option<(Instant, BTreeSet<String>)>;

/// What is remembered of the directory.
#[derive(Clone)]
pub struct Directory {
    units: Arc<Mutex<Units>>,
    full: Arc<Full>,
    redirects: Arc<Redirects>,
    standings: Arc<Standings>,
    time_zone: TimeZone,
    /// Reads the reverse-paths forwarded mail went out under.
    srs: srs::Key,
}

/// A recipient, classed and with everywhere its copies go. `address` is the canonical form.
#[derive(Clone, Debug)]
pub struct Found {
    pub class: RecipientClass,
    pub address: Address,
    /// What stands behind the separator of a subaddress (RFC 5233 4), where that led to somebody: for filters.
    pub detail: Option<String>,
    pub logins: Vec<Login>,
    /// Members whose mailbox is full while others take the message.
    pub left_out: Vec<(Login, Address)>,
    /// Octets the roomiest of these mailboxes took when it was looked at, grace included; `None` without a mailbox.
    pub room_octets: Option<u64>,
    /// Those of them who left: their mail is kept, and its sender is told.
    pub gone: Vec<Person>,
    /// Mailboxes that take no mail any more.
    pub closed: usize,
    /// Copies that leave this machine.
    pub away: Vec<(Address, Route)>,
    /// Who knows whether there is such a recipient, and for how many seconds the answer is believed.
    pub asks: Option<(NextHop, u64)>,
    /// Nobody here has it, and a directory server may have somebody new with it.
    pub may_be_new: bool,
    /// Copies that go on because a person here asked for it, and the policy allows it.
    pub forwards: Vec<Forward>,
    /// How many are behind the address, when they are too many for one look: their mail is spread from the spool, and who
    /// is full takes it all the same.
    pub many: Option<usize>,
    /// What is to be kept of this look: since when a mailbox is full.
    pub notes: Vec<Op>,
}

/// A copy of mail for a person here that goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward {
    pub to: Address,
    /// The official address of who asked for it.
    pub behind: Address,
    /// The rule that allows it.
    pub rule: String,
}

/// Where mail of one of the many behind an address goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    pub has_mailbox: bool,
    pub away: Vec<(Address, Route)>,
    /// Under a reverse-path of ours.
    pub forwards: Vec<Address>,
}

/// Is there room in a mailbox? In the order in which several mailboxes behind one address are judged: the address is
/// refused only when nobody behind it takes the message, and then the best counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Room {
    Free,
    Full,
    FullForLong,
}

impl Found {
    fn nobody(class: RecipientClass, address: Address) -> Found {
        Found {
            class,
            address,
            detail: None,
            logins: Vec::new(),
            left_out: Vec::new(),
            room_octets: None,
            gone: Vec::new(),
            closed: 0,
            away: Vec::new(),
            asks: None,
            may_be_new: false,
            forwards: Vec::new(),
            many: None,
            notes: Vec::new(),
        }
    }

    /// Would a message for it end nowhere?
    pub fn leads_nowhere(&self) -> bool {
        self.logins.is_empty() && self.away.is_empty() && self.forwards.is_empty() && self.many.is_none()
    }

    /// Every copy of a message of ours that leaves this machine.
    pub fn copies_away(&self) -> impl Iterator<Item = (Address, Route)> {
        let forwards = self.forwards.iter().map(|forward| (forward.to.clone(), Route::Remote));
        self.away.iter().cloned().chain(forwards)
    }

    /// Had no mailbox here room for so many octets, and goes no copy elsewhere?
    pub fn is_too_small_for(&self, octets: u64) -> bool {
        self.away.is_empty()
            && self.forwards.is_empty()
            && self.room_octets.is_some_and(|room_octets| octets > room_octets)
    }

    /// Sorts the people of the mailboxes into those that take the message and those left out, and says the class.
    fn judge(&mut self, mailboxes: Vec<(Room, Person)>) {
        let best = mailboxes.iter().map(|(room, _)| *room).min();
        for (room, person) in mailboxes {
            match room {
                Room::Free => self.logins.push(person.login),
                Room::Full | Room::FullForLong => self.left_out.push((person.login, person.address)),
            }
        }
        self.class = match best {
            Some(Room::Free) => RecipientClass::Local,
            _ if !self.away.is_empty() => RecipientClass::PassedOn,
            _ if !self.forwards.is_empty() => RecipientClass::Redirected,
            Some(Room::Full) => RecipientClass::Full,
            Some(Room::FullForLong) => RecipientClass::FullForLong,
            None if self.closed > 0 => RecipientClass::Closed,
            None => RecipientClass::Unknown,
        };
    }
}

impl Directory {
    pub fn load(
        store: &Store,
        redirects: Arc<Redirects>,
        standings: Arc<Standings>,
        time_zone: TimeZone,
        srs: srs::Key,
    ) -> Result<Directory, ReadError> {
        let full = Arc::new(Full::load(store)?);
        Ok(Directory { units: Arc::default(), full, redirects, standings, time_zone, srs })
    }

    /// The same where days begin at another time.
    pub fn in_zone(&self, time_zone: TimeZone) -> Directory {
        Directory { time_zone, ..self.clone() }
    }

    /// Looks `address` up for mail from `reverse_path`; `declared_octets` is what SIZE promises. Trouble with the store is
    /// `Unsure`, never `Unknown`.
    pub fn find(
        &self,
        tables: &Tables,
        store: &Store,
        reverse_path: &ReversePath,
        address: &Address,
        declared_octets: u64,
    ) -> Found {
        let found = match self.back(tables, reverse_path, address) {
            None => self.try_find(tables, store, address, declared_octets).map(perhaps_new),
            Some(Some(sender)) => self.try_find(tables, store, &sender, declared_octets).map(passed_back),
            Some(None) => Ok(Found::nobody(RecipientClass::Unknown, address.clone())),
        };
        found.unwrap_or_else(|error| {
            tracing::error!("the directory cannot be read: {error}");
            Found::nobody(RecipientClass::Unsure, address.clone())
        })
    }

    /// The reverse-path mail of `from` goes on under. One that is ours already stays; one too long to rewrite is given up, so
    /// that a bounce is a loss record here and troubles nobody.
    pub fn goes_on_under(&self, tables: &Tables, from: &ReversePath, at_s: i64) -> ReversePath {
        match from.address() {
            None => ReversePath::Null,
            Some(address) if tables.domain(address.domain()) != DomainKind::NotOurs => from.clone(),
            Some(_) => self.srs.forward(from, &tables.plan().institution.domain, at_s).unwrap_or(ReversePath::Null),
        }
    }

    /// Whom a reverse-path of forwarded mail leads back to: `Some(None)` when it is one and leads nowhere. Only what
    /// nobody answers to may go there (RFC 5321 4.5.5): nothing else has a reason to know such a path.
    fn back(&self, tables: &Tables, reverse_path: &ReversePath, address: &Address) -> Option<Option<Address>> {
        let ours = address.domain() == &tables.plan().institution.domain && srs::is_rewritten(address.local());
        let bounce = *reverse_path == ReversePath::Null;
        ours.then(|| self.srs.back(address, clock::unix_s()).filter(|_| bounce))
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
            DomainKind::PassOn { canonical, next_hop, recipients } => {
                let address = in_domain(address, &canonical);
                let mut asks = None;
                let class = match recipients {
                    PassOnRecipients::Any => RecipientClass::PassedOn,
                    // Until it was asked: nobody may be told "unknown" by guess.
                    PassOnRecipients::AskThere { cache_s } => {
                        asks = Some((next_hop, cache_s));
                        RecipientClass::Unsure
                    }
                    PassOnRecipients::Directory => match resolve(tables, store, &address)?.0 {
                        Resolution::Unknown => RecipientClass::Unknown,
                        Resolution::Person(_) | Resolution::Alias(_) => RecipientClass::PassedOn,
                    },
                };
                let route = Route::Domain(canonical);
                Ok(Found { away: vec![(address.clone(), route)], asks, ..Found::nobody(class, address) })
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
        let (resolved, detail) = resolve(tables, store, address)?;
        found.detail = detail;
        let people = match resolved {
            Resolution::Alias(alias) if alias.account().is_some() => {
                return self.kept_together(tables, store, &alias, declared_octets, found);
            }
            Resolution::Unknown => Vec::new(),
            Resolution::Person(row) => vec![row.person],
            Resolution::Alias(alias) if alias.members.len() > MEMBERS_MAX => {
                return Ok(Found { class: RecipientClass::Local, many: Some(alias.members.len()), ..found });
            }
            Resolution::Alias(alias) => {
                let rows = alias.members.iter().filter_map(|login| store.person(login).transpose());
                rows.map(|row| row.map(|row| row.person)).collect::<Result<_, _>>()?
            }
        };
        let mut mailboxes = Vec::new();
        for person in people {
            if self.stays(tables, &person, &mut found) {
                mailboxes.push((self.room(tables, store, &person, declared_octets, &mut found)?, person));
            }
        }
        found.judge(mailboxes);
        Ok(found)
    }

    /// Mail for a functional address with mailboxes of its own: one copy, in its INBOX.
    fn kept_together(
        &self,
        tables: &Tables,
        store: &Store,
        alias: &Alias,
        declared_octets: u64,
        mut found: Found,
    ) -> Result<Found, ReadError> {
        let (Some(login), AliasKind::FunctionMailbox { quota_octets }) = (alias.account(), alias.kind) else {
            return Ok(found);
        };
        if let Held::Lmtp(_) = &tables.plan().routes.held {
            found.away.push((alias.address.clone(), Route::Held));
            found.judge(Vec::new());
            return Ok(found);
        }
        // As if it were somebody: its account is one like another.
        let holder = Person {
            login,
            first: String::new(),
            last: String::new(),
            address: alias.address.clone(),
            profile: String::new(),
            unit: String::new(),
            home: None,
            quota_octets,
        };
        let room = self.room(tables, store, &holder, declared_octets, &mut found)?;
        found.judge(vec![(room, holder)]);
        Ok(found)
    }

    /// Where mail of one of many goes; nowhere when the login is nobody's any more.
    pub fn member(&self, tables: &Tables, store: &Store, login: &Login) -> Result<Member, ReadError> {
        if login.function().is_some() {
            let has_mailbox = tables.plan().routes.held == Held::Mailbox;
            let away = login.function().filter(|_| !has_mailbox).map(|address| (address, Route::Held));
            return Ok(Member { has_mailbox, away: away.into_iter().collect(), forwards: Vec::new() });
        }
        let Some(row) = store.person(login)? else { return Ok(Member::default()) };
        let person = row.person;
        let mut found = Found::nobody(RecipientClass::Local, person.address.clone());
        let has_mailbox = self.stays(tables, &person, &mut found);
        let forwards = found.forwards.into_iter().map(|forward| forward.to).collect();
        Ok(Member { has_mailbox, away: found.away, forwards })
    }

    /// Adds the copies of `person` that leave this machine; true when one belongs in a mailbox here.
    fn stays(&self, tables: &Tables, person: &Person, found: &mut Found) -> bool {
        match decide::may(self.standings.of(&person.login).account_state()).receive {
            Receive::Yes => {}
            Receive::YesAndReply => found.gone.push(person.clone()),
            Receive::No => {
                found.closed += 1;
                return false;
            }
        }
        let route = match (&person.home, &tables.plan().routes.held) {
            (Some(home), _) => Route::Home(home.clone()),
            (None, _) if self.goes_on(tables, person, found) => return false,
            // The mail store behind this server has the mailboxes, and knows how full they are.
            (None, Held::Lmtp(_)) => Route::Held,
            (None, Held::Mailbox) => return true,
        };
        found.away.push((person.address.clone(), route));
        false
    }

    /// Adds where mail of `person` goes on to; true when no copy stays here. The policy judges each time: a redirect it
    /// allows no longer keeps mail here, and says so in the log.
    fn goes_on(&self, tables: &Tables, person: &Person, found: &mut Found) -> bool {
        let Some(redirect) = self.redirects.of(&person.login) else { return false };
        let today = jiff::Timestamp::now().to_zoned(self.time_zone.clone()).date().to_string();
        match redirect.holds(tables, &today) {
            Ok(rule) => {
                found.forwards.push(Forward { to: redirect.to, behind: person.address.clone(), rule });
                !redirect.keeps_copy
            }
            Err(stop) => {
                let why = redirects::words(&stop);
                tracing::warn!(login = %person.login, to = %redirect.to, rule = stop.rule(), "not redirected: {why}");
                false
            }
        }
    }

    fn room(
        &self,
        tables: &Tables,
        store: &Store,
        person: &Person,
        declared_octets: u64,
        found: &mut Found,
    ) -> Result<Room, ReadError> {
        let rules: &MailboxRules = &tables.plan().mailboxes;
        let grace_octets = person.quota_octets / 100 * u64::from(rules.when_full.grace_percent);
        let used_octets = store.usage(&person.login)?.used_octets;
        let left_octets = person.quota_octets.saturating_add(grace_octets).checked_sub(used_octets);
        found.room_octets = found.room_octets.max(Some(left_octets.unwrap_or(0)));
        let full = left_octets.is_none_or(|left_octets| declared_octets > left_octets);
        let now_s = clock::unix_s();
        let (since_s, note) = self.full.note(&person.login, full, now_s);
        found.notes.extend(note);
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

/// Who an address leads to, by itself or as a subaddress; then also its detail.
pub(crate) fn resolve(
    tables: &Tables,
    store: &Store,
    address: &Address,
) -> Result<(Resolution, Option<String>), ReadError> {
    match (store.resolve(address)?, base(tables, address)) {
        (Resolution::Unknown, Some((base, detail))) => match store.resolve(&base)? {
            Resolution::Unknown => Ok((Resolution::Unknown, None)),
            resolved => Ok((resolved, Some(detail))),
        },
        (resolved, _) => Ok((resolved, None)),
    }
}

/// The address a subaddress belongs to, and its detail (RFC 5233 4); `None` where the policy has no separator, or the
/// address none.
pub fn base(tables: &Tables, address: &Address) -> Option<(Address, String)> {
    let separator = tables.plan().identity.address.subaddress.as_str();
    let (local, detail) = address.local().split_once(separator).filter(|(local, _)| !local.is_empty())?;
    let base = Address::new(local, address.domain().clone()).ok()?;
    (!separator.is_empty()).then(|| (base, detail.to_owned()))
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

/// People a directory server has may have come a moment ago.
fn perhaps_new(found: Found) -> Found {
    Found { may_be_new: found.class == RecipientClass::Unknown, ..found }
}

/// A bounce goes back out: not as relayed mail of a stranger, but as mail for somebody we forwarded for.
fn passed_back(found: Found) -> Found {
    match found.class {
        RecipientClass::Remote => Found { class: RecipientClass::PassedOn, ..found },
        _ => found,
    }
}

fn remote(address: &Address) -> Found {
    let away = vec![(address.clone(), Route::Remote)];
    Found { away, ..Found::nobody(RecipientClass::Remote, address.clone()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(login: &str) -> Person {
        Person {
            login: Login::new(login).unwrap(),
            first: String::new(),
            last: String::new(),
            address: format!("{login}@univ-nantes.fr").parse().unwrap(),
            profile: "standard".into(),
            unit: String::new(),
            home: None,
            quota_octets: 1_000,
        }
    }

    fn function(rooms: &[Room], away: bool) -> Found {
        let mut found = Found::nobody(RecipientClass::Unknown, "it@univ-nantes.fr".parse().unwrap());
        if away {
            found.away.push(("away@univ-nantes.fr".parse().unwrap(), Route::Home("elsewhere".into())));
        }
        let members = rooms.iter().enumerate();
        found.judge(members.map(|(number, room)| (*room, person(&format!("m{number}")))).collect());
        found
    }

    #[test]
    fn a_function_leaves_full_members_out_while_others_take_it_and_is_full_when_nobody_does() {
        use Room::{Free, Full, FullForLong};
        let cases = [
            (&[Free, Full, FullForLong, Free][..], false, RecipientClass::Local, 2, 2),
            (&[Full, FullForLong][..], false, RecipientClass::Full, 0, 2),
            (&[FullForLong][..], false, RecipientClass::FullForLong, 0, 1),
            (&[Full][..], true, RecipientClass::PassedOn, 0, 1),
            (&[][..], true, RecipientClass::PassedOn, 0, 0),
            (&[][..], false, RecipientClass::Unknown, 0, 0),
        ];
        for (rooms, away, class, taken, left_out) in cases {
            let found = function(rooms, away);
            let told = (found.class, found.logins.len(), found.left_out.len());
            assert_eq!(told, (class, taken, left_out), "{rooms:?} {away}");
        }
    }

    #[test]
    fn only_mailboxes_here_are_too_small() {
        let mut found = function(&[Room::Free], false);
        found.room_octets = Some(100);
        assert!(!found.is_too_small_for(100));
        assert!(found.is_too_small_for(101));
        found.away = function(&[], true).away;
        assert!(!found.is_too_small_for(101), "the copy that goes elsewhere is taken");
        assert!(!function(&[], false).is_too_small_for(101));
    }

    #[test]
    fn a_bounce_to_a_rewritten_path_goes_to_its_sender_and_nothing_else_does() {
        let folder = std::env::temp_dir().join(format!("facteur-directory-{}", std::process::id()));
        let store = Store::open(&folder, store::Options::default()).unwrap();
        let path = format!("{}/../../policies/office/policy.plan.ron", env!("CARGO_MANIFEST_DIR"));
        let plan = plan::read(&std::fs::read_to_string(path).unwrap()).unwrap().0;
        let ours = plan.institution.domain.clone();
        let tables = Tables::new(plan).unwrap();
        let redirects = Arc::new(Redirects::load(&store).unwrap());
        let key = srs::Key::new([1; 32]);
        let directory = Directory::load(&store, redirects, Arc::default(), TimeZone::UTC, key.clone()).unwrap();
        let sender: Address = "a@elsewhere.example".parse().unwrap();
        let (from, now_s) = (ReversePath::Address(sender.clone()), clock::unix_s());
        let ReversePath::Address(there) = key.forward(&from, &ours, now_s).unwrap() else { panic!("no path") };
        let ReversePath::Address(old) = key.forward(&from, &ours, now_s - 30 * 86_400).unwrap() else {
            panic!("no path")
        };
        let forged: Address = format!("SRS0=aaaaaa=aa=victim.example=b@{ours}").parse().unwrap();
        for (reverse_path, address, class) in [
            (&ReversePath::Null, &there, RecipientClass::PassedOn),
            (&from, &there, RecipientClass::Unknown),
            (&ReversePath::Null, &old, RecipientClass::Unknown),
            (&ReversePath::Null, &forged, RecipientClass::Unknown),
        ] {
            let found = directory.find(&tables, &store, reverse_path, address, 0);
            assert_eq!(found.class, class, "{reverse_path} to {address}");
            let away: Vec<&Address> = found.away.iter().map(|(address, _)| address).collect();
            assert_eq!(away, if class == RecipientClass::PassedOn { vec![&sender] } else { vec![] });
        }
        drop(store);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
