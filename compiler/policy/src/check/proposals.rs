//! Suggested edits for findings whose places say enough: two windows of one width, a prefix or a pair that two claim.

use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Sources};
use crate::edits;
use crate::syntax::Span;

/// Adds edits to what was found without one.
pub(super) fn propose(sources: &Sources, found: &mut [Diagnostic]) {
    for one in found.iter_mut().filter(|one| one.fix.is_empty()) {
        let Some(place) = one.place() else { continue };
        let other = one.labels.iter().find(|label| !label.primary).map(|label| label.span);
        let edit = match one.code {
            Code::E0201 => member(sources, place),
            Code::E0204 => other.and_then(|other| member(sources, larger(sources, place, other))),
            Code::E0206 => edits::field(sources, "each_account", place).map(|field| {
                let name = Span::new(field.file, field.start, field.start + "each_account".len() as u32);
                (name, "each_client_address".to_owned())
            }),
            Code::E0402 => member(sources, place),
            // One of the two keeps the pair; a list that would be left empty says more than that.
            Code::E0405 => member(sources, place).or_else(|| other.and_then(|other| member(sources, other))),
            _ => None,
        };
        if let Some((span, text)) = edit {
            *one = one.clone().edit(span, text);
        }
    }
}

/// Cuts a string out of a list that has others.
fn member(sources: &Sources, item: Span) -> Option<(Span, String)> {
    let text = sources.text(item.file);
    let (before, after) = (text.get(..item.start as usize)?.trim_end(), text.get(item.end as usize..)?.trim_start());
    let alone = before.ends_with('[') && after.trim_start_matches(',').trim_start().starts_with(']');
    let in_list = before.ends_with(['[', ',']) && after.starts_with([']', ',']);
    let is_text = sources.slice(item).starts_with('"');
    (is_text && in_list && !alone).then(|| (edits::entry(sources, item), String::new()))
}

/// Of two rates the one that allows more.
fn larger(sources: &Sources, one: Span, other: Span) -> Span {
    let count = |span: Span| {
        let count: String = sources.slice(span).trim_matches('"').chars().take_while(char::is_ascii_digit).collect();
        count.parse::<u64>().unwrap_or(u64::MAX)
    };
    if count(one) >= count(other) { one } else { other }
}
