//! A serde deserializer over the tree. It is exactly as strict as the `ron` crate with the extensions implicit_some,
//! unwrap_newtypes and unwrap_variant_newtypes: lists are `[ ]`, maps `{ }`, structs and tuples `( )`, and a variant
//! that wraps a struct is written `Word(a: 1)`.
//!
//! Mistakes accumulate. A derived `Deserialize` stops at its first error, so wherever the model uses `Entries`, `Items`
//! or the root of a decode, the value is tried again with the failed member left out ([`Run`]); the passes end when
//! nothing new is learnt.

mod access;
mod error;
mod place;

pub(super) use place::{Place, Step};

use super::collect::RECOVERED;
use super::either::WORD_OR;
use super::source::Span;
use super::spanned::SPANNED;
use super::tree::{Group, GroupBody, Kind, Node, Tree};
use super::{ERRORS_MAX, collect::Recovered};
use crate::diagnostic::Diagnostic;
use access::{Attempts, Choice, Entries, Fields, Placed, Sequence, Word};
use error::{Cause, DecodeError};
use serde::Deserialize;
use serde::de::{self, Visitor};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

/// How often one decode may start again. Each mistake needs one pass and one more for each level it makes useless.
const PASSES_MAX: usize = 4 * ERRORS_MAX;

/// One decode of one value: what was found so far.
pub(super) struct Run<'t> {
    tree: &'t Tree,
    found: RefCell<Vec<Diagnostic>>,
    /// Members that failed and are left out of later passes, by the bytes of their value.
    left_out: RefCell<BTreeSet<Span>>,
    /// Values under `Recovered` that cannot be read at all.
    given_up: RefCell<BTreeSet<Span>>,
    passes: Cell<usize>,
}

impl<'t> Run<'t> {
    /// Decodes one node. The second value says whether there was a mistake.
    pub(super) fn decode<T: Deserialize<'t>>(
        tree: &'t Tree,
        node: &'t Node,
        place: &Place<'_>,
        sink: &mut Vec<Diagnostic>,
    ) -> (Option<T>, bool) {
        let run = Run {
            tree,
            found: RefCell::default(),
            left_out: RefCell::default(),
            given_up: RefCell::default(),
            passes: Cell::new(0),
        };
        let de = De { run: &run, node, place, body: Body::OfNode };
        let value = Recovered::deserialize(de).ok().and_then(|Recovered(value)| value);
        let mistaken = run.passes.get() > 0;
        let mut found = run.found.into_inner();
        found.sort_by_key(Diagnostic::place);
        sink.append(&mut found);
        (value, mistaken)
    }

    fn is_left_out(&self, node: &Node) -> bool {
        self.left_out.borrow().contains(&node.span())
    }

    fn is_given_up(&self, node: &Node) -> bool {
        self.given_up.borrow().contains(&node.span())
    }

    /// Notes an error below `node`. True if another pass may learn more.
    fn record(&self, error: DecodeError, node: &Node) -> bool {
        self.passes.set(self.passes.get() + 1);
        let mut found = self.found.borrow_mut();
        if let Cause::Ready(diagnostic) = error.cause
            && found.len() < ERRORS_MAX
        {
            found.push(*diagnostic);
        }
        let whole = node.span();
        let inside = error.unit.filter(|unit| *unit != whole);
        let again = self.passes.get() < PASSES_MAX && found.len() < ERRORS_MAX;
        if again && inside.is_some_and(|unit| self.left_out.borrow_mut().insert(unit)) {
            return true;
        }
        self.given_up.borrow_mut().insert(whole);
        false
    }
}

/// Deserializes one node.
#[derive(Clone, Copy)]
pub(super) struct De<'a, 't> {
    run: &'a Run<'t>,
    node: &'t Node,
    place: &'a Place<'a>,
    body: Body,
}

/// What of the node is meant.
#[derive(Clone, Copy, PartialEq)]
enum Body {
    OfNode,
    /// What is in the brackets of `Word( … )`.
    OfWord,
}

