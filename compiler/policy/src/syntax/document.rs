//! The way in: a file read, its sections, and values decoded from it.

use super::de::{Place, Run, Step};
use super::parser::{self, Parser};
use super::reports::{Reports, quote};
use super::source::{FileId, PathSpans, Span};
use super::tree::{GroupBody, Kind, Node, Token, TokenKind, Tree};
use super::{ERRORS_MAX, SIZE_BYTES_MAX, lexer, near};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Longer paths, and more of them, are left out of `path_spans`: no real policy has any.
const PATH_BYTES_MAX: usize = 512;
const PATHS_MAX: usize = 100_000;

/// A file that has been read, with or without mistakes; or what was composed of several.
#[derive(Clone, Debug)]
pub struct Document {
    pub(crate) tree: Tree,
    /// Where the reader found mistakes.
    pub(crate) mistakes: Vec<Span>,
    /// Places outside a section's own brackets that belong to it: its fields in included parts, edits of overlays.
    pub(crate) elsewhere: BTreeMap<String, Vec<Span>>,
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
    let before = sink.len();
    let tree = read_tree(file, text, Reports::new(file, text, sink));
    let places = sink[before..].iter().filter_map(|diagnostic| diagnostic.place());
    let mistakes = places.collect();
    Document { tree, mistakes, elsewhere: BTreeMap::new() }
}

fn read_tree(file: FileId, text: &str, mut reports: Reports<'_>) -> Tree {
    if text.len() > SIZE_BYTES_MAX {
        reports.too_long(text.len());
        let root = Node { file, start: 0, end: 0, kind: Kind::Broken, damaged: true };
        return Tree { file, text: "".into(), tokens: Vec::new(), root, others: BTreeMap::new() };
    }
    let tokens = lexer::lex(text);
    for (at, c) in parser::invisible(text) {
        if reports.is_full() {
            break;
        }
        reports.invisible(at, c, whereabouts(&tokens, at));
    }
    let root = Parser::new(file, text, &tokens, reports).file();
    Tree { file, text: text.into(), tokens, root, others: BTreeMap::new() }
}

/// In what kind of token a byte is.
fn whereabouts(tokens: &[Token], at: usize) -> &'static str {
    let after = tokens.partition_point(|token| token.start as usize <= at);
    match after.checked_sub(1).and_then(|index| tokens.get(index)).map(|token| token.kind) {
        Some(TokenKind::Text | TokenKind::Char) => "in a string",
        Some(TokenKind::LineComment | TokenKind::BlockComment) => "in a comment",
        Some(TokenKind::Space | TokenKind::Word | TokenKind::Number | TokenKind::Mark(_) | TokenKind::Unknown)
        | None => "between words",
    }
}

impl Document {
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The name of the outermost group (`Policy`, `People`, `Site`) and its place.
    pub fn name(&self) -> Option<(&str, Span)> {
        self.tree.root.name().map(|name| (&*name.text, name.span()))
    }

    /// The place of the whole value.
    pub fn span(&self) -> Span {
        self.tree.root.span()
    }

