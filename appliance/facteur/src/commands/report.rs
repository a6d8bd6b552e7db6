//! What a compilation found, printed: for a person grouped and short, for a program every finding as one JSON object.

use policy::codes::Code;
use policy::compile::Compiled;
use policy::diagnostic::{Diagnostic, Level, Sources};
use policy::figures;
use policy::prove::ProofReport;
use policy::render::{human, json};

use crate::cli::Format;

/// Places of one kind of lint that are listed in its line.
const PLACES_MAX: usize = 12;

/// What a person asked to see. Programs are always told everything.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Every lint with its lines, the waived ones too.
    pub all: bool,
    /// These lints with their lines.
    pub shown: Vec<Code>,
}

impl Report {
    pub fn print(&self, compiled: &Compiled, format: Format) {
        match format {
            Format::Human => self.human(compiled),
            Format::Json => json_lines(compiled),
        }
    }

    fn human(&self, compiled: &Compiled) {
        if let Some(blast) = &compiled.blast {
            eprintln!("{blast}");
        }
        let mut groups: Vec<(Code, Vec<&Diagnostic>)> = Vec::new();
        for found in &compiled.diagnostics {
            if found.level != Level::Lint || self.all || self.shown.contains(&found.code) {
                eprintln!("{}", human::render(found, &compiled.sources, false));
                continue;
            }
            if found.waived {
                continue;
            }
            match groups.iter_mut().find(|(code, _)| *code == found.code) {
                Some((_, group)) => group.push(found),
                None => groups.push((found.code, vec![found])),
            }
        }
        groups.sort_by_key(|(code, _)| *code);
        for (code, group) in &groups {
            eprintln!("{}", grouped(*code, group, &compiled.sources));
        }
        if let Some((code, _)) = groups.first() {
            eprintln!("  = `--all` shows each lint with its lines, `--lint {code}` those of one kind");
        }
        eprintln!("{}", summary(compiled));
    }
}

/// All lints of a code: one sentence and the places, or each place with its own sentence.
fn grouped(code: Code, group: &[&Diagnostic], sources: &Sources) -> String {
    let message = group.first().map_or("", |found| found.message.as_str());
    let alike = group.iter().all(|found| found.message == message);
    let mut text = match (group.len(), alike) {
        (1, _) => format!("lint[{code}]: {message}"),
        (count, true) => format!("lint[{code}] ×{count}: {message}"),
        (count, false) => format!("lint[{code}] ×{count}"),
    };
    let mut lines = vec![];
    for found in group.iter().take(PLACES_MAX) {
        let place = found.place().map(|place| {
            let line = sources.position(place.file, place.start).line;
            format!("   --> {}:{line}", sources.name(place.file))
        });
        let own = if alike { String::new() } else { format!("  {}", found.message) };
        lines.push(format!("{}{own}", place.unwrap_or_default()));
    }
    lines.dedup();
    if group.len() > PLACES_MAX {
        lines.push(format!("   and {} more", group.len() - PLACES_MAX));
    }
    text = human::shown(&text);
    lines.iter().for_each(|line| text += &format!("\n{}", human::shown(line)));
    text
}

fn json_lines(compiled: &Compiled) {
    for diagnostic in &compiled.diagnostics {
        say!("{}", json::render(diagnostic, &compiled.sources));
    }
    for counterexample in &compiled.counterexamples {
        say!("{}", counterexample.to_json());
    }
    say!("{}", summary_json(compiled));
}

/// How many findings of each kind there are.
struct Counts {
    errors: usize,
    lints: usize,
    waived: usize,
}

impl Counts {
    fn of(compiled: &Compiled) -> Counts {
        let count = |is: fn(&Diagnostic) -> bool| compiled.diagnostics.iter().filter(|found| is(found)).count();
        Counts {
            errors: count(Diagnostic::is_error),
            lints: count(|found| found.level == Level::Lint && !found.waived),
            waived: count(|found| found.waived),
        }
    }
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn summary(compiled: &Compiled) -> String {
    let ProofReport { cells, decided, not_judged, .. } = &compiled.proofs;
    let Counts { errors, lints, waived } = Counts::of(compiled);
    let mut text = format!("{}, {}", counted(errors, "error"), counted(lints, "lint"));
    if waived > 0 {
        text += &format!(", {waived} waived");
    }
    let all = decided.len() + not_judged.len();
    let hold = decided.iter().filter(|d| d.holds).count();
    let [all_cells, envelope, reachable, content, reading] =
        [cells.all(), cells.envelope, cells.reachable, cells.content, cells.reading]
            .map(|count| figures::grouped(count as u64));
    text += &format!(". Guarantees: {hold} of {all} hold, {all_cells} cases visited");
    text += &format!(
        " ({envelope} of envelopes, {reachable} of them reachable; {content} of content; {reading} of reading)."
    );
    for one in decided {
        let said = match (one.holds, one.remark.as_str()) {
            (true, "") => "holds".to_owned(),
            (true, remark) => format!("holds: {remark}"),
            (false, _) => "is broken, see above".to_owned(),
        };
        text += &format!("\n  {} {said}", one.name);
    }
    if !not_judged.is_empty() {
        text += &format!("\n  not judged, sections they read have errors: {}", not_judged.join(", "));
    }
    let kept = unserved(compiled);
    if !kept.is_empty() {
        text += &format!("\nKept in the plan and not executed by this build: {}.", kept.join(", "));
    }
    text
}

/// Paths of what this build keeps without executing it.
fn unserved(compiled: &Compiled) -> Vec<String> {
    let Some(sealed) = &compiled.plan else { return Vec::new() };
    decide::unserved(&sealed.plan).into_iter().map(|one| one.path).collect()
}

fn summary_json(compiled: &Compiled) -> serde_json::Value {
    let proofs = &compiled.proofs;
    let Counts { errors, lints, waived } = Counts::of(compiled);
    let decided: Vec<_> = proofs
        .decided
        .iter()
        .map(|d| serde_json::json!({"name": d.name, "holds": d.holds, "remark": d.remark}))
        .collect();
    serde_json::json!({
        "schema": 1,
        "kind": "summary",
        "plan": compiled.plan.as_ref().map(|sealed| sealed.hash.short()),
        "errors": errors,
        "lints": lints,
        "waived": waived,
        "cells_visited": proofs.cells.all(),
        "cells_envelope": proofs.cells.envelope,
        "cells_reachable": proofs.cells.reachable,
        "cells_content": proofs.cells.content,
        "cells_reading": proofs.cells.reading,
        "guarantees": decided,
        "not_judged": proofs.not_judged,
        "unserved": unserved(compiled),
    })
}
