//! `facteur spam`: what the spam passes see, and what they are taught.

mod explain;
mod verdict;

use clap::{Args, Subcommand};

use crate::Exit;
use crate::commands::live;

#[derive(Args)]
pub struct SpamArgs {
    #[command(subcommand)]
    command: SpamCommand,
}

#[derive(Subcommand)]
enum SpamCommand {
    /// Print each reason of the score of a message
    Explain(explain::ExplainArgs),
    #[command(flatten)]
    Live(live::spam::LiveCommand),
}

pub fn run(args: &SpamArgs) -> Exit {
    match &args.command {
        SpamCommand::Explain(args) => explain::run(args),
        SpamCommand::Live(command) => live::spam::run(command),
    }
}
