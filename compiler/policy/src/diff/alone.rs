//! One change alone: the plan of one side with a single value of the other, to see what that value decides.

use super::changes::{Hop, Raw, What};
use crate::table::step::windows;
use crate::verify::node::{Kind, Node};

/// The old plan with this change only.
pub(super) fn made<'t>(tree: &Node<'t>, raw: &Raw<'_, 't>) -> Option<Node<'t>> {
    let mut tree = tree.clone();
    match &raw.what {
        What::Changed(_, new) | What::Windows { new, .. } | What::Members { new, .. } => {
            *find(&mut tree, &raw.hops, true)? = (*new).clone();
        }
        What::Added(new) => put(&mut tree, &raw.hops, Some(new), true)?,
        What::Removed(_) => put(&mut tree, &raw.hops, None, true)?,
        What::Window { .. } | What::Counted { .. } | What::Renamed(..) => return None,
    }
    Some(tree)
}

/// The new plan without this change.
pub(super) fn unmade<'t>(tree: &Node<'t>, raw: &Raw<'_, 't>) -> Option<Node<'t>> {
    let mut tree = tree.clone();
    match &raw.what {
        What::Changed(old, _) | What::Windows { old, .. } | What::Members { old, .. } => {
            *find(&mut tree, &raw.hops, false)? = (*old).clone();
        }
        What::Added(_) => put(&mut tree, &raw.hops, None, false)?,
        What::Removed(old) => put(&mut tree, &raw.hops, Some(old), false)?,
        What::Window { .. } | What::Counted { .. } | What::Renamed(..) => return None,
    }
    Some(tree)
}

/// A window in its list, in the old plan: for the blast radius.
pub(super) fn with_window<'t>(tree: &Node<'t>, new_tree: &Node<'t>, raw: &Raw<'_, 't>) -> Option<Node<'t>> {
    let mut tree = tree.clone();
    let list = raw.hops.split_last().map(|(_, above)| above)?;
    let mut new_tree = new_tree.clone();
    let new = find(&mut new_tree, list, false)?.clone();
    windows(&new)?;
    *find(&mut tree, list, true)? = new;
    Some(tree)
}

/// The node these hops lead to. `old`: in the old tree, or in the new one.
fn find<'a, 't>(tree: &'a mut Node<'t>, hops: &[Hop<'t>], old: bool) -> Option<&'a mut Node<'t>> {
    let mut node = tree;
    for hop in hops {
        node = match (hop, &mut node.kind) {
            (Hop::Field(name), Kind::Fields(_, fields)) => &mut fields.iter_mut().find(|(field, _)| field == name)?.1,
            (Hop::Key(name), Kind::Map(entries)) => {
                &mut entries.iter_mut().find(|(key, _)| key.leaf() == Some(name))?.1
            }
            (Hop::Part, Kind::Tuple(_, parts)) => parts.first_mut()?,
            (Hop::Item(was, now), Kind::List(items)) => items.get_mut(if old { *was } else { *now })?,
            (
                Hop::Field(_) | Hop::Key(_) | Hop::Part | Hop::Item(..),
                Kind::Word(_) | Kind::Text(_) | Kind::List(_) | Kind::Map(_) | Kind::Fields(..) | Kind::Tuple(..),
            ) => return None,
        };
    }
    Some(node)
}

/// Puts an entry into a map, or takes it out.
fn put<'t>(tree: &mut Node<'t>, hops: &[Hop<'t>], value: Option<&Node<'t>>, old: bool) -> Option<()> {
    let (Hop::Key(name), above) = hops.split_last()? else { return None };
    let map = find(tree, above, old)?;
    let Kind::Map(entries) = &mut map.kind else { return None };
    match value {
        Some(value) => entries.push((Node { line: value.line, kind: Kind::Text(name) }, value.clone())),
        None => entries.retain(|(key, _)| key.leaf() != Some(name)),
    }
    Some(())
}
