//! What stands behind a command: `--name value`, in any order.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

const NAMES: [&str; 10] =
    ["seconds", "rounds", "producers", "side", "wal", "messages", "connections", "megabytes", "gigabytes", "folder"];

pub struct Arguments(BTreeMap<String, String>);

impl Arguments {
    /// `None` when a word is no option we know, or its value is missing.
    pub fn parse(words: &[String]) -> Option<Arguments> {
        let mut values = BTreeMap::new();
        for pair in words.chunks(2) {
            let [name, value] = pair else { return None };
            let name = name.strip_prefix("--").filter(|name| NAMES.contains(name))?;
            values.insert(name.to_owned(), value.clone());
        }
        Some(Arguments(values))
    }

    pub fn number(&self, name: &str, default: u64) -> u64 {
        self.0.get(name).map_or(default, |value| value.parse().expect("a number"))
    }

    pub fn numbers(&self, name: &str, default: &[u64]) -> Vec<u64> {
        let Some(value) = self.0.get(name) else { return default.to_vec() };
        value.split(',').map(|number| number.parse().expect("numbers with commas between them")).collect()
    }

    /// Is a side measured? All are, unless one is named.
    pub fn has_side(&self, name: &str) -> bool {
        self.0.get("side").is_none_or(|side| side == name)
    }

    pub fn seconds(&self, default: u64) -> Duration {
        Duration::from_secs(self.number("seconds", default))
    }

    pub fn rounds(&self, default: u64) -> u64 {
        self.number("rounds", default).max(1)
    }

    pub fn folder(&self) -> PathBuf {
        self.0.get("folder").map_or_else(|| std::env::temp_dir().join("facteur-store-bench"), PathBuf::from)
    }
}
