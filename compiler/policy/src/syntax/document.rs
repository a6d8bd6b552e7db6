//! The way in: a file read, its sections, and values decoded from it.

use super::source::{FileId, PathSpans, Span};
use super::tree::{Node, Tree};
use crate::diagnostic::Diagnostic;
use serde::Deserialize;

/// A file that has been read, with or without mistakes.
#[derive(Clone, Debug)]
pub struct Document {
    tree: Tree,
}

/// A field of the outermost group.
#[derive(Clone, Copy, Debug)]
pub struct Section<'t> {
    pub name: &'t str,
    pub name_span: Span,
    pub node: &'t Node,
}

/// What came of decoding. In the last two cases the mistakes are in the sink.
#[derive(Clone, Debug, PartialEq)]
pub enum Decoded<T> {
    /// Nothing is written there.
    Absent,
    /// Decoded without a mistake.
    Whole(T),
    /// Decoded, but members with mistakes were left out: good for names, not for a plan.
    Partial(T),
    /// Nothing usable.
    Broken,
}

/// Reads a file. Mistakes go to the sink; what could be read is in the document all the same.
pub fn read(file: FileId, text: &str, sink: &mut Vec<Diagnostic>) -> Document {
    let _ = (file, text, sink);
    todo!()
}

impl Document {
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The name of the outermost group (`Policy`, `People`, `Site`) and its place.
    pub fn name(&self) -> Option<(&str, Span)> {
        self.tree.root.name().map(|name| (&*name.text, name.span(self.tree.file)))
    }

    /// The place of the whole value.
    pub fn span(&self) -> Span {
        self.tree.root.span(self.tree.file)
    }

    /// The fields of the outermost group, in order. A name written twice has been reported and appears once.
    pub fn sections(&self) -> impl Iterator<Item = Section<'_>> {
        self.tree.root.fields().iter().map(|field| Section {
            name: &field.name.text,
            name_span: field.name.span(self.tree.file),
            node: &field.value,
        })
    }

    pub fn section(&self, name: &str) -> Option<Section<'_>> {
        self.sections().find(|section| section.name == name)
    }

    /// Reports sections that are none of `known` (E0002), and an outermost name that is not `name` (E0104).
    pub fn expect(&self, name: &str, known: &[&str], sink: &mut Vec<Diagnostic>) {
        let _ = (name, known, sink);
        todo!()
    }

    /// Decodes one section.
    pub fn decode_field<'t, T: Deserialize<'t>>(&'t self, name: &str, sink: &mut Vec<Diagnostic>) -> Decoded<T> {
        let _ = (name, sink);
        todo!()
    }

    /// Decodes the whole file as one value; the outermost name must be that of the type.
    pub fn decode<'t, T: Deserialize<'t>>(&'t self, sink: &mut Vec<Diagnostic>) -> Decoded<T> {
        let _ = sink;
        todo!()
    }

    /// Decodes one node of this document; `path` is its dotted policy path, for messages.
    pub fn decode_node<'t, T: Deserialize<'t>>(
        &'t self,
        node: &'t Node,
        path: &str,
        sink: &mut Vec<Diagnostic>,
    ) -> Decoded<T> {
        let _ = (node, path, sink);
        todo!()
    }

    /// Every dotted policy path and the place of its value: `may_send.person-outside.each_account.recipients_attempted[0]`.
    /// A key that holds dots is written as it is: `domains.univ-nantes.fr`.
    pub fn path_spans(&self) -> PathSpans {
        todo!()
    }
}

impl<T> Decoded<T> {
    /// The value, if there was no mistake.
    pub fn whole(self) -> Option<T> {
        match self {
            Decoded::Whole(value) => Some(value),
            Decoded::Absent | Decoded::Partial(_) | Decoded::Broken => None,
        }
    }

    /// The value, even if members with mistakes were left out.
    pub fn best(self) -> Option<T> {
        match self {
            Decoded::Whole(value) | Decoded::Partial(value) => Some(value),
            Decoded::Absent | Decoded::Broken => None,
        }
    }

    /// True when mistakes were reported.
    pub fn has_mistakes(&self) -> bool {
        match self {
            Decoded::Partial(_) | Decoded::Broken => true,
            Decoded::Absent | Decoded::Whole(_) => false,
        }
    }
}
