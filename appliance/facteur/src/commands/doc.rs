//! `facteur doc`.

use clap::Args;

use crate::Exit;

#[derive(Args)]
pub struct DocArgs {}

pub fn run(_args: &DocArgs) -> Exit {
    eprintln!("facteur doc: not built yet");
    Exit::Trouble
}
