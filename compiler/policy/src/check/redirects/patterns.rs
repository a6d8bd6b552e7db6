//! E0601 to E0604, L0606: the sets of domains. The sets are `decide`'s own, so that what is judged here is what the
//! runtime does, and so that two thousand domains are a matter of searches.

use std::collections::{BTreeMap, BTreeSet};

use decide::{Division, DomainSet, PublicSuffixes, brand_of, provider_of};
use mail::Domain;
use plan::Pins;

use crate::check::mail_flow::OurDomains;
use crate::check::{Subject, mending};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::lower::domain_pattern;
use crate::model::steps::{DomainPattern, Redirects};
use crate::syntax::Spanned;

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let Some(redirects) = subject.policy.redirects.seen() else { return };
    contradictions(subject, redirects, sink);
    let ours = OurDomains::of(subject.policy);
    let branded = providers_by_brand();
    for (name, pattern) in redirects.allow.iter() {
        if let Some(report) = alone(pattern, ours.as_ref(), &branded) {
            let report = report.at(pattern.span, "").rule(format!("redirects.allow.{name}"));
            sink.push(mending::without_entry(subject, report, name.span, pattern.span));
        }
    }
    covered(subject, redirects, sink);
}

/// The domain of a pattern that names one.
fn domain(pattern: &DomainPattern) -> Option<&Domain> {
    match pattern {
        DomainPattern::Suffix(domain) | DomainPattern::Exact(domain) => Some(&domain.0),
        DomainPattern::Brand(_) | DomainPattern::PublicProviders => None,
    }
}

/// As the policy would write it.
fn shown(pattern: &DomainPattern) -> String {
    match pattern {
        DomainPattern::Suffix(domain) => format!("Suffix(\"{}\")", domain.0),
        DomainPattern::Exact(domain) => format!("Exact(\"{}\")", domain.0),
        DomainPattern::Brand(label) => format!("Brand(\"{label}\")"),
        DomainPattern::PublicProviders => "PublicProviders".to_owned(),
    }
}

/// A set of patterns, each numbered by its place in `all`; those `of` leaves out cover nothing.
fn set<'p>(all: impl Iterator<Item = &'p DomainPattern>, of: impl Fn(&DomainPattern) -> bool) -> DomainSet {
    let chosen: Vec<(plan::DomainPattern, u32)> = all
        .zip(0..)
        .filter(|(pattern, _)| of(pattern))
        .map(|(pattern, rule)| (domain_pattern(pattern), rule))
        .collect();
    DomainSet::new(chosen.iter().map(|(pattern, rule)| (pattern, *rule)))
}

/// E0601: an example inside what is allowed, or the other way round. `PublicProviders` is left to E0603.
fn contradictions(subject: &Subject<'_>, redirects: &Redirects, sink: &mut Vec<Diagnostic>) {
    let named = |pattern: &DomainPattern| *pattern != DomainPattern::PublicProviders;
    let allow: Vec<_> = redirects.allow.iter().collect();
    let examples = &redirects.refused_examples.0;
    let refused = set(examples.iter().map(|example| &example.value), named);
    let allowed = set(allow.iter().map(|(_, pattern)| &pattern.value), named);
    let brands: BTreeMap<&str, usize> =
        examples.iter().zip(0..).filter_map(|(example, index)| Some((brand(&example.value)?, index))).collect();
    let mut pairs: BTreeSet<(usize, usize)> = BTreeSet::new();
    for (index, (_, pattern)) in allow.iter().enumerate() {
        if let Some(example) = domain(&pattern.value).and_then(|domain| refused.find(domain)) {
            pairs.insert((index, example as usize));
        }
        if let Some(example) = brand(&pattern.value).and_then(|label| brands.get(label)) {
            pairs.insert((index, *example));
        }
    }
    for (index, example) in examples.iter().enumerate() {
        if let Some(name) = domain(&example.value).and_then(|domain| allowed.find(domain)) {
            pairs.insert((name as usize, index));
        }
    }
    let mut reported = BTreeSet::new();
    for (index, example) in pairs {
        let ((name, pattern), example) = (allow[index], &examples[example]);
        if !reported.insert(index) {
            continue;
        }
        let narrower = [&example.value, &pattern.value].into_iter().filter_map(domain).max_by_key(|d| d.as_str().len());
        let what = narrower.map_or_else(|| shown(&pattern.value), |domain| domain.to_string());
        let message =
            format!("\"{what}\" is both allowed (\"{name}\") and a refused example ({})", shown(&example.value));
        let report = Diagnostic::new(Code::E0601, message)
            .help("the page would say both; decide")
            .at(pattern.span, "allowed")
            .also(example.span, "refused")
            .rule(format!("redirects.allow.{name}"));
        sink.push(mending::without_entry(subject, report, name.span, pattern.span));
    }
}

