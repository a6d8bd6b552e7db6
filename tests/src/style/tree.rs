//! The files of the tree, as they lie on the disk.

use std::fs;
use std::path::{Path, PathBuf};

/// One file: its path from the top, with `/`, and its text; no text when it is not UTF-8.
pub struct File {
    pub path: String,
    pub text: Option<String>,
}

impl File {
    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether all of it is test code: under a `tests` folder, or the file of a module of that name.
    pub fn is_test(&self) -> bool {
        let inside = |name: &str| self.path.starts_with(&name[1..]) || self.path.contains(name);
        inside("/tests/") || self.path.ends_with("/tests.rs")
    }

    /// The text, empty when there is none.
    pub fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }
}

/// The top of the tree: the folder above this package.
pub fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All files below `top` in order of path, without what builds and tools leave behind.
pub fn files(top: &Path) -> Vec<File> {
    let mut found = Vec::new();
    walk(top, "", &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn walk(folder: &Path, prefix: &str, found: &mut Vec<File>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let entry = entry.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        if left_behind(&path, &name) {
            continue;
        }
        // A file may be renamed by an editor while the walk goes on: what is gone is no fault.
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            walk(&entry.path(), &format!("{path}/"), found);
        } else if let Ok(bytes) = fs::read(entry.path()) {
            found.push(File { path, text: String::from_utf8(bytes).ok() });
        }
    }
}

/// What `.gitignore` leaves out, and git itself.
fn left_behind(path: &str, name: &str) -> bool {
    matches!(path, ".git" | "target" | "tests/fuzz/target") || name == "__pycache__" || name.ends_with(".snap.new")
}
