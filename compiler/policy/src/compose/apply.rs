//! The edits of one overlay, applied: hosts first, then `set`, `add` and `remove`. What an edit may not do is said at
//! the edit; whether its value fits the field is said by the decoder, which sees the value where it landed.

use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::edits;
use crate::model::SECTIONS;
use crate::syntax::{Document, Entry, Group, GroupBody, Kind, Name, Node, Span, near, quote};

use super::afterwards::{Done, Removed};
use super::grown::{At, Grown, key_name, names, same};
use super::hosts::Hosts;
use super::layer::{Edit, Layer, shown};
use super::locks::Locks;
use super::{Reader, absent};

/// Maps whose keys are words: a key that an overlay adds is one too.
const WORD_KEYED: [&str; 2] = ["web", "never_reachable_beyond"];
/// How many members are looked through for the nearest name.
const COMPARED_MAX: usize = 500;

/// Applies one overlay and gives back its table of hosts.
pub(super) fn apply(
    reader: &mut Reader<'_>,
    grown: &mut Grown,
    locks: &mut Locks,
    layer: Layer,
    defaults: &Document,
    done: &mut Done,
) -> Hosts {
    let Layer { hosts, set, add, remove, locked, .. } = layer;
    locks.follow(grown);
    hosts.rename(&mut grown.root, reader.sources, reader.sink);
    // Keys have other names now.
    grown.sweep();
    locks.rename(grown);
    let mut overlay = Applying { reader, grown, locks, defaults, done };
    set.into_iter().for_each(|edit| overlay.set(edit));
    add.into_iter().for_each(|edit| overlay.add(edit));
    remove.into_iter().for_each(|edit| overlay.remove(edit));
    overlay.grown.sweep();
    locks.extend(locked, reader.sources);
    hosts
}

struct Applying<'a, 'r> {
    reader: &'a mut Reader<'r>,
    grown: &'a mut Grown,
    locks: &'a Locks,
    defaults: &'a Document,
    done: &'a mut Done,
}

/// Where an edit leads.
struct Target {
    at: At,
    /// What of the path names nothing yet.
    rest: String,
}

impl Applying<'_, '_> {
    /// Replaces the value at a path.
    fn set(&mut self, edit: Edit) {
        let whole_section = edit.path == edit.section();
        if edit.section() == "guarantees" && !whole_section {
            return self.promise(&edit);
        }
        let Some(target) = self.target(&edit, !whole_section || edit.section() == "guarantees") else { return };
        let Some(value) = edit.value.clone() else { return };
        if whole_section && edit.section() == "guarantees" && !self.keeps_promises(&target, &value) {
            return self.promise(&edit);
        }
        self.done.note_set(&edit, &value);
        if target.rest.is_empty() {
            return self.grown.replace(&target.at, value);
        }
        if !self.push_field(&target, &edit, value) {
            self.no_such_path(&edit, &target);
        }
    }

    /// Extends a list or a map.
    fn add(&mut self, edit: Edit) {
        let Some(target) = self.target(&edit, true) else { return };
        let Some(value) = edit.value.clone() else { return };
        if !target.rest.is_empty() {
            let name = target.rest.strip_prefix('.').filter(|name| !name.is_empty());
            let outer = edit.path.get(..edit.path.len().saturating_sub(target.rest.len())).unwrap_or("");
            let word = WORD_KEYED.contains(&outer);
            let inside = self.grown.inside(&target.at);
            let added = match name {
                Some(name) => {
                    self.grown.push_entry(&inside, Entry { key: key(name, word, edit.place), value: value.clone() })
                }
                None => false,
            };
            if !added && !self.push_field(&target, &edit, value) {
                self.no_such_path(&edit, &target);
            }
            return;
        }
        let inside = self.grown.inside(&target.at);
        match (self.grown.get(&inside).map(|node| &node.kind), value.kind) {
            (Some(Kind::List(_)), Kind::List(items)) => {
                self.grown.extend(&inside, items);
            }
            (Some(Kind::Map(_)), Kind::Map(entries)) => entries.into_iter().for_each(|entry| {
                match key_name(&entry.key).and_then(|name| self.grown.position(&inside, name)) {
                    Some(position) => {
                        let there = [inside.as_slice(), &[position]].concat();
                        self.twice(&there, entry.key.span(), edits::join(entry.key.span(), entry.value.span()));
                    }
                    None => {
                        self.grown.push_entry(&inside, entry);
                    }
                }
            }),
            (Some(Kind::List(_)), _) if inside == target.at => {
                self.grown.extend(&inside, edit.value.into_iter().collect());
            }
            (Some(_), _) => self.twice(&target.at, edit.place, edit.whole),
            (None, _) => {}
        }
    }

