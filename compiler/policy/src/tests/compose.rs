//! Includes and overlays: what they make, and what is said about them in which file.

use super::*;

const STAGING: &str = include_str!("../../../../policies/nantes/staging.ron");

fn files(files: &[(&str, &str)]) -> Files {
    Files(files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
}

/// Code, file and line of every error.
fn places(compiled: &Compiled) -> Vec<(Code, String, u32)> {
    let errors = compiled.diagnostics.iter().filter(|found| found.is_error());
    let place = |found: &crate::diagnostic::Diagnostic| {
        let span = found.place().expect("an error has a place");
        let line = compiled.sources.position(span.file, span.start).line;
        (found.code, compiled.sources.name(span.file).to_owned(), line)
    };
    errors.map(place).collect()
}

#[test]
fn the_test_platform_of_nantes_compiles() {
    let files =
        files(&[("nantes/policy.ron", NANTES), ("nantes/people.ron", NANTES_PEOPLE), ("nantes/staging.ron", STAGING)]);
    let compiled = compile(&files, "nantes/staging.ron").expect("the file is there");
    assert_eq!(places(&compiled), []);
    let text = compiled.plan.expect("a plan").text;
    println!("{text}");
    assert!(!text.contains("\"mx.univ-nantes.fr") && text.contains("\"mx.test.univ-nantes.fr"), "{text}");
    assert!(compiled.people.is_some());
}
