//! Which domains are ours.

use mail::Domain;
use plan::{HeldOnly, MailDomain, NextHop, PassOnRecipients, Plan};

/// What the policy says of a domain, aliases of domains already followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DomainKind {
    /// Mailboxes are here; `canonical` is the name its addresses are kept under.
    Held {
        canonical: Domain,
        only: HeldOnly,
    },
    /// Matches an entry for units: ours if the directory names this unit.
    Unit {
        unit: String,
        canonical: Domain,
        only: HeldOnly,
    },
    PassOn {
        canonical: Domain,
        next_hop: NextHop,
        recipients: PassOnRecipients,
    },
    NotOurs,
}

/// The part of a key that stands for each unit.
const UNIT: &str = "{unit}.";

/// Looks `domain` up among the keys of `plan.domains`.
pub(crate) fn find(plan: &Plan, domain: &Domain) -> DomainKind {
    // An alias points at a held or passed-on domain, never at an alias (E0519), so one step is enough.
    let followed = match plan.domains.get(domain.as_str()) {
        Some(MailDomain::AliasOf(other)) => other,
        Some(MailDomain::Held { .. } | MailDomain::PassOn { .. }) | None => domain,
    };
    match plan.domains.get(followed.as_str()) {
        Some(MailDomain::Held { only, .. }) => DomainKind::Held { canonical: followed.clone(), only: *only },
        Some(MailDomain::PassOn { next_hop, recipients }) => DomainKind::PassOn {
            canonical: followed.clone(),
            next_hop: next_hop.clone(),
            recipients: recipients.clone(),
        },
        Some(MailDomain::AliasOf(_)) => DomainKind::NotOurs,
        None => unit(plan, followed).unwrap_or(DomainKind::NotOurs),
    }
}

fn unit(plan: &Plan, domain: &Domain) -> Option<DomainKind> {
    let (unit, parent) = domain.as_str().split_once('.')?;
    match plan.domains.get(&format!("{UNIT}{parent}"))? {
        MailDomain::Held { only, .. } => {
            Some(DomainKind::Unit { unit: unit.to_owned(), canonical: domain.clone(), only: *only })
        }
        MailDomain::PassOn { .. } | MailDomain::AliasOf(_) => None,
    }
}

/// Is this a domain whose addresses are ours, for the class of a reverse-path? A name that matches the entry for
/// units counts, whether or not the directory has the unit: nobody else may write it.
pub(crate) fn is_ours(plan: &Plan, domain: &Domain) -> bool {
    find(plan, domain) != DomainKind::NotOurs
}

/// The key of `plan.domains` that makes a domain ours.
pub(crate) fn key(plan: &Plan, domain: &Domain) -> Option<String> {
    if plan.domains.contains_key(domain.as_str()) {
        return Some(domain.as_str().to_owned());
    }
    let (_, parent) = domain.as_str().split_once('.')?;
    let key = format!("{UNIT}{parent}");
    plan.domains.contains_key(&key).then_some(key)
}
