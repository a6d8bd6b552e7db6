//! Names a crate or a module may not have, and what may stand at the top of the tree.

use super::Fault;

/// A thing has a name; these say nothing.
const FORBIDDEN: [&str; 5] = ["common", "utils", "core", "helpers", "misc"];

/// Everything at the top of the tree beside dot files.
const TOP: [&str; 11] = [
    "Cargo.toml",
    "compiler",
    "runtime",
    "policies",
    "appliance",
    "tests",
    "README.md",
    "Cargo.lock",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "rustfmt.toml",
];

/// Faults in the names of these paths.
pub fn faults(paths: &[String]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for path in paths {
        let stem = path.trim_end_matches(".rs");
        for part in stem.split('/').filter(|part| FORBIDDEN.contains(part)) {
            faults.push(fault("name", path, format!("`{part}` names nothing")));
        }
        let top = path.split('/').next().unwrap_or(path);
        if !top.starts_with('.') && !TOP.contains(&top) {
            faults.push(fault("top-level", top, "does not belong at the top of the tree".into()));
        }
    }
    for expected in TOP {
        if !paths.iter().any(|path| path.split('/').next() == Some(expected)) {
            faults.push(fault("top-level", expected, "is missing".into()));
        }
    }
    faults.sort();
    faults.dedup();
    faults
}

fn fault(rule: &'static str, place: &str, says: String) -> Fault {
    Fault { rule, place: place.into(), line: 0, says }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(extra: &str) -> Vec<(&'static str, String)> {
        let paths: Vec<String> = TOP.into_iter().chain([extra]).map(String::from).collect();
        faults(&paths).into_iter().map(|fault| (fault.rule, fault.place)).collect()
    }

    #[test]
    fn names_that_say_nothing_are_faults() {
        assert_eq!(found("runtime/core/src/lib.rs"), [("name", "runtime/core/src/lib.rs".into())]);
        assert_eq!(found("runtime/mail/src/helpers.rs"), [("name", "runtime/mail/src/helpers.rs".into())]);
        assert_eq!(found("runtime/mail/src/scores.rs"), []);
    }

    #[test]
    fn strangers_at_the_top_are_faults_and_dot_files_are_not() {
        assert_eq!(found("notes.txt"), [("top-level", "notes.txt".into())]);
        assert_eq!(found(".gitignore"), []);
    }

    #[test]
    fn what_belongs_at_the_top_must_be_there() {
        let paths: Vec<String> = TOP.into_iter().filter(|it| *it != "README.md").map(String::from).collect();
        assert_eq!(faults(&paths)[0].place, "README.md");
    }
}
