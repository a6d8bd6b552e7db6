//! Lints that came and went with the changes, where both sides were compiled.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Level};

/// (new, gone), each as `L0303 may_send.person-outside.recipients_attempted/15min`.
pub(super) fn moved(old: Option<&[Diagnostic]>, new: Option<&[Diagnostic]>) -> (Vec<String>, Vec<String>) {
    let (Some(old), Some(new)) = (old, new) else { return (Vec::new(), Vec::new()) };
    let (before, after) = (named(old), named(new));
    let only = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect();
    (only(&after, &before), only(&before, &after))
}

fn named(found: &[Diagnostic]) -> BTreeSet<String> {
    let lints = found.iter().filter(|found| found.level == Level::Lint && !found.waived);
    lints
        .map(|found| format!("{} {}", found.code, found.rule.as_deref().unwrap_or_default()).trim_end().to_owned())
        .collect()
}
