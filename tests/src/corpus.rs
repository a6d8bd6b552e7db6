//! Real messages other people published. They are no part of the tree: a test without them says so and ends.

use std::path::PathBuf;
use std::process::Command;

use crate::program;
use crate::scratch::Scratch;

/// The corpus: `FACTEUR_CORPUS`, else beside the folder of the project.
pub fn folder() -> Option<PathBuf> {
    let beside = || Some(program::top().parent()?.join("shared").join("corpus"));
    let path = std::env::var("FACTEUR_CORPUS").ok().map(PathBuf::from).or_else(beside)?;
    path.join("README.md").is_file().then_some(path)
}

/// Unpacks `NAME.tar.zst` of the corpus into the folder of a test.
#[track_caller]
pub fn unpack(archive: &str, into: &Scratch) -> PathBuf {
    let from = folder().expect("asked for after the corpus was found").join(archive);
    let mut command = Command::new("tar");
    command.arg("--zstd").arg("-xf").arg(from).arg("-C").arg(into.path());
    program::run(&mut command).ends(0);
    into.path().to_path_buf()
}
