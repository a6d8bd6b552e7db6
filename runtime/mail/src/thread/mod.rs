//! Messages in threads (RFC 5256 3): ORDEREDSUBJECT and REFERENCES.
//!
//! Nothing here recurses: a thread is as deep as its messages are many, and whoever writes them decides how deep.

mod forest;
mod references;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::order::{Keys, by_time};
use references::references;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    OrderedSubject,
    References,
}

/// No node.
const NONE: u32 = u32::MAX;

/// Threads as trees. Nodes below the number of messages are the messages, by their place; the others stand for messages that
/// are not there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Threads {
    messages: u32,
    first_root: u32,
    first_child: Vec<u32>,
    next: Vec<u32>,
}

/// Threads of the messages in `keys`; `sent_s` says when each was sent.
pub fn threads(algorithm: Algorithm, keys: &Keys, sent_s: &[i64]) -> Threads {
    let order = by_time(sent_s);
    let parents = match algorithm {
        Algorithm::OrderedSubject => ordered_subject(keys, &order),
        Algorithm::References => references(keys, &order),
    };
    Threads::of(&order, &parents)
}

/// The first message of each subject has the others below it, side by side.
fn ordered_subject(keys: &Keys, order: &[u32]) -> Vec<u32> {
    let mut parents = vec![NONE; order.len()];
    let mut roots: Map<u32> = Map::default();
    for place in order {
        let root = *roots.entry(subject_of(keys, *place)).or_insert(*place);
        if root != *place {
            parents[*place as usize] = root;
        }
    }
    parents
}

/// 0 for an empty subject.
fn subject_of(keys: &Keys, place: u32) -> u64 {
    keys.ids_of(place as usize).first().copied().unwrap_or(0)
}

/// The number of a node among those that stand for messages that are not there.
fn dummy(node: u32, messages: u32) -> Option<usize> {
    node.checked_sub(messages).filter(|_| node != NONE).map(|dummy| dummy as usize)
}

impl Threads {
    /// Hangs each node below its parent, siblings by the time of their messages. `order` is that of the messages; a node behind
    /// them counts as its first child (RFC 5256 3, step 4), and without children it is in no thread.
    fn of(order: &[u32], parents: &[u32]) -> Threads {
        let messages = order.len() as u32;
        let mut first_of = vec![NONE; parents.len() - order.len()];
        for at in order.iter().rev() {
            if let Some(first) = dummy(parents[*at as usize], messages).map(|dummy| &mut first_of[dummy]) {
                *first = *at;
            }
        }
        let (first_child, next) = (vec![NONE; parents.len()], vec![NONE; parents.len()]);
        let mut threads = Threads { messages, first_root: NONE, first_child, next };
        // From the last on, each in front of those behind it.
        for at in order.iter().rev() {
            let parent = parents[*at as usize];
            threads.put_first(*at, parent);
            if dummy(parent, messages).is_some_and(|dummy| first_of[dummy] == *at) {
                threads.put_first(parent, NONE);
            }
        }
        threads
    }

    fn put_first(&mut self, at: u32, parent: u32) {
        let first = match parent {
            NONE => &mut self.first_root,
            parent => &mut self.first_child[parent as usize],
        };
        self.next[at as usize] = std::mem::replace(first, at);
    }

    pub fn is_empty(&self) -> bool {
        self.first_root == NONE
    }

    /// `1*thread-list` (RFC 5256 5): `(2)(3 6 (4 23)(44 7 96))`. `number` gives the number of a message by its place.
    pub fn write(&self, number: impl Fn(usize) -> u32, out: &mut impl FnMut(Token)) {
        let mut root = self.first_root;
        while root != NONE {
            out(Token::Open);
            self.write_members(root, &number, out);
            out(Token::Close);
            root = self.next[root as usize];
        }
    }

    /// What is in the parentheses of one thread.
    fn write_members(&self, root: u32, number: &impl Fn(usize) -> u32, out: &mut impl FnMut(Token)) {
        // Siblings that still wait, each in parentheses of its own.
        let mut waiting: Vec<u32> = Vec::new();
        let (mut at, mut first) = (root, true);
        loop {
            if at < self.messages {
                if !first {
                    out(Token::Space);
                }
                out(Token::Number(number(at as usize)));
                first = false;
            }
            let child = self.first_child[at as usize];
            let is_only = child == NONE || self.next[child as usize] == NONE;
            if child != NONE && is_only {
                at = child;
                continue;
            }
            if child != NONE {
                if !first {
                    out(Token::Space);
                }
                out(Token::Open);
                waiting.push(self.next[child as usize]);
                (at, first) = (child, true);
                continue;
            }
            // The end of a chain: the next sibling of the nearest fork that has one.
            loop {
                let Some(sibling) = waiting.pop() else { return };
                out(Token::Close);
                if sibling != NONE {
                    out(Token::Open);
                    waiting.push(self.next[sibling as usize]);
                    (at, first) = (sibling, true);
                    break;
                }
            }
        }
    }
}

/// A piece of the text of threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    Open,
    Close,
    Space,
    Number(u32),
}

/// The keys are hashes already.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, octets: &[u8]) {
        octets.iter().for_each(|octet| self.0 = self.0.rotate_left(8) ^ u64::from(*octet));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

type Map<T> = HashMap<u64, T, BuildHasherDefault<AsItIs>>;
