//! The facts of a plan as a table for people, one fact a line (policy-language.md 5.2). It is made from the plan's text,
//! so that nothing the text says can be missing from it.

mod compare;
mod rows;
pub(crate) mod step;
pub(crate) mod value;

use crate::verify::Fault;
use crate::verify::node::{Kind, Node};
use step::Step;

pub use compare::{Moved, compare};

/// The kinds people look for most stand under one another.
const KIND_WIDTH_MIN: usize = 6;

/// One fact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// `send`, `person-inside`, `account`, `messages accepted`, `200 per 1 h`: the kind first, the value last.
    pub cells: Vec<String>,
    /// The rule id it belongs to.
    pub rule: String,
    /// Where [`plan::SourceMap`] knows it.
    pub place: String,
}

/// Every fact of a plan, in the order of its text.
///
/// # Errors
/// The first thing in the text that is not canonical.
pub fn table(plan_text: &str) -> Result<Vec<Row>, Fault> {
    let node = crate::verify::text::read(plan_text)?;
    let mut rows = Vec::new();
    walk(&node, &mut Vec::new(), &mut rows);
    Ok(rows)
}

/// The rows as text; columns are aligned among rows of one kind.
pub fn aligned(rows: &[Row]) -> String {
    let mut text = String::new();
    for kind in rows.chunk_by(|a, b| a.cells.first() == b.cells.first()) {
        let mut widths = vec![KIND_WIDTH_MIN];
        for row in kind {
            for (column, cell) in row.cells.iter().enumerate().take(row.cells.len().saturating_sub(1)) {
                let width = cell.chars().count();
                match widths.get_mut(column) {
                    Some(widest) => *widest = width.max(*widest),
                    None => widths.push(width),
                }
            }
        }
        for row in kind {
            text += padded(&row.cells, &widths).trim_end();
            text.push('\n');
        }
    }
    text
}

fn padded(cells: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (column, cell) in cells.iter().enumerate() {
        line += cell;
        if column + 1 < cells.len() {
            let width = widths.get(column).copied().unwrap_or_default();
            line += &" ".repeat(width.saturating_sub(cell.chars().count()) + 1);
        }
    }
    line
}

fn walk<'t>(node: &Node<'t>, at: &mut Vec<Step<'t>>, rows: &mut Vec<Row>) {
    let depth = at.len();
    let node = step::through(node, at);
    if let Some(windows) = step::windows(node) {
        for window in windows {
            at.push(Step::Window(window.width_name()));
            rows.push(rows::row(at, value::rate(window)));
            at.pop();
        }
    } else {
        match &node.kind {
            // The other count of the same event is the one that is kept.
            Kind::Word("NotCounted") => {}
            Kind::Map(entries) => {
                for (key, value) in entries {
                    at.push(Step::Key(key.leaf().unwrap_or_default()));
                    walk(value, at, rows);
                    at.pop();
                }
            }
            Kind::Fields("", fields) if step::window(node).is_none() && !rows::is_one_fact(at) => {
                for (name, value) in fields {
                    if rows::is_in_the_name(at, name) {
                        continue;
                    }
                    at.push(Step::Field(name));
                    walk(value, at, rows);
                    at.pop();
                }
            }
            Kind::List(items) if !items.is_empty() && items.iter().any(|item| !is_word(item)) => {
                for (step, item) in step::named_items(items) {
                    at.push(step);
                    walk(item, at, rows);
                    at.pop();
                }
            }
            Kind::List(items) if items.is_empty() && rows::is_register(at) => {}
            _ => rows.push(rows::row(at, value::plain(node, at.last().map_or("", Step::name)))),
        }
    }
    at.truncate(depth);
}

fn is_word(node: &Node<'_>) -> bool {
    matches!(node.kind, Kind::Word(_) | Kind::Text(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{BENCH, NANTES, OFFICE, plan_text};

    #[test]
    fn facts_read_like_this() {
        let text = aligned(&table(&plan_text(NANTES)).expect("our own text"));
        for line in [
            "send   person-inside  account       messages accepted         200 per 1 h",
            "send   person-inside  account       recipients attempted      500 per 15 min",
            "send   machine        address       recipients attempted      unlimited, as written",
            "quota  director above 1000000000 bytes, on request",
            "reach  relay      private",
            "keep   limits          1 day",
            "mailbox message size 20000000 bytes",
        ] {
            assert!(text.lines().any(|it| it == line), "{line:?} in\n{text}");
        }
    }

    /// The ways to change one leaf of a line: a number, a text, a word.
    fn mutations(line: &str) -> Vec<String> {
        let value = line.find(": ").map_or_else(|| line.len() - line.trim_start().len(), |at| at + 2);
        let (before, after) = line.split_at(value);
        let mut changed = Vec::new();
        let starts = after.char_indices().filter(|(at, c)| {
            let previous = after[..*at].chars().next_back();
            c.is_ascii_alphanumeric() && !previous.is_some_and(|c| c.is_alphanumeric() || "_-.@:/{%".contains(c))
        });
        for (at, c) in starts {
            // A field's name is no leaf.
            let rest = after[at..].trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
            if rest.starts_with(": ") {
                continue;
            }
            let inside_text = after[..at].matches('"').count() % 2 == 1;
            if inside_text && !after[..at].ends_with('"') {
                continue;
            }
            let new = if c.is_ascii_digit() && !inside_text { "7" } else { "Q" };
            changed.push(format!("{before}{}{new}{}", &after[..at], &after[at..]));
        }
        changed
    }

    #[test]
    fn every_leaf_of_a_plan_moves_a_line_of_the_table() {
        for policy in [NANTES, OFFICE, BENCH] {
            let text = plan_text(policy);
            let plain = table(&text).expect("our own text");
            let lines: Vec<&str> = text.lines().collect();
            let mut tried = 0;
            for (index, line) in lines.iter().enumerate() {
                for mutation in mutations(line) {
                    let mut changed = lines.clone();
                    changed[index] = &mutation;
                    // Some changes make the text uncanonical; those are no plans.
                    let Ok(rows) = table(&(changed.join("\n") + "\n")) else { continue };
                    tried += 1;
                    assert!(rows != plain, "line {}: {mutation}", index + 1);
                }
            }
            assert!(tried > 120, "{tried} leaves were tried");
        }
    }
}
