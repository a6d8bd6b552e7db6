//! Tests that cannot run here say so, aloud; `tests/run` counts them and, in CI, allows a missing corpus only.

use std::io::Write;

/// Why a test did not run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Missing<'a> {
    /// The corpus is not part of the tree.
    Corpus,
    /// A program of this name, from a Debian package.
    Program(&'a str),
    /// A package of npm, which npm does not get.
    Package(&'a str),
    /// The test takes another user's place, which only root can.
    Root,
}

/// Says that `test` did not run: on standard error, and in the file `FACTEUR_SKIPS` names.
///
/// Panics in CI for anything but the corpus: there the packages are installed.
#[track_caller]
pub fn skip(test: &str, missing: Missing<'_>) {
    let reason = match missing {
        Missing::Corpus => "no corpus here (FACTEUR_CORPUS)".to_string(),
        Missing::Root => "not root".to_string(),
        Missing::Package(name) => format!("no `{name}` here (`npm pack` gets it, once)"),
        Missing::Program(name) => format!("no `{name}` here (tests/packages)"),
    };
    let in_ci = std::env::var("CI").is_ok_and(|value| value == "true");
    assert!(!in_ci || missing == Missing::Corpus, "skipped in CI: {test}: {reason}");
    eprintln!("SKIP {test}: {reason}");
    if let Ok(path) = std::env::var("FACTEUR_SKIPS") {
        let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
        let written = file.and_then(|mut file| writeln!(file, "SKIP {test}: {reason}"));
        written.unwrap_or_else(|error| panic!("FACTEUR_SKIPS: {error}"));
    }
}
