//! What differs between a message as it was delivered and as it was handed in.

use std::collections::BTreeMap;
use std::fmt;

use super::undo::Undone;
use crate::header;
use crate::mime::{Structure, transfer};

/// Names of fields that are told.
const NAMES_MAX: usize = 8;

/// Something that a mail program does not do by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Names in lower case, in order, the first of them.
    FieldsMissing(Vec<String>),
    FieldsAdded(Vec<String>),
    FieldsChanged(Vec<String>),
    /// The parts say the same and are encoded or divided otherwise.
    CodedOtherwise,
    /// So many parts are gone.
    PartsMissing(usize),
    PartsAdded(usize),
    BodyChanged,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Difference::FieldsMissing(names) => write!(f, "fields are gone: {}", names.join(", ")),
            Difference::FieldsAdded(names) => write!(f, "fields were added: {}", names.join(", ")),
            Difference::FieldsChanged(names) => write!(f, "fields were changed: {}", names.join(", ")),
            Difference::CodedOtherwise => f.write_str("the body is encoded otherwise"),
            Difference::PartsMissing(parts) => write!(f, "{parts} of its parts are gone"),
            Difference::PartsAdded(parts) => write!(f, "{parts} parts were added"),
            Difference::BodyChanged => f.write_str("the body was changed"),
        }
    }
}

/// Nothing where both are the same message, unaltered.
pub fn compare(delivered: &Undone, handed_in: &Undone) -> Vec<Difference> {
    let mut differences = fields(delivered.header(), handed_in.header());
    if delivered.body() != handed_in.body() {
        differences.push(bodies(delivered.octets(), handed_in.octets()));
    }
    differences
}

fn fields(delivered: &[u8], handed_in: &[u8]) -> Vec<Difference> {
    let (before, after) = (by_name(delivered), by_name(handed_in));
    let (mut missing, mut added, mut changed) = (Vec::new(), Vec::new(), Vec::new());
    for (name, values) in &before {
        match after.get(name) {
            None => missing.push(name.clone()),
            Some(others) if others != values => changed.push(name.clone()),
            Some(_) => {}
        }
    }
    added.extend(after.keys().filter(|name| !before.contains_key(*name)).cloned());
    let told = [
        (missing, Difference::FieldsMissing as fn(Vec<String>) -> Difference),
        (added, Difference::FieldsAdded),
        (changed, Difference::FieldsChanged),
    ];
    let told = told.into_iter().filter(|(names, _)| !names.is_empty());
    told.map(|(names, difference)| difference(names.into_iter().take(NAMES_MAX).collect())).collect()
}

/// Values without any space: programs fold otherwise.
fn by_name(section: &[u8]) -> BTreeMap<String, Vec<Vec<u8>>> {
    let mut fields: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for field in header::fields(section) {
        let name = String::from_utf8_lossy(field.name()).to_ascii_lowercase();
        let value = field.raw_value().iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect();
        fields.entry(name).or_default().push(value);
    }
    fields
}

fn bodies(delivered: &[u8], handed_in: &[u8]) -> Difference {
    let (before, after) = (leaves(delivered), leaves(handed_in));
    if before == after {
        return Difference::CodedOtherwise;
    }
    let is_among = |leaf: &&Vec<u8>, others: &[Vec<u8>]| others.contains(*leaf);
    let same = before.iter().filter(|leaf| is_among(leaf, &after)).count();
    if after.len() < before.len() && same == after.len() {
        return Difference::PartsMissing(before.len() - after.len());
    }
    if after.len() > before.len() && same == before.len() {
        return Difference::PartsAdded(after.len() - before.len());
    }
    Difference::BodyChanged
}

/// The decoded leaves, without space. Few messages have many, and those that do are compared by the first.
fn leaves(message: &[u8]) -> Vec<Vec<u8>> {
    let structure = Structure::parse(message);
    let decoded = structure.leaves().take(200).map(|part| {
        let octets = transfer::decode(&part.content.transfer_encoding, &message[part.body.clone()]);
        octets.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect()
    });
    decoded.collect()
}
