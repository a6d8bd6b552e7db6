//! `expect: [ … ]`, or `expect: Recorded` for what `facteur test --record` wrote down.

use std::fmt;

use serde::Deserialize;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

use super::model::Expectation;
use crate::syntax::{Items, WORD_OR};

/// What a case expects.
#[derive(Clone, Debug, PartialEq)]
pub enum Expect {
    /// What was recorded in `NAME.test.expected.ron`.
    Recorded,
    /// One for each event.
    Steps(Items<Expectation>),
}

#[derive(Deserialize)]
enum Word {
    Recorded,
}

impl<'de> Deserialize<'de> for Expect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(WORD_OR, Choice)
    }
}

struct Choice;

impl<'de> Visitor<'de> for Choice {
    type Value = Expect;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list `[ … ]` or `Recorded`")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Expect, D::Error> {
        deserializer.deserialize_any(Foreign)
    }

    /// Only our deserializer comes here: it says first whether a word stands there.
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Expect, A::Error> {
        let value = match seq.next_element::<bool>()? {
            Some(true) => seq.next_element::<Word>()?.map(|Word::Recorded| Expect::Recorded),
            Some(false) => seq.next_element()?.map(Expect::Steps),
            None => None,
        };
        value.ok_or_else(|| A::Error::custom("a choice without a value"))
    }
}

/// For other deserializers. Nothing is buffered, so words in the list keep their names.
struct Foreign;

impl<'de> Visitor<'de> for Foreign {
    type Value = Expect;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Choice.expecting(f)
    }

    fn visit_unit<E: Error>(self) -> Result<Expect, E> {
        Ok(Expect::Recorded)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Expect, A::Error> {
        Items::deserialize(SeqAccessDeserializer::new(seq)).map(Expect::Steps)
    }
}
