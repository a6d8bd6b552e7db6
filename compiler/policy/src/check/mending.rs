//! Suggested edits of what stands in the file; nothing is suggested for a default.

use super::Subject;
use crate::diagnostic::Diagnostic;
use crate::edits;
use crate::syntax::Span;

/// Another text for the value at a path.
pub(super) fn value(subject: &Subject<'_>, diagnostic: Diagnostic, path: &str, text: &str) -> Diagnostic {
    match subject.spans.get(path) {
        Some(place) => diagnostic.edit(*place, text),
        None => diagnostic,
    }
}

/// Takes an entry of a map away with its comma: its key and its value.
pub(super) fn without_entry(subject: &Subject<'_>, diagnostic: Diagnostic, key: Span, value: Span) -> Diagnostic {
    let cut = edits::entry(subject.sources, edits::join(key, value));
    diagnostic.edit(cut, "")
}

/// Takes an item of a list away with its comma.
pub(super) fn without_item(subject: &Subject<'_>, diagnostic: Diagnostic, item: Span) -> Diagnostic {
    let cut = edits::entry(subject.sources, item);
    diagnostic.edit(cut, "")
}
