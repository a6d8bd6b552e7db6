//! Plan text as a tree of slices, each with its line: what the reader gives, and what tables and comparisons walk.

use std::borrow::Cow;

/// One value of a plan. Two nodes are equal when they say the same, wherever they stand.
#[derive(Clone, Debug)]
pub(crate) struct Node<'t> {
    /// From 1.
    pub line: u32,
    pub kind: Kind<'t>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind<'t> {
    /// Number, boolean, unit variant, `None`.
    Word(&'t str),
    /// What stands between the quotes, escapes as written.
    Text(&'t str),
    List(Vec<Node<'t>>),
    /// Keys are `Word` or `Text`.
    Map(Vec<(Node<'t>, Node<'t>)>),
    /// `Name(field: value, …)`; a struct has no name.
    Fields(&'t str, Vec<(&'t str, Node<'t>)>),
    /// `Name(value, …)`.
    Tuple(&'t str, Vec<Node<'t>>),
}

impl PartialEq for Node<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl<'t> Node<'t> {
    pub fn word(&self) -> Option<&'t str> {
        match self.kind {
            Kind::Word(word) => Some(word),
            Kind::Text(_) | Kind::List(_) | Kind::Map(_) | Kind::Fields(..) | Kind::Tuple(..) => None,
        }
    }

    /// The word, or the text with its escapes.
    pub fn leaf(&self) -> Option<&'t str> {
        match self.kind {
            Kind::Word(text) | Kind::Text(text) => Some(text),
            Kind::List(_) | Kind::Map(_) | Kind::Fields(..) | Kind::Tuple(..) => None,
        }
    }

    pub fn list(&self) -> Option<&[Node<'t>]> {
        match &self.kind {
            Kind::List(items) => Some(items),
            Kind::Word(_) | Kind::Text(_) | Kind::Map(_) | Kind::Fields(..) | Kind::Tuple(..) => None,
        }
    }

    /// The value of a field, or of a map's entry.
    pub fn get(&self, name: &str) -> Option<&Node<'t>> {
        match &self.kind {
            Kind::Fields(_, fields) => fields.iter().find(|(field, _)| *field == name).map(|(_, value)| value),
            Kind::Map(entries) => entries.iter().find(|(key, _)| key.leaf() == Some(name)).map(|(_, value)| value),
            Kind::Word(_) | Kind::Text(_) | Kind::List(_) | Kind::Tuple(..) => None,
        }
    }

    /// The value inside `Some(…)`, `EachAccount(…)`: a tuple of one is looked through.
    pub fn inner(&self) -> &Node<'t> {
        match &self.kind {
            Kind::Tuple(_, parts) if parts.len() == 1 => parts.first().map_or(self, Node::inner),
            Kind::Tuple(..) | Kind::Word(_) | Kind::Text(_) | Kind::List(_) | Kind::Map(_) | Kind::Fields(..) => self,
        }
    }

    /// Numbers, booleans, texts and `None`: what stands in a list on one line.
    pub fn is_scalar(&self) -> bool {
        match &self.kind {
            Kind::Text(_) => true,
            Kind::Word(word) => *word == "None" || !word.starts_with(|c: char| c.is_ascii_uppercase()),
            Kind::List(_) | Kind::Map(_) | Kind::Fields(..) | Kind::Tuple(..) => false,
        }
    }
}

/// A text with its escapes undone. Only `\"`, `\\` and `\u{…}` are escapes of plan text.
pub(crate) fn unescaped(raw: &str) -> Cow<'_, str> {
    if !raw.contains('\\') {
        return Cow::Borrowed(raw);
    }
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let escape = &rest[at + 1..];
        let (length, what) = match escape.strip_prefix("u{").and_then(|hex| Some((hex, hex.find('}')?))) {
            Some((hex, end)) => (end + 3, u32::from_str_radix(&hex[..end], 16).ok().and_then(char::from_u32)),
            None => (escape.chars().next().map_or(0, char::len_utf8), escape.chars().next()),
        };
        text.extend(what);
        rest = &escape[length..];
    }
    text.push_str(rest);
    Cow::Owned(text)
}
