//! Members one after the other: of lists, maps, groups and words. A member that failed in an earlier pass is left out
//! of this one; see [`super::Run`].

use super::error::{Cause, DecodeError};
use super::place::Step;
use super::{Body, De};
use crate::syntax::tree::{Entry, Field, Group, GroupBody, Kind, Node};
use serde::de::value::{BorrowedStrDeserializer, SeqDeserializer};
use serde::de::{DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor};

/// Items of a list or tuple.
pub(super) struct Sequence<'a, 't> {
    pub(super) owner: De<'a, 't>,
    pub(super) items: std::iter::Enumerate<std::slice::Iter<'t, Node>>,
    /// Items of a list can be left out; those of a tuple hold their position.
    pub(super) optional: bool,
}

impl<'t> SeqAccess<'t> for Sequence<'_, 't> {
    type Error = DecodeError;

    fn next_element_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<Option<S::Value>, DecodeError> {
        for (index, node) in self.items.by_ref() {
            if self.optional && self.owner.run.is_left_out(node) {
                continue;
            }
            let place = self.owner.place.then(Step::Item(index));
            let value = seed.deserialize(self.owner.at(node, &place));
            return match self.optional {
                true => value.map_err(|error| error.in_unit(node)).map(Some),
                false => value.map(Some),
            };
        }
        Ok(None)
    }

    fn size_hint(&self) -> Option<usize> {
        None
    }
}

/// Entries of a `{ … }`.
pub(super) struct Entries<'a, 't> {
    pub(super) owner: De<'a, 't>,
    pub(super) entries: std::slice::Iter<'t, Entry>,
    pub(super) current: Option<&'t Entry>,
}

impl<'t> MapAccess<'t> for Entries<'_, 't> {
    type Error = DecodeError;

    fn next_key_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<Option<S::Value>, DecodeError> {
        let run = self.owner.run;
        self.current = self.entries.by_ref().find(|entry| !run.is_left_out(&entry.value));
        let Some(entry) = self.current else { return Ok(None) };
        let key = self.owner.at(&entry.key, self.owner.place);
        seed.deserialize(key).map_err(|error| error.in_unit(&entry.value)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<S::Value, DecodeError> {
        let Some(entry) = self.current.take() else { return Err(Cause::Reported.into()) };
        let key = match &entry.key.kind {
            Kind::Text(text) => text,
            _ => entry.key.name().map_or("", |name| &name.text),
        };
        let place = self.owner.place.then(Step::Key(key, entry.key.span()));
        seed.deserialize(self.owner.at(&entry.value, &place)).map_err(|error| error.in_unit(&entry.value))
    }
}

/// Fields of a `( … )`.
pub(super) struct Fields<'a, 't> {
    pub(super) owner: De<'a, 't>,
    pub(super) fields: std::slice::Iter<'t, Field>,
    pub(super) current: Option<&'t Field>,
}

impl<'t> MapAccess<'t> for Fields<'_, 't> {
    type Error = DecodeError;

    fn next_key_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<Option<S::Value>, DecodeError> {
        let run = self.owner.run;
        self.current = self.fields.by_ref().find(|field| !run.is_left_out(&field.value));
        let Some(field) = self.current else { return Ok(None) };
        let name: BorrowedStrDeserializer<'t, DecodeError> = BorrowedStrDeserializer::new(&field.name.text);
        let known = seed.deserialize(name).map_err(|error| match error.cause {
            Cause::UnknownField(name, fields) => self.owner.unknown_field(&name, field.name.span(), fields).into(),
            _ => self.owner.locate(error),
        });
        known.map_err(|error| error.in_unit(&field.value)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<S::Value, DecodeError> {
        let Some(field) = self.current.take() else { return Err(Cause::Reported.into()) };
        let place = self.owner.place.then(Step::Field(&field.name.text, field.name.span()));
        seed.deserialize(self.owner.at(&field.value, &place)).map_err(|error| error.in_unit(&field.value))
    }
}

/// A word with or without brackets.
pub(super) struct Word<'a, 't> {
    pub(super) owner: De<'a, 't>,
    pub(super) group: &'t Group,
    pub(super) name: &'t str,
}

impl<'a, 't> EnumAccess<'t> for Word<'a, 't> {
    type Error = DecodeError;
    type Variant = Word<'a, 't>;

    fn variant_seed<S: DeserializeSeed<'t>>(self, seed: S) -> Result<(S::Value, Word<'a, 't>), DecodeError> {
        let name: BorrowedStrDeserializer<'t, DecodeError> = BorrowedStrDeserializer::new(self.name);
        let known = seed.deserialize(name).map_err(|error| match error.cause {
            Cause::UnknownVariant(name, variants) => {
                let span = self.group.name.as_ref().map_or(self.owner.node.span(), |name| name.span());
                self.owner.unknown_variant(&name, span, variants).into()
            }
            _ => error,
        })?;
        Ok((known, self))
    }
}

impl<'t> VariantAccess<'t> for Word<'_, 't> {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<(), DecodeError> {
        match self.group.body {
            GroupBody::Absent => Ok(()),
            _ => Err(self.owner.wanted(&format!("`{}` without brackets", self.name))),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'t>>(self, seed: S) -> Result<S::Value, DecodeError> {
        match self.group.body {
            GroupBody::Absent => Err(self.owner.wanted(&format!("`{}(…)` with a value", self.name))),
            _ => seed.deserialize(De { body: Body::OfWord, ..self.owner }),
        }
    }

    fn tuple_variant<V: Visitor<'t>>(self, len: usize, visitor: V) -> Result<V::Value, DecodeError> {
        self.owner.visit_tuple(self.group, len, visitor)
    }

    fn struct_variant<V: Visitor<'t>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, DecodeError> {
        match self.group.body {
            GroupBody::Absent => Err(self.owner.wanted(&format!("`{}(…)` with brackets", self.name))),
            _ => self.owner.visit_fields(self.group, visitor),
        }
    }
}

/// What [`crate::syntax::Spanned`] asks for: file, start and end, then the value.
pub(super) struct Placed<'a, 't> {
    pub(super) value: De<'a, 't>,
    pub(super) placed: bool,
}

impl<'t> SeqAccess<'t> for Placed<'_, 't> {
    type Error = DecodeError;

