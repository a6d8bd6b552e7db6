//! What came and what went in lists and maps.

use std::collections::{BTreeMap, BTreeSet};

use plan::Window;

use crate::table::step::Step;
use crate::table::value::inline;
use crate::verify::node::{Kind, Node};

type Entry<'t> = (Node<'t>, Node<'t>);

pub(super) fn by_key<'n, 't>(entries: &'n [Entry<'t>]) -> BTreeMap<&'t str, &'n Node<'t>> {
    entries.iter().filter_map(|(key, value)| Some((key.leaf()?, value))).collect()
}

/// Entries of `a` under names that `b` has not.
pub(super) fn missing<'n, 't>(a: &'n [Entry<'t>], b: &[Entry<'t>]) -> Vec<(&'t str, &'n Node<'t>)> {
    let there = by_key(b);
    by_key(a).into_iter().filter(|(name, _)| !there.contains_key(name)).collect()
}

/// Pairs of names under which one value went and came. Each value is looked at once: what is found by its words.
pub(super) fn renamed<'t>(gone: &[(&'t str, &Node<'t>)], came: &[(&'t str, &Node<'t>)]) -> Vec<(&'t str, &'t str)> {
    let mut by_value: BTreeMap<String, Vec<&'t str>> = BTreeMap::new();
    for (name, value) in came.iter().rev() {
        by_value.entry(inline(value, "")).or_default().push(name);
    }
    let pair = |(name, value): &(&'t str, &Node<'t>)| Some((*name, by_value.get_mut(&inline(value, ""))?.pop()?));
    gone.iter().filter_map(pair).collect()
}

type Named<'n, 't> = (Step<'t>, &'n Node<'t>);

/// Items by name, with their place.
pub(super) fn by_step<'s, 'n, 't>(items: &'s [Named<'n, 't>]) -> BTreeMap<&'s str, (usize, &'n Node<'t>)> {
    items.iter().enumerate().map(|(place, (step, value))| (step.name(), (place, *value))).collect()
}

/// Members of `now` that `was` has not, and the other way round.
pub(super) fn moved<'n, 't>(was: &'n [Node<'t>], now: &'n [Node<'t>]) -> (Vec<&'n Node<'t>>, Vec<&'n Node<'t>>) {
    let words = |list: &[Node<'t>]| -> BTreeSet<&'t str> { list.iter().filter_map(Node::leaf).collect() };
    let (before, after) = (words(was), words(now));
    let not_in = |list: &'n [Node<'t>], set: &BTreeSet<&str>| {
        list.iter().filter(|node| node.leaf().is_some_and(|leaf| !set.contains(leaf))).collect()
    };
    (not_in(now, &before), not_in(was, &after))
}

type Count<'n, 't> = (&'t str, &'n Node<'t>);

/// Was one count of an event kept, and is it now the other?
pub(super) fn counted_otherwise<'n, 't>(
    was: &'n [(&'t str, Node<'t>)],
    now: &'n [(&'t str, Node<'t>)],
    event: &str,
) -> Option<(Count<'n, 't>, Count<'n, 't>)> {
    let kept = |fields: &'n [(&'t str, Node<'t>)]| {
        let of_event = |name: &str| name.strip_prefix(event).is_some_and(|n| n == "_attempted" || n == "_accepted");
        let mut kept = fields.iter().filter(|(name, value)| of_event(name) && value.kind != Kind::Word("NotCounted"));
        let first = kept.next().map(|(name, value)| (*name, value))?;
        // Where both are counted, each speaks for itself.
        kept.next().is_none().then_some(first)
    };
    let (old, new) = (kept(was)?, kept(now)?);
    (old.0 != new.0).then_some((old, new))
}

/// Windows that differ, in pairs: of equal width, else of equal count, else in order; what is left came or went.
pub(super) fn window_pairs(was: &[Window], now: &[Window]) -> Vec<(Option<Window>, Option<Window>)> {
    let mut gone: Vec<Window> = was.iter().filter(|window| !now.contains(window)).copied().collect();
    let mut came: Vec<Window> = now.iter().filter(|window| !was.contains(window)).copied().collect();
    let mut pairs = Vec::new();
    let alike: [fn(&Window, &Window) -> bool; 3] = [|a, b| a.width_s == b.width_s, |a, b| a.max == b.max, |_, _| true];
    for alike in alike {
        came.retain(|new| match gone.iter().position(|old| alike(old, new)) {
            Some(place) => {
                pairs.push((Some(gone.remove(place)), Some(*new)));
                false
            }
            None => true,
        });
    }
    pairs.extend(gone.into_iter().map(|old| (Some(old), None)));
    pairs.extend(came.into_iter().map(|new| (None, Some(new))));
    pairs
}

/// Does every domain of pattern `b` match pattern `a`?
pub(super) fn covers(a: &Node<'_>, b: &Node<'_>) -> bool {
    let (Kind::Tuple("Suffix", wide), Kind::Tuple("Suffix" | "Exact", narrow)) = (&a.kind, &b.kind) else {
        return false;
    };
    match (wide.first().and_then(Node::leaf), narrow.first().and_then(Node::leaf)) {
        (Some(wide), Some(narrow)) => {
            narrow.strip_suffix(wide).is_some_and(|under| under.is_empty() || under.ends_with('.'))
        }
        _ => false,
    }
}
