//! `facteur completions`.

use clap::Args;

use crate::Exit;

#[derive(Args)]
pub struct CompletionsArgs {}

pub fn run(_args: &CompletionsArgs) -> Exit {
    eprintln!("facteur completions: not built yet");
    Exit::Trouble
}
