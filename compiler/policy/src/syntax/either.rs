//! "A word, or a value": `Unlimited` or a list of windows, `Everywhere` or a list of networks. serde's untagged enums
//! would lose places and messages; this keeps both.

use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// The newtype name by which `de` knows that it has to look which of the two stands there.
pub(crate) const WORD_OR: &str = "$policy::WordOr";

/// Either one of the words of `W`, with or without brackets, or a list, map, string or number of `T`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WordOr<W, T> {
    Word(W),
    Value(T),
}

impl<W, T> WordOr<W, T> {
    pub fn value(&self) -> Option<&T> {
        match self {
            WordOr::Word(_) => None,
            WordOr::Value(value) => Some(value),
        }
    }

    pub fn word(&self) -> Option<&W> {
        match self {
            WordOr::Word(word) => Some(word),
            WordOr::Value(_) => None,
        }
    }
}

impl<'de, W: Deserialize<'de>, T: Deserialize<'de>> Deserialize<'de> for WordOr<W, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(WORD_OR, ChoiceVisitor(PhantomData))
    }
}

struct ChoiceVisitor<W, T>(PhantomData<(W, T)>);

impl<'de, W: Deserialize<'de>, T: Deserialize<'de>> Visitor<'de> for ChoiceVisitor<W, T> {
    type Value = WordOr<W, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a word or a value")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<WordOr<W, T>, D::Error> {
        Foreign::deserialize(deserializer).map(|choice| match choice {
            Foreign::Word(word) => WordOr::Word(word),
            Foreign::Value(value) => WordOr::Value(value),
        })
    }

    /// Only our deserializer comes here.
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<WordOr<W, T>, A::Error> {
        let value = match seq.next_element::<bool>()? {
            Some(true) => seq.next_element()?.map(WordOr::Word),
            Some(false) => seq.next_element()?.map(WordOr::Value),
            None => None,
        };
        value.ok_or_else(|| A::Error::custom("a choice without a value"))
    }
}

/// For other deserializers, where places are lost in any case.
#[derive(Deserialize)]
#[serde(untagged)]
enum Foreign<W, T> {
    Word(W),
    Value(T),
}
