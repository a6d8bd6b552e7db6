//! `facteur snapshot`.

use clap::Args;

use crate::Exit;

#[derive(Args)]
pub struct SnapshotArgs {}

pub fn run(_args: &SnapshotArgs) -> Exit {
    eprintln!("facteur snapshot: not built yet");
    Exit::Trouble
}
