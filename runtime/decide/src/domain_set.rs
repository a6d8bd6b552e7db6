//! Sets of domains from the patterns of the policy: labels reversed, sorted, suffix-pruned, so that a lookup is two
//! searches however many domains a policy names (policy-language.md 5.2).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use mail::Domain;
use plan::DomainPattern;

use crate::suffixes::{Division, PublicSuffixes};

/// Domains and the rule each belongs to, a number the caller gives.
#[derive(Debug)]
pub struct DomainSet {
    exact: Vec<(Box<str>, u32)>,
    /// No key begins with another: of two suffixes the wider one stands.
    suffixes: Vec<(Box<str>, u32)>,
    /// Labels, in A-label form.
    brands: BTreeMap<String, u32>,
    providers: Option<u32>,
}

/// The providers of the pinned list, read once.
static PROVIDERS: LazyLock<BTreeSet<&str>> =
    LazyLock::new(|| plan::PUBLIC_PROVIDERS.lines().filter(|line| !line.starts_with('#')).map(str::trim).collect());

/// Ends each label of a key: it sorts before every octet of a label, so a name stands before the names under it.
const END: char = '\0';

impl DomainSet {
    /// Of two rules for one domain the first stands.
    pub fn new<'p>(patterns: impl Iterator<Item = (&'p DomainPattern, u32)>) -> DomainSet {
        let mut set = DomainSet { exact: Vec::new(), suffixes: Vec::new(), brands: BTreeMap::new(), providers: None };
        for (pattern, rule) in patterns {
            match pattern {
                DomainPattern::Suffix(domain) => set.suffixes.push((key(domain), rule)),
                DomainPattern::Exact(domain) => set.exact.push((key(domain), rule)),
                DomainPattern::Brand(label) => {
                    // What is no label is in no domain.
                    if let Ok(label) = label.parse::<Domain>() {
                        set.brands.entry(label.as_str().to_owned()).or_insert(rule);
                    }
                }
                DomainPattern::PublicProviders => {
                    set.providers.get_or_insert(rule);
                }
            }
        }
        set.exact.sort_unstable();
        set.exact.dedup_by(|again, first| again.0 == first.0);
        set.suffixes.sort_unstable();
        set.suffixes.dedup_by(|again, first| again.0.starts_with(first.0.as_ref()));
        set
    }

    /// The rule a domain belongs to: a domain named, one under a suffix, a brand, the providers, in this order.
    pub fn find(&self, domain: &Domain) -> Option<u32> {
        if domain.is_literal() {
            return None;
        }
        let key = key(domain);
        let exact = self.exact.binary_search_by(|(known, _)| known.cmp(&key)).ok().map(|place| self.exact[place].1);
        exact
            .or_else(|| self.under(&key))
            .or_else(|| self.brands.get(brand_of(domain)?).copied())
            .or_else(|| self.providers.filter(|_| provider_of(domain).is_some()))
    }

    /// Whatever stands between a key and one that begins with it would begin with it too, and is pruned: the last key
    /// not after the name is the only one that can cover it.
    fn under(&self, key: &str) -> Option<u32> {
        let after = self.suffixes.partition_point(|(known, _)| known.as_ref() <= key);
        let (suffix, rule) = self.suffixes.get(after.checked_sub(1)?)?;
        key.starts_with(suffix.as_ref()).then_some(*rule)
    }
}

/// `fr END cnrs END` for `cnrs.fr`.
fn key(domain: &Domain) -> Box<str> {
    let mut key = String::with_capacity(domain.as_str().len() + 1);
    for label in domain.as_str().rsplit('.') {
        key.push_str(label);
        key.push(END);
    }
    key.into_boxed_str()
}

/// The label a `Brand` is compared with: what its owner registered under a registry's suffix. The private division of
/// the list plays no part: `yahoo.github.io` is somebody's page, not Yahoo's.
pub fn brand_of(domain: &Domain) -> Option<&str> {
    PublicSuffixes::pinned().registered_label(domain, Division::Icann)
}

