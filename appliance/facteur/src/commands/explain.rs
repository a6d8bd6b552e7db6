//! `facteur explain`.

use clap::Args;

use crate::Exit;

#[derive(Args)]
pub struct ExplainArgs {}

pub fn run(_args: &ExplainArgs) -> Exit {
    eprintln!("facteur explain: not built yet");
    Exit::Trouble
}
