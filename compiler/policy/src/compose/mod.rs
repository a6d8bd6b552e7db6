//! P2: one tree from several files (policy-language.md 3, "Composition"). A policy may include parts, which only add; an
//! overlay edits a base by paths. Each node of the tree keeps the place it was written at, so that everything said
//! later points into the right file.

mod absent;
mod afterwards;
mod apply;
mod base;
mod grown;
mod hosts;
mod include;
mod layer;
mod locks;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::compile::Loader;
use crate::diagnostic::{Diagnostic, FileId, Sources};
use crate::syntax::{Document, Kind, Node, SIZE_BYTES_MAX, Span, Tree, read};
use afterwards::Done;
use grown::Grown;
use hosts::Hosts;
pub(crate) use locks::judge_names as judge_locked;

/// The most files one policy is made of.
pub const FILES_MAX: usize = 64;
/// The most names that are looked for; not every one has a file.
const TRIED_MAX: usize = 4 * FILES_MAX;
/// All of them together are no longer than one may be.
const TOTAL_BYTES_MAX: usize = SIZE_BYTES_MAX;
/// Mistakes of composing that are told for one file; a mended one shows the next.
const REPORTS_MAX: usize = 100;

/// What came of composing.
pub(crate) struct Composed {
    pub document: Document,
    /// Where `people.ron` may stand: beside these files, the first that has one.
    pub people_beside: Vec<String>,
    /// What overlays did, for what can be judged only when names are resolved.
    pub done: Done,
    /// Hosts that overlays replace, the innermost first.
    hosts: Vec<Hosts>,
}

/// Files, and what was read so far.
struct Reader<'a> {
    files: &'a dyn Loader,
    sources: &'a mut Sources,
    sink: &'a mut Vec<Diagnostic>,
    count: usize,
    tried: usize,
    bytes: usize,
    texts: BTreeMap<FileId, Arc<str>>,
    mistakes: Vec<Span>,
    elsewhere: BTreeMap<String, Vec<Span>>,
}

/// Why a file is not part of the policy.
enum NotRead {
    Missing,
    Unreadable(String),
    TooMany,
    TooLong,
}

impl Reader<'_> {
    fn read(&mut self, name: &str) -> Result<Document, NotRead> {
        self.tried += 1;
        if self.count >= FILES_MAX || self.tried > TRIED_MAX {
            return Err(NotRead::TooMany);
        }
        let text = self.files.load(name).map_err(|error| match error {
            crate::compile::LoadError::NotFound => NotRead::Missing,
            crate::compile::LoadError::Unreadable(why) => NotRead::Unreadable(why),
        })?;
        if self.bytes.saturating_add(text.len()) > TOTAL_BYTES_MAX {
            return Err(NotRead::TooLong);
        }
        let file = self.sources.add(name, text);
        let document = read(file, self.sources.text(file), self.sink);
        self.take(&document);
        Ok(document)
    }

    /// Counts a file that has been read.
    fn take(&mut self, document: &Document) {
        self.count += 1;
        self.bytes += document.tree.text.len();
        self.texts.insert(document.tree.file, Arc::clone(&document.tree.text));
        self.mistakes.extend(&document.mistakes);
    }

    fn report(&mut self, found: Diagnostic) {
        if !found.place().is_some_and(|place| self.is_full(place)) {
            self.sink.push(found);
        }
    }

    /// Was enough said about the file of that place?
    fn is_full(&self, place: Span) -> bool {
        let here = |found: &&Diagnostic| found.place().is_some_and(|other| other.file == place.file);
        self.sink.iter().rev().take(REPORTS_MAX).filter(here).count() >= REPORTS_MAX
    }

    /// Notes that something of a section is written there.
    fn note(&mut self, section: &str, place: Span) {
        self.elsewhere.entry(section.to_owned()).or_default().push(place);
    }
}

/// Follows includes and bases from the entry on. `entry` is its document as read.
pub(crate) fn compose(
    files: &dyn Loader,
    sources: &mut Sources,
    entry: Document,
    defaults: &Document,
    sink: &mut Vec<Diagnostic>,
) -> Composed {
    let (count, tried, bytes, mistakes) = (0, 0, 0, Vec::new());
    let (texts, elsewhere) = (BTreeMap::new(), BTreeMap::new());
    let mut reader = Reader { files, sources, sink, count, tried, bytes, texts, mistakes, elsewhere };
    reader.take(&entry);
    let (policy, layers) = base::chain(&mut reader, entry);
    let mut people_beside: Vec<String> = layers.iter().map(|layer| layer.file_name.clone()).collect();
    let Some(policy) = policy else {
        return Composed { document: nothing(reader), people_beside, done: Done::default(), hosts: Vec::new() };
    };
    let file_name = reader.sources.name(policy.tree.file).to_owned();
    if layers.is_empty() && policy.section("include").is_none() {
        people_beside.push(file_name);
        return Composed { document: policy, people_beside, done: Done::default(), hosts: Vec::new() };
    }

    let Tree { file, text, tokens, root, .. } = policy.tree;
    let mut grown = Grown::new(root);
    include::add_parts(&mut reader, &mut grown, file);
    let mut done = Done::default();
    let mut hosts = Vec::new();
    let mut locks = locks::Locks::default();
    for layer in layers.into_iter().rev() {
        locks.add(&grown.root, reader.sources);
        hosts.push(apply::apply(&mut reader, &mut grown, &mut locks, layer, defaults, &mut done));
    }
    reader.texts.insert(defaults.tree.file, Arc::clone(&defaults.tree.text));
    let tree = Tree { file, text, tokens, root: grown.root, others: reader.texts };
    people_beside.push(file_name);
    let document = Document { tree, mistakes: reader.mistakes, elsewhere: reader.elsewhere };
    Composed { document, people_beside, done, hosts }
}

/// What stands for a policy that could not be had: nothing in it can be missed.
fn nothing(reader: Reader<'_>) -> Document {
    let file = FileId(0);
    let root = Node { file, start: 0, end: 0, kind: Kind::Broken, damaged: true };
    let tree = Tree { file, text: "".into(), tokens: Vec::new(), root, others: reader.texts };
    Document { tree, mistakes: reader.mistakes, elsewhere: reader.elsewhere }
}

impl Composed {
    /// People live at the hosts of the overlay.
    pub fn rename_people(&self, people: &mut Document) {
        for hosts in &self.hosts {
            hosts.rename_again(&mut people.tree.root);
        }
    }
}

/// The folder of a file, with its slash; empty for a file that stands alone.
fn folder(name: &str) -> &str {
    name.rfind('/').map_or("", |slash| &name[..=slash])
}