/// The provider of the pinned list that has this domain: itself, or one it is under.
pub fn provider_of(domain: &Domain) -> Option<&'static str> {
    let mut rest = Some(domain.as_str());
    while let Some(name) = rest {
        if let Some(provider) = PROVIDERS.get(name) {
            return Some(provider);
        }
        rest = name.split_once('.').map(|(_, parent)| parent);
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn domain(text: &str) -> Domain {
        text.parse().unwrap()
    }

    /// What a pattern covers, said without any sorting.
    fn covers(pattern: &DomainPattern, target: &Domain) -> bool {
        match pattern {
            DomainPattern::Suffix(suffix) => target.is_within(suffix),
            DomainPattern::Exact(exact) => target == exact,
            DomainPattern::Brand(label) => ["fr", "com", "co.uk"].iter().any(|suffix| {
                let registered = domain(&format!("{label}.{suffix}"));
                target.is_within(&registered)
            }),
            DomainPattern::PublicProviders => {
                plan::PUBLIC_PROVIDERS.lines().skip(1).any(|line| target.is_within(&domain(line)))
            }
        }
    }

    fn label() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec!["a", "ab", "a-b", "free", "yahoo", "gmail", "bücher"])
    }

    fn name() -> impl Strategy<Value = Domain> {
        let suffix = prop::sample::select(vec!["fr", "com", "co.uk"]);
        (prop::collection::vec(label(), 0..4), suffix).prop_map(|(mut labels, suffix)| {
            labels.push(suffix);
            domain(&labels.join("."))
        })
    }

    fn pattern() -> impl Strategy<Value = DomainPattern> {
        prop_oneof![
            4 => name().prop_map(DomainPattern::Suffix),
            3 => name().prop_map(DomainPattern::Exact),
            1 => label().prop_map(|label| DomainPattern::Brand(label.to_owned())),
            1 => Just(DomainPattern::PublicProviders),
        ]
    }

    proptest! {
        #[test]
        fn a_set_finds_what_its_patterns_cover(patterns in prop::collection::vec(pattern(), 0..12), target in name()) {
            let found = DomainSet::new(patterns.iter().zip(0..)).find(&target);
            let covering = |rule: u32| covers(&patterns[rule as usize], &target);
            match found {
                Some(rule) => prop_assert!(covering(rule), "{target} by {:?}", patterns[rule as usize]),
                None => prop_assert!(!patterns.iter().any(|pattern| covers(pattern, &target)), "{target}"),
            }
        }
    }

    #[test]
    fn brands_are_registered_labels_and_providers_are_pinned() {
        let brand = DomainPattern::Brand("Yahoo".to_owned());
        let set = DomainSet::new([(&brand, 0), (&DomainPattern::PublicProviders, 1)].into_iter());
        for (name, rule) in [
            ("yahoo.co.uk", Some(0)),
            ("mail.yahoo.fr", Some(0)),
            ("yahoo.example", Some(0)),
            ("yahoo.univ.fr", None),
            ("yahoo.github.io", None),
            ("myyahoo.fr", None),
            ("laposte.net", Some(1)),
            ("x.laposte.net", Some(1)),
            ("[192.0.2.1]", None),
        ] {
            assert_eq!(set.find(&domain(name)), rule, "{name}");
        }
    }

    #[test]
    fn of_two_suffixes_the_wider_one_stands() {
        let patterns: Vec<DomainPattern> =
            ["subatech.in2p3.fr", "in2p3.fr", "in2p3-b.fr"].map(|name| DomainPattern::Suffix(domain(name))).into();
        let set = DomainSet::new(patterns.iter().zip(0..));
        assert_eq!(set.suffixes.len(), 2);
        assert_eq!(set.find(&domain("x.subatech.in2p3.fr")), Some(1));
        assert_eq!(set.find(&domain("x.in2p3-b.fr")), Some(2));
        assert_eq!(set.find(&domain("fr")), None);
    }
}
