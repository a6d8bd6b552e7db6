//! Maps and lists whose members are decoded one by one: a member with a mistake is reported and left out, and
//! the others are still read. Under any other deserializer they are a plain map and a plain list.

use super::spanned::Spanned;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::borrow::Borrow;
use std::fmt;
use std::marker::PhantomData;

/// The newtype name by which `de` knows that a mistake below is to be recorded and survived.
pub(super) const RECOVERED: &str = "$policy::Recovered";

/// A map in the order written. Keys are unique in a file that read without an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entries<V, K = String> {
    entries: Vec<(Spanned<K>, Spanned<V>)>,
    /// Keys whose value could not be decoded. The names exist: a reference to one is no second mistake.
    broken: Vec<Spanned<K>>,
}

impl<V, K> Entries<V, K> {
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Spanned<K>, &Spanned<V>)> + Clone {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Spanned<K>> + Clone {
        self.entries.iter().map(|(key, _)| key)
    }

    pub fn values(&self) -> impl ExactSizeIterator<Item = &Spanned<V>> + Clone {
        self.entries.iter().map(|(_, value)| value)
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Keys whose value could not be decoded and was reported.
    pub fn broken(&self) -> &[Spanned<K>] {
        &self.broken
    }

    pub fn push(&mut self, key: Spanned<K>, value: Spanned<V>) {
        self.entries.push((key, value));
    }

    /// The value of a key. Looks at each entry in turn: build a map for repeated use.
    pub fn get<Q: ?Sized + PartialEq>(&self, key: &Q) -> Option<&Spanned<V>>
    where
        K: Borrow<Q>,
    {
        self.entries.iter().find(|(candidate, _)| candidate.value.borrow() == key).map(|(_, value)| value)
    }
}

impl<V, K> Default for Entries<V, K> {
    fn default() -> Self {
        Entries { entries: Vec::new(), broken: Vec::new() }
    }
}

impl<V, K> IntoIterator for Entries<V, K> {
    type Item = (Spanned<K>, Spanned<V>);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<V, K> FromIterator<(Spanned<K>, Spanned<V>)> for Entries<V, K> {
    fn from_iter<I: IntoIterator<Item = (Spanned<K>, Spanned<V>)>>(entries: I) -> Self {
        Entries { entries: entries.into_iter().collect(), broken: Vec::new() }
    }
}

impl<'de, V: Deserialize<'de>, K: Deserialize<'de>> Deserialize<'de> for Entries<V, K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor(PhantomData))
    }
}

struct EntriesVisitor<V, K>(PhantomData<(V, K)>);

impl<'de, V: Deserialize<'de>, K: Deserialize<'de>> Visitor<'de> for EntriesVisitor<V, K> {
    type Value = Entries<V, K>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map `{ … }`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<V, K>, A::Error> {
        let mut found = Entries::default();
        while let Some(Recovered(key)) = map.next_key::<Recovered<Spanned<K>>>()? {
            let Recovered(value) = map.next_value::<Recovered<Spanned<V>>>()?;
            match (key, value) {
                (Some(key), Some(value)) => found.entries.push((key, value)),
                (Some(key), None) => found.broken.push(key),
                (None, _) => {}
            }
        }
        Ok(found)
    }
}

/// A list whose items are decoded one by one; items with a mistake are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Items<T>(pub Vec<Spanned<T>>);

impl<T> Items<T> {
    pub fn values(&self) -> impl ExactSizeIterator<Item = &T> + Clone {
        self.0.iter().map(|item| &item.value)
    }
}

impl<T> Default for Items<T> {
    fn default() -> Self {
        Items(Vec::new())
    }
}

impl<T> std::ops::Deref for Items<T> {
    type Target = [Spanned<T>];

    fn deref(&self) -> &[Spanned<T>] {
        &self.0
    }
}

impl<T> IntoIterator for Items<T> {
    type Item = Spanned<T>;
    type IntoIter = std::vec::IntoIter<Spanned<T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Items<T> {
    type Item = &'a Spanned<T>;
    type IntoIter = std::slice::Iter<'a, Spanned<T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T> FromIterator<Spanned<T>> for Items<T> {
    fn from_iter<I: IntoIterator<Item = Spanned<T>>>(items: I) -> Self {
        Items(items.into_iter().collect())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Items<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ItemsVisitor(PhantomData))
    }
}

struct ItemsVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ItemsVisitor<T> {
    type Value = Items<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list `[ … ]`")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Items<T>, A::Error> {
        let mut items = Vec::new();
        while let Some(Recovered(item)) = seq.next_element::<Recovered<Spanned<T>>>()? {
            items.extend(item);
        }
        Ok(Items(items))
    }
}

/// `None` when the value had mistakes, which `de` has recorded.
pub(super) struct Recovered<T>(pub(super) Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Recovered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(RECOVERED, RecoveredVisitor(PhantomData))
    }
}

struct RecoveredVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for RecoveredVisitor<T> {
    type Value = Recovered<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Recovered<T>, D::Error> {
        T::deserialize(deserializer).map(|value| Recovered(Some(value)))
    }

    /// Only our deserializer comes here. An `Err` means "recorded: ask again, I now leave out what was wrong";
    /// the end of the sequence means that nothing is left to be learnt.
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Recovered<T>, A::Error> {
        loop {
            if let Ok(value) = seq.next_element::<T>() {
                return Ok(Recovered(value));
            }
        }
    }
}