    fn next_element_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<Option<S::Value>, DecodeError> {
        if !self.placed {
            self.placed = true;
            let span = self.value.node.span();
            let place = [span.file.0, span.start, span.end];
            return seed.deserialize(SeqDeserializer::new(place.into_iter())).map(Some);
        }
        seed.deserialize(self.value).map(Some)
    }
}

/// What [`crate::syntax::WordOr`] asks for: whether a word stands here, then the value.
pub(super) struct Choice<'a, 't> {
    pub(super) value: De<'a, 't>,
    pub(super) is_word: Option<bool>,
}

impl<'t> SeqAccess<'t> for Choice<'_, 't> {
    type Error = DecodeError;

    fn next_element_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<Option<S::Value>, DecodeError> {
        match self.is_word.take() {
            Some(is_word) => seed.deserialize(is_word.into_deserializer()).map(Some),
            None => seed.deserialize(self.value).map(Some),
        }
    }
}

/// What `Recovered` asks for: the value, or nothing when every way of reading it was tried.
pub(super) struct Attempts<'a, 't> {
    pub(super) value: De<'a, 't>,
}

impl<'t> SeqAccess<'t> for Attempts<'_, 't> {
    type Error = DecodeError;

    /// `Err` asks the visitor to come again: what was wrong is now left out.
    fn next_element_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<Option<S::Value>, DecodeError> {
        let (run, node) = (self.value.run, self.value.node);
        if run.is_given_up(node) {
            return Ok(None);
        }
        match seed.deserialize(self.value) {
            Ok(value) => Ok(Some(value)),
            Err(error) => match run.record(self.value.locate(error), node) {
                true => Err(Cause::Reported.into()),
                false => Ok(None),
            },
        }
    }
}

impl DecodeError {
    /// Marks the member that can be left out, unless one further in is marked.
    fn in_unit(mut self, node: &Node) -> Self {
        self.unit.get_or_insert(node.span());
        self
    }
}
