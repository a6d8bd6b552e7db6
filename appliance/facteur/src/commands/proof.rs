//! `facteur proof`.

use clap::Args;

use crate::Exit;

#[derive(Args)]
pub struct ProofArgs {}

pub fn run(_args: &ProofArgs) -> Exit {
    eprintln!("facteur proof: not built yet");
    Exit::Trouble
}
