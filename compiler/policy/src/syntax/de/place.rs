//! Where in the policy the decoder is, as a chain on the stack: it costs nothing until a message needs it.

use super::super::source::Span;
use super::super::words;

#[derive(Clone, Copy)]
pub(in crate::syntax) struct Place<'a> {
    pub(super) parent: Option<&'a Place<'a>>,
    pub(super) step: Step<'a>,
}

#[derive(Clone, Copy)]
pub(in crate::syntax) enum Step<'a> {
    /// The whole file, with the name of its outermost group; or a node reached by a path given in words.
    Root { name: &'a str, path: &'a str },
    /// A named field of a group.
    Field(&'a str, Span),
    /// The value of a map entry.
    Key(&'a str, Span),
    /// An item of a list or tuple, from 0.
    Item(usize),
}

impl<'a> Place<'a> {
    pub(in crate::syntax) fn root(name: &'a str, path: &'a str) -> Self {
        Place { parent: None, step: Step::Root { name, path } }
    }

    pub(in crate::syntax) fn then<'b>(&'b self, step: Step<'b>) -> Place<'b> {
        Place { parent: Some(self), step }
    }

    /// The dotted policy path, `None` for the file itself.
    pub(super) fn path(&self) -> Option<String> {
        let parent = self.parent.and_then(Place::path);
        let dotted = |name: &str| match &parent {
            Some(parent) => format!("{parent}.{name}"),
            None => name.to_owned(),
        };
        match self.step {
            Step::Root { path: "", .. } => None,
            Step::Root { path, .. } => Some(path.to_owned()),
            Step::Field(name, _) | Step::Key(name, _) => Some(dotted(name)),
            Step::Item(index) => Some(format!("{}[{index}]", parent.unwrap_or_default())),
        }
    }

    /// The place of the name or key that leads here.
    pub(super) fn name_span(&self) -> Option<Span> {
        match self.step {
            Step::Field(_, span) | Step::Key(_, span) => Some(span),
            Step::Root { .. } | Step::Item(_) => None,
        }
    }

    /// The nearest field name on the way, for "in `speaks`".
    pub(super) fn field(&self) -> Option<&str> {
        match self.step {
            Step::Field(name, _) => Some(name),
            Step::Root { path: "", .. } => None,
            Step::Root { path, .. } => path.rsplit('.').next(),
            Step::Key(..) | Step::Item(_) => self.parent.and_then(Place::field),
        }
    }

    /// What is here, in policy words: `listener "mx"`, `` `institution` ``, `person 3`.
    pub(super) fn words(&self) -> String {
        let kind = self.parent.and_then(Place::field).map(words::member_of);
        match self.step {
            Step::Root { path: "", name } => format!("`{name}`"),
            Step::Root { path, .. } => format!("`{path}`"),
            Step::Field(name, _) => format!("`{name}`"),
            Step::Key(name, _) => format!("{} \"{name}\"", kind.unwrap_or("entry")),
            Step::Item(index) => format!("{} {}", kind.unwrap_or("item"), index + 1),
        }
    }
}
