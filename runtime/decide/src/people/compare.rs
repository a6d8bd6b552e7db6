//! What a person of a list is once everything is decided, and how that differs from before.

use mail::{Address, Login, Person};
use plan::{HeldOnly, MailDomain};

use super::{Judged, Present, Settled, Wanted};
use crate::domains::DomainKind;
use crate::tables::Tables;

/// What the desk gave out.
pub(super) struct Given {
    pub(super) row: usize,
    pub(super) was: Option<usize>,
    pub(super) login: Login,
    pub(super) address: Address,
    pub(super) former: Vec<Address>,
    pub(super) settled: Vec<Settled>,
}

pub(super) fn judged(tables: &Tables, wanted: &Wanted, was: Option<&Present>, given: Given) -> Judged {
    let Given { row, was: index, login, address, former, settled } = given;
    let before = was.map(|one| &one.person);
    let profile = wanted.profile.clone().or(before.map(|person| person.profile.clone()));
    let profile = profile.unwrap_or_else(|| usual_profile(tables));
    let person = Person {
        quota_octets: quota(tables, wanted, before, &login, &profile),
        login,
        first: wanted.first.trim().to_owned(),
        last: wanted.last.trim().to_owned(),
        address,
        profile,
        unit: wanted.unit.clone().or(before.map(|person| person.unit.clone())).unwrap_or_default(),
        home: wanted.home.clone().or(before.and_then(|person| person.home.clone())),
    };
    let kept = |text: &str, had: Option<&String>| match (text, had) {
        ("", Some(had)) => had.clone(),
        (text, _) => text.to_owned(),
    };
    let foreign_id = kept(&wanted.foreign_id, was.map(|one| &one.foreign_id));
    let registered = kept(&wanted.registered, was.map(|one| &one.registered));
    let until = wanted.until.clone().or(was.map(|one| one.until.clone())).unwrap_or_default();
    let mut judged =
        Judged { row, was: index, person, foreign_id, registered, until, former, changes: Vec::new(), settled };
    if let Some(was) = was {
        judged.changes = changes(was, &judged);
    }
    judged
}

fn changes(was: &Present, now: &Judged) -> Vec<&'static str> {
    let (a, b) = (&was.person, &now.person);
    let all = [
        ("first name", a.first != b.first),
        ("last name", a.last != b.last),
        ("address", a.address != b.address),
        ("former addresses", now.former.iter().any(|address| address.folded() != a.address.folded())),
        ("profile", a.profile != b.profile),
        ("unit", a.unit != b.unit),
        ("home", a.home != b.home),
        ("quota", a.quota_octets != b.quota_octets),
        ("id", was.foreign_id != now.foreign_id),
        ("first day", was.registered != now.registered),
        ("last day", was.until != now.until),
    ];
    all.into_iter().filter(|(_, changed)| *changed).map(|(what, _)| what).collect()
}

/// The grant of the policy, the one that is given, the one they have; else what the profile has.
fn quota(tables: &Tables, wanted: &Wanted, was: Option<&Person>, login: &Login, profile: &str) -> u64 {
    let rules = &tables.plan().mailboxes;
    let floor = |profile: &str| rules.profiles.get(profile).map_or(0, |profile| profile.quota.floor_octets());
    let granted = rules.grants.iter().find(|grant| grant.login == login.as_str()).map(|grant| grant.octets);
    // A quota of one's own stays with another profile; that of the profile goes with it.
    let had = was.map(|person| (person.quota_octets, floor(&person.profile)));
    let own = had.filter(|(octets, floor)| octets != floor).map(|(octets, _)| octets);
    granted.or(wanted.quota_octets).or(own).unwrap_or_else(|| floor(profile))
}

/// Of the main domain.
fn usual_profile(tables: &Tables) -> String {
    let plan = tables.plan();
    match plan.domains.get(plan.institution.domain.as_str()) {
        Some(MailDomain::Held { profile, .. }) => profile.clone(),
        _ => plan.mailboxes.otherwise.clone(),
    }
}

/// The address is in a domain that is held here; official ones not in one for former addresses.
pub(super) fn held(tables: &Tables, address: &Address, is_former: bool) -> Result<(), String> {
    match tables.domain(address.domain()) {
        DomainKind::Held { only, .. } | DomainKind::Unit { only, .. } => {
            if only == HeldOnly::FormerAddresses && !is_former {
                return Err(format!("{address} is in a domain for former addresses only"));
            }
            Ok(())
        }
        DomainKind::PassOn { .. } | DomainKind::NotOurs => {
            Err(format!("{address} is in a domain that is not held here"))
        }
    }
}
