//! A name or key written twice in one bracket (E0004).

use super::super::tree::{Entry, Field, Kind};
use super::Parser;
use std::collections::BTreeMap;

impl Parser<'_> {
    /// Keeps the first of fields with one name.
    pub(super) fn drop_repeated_fields(&mut self, fields: &mut Vec<Field>) {
        let mut first = BTreeMap::new();
        let mut kept = Vec::with_capacity(fields.len());
        for field in fields.drain(..) {
            let here = (field.name.start, field.name.end);
            match first.get(&field.name.text) {
                Some(there) => self.reports.twice(&field.name.text, *there, here, &self.path, self.text),
                None => {
                    first.insert(field.name.text.clone(), here);
                    kept.push(field);
                }
            }
        }
        *fields = kept;
    }

    /// Keeps the first of entries with one key.
    pub(super) fn drop_repeated_entries(&mut self, entries: &mut Vec<Entry>) {
        let mut first = BTreeMap::new();
        let mut kept = Vec::with_capacity(entries.len());
        for entry in entries.drain(..) {
            let here = (entry.key.start, entry.key.end);
            let key: (bool, Box<str>) = match &entry.key.kind {
                Kind::Text(text) => (true, text.clone()),
                _ => (false, entry.key.name().map_or("".into(), |name| name.text.clone())),
            };
            match first.get(&key) {
                Some(there) => self.reports.twice(&key.1, *there, here, &self.path, self.text),
                None => {
                    first.insert(key, here);
                    kept.push(entry);
                }
            }
        }
        *entries = kept;
    }
}