impl<'a, 't> De<'a, 't> {
    fn at<'b>(&self, node: &'t Node, place: &'b Place<'b>) -> De<'b, 't>
    where
        'a: 'b,
    {
        De { run: self.run, node, place, body: Body::OfNode }
    }

    /// The node meant, when it is to be one value: in the brackets of a word there must be exactly one.
    fn single(self) -> Result<De<'a, 't>, DecodeError> {
        let Kind::Group(group) = &self.node.kind else { return Ok(self) };
        match (self.body, &group.body) {
            (Body::OfNode, _) => Ok(self),
            (Body::OfWord, GroupBody::Items(items)) if items.len() == 1 => {
                Ok(De { node: &items[0], body: Body::OfNode, ..self })
            }
            (Body::OfWord, _) => Err(self.wanted("one value in the brackets")),
        }
    }

    /// The group meant, when it is to be a struct or tuple; `name` is what may stand before its bracket.
    fn group(self, name: &'static str) -> Result<&'t Group, DecodeError> {
        let Kind::Group(group) = &self.node.kind else { return Err(self.wanted("a group `( … )`")) };
        let named = group.name.as_ref().is_some_and(|found| name.is_empty() || &*found.text != name);
        match self.body {
            Body::OfNode if named => Err(self.wanted("a group `( … )`")),
            Body::OfNode if group.body == GroupBody::Absent => Err(self.wanted("a group `( … )`")),
            Body::OfNode | Body::OfWord => Ok(group),
        }
    }

    fn visit_fields<V: Visitor<'t>>(self, group: &'t Group, visitor: V) -> Result<V::Value, DecodeError> {
        let fields = match &group.body {
            GroupBody::Fields(fields) => fields.iter(),
            GroupBody::Empty => [].iter(),
            GroupBody::Items(_) | GroupBody::Absent => return Err(self.wanted("a group with names `(name: …)`")),
        };
        visitor.visit_map(Fields { owner: self, fields, current: None }).map_err(|error| self.locate(error))
    }

    fn visit_tuple<V: Visitor<'t>>(self, group: &'t Group, len: usize, visitor: V) -> Result<V::Value, DecodeError> {
        let items = match &group.body {
            GroupBody::Items(items) if items.len() == len => items.iter(),
            GroupBody::Empty if len == 0 => [].iter(),
            _ => return Err(self.wanted(&format!("{len} values in brackets"))),
        };
        let items = items.enumerate();
        visitor.visit_seq(Sequence { owner: self, items, optional: false }).map_err(|error| self.locate(error))
    }

    fn integer<V: Visitor<'t>>(self, low: i64, high: i64, visitor: V) -> Result<V::Value, DecodeError> {
        let de = self.single()?;
        match de.node.kind {
            Kind::Integer(number) if (low..=high).contains(&number) => {
                visit_number(number, visitor).map_err(|error| de.locate(error))
            }
            Kind::Integer(number) => Err(de.out_of_range(number, low, high)),
            _ => Err(de.wanted("a whole number")),
        }
    }

    /// `Some(x)` or `None` written out.
    fn explicit_option(self) -> Option<&'t Group> {
        let node = match &self.node.kind {
            Kind::Group(group) => match (self.body, &group.body) {
                (Body::OfNode, _) => self.node,
                (Body::OfWord, GroupBody::Items(items)) if items.len() == 1 => &items[0],
                (Body::OfWord, _) => return None,
            },
            _ => return None,
        };
        match &node.kind {
            Kind::Group(group) => {
                group.name.as_ref().is_some_and(|n| matches!(&*n.text, "Some" | "None")).then_some(&**group)
            }
            _ => None,
        }
    }
}

macro_rules! integers {
    ($($method:ident $kind:ty),*) => {$(
        fn $method<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            let low = i64::try_from(<$kind>::MIN).unwrap_or(i64::MIN);
            self.integer(low, i64::try_from(<$kind>::MAX).unwrap_or(i64::MAX), visitor)
        }
    )*};
}

impl<'t> de::Deserializer<'t> for De<'_, 't> {
    type Error = DecodeError;

