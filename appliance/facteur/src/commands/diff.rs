//! `facteur diff`.

use clap::Args;

use crate::Exit;

#[derive(Args)]
pub struct DiffArgs {}

pub fn run(_args: &DiffArgs) -> Exit {
    eprintln!("facteur diff: not built yet");
    Exit::Trouble
}
