//! E05xx and L05xx beyond single sections: relaying, domains, recipients, routes, profiles and grants.

mod applications;
mod outward;
mod quotas;
mod relaying;
mod routes;

use std::collections::BTreeSet;

use super::Subject;
use crate::diagnostic::Diagnostic;
use crate::model::Policy;
use crate::model::literal::Date;
use crate::syntax::Entries;

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    relaying::check(subject, sink);
    routes::check(subject, sink);
    applications::check(subject, sink);
    outward::check(subject, sink);
    quotas::check(subject, sink);
}

/// Which domains are ours, by the keys of `domains`.
pub(super) struct OurDomains<'p> {
    keys: BTreeSet<&'p str>,
}

impl<'p> OurDomains<'p> {
    /// `None` when they cannot be seen.
    pub fn of(policy: &'p Policy) -> Option<OurDomains<'p>> {
        let domains = policy.domains.seen()?;
        let keys = domains.keys().chain(domains.broken()).map(|key| key.value.0.as_str()).collect();
        Some(OurDomains { keys })
    }

    /// The key that makes a domain ours.
    pub fn key(&self, domain: &mail::Domain) -> Option<&'p str> {
        if let Some(key) = self.keys.get(domain.as_str()) {
            return Some(key);
        }
        let (_, parent) = domain.as_str().split_once('.')?;
        self.keys.get(format!("{{unit}}.{parent}").as_str()).copied()
    }

    /// A key that lies under a domain.
    pub fn under(&self, domain: &mail::Domain) -> Option<&'p str> {
        let under = |key: &str| key.strip_suffix(domain.as_str()).is_some_and(|above| above.ends_with('.'));
        self.keys.iter().copied().find(|key| under(key))
    }
}

impl Subject<'_> {
    /// Has a day passed? A day still counts on itself; without a today nothing has.
    fn has_passed(&self, day: &Date) -> bool {
        self.today.is_some_and(|today| day < today)
    }

    /// A year from today, what a renewal is likely to say.
    fn a_year_from_now(&self) -> Option<String> {
        self.days_from_now(365)
    }

    fn days_from_now(&self, days: i32) -> Option<String> {
        let today: jiff::civil::Date = self.today?.0.parse().ok()?;
        Some(today.checked_add(jiff::Span::new().days(days)).ok()?.to_string())
    }
}

/// Names and values of a section that can be seen.
fn seen<V, K>(
    section: &crate::syntax::Decoded<Entries<V, K>>,
) -> impl Iterator<Item = (&crate::syntax::Spanned<K>, &crate::syntax::Spanned<V>)> {
    section.seen().into_iter().flat_map(Entries::iter)
}
