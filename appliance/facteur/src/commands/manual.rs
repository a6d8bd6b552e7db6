//! `facteur manual`.

use clap::Args;

use crate::Exit;

#[derive(Args)]
pub struct ManualArgs {}

pub fn run(_args: &ManualArgs) -> Exit {
    eprintln!("facteur manual: not built yet");
    Exit::Trouble
}
