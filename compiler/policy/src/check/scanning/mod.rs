//! E07xx and L07xx: authentication of mail, antivirus, antispam.

mod order;
mod promises;
mod reach;
mod scanners;
mod spam;
mod viruses;

use std::fmt::Debug;

use super::Subject;
use crate::diagnostic::Diagnostic;
use crate::syntax::Items;

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    promises::check(subject, sink);
    order::check(subject, sink);
    scanners::check(subject, sink);
    reach::check(subject, sink);
    viruses::check(subject, sink);
    spam::check(subject, sink);
}

/// Where a step stands in the list.
fn position<T: PartialEq>(steps: &Items<T>, step: T) -> Option<usize> {
    steps.values().position(|other| *other == step)
}

/// The list as text with `step` where it should be: just before the first of `before`, at the end without one.
fn placed_before<T: Copy + PartialEq + Debug>(steps: &Items<T>, step: T, before: &[T]) -> String {
    let mut list: Vec<T> = steps.values().copied().filter(|other| *other != step).collect();
    let at = list.iter().position(|other| before.contains(other)).unwrap_or(list.len());
    list.insert(at, step);
    format!("{list:?}")
}

/// The list as text with `step` just after `after`.
fn placed_after<T: Copy + PartialEq + Debug>(steps: &Items<T>, step: T, after: T) -> String {
    let mut list: Vec<T> = steps.values().copied().filter(|other| *other != step).collect();
    let at = list.iter().position(|other| *other == after).map_or(list.len(), |at| at + 1);
    list.insert(at, step);
    format!("{list:?}")
}

/// An edit of a value, where the value stands in the file and is no default.
fn mended(subject: &Subject<'_>, diagnostic: Diagnostic, path: &str, text: &str) -> Diagnostic {
    match subject.spans.get(path) {
        Some(place) => diagnostic.edit(*place, text),
        None => diagnostic,
    }
}

/// One more member of a list, map or group that stands in the file.
fn extended(subject: &Subject<'_>, diagnostic: Diagnostic, path: &str, member: &str) -> Diagnostic {
    let added = subject.spans.get(path).and_then(|place| crate::edits::appended(subject.sources, *place, member));
    match added {
        Some((place, text)) => diagnostic.edit(place, text),
        None => diagnostic,
    }
}
