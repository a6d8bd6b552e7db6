//! `locked`: paths of a base that no overlay above it may touch.

use std::collections::BTreeMap;

use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Sources};
use crate::edits;
use crate::model::SECTIONS;
use crate::syntax::{Kind, Node, Span, Spanned, near, quote};

use super::grown::{At, Grown};
use super::layer::{Edit, shown};

#[derive(Default)]
pub(super) struct Locks {
    locks: Vec<Lock>,
    /// Positions in `locks`, by path and by where the paths lead.
    by_path: BTreeMap<String, usize>,
    by_at: BTreeMap<At, usize>,
    /// The list of the policy itself is taken once.
    begun: bool,
}

struct Lock {
    path: String,
    place: Span,
    /// The file that locks.
    by: String,
    /// Where it leads in the tree as it is now.
    at: Option<At>,
}

impl Locks {
    /// Takes the list of the policy.
    pub fn add(&mut self, root: &Node, sources: &Sources) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        let field = root.fields().iter().find(|field| &*field.name.text == "locked");
        let Some(Kind::List(items)) = field.map(|field| &field.value.kind) else { return };
        for item in items {
            if let Kind::Text(path) = &item.kind {
                self.push(Spanned::new(path.to_string(), item.span()), sources);
            }
        }
    }

    /// Takes the list of an overlay, for those above it.
    pub fn extend(&mut self, locked: Vec<Spanned<String>>, sources: &Sources) {
        locked.into_iter().for_each(|lock| self.push(lock, sources));
    }

    fn push(&mut self, lock: Spanned<String>, sources: &Sources) {
        let by = sources.name(lock.span.file).to_owned();
        self.locks.push(Lock { path: lock.value, place: lock.span, by, at: None });
    }

    /// Finds out where the paths lead, before hosts are renamed.
    pub fn follow(&mut self, grown: &mut Grown) {
        for lock in &mut self.locks {
            let dotted = format!(".{}", lock.path);
            let reached = grown.follow(At::new(), &dotted, false);
            lock.at = reached.rest.is_empty().then_some(reached.at);
        }
    }

    /// Gives the paths the names that keys have now.
    pub fn rename(&mut self, grown: &Grown) {
        (self.by_path, self.by_at) = (BTreeMap::new(), BTreeMap::new());
        for (index, lock) in self.locks.iter_mut().enumerate() {
            if let Some(at) = &lock.at {
                lock.path = grown.path_of(at);
                self.by_at.insert(at.clone(), index);
            }
            self.by_path.insert(lock.path.clone(), index);
        }
    }

    /// The lock that covers a place or path, or stands inside it.
    fn find(&self, path: &str, at: &[u32], whole: bool) -> Option<&Lock> {
        let around = (1..=at.len()).find_map(|length| self.by_at.get(&at[..length]));
        let inside = || {
            let next = self.by_at.range(at.to_vec()..).next()?;
            (whole && !at.is_empty() && next.0.starts_with(at)).then_some(next.1)
        };
        let ends = path.match_indices(['.', '[']).map(|(end, _)| end).chain([path.len()]);
        let named_around = || ends.into_iter().find_map(|end| self.by_path.get(&path[..end]));
        let named_inside = || {
            ['.', '['].iter().find_map(|mark| {
                let inner = format!("{path}{mark}");
                let next = self.by_path.range(inner.clone()..).next()?;
                next.0.starts_with(&inner).then_some(next.1)
            })
        };
        let index = around.or_else(inside).or_else(named_around).or_else(named_inside)?;
        self.locks.get(*index)
    }

    /// E0111 where an edit touches what is locked, or what holds it, or what is in it. `at` is where the edit leads,
    /// `whole` says that it is about all that stands there.
    pub fn judge(&self, edit: &Edit, at: &[u32], whole: bool, sources: &Sources) -> Option<Diagnostic> {
        let lock = self.find(&edit.path, at, whole)?;
        let message = format!("overlay changes `{}`, locked by {}", shown(&edit.path), lock.by);
        let found = Diagnostic::new(Code::E0111, message)
            .help("change the base or unlock it")
            .at(edit.place, "")
            .also(lock.place, "locked here")
            .edit(edits::entry(sources, edit.whole), "");
        Some(found)
    }
}

/// E0101 for a lock on a section that the language does not have.
pub(crate) fn judge_names(locked: &crate::syntax::Items<String>, sink: &mut Vec<Diagnostic>) {
    for lock in locked {
        let section = lock.value.split(['.', '[']).next().unwrap_or("");
        if !SECTIONS.contains(&section) {
            let found = Diagnostic::new(Code::E0101, format!("unknown section \"{}\"", quote(section)))
                .help(near::help(section, SECTIONS.iter().copied()))
                .at(lock.span, "")
                .rule("locked");
            sink.push(found);
        }
    }
}
