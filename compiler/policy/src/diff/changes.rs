//! Facts that differ between two plan texts: the trees are walked together.

use plan::Window;

use super::members;
use crate::table::step::{Step, named_items, through, window, windows};
use crate::verify::node::{Kind, Node};

/// Longer lists of windows are compared as a whole: no policy has them.
const WINDOWS_MAX: usize = 32;

/// One step down the tree itself, for putting a value of one plan into the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hop<'t> {
    Field(&'t str),
    Key(&'t str),
    /// The one value of a tuple.
    Part,
    /// An item of a list: its place in the old and in the new one.
    Item(usize, usize),
}

/// What happened to a fact.
#[derive(Clone, Debug)]
pub(super) enum What<'n, 't> {
    Changed(&'n Node<'t>, &'n Node<'t>),
    Added(&'n Node<'t>),
    Removed(&'n Node<'t>),
    /// An entry under another name and otherwise the same.
    Renamed(&'t str, &'t str),
    /// Members of a list came and went; with the whole of both, whose order may differ.
    Members {
        added: Vec<&'n Node<'t>>,
        removed: Vec<&'n Node<'t>>,
        old: &'n Node<'t>,
        new: &'n Node<'t>,
    },
    /// A window in place of another; `None` where it is new or gone. With both whole lists.
    Window {
        old: Option<Window>,
        new: Option<Window>,
        lists: (Vec<Window>, Vec<Window>),
    },
    /// What is counted: attempts or what is accepted.
    Counted {
        old: (&'t str, &'n Node<'t>),
        new: (&'t str, &'n Node<'t>),
    },
    /// Whole lists of windows where one side has none: `Unlimited`.
    Windows {
        old: &'n Node<'t>,
        new: &'n Node<'t>,
        lists: (Vec<Window>, Vec<Window>),
    },
}

/// A difference and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Raw<'n, 't> {
    pub at: Vec<Step<'t>>,
    pub hops: Vec<Hop<'t>>,
    pub what: What<'n, 't>,
}

/// Every difference, in the order of the new text; what is gone stands where it was.
pub(super) fn between<'n, 't>(old: &'n Node<'t>, new: &'n Node<'t>) -> Vec<Raw<'n, 't>> {
    let mut walk = Walk { at: Vec::new(), hops: Vec::new(), found: Vec::new() };
    walk.compare(old, new);
    walk.found
}

struct Walk<'n, 't> {
    at: Vec<Step<'t>>,
    hops: Vec<Hop<'t>>,
    found: Vec<Raw<'n, 't>>,
}

impl<'n, 't> Walk<'n, 't> {
    fn push(&mut self, what: What<'n, 't>) {
        self.found.push(Raw { at: self.at.clone(), hops: self.hops.clone(), what });
    }

    /// Does `inside` one step further down.
    fn under(&mut self, step: Step<'t>, hop: Hop<'t>, inside: impl FnOnce(&mut Self)) {
        self.at.push(step);
        self.hops.push(hop);
        inside(self);
        self.at.pop();
        self.hops.pop();
    }

    fn compare(&mut self, old: &'n Node<'t>, new: &'n Node<'t>) {
        if old == new {
            return;
        }
        if is_windows(old) && is_windows(new) {
            return self.windows(old, new);
        }
        match (&old.kind, &new.kind) {
            (Kind::Tuple(a, was), Kind::Tuple(b, now)) if a == b => match (was.as_slice(), now.as_slice()) {
                ([was], [now]) if !is_leaf(was) => self.inside(old, was, now),
                _ => self.push(What::Changed(old, new)),
            },
            (Kind::Map(was), Kind::Map(now)) => self.entries(was, now),
            (Kind::Fields(a, was), Kind::Fields(b, now)) if a == b && !is_one_value(was) && window(old).is_none() => {
                self.fields(was, now);
            }
            (Kind::List(was), Kind::List(now)) => self.lists((old, was), (new, now)),
            _ => self.push(What::Changed(old, new)),
        }
    }

    /// `Some(x)`, `EachAccount(x)`, `In(x)`: what is in both.
    fn inside(&mut self, old: &Node<'t>, was: &'n Node<'t>, now: &'n Node<'t>) {
        let depth = self.at.len();
        through(old, &mut self.at);
        self.at.truncate(depth + usize::from(matches!(old.kind, Kind::Tuple("EachAccount" | "EachClientAddress", _))));
        self.hops.push(Hop::Part);
        self.compare(was, now);
        self.hops.pop();
        self.at.truncate(depth);
    }

    fn entries(&mut self, was: &'n [(Node<'t>, Node<'t>)], now: &'n [(Node<'t>, Node<'t>)]) {
        let (gone, came) = (members::missing(was, now), members::missing(now, was));
        let renamed = members::renamed(&gone, &came);
        for (from, to) in &renamed {
            self.under(Step::Key(to), Hop::Key(to), |walk| walk.push(What::Renamed(from, to)));
        }
        for (name, value) in gone.iter().filter(|(name, _)| !renamed.iter().any(|(from, _)| from == name)) {
            self.under(Step::Key(name), Hop::Key(name), |walk| walk.push(What::Removed(value)));
        }
        let before = members::by_key(was);
        for (key, value) in now {
            let Some(name) = key.leaf() else { continue };
            match before.get(name) {
                Some(old) => self.under(Step::Key(name), Hop::Key(name), |walk| walk.compare(old, value)),
                None if renamed.iter().any(|(_, to)| *to == name) => {}
                None => self.under(Step::Key(name), Hop::Key(name), |walk| walk.push(What::Added(value))),
            }
        }
    }

    fn fields(&mut self, was: &'n [(&'t str, Node<'t>)], now: &'n [(&'t str, Node<'t>)]) {
        let mut done: Vec<&str> = Vec::new();
        for event in ["messages", "recipients"] {
            if let Some((old, new)) = members::counted_otherwise(was, now, event) {
                self.push(What::Counted { old, new });
                done.extend([old.0, new.0]);
            }
        }
        for (name, old) in was.iter().filter(|(name, _)| !now.iter().any(|(other, _)| other == name)) {
            self.under(Step::Field(name), Hop::Field(name), |walk| walk.push(What::Removed(old)));
        }
        for (name, new) in now.iter().filter(|(name, _)| !done.contains(name)) {
            match was.iter().find(|(other, _)| other == name) {
                Some((_, old)) => self.under(Step::Field(name), Hop::Field(name), |walk| walk.compare(old, new)),
                None => self.under(Step::Field(name), Hop::Field(name), |walk| walk.push(What::Added(new))),
            }
        }
    }

    fn lists(&mut self, (old, was): (&'n Node<'t>, &'n [Node<'t>]), (new, now): (&'n Node<'t>, &'n [Node<'t>])) {
        if was.iter().chain(now).all(is_leaf) {
            let (added, removed) = members::moved(was, now);
            return self.push(What::Members { added, removed, old, new });
        }
        let (was, now) = (named_items(was), named_items(now));
        let before = members::by_step(&was);
        let after = members::by_step(&now);
        for (step, value) in was.iter().filter(|(step, _)| !after.contains_key(step.name())) {
            self.under(step.clone(), hop(step, step), |walk| walk.push(What::Removed(value)));
        }
        let mut order = 0;
        for (step, value) in &now {
            match before.get(step.name()) {
                Some((place, old)) => {
                    let moved = *place < order;
                    order = order.max(*place);
                    self.under(step.clone(), Hop::Item(*place, index(step)), |walk| {
                        walk.compare(old, value);
                        if moved && *old == *value {
                            walk.push(What::Changed(old, value));
                        }
                    });
                }
                None => self.under(step.clone(), hop(step, step), |walk| walk.push(What::Added(value))),
            }
        }
    }

    fn windows(&mut self, old: &'n Node<'t>, new: &'n Node<'t>) {
        let (was, now) = (windows(old), windows(new));
        if [&was, &now].into_iter().flatten().any(|list| list.len() > WINDOWS_MAX) {
            return self.push(What::Changed(old, new));
        }
        let lists = (was.clone().unwrap_or_default(), now.clone().unwrap_or_default());
        let (Some(was), Some(now)) = (was, now) else {
            return self.push(What::Windows { old, new, lists });
        };
        for (old, new) in members::window_pairs(&was, &now) {
            let known = new.or(old).map(|window| Step::Window(window.width_name()));
            let place = |list: &[Window], one: Option<Window>| {
                one.and_then(|one| list.iter().position(|window| *window == one)).unwrap_or_default()
            };
            let hop = Hop::Item(place(&was, old), place(&now, new));
            let Some(step) = known else { continue };
            self.under(step, hop, |walk| walk.push(What::Window { old, new, lists: lists.clone() }));
        }
    }
}

fn index(step: &Step<'_>) -> usize {
    match step {
        Step::Item(_, index) => *index,
        Step::Field(_) | Step::Key(_) | Step::Kept(_) | Step::Window(_) => 0,
    }
}

fn hop<'t>(old: &Step<'t>, new: &Step<'t>) -> Hop<'t> {
    Hop::Item(index(old), index(new))
}

fn is_windows(node: &Node<'_>) -> bool {
    windows(node).is_some() || matches!(node.kind, Kind::Word("Unlimited" | "NotCounted"))
}

fn is_leaf(node: &Node<'_>) -> bool {
    matches!(node.kind, Kind::Word(_) | Kind::Text(_))
}

/// `For(s: 5)` is one value.
fn is_one_value(fields: &[(&str, Node<'_>)]) -> bool {
    matches!(fields, [(_, value)] if is_leaf(value))
}
