//! The result of a search that is kept up to date (RFC 5267 4.3), and what is told of its changes: ADDTO and REMOVEFROM.
//!
//! INVARIANT (same): a client that applies what is told has what the same search would find in the mailbox as the client knows
//! it. Whether a message is found changes only with the message itself, and its place among others never does: what is
//! ordered by does not change. Keys of which that is not true are refused.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::imap::command::{Bound, FetchItem, Key, Set, Tag};
use crate::imap::response::{Out, set};
use mail::index::Index;
use mail::order::Criterion;

/// Messages in one result that is kept.
pub const FOUND_MAX: usize = 50_000;

#[derive(Debug)]
pub struct Context {
    pub tag: Tag,
    /// Messages are told by UID.
    pub by_uid: bool,
    pub key: Key,
    /// None for SEARCH: the order of the mailbox.
    pub order: Option<Vec<Criterion>>,
    /// What is fetched of a new message that is found (RFC 5465 updates RFC 5267).
    pub items: Vec<FetchItem>,
    /// UIDs in the order of the result.
    pub found: Vec<u32>,
}

/// Can only a change of a message change whether this finds it? Not so for numbers, `*`, `$` and the time that passes.
pub fn is_steady(key: &Key) -> bool {
    match key {
        Key::Older(_) | Key::Younger(_) => false,
        Key::Messages(messages) => match &messages.set {
            Set::Numbers(set) => messages.uid && !set.0.iter().any(|(a, b)| [a, b].contains(&&Bound::Last)),
            Set::Saved => false,
        },
        Key::Not(inner) => is_steady(inner),
        Key::Or(one, other) => is_steady(one) && is_steady(other),
        Key::And(keys) => keys.iter().all(is_steady),
        _ => true,
    }
}

/// What changes in a result.
#[derive(Debug, Default)]
pub struct Difference {
    pub removed: BTreeSet<u32>,
    pub added: BTreeSet<u32>,
}

impl Context {
    /// Of the messages `looked_at`, which ascend, those in `matching` are to be in the result and the others are not.
    pub fn compare(&self, looked_at: &[u32], matching: &BTreeSet<u32>) -> Difference {
        let known: BTreeSet<u32> =
            self.found.iter().copied().filter(|uid| looked_at.binary_search(uid).is_ok()).collect();
        let removed = known.difference(matching).copied().collect();
        Difference { removed, added: matching.difference(&known).copied().collect() }
    }

    /// Takes messages out of the result. Returns what is said of it, empty when none was in it. Places count from 1 on and are
    /// given from the last one back, so that none moves before it is used; without an order they are 0 (RFC 5267 4.3.2).
    pub fn remove(&mut self, uids: &BTreeSet<u32>, rows: &Index) -> String {
        let is_removed = |uid: &u32| uids.contains(uid);
        let places: Vec<(usize, u32)> =
            self.found.iter().enumerate().filter(|(_, uid)| is_removed(uid)).map(|(at, uid)| (at + 1, *uid)).collect();
        if places.is_empty() {
            return String::new();
        }
        self.found.retain(|uid| !is_removed(uid));
        self.said("REMOVEFROM", places.into_iter().rev().collect(), rows)
    }

    /// Puts `added` into the result, which is `found` then.
    pub fn add(&mut self, added: &BTreeSet<u32>, found: Vec<u32>, rows: &Index) -> String {
        self.found = found;
        let places = self.found.iter().enumerate().filter(|(_, uid)| added.contains(uid));
        let places: Vec<(usize, u32)> = places.map(|(at, uid)| (at + 1, *uid)).collect();
        if places.is_empty() { String::new() } else { self.said("ADDTO", places, rows) }
    }

    /// ```abnf
    /// ret-data-addto  = "ADDTO" SP "(" context-position SP sequence-set *(SP context-position SP sequence-set) ")"
    /// ret-data-remove = "REMOVEFROM" SP "(" context-position SP sequence-set *(SP context-position SP sequence-set) ")"
    /// ```
    fn said(&self, word: &str, places: Vec<(usize, u32)>, rows: &Index) -> String {
        let mut numbered: Vec<(usize, u32)> =
            places.into_iter().filter_map(|(at, uid)| Some((at, self.number(uid, rows)?))).collect();
        if self.order.is_none() {
            numbered.sort_unstable_by_key(|(_, number)| *number);
            let numbers: Vec<u32> = numbered.into_iter().map(|(_, number)| number).collect();
            return format!(" {word} (0 {})", set(&numbers));
        }
        let mut text = format!(" {word} (");
        for (index, (at, number)) in numbered.into_iter().enumerate() {
            // Writing to a String does not fail.
            let _ = write!(text, "{}{at} {number}", if index == 0 { "" } else { " " });
        }
        text.push(')');
        text
    }

    fn number(&self, uid: u32, rows: &Index) -> Option<u32> {
        if self.by_uid { Some(uid) } else { u32::try_from(rows.place_of(uid)? + 1).ok() }
    }

    /// `* ESEARCH (TAG "B01") UID ADDTO (0 32768:32769)`, unless nothing changed.
    pub fn tell(&self, changes: &str, out: &mut Out) {
        if changes.is_empty() {
            return;
        }
        out.text("* ESEARCH (TAG ");
        out.string(self.tag.as_str().as_bytes());
        out.text(if self.by_uid { ") UID" } else { ")" });
        out.text(changes);
        out.end_line();
    }
}
