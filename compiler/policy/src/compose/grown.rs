//! A tree that grows: members found by name, added and taken out. Names are looked up in an index that is made for a
//! bracket when it is first asked for, so ten thousand edits of one map cost ten thousand look-ups.

use std::collections::{BTreeMap, BTreeSet};

use crate::syntax::{Entry, Field, Group, GroupBody, Kind, Name, Node, Span};

/// Where a node is: the positions of members from the root on.
pub(super) type At = Vec<u32>;

pub(super) struct Grown {
    pub root: Node,
    index: BTreeMap<At, BTreeMap<Box<str>, u32>>,
    /// Members that [`Grown::sweep`] takes out.
    removed: BTreeSet<At>,
}

/// How far a path leads.
pub(super) struct Reached<'p> {
    pub at: At,
    /// What of the path names nothing: empty when the whole path was followed.
    pub rest: &'p str,
}

impl Grown {
    pub fn new(root: Node) -> Grown {
        Grown { root, index: BTreeMap::new(), removed: BTreeSet::new() }
    }

    /// The node at a place this tree gave out.
    pub fn get(&self, at: &[u32]) -> Option<&Node> {
        at.iter().try_fold(&self.root, |node, position| member(node, *position as usize))
    }

    fn get_mut(&mut self, at: &[u32]) -> Option<&mut Node> {
        at.iter().try_fold(&mut self.root, |node, position| member_mut(node, *position as usize))
    }

    /// The key or name of a member, and its place.
    pub fn name_place(&self, at: &[u32]) -> Option<Span> {
        let (last, parent) = at.split_last()?;
        let position = *last as usize;
        match &self.get(parent)?.kind {
            Kind::Map(entries) => entries.get(position).map(|entry| entry.key.span()),
            Kind::Group(group) => match &group.body {
                GroupBody::Fields(fields) => fields.get(position).map(|field| field.name.span()),
                GroupBody::Items(items) => items.get(position).map(Node::span),
                GroupBody::Absent | GroupBody::Empty => None,
            },
            Kind::List(items) => items.get(position).map(Node::span),
            Kind::Broken | Kind::Bool(_) | Kind::Integer(_) | Kind::OddNumber | Kind::Char(_) | Kind::Text(_) => None,
        }
    }

    /// The position of the member of that name: a field, an entry, or an item of a list that is that text or word.
    pub fn position(&mut self, at: &[u32], name: &str) -> Option<u32> {
        if !self.index.contains_key(at) {
            let mut positions = BTreeMap::new();
            for (position, name) in names(self.get(at)?).enumerate() {
                let (Some(name), Ok(position)) = (name, u32::try_from(position)) else { continue };
                positions.entry(name.into()).or_insert(position);
            }
            self.index.insert(at.to_vec(), positions);
        }
        let position = self.index.get(at)?.get(name).copied()?;
        let mut member = at.to_vec();
        member.push(position);
        (!self.removed.contains(&member)).then_some(position)
    }

