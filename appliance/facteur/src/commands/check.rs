//! `facteur check`: everything that is wrong with a policy. Writes nothing.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use clap::Args;
use plan::Plan;
use policy::codes::Code;
use policy::compile::{Compiled, Inputs, LoadError, Loader};
use policy::diagnostic::Level;
use policy::model::literal::Date;

use super::report::Report;
use super::{compiled_with, exit_of, today};
use crate::Exit;
use crate::cli::Format;
use crate::files::Disk;

/// How often `--watch` looks whether a file was saved.
const LOOK_EVERY: Duration = Duration::from_millis(200);

#[derive(Args)]
pub struct CheckArgs {
    /// A policy or overlay, or a folder with policy.ron and people.ron
    pub policy: PathBuf,
    /// Check again on each save, until interrupted
    #[arg(long)]
    pub watch: bool,
    /// End with 3 if one of these lints is found and not waived: L0307,L0312 or `all`
    #[arg(long, value_name = "LINTS", value_delimiter = ',')]
    pub deny: Vec<Denied>,
    /// Show each lint with its lines, the waived ones too
    #[arg(long)]
    pub all: bool,
    /// Show the lints of these kinds with their lines
    #[arg(long, value_name = "LINTS", value_delimiter = ',', value_parser = lint)]
    pub lint: Vec<Code>,
    /// The day end dates are judged on, YYYY-MM-DD [default: this day]
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub today: Option<Date>,
    /// The plan that runs now: limits that change by more than ×4 are asked about (L0310)
    #[arg(long, value_name = "PLAN")]
    pub deployed: Option<PathBuf>,
    #[arg(long, value_enum, default_value = "human")]
    pub format: Format,
}

/// What `--deny` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    All,
    Lint(Code),
}

impl std::str::FromStr for Denied {
    type Err = String;

    fn from_str(text: &str) -> Result<Denied, String> {
        if text == "all" { Ok(Denied::All) } else { lint(text).map(Denied::Lint) }
    }
}

fn lint(text: &str) -> Result<Code, String> {
    match text.parse::<Code>() {
        Ok(code) if code.is_lint() => Ok(code),
        Ok(_) => Err("an error ends the run anyway; name a lint, such as L0307".to_owned()),
        Err(_) => Err("no such lint; `facteur explain L0307` explains one".to_owned()),
    }
}

fn day(text: &str) -> Result<Date, String> {
    Date::of(text).ok_or_else(|| "a day is written 2026-11-23".to_owned())
}

pub fn run(args: &CheckArgs) -> Exit {
    let deployed = match args.deployed.as_deref().map(plan_file).transpose() {
        Ok(deployed) => deployed,
        Err(exit) => return exit,
    };
    if args.watch { watch(args, deployed.as_ref()) } else { once(args, deployed.as_ref(), &Disk) }
}

/// A plan read for comparison; what is wrong with it is said.
fn plan_file(path: &Path) -> Result<Plan, Exit> {
    let name = path.to_string_lossy();
    let trouble = |why: String| {
        eprintln!("facteur: {name}: {why}");
        Exit::Trouble
    };
    let text = Disk.load(&name).map_err(|error| trouble(error.to_string()))?;
    plan::read(&text).map(|(plan, _)| plan).map_err(|error| trouble(error.to_string()))
}

fn once(args: &CheckArgs, deployed: Option<&Plan>, files: &dyn Loader) -> Exit {
    let today = args.today.clone().unwrap_or_else(today);
    let inputs = Inputs { today: Some(&today), deployed };
    let compiled = match compiled_with(files, &args.policy, inputs) {
        Ok(compiled) => compiled,
        Err(exit) => return exit,
    };
    let denied = denied(&args.deny, &compiled);
    let mut shown = args.lint.clone();
    shown.extend(&denied);
    Report { all: args.all, shown }.print(&compiled, args.format);
    if denied.is_empty() {
        return exit_of(&compiled);
    }
    if args.format == Format::Human {
        let names: Vec<&str> = denied.iter().map(|code| code.as_str()).collect();
        eprintln!("denied: {}", names.join(", "));
    }
    exit_of(&compiled).or(Exit::LintsDenied)
}

/// The denied lints that were found and nobody waived, once each.
fn denied(deny: &[Denied], compiled: &Compiled) -> Vec<Code> {
    let found = compiled.diagnostics.iter().filter(|found| found.level == Level::Lint && !found.waived);
    let mut codes: Vec<Code> = found
        .map(|found| found.code)
        .filter(|code| deny.iter().any(|one| matches!(one, Denied::All) || *one == Denied::Lint(*code)))
        .collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// The disk, and what was asked of it: the files whose saving matters.
#[derive(Default)]
struct Watched {
    seen: RefCell<BTreeMap<String, Option<(SystemTime, u64)>>>,
}

/// When and how long a file is; `None` when there is none.
fn state(name: &str) -> Option<(SystemTime, u64)> {
    let metadata = fs::metadata(name).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

impl Loader for Watched {
    fn load(&self, name: &str) -> Result<String, LoadError> {
        // Before reading: what is saved in between is looked at again.
        self.seen.borrow_mut().insert(name.to_owned(), state(name));
        Disk.load(name)
    }
}

impl Watched {
    /// The name of a file that is not as it was read.
    fn changed(&self) -> Option<String> {
        let seen = self.seen.borrow();
        seen.iter().find(|(name, then)| state(name) != **then).map(|(name, _)| name.clone())
    }
}

fn watch(args: &CheckArgs, deployed: Option<&Plan>) -> Exit {
    loop {
        let files = Watched::default();
        once(args, deployed, &files);
        let changed = loop {
            thread::sleep(LOOK_EVERY);
            if let Some(name) = files.changed() {
                break name;
            }
        };
        eprintln!("\n──── {changed} was saved ────");
    }
}
