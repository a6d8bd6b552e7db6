//! `facteur spam`: what the spam passes see.

mod explain;

use clap::{Args, Subcommand};

use crate::Exit;

#[derive(Args)]
pub struct SpamArgs {
    #[command(subcommand)]
    command: SpamCommand,
}

#[derive(Subcommand)]
enum SpamCommand {
    /// Print each reason of the score of a message
    Explain(explain::ExplainArgs),
}

pub fn run(args: &SpamArgs) -> Exit {
    match &args.command {
        SpamCommand::Explain(args) => explain::run(args),
    }
}
