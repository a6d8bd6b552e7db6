//! Messages in threads (RFC 5256 3): ORDEREDSUBJECT and REFERENCES.
//!
//! Nothing here recurses: a thread is as deep as its messages are many, and whoever writes them decides how deep.

mod forest;
mod references;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::order::Keys;
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

/// A node that hangs nowhere yet, or below another.
#[derive(Clone, Copy, Debug)]
struct Node {
    parent: u32,
    /// The time it is sorted by and, among equals, the place in the mailbox.
    rank: (i64, u32),
    /// It is in no thread.
    deleted: bool,
}

/// Threads of the messages in `keys`; `sent_s` says when each was sent.
pub fn threads(algorithm: Algorithm, keys: &Keys, sent_s: &[i64]) -> Threads {
    let mut nodes: Vec<Node> = (0..)
        .zip(sent_s)
        .map(|(place, sent_s)| Node { parent: NONE, rank: (*sent_s, place), deleted: false })
        .collect();
    match algorithm {
        Algorithm::OrderedSubject => ordered_subject(keys, &mut nodes),
        Algorithm::References => references(keys, &mut nodes),
    }
    Threads::of(sent_s.len() as u32, &nodes)
}

/// The first message of each subject has the others below it, side by side.
fn ordered_subject(keys: &Keys, nodes: &mut [Node]) {
    let mut order: Vec<(i64, u32)> = nodes.iter().map(|node| node.rank).collect();
    order.sort_unstable();
    let mut roots: Map<u32> = Map::default();
    for (_, place) in order {
        let root = *roots.entry(subject_of(keys, place)).or_insert(place);
        if root != place {
            nodes[place as usize].parent = root;
        }
    }
}

/// 0 for an empty subject.
fn subject_of(keys: &Keys, place: u32) -> u64 {
    keys.ids_of(place as usize).first().copied().unwrap_or(0)
}

impl Threads {
    /// Hangs each node below its parent, siblings by their rank.
    fn of(messages: u32, nodes: &[Node]) -> Threads {
        let mut order: Vec<((i64, u32), u32)> =
            (0..).zip(nodes).filter(|(_, node)| !node.deleted).map(|(at, node)| (node.rank, at)).collect();
        order.sort_unstable();
        let mut threads =
            Threads { messages, first_root: NONE, first_child: vec![NONE; nodes.len()], next: vec![NONE; nodes.len()] };
        // From the last on, each in front of those behind it.
        for (_, at) in order.into_iter().rev() {
            let first = match nodes[at as usize].parent {
                NONE => &mut threads.first_root,
                parent => &mut threads.first_child[parent as usize],
            };
            threads.next[at as usize] = std::mem::replace(first, at);
        }
        threads
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
