//! `include`: parts that only add. Groups are merged field by field, entries added to maps, lists appended; what is
//! written twice is E0103 with both places, for there is no order in which one could win.

use crate::codes::Code;
use crate::diagnostic::{Diagnostic, FileId};
use crate::edits;
use crate::model::SECTIONS;
use crate::syntax::{Document, Group, GroupBody, Items, Kind, Node, Span, Spanned, quote};

use super::grown::{At, Grown, key_name};
use super::{FILES_MAX, NotRead, Reader, TOTAL_BYTES_MAX, folder};

/// The longest name of a part.
const NAME_BYTES_MAX: usize = 255;

/// Adds what the policy's `include` names, and what that includes.
pub(super) fn add_parts(reader: &mut Reader<'_>, grown: &mut Grown, file: FileId) {
    let wanted = written(&grown.root);
    let name = reader.sources.name(file).to_owned();
    let mut walk = Walk { open: vec![name.clone()], read: vec![name], parts: Vec::new() };
    walk.follow(reader, &wanted);
    for part in walk.parts {
        merge_part(reader, grown, part);
    }
}

/// The names in `include`. Mistakes in them are told by the model.
fn written(root: &Node) -> Vec<Spanned<String>> {
    let field = root.fields().iter().find(|field| &*field.name.text == "include");
    let items = match field.map(|field| &field.value.kind) {
        Some(Kind::List(items)) => items.iter(),
        Some(_) | None => [].iter(),
    };
    let texts = items.filter_map(|item| match &item.kind {
        Kind::Text(text) => Some(Spanned::new(text.to_string(), item.span())),
        _ => None,
    });
    texts.collect()
}

struct Walk {
    /// Files whose includes are being followed, the outermost first.
    open: Vec<String>,
    /// Every file that was read: one that two others include is added once.
    read: Vec<String>,
    parts: Vec<Document>,
}

impl Walk {
    /// Recursion is bounded by `FILES_MAX`: every level has read one file more.
    fn follow(&mut self, reader: &mut Reader<'_>, wanted: &[Spanned<String>]) {
        for include in wanted {
            let from = self.open.last().cloned().unwrap_or_default();
            if !is_plain(&include.value) {
                let message = format!("expected a file in this folder or below, found a path: `{include}`");
                let found = Diagnostic::new(Code::E0104, message)
                    .help("for example `partners.ron`; neither `..` nor a path from the root")
                    .at(include.span, "")
                    .rule("include");
                reader.report(found);
                continue;
            }
            let name = format!("{}{}", folder(&from), include.value);
            if let Some(first) = self.open.iter().position(|open| *open == name) {
                let mut circle = self.open[first..].to_vec();
                circle.push(name);
                reader.report(
                    Diagnostic::new(Code::E0102, format!("include cycle: {}", circle.join(" → ")))
                        .help("includes only add; move the shared entries to a third file")
                        .at(include.span, "")
                        .edit(edits::entry(reader.sources, include.span), ""),
                );
                continue;
            }
            if self.read.contains(&name) {
                continue;
            }
            match reader.read(&name) {
                Ok(part) => self.enter(reader, name, part),
                Err(not_read) => unknown(reader, include, &not_read),
            }
        }
    }

    fn enter(&mut self, reader: &mut Reader<'_>, name: String, part: Document) {
        part.expect("Part", SECTIONS, reader.sink);
        // The model sees the list of the policy itself, not this one.
        part.decode_field::<Items<String>>("include", reader.sink);
        let wanted = written(&part.tree.root);
        self.parts.push(part);
        self.read.push(name.clone());
        self.open.push(name);
        self.follow(reader, &wanted);
        self.open.pop();
    }
}

/// A name that cannot lead out of the folder: words between slashes, none of them `.` or `..`.
fn is_plain(name: &str) -> bool {
    let sound = |word: &str| !word.is_empty() && word != "." && word != ".." && !word.contains(['\\', ':']);
    name.len() <= NAME_BYTES_MAX && name.split('/').all(sound) && !name.chars().any(char::is_control)
}

