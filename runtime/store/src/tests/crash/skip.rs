//! A test that cannot run here says so, in the form `tests/run` counts.

use std::io::Write;

/// On standard error, and in the file `FACTEUR_SKIPS` names.
pub(super) fn skip(test: &str, reason: &str) {
    super::random::say(&format!("SKIP {test}: {reason}"));
    if let Ok(path) = std::env::var("FACTEUR_SKIPS") {
        let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
        let written = file.and_then(|mut file| writeln!(file, "SKIP {test}: {reason}"));
        written.unwrap_or_else(|error| panic!("FACTEUR_SKIPS: {error}"));
    }
}
