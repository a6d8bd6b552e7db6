//! Programs a test starts: ours, and those of Debian.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The built `facteur`: `FACTEUR_BIN`, else the one in the target folder this test was built into.
pub fn facteur() -> PathBuf {
    if let Ok(path) = std::env::var("FACTEUR_BIN") {
        return path.into();
    }
    let test = std::env::current_exe().expect("a test knows where it is");
    let built = test.ancestors().map(|folder| folder.join("facteur")).find(|path| path.is_file());
    built.unwrap_or_else(|| panic!("no `facteur` above {}: run `cargo build --workspace` first", test.display()))
}

/// A program of this machine, wherever `PATH` or Debian's `sbin` has it.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    let folders = path.split(':').chain(["/usr/sbin", "/usr/bin"]);
    folders.map(|folder| Path::new(folder).join(name)).find(|path| path.is_file())
}

/// The top of the tree.
pub fn top() -> PathBuf {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    top.expect("this package lies in the tree").to_path_buf()
}

/// Runs a command to its end and gives its exit code, standard output and standard error as text.
pub fn run(command: &mut Command) -> Ran {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    Ran::of(output)
}

/// What a program said and how it ended.
#[derive(Debug)]
pub struct Ran {
    /// Nothing when a signal ended it.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    fn of(output: Output) -> Ran {
        Ran {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Fails with everything the program said unless it ended with `code`.
    #[track_caller]
    pub fn ends(self, code: i32) -> Ran {
        assert_eq!(self.code, Some(code), "\n--- out\n{}\n--- err\n{}", self.out, self.err);
        self
    }
}
