//! `facteur verify`: a second, small checker that reads only the octets of a plan.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use policy::verify::{Fault, verify};

use crate::Exit;
use crate::cli::Format;

/// Read one octet more than a plan may have, so that a longer one is seen to be.
const PLAN_OCTETS_MAX: u64 = (4 << 20) + 1;

#[derive(Args)]
pub struct VerifyArgs {
    /// Plans written by `facteur compile`
    #[arg(required = true, value_name = "PLAN")]
    pub plans: Vec<PathBuf>,
    #[arg(long, value_enum, default_value = "human")]
    pub format: Format,
}

pub fn run(args: &VerifyArgs) -> Exit {
    args.plans.iter().fold(Exit::Fine, |exit, path| exit.or(one(path, args.format)))
}

fn one(path: &Path, format: Format) -> Exit {
    let mut octets = Vec::new();
    let read = crate::files::open(path).and_then(|file| file.take(PLAN_OCTETS_MAX).read_to_end(&mut octets));
    if let Err(error) = read {
        eprintln!("facteur: {}: {error}", path.display());
        return Exit::Trouble;
    }
    match verify(&octets) {
        Ok(hash) => {
            match format {
                Format::Human => say!("{}: sound, {hash}, hash {}", path.display(), hash.full()),
                Format::Json => say!(
                    "{}",
                    serde_json::json!({"schema": 1, "kind": "verified",
                    "file": path.display().to_string(), "plan": hash.short(), "hash": hash.full()})
                ),
            }
            Exit::Fine
        }
        Err(faults) => {
            faults.iter().for_each(|fault| say_fault(path, fault, format));
            Exit::PolicyErrors
        }
    }
}

fn say_fault(path: &Path, fault: &Fault, format: Format) {
    match format {
        Format::Human if fault.line == 0 => eprintln!("{}: {fault}", path.display()),
        Format::Human => eprintln!("{}:{}: {fault}", path.display(), fault.line),
        Format::Json => say!(
            "{}",
            serde_json::json!({"schema": 1, "kind": "fault",
            "file": path.display().to_string(), "line": fault.line,
            "code": fault.code.map(|code| code.as_str()), "message": fault.what})
        ),
    }
}
