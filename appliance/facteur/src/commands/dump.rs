//! `facteur dump`: the plan of a policy, printed.

use std::path::PathBuf;

use clap::Args;

use super::report::Report;
use super::{compiled, exit_of};
use crate::Exit;
use crate::cli::Format;

#[derive(Args)]
pub struct DumpArgs {
    /// A policy file, or a folder with policy.ron
    pub policy: PathBuf,
}

/// Prints the plan's text.
pub fn run(args: &DumpArgs) -> Exit {
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
            Report::default().print(&compiled, Format::Human);
            exit_of(&compiled)
        }
    }
}
