//! THREAD=REFERENCES (RFC 5256 3), its six steps by their numbers there.

use std::collections::hash_map::Entry;

use super::forest::Forest;
use super::{Map, NONE, Node, subject_of};
use crate::order::Keys;

/// Gives each node its parent, and adds nodes for threads whose first message is not there.
pub(super) fn references(keys: &Keys, nodes: &mut Vec<Node>) {
    let containers = Containers::link(keys, nodes.len());
    containers.prune(nodes);
    gather_subjects(keys, nodes);
    rank_dummies(keys.len(), nodes);
}

/// A container for each message and for each identifier that is only referred to.
struct Containers {
    forest: Forest,
    /// The message in each, `NONE` in a dummy.
    message: Vec<u32>,
    /// The container of each message.
    of: Vec<u32>,
}

impl Containers {
    /// Step 1.
    fn link(keys: &Keys, messages: usize) -> Containers {
        let mut known: Map<u32> = Map::with_capacity_and_hasher(messages * 2, Default::default());
        let mut containers = Containers {
            forest: Forest::with_capacity(messages * 2),
            message: Vec::with_capacity(messages * 2),
            of: Vec::with_capacity(messages),
        };
        for message in 0..messages {
            let [_, id, references @ ..] = keys.ids_of(message) else {
                let alone = containers.add(message as u32);
                containers.of.push(alone);
                continue;
            };
            let own = containers.own(*id, message as u32, &mut known);
            containers.of.push(own);
            // A: in the order of References each is above the next, unless that has somebody above it.
            let mut above = NONE;
            for id in references {
                let container = *known.entry(*id).or_insert_with(|| containers.add(NONE));
                if above != NONE && containers.forest.parent(container) == NONE {
                    containers.forest.link(above, container);
                }
                above = container;
            }
            // B: the last one is above the message, whatever somebody's shorter References said before.
            if containers.forest.parent(own) != above {
                containers.forest.cut(own);
                if above != NONE {
                    containers.forest.link(above, own);
                }
            }
        }
        containers
    }

    fn add(&mut self, message: u32) -> u32 {
        self.message.push(message);
        self.forest.add()
    }

    /// The container of a message. Without an identifier, or with one that a message before it has, it is nobody's reference.
    fn own(&mut self, id: u64, message: u32, known: &mut Map<u32>) -> u32 {
        if id == 0 {
            return self.add(message);
        }
        match known.entry(id) {
            Entry::Vacant(place) => *place.insert(self.add(message)),
            Entry::Occupied(place) => {
                let waiting = &mut self.message[*place.get() as usize];
                if *waiting != NONE {
                    return self.add(message);
                }
                *waiting = message;
                *place.get()
            }
        }
    }

    /// Steps 2 and 3: dummies go, and what is below them comes to where they were; one that is the first of a thread stays
    /// where it holds several together.
    fn prune(&self, nodes: &mut Vec<Node>) {
        // For each container the nearest one with a message, itself included, or else the first of its thread.
        let mut nearest = vec![NONE; self.forest.len()];
        let mut way = Vec::new();
        let mut nearest_of = |container: u32| {
            let mut at = container;
            while nearest[at as usize] == NONE {
                way.push(at);
                if self.message[at as usize] != NONE || self.forest.parent(at) == NONE {
                    nearest[at as usize] = at;
                    break;
                }
                at = self.forest.parent(at);
            }
            let found = nearest[at as usize];
            way.drain(..).for_each(|passed| nearest[passed as usize] = found);
            found
        };
        let mut dummies: Map<(u32, u32)> = Map::default();
        for (message, own) in self.of.iter().enumerate() {
            let parent = self.forest.parent(*own);
            if parent == NONE {
                continue;
            }
            let nearest = nearest_of(parent);
            match self.message[nearest as usize] {
                NONE => {
                    let (first, count) = dummies.entry(u64::from(nearest)).or_insert((message as u32, 0));
                    *count += 1;
                    match *count {
                        1 => {}
                        // The second one makes the dummy, for both.
                        2 => {
                            let dummy = add_dummy(nodes);
                            nodes[*first as usize].parent = dummy;
                            nodes[message].parent = dummy;
                        }
                        _ => nodes[message].parent = nodes[*first as usize].parent,
                    }
                }
                above => nodes[message].parent = above,
            }
        }
    }
}

fn add_dummy(nodes: &mut Vec<Node>) -> u32 {
    nodes.push(Node { parent: NONE, rank: (0, 0), deleted: false });
    nodes.len() as u32 - 1
}

/// A dummy counts as its first child (steps 4 and 6). Dummies are on top only.
fn rank_dummies(messages: usize, nodes: &mut [Node]) {
    let (messages, dummies) = nodes.split_at_mut(messages);
    dummies.iter_mut().for_each(|dummy| dummy.rank = (i64::MAX, NONE));
    for message in messages.iter().filter(|message| message.parent as usize >= messages.len()) {
        if let Some(dummy) = dummies.get_mut((message.parent as usize).wrapping_sub(messages.len())) {
            dummy.rank = dummy.rank.min(message.rank);
        }
    }
}

/// Steps 4 and 5: threads with the same base subject become one.
fn gather_subjects(keys: &Keys, nodes: &mut Vec<Node>) {
    let messages = keys.len() as u32;
    rank_dummies(keys.len(), nodes);
    let mut roots: Vec<((i64, u32), u32)> =
        (0..).zip(nodes.iter()).filter(|(_, node)| node.parent == NONE).map(|(at, node)| (node.rank, at)).collect();
    roots.sort_unstable();
    // The second half of the rank is the message that gives the thread its subject.
    let subjects = || roots.iter().map(|((_, first), root)| (subject_of(keys, *first), *root));
    let is_dummy = |root: u32| root >= messages;
    let is_reply = |root: u32| !is_dummy(root) && keys.is_reply(root as usize);
    let mut table: Map<u32> = Map::default();
    for (subject, root) in subjects().filter(|(subject, _)| *subject != 0) {
        let chosen = table.entry(subject).or_insert(root);
        if !is_dummy(*chosen) && (is_dummy(root) || (is_reply(*chosen) && !is_reply(root))) {
            *chosen = root;
        }
    }
    // Children of dummies that go, to be hung below those that stay.
    let mut moved: Vec<u32> = vec![NONE; nodes.len() - messages as usize];
    for (subject, root) in subjects() {
        let Some(chosen) = table.get_mut(&subject).filter(|chosen| **chosen != root) else { continue };
        if is_dummy(root) {
            // Only a dummy was chosen before a dummy.
            moved[(root - messages) as usize] = *chosen;
            nodes[root as usize].deleted = true;
        } else if is_dummy(*chosen) || (is_reply(root) && !is_reply(*chosen)) {
            nodes[root as usize].parent = *chosen;
        } else {
            let dummy = add_dummy(nodes);
            nodes[*chosen as usize].parent = dummy;
            nodes[root as usize].parent = dummy;
            *chosen = dummy;
        }
    }
    for node in nodes.iter_mut().take(messages as usize) {
        let target = (node.parent as usize).checked_sub(messages as usize).and_then(|dummy| moved.get(dummy));
        if let Some(target) = target.filter(|target| **target != NONE) {
            node.parent = *target;
        }
    }
}