/// E0101 for a file that is not there.
fn unknown(reader: &mut Reader<'_>, include: &Spanned<String>, not_read: &NotRead) {
    let help = match not_read {
        NotRead::Missing => "names are relative to the file that includes; is it there?".to_owned(),
        NotRead::Unreadable(why) => format!("it cannot be read: {why}"),
        NotRead::TooMany => format!("a policy is made of at most {FILES_MAX} files"),
        NotRead::TooLong => format!("all files of a policy together are at most {TOTAL_BYTES_MAX} bytes"),
    };
    let found = Diagnostic::new(Code::E0101, format!("unknown file \"{include}\""))
        .help(help)
        .at(include.span, "")
        .rule("include");
    reader.report(found);
}

fn merge_part(reader: &mut Reader<'_>, grown: &mut Grown, part: Document) {
    grown.damage(&[], part.is_damaged());
    let Kind::Group(group) = part.tree.root.kind else { return };
    let GroupBody::Fields(fields) = group.body else { return };
    for field in fields {
        let name = &*field.name.text;
        if !SECTIONS.contains(&name) || name == "include" {
            continue;
        }
        let (here, value) = (field.name.span(), field.value.span());
        reader.note(name, edits::join(here, value));
        match grown.position(&[], name) {
            None => {
                grown.push_field(&[], field.name, field.value);
            }
            Some(position) => merge(reader, grown, vec![position], field.value, &field.name.text.clone(), here),
        }
    }
}

/// Recursion is as deep as the tree. `key` and `here` are the name of the value in the part.
fn merge(reader: &mut Reader<'_>, grown: &mut Grown, at: At, from: Node, key: &str, here: Span) {
    let Some(into) = grown.get(&at) else { return };
    match (&into.kind, from.kind) {
        (Kind::Broken, _) | (_, Kind::Broken) => {}
        (Kind::List(_), Kind::List(items)) => {
            grown.extend(&at, items);
        }
        (Kind::Map(_), Kind::Map(entries)) => {
            for entry in entries {
                let name = key_name(&entry.key).unwrap_or("").to_owned();
                match grown.position(&at, &name) {
                    Some(position) => {
                        let place = edits::join(entry.key.span(), entry.value.span());
                        twice(reader, grown, &[at.as_slice(), &[position]].concat(), &name, entry.key.span(), place);
                    }
                    None => {
                        grown.push_entry(&at, entry);
                    }
                }
            }
        }
        (Kind::Group(into), Kind::Group(from)) if may_merge(into) && may_merge(&from) => {
            let GroupBody::Fields(fields) = from.body else { return };
            for field in fields {
                let (name, here) = (field.name.text.clone(), field.name.span());
                match grown.position(&at, &name) {
                    Some(position) => {
                        let member = [at.as_slice(), &[position]].concat();
                        merge(reader, grown, member, field.value, &name, here);
                    }
                    None => {
                        grown.push_field(&at, field.name, field.value);
                    }
                }
            }
        }
        _ => twice(reader, grown, &at, key, here, Span::new(here.file, here.start, from.end)),
    }
    grown.damage(&at, from.damaged);
}

/// Groups without a name before the bracket hold fields, and fields can be added.
fn may_merge(group: &Group) -> bool {
    group.name.is_none()
        && match group.body {
            GroupBody::Fields(_) | GroupBody::Empty => true,
            GroupBody::Absent | GroupBody::Items(_) => false,
        }
}

/// E0103. `whole` is name and value in the part.
fn twice(reader: &mut Reader<'_>, grown: &Grown, there: &[u32], key: &str, here: Span, whole: Span) {
    let Some(there) = grown.name_place(there) else { return };
    let (a, b) = (reader.sources.name(there.file), reader.sources.name(here.file));
    let found = Diagnostic::new(Code::E0103, format!("\"{}\" is defined in both {a} and {b}", quote(key)))
        .help("includes cannot override; use an overlay's `set`")
        .at(here, "again here")
        .also(there, "first here")
        .edit(edits::entry(reader.sources, whole), "");
    reader.report(found);
}
