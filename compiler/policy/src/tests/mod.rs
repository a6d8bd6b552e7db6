//! The compiler on whole policies: those of this repository, and changes to them.

mod audit;
mod bounds;
mod catalogue;
mod compose;
mod determinism;
mod directory;
mod examples;
mod families;
mod large;
mod mail_flow;
mod observed;
mod people;
mod proofs;
mod soundness;
mod verify;
mod whole;

use std::collections::BTreeMap;

use crate::codes::Code;
use crate::{Compiled, LoadError, Loader, compile};

pub(crate) const NANTES: &str = include_str!("../../../../policies/nantes/policy.ron");
pub(crate) const NANTES_PEOPLE: &str = include_str!("../../../../policies/nantes/people.ron");
pub(crate) const OFFICE: &str = include_str!("../../../../policies/office/policy.ron");
pub(crate) const OFFICE_PEOPLE: &str = include_str!("../../../../policies/office/people.ron");
pub(crate) const BENCH: &str = include_str!("../../../../policies/bench/policy.ron");
pub(crate) const BENCH_PEOPLE: &str = include_str!("../../../../policies/bench/people.ron");

/// Files by name.
pub(crate) struct Files(pub BTreeMap<String, String>);

impl Loader for Files {
    fn load(&self, name: &str) -> Result<String, LoadError> {
        self.0.get(name).cloned().ok_or(LoadError::NotFound)
    }
}

/// Compiles one text without people.
pub(crate) fn check(text: &str) -> Compiled {
    let files = Files([("policy.ron".to_owned(), text.to_owned())].into());
    compile(&files, "policy.ron").expect("the file is there")
}

/// Compiles a text with people beside it.
pub(crate) fn check_with(text: &str, people: &str) -> Compiled {
    let files = [("x/policy.ron".to_owned(), text.to_owned()), ("x/people.ron".to_owned(), people.to_owned())];
    compile(&Files(files.into()), "x/policy.ron").expect("the file is there")
}

/// `text` with the one place where `from` stands replaced.
pub(crate) fn with(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "{from:?} stands once");
    text.replacen(from, to, 1)
}

/// Codes and lines of the errors.
pub(crate) fn errors(compiled: &Compiled) -> Vec<(Code, u32)> {
    let errors = compiled.diagnostics.iter().filter(|found| found.is_error());
    errors
        .map(|found| {
            let line = found.place().map_or(0, |span| compiled.sources.position(span.file, span.start).line);
            (found.code, line)
        })
        .collect()
}

/// The line, from 1, on which `needle` first stands.
pub(crate) fn line_of(text: &str, needle: &str) -> u32 {
    let at = text.find(needle).unwrap_or_else(|| panic!("{needle:?} stands in the text"));
    text[..at].matches('\n').count() as u32 + 1
}

/// The plan's text, or a panic that shows what was wrong.
pub(crate) fn plan_text(text: &str) -> String {
    let compiled = check(text);
    match compiled.plan {
        Some(sealed) => sealed.text,
        None => panic!("no plan: {:#?}", compiled.diagnostics),
    }
}
