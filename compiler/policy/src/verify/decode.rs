//! The tree of a plan text as a value of plan types. Fields must be all there and in their order, so that no reader's
//! leniency decides what a plan says.

use std::fmt;

use serde::de::{self, DeserializeSeed, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::Fault;
use super::node::{Kind, Node, unescaped};

/// Decodes a node.
pub(crate) fn decode<'de, T: de::Deserialize<'de>>(node: &Node<'_>) -> Result<T, Fault> {
    T::deserialize(Reader(node)).map_err(|error| error.0)
}

#[derive(Debug)]
struct Error(Fault);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.what)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(what: T) -> Error {
        Error(Fault { line: 0, code: None, what: what.to_string() })
    }
}

fn fault(node: &Node<'_>, what: impl Into<String>) -> Error {
    Error(Fault { line: node.line, code: None, what: what.into() })
}

/// The innermost place is kept.
fn placed<T>(node: &Node<'_>, result: Result<T, Error>) -> Result<T, Error> {
    result.map_err(|Error(mut found)| {
        if found.line == 0 {
            found.line = node.line;
        }
        Error(found)
    })
}

#[derive(Clone, Copy)]
struct Reader<'n, 't>(&'n Node<'t>);

impl<'de> de::Deserializer<'de> for Reader<'_, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let node = self.0;
        let result = match &node.kind {
            Kind::Text(raw) => visitor.visit_str(&unescaped(raw)),
            Kind::Word("true") => visitor.visit_bool(true),
            Kind::Word("false") => visitor.visit_bool(false),
            Kind::Word(word) => match (word.parse::<u64>(), word.parse::<i64>()) {
                (Ok(number), _) => visitor.visit_u64(number),
                (Err(_), Ok(number)) => visitor.visit_i64(number),
                (Err(_), Err(_)) => Err(fault(node, format!("`{word}` is not what belongs here"))),
            },
            Kind::List(items) => visitor.visit_seq(Items(items.iter())),
            Kind::Map(entries) => visitor.visit_map(Entries { entries: entries.iter(), value: None }),
            Kind::Fields(name, _) | Kind::Tuple(name, _) => {
                Err(fault(node, format!("`{name}(…)` does not belong here")))
            }
        };
        placed(node, result)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.0.kind {
            Kind::Word("None") => visitor.visit_none(),
            Kind::Tuple("Some", parts) if parts.len() == 1 => visitor.visit_some(Reader(&parts[0])),
            _ => Err(fault(self.0, "expected `None` or `Some(…)`")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match &self.0.kind {
            Kind::Fields("", written) => placed(self.0, in_order(self.0, written, fields, visitor)),
            _ => Err(fault(self.0, "expected `(field: value, …)`")),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        placed(self.0, visitor.visit_enum(self))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

/// Fields a plan leaves out when they say nothing.
const LEFT_OUT: [&str; 2] = ["deployment", "imap"];

/// Every field once, in the order of the struct.
fn in_order<'de, V: Visitor<'de>>(
    node: &Node<'_>,
    written: &[(&str, Node<'_>)],
    fields: &[&str],
    visitor: V,
) -> Result<V::Value, Error> {
    let mut next = 0;
    for wanted in fields {
        match written.get(next) {
            Some((name, _)) if name == wanted => next += 1,
            _ if LEFT_OUT.contains(wanted) => {}
            Some((name, value)) => return Err(fault(value, format!("`{name}` stands where `{wanted}` belongs"))),
            None => return Err(fault(node, format!("`{wanted}` is missing"))),
        }
    }
    if let Some((name, value)) = written.get(next) {
        return Err(fault(value, format!("`{name}` is no field of this")));
    }
    visitor.visit_map(Named { fields: written.iter(), value: None })
}

impl<'de> de::EnumAccess<'de> for Reader<'_, '_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Error> {
        let name = match &self.0.kind {
            Kind::Word(name) | Kind::Fields(name, _) | Kind::Tuple(name, _) if !name.is_empty() => *name,
            _ => return Err(fault(self.0, "expected a word of the language")),
        };
        let variant: de::value::StrDeserializer<'_, Error> = name.into_deserializer();
        Ok((placed(self.0, seed.deserialize(variant))?, self))
    }
}

impl<'de> de::VariantAccess<'de> for Reader<'_, '_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.0.kind {
            Kind::Word(_) => Ok(()),
            _ => Err(fault(self.0, "nothing stands in brackets here")),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        match &self.0.kind {
            Kind::Tuple(_, parts) if parts.len() == 1 => seed.deserialize(Reader(&parts[0])),
            _ => Err(fault(self.0, "expected one value in brackets")),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        match &self.0.kind {
            Kind::Tuple(_, parts) if parts.len() == length => visitor.visit_seq(Items(parts.iter())),
            _ => Err(fault(self.0, format!("expected {length} values in brackets"))),
        }
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        match &self.0.kind {
            Kind::Fields(_, written) => in_order(self.0, written, fields, visitor),
            _ => Err(fault(self.0, "expected fields in brackets")),
        }
    }
}

struct Items<'n, 't>(std::slice::Iter<'n, Node<'t>>);

impl<'de> de::SeqAccess<'de> for Items<'_, '_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        self.0.next().map(|item| placed(item, seed.deserialize(Reader(item)))).transpose()
    }
}

struct Entries<'n, 't> {
    entries: std::slice::Iter<'n, (Node<'t>, Node<'t>)>,
    value: Option<&'n Node<'t>>,
}

impl<'de> de::MapAccess<'de> for Entries<'_, '_> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let Some((key, value)) = self.entries.next() else { return Ok(None) };
        self.value = Some(value);
        placed(key, seed.deserialize(Reader(key))).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        next_value(self.value.take(), seed)
    }
}

struct Named<'n, 't> {
    fields: std::slice::Iter<'n, (&'t str, Node<'t>)>,
    value: Option<&'n Node<'t>>,
}

impl<'de> de::MapAccess<'de> for Named<'_, '_> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let Some((name, value)) = self.fields.next() else { return Ok(None) };
        self.value = Some(value);
        let name: de::value::StrDeserializer<'_, Error> = (*name).into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        next_value(self.value.take(), seed)
    }
}

fn next_value<'de, S: DeserializeSeed<'de>>(value: Option<&Node<'_>>, seed: S) -> Result<S::Value, Error> {
    match value {
        Some(value) => placed(value, seed.deserialize(Reader(value))),
        None => Err(de::Error::custom("a value without its name")),
    }
}
