//! The file layer of `tests/faults/faults.c`, compiled once per test and loaded into children.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::Folder;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/faults/faults.c");

pub(super) struct Layer {
    folder: Folder,
}

impl Layer {
    pub(super) fn build() -> Layer {
        let folder = Folder::new("faults");
        std::fs::create_dir_all(folder.path()).unwrap();
        let layer = Layer { folder };
        let built = Command::new("cc")
            .args(["-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o"])
            .arg(layer.library())
            .args([SOURCE, "-ldl", "-lpthread"])
            .output()
            .unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        layer
    }

    fn library(&self) -> PathBuf {
        self.folder.path().join("faults.so")
    }

    /// The environment of a child whose files below `folder` go through the layer.
    pub(super) fn variables<'a>(&self, folder: &Path, more: &[(&'a str, String)]) -> Vec<(&'a str, String)> {
        let own = [
            ("LD_PRELOAD", self.library().to_string_lossy().into_owned()),
            ("FAULTS_FOLDER", folder.to_string_lossy().into_owned()),
        ];
        own.into_iter().chain(more.iter().cloned()).collect()
    }
}
