//! Errors of decoding. serde raises them without a place; the first deserializer on the way up adds node, path and
//! words, so that a diagnostic never holds the name of a Rust type.

use super::super::near;
use super::super::refusal::Refusal;
use super::super::reports::quote;
use super::super::source::Span;
use super::super::tree::{Field, GroupBody, Kind, Node};
use super::super::words;
use super::De;
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Edit};
use serde::de;
use std::fmt;

#[derive(Debug)]
pub(in crate::syntax) struct DecodeError {
    pub(super) cause: Cause,
    /// The innermost member that can be left out so that the rest is still read: its value's bytes.
    pub(super) unit: Option<Span>,
}

#[derive(Debug)]
pub(super) enum Cause {
    /// Said before; nothing to add.
    Reported,
    Ready(Box<Diagnostic>),
    MissingField(&'static str),
    UnknownField(String, &'static [&'static str]),
    UnknownVariant(String, &'static [&'static str]),
    /// A value of a kind that the type does not take; what it takes.
    Wanted(String),
    Text(String),
}

impl From<Cause> for DecodeError {
    fn from(cause: Cause) -> Self {
        DecodeError { cause, unit: None }
    }
}

impl From<Diagnostic> for DecodeError {
    fn from(diagnostic: Diagnostic) -> Self {
        Cause::Ready(Box::new(diagnostic)).into()
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Reported => f.write_str("reported before"),
            Cause::Ready(diagnostic) => f.write_str(&diagnostic.message),
            Cause::MissingField(name) => write!(f, "lacks `{name}`"),
            Cause::UnknownField(name, _) => write!(f, "has no field `{name}`"),
            Cause::UnknownVariant(name, _) => write!(f, "unknown `{name}`"),
            Cause::Wanted(wanted) => write!(f, "expected {wanted}"),
            Cause::Text(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for DecodeError {}

impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Cause::Text(text.to_string()).into()
    }

    fn invalid_type(_: de::Unexpected<'_>, wanted: &dyn de::Expected) -> Self {
        Cause::Wanted(wanted.to_string()).into()
    }

    fn invalid_value(_: de::Unexpected<'_>, wanted: &dyn de::Expected) -> Self {
        Cause::Wanted(wanted.to_string()).into()
    }

    fn invalid_length(_: usize, wanted: &dyn de::Expected) -> Self {
        Cause::Wanted(wanted.to_string()).into()
    }

    fn unknown_variant(name: &str, expected: &'static [&'static str]) -> Self {
        Cause::UnknownVariant(name.to_owned(), expected).into()
    }

    fn unknown_field(name: &str, expected: &'static [&'static str]) -> Self {
        Cause::UnknownField(name.to_owned(), expected).into()
    }

    fn missing_field(name: &'static str) -> Self {
        Cause::MissingField(name).into()
    }

    /// Repeated fields are reported by the reader and dropped from the tree.
    fn duplicate_field(_: &'static str) -> Self {
        Cause::Reported.into()
    }
}

impl De<'_, '_> {
    /// Gives the error its place and words, unless it has them.
    pub(super) fn locate(&self, error: DecodeError) -> DecodeError {
        let span = self.node.span();
        let cause = match error.cause {
            cause @ (Cause::Reported | Cause::Ready(_)) => cause,
            Cause::MissingField(name) => self.missing(name),
            Cause::UnknownField(name, fields) => Cause::Ready(Box::new(self.unknown_field(&name, span, fields))),
            Cause::UnknownVariant(name, variants) => {
                Cause::Ready(Box::new(self.unknown_variant(&name, span, variants)))
            }
            Cause::Wanted(wanted) => self.wanted(&wanted).cause,
            Cause::Text(text) => {
                let refusal = Refusal::from_text(&text).unwrap_or_else(|| Refusal::new(Code::E0104, text));
                let mut diagnostic = Diagnostic::new(refusal.code, refusal.message).at(span, "");
                diagnostic.help = refusal.help;
                if let Some(meant) = refusal.meant {
                    diagnostic = diagnostic.edit(span, format!("{:?}", self.in_days(refusal.code, meant)));
                }
                Cause::Ready(Box::new(self.ruled(diagnostic)))
            }
        };
        DecodeError { cause, unit: error.unit }
    }

    /// A number without a unit means days where mail and records are kept, and minutes elsewhere.
    fn in_days(&self, code: Code, meant: String) -> String {
        let path = self.place.path().unwrap_or_default();
        let kept = path.starts_with("retention.") || path.starts_with("backup.");
        match meant.strip_suffix(" min").filter(|_| code == Code::E0107 && kept) {
            Some(number) => format!("{number} days"),
            None => meant,
        }
    }

    fn ruled(&self, mut diagnostic: Diagnostic) -> Diagnostic {
        diagnostic.rule = self.place.path();
        diagnostic
    }

    /// E0003, unless the field is there and has its own mistake, or was lost with other text.
    fn missing(&self, name: &'static str) -> Cause {
        let written = self.node.fields().iter().any(|field| &*field.name.text == name);
        // `domian` has been reported as unknown; that `domain` is missing is the same slip.
        let misspelt =
            |field: &Field| self.run.is_left_out(&field.value) && near::nearest(&field.name.text, [name]).is_some();
        if written || self.node.damaged || self.node.fields().iter().any(misspelt) {
            return Cause::Reported;
        }
        let help = match words::field_help(name) {
            Some((example, decides)) => format!("add `{name}: {example}`; it decides {decides}"),
            None => format!("add `{name}: …`"),
        };
        let opening = Span::new(self.node.file, self.node.start, self.node.start + 1);
        let place = self.place.name_span().or(self.node.name().map(|name| name.span()));
        let diagnostic = Diagnostic::new(Code::E0003, format!("{} lacks `{name}`", self.container()))
            .help(help)
            .at(place.unwrap_or(opening), "");
        Cause::Ready(Box::new(self.ruled(diagnostic)))
    }

