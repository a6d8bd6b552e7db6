//! A log line with its fields.

use std::fmt::{self, Write as _};

use jiff::Timestamp;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level};

/// Longest value of a field, in octets.
const VALUE_OCTETS_MAX: usize = 4_096;

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub at: Timestamp,
    pub level: Level,
    /// The part of the program that says it.
    pub target: &'static str,
    pub file: &'static str,
    pub line: u32,
    pub message: String,
    pub fields: Vec<(&'static str, String)>,
}

impl Entry {
    pub fn of(event: &Event<'_>) -> Entry {
        let about = event.metadata();
        let mut entry = Entry {
            at: Timestamp::now(),
            level: *about.level(),
            target: about.target(),
            file: about.file().unwrap_or_default(),
            line: about.line().unwrap_or(0),
            message: String::new(),
            fields: Vec::new(),
        };
        event.record(&mut entry);
        entry
    }

    /// Severity of RFC 5424 6.2.1.
    pub fn severity(&self) -> u8 {
        match self.level {
            Level::ERROR => 3,
            Level::WARN => 4,
            Level::INFO => 6,
            _ => 7,
        }
    }

    /// One JSON object, on one line.
    pub fn json(&self) -> String {
        let mut object = Map::new();
        let mut put = |name: &str, value: &str| object.insert(name.to_owned(), Value::String(value.to_owned()));
        put("time", &self.at.to_string());
        put("level", &self.level.as_str().to_lowercase());
        put("target", self.target);
        put("message", &self.message);
        let fields: Map<String, Value> =
            self.fields.iter().map(|(name, value)| ((*name).to_owned(), Value::String(value.clone()))).collect();
        object.insert("fields".to_owned(), Value::Object(fields));
        Value::Object(object).to_string()
    }

    fn put(&mut self, field: &Field, mut value: String) {
        if value.len() > VALUE_OCTETS_MAX {
            let mut end = VALUE_OCTETS_MAX;
            while !value.is_char_boundary(end) {
                end -= 1;
            }
            value.truncate(end);
        }
        match field.name() {
            "message" => self.message = value,
            // Absent is absent, and no empty text.
            name if !value.is_empty() => self.fields.push((name, value)),
            _ => {}
        }
    }
}

impl Visit for Entry {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::new();
        let _ = write!(text, "{value:?}");
        self.put(field, text);
    }
}
