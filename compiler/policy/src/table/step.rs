//! Where a fact stands in a plan, and the name of that place in the policy: a rule id.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::verify::node::{Kind, Node};

/// One step down a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step<'t> {
    /// A field of a struct.
    Field(&'t str),
    /// An entry of a map.
    Key(&'t str),
    /// An item of a list whose items have names, and its place in the list.
    Item(String, usize),
    /// `account` or `address`: what a row of limits is kept for.
    Kept(&'static str),
    /// A window, by its width: `15min`.
    Window(String),
}

impl<'t> Step<'t> {
    /// The field or entry, as plan text has it.
    pub fn name(&self) -> &str {
        match self {
            Step::Field(name) | Step::Key(name) => name,
            Step::Item(name, _) | Step::Window(name) => name,
            Step::Kept(name) => name,
        }
    }
}

/// Tuples that say nothing a reader needs: `Some(x)` is x, `EachAccount(x)` is a row kept for accounts.
pub(crate) fn through<'n, 't>(node: &'n Node<'t>, at: &mut Vec<Step<'t>>) -> &'n Node<'t> {
    match &node.kind {
        Kind::Tuple(name @ ("Some" | "EachAccount" | "EachClientAddress"), parts) if parts.len() == 1 => {
            match *name {
                "EachAccount" => at.push(Step::Kept("account")),
                "EachClientAddress" => at.push(Step::Kept("address")),
                _ => {}
            }
            through(&parts[0], at)
        }
        _ => node,
    }
}

/// Units plan fields carry in their names; the policy writes them in the value.
const UNITS: [&str; 7] = ["_octets", "_s", "_days", "_percent", "_thousandths", "_months", "_min"];

/// A field's name without its unit.
pub(crate) fn without_unit(field: &str) -> &str {
    UNITS.iter().find_map(|unit| field.strip_suffix(unit)).unwrap_or(field)
}

/// A field as the policy calls it.
fn in_policy(field: &str) -> &str {
    match without_unit(field) {
        "full_try_later" => "full",
        "tag_below" => "tag_when",
        "every_night_at" => "every",
        "keep_at_least" => "keep.at_least",
        "keep_at_most" => "keep.at_most",
        "updates_at_least" => "updates",
        other => other,
    }
}

/// The rule id: `may_send.person-outside.recipients_attempted/15min`.
pub(crate) fn rule(at: &[Step<'_>]) -> String {
    path(at, |name, _| format!(".{name}"))
}

/// The path the source map knows: items of lists go by their place, not by a name. Grants of limits have
/// names there, blocks their rule ids.
pub(crate) fn place(at: &[Step<'_>]) -> String {
    let section = at.first().map_or("", Step::name);
    path(at, |name, index| match section {
        "limit_grants" => format!(".{name}"),
        "blocked" => format!(".{index}"),
        _ => format!("[{index}]"),
    })
}

fn path(at: &[Step<'_>], item: impl Fn(&str, usize) -> String) -> String {
    let section = at.first().map_or("", Step::name);
    let mut path = String::new();
    for (index, step) in at.iter().enumerate() {
        match step {
            Step::Kept(_) => {}
            // Rows of limits stand in their block, grant or application.
            Step::Field("limits") if ["may_send", "limit_grants", "senders"].contains(&section) => {}
            Step::Field("known") if section == "senders" && at.len() > 2 => {}
            Step::Field(name) if index == 0 => path += name,
            Step::Field(name) => path = path + "." + in_policy(name),
            Step::Key(name) => path = path + "." + name,
            Step::Item(name, place) => path += &item(name, *place),
            Step::Window(width) => {
                path += if section == "logins" { ".failed/" } else { "/" };
                path += width;
            }
        }
    }
    path
}

/// Items of a list under names that do not move when another item comes or goes.
pub(crate) fn named_items<'n, 't>(items: &'n [Node<'t>]) -> Vec<(Step<'t>, &'n Node<'t>)> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let named = items.iter().enumerate().map(|(index, item)| {
        let name = item_name(item, index).into_owned();
        let times = seen.entry(name.clone()).or_default();
        *times += 1;
        let name = if *times == 1 { name } else { format!("{name} {times}") };
        (Step::Item(name, index), item)
    });
    named.collect()
}

fn item_name<'t>(item: &Node<'t>, index: usize) -> Cow<'t, str> {
    let field = |name: &str| item.get(name).and_then(Node::leaf);
    match &item.kind {
        Kind::Fields("", _) => match (field("login"), field("block"), field("lint"), field("at")) {
            (Some(login), Some(block), ..) => format!("{login}.{block}").into(),
            (_, _, Some(lint), Some(at)) => format!("{lint} at {at}").into(),
            _ => match (field("first"), field("last"), field("login")) {
                (Some(first), Some(last), _) => format!("{first} {last}").into(),
                (_, _, Some(login)) => login.into(),
                _ => match item.get("what") {
                    Some(what) => super::value::inline(what, "").into(),
                    None => (index + 1).to_string().into(),
                },
            },
        },
        // Patterns are what they match; a guarantee goes by its name.
        Kind::Tuple(..) => super::value::inline(item, "").into(),
        Kind::Fields(name, _) | Kind::Word(name) | Kind::Text(name) => (*name).into(),
        Kind::List(_) | Kind::Map(_) => (index + 1).to_string().into(),
    }
}

/// `15min` of a window, if it is one.
pub(crate) fn window(node: &Node<'_>) -> Option<plan::Window> {
    let Kind::Fields("", fields) = &node.kind else { return None };
    let [("max", max), ("width_s", width)] = fields.as_slice() else { return None };
    Some(plan::Window { max: max.word()?.parse().ok()?, width_s: width.word()?.parse().ok()? })
}

/// The windows of `Within([…])`.
pub(crate) fn windows(node: &Node<'_>) -> Option<Vec<plan::Window>> {
    match &node.kind {
        Kind::Tuple("Within", parts) => parts.first()?.list()?.iter().map(window).collect(),
        _ => None,
    }
}
