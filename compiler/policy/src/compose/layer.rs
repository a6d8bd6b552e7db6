//! One overlay, read: what it edits, each edit with its place. Values stay untyped here; they are typed where they land.

use serde::de::IgnoredAny;

use crate::edits;
use crate::syntax::{Document, Entries, Items, Kind, Node, Span, Spanned, quoted};

use super::Reader;
use super::hosts::Hosts;

/// A message repeats no more of a path.
const PATH_CHARS_MAX: usize = 120;

/// The fields of `Overlay(…)`.
const FIELDS: [&str; 7] = ["base", "name", "replace_hosts", "set", "add", "remove", "locked"];

pub(super) struct Layer {
    pub file_name: String,
    pub base: Option<Spanned<String>>,
    pub hosts: Hosts,
    /// Each list in the order of its paths: the order in which a person wrote them means nothing.
    pub set: Vec<Edit>,
    pub add: Vec<Edit>,
    pub remove: Vec<Edit>,
    /// What overlays above this one may not touch.
    pub locked: Vec<Spanned<String>>,
}

/// One line of `set`, `add` or `remove`.
pub(super) struct Edit {
    pub path: String,
    /// Where the path is written.
    pub place: Span,
    /// Where all of the edit is written.
    pub whole: Span,
    /// Nothing for `remove`.
    pub value: Option<Node>,
}

/// A path for a message.
pub(super) fn shown(path: &str) -> String {
    quoted(path, PATH_CHARS_MAX)
}

impl Edit {
    /// The first word of the path.
    pub fn section(&self) -> &str {
        self.path.split(['.', '[']).next().unwrap_or(&self.path)
    }
}

impl Layer {
    pub fn of(reader: &mut Reader<'_>, document: Document) -> Layer {
        let sink = &mut *reader.sink;
        document.expect("Overlay", &FIELDS, sink);
        let base = document.decode_field::<Spanned<String>>("base", sink).best();
        if base.is_none() && document.section("base").is_none() && !document.is_damaged() {
            let place = document.name().map_or_else(|| document.span(), |(_, span)| span);
            let found = crate::diagnostic::Diagnostic::new(crate::codes::Code::E0003, "`Overlay` lacks `base`");
            sink.push(found.help("add `base: \"…\"`; it decides which policy is edited").at(place, ""));
        }
        document.decode_field::<String>("name", sink);
        document.decode_field::<Entries<IgnoredAny>>("set", sink);
        document.decode_field::<Entries<IgnoredAny>>("add", sink);
        let hosts = Hosts::of(&document, sink);
        let removed = document.decode_field::<Items<String>>("remove", sink).best();
        let locked = document.decode_field::<Items<String>>("locked", sink).best();
        let remove = removed.into_iter().flatten().map(|path| {
            let place = path.span;
            Edit { path: path.value, place, whole: place, value: None }
        });
        Layer {
            file_name: reader.sources.name(document.tree.file).to_owned(),
            base,
            hosts,
            set: edits_in(&document, "set"),
            add: edits_in(&document, "add"),
            remove: sorted(remove.collect()),
            locked: locked.into_iter().flatten().collect(),
        }
    }
}

fn edits_in(document: &Document, name: &str) -> Vec<Edit> {
    let entries = match document.section(name).map(|section| &section.node.kind) {
        Some(Kind::Map(entries)) => entries.iter(),
        Some(_) | None => [].iter(),
    };
    let edits = entries.filter_map(|entry| {
        let (Kind::Text(path), place) = (&entry.key.kind, entry.key.span()) else { return None };
        let whole = edits::join(place, entry.value.span());
        Some(Edit { path: path.to_string(), place, whole, value: Some(entry.value.clone()) })
    });
    sorted(edits.collect())
}

/// In the order of paths: what is outside comes before what is inside it.
fn sorted(mut edits: Vec<Edit>) -> Vec<Edit> {
    edits.sort_by(|a, b| (&a.path, a.place).cmp(&(&b.path, b.place)));
    edits
}