    /// What the group of this node is called in a message.
    fn container(&self) -> String {
        let place = self.place.words();
        match self.node.name() {
            Some(name) if place != format!("`{}`", name.text) => format!("`{}` of {place}", name.text),
            _ => place,
        }
    }

    pub(super) fn unknown_field(&self, name: &str, span: Span, fields: &'static [&'static str]) -> Diagnostic {
        let diagnostic = Diagnostic::new(Code::E0002, format!("{} has no field `{}`", self.container(), quote(name)))
            .help(near::listing("Fields here", name, fields.iter().copied()))
            .at(span, "");
        let diagnostic = match near::nearest(name, fields.iter().copied()) {
            // A second field of that name would be another mistake.
            Some(near) if !self.node.fields().iter().any(|field| &*field.name.text == near) => {
                diagnostic.edit(span, near)
            }
            Some(_) | None => diagnostic,
        };
        self.ruled(diagnostic)
    }

    pub(super) fn unknown_variant(&self, name: &str, span: Span, variants: &'static [&'static str]) -> Diagnostic {
        let place = self.place.field().map(|field| format!(" for `{field}`")).unwrap_or_default();
        let diagnostic = Diagnostic::new(Code::E0101, format!("unknown word \"{}\"{place}", quote(name)))
            .help(near::help(name, variants.iter().copied()))
            .at(span, "");
        let diagnostic = match near::nearest(name, variants.iter().copied()) {
            Some(near) => diagnostic.edit(span, near),
            None => diagnostic,
        };
        self.ruled(diagnostic)
    }

    /// E0104 in general form. `wanted` has its article.
    pub(super) fn wanted(&self, wanted: &str) -> DecodeError {
        if self.node.kind == Kind::Broken {
            return Cause::Reported.into();
        }
        let text = quote(&one_line(self.run.tree.slice(self.node)));
        let message = format!("expected {wanted}, found {}: `{text}`", given(self.node));
        let mut diagnostic = Diagnostic::new(Code::E0104, message).at(self.first_line(), "");
        if let Some((example, _)) = self.place.field().filter(|_| self.is_field()).and_then(words::field_help) {
            diagnostic = diagnostic.help(format!("for example `{example}`"));
        }
        self.ruled(diagnostic).into()
    }

    /// E0104 where a list must stand; one item is probably meant to be its only one.
    pub(super) fn wanted_list(&self) -> DecodeError {
        let mut error = self.wanted("a list `[ … ]`");
        if let (Cause::Ready(diagnostic), Kind::Text(_)) = (&mut error.cause, &self.node.kind) {
            let text = format!("[{}]", self.run.tree.slice(self.node));
            diagnostic.fix = vec![Edit { span: self.node.span(), text }];
        }
        error
    }

    /// E0104 where one of some words must stand.
    pub(super) fn wanted_word(&self, words: &[&str]) -> DecodeError {
        let mut error = self.wanted(&super::one_of(words));
        if let (Cause::Ready(diagnostic), Kind::Text(text)) = (&mut error.cause, &self.node.kind)
            && words.contains(&&**text)
        {
            diagnostic.help = Some(format!("write `{text}` without quotes"));
            diagnostic.fix = vec![Edit { span: self.node.span(), text: text.to_string() }];
        }
        error
    }

    /// True if this node is itself the value of a field, so that an example for the field fits.
    fn is_field(&self) -> bool {
        self.place.name_span().is_some() && self.place.field().is_some_and(|f| self.place.words() == format!("`{f}`"))
    }

    /// The part of the node on its first line: a caret under forty lines helps nobody.
    fn first_line(&self) -> Span {
        let length = self.run.tree.slice(self.node).lines().next().map_or(0, str::len);
        Span::new(self.node.file, self.node.start, self.node.start + length as u32)
    }

    /// E0108.
    pub(super) fn out_of_range(&self, value: i64, low: i64, high: i64) -> DecodeError {
        let field = self.place.field().map_or("a number".to_owned(), |field| format!("`{field}`"));
        let message = format!("{value} is out of range for {field} ({low}–{high})");
        let diagnostic = Diagnostic::new(Code::E0108, message).at(self.node.span(), "");
        self.ruled(diagnostic).into()
    }
}

fn one_line(text: &str) -> String {
    let mut words = String::new();
    for word in text.split_whitespace().take(16) {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    }
    words
}

/// What a node is, with its article.
fn given(node: &Node) -> &'static str {
    match &node.kind {
        Kind::Broken => "nothing",
        Kind::Bool(_) => "a truth value",
        Kind::Integer(_) => "a number",
        Kind::OddNumber => "a fraction",
        Kind::Char(_) => "a character",
        Kind::Text(_) => "a string",
        Kind::List(_) => "a list",
        Kind::Map(_) => "a map",
        Kind::Group(group) => match (&group.name, &group.body) {
            (Some(_), GroupBody::Absent) => "a word",
            (Some(_), _) => "a word with brackets",
            (None, _) => "a group",
        },
    }
}
