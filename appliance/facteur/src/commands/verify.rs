//! `facteur verify`.

use clap::Args;

use crate::Exit;

#[derive(Args)]
pub struct VerifyArgs {}

pub fn run(_args: &VerifyArgs) -> Exit {
    eprintln!("facteur verify: not built yet");
    Exit::Trouble
}