    /// Follows a dotted path. A key that holds dots is taken whole: of several that fit the longest wins. Items of lists
    /// go by position, and `by_text` by what they say as well. The brackets of a word add nothing to a path.
    pub fn follow<'p>(&mut self, from: At, path: &'p str, by_text: bool) -> Reached<'p> {
        let (mut at, mut rest) = (from, path);
        while !rest.is_empty() {
            let inside = self.inside(&at);
            let Some((position, after)) = self.step(&inside, rest, by_text) else { break };
            at = inside;
            at.push(position);
            rest = after;
        }
        Reached { at, rest }
    }

    /// Past the brackets of a word that hold one value: of `In([…])` the list.
    pub fn inside(&self, at: &[u32]) -> At {
        let mut at = at.to_vec();
        while let Some(Kind::Group(group)) = self.get(&at).map(|node| &node.kind) {
            match &group.body {
                GroupBody::Items(items) if group.name.is_some() && items.len() == 1 => at.push(0),
                _ => break,
            }
        }
        at
    }

    fn step<'p>(&mut self, at: &[u32], rest: &'p str, by_text: bool) -> Option<(u32, &'p str)> {
        if let Some(index) = rest.strip_prefix('[') {
            let (digits, after) = index.split_once(']')?;
            let position: u32 = digits.parse().ok().filter(|_| digits.bytes().all(|b| b.is_ascii_digit()))?;
            let mut member = at.to_vec();
            member.push(position);
            let there = is_list(self.get(at)?) && self.get(&member).is_some() && !self.removed.contains(&member);
            return there.then_some((position, after));
        }
        if is_list(self.get(at)?) && !by_text {
            return None;
        }
        let names = rest.strip_prefix('.')?;
        let ends = names.match_indices(['.', '[']).map(|(end, _)| end).filter(|end| *end > 0);
        let mut ends: Vec<usize> = ends.collect();
        ends.push(names.len());
        let longest = ends.into_iter().rev().find_map(|end| Some((self.position(at, &names[..end])?, end)));
        longest.map(|(position, end)| (position, &names[end..]))
    }

    /// Puts another value in the place of one.
    pub fn replace(&mut self, at: &[u32], value: Node) {
        let below: Vec<At> = self
            .index
            .range(at.to_vec()..)
            .map(|(key, _)| key)
            .take_while(|key| key.starts_with(at))
            .cloned()
            .collect();
        for key in &below {
            self.index.remove(key);
        }
        if let Some(node) = self.get_mut(at) {
            *node = value;
        }
    }

    /// Adds a field to a `( … )`; false if that is something else.
    pub fn push_field(&mut self, at: &[u32], name: Name, value: Node) -> bool {
        let text = name.text.clone();
        let Some(Kind::Group(group)) = self.get_mut(at).map(|node| &mut node.kind) else { return false };
        let position = match &mut group.body {
            GroupBody::Fields(fields) => {
                fields.push(Field { name, value });
                fields.len()
            }
            body @ GroupBody::Empty => {
                *body = GroupBody::Fields(vec![Field { name, value }]);
                1
            }
            GroupBody::Absent | GroupBody::Items(_) => return false,
        };
        self.note(at, &text, position);
        true
    }

    /// Adds an entry to a `{ … }`; false if that is something else.
    pub fn push_entry(&mut self, at: &[u32], entry: Entry) -> bool {
        let name = key_name(&entry.key).map(Box::<str>::from);
        let Some(Kind::Map(entries)) = self.get_mut(at).map(|node| &mut node.kind) else { return false };
        entries.push(entry);
        let position = entries.len();
        if let Some(name) = name {
            self.note(at, &name, position);
        }
        true
    }

    /// Adds items at the end of a list; false if that is something else.
    pub fn extend(&mut self, at: &[u32], more: Vec<Node>) -> bool {
        let Some(Kind::List(items)) = self.get_mut(at).map(|node| &mut node.kind) else { return false };
        items.extend(more);
        self.index.remove(at);
        true
    }

    /// Brackets that lost something when they were read stay so when another file adds to them.
    pub fn damage(&mut self, at: &[u32], damaged: bool) {
        if let Some(node) = self.get_mut(at) {
            node.damaged |= damaged;
        }
    }

    /// Marks a member of a map or list; false if what holds it is something else.
    pub fn remove(&mut self, at: &[u32]) -> bool {
        let removable = match at.split_last().and_then(|(_, parent)| self.get(parent)).map(|node| &node.kind) {
            Some(Kind::Map(_) | Kind::List(_)) => true,
            Some(_) | None => false,
        };
        if removable {
            self.removed.insert(at.to_vec());
        }
        removable
    }

    /// Takes out what is marked. Places given out before no longer hold.
    pub fn sweep(&mut self) {
        self.index.clear();
        let mut by_parent: BTreeMap<At, BTreeSet<usize>> = BTreeMap::new();
        for mut at in std::mem::take(&mut self.removed) {
            if let Some(position) = at.pop() {
                by_parent.entry(at).or_default().insert(position as usize);
            }
        }
        // The innermost first: taking out a member moves those behind it, and all that is in them.
        for (parent, positions) in by_parent.into_iter().rev() {
            let mut position = 0;
            let mut keep = || {
                position += 1;
                !positions.contains(&(position - 1))
            };
            match self.get_mut(&parent).map(|node| &mut node.kind) {
                Some(Kind::Map(entries)) => entries.retain(|_| keep()),
                Some(Kind::List(items)) => items.retain(|_| keep()),
                Some(_) | None => {}
            }
        }
    }

    /// The dotted path of a place, with the names its members have now.
    pub fn path_of(&self, at: &[u32]) -> String {
        let mut path = String::new();
        let mut node = &self.root;
        for position in at {
            let position = *position as usize;
            let transparent = matches!(&node.kind, Kind::Group(group)
                if group.name.is_some() && matches!(&group.body, GroupBody::Items(items) if items.len() == 1));
            if is_list(node) && !transparent {
                path += &format!("[{position}]");
            } else if !transparent {
                let name = names(node).nth(position).flatten().unwrap_or("");
                path += if path.is_empty() { "" } else { "." };
                path += name;
            }
            let Some(next) = member(node, position) else { break };
            node = next;
        }
        path
    }

    fn note(&mut self, at: &[u32], name: &str, count: usize) {
        if let (Some(names), Ok(position)) = (self.index.get_mut(at), u32::try_from(count - 1)) {
            names.entry(name.into()).or_insert(position);
        }
    }
}