/// The label of a pattern that names one.
fn brand(pattern: &DomainPattern) -> Option<&str> {
    match pattern {
        DomainPattern::Brand(label) => Some(label.as_str()),
        DomainPattern::Suffix(_) | DomainPattern::Exact(_) | DomainPattern::PublicProviders => None,
    }
}

/// What is wrong with one allowed pattern, whatever stands beside it; its first fault. A suffix in the private division
/// of the list (`github.io`) lets in everyone just as a registry's does.
fn alone(
    pattern: &Spanned<DomainPattern>,
    ours: Option<&OurDomains<'_>>,
    branded: &BTreeMap<String, &'static str>,
) -> Option<Diagnostic> {
    if let DomainPattern::Suffix(suffix) = &pattern.value
        && PublicSuffixes::pinned().is_suffix(&suffix.0, Division::Private)
    {
        let message = format!("`Suffix(\"{}\")` is a public suffix", suffix.0);
        return Some(Diagnostic::new(Code::E0602, message).help("it allows everyone under it; name the institutions"));
    }
    let provider = match &pattern.value {
        DomainPattern::Suffix(domain) | DomainPattern::Exact(domain) => provider_of(&domain.0),
        DomainPattern::Brand(label) => branded.get(label).copied(),
        DomainPattern::PublicProviders => Some("PublicProviders"),
    };
    if let Some(provider) = provider {
        let date = Pins::of_this_build().public_providers.date;
        let message = format!("\"{provider}\" in `allow` is a public mailbox provider (public-providers.txt, {date})");
        return Some(
            Diagnostic::new(Code::E0603, message).help("mail of the institution would go to a free mailbox; remove it"),
        );
    }
    let key = domain(&pattern.value).and_then(|domain| ours?.key(domain))?;
    let message = format!("redirect to one of our own domains: {} is ours (\"{key}\")", shown(&pattern.value));
    Some(
        Diagnostic::new(Code::E0604, message)
            .help("a redirect to ourselves is a loop; an alias or a function does that"),
    )
}

/// Providers by the brand they are registered under.
fn providers_by_brand() -> BTreeMap<String, &'static str> {
    let listed = plan::PUBLIC_PROVIDERS.lines().filter(|line| !line.starts_with('#'));
    let branded = listed.filter_map(|provider| {
        let domain: Domain = provider.parse().ok()?;
        Some((brand_of(&domain)?.to_owned(), provider))
    });
    branded.collect()
}

/// L0606.
fn covered(subject: &Subject<'_>, redirects: &Redirects, sink: &mut Vec<Diagnostic>) {
    let allow: Vec<_> = redirects.allow.iter().collect();
    let wide = |pattern: &DomainPattern| !matches!(pattern, DomainPattern::Exact(_) | DomainPattern::PublicProviders);
    let suffixes = set(allow.iter().map(|(_, pattern)| &pattern.value), wide);
    for (index, (name, pattern)) in allow.iter().enumerate() {
        let Some(found) = domain(&pattern.value).and_then(|domain| suffixes.find(domain)) else { continue };
        let found = found as usize;
        let Some((by, wider)) = allow.get(found).filter(|_| found != index) else { continue };
        let report = Diagnostic::new(Code::L0606, format!("\"{name}\" is already covered by \"{by}\""))
            .help("keep it only for the page's sake")
            .at(pattern.span, "")
            .also(wider.span, "covers it")
            .rule(format!("redirects.allow.{name}"));
        sink.push(mending::without_entry(subject, report, name.span, pattern.span));
    }
}
