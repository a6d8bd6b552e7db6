//! Includes and overlays: what they make, and what is said about them in which file.

mod edits;
mod hostile;
mod mending;
mod parts;
mod staging;

use super::*;
use crate::diagnostic::Diagnostic;

/// The test platform this repository ships.
const STAGING: &str = include_str!("../../../../policies/nantes/staging.ron");

fn files(files: &[(&str, &str)]) -> Files {
    Files(files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
}

/// Nantes with a list of includes.
fn including(names: &str) -> String {
    NANTES.replacen("Policy(", &format!("Policy(\n    include: [{names}],"), 1)
}

/// Nantes in which `base` is the base of one overlay with these fields.
fn overlaid(fields: &str) -> Compiled {
    over(NANTES, fields)
}

fn over(base: &str, fields: &str) -> Compiled {
    let overlay = format!("Overlay(\n    base: \"base\",\n{fields}\n)\n");
    compile(&files(&[("x/base.ron", base), ("x/over.ron", &overlay)]), "x/over.ron").expect("the file is there")
}

/// Code, file and line of one finding.
fn place(compiled: &Compiled, found: &Diagnostic) -> (Code, String, u32) {
    let span = found.place().expect("what is found has a place");
    let line = compiled.sources.position(span.file, span.start).line;
    (found.code, compiled.sources.name(span.file).to_owned(), line)
}

/// Code, file and line of every error.
fn places(compiled: &Compiled) -> Vec<(Code, String, u32)> {
    compiled.diagnostics.iter().filter(|found| found.is_error()).map(|found| place(compiled, found)).collect()
}

/// The only error, with the text its caret covers.
fn only(compiled: &Compiled, code: Code) -> (&Diagnostic, &str) {
    let errors: Vec<&Diagnostic> = compiled.diagnostics.iter().filter(|found| found.is_error()).collect();
    assert!(errors.len() == 1 && errors[0].code == code, "{code} alone: {errors:#?}");
    (errors[0], compiled.sources.slice(errors[0].place().expect("an error has a place")))
}

/// The text of the plan, or a panic that shows what was wrong.
fn plan_of(compiled: &Compiled) -> &str {
    match &compiled.plan {
        Some(sealed) => &sealed.text,
        None => panic!("no plan: {:#?}", compiled.diagnostics),
    }
}

/// The text with the suggested edits of a finding made, for the file that the first of them is in.
fn mended(compiled: &Compiled, found: &Diagnostic) -> String {
    let mut fix = found.fix.clone();
    fix.sort_by_key(|edit| std::cmp::Reverse(edit.span));
    let mut text = compiled.sources.text(fix[0].span.file).to_owned();
    fix.iter().for_each(|edit| text.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.text));
    text
}
