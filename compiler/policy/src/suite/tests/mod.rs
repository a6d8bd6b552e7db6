//! The machinery of policy tests, on the policies that ship and on small files.

mod mistakes;
mod oracle;
mod runs;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::{Asked, Recorded, Report, read, run};
use crate::codes::Code;
use crate::compile::{LoadError, Loader, Sealed, compile};
use crate::diagnostic::{Diagnostic, Sources};
use crate::people::Directory;

const NANTES: &str = include_str!("../../../../../policies/nantes/policy.ron");
const NANTES_PEOPLE: &str = include_str!("../../../../../policies/nantes/people.ron");
const NANTES_TESTS: &str = include_str!("../../../../../policies/nantes/limits.test.ron");
const NEIGHBOURS: &str = include_str!("../../tests/neighbours.ron");

struct Files {
    policy: &'static str,
    people: &'static str,
}

impl Loader for Files {
    fn load(&self, name: &str) -> Result<String, LoadError> {
        match name {
            "policy.ron" => Ok(self.policy.to_owned()),
            "people.ron" if !self.people.is_empty() => Ok(self.people.to_owned()),
            _ => Err(LoadError::NotFound),
        }
    }
}

/// A policy compiled once.
#[derive(Clone)]
struct Ready {
    sealed: Sealed,
    people: Directory,
    sources: Sources,
}

fn ready(policy: &'static str, people: &'static str) -> Ready {
    let compiled = compile(&Files { policy, people }, "policy.ron").expect("the text is there");
    let sealed = compiled.plan.expect("the policy is sound");
    Ready { sealed, people: compiled.people.unwrap_or_default(), sources: compiled.sources }
}

fn nantes() -> Ready {
    static READY: LazyLock<Ready> = LazyLock::new(|| ready(NANTES, NANTES_PEOPLE));
    READY.clone()
}

fn neighbours() -> Ready {
    ready(NEIGHBOURS, "")
}

/// Plays a file; the second value is what is wrong with it.
fn play(ready: Ready, text: &str, recorded: Option<&Recorded>) -> (Report, Vec<Diagnostic>) {
    let Ready { sealed, people, mut sources } = ready;
    let mut found = Vec::new();
    let tests = read(&mut sources, "t.test.ron", text, &mut found);
    let (asked, mut hits) = (Asked { recorded, ..Asked::default() }, BTreeSet::new());
    let report = run(&tests, &sealed, &people, &sources, asked, &mut hits, &mut found);
    (report, found)
}

/// A file with one case.
fn case(given: &str, when: &str, expect: &str) -> String {
    format!("Tests(cases: [Case(name: \"it\", given: ({given}), when: [{when}], expect: [{expect}])])")
}

/// Plays one case, which must have no mistake, and says what is wrong with it; nothing when it passes.
#[track_caller]
fn played(ready: Ready, given: &str, when: &str, expect: &str) -> String {
    let (report, found) = play(ready, &case(given, when, expect), None);
    assert!(found.is_empty(), "{found:#?}");
    assert_eq!(report.cases.len(), 1);
    let case = &report.cases[0];
    if case.passed() { String::new() } else { case.human() }
}

/// Codes and lines of what is wrong with a file of Nantes.
fn mistakes(text: &str) -> Vec<(Code, u32)> {
    let ready = nantes();
    let mut sources = ready.sources.clone();
    let file = sources.add("t.test.ron", text);
    let (report, found) = play(ready, text, None);
    assert!(report.cases.is_empty() || found.is_empty(), "a file with mistakes is not played");
    let line = |found: &Diagnostic| found.place().map_or(0, |place| sources.position(file, place.start).line);
    found.iter().map(|found| (found.code, line(found))).collect()
}