fn member(node: &Node, position: usize) -> Option<&Node> {
    match &node.kind {
        Kind::List(items) => items.get(position),
        Kind::Map(entries) => entries.get(position).map(|entry| &entry.value),
        Kind::Group(group) => match &group.body {
            GroupBody::Fields(fields) => fields.get(position).map(|field| &field.value),
            GroupBody::Items(items) => items.get(position),
            GroupBody::Absent | GroupBody::Empty => None,
        },
        Kind::Broken | Kind::Bool(_) | Kind::Integer(_) | Kind::OddNumber | Kind::Char(_) | Kind::Text(_) => None,
    }
}

fn member_mut(node: &mut Node, position: usize) -> Option<&mut Node> {
    match &mut node.kind {
        Kind::List(items) => items.get_mut(position),
        Kind::Map(entries) => entries.get_mut(position).map(|entry| &mut entry.value),
        Kind::Group(group) => match &mut group.body {
            GroupBody::Fields(fields) => fields.get_mut(position).map(|field| &mut field.value),
            GroupBody::Items(items) => items.get_mut(position),
            GroupBody::Absent | GroupBody::Empty => None,
        },
        Kind::Broken | Kind::Bool(_) | Kind::Integer(_) | Kind::OddNumber | Kind::Char(_) | Kind::Text(_) => None,
    }
}

/// The names of the members, in order; `None` for one that goes by position alone.
pub(super) fn names(node: &Node) -> Box<dyn Iterator<Item = Option<&str>> + '_> {
    match &node.kind {
        Kind::Map(entries) => Box::new(entries.iter().map(|entry| key_name(&entry.key))),
        Kind::List(items) => Box::new(items.iter().map(key_name)),
        Kind::Group(group) => match &group.body {
            GroupBody::Fields(fields) => Box::new(fields.iter().map(|field| Some(&*field.name.text))),
            GroupBody::Items(items) => Box::new(items.iter().map(key_name)),
            GroupBody::Absent | GroupBody::Empty => Box::new(std::iter::empty()),
        },
        Kind::Broken | Kind::Bool(_) | Kind::Integer(_) | Kind::OddNumber | Kind::Char(_) | Kind::Text(_) => {
            Box::new(std::iter::empty())
        }
    }
}

/// A text, or a word alone.
pub(super) fn key_name(key: &Node) -> Option<&str> {
    match &key.kind {
        Kind::Text(text) => Some(text),
        Kind::Group(group) => match (&group.name, &group.body) {
            (Some(name), GroupBody::Absent) => Some(&name.text),
            _ => None,
        },
        _ => None,
    }
}

fn is_list(node: &Node) -> bool {
    match &node.kind {
        Kind::List(_) => true,
        Kind::Group(group) => matches!(group.body, GroupBody::Items(_)),
        _ => false,
    }
}

/// Do two nodes say the same, wherever they stand? The order of fields and entries means nothing.
pub(super) fn same(a: &Node, b: &Node) -> bool {
    match (&a.kind, &b.kind) {
        (Kind::List(a), Kind::List(b)) => all_same(a, b),
        (Kind::Map(a), Kind::Map(b)) => {
            let sorted = |entries: &[Entry]| {
                let mut sorted: Vec<(Option<String>, Node)> = Vec::new();
                sorted.extend(entries.iter().map(|e| (key_name(&e.key).map(str::to_owned), e.value.clone())));
                sorted.sort_by(|a, b| a.0.cmp(&b.0));
                sorted
            };
            let (a, b) = (sorted(a), sorted(b));
            a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| a.0 == b.0 && same(&a.1, &b.1))
        }
        (Kind::Group(a), Kind::Group(b)) => same_group(a, b),
        (a, b) => a == b,
    }
}

fn same_group(a: &Group, b: &Group) -> bool {
    let name = |group: &Group| group.name.as_ref().map(|name| name.text.clone());
    name(a) == name(b)
        && match (&a.body, &b.body) {
            (GroupBody::Items(a), GroupBody::Items(b)) => all_same(a, b),
            (GroupBody::Fields(a), GroupBody::Fields(b)) => {
                a.len() == b.len()
                    && a.iter().all(|field| {
                        let other = b.iter().find(|other| other.name.text == field.name.text);
                        other.is_some_and(|other| same(&field.value, &other.value))
                    })
            }
            (a, b) => a == b,
        }
}

fn all_same(a: &[Node], b: &[Node]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
}
