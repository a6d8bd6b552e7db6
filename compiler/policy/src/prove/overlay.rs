//! A promise of an overlay is mended in the overlay: its base serves others, who did not make the promise.

use serde::de::IgnoredAny;

use crate::diagnostic::{FileId, Sources};
use crate::edits;
use crate::syntax::{Document, Entries, Span, read};

/// A change to the policy, before anybody knows in which file it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// The value at a path becomes this text.
    Set { path: String, text: String },
    /// The entry of a map at a path goes.
    Remove { path: String },
}

/// The edits of an overlay file that make these changes; `None` when the file is no overlay.
pub(super) fn edits(sources: &Sources, file: FileId, changes: &[Change]) -> Option<Vec<(Span, String)>> {
    let overlay = read(file, sources.text(file), &mut Vec::new());
    overlay.name().filter(|(name, _)| *name == "Overlay")?;
    // An edit of what goes would lead nowhere (E0110).
    let mut edits = moot(sources, &overlay, changes);
    let said = overlay.decode_field::<Entries<IgnoredAny>>("set", &mut Vec::new()).best().unwrap_or_default();
    let (mut set, mut remove) = (Vec::new(), Vec::new());
    for change in changes {
        match change {
            Change::Set { path, text } => match said.get(path.as_str()) {
                Some(value) => edits.push((value.span, text.clone())),
                None => set.push(format!("\"{path}\": {text}")),
            },
            Change::Remove { path } => remove.push(format!("\"{path}\"")),
        }
    }
    let mut missing = Vec::new();
    for (name, members, brackets) in [("set", set, "{}"), ("remove", remove, "[]")] {
        if members.is_empty() {
            continue;
        }
        let members = members.join(", ");
        match overlay.section(name) {
            Some(section) => insert(&mut edits, edits::appended(sources, section.node.span(), &members)?),
            None => missing.push(format!("{name}: {}{members}{}", &brackets[..1], &brackets[1..])),
        }
    }
    if !missing.is_empty() {
        insert(&mut edits, edits::appended(sources, overlay.span(), &missing.join(", "))?);
    }
    Some(edits)
}

/// Cuts what `set` and `add` say below a path that goes.
fn moot(sources: &Sources, overlay: &Document, changes: &[Change]) -> Vec<(Span, String)> {
    let below = |path: &str| {
        changes.iter().any(|change| match change {
            Change::Remove { path: gone } => path.strip_prefix(gone.as_str()).is_some_and(|rest| rest.starts_with('.')),
            Change::Set { .. } => false,
        })
    };
    let mut cuts = Vec::new();
    for name in ["set", "add"] {
        let Some(entries) = overlay.decode_field::<Entries<IgnoredAny>>(name, &mut Vec::new()).best() else { continue };
        for (path, value) in entries.iter().filter(|(path, _)| below(&path.value)) {
            cuts.push((edits::entry(sources, edits::join(path.span, value.span)), String::new()));
        }
    }
    cuts
}

/// Adds an insertion; one at the end of what is cut takes the place of the cut.
fn insert(edits: &mut Vec<(Span, String)>, (at, text): (Span, String)) {
    match edits.iter_mut().find(|(cut, _)| cut.start < at.start && at.start <= cut.end) {
        Some((cut, instead)) => {
            // What is cut may have ended its line.
            *cut = Span::new(cut.file, cut.start, at.start);
            *instead = text.trim_start_matches([',', ' ']).to_owned();
        }
        None => edits.push((at, text)),
    }
}
