//! THREAD=REFERENCES (RFC 5256 3), its six steps by their numbers there.

use std::collections::hash_map::Entry;

use super::forest::Forest;
use super::{Map, NONE, dummy, subject_of};
use crate::order::Keys;

/// The parent of each message, and of nodes behind them for threads whose first message is not there. `order` is that of the
/// messages by time.
pub(super) fn references(keys: &Keys, order: &[u32]) -> Vec<u32> {
    let mut parents = Containers::link(keys, order.len()).prune();
    gather_subjects(keys, order, &mut parents);
    parents
}

/// A container for each message and for each identifier that is only referred to.
struct Containers {
    forest: Forest,
    /// The message in each, `NONE` in a dummy.
    message: Vec<u32>,
    /// The container of each message.
    of: Vec<u32>,
}

/// What identifiers lead to, before anything is linked.
struct Numbers {
    known: Map<u32>,
    message: Vec<u32>,
    of: Vec<u32>,
    /// The containers of all references, message by message.
    references: Vec<u32>,
    /// Where those of each message end.
    ends: Vec<u32>,
}

impl Numbers {
    /// Most of the time of a large mailbox goes by here, for identifiers lie anywhere in memory: so nothing else is done meanwhile.
    fn of(keys: &Keys, messages: usize) -> Numbers {
        let known = Map::with_capacity_and_hasher(messages * 2, Default::default());
        let room = || Vec::with_capacity(messages * 2);
        let mut numbers = Numbers { known, message: room(), of: room(), references: room(), ends: room() };
        for message in 0..messages {
            let (id, references) = match keys.ids_of(message) {
                [_, id, references @ ..] => (*id, references),
                _ => (0, &[][..]),
            };
            let own = numbers.own(id, message as u32);
            numbers.of.push(own);
            for id in references {
                let message = &mut numbers.message;
                let container = *numbers.known.entry(*id).or_insert_with(|| add(message, NONE));
                numbers.references.push(container);
            }
            numbers.ends.push(numbers.references.len() as u32);
        }
        numbers
    }

    /// The container of a message. Without an identifier, or with one that a message before it has, it is nobody's reference.
    fn own(&mut self, id: u64, message: u32) -> u32 {
        if id == 0 {
            return add(&mut self.message, message);
        }
        match self.known.entry(id) {
            Entry::Vacant(place) => *place.insert(add(&mut self.message, message)),
            Entry::Occupied(place) => {
                let waiting = &mut self.message[*place.get() as usize];
                if *waiting != NONE {
                    return add(&mut self.message, message);
                }
                *waiting = message;
                *place.get()
            }
        }
    }
}

/// A container more; its number.
fn add(containers: &mut Vec<u32>, message: u32) -> u32 {
    containers.push(message);
    containers.len() as u32 - 1
}

impl Containers {
    /// Step 1.
    fn link(keys: &Keys, messages: usize) -> Containers {
        let Numbers { message, of, references, ends, .. } = Numbers::of(keys, messages);
        let mut forest = Forest::of(message.len());
        let mut start = 0;
        for (own, end) in of.iter().zip(ends) {
            // A: in the order of References each is above the next, unless that has somebody above it.
            let mut above = NONE;
            for container in &references[start..end as usize] {
                if above != NONE && forest.parent(*container) == NONE {
                    forest.link(above, *container);
                }
                above = *container;
            }
            // B: the last one is above the message, whatever somebody's shorter References said before.
            if forest.parent(*own) != above {
                forest.cut(*own);
                if above != NONE {
                    forest.link(above, *own);
                }
            }
            start = end as usize;
        }
        Containers { forest, message, of }
    }

    /// Steps 2 and 3: dummies go, and what is below them comes to where they were; one that is the first of a thread stays
    /// where it holds several together.
    fn prune(&self) -> Vec<u32> {
        let mut parents = vec![NONE; self.of.len()];
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
        // Of each dummy the first message below it.
        let mut first_below = vec![NONE; self.forest.len()];
        for (message, own) in self.of.iter().enumerate() {
            let parent = self.forest.parent(*own);
            if parent == NONE {
                continue;
            }
            let nearest = nearest_of(parent);
            parents[message] = match (self.message[nearest as usize], first_below[nearest as usize]) {
                (NONE, NONE) => {
                    first_below[nearest as usize] = message as u32;
                    NONE
                }
                // The second one makes the dummy, for both.
                (NONE, first) if parents[first as usize] == NONE => {
                    let dummy = add(&mut parents, NONE);
                    parents[first as usize] = dummy;
                    dummy
                }
                (NONE, first) => parents[first as usize],
                (above, _) => above,
            };
        }
        parents
    }
}

/// Steps 4 and 5: threads with the same base subject become one.
fn gather_subjects(keys: &Keys, order: &[u32], parents: &mut Vec<u32>) {
    let messages = order.len() as u32;
    let roots = roots(keys, order, parents);
    let is_dummy = |root: u32| root >= messages;
    let is_reply = |root: u32| !is_dummy(root) && keys.is_reply(root as usize);
    let mut table: Map<u32> = Map::default();
    for (subject, root) in roots.iter().filter(|(subject, _)| *subject != 0) {
        let chosen = table.entry(*subject).or_insert(*root);
        if !is_dummy(*chosen) && (is_dummy(*root) || (is_reply(*chosen) && !is_reply(*root))) {
            *chosen = *root;
        }
    }
    // Children of dummies that go, to be hung below those that stay.
    let mut moved: Vec<u32> = vec![NONE; parents.len() - order.len()];
    for (subject, root) in roots {
        let Some(chosen) = table.get_mut(&subject).filter(|chosen| **chosen != root) else { continue };
        if let Some(going) = dummy(root, messages) {
            // Only a dummy was chosen before a dummy.
            moved[going] = *chosen;
        } else if is_dummy(*chosen) || (is_reply(root) && !is_reply(*chosen)) {
            parents[root as usize] = *chosen;
        } else {
            let dummy = add(parents, NONE);
            parents[*chosen as usize] = dummy;
            parents[root as usize] = dummy;
            *chosen = dummy;
        }
    }
    for parent in parents.iter_mut().take(order.len()) {
        let target = dummy(*parent, messages).and_then(|dummy| moved.get(dummy));
        if let Some(target) = target.filter(|target| **target != NONE) {
            *parent = *target;
        }
    }
}

/// The first node of each thread with the subject of its first message, by time. Dummies are on top only.
fn roots(keys: &Keys, order: &[u32], parents: &[u32]) -> Vec<(u64, u32)> {
    let messages = order.len() as u32;
    let mut seen = vec![false; parents.len() - order.len()];
    let mut root_at = |message: u32| match (parents[message as usize], dummy(parents[message as usize], messages)) {
        (NONE, _) => Some(message),
        (parent, Some(dummy)) if !std::mem::replace(&mut seen[dummy], true) => Some(parent),
        _ => None,
    };
    order.iter().filter_map(|message| root_at(*message).map(|root| (subject_of(keys, *message), root))).collect()
}