    /// Takes an entry out of a map, or an item out of a list.
    fn remove(&mut self, edit: Edit) {
        let section = edit.section().to_owned();
        if section == "guarantees" {
            return self.promise(&edit);
        }
        if edit.path == section && SECTIONS.contains(&section.as_str()) {
            let found = Diagnostic::new(Code::E0118, format!("`remove` names a whole section `{section}`"))
                .help(format!("an absent section means its defaults; write `set: {{\"{section}\": None}}`"))
                .at(edit.place, "")
                .edit(edits::entry(self.reader.sources, edit.whole), "");
            return self.reader.report(found);
        }
        let Some(target) = self.target(&edit, true) else { return };
        if !target.rest.is_empty() {
            return self.no_such_path(&edit, &target);
        }
        let parent = &target.at[..target.at.len().saturating_sub(1)];
        let name = self.grown.get(parent).and_then(|parent| {
            let position = *target.at.last()? as usize;
            names(parent).nth(position).flatten().map(str::to_owned)
        });
        let from = self.grown.path_of(parent);
        if !self.grown.remove(&target.at) {
            let message = format!("overlay path `{}` is no entry of a map or list", shown(&edit.path));
            let found = Diagnostic::new(Code::E0110, message)
                .help("only entries can be removed; `set` gives a field another value")
                .at(edit.place, "")
                .edit(edits::entry(self.reader.sources, edit.whole), "");
            return self.reader.report(found);
        }
        if let Some(name) = name {
            self.done.removed.push(Removed { from, name, place: edit.place });
        }
    }

    /// Follows the path of an edit. What may not be edited at all is told here. `inside` asks for a section that nobody
    /// wrote to be taken from the defaults.
    fn target(&mut self, edit: &Edit, inside: bool) -> Option<Target> {
        let section = edit.section();
        self.reader.note(section, edit.whole);
        if !SECTIONS.contains(&section) || ["include", "locked"].contains(&section) {
            self.no_such_path(edit, &Target { at: At::new(), rest: format!(".{}", edit.path) });
            return None;
        }
        if self.grown.position(&[], section).is_none() && inside {
            let Some(default) = absent::section(section, self.defaults, &self.grown.root) else {
                return self.not_written(edit);
            };
            let name =
                Name { text: section.into(), file: edit.place.file, start: edit.place.start, end: edit.place.end };
            self.grown.push_field(&[], name, default);
        }
        let by_text = edit.value.is_none();
        let dotted = format!(".{}", edit.path);
        let reached = self.grown.follow(At::new(), &dotted, by_text);
        let target = Target { at: reached.at, rest: reached.rest.to_owned() };
        // What is new in a locked bracket changes that bracket.
        match self.locks.judge(edit, &target.at, target.rest.is_empty(), self.reader.sources) {
            Some(locked) => {
                self.reader.report(locked);
                None
            }
            None => Some(target),
        }
    }

    /// Writes an optional field that its group does not have yet. If the group knows no such field the decoder says so,
    /// at the path.
    fn push_field(&mut self, target: &Target, edit: &Edit, value: Node) -> bool {
        let Some(name) = target.rest.strip_prefix('.').filter(|name| is_word(name)) else { return false };
        let place = edit.place;
        let name = Name { text: name.into(), file: place.file, start: place.start, end: place.end };
        let new = self.grown.push_field(&target.at, name, value);
        if new {
            self.done.fields.insert(place, edit.path.clone());
        }
        new
    }

