//! The newest lines, for whoever helps. They leave the house: what could be content or name a person stays out from the
//! beginning.

use std::collections::VecDeque;

use super::Entry;

/// Lines that are remembered.
const LINES_MAX: usize = 2_000;
/// Fields whose values are words of the program or of the policy.
const FIELDS: [&str; 16] = [
    "reason",
    "enhanced",
    "listener",
    "class",
    "rule",
    "plan",
    "engine",
    "name",
    "loop",
    "messages",
    "removed",
    "segments",
    "octets",
    "left_out",
    "age_s",
    "down_for_s",
];

/// A line as it may be shown to others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remembered(pub String);

#[derive(Debug)]
pub(crate) struct Recent(VecDeque<Remembered>);

impl Recent {
    pub const fn new() -> Recent {
        Recent(VecDeque::new())
    }

    pub fn take(&mut self, entry: &Entry) {
        if self.0.len() == LINES_MAX {
            self.0.pop_front();
        }
        self.0.push_back(Remembered(line(entry)));
    }

    pub fn all(&self) -> Vec<Remembered> {
        self.0.iter().cloned().collect()
    }
}

/// Time, level, place in the program, harmless fields, and the text. The audit is about people: only that there was an
/// entry is said.
fn line(entry: &Entry) -> String {
    let at = entry.at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ");
    let fields: String = entry
        .fields
        .iter()
        .filter(|(name, _)| FIELDS.contains(name))
        .map(|(name, value)| format!(" {name}={value}"))
        .collect();
    let message = if entry.message.starts_with("audit:") { "audit: (left out)" } else { &entry.message };
    let message: String = message.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("{at} {} {}:{}{fields} {message}", entry.level, entry.target, entry.line)
}
