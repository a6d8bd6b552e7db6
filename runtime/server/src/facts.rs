//! Facts about people that the policy judges each time they matter: the store keeps each as a setting, this is the same in
//! memory.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Op, ReadError, Store};

/// Facts of one kind, by key.
#[derive(Debug)]
pub struct Facts<T> {
    /// Keys of settings begin with it.
    prefix: &'static str,
    max: usize,
    by_key: RwLock<BTreeMap<String, T>>,
}

impl<T: Clone + Serialize + DeserializeOwned> Facts<T> {
    /// One that cannot be read is left out, and said.
    pub fn load(store: &Store, prefix: &'static str, max: usize) -> Result<Facts<T>, ReadError> {
        let mut by_key = BTreeMap::new();
        for (key, value) in store.settings(prefix, "", max)? {
            match serde_json::from_slice(&value) {
                Ok(fact) => drop(by_key.insert(key.strip_prefix(prefix).unwrap_or_default().to_owned(), fact)),
                Err(error) => tracing::error!("{key} of the store cannot be read and does not hold: {error}"),
            }
        }
        Ok(Facts { prefix, max, by_key: RwLock::new(by_key) })
    }

    pub fn of(&self, key: &str) -> Option<T> {
        self.by_key.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// In order of key, those whose key begins with `start`.
    pub fn under(&self, start: &str) -> Vec<(String, T)> {
        let by_key = self.by_key.read().unwrap_or_else(PoisonError::into_inner);
        let from = by_key.range(start.to_owned()..).take_while(|(key, _)| key.starts_with(start));
        from.map(|(key, fact)| (key.clone(), fact.clone())).collect()
    }

    /// Is there no room for one more?
    pub fn is_full(&self) -> bool {
        self.by_key.read().unwrap_or_else(PoisonError::into_inner).len() >= self.max
    }

    /// What is committed is believed.
    pub fn put(&self, key: &str, fact: Option<T>) {
        let mut by_key = self.by_key.write().unwrap_or_else(PoisonError::into_inner);
        match fact {
            Some(fact) => by_key.insert(key.to_owned(), fact),
            None => by_key.remove(key),
        };
    }

    /// The change of the store that sets or ends the fact of `key`.
    pub fn op(&self, key: &str, fact: Option<&T>) -> Op {
        // INVARIANT: strings, numbers and booleans always have a JSON form.
        let value = fact.map(|fact| serde_json::to_vec(fact).unwrap_or_default());
        Op::Setting { key: format!("{}{key}", self.prefix), value }
    }
}
