//! `check`, `compile`, `dump`: what the compiler says, printed.

pub mod completions;
pub mod diff;
pub mod doc;
pub mod explain;
pub mod fmt;
pub mod manual;
pub mod proof;
pub mod simulate;
pub mod snapshot;
pub mod test;
pub mod verify;

use std::path::Path;

use policy::codes::Code;
use policy::compile::{Compiled, LoadError, Sealed, compile as compile_policy};
use policy::diagnostic::Diagnostic;
use policy::people::Directory;
use policy::prove::ProofReport;
use policy::render::{human, json};

use crate::Exit;
use crate::cli::{CheckArgs, CompileArgs, DumpArgs, Format};
use crate::files::{Disk, policy_files, write_whole};

/// Reads and judges; writes nothing.
pub fn check(args: &CheckArgs) -> Exit {
    let compiled = match compiled(&args.policy) {
        Ok(compiled) => compiled,
        Err(exit) => return exit,
    };
    report(&compiled, args.format);
    exit_of(&compiled)
}

/// Writes the plan and its source map.
pub fn compile(args: &CompileArgs) -> Exit {
    let files = policy_files(&args.policy);
    let compiled = match compiled(&args.policy) {
        Ok(compiled) => compiled,
        Err(exit) => return exit,
    };
    report(&compiled, args.format);
    let sealed = if args.unproved() { compiled.plan_unproved.as_ref() } else { compiled.plan.as_ref() };
    let Some(sealed) = sealed else { return exit_of(&compiled) };
    let plan_path = args.out.join(format!("{}.plan.ron", files.name));
    let map_path = args.out.join(format!("{}.map.ron", files.name));
    let written = write_whole(&plan_path, &sealed.text).and_then(|()| write_whole(&map_path, &plan::emit(&sealed.map)));
    if let Err(error) = written {
        eprintln!("facteur: {}: {error}", plan_path.display());
        return Exit::Trouble;
    }
    eprintln!("{} {} ({} octets, hash {})", plan_path.display(), sealed.hash, sealed.text.len(), sealed.hash.full());
    if args.unproved() { Exit::Fine } else { exit_of(&compiled) }
}

/// Prints the plan's text.
pub fn dump(args: &DumpArgs) -> Exit {
    let compiled = match compiled(&args.policy) {
        Ok(compiled) => compiled,
        Err(exit) => return exit,
    };
    match &compiled.plan {
        Some(sealed) => {
            say!("{}", sealed.text.trim_end());
            exit_of(&compiled)
        }
        None => {
            report(&compiled, Format::Human);
            exit_of(&compiled)
        }
    }
}

/// A policy that can be served.
pub struct Ready {
    pub sealed: Sealed,
    pub people: Option<Directory>,
}

/// Compiles for serving; what is wrong is printed.
pub fn ready(path: &Path, unproved: bool) -> Result<Ready, Exit> {
    let compiled = compiled(path)?;
    let broken = compiled.has_errors() && !unproved;
    let sealed = if unproved { compiled.plan_unproved.clone() } else { compiled.plan.clone() };
    match sealed {
        Some(sealed) if !broken => Ok(Ready { sealed, people: compiled.people }),
        Some(_) | None => {
            report(&compiled, Format::Human);
            Err(exit_of(&compiled))
        }
    }
}

fn compiled(path: &Path) -> Result<Compiled, Exit> {
    let file = policy_files(path).policy;
    compile_policy(&Disk, &file).map_err(|error| {
        match error {
            LoadError::NotFound => eprintln!("facteur: {file}: there is no such file"),
            LoadError::Unreadable(why) => eprintln!("facteur: {file}: {why}"),
        }
        Exit::Trouble
    })
}

fn report(compiled: &Compiled, format: Format) {
    match format {
        Format::Human => {
            if let Some(blast) = &compiled.blast {
                eprintln!("{blast}");
            }
            for diagnostic in &compiled.diagnostics {
                eprintln!("{}", human::render(diagnostic, &compiled.sources, false));
            }
            eprintln!("{}", summary(compiled));
        }
        Format::Json => {
            for diagnostic in &compiled.diagnostics {
                say!("{}", json::render(diagnostic, &compiled.sources));
            }
            for counterexample in &compiled.counterexamples {
                say!("{}", counterexample.to_json());
            }
            say!("{}", summary_json(compiled));
        }
    }
}

fn errors(compiled: &Compiled) -> usize {
    compiled.diagnostics.iter().filter(|d| d.is_error()).count()
}

fn summary(compiled: &Compiled) -> String {
    let ProofReport { cells_visited, cells_reachable, decided, not_decided, not_judged } = &compiled.proofs;
    let count = match errors(compiled) {
        1 => "1 error".to_owned(),
        errors => format!("{errors} errors"),
    };
    let all = decided.len() + not_decided.len() + not_judged.len();
    let hold = decided.iter().filter(|d| d.holds).count();
    let mut text = format!("{count}. Guarantees: this build decides {} of {all}, {hold} hold; ", decided.len());
    text += &format!("{cells_visited} envelope cells visited, {cells_reachable} of them reachable.");
    for one in decided {
        let said = match (one.holds, one.remark.as_str()) {
            (true, "") => "holds".to_owned(),
            (true, remark) => format!("holds: {remark}"),
            (false, _) => "is broken, see above".to_owned(),
        };
        text += &format!("\n  {} {said}", one.name);
    }
    if !not_decided.is_empty() {
        text += &format!("\n  kept in the plan, not decided by this build: {}", not_decided.join(", "));
    }
    if !not_judged.is_empty() {
        text += &format!("\n  not judged, sections they read have errors: {}", not_judged.join(", "));
    }
    text
}

fn summary_json(compiled: &Compiled) -> serde_json::Value {
    let proofs = &compiled.proofs;
    let decided: Vec<_> = proofs
        .decided
        .iter()
        .map(|d| serde_json::json!({"name": d.name, "holds": d.holds, "remark": d.remark}))
        .collect();
    serde_json::json!({
        "schema": 1,
        "kind": "summary",
        "plan": compiled.plan.as_ref().map(|sealed| sealed.hash.short()),
        "errors": errors(compiled),
        "cells_visited": proofs.cells_visited,
        "cells_reachable": proofs.cells_reachable,
        "guarantees": decided,
        "not_decided": proofs.not_decided,
        "not_judged": proofs.not_judged,
    })
}

/// When several apply: 6 before 1.
fn exit_of(compiled: &Compiled) -> Exit {
    let broken = |found: &Diagnostic| found.is_error() && matches!(found.code, Code::E0501 | Code::E0901 | Code::E0902);
    if compiled.diagnostics.iter().any(broken) {
        return Exit::GuaranteeBroken;
    }
    if errors(compiled) > 0 { Exit::PolicyErrors } else { Exit::Fine }
}
