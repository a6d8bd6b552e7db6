//! The lossless tree: tokens that cover every byte of the text, and nodes that point into it. A formatter walks
//! the tokens and finds comments where they stand; the decoder walks the nodes.

use super::source::{FileId, Span};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a token is. White space and comments are tokens too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    Space,
    LineComment,
    BlockComment,
    /// A word: field name, variant, `true`.
    Word,
    /// `"…"`, `r"…"` or `r#"…"#`.
    Text,
    /// `'…'`.
    Char,
    Number,
    /// `( ) [ ] { } : , # ! =`.
    Mark(u8),
    /// A byte sequence that begins no token, or a literal that is not finished.
    Unknown,
}

/// A range of bytes of the text. Tokens touch: each begins where the one before ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: TokenKind,
    pub start: u32,
    pub end: u32,
}

/// One file, read; or a value made of several, whose tokens are those of the file it began with.
#[derive(Clone, Debug)]
pub struct Tree {
    pub file: FileId,
    pub text: Arc<str>,
    /// Every token in order, white space and comments included: together they are the text.
    pub tokens: Vec<Token>,
    /// The one value of the file; `Kind::Broken` when there is none.
    pub root: Node,
    /// Texts of the other files that nodes stand in.
    pub others: BTreeMap<FileId, Arc<str>>,
}

/// A value and the bytes it covers. What is in it may stand in another file.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub file: FileId,
    pub start: u32,
    pub end: u32,
    pub kind: Kind,
    /// Something inside the brackets of this very node was skipped: what seems to be missing may have been there.
    pub damaged: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// No value could be read here; that has been reported.
    Broken,
    Bool(bool),
    Integer(i64),
    /// A number that is no integer of 64 bits: a fraction, or too large.
    OddNumber,
    Char(char),
    Text(Box<str>),
    List(Vec<Node>),
    Map(Vec<Entry>),
    /// `Name`, `Name(…)` or `(…)`.
    Group(Box<Group>),
}

/// One `key: value` of a `{ … }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub key: Node,
    pub value: Node,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    pub name: Option<Name>,
    pub body: GroupBody,
}

#[derive(Clone, Debug, PartialEq)]
pub enum GroupBody {
    /// A word alone: `Everywhere`.
    Absent,
    /// `( )`: no fields and no items.
    Empty,
    /// `(a: 1, b: 2)`.
    Fields(Vec<Field>),
    /// `("x", 2)`.
    Items(Vec<Node>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    pub text: Box<str>,
    pub file: FileId,
    pub start: u32,
    pub end: u32,
}

/// One `name: value` of a `( … )`.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    pub name: Name,
    pub value: Node,
}

impl Tree {
    /// The text a node covers.
    pub fn slice(&self, node: &Node) -> &str {
        let text = if node.file == self.file { Some(&self.text) } else { self.others.get(&node.file) };
        text.and_then(|text| text.get(node.start as usize..node.end as usize)).unwrap_or("")
    }
}

impl Node {
    pub fn span(&self) -> Span {
        Span::new(self.file, self.start, self.end)
    }

    /// The fields of a `( … )` with names; none for anything else.
    pub fn fields(&self) -> &[Field] {
        match &self.kind {
            Kind::Group(group) => match &group.body {
                GroupBody::Fields(fields) => fields,
                GroupBody::Absent | GroupBody::Empty | GroupBody::Items(_) => &[],
            },
            _ => &[],
        }
    }

    /// The name before the bracket, or the word itself.
    pub fn name(&self) -> Option<&Name> {
        match &self.kind {
            Kind::Group(group) => group.name.as_ref(),
            _ => None,
        }
    }
}

impl Name {
    pub fn span(&self) -> Span {
        Span::new(self.file, self.start, self.end)
    }
}
