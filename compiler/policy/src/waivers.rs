//! Waivers: a lint the institution has decided to live with, at one place, until a day (policy-language.md 3). A waived
//! lint is kept and shown as waived. Errors cannot be waived.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::Subject;
use crate::codes::{Code, Standing, UnknownCode};
use crate::diagnostic::{Diagnostic, Level};
use crate::edits;
use crate::model::guarantee::Waiver;
use crate::model::literal::Date;
use crate::syntax::Spanned;

/// E0115, among the checks: an expired waiver is an error and stops the plan.
pub(crate) fn expired(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    for (index, waiver) in subject.policy.waivers.seen().into_iter().flatten().enumerate() {
        if !is_over(waiver, subject.today) {
            continue;
        }
        let Waiver { lint, at, until, .. } = &waiver.value;
        let diagnostic = Diagnostic::new(Code::E0115, format!("waiver for {lint} at `{at}` expired on {}", until.0))
            .help("fix the cause or renew it with a reason")
            .at(waiver.span, "")
            .rule(format!("waivers[{index}]"));
        sink.push(diagnostic);
    }
}

fn is_over(waiver: &Waiver, today: Option<&Date>) -> bool {
    today.is_some_and(|today| *today > waiver.until)
}

/// Marks what is waived, and reports waivers that match nothing (L0116). Runs on all that was found.
pub(crate) fn apply(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let waivers: Vec<&Spanned<Waiver>> = subject.policy.waivers.seen().into_iter().flatten().collect();
    let mut by_place: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for (index, waiver) in waivers.iter().enumerate().filter(|(_, waiver)| !is_over(waiver, subject.today)) {
        by_place.entry((&waiver.value.lint.value, &waiver.value.at)).or_default().push(index);
    }
    if by_place.is_empty() {
        return;
    }
    let mut used: BTreeSet<usize> = BTreeSet::new();
    for one in found.iter_mut().filter(|one| one.level == Level::Lint) {
        let Some(rule) = &one.rule else { continue };
        for place in around(rule) {
            if let Some(matching) = by_place.get(&(one.code.as_str(), place)) {
                one.waived = true;
                used.extend(matching);
            }
        }
    }
    // A mistake may hide the lint that is waived.
    if found.iter().any(Diagnostic::is_error) {
        return;
    }
    for (index, waiver) in waivers.iter().enumerate() {
        let looked_for = by_place.contains_key(&(waiver.value.lint.value.as_str(), waiver.value.at.as_str()));
        if looked_for && !used.contains(&index) && is_judged(subject, &waiver.value) {
            found.push(idle(subject, index, waiver));
        }
    }
}

/// The path itself, and each path it lies below.
fn around(rule: &str) -> impl Iterator<Item = &str> {
    let cuts = rule.match_indices(['.', '[', '/']).map(|(at, _)| &rule[..at]);
    cuts.chain(std::iter::once(rule))
}

/// Was what the lint needs beside the files there?
fn is_judged(subject: &Subject<'_>, waiver: &Waiver) -> bool {
    match waiver.lint.value.parse() {
        Ok(Code::L0310) => subject.deployed.is_some(),
        Ok(Code::L0520) => subject.today.is_some(),
        Ok(code) => code.standing() != Standing::Later,
        // E0101.
        Err(UnknownCode) => false,
    }
}

fn idle(subject: &Subject<'_>, index: usize, waiver: &Spanned<Waiver>) -> Diagnostic {
    let Waiver { lint, at, .. } = &waiver.value;
    Diagnostic::new(Code::L0116, format!("waiver for {lint} at `{at}` no longer matches anything"))
        .help("delete it")
        .at(waiver.span, "")
        .rule(format!("waivers[{index}]"))
        .edit(edits::entry(subject.sources, waiver.span), "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_lies_below_every_path_that_begins_it() {
        let found: Vec<&str> = around("may_send.a.recipients[0]/1h").collect();
        assert_eq!(
            found,
            [
                "may_send",
                "may_send.a",
                "may_send.a.recipients",
                "may_send.a.recipients[0]",
                "may_send.a.recipients[0]/1h"
            ]
        );
    }
}
