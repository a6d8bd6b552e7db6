//! `facteur verify`: a second, small checker that reads only the octets of a plan.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use policy::verify::{Fault, verify};

use super::signatures::verified;
use crate::Exit;
use crate::cli::Format;

/// Read one octet more than a plan may have, so that a longer one is seen to be.
const PLAN_OCTETS_MAX: u64 = (4 << 20) + 1;

#[derive(Args)]
pub struct VerifyArgs {
    /// Plans written by `facteur compile`
    #[arg(required = true, value_name = "PLAN")]
    pub plans: Vec<PathBuf>,
    /// Is the plan signed, too? The file `compile --sign` wrote beside it
    #[arg(long, value_name = "FILE", requires = "key")]
    pub signature: Option<PathBuf>,
    /// NAME.pub of each key whose signature counts
    #[arg(long, value_name = "PUBLIC", requires = "signature", num_args = 1..)]
    pub key: Vec<PathBuf>,
    /// So many of them have to have signed
    #[arg(long, value_name = "N", requires = "signature", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..))]
    pub needed: u8,
    #[arg(long, value_enum, default_value = "human")]
    pub format: Format,
}

pub fn run(args: &VerifyArgs) -> Exit {
    args.plans.iter().fold(Exit::Fine, |exit, path| exit.or(one(path, args)))
}

fn one(path: &Path, args: &VerifyArgs) -> Exit {
    let format = args.format;
    let mut octets = Vec::new();
    let read = crate::files::open(path).and_then(|file| file.take(PLAN_OCTETS_MAX).read_to_end(&mut octets));
    if let Err(error) = read {
        eprintln!("facteur: {}: {error}", path.display());
        return Exit::Trouble;
    }
    match verify(&octets) {
        Ok(hash) => {
            let signed = args.signature.as_ref().map(|file| verified(file, &args.key, args.needed, &hash)).transpose();
            let by = match signed {
                Ok(by) => by.unwrap_or_default(),
                Err(why) => {
                    say_unsigned(path, &why, format);
                    return Exit::PolicyErrors;
                }
            };
            let signers = if by.is_empty() { String::new() } else { format!(", signed by {}", by.join(", ")) };
            match format {
                Format::Human => say!("{}: sound, {hash}, hash {}{signers}", path.display(), hash.full()),
                Format::Json => say!(
                    "{}",
                    serde_json::json!({"schema": 1, "kind": "verified",
                    "file": path.display().to_string(), "plan": hash.short(), "hash": hash.full(), "signed_by": by})
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

fn say_unsigned(path: &Path, why: &str, format: Format) {
    match format {
        Format::Human => eprintln!("{}: {why}", path.display()),
        Format::Json => say!(
            "{}",
            serde_json::json!({"schema": 1, "kind": "fault", "file": path.display().to_string(), "line": 0,
            "code": "E1001", "message": why})
        ),
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
