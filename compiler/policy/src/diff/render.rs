//! A difference for people, for programs and for a comment on a merge request.

use serde_json::{Value, json};

use super::{Cells, Change, Class, Difference};
use crate::figures::grouped;

/// Longer cells of a table are not waited for: the next one follows after a space.
const COLUMN_MAX: usize = 56;

/// `2500`, or without end.
pub(super) fn figure(count: Option<u64>) -> String {
    count.map_or_else(|| "unlimited".to_owned(), |count| count.to_string())
}

/// For people. `acknowledged`: whoever asked has said that loosening is meant.
pub fn human(difference: &Difference, acknowledged: bool) -> String {
    if difference.is_empty() {
        return "no difference\n".to_owned();
    }
    let column = |text: fn(&Change) -> &str| {
        let widths = difference.changes.iter().map(|change| text(change).chars().count());
        widths.filter(|width| *width <= COLUMN_MAX).max().unwrap_or_default()
    };
    let (paths, values) = (column(|change| &change.path), column(|change| &change.shown));
    let mut text = String::new();
    for change in &difference.changes {
        text += &format!("{:paths$}  {:values$}  {:9}", change.path, change.shown, change.class.as_str());
        if let Some(line) = line(change) {
            text += &format!("  {line}");
        }
        if change.class == Class::Looser && acknowledged {
            text += "  acknowledged";
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
        for effect in &change.effects {
            text += &format!("    {effect}\n");
        }
        for note in &change.notes {
            text += &format!("    note: {note}\n");
        }
    }
    for (what, said) in summary(difference) {
        text += &format!("{what:28} {said}\n");
    }
    shown(&text)
}

/// As a table in Markdown.
pub fn markdown(difference: &Difference, acknowledged: bool) -> String {
    if difference.is_empty() {
        return format!("**No difference**: both are plan `{}`.\n", difference.new);
    }
    let mut text = format!("**Policy** `{}` → `{}`\n\n", difference.old, difference.new);
    text += "| what | change | class | where |\n|---|---|---|---|\n";
    for change in &difference.changes {
        let class = match change.class {
            Class::Looser if acknowledged => "LOOSER, acknowledged".to_owned(),
            class => class.as_str().to_owned(),
        };
        let mut said = cell(&change.shown);
        for note in change.effects.iter().chain(&change.notes) {
            said += &format!("<br>{}", cell(note));
        }
        let line = line(change).unwrap_or_default();
        text += &format!("| {} | {said} | {class} | {} |\n", cell(&change.path), cell(&line));
    }
    text.push('\n');
    for (what, said) in summary(difference) {
        text += &format!("- {what}: {}\n", cell(&said));
    }
    shown(&text)
}

/// One object a line: each change, then the summary.
pub fn json(difference: &Difference, acknowledged: bool) -> Vec<Value> {
    let mut lines: Vec<Value> = Vec::new();
    for change in &difference.changes {
        let (file, line) = change.place.as_ref().map_or((None, None), |(file, line)| (Some(file), Some(line)));
        let mut object = json!({
            "schema": 1, "kind": "change", "rule": change.rule, "old": change.old, "new": change.new,
            "class": change.class.as_str(), "file": file, "line": line, "notes": change.notes,
            "acknowledged": acknowledged && change.class == Class::Looser,
        });
        if !change.effects.is_empty() {
            object["effects"] = json!(change.effects);
        }
        lines.push(object);
    }
    let cells = difference.cells.map(|cells| {
        json!({"total": cells.total, "tighter": cells.tighter, "looser": cells.looser, "different": cells.different,
            "reworded": cells.reworded})
    });
    let (was, is) = (&difference.blast.0, &difference.blast.1);
    lines.push(json!({
        "schema": 1, "kind": "summary", "old": difference.old, "new": difference.new,
        "changes": difference.changes.len(), "cells": cells,
        "blast_radius": {"hour": [was.hour, is.hour], "internet_hour": [was.internet_hour, is.internet_hour],
            "internet_day": [was.internet_day, is.internet_day]},
        "lints_new": difference.lints_new, "lints_gone": difference.lints_gone,
        "restart": difference.restart, "opened": difference.opened, "closed": difference.closed,
        "image": difference.image,
    }));
    lines
}

fn line(change: &Change) -> Option<String> {
    let (file, line) = change.place.as_ref()?;
    let was = if change.new.is_none() { "was " } else { "" };
    let name = file.rsplit('/').next().unwrap_or(file);
    Some(if name == "policy.ron" { format!("{was}line {line}") } else { format!("{was}{name}:{line}") })
}

fn decisions(cells: &Cells) -> String {
    let figure = |count: usize| grouped(count as u64);
    let total = figure(cells.total);
    if cells.changed() == 0 {
        return format!("same decisions in all {total} cells: nothing else changed in {total} cells");
    }
    let kinds = [
        (cells.tighter, "tighter"),
        (cells.looser, "looser"),
        (cells.different, "let through by another block"),
        (cells.reworded, "answered otherwise"),
    ];
    let kinds: Vec<String> = kinds
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{} {what}", figure(*count)))
        .collect();
    let same = figure(cells.total - cells.changed());
    let changed = figure(cells.changed());
    format!("{changed} of {total} cells differ ({}); nothing else changed in {same} cells", kinds.join(", "))
}

/// What is said of all changes together.
fn summary(difference: &Difference) -> Vec<(&'static str, String)> {
    let mut said = Vec::new();
    let unknown = || "not compared: a plan is not sound, or its table is too large".to_owned();
    said.push(("decisions", difference.cells.as_ref().map_or_else(unknown, decisions)));
    let (was, is) = (&difference.blast.0, &difference.blast.1);
    for (old, new, per) in [
        (was.hour, is.hour, "recipients per hour"),
        (was.internet_hour, is.internet_hour, "recipients per hour from the Internet alone"),
        (was.internet_day, is.internet_day, "recipients per day from the Internet alone"),
    ] {
        if old != new {
            said.push(("blast radius of one password", format!("{} → {} {per}", figure(old), figure(new))));
        }
    }
    if !difference.lints_new.is_empty() {
        said.push(("new lints", difference.lints_new.join(", ")));
    }
    if !difference.lints_gone.is_empty() {
        said.push(("lints gone", difference.lints_gone.join(", ")));
    }
    let names = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    for (what, listeners) in [("opens", &difference.opened), ("closes", &difference.closed)] {
        if !listeners.is_empty() {
            said.push((what, names(listeners)));
        }
    }
    let hot = match (difference.image.is_empty(), difference.restart.is_empty()) {
        (false, _) => format!("no: another image is needed for {}", difference.image.join(", ")),
        (true, false) => "all but what restarts".to_owned(),
        (true, true) => "yes".to_owned(),
    };
    said.push(("hot", hot));
    said.push(("restart", names(&difference.restart)));
    said
}

/// A text in one cell of a Markdown table.
fn cell(text: &str) -> String {
    let mut cell = String::new();
    for c in text.chars() {
        match c {
            '|' | '\\' | '`' | '*' | '_' | '<' | '>' | '[' | ']' | '#' | '@' => {
                cell.push('\\');
                cell.push(c);
            }
            c => cell.push(c),
        }
    }
    cell
}

/// Without characters that would move a terminal: texts of a plan hold none, names of files may.
fn shown(text: &str) -> String {
    text.chars().filter(|c| *c == '\n' || !c.is_control()).collect()
}
