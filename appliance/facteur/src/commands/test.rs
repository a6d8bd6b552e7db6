//! `facteur test`.

use clap::Args;

use crate::Exit;

#[derive(Args)]
pub struct TestArgs {}

pub fn run(_args: &TestArgs) -> Exit {
    eprintln!("facteur test: not built yet");
    Exit::Trouble
}
