//! The commands, one file each. Here is what those that speak of policies and plans share: compiling, and how a run ends;
//! those on live state share `live`.

pub mod appliance;
pub mod autoconfig;
pub mod check;
pub mod compile;
pub mod completions;
pub mod diff;
pub mod dns;
pub mod doc;
pub mod doctor;
pub mod dump;
mod effects;
pub mod explain;
pub mod fmt;
pub mod live;
pub mod manual;
pub mod metrics;
mod past;
pub mod proof;
pub mod replay;
mod report;
pub mod set_up;
mod side;
mod signatures;
pub mod simulate;
pub mod snapshot;
pub mod spam;
pub mod test;
pub mod verify;

use std::path::Path;

use policy::codes::Code;
use policy::compile::{Compiled, Inputs, LoadError, Loader, Sealed, compile_with};
use policy::diagnostic::Diagnostic;
use policy::model::literal::Date;
use policy::people::Directory;

use crate::Exit;
use crate::cli::Format;
use crate::files::{Disk, policy_files};
use report::Report;

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
            Report::default().print(&compiled, Format::Human);
            Err(exit_of(&compiled))
        }
    }
}

/// Compiles, judging end dates on this day. What cannot be read is said.
fn compiled(path: &Path) -> Result<Compiled, Exit> {
    let today = today();
    compiled_with(&Disk, path, Inputs { today: Some(&today), deployed: None })
}

fn compiled_with(files: &dyn Loader, path: &Path, inputs: Inputs<'_>) -> Result<Compiled, Exit> {
    let file = policy_files(path).policy;
    compile_with(files, &file, inputs).map_err(|error| {
        match error {
            LoadError::NotFound => eprintln!("facteur: {file}: there is no such file"),
            LoadError::Unreadable(why) => eprintln!("facteur: {file}: {why}"),
        }
        Exit::Trouble
    })
}

/// This day, in UTC: an end date is the last day something holds, and hours are not judged.
pub(crate) fn today() -> Date {
    Date(jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().to_string())
}

/// The time, Unix seconds.
fn unix_s() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// When several apply: 6 before 1. A guarantee is broken also where a check says it (E0401, E0701).
fn exit_of(compiled: &Compiled) -> Exit {
    let broken = |found: &Diagnostic| found.is_error() && matches!(found.code, Code::E0501 | Code::E0901 | Code::E0902);
    if compiled.diagnostics.iter().any(broken) || compiled.proofs.decided.iter().any(|decided| !decided.holds) {
        return Exit::GuaranteeBroken;
    }
    if compiled.has_errors() { Exit::PolicyErrors } else { Exit::Fine }
}