    /// For literals that look at what stands there. A word alone is a unit, as in `ron`.
    fn deserialize_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let de = match self.body {
            Body::OfNode => self,
            Body::OfWord => self.single()?,
        };
        let value = match &de.node.kind {
            Kind::Broken => Err(Cause::Reported.into()),
            Kind::Bool(value) => visitor.visit_bool(*value),
            Kind::Integer(number) => visit_number(*number, visitor),
            Kind::OddNumber => Err(de.wanted("a whole number")),
            Kind::Char(c) => visitor.visit_char(*c),
            Kind::Text(text) => visitor.visit_borrowed_str(text),
            Kind::List(_) => de.deserialize_seq(visitor),
            Kind::Map(_) => de.deserialize_map(visitor),
            Kind::Group(group) => match &group.body {
                GroupBody::Absent | GroupBody::Empty => visitor.visit_unit(),
                GroupBody::Fields(_) => de.visit_fields(group, visitor),
                GroupBody::Items(items) => de.visit_tuple(group, items.len(), visitor),
            },
        };
        value.map_err(|error| de.locate(error))
    }

    fn deserialize_bool<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let de = self.single()?;
        match de.node.kind {
            Kind::Bool(value) => visitor.visit_bool(value).map_err(|error| de.locate(error)),
            _ => Err(de.wanted("`true` or `false`")),
        }
    }

    integers!(
        deserialize_i8 i8, deserialize_i16 i16, deserialize_i32 i32, deserialize_i64 i64,
        deserialize_u8 u8, deserialize_u16 u16, deserialize_u32 u32, deserialize_u64 u64
    );

    /// The language has no fractions: scores are in thousandths.
    fn deserialize_f32<V: Visitor<'t>>(self, _: V) -> Result<V::Value, DecodeError> {
        Err(self.wanted("a whole number"))
    }

    fn deserialize_f64<V: Visitor<'t>>(self, _: V) -> Result<V::Value, DecodeError> {
        Err(self.wanted("a whole number"))
    }

    fn deserialize_char<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let de = self.single()?;
        match de.node.kind {
            Kind::Char(c) => visitor.visit_char(c).map_err(|error| de.locate(error)),
            _ => Err(de.wanted("a character such as `'x'`")),
        }
    }

    fn deserialize_str<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let de = self.single()?;
        match &de.node.kind {
            Kind::Text(text) => visitor.visit_borrowed_str(text).map_err(|error| de.locate(error)),
            _ => Err(de.wanted("a string")),
        }
    }

    fn deserialize_string<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'t>>(self, _: V) -> Result<V::Value, DecodeError> {
        Err(self.wanted("a string"))
    }

    fn deserialize_byte_buf<V: Visitor<'t>>(self, _: V) -> Result<V::Value, DecodeError> {
        Err(self.wanted("a string"))
    }

    fn deserialize_option<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let Some(group) = self.explicit_option() else {
            return visitor.visit_some(self).map_err(|error| self.locate(error));
        };
        match &group.body {
            GroupBody::Items(items) if items.len() == 1 => {
                let inner = De { node: &items[0], body: Body::OfNode, ..self };
                // `ron` with unwrap_variant_newtypes reads `Some((a: 1))` otherwise than without it: neither form is ours.
                match &items[0].kind {
                    Kind::Group(group) if group.name.is_none() => {
                        Err(inner.wanted("a value without `Some`, which is not needed"))
                    }
                    _ => visitor.visit_some(inner).map_err(|error| inner.locate(error)),
                }
            }
            _ => visitor.visit_none().map_err(|error| self.locate(error)),
        }
    }

    fn deserialize_unit<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match (&self.node.kind, self.body) {
            (Kind::Group(group), Body::OfNode) if group.name.is_none() && group.body == GroupBody::Empty => {
                visitor.visit_unit()
            }
            (Kind::Group(group), Body::OfWord) if group.body == GroupBody::Empty => visitor.visit_unit(),
            _ => Err(self.wanted("`()`")),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'t>>(self, name: &'static str, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.node.kind {
            Kind::Group(group)
                if self.body == Body::OfNode
                    && group.body == GroupBody::Absent
                    && group.name.as_ref().is_some_and(|found| &*found.text == name) =>
            {
                visitor.visit_unit()
            }
            _ => self.deserialize_unit(visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'t>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let de = self.single()?;
        let value = match name {
            SPANNED => visitor.visit_seq(Placed { value: de, placed: false }),
            RECOVERED => visitor.visit_seq(Attempts { value: de }),
            WORD_OR => {
                let is_word = de.node.name().is_some();
                visitor.visit_seq(Choice { value: de, is_word: Some(is_word) })
            }
            _ => visitor.visit_newtype_struct(de),
        };
        value.map_err(|error| de.locate(error))
    }

    fn deserialize_seq<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let de = self.single()?;
        let Kind::List(items) = &de.node.kind else { return Err(de.wanted_list()) };
        let items = items.iter().enumerate();
        visitor.visit_seq(Sequence { owner: de, items, optional: true }).map_err(|error| de.locate(error))
    }

    fn deserialize_tuple<V: Visitor<'t>>(self, len: usize, visitor: V) -> Result<V::Value, DecodeError> {
        self.visit_tuple(self.group("")?, len, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'t>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.visit_tuple(self.group(name)?, len, visitor)
    }

    fn deserialize_map<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let de = self.single()?;
        let Kind::Map(entries) = &de.node.kind else { return Err(de.wanted("a map `{ … }`")) };
        let access = Entries { owner: de, entries: entries.iter(), current: None };
        visitor.visit_map(access).map_err(|error| de.locate(error))
    }

    fn deserialize_struct<V: Visitor<'t>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.visit_fields(self.group(name)?, visitor)
    }

    fn deserialize_enum<V: Visitor<'t>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let de = self.single()?;
        let word = match &de.node.kind {
            Kind::Group(group) => group.name.as_ref().map(|name| (&**group, &*name.text)),
            _ => None,
        };
        let Some((group, name)) = word else { return Err(de.wanted_word(variants)) };
        visitor.visit_enum(Word { owner: de, group, name }).map_err(|error| de.locate(error))
    }

    fn deserialize_identifier<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }
}

/// As `ron` does it: a number that is not negative comes unsigned.
fn visit_number<'t, V: Visitor<'t>>(number: i64, visitor: V) -> Result<V::Value, DecodeError> {
    match u64::try_from(number) {
        Ok(number) => visitor.visit_u64(number),
        Err(_) => visitor.visit_i64(number),
    }
}

/// "one of the words `A`, `B`".
fn one_of(variants: &[&str]) -> String {
    let quoted: Vec<String> = variants.iter().take(6).map(|word| format!("`{word}`")).collect();
    let more = if variants.len() > quoted.len() { ", …" } else { "" };
    match quoted.as_slice() {
        [only] => format!("the word {only}"),
        _ => format!("one of the words {}{more}", quoted.join(", ")),
    }
}
