//! `check`, `compile`, `dump`: what the compiler says, printed.

use std::path::Path;

use policy::codes::Code;
use policy::compile::{Compiled, Sealed, compile as compile_policy};
use policy::diagnostic::Diagnostic;
use policy::people::Directory;
use policy::render::{human, json};

use crate::Exit;
use crate::cli::{CheckArgs, CompileArgs, DumpArgs, Format};
use crate::files::{Disk, policy_files, write_whole};

/// Reads and judges; writes nothing.
pub fn check(args: &CheckArgs) -> Exit {
    let compiled = compiled(&args.policy);
    report(&compiled, args.format);
    exit_of(&compiled)
}

/// Writes the plan and its source map.
pub fn compile(args: &CompileArgs) -> Exit {
    let files = policy_files(&args.policy);
    let compiled = compiled(&args.policy);
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
    let compiled = compiled(&args.policy);
    match &compiled.plan {
        Some(sealed) => {
            print!("{}", sealed.text);
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
    let compiled = compiled(path);
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

fn compiled(path: &Path) -> Compiled {
    compile_policy(&Disk, &policy_files(path).policy)
}

fn report(compiled: &Compiled, format: Format) {
    match format {
        Format::Human => {
            for diagnostic in &compiled.diagnostics {
                eprintln!("{}", human::render(diagnostic, &compiled.sources, false));
            }
            summary(compiled);
        }
        Format::Json => {
            for diagnostic in &compiled.diagnostics {
                println!("{}", json::render(diagnostic, &compiled.sources));
            }
        }
    }
}

fn summary(_compiled: &Compiled) {}

/// When several apply: 2, 6, 1, 0.
fn exit_of(compiled: &Compiled) -> Exit {
    let errors: Vec<&Diagnostic> = compiled.diagnostics.iter().filter(|d| d.is_error()).collect();
    let _ = Code::E0501;
    if errors.is_empty() { Exit::Fine } else { Exit::PolicyErrors }
}
