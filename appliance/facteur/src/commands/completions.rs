//! `facteur completions`: what a shell needs to complete the commands.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::Exit;
use crate::cli::Cli;

#[derive(Args)]
pub struct CompletionsArgs {
    /// The shell they are for
    #[arg(value_enum)]
    pub shell: Shell,
}

pub fn run(args: &CompletionsArgs) -> Exit {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "facteur", &mut text);
    say!("{}", String::from_utf8_lossy(&text).trim_end());
    Exit::Fine
}