    /// The fields of the outermost group, in order. A name written twice has been reported and appears once.
    pub fn sections(&self) -> impl Iterator<Item = Section<'_>> {
        self.tree.root.fields().iter().map(|field| Section {
            name: &field.name.text,
            name_span: field.name.span(),
            node: &field.value,
        })
    }

    pub fn section(&self, name: &str) -> Option<Section<'_>> {
        self.sections().find(|section| section.name == name)
    }

    /// Every place where something of a section is written: name and value, and what other files say about it.
    pub fn section_places(&self, name: &str) -> Vec<Span> {
        let mut places = self.elsewhere.get(name).cloned().unwrap_or_default();
        if let Some(section) = self.section(name) {
            let (name, value) = (section.name_span, section.node.span());
            match name.file == value.file {
                true => places.push(Span::new(name.file, name.start, value.end)),
                false => places.extend([name, value]),
            }
        }
        places
    }

    /// Did the reader find a mistake there?
    fn is_misread(&self, place: Span) -> bool {
        self.mistakes.iter().any(|mistake| place.holds(*mistake))
    }

    /// The files that values stand in, and those that were read for them.
    pub fn last_file(&self) -> FileId {
        self.tree.others.keys().next_back().map_or(self.tree.file, |last| self.tree.file.max(*last))
    }

    /// True if something at the outermost level could not be read: a section that seems absent may be in there.
    pub fn is_damaged(&self) -> bool {
        self.tree.root.damaged
    }

    /// Reports sections that are none of `known` (E0002), and an outermost name that is not `name` (E0104).
    pub fn expect(&self, name: &str, known: &[&str], sink: &mut Vec<Diagnostic>) {
        if self.tree.root.kind == Kind::Broken {
            return;
        }
        let found = self.name();
        if found.is_none_or(|(found, _)| found != name) {
            let (what, span) = match found {
                Some((found, span)) => (format!("`{}`", quote(found)), span),
                None => (
                    "no name".to_owned(),
                    Span::new(self.tree.root.file, self.tree.root.start, self.tree.root.start + 1),
                ),
            };
            let message = format!("expected `{name}(…)`, found {what}");
            sink.push(
                Diagnostic::new(Code::E0104, message).help(format!("the file begins with `{name}(`")).at(span, ""),
            );
        }
        let unknown = self.sections().filter(|section| !known.contains(&section.name));
        for (index, section) in unknown.enumerate() {
            let message = format!("`{name}` has no field `{}`", quote(section.name));
            let mut diagnostic = Diagnostic::new(Code::E0002, message).at(section.name_span, "");
            // Later ones are only counted.
            if index < ERRORS_MAX {
                diagnostic = diagnostic.help(near::listing("Fields here", section.name, known.iter().copied()));
                if let Some(near) = near::nearest(section.name, known.iter().copied())
                    && self.section(near).is_none()
                {
                    diagnostic = diagnostic.edit(section.name_span, near);
                }
            }
            sink.push(diagnostic);
        }
    }

    /// Decodes one section.
    pub fn decode_field<'t, T: Deserialize<'t>>(&'t self, name: &str, sink: &mut Vec<Diagnostic>) -> Decoded<T> {
        let Some(section) = self.section(name) else { return Decoded::Absent };
        let root = Place::root(self.root_name(), "");
        let place = root.then(Step::Field(section.name, section.name_span));
        let misread = self.section_places(name).iter().any(|place| self.is_misread(*place));
        self.decode_at(section.node, &place, misread, sink)
    }

    /// Decodes the whole file as one value; the outermost name must be that of the type.
    pub fn decode<'t, T: Deserialize<'t>>(&'t self, sink: &mut Vec<Diagnostic>) -> Decoded<T> {
        self.decode_at(&self.tree.root, &Place::root(self.root_name(), ""), !self.mistakes.is_empty(), sink)
    }

    /// Decodes one node of this document; `path` is its dotted policy path, for messages.
    pub fn decode_node<'t, T: Deserialize<'t>>(
        &'t self,
        node: &'t Node,
        path: &str,
        sink: &mut Vec<Diagnostic>,
    ) -> Decoded<T> {
        self.decode_at(node, &Place::root(self.root_name(), path), self.is_misread(node.span()), sink)
    }

    fn decode_at<'t, T: Deserialize<'t>>(
        &'t self,
        node: &'t Node,
        place: &Place<'_>,
        misread: bool,
        sink: &mut Vec<Diagnostic>,
    ) -> Decoded<T> {
        let (value, mistaken) = Run::decode(&self.tree, node, place, sink);
        match value {
            Some(value) if mistaken || misread => Decoded::Partial(value),
            Some(value) => Decoded::Whole(value),
            None => Decoded::Broken,
        }
    }

    /// Every dotted policy path and the place of its value: `may_send.person-outside.each_account.recipients_attempted[0]`.
    /// A key that holds dots is written as it is: `domains.univ-nantes.fr`. The brackets of a word add nothing to the
    /// path: with `In(["10.0.0.0/8"])` the prefix is at `networks.inside[0]`.
    pub fn path_spans(&self) -> PathSpans {
        let mut spans = PathSpans::new();
        self.add_paths(&self.tree.root, &mut String::new(), &mut spans);
        spans
    }

    fn root_name(&self) -> &str {
        self.name().map_or("this file", |(name, _)| name)
    }

    /// Recursion is as deep as the tree, at most `NESTING_MAX`.
    fn add_paths(&self, node: &Node, path: &mut String, spans: &mut PathSpans) {
        if path.len() > PATH_BYTES_MAX || spans.len() >= PATHS_MAX {
            return;
        }
        if !path.is_empty() {
            spans.entry(path.clone()).or_insert(node.span());
        }
        match &node.kind {
            Kind::List(items) => self.add_items(items, path, spans),
            Kind::Map(entries) => {
                for entry in entries {
                    let name = entry.key.name().map(|name| &*name.text);
                    let key = if let Kind::Text(text) = &entry.key.kind { Some(&**text) } else { name };
                    self.add_member(key.unwrap_or(""), &entry.value, path, spans);
                }
            }
            Kind::Group(group) => match &group.body {
                GroupBody::Fields(fields) => {
                    for field in fields {
                        self.add_member(&field.name.text, &field.value, path, spans);
                    }
                }
                // `In([…])`: the list is the value of the word.
                GroupBody::Items(items) if group.name.is_some() && items.len() == 1 => {
                    self.add_paths(&items[0], path, spans);
                }
                GroupBody::Items(items) => self.add_items(items, path, spans),
                GroupBody::Absent | GroupBody::Empty => {}
            },
            Kind::Broken | Kind::Bool(_) | Kind::Integer(_) | Kind::OddNumber | Kind::Char(_) | Kind::Text(_) => {}
        }
    }

    fn add_items(&self, items: &[Node], path: &mut String, spans: &mut PathSpans) {
        let length = path.len();
        for (index, item) in items.iter().enumerate() {
            path.push_str(&format!("[{index}]"));
            self.add_paths(item, path, spans);
            path.truncate(length);
        }
    }

    fn add_member(&self, name: &str, value: &Node, path: &mut String, spans: &mut PathSpans) {
        let length = path.len();
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(name);
        self.add_paths(value, path, spans);
        path.truncate(length);
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
