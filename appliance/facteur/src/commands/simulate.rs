//! `facteur simulate`.

use clap::Args;

use crate::Exit;

#[derive(Args)]
pub struct SimulateArgs {}

pub fn run(_args: &SimulateArgs) -> Exit {
    eprintln!("facteur simulate: not built yet");
    Exit::Trouble
}
