//! `facteur fmt`.

use clap::Args;

use crate::Exit;

#[derive(Args)]
pub struct FmtArgs {}

pub fn run(_args: &FmtArgs) -> Exit {
    eprintln!("facteur fmt: not built yet");
    Exit::Trouble
}
