//! `facteur dump`: the facts of a plan, one a line, or its canonical text.

use std::path::PathBuf;

use clap::Args;
use policy::table;

use super::exit_of;
use super::side::Side;
use crate::Exit;
use crate::cli::Format;

#[derive(Args)]
pub struct DumpArgs {
    /// A policy file, a folder with policy.ron, or a plan (NAME.plan.ron)
    pub policy: PathBuf,
    /// The canonical text of the plan instead of the table
    #[arg(long)]
    pub plan: bool,
}

pub fn run(args: &DumpArgs) -> Exit {
    let side = match Side::load(&args.policy, Format::Human) {
        Ok(side) => side,
        Err(exit) => return exit,
    };
    let rows = match table::table(&side.text) {
        Ok(rows) => rows,
        Err(fault) => {
            eprintln!("facteur: {}:{}: {fault}", args.policy.display(), fault.line);
            return Exit::Trouble;
        }
    };
    let text = if args.plan { side.text } else { table::aligned(&rows) };
    say!("{}", text.trim_end());
    side.compiled.as_ref().map_or(Exit::Fine, exit_of)
}