    /// Is every guarantee there is also in the new list?
    fn keeps_promises(&self, target: &Target, value: &Node) -> bool {
        let old = self.grown.get(&target.at).map(|node| &node.kind);
        match (old, &value.kind) {
            (Some(Kind::List(old)), Kind::List(new)) => {
                old.iter().all(|promise| new.iter().any(|new| same(promise, new)))
            }
            // Another shape than a list is the decoder's to tell.
            (Some(_), _) => true,
            (None, _) => true,
        }
    }

    /// E0113.
    fn promise(&mut self, edit: &Edit) {
        let found = Diagnostic::new(Code::E0113, "a guarantee may not be removed by an overlay")
            .help("change the base, where everyone will see it")
            .at(edit.place, "")
            .rule("guarantees")
            .edit(edits::entry(self.reader.sources, edit.whole), "");
        self.reader.note("guarantees", edit.whole);
        self.reader.report(found);
    }

    /// E0103 for an entry that is there already.
    fn twice(&mut self, there: &[u32], here: Span, whole: Span) {
        let Some(first) = self.grown.name_place(there) else { return };
        let path = self.grown.path_of(there);
        let name = path.rsplit('.').next().unwrap_or(&path);
        let (a, b) = (self.reader.sources.name(first.file), self.reader.sources.name(here.file));
        let found = Diagnostic::new(Code::E0103, format!("\"{}\" is defined in both {a} and {b}", quote(name)))
            .help("`add` makes new entries; `set` replaces one")
            .at(here, "again here")
            .also(first, "first here")
            .edit(edits::entry(self.reader.sources, whole), "");
        self.reader.report(found);
    }

    /// E0110 for a section that is made from other sections.
    fn not_written(&mut self, edit: &Edit) -> Option<Target> {
        let message = format!("overlay path `{}` does not exist in {}", shown(&edit.path), self.base());
        let section = edit.section();
        let help = format!("nobody wrote `{section}`; write the whole section: `set: {{\"{section}\": …}}`");
        let found = Diagnostic::new(Code::E0110, message).help(help).at(edit.place, "");
        self.reader.report(found);
        None
    }

    /// E0110, with the nearest path there is.
    fn no_such_path(&mut self, edit: &Edit, target: &Target) {
        if self.reader.is_full(edit.place) {
            return;
        }
        let message = format!("overlay path `{}` does not exist in {}", shown(&edit.path), self.base());
        let mut found = Diagnostic::new(Code::E0110, message).at(edit.place, "");
        let known = edit.path.len() - target.rest.len().min(edit.path.len());
        let rest = target.rest.trim_start_matches('.');
        let end = rest.find(['.', '[']).filter(|end| *end > 0).unwrap_or(rest.len());
        let (wrong, after) = rest.split_at(end);
        let near = match target.at.is_empty() {
            true => near::nearest(wrong, SECTIONS.iter().copied().filter(|name| !["include", "locked"].contains(name))),
            false => {
                let members = self.grown.get(&self.grown.inside(&target.at)).map(names);
                near::nearest(wrong, members.into_iter().flatten().flatten().take(COMPARED_MAX))
            }
        };
        if let Some(near) = near {
            let dot = if known == 0 { "" } else { "." };
            let path = format!("{}{dot}{near}{after}", &edit.path[..known]);
            found = found.help(format!("nearest: `{}`", path)).edit(edit.place, format!("{path:?}"));
        } else {
            found = found.help("paths are those of the base: `section.entry.field`, items of lists are `[0]`");
        }
        self.reader.report(found);
    }

    /// The file the edits are about.
    fn base(&self) -> &str {
        self.reader.sources.name(self.grown.root.file)
    }
}

/// The key of a new entry, standing where its path is written.
fn key(name: &str, word: bool, place: Span) -> Node {
    let Span { file, start, end } = place;
    let kind = match word && is_word(name) {
        true => {
            let name = Some(Name { text: name.into(), file, start, end });
            Kind::Group(Box::new(Group { name, body: GroupBody::Absent }))
        }
        false => Kind::Text(name.into()),
    };
    Node { file, start, end, kind, damaged: false }
}

fn is_word(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b == b'_' || b.is_ascii_alphabetic())
        && bytes.all(|b| b == b'_' || b.is_ascii_alphanumeric())
}
