//! Which container is above which, while links come and go: is one above another already?
//!
//! Threads of people are a few links deep, and walking up them is the quickest answer. Somebody may write messages that make
//! each question walk through all of them; after too many steps the links are kept as link-cut trees (Sleator and Tarjan 1983),
//! where each question costs the logarithm of their number.

use super::NONE;

/// Steps that may be walked: some for each container, whatever came before.
const STEPS_EACH: usize = 32;

#[derive(Debug)]
pub(super) struct Forest {
    parent: Vec<u32>,
    /// How many have this parent.
    children: Vec<u32>,
    steps: usize,
    trees: Option<LinkCut>,
}

impl Forest {
    /// Each container alone.
    pub(super) fn of(containers: usize) -> Forest {
        Forest { parent: vec![NONE; containers], children: vec![0; containers], steps: 0, trees: None }
    }

    pub(super) fn len(&self) -> usize {
        self.parent.len()
    }

    pub(super) fn parent(&self, container: u32) -> u32 {
        self.parent[container as usize]
    }

    /// Puts `child`, which has no parent, below `parent`, unless that makes a loop.
    pub(super) fn link(&mut self, parent: u32, child: u32) {
        // Nothing is below a container without children.
        let makes_loop = parent == child || (self.children[child as usize] > 0 && self.root(parent) == child);
        if !makes_loop {
            self.parent[child as usize] = parent;
            self.children[parent as usize] += 1;
            if let Some(trees) = &mut self.trees {
                trees.link(parent, child);
            }
        }
    }

    pub(super) fn cut(&mut self, child: u32) {
        let parent = std::mem::replace(&mut self.parent[child as usize], NONE);
        if parent != NONE {
            self.children[parent as usize] -= 1;
            if let Some(trees) = &mut self.trees {
                trees.cut(child);
            }
        }
    }

    fn root(&mut self, container: u32) -> u32 {
        if let Some(trees) = &mut self.trees {
            return trees.root(container);
        }
        let mut at = container;
        while self.parent[at as usize] != NONE {
            at = self.parent[at as usize];
            self.steps += 1;
        }
        if self.steps > STEPS_EACH * self.parent.len() {
            self.trees = Some(LinkCut::of(&self.parent));
        }
        at
    }
}

/// Each path of a tree is a splay tree of its containers, the upper ones to the left.
#[derive(Debug)]
struct LinkCut {
    /// The parent in the splay tree; for its root the container above the path.
    up: Vec<u32>,
    sides: Vec<[u32; 2]>,
}

impl LinkCut {
    /// At first each container is a path of its own.
    fn of(parent: &[u32]) -> LinkCut {
        LinkCut { up: parent.to_vec(), sides: vec![[NONE; 2]; parent.len()] }
    }

    fn link(&mut self, parent: u32, child: u32) {
        self.access(child);
        self.up[child as usize] = parent;
    }

    fn cut(&mut self, child: u32) {
        self.access(child);
        let above = std::mem::replace(&mut self.sides[child as usize][0], NONE);
        if above != NONE {
            self.up[above as usize] = NONE;
        }
    }

    fn root(&mut self, container: u32) -> u32 {
        self.access(container);
        let mut at = container;
        while self.sides[at as usize][0] != NONE {
            at = self.sides[at as usize][0];
        }
        // What was walked is paid for by bringing it up.
        self.splay(at);
        at
    }

    /// Makes the way from the root of the tree to the container one path, and the container its splay root.
    fn access(&mut self, container: u32) {
        let (mut at, mut below) = (container, NONE);
        while at != NONE {
            self.splay(at);
            self.sides[at as usize][1] = below;
            below = at;
            at = self.up[at as usize];
        }
        self.splay(container);
    }

    /// On which side of its splay parent it hangs; `None` for a splay root.
    fn side(&self, node: u32) -> Option<usize> {
        let up = self.up[node as usize];
        if up == NONE { None } else { self.sides[up as usize].iter().position(|side| *side == node) }
    }

    fn splay(&mut self, node: u32) {
        while let Some(side) = self.side(node) {
            let up = self.up[node as usize];
            match self.side(up) {
                Some(upper) if upper == side => self.rotate(up, side),
                Some(_) => self.rotate(node, side),
                None => {}
            }
            if let Some(side) = self.side(node) {
                self.rotate(node, side);
            }
        }
    }

    /// Brings a node that hangs on this side of its parent above it.
    fn rotate(&mut self, node: u32, side: usize) {
        let parent = self.up[node as usize];
        let (above, parents_side) = (self.up[parent as usize], self.side(parent));
        let moved = std::mem::replace(&mut self.sides[node as usize][1 - side], parent);
        self.sides[parent as usize][side] = moved;
        if moved != NONE {
            self.up[moved as usize] = parent;
        }
        if let Some(upper) = parents_side {
            self.sides[above as usize][upper] = node;
        }
        (self.up[parent as usize], self.up[node as usize]) = (node, above);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive_root(parent: &[u32], mut at: u32) -> u32 {
        while parent[at as usize] != NONE {
            at = parent[at as usize];
        }
        at
    }

    proptest! {
        #[test]
        fn link_cut_trees_know_the_roots(
            begin in 0_usize..300,
            steps in proptest::collection::vec((0_u32..30, 0_u32..30, any::<bool>()), 0..300),
        ) {
            let (mut parent, mut trees) = (vec![NONE; 30], None);
            for (number, (one, other, links)) in steps.into_iter().enumerate() {
                if number == begin {
                    trees = Some(LinkCut::of(&parent));
                }
                let has_parent = parent[one as usize] != NONE;
                if has_parent && !links {
                    parent[one as usize] = NONE;
                    trees.iter_mut().for_each(|trees| trees.cut(one));
                } else if !has_parent && links && naive_root(&parent, other) != one {
                    parent[one as usize] = other;
                    trees.iter_mut().for_each(|trees| trees.link(other, one));
                }
                if let Some(trees) = &mut trees {
                    for container in 0..30 {
                        prop_assert_eq!(trees.root(container), naive_root(&parent, container));
                    }
                }
            }
        }
    }

    #[test]
    fn a_deep_chain_asked_again_and_again_costs_little() {
        let containers = 200_000;
        let mut forest = Forest::of(containers as usize);
        // Backwards, so that each child has children.
        (1..containers).rev().for_each(|child| forest.link(child - 1, child));
        // Walking would take 20,000,000,000 steps.
        for _ in 0..100_000 {
            forest.link(containers - 1, 0);
        }
        assert_eq!(forest.parent(0), NONE);
        assert!(forest.trees.is_some());
    }
}
