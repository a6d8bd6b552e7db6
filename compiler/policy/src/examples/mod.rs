//! A bad and a good example for every code that is judged: what `facteur explain CODE` prints, and what the tests compile.

mod accounts;
mod clients;
mod commands;
mod composition;
mod guarantees;
mod keeping;
mod limits;
mod mail_flow;
mod names;
mod outward;
mod people;
mod reading;
mod redirects;
mod response;
mod scanning;
mod waivers;

use crate::codes::Code;

/// What surrounds the text of an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// Sections of a policy; the others are those of the base.
    Sections(Base),
    /// The fields of a `People(…)` beside the base.
    People(Base),
    /// The fields of an `Overlay(…)` whose base is `"base"`.
    Overlay(Base),
    /// The fields of a `Part(…)` that the base includes.
    Part(Base),
    /// No file decides: the command that says it, as typed. Tested where the command is.
    Command,
}

/// A whole policy of this repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// `policies/office`: everything by default.
    Office,
    /// `policies/nantes`: everything written.
    Nantes,
    /// Passed-on domains, a gateway, applications, a grant (policy-language.md 4.5).
    Neighbours,
}

/// One code, explained.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    pub code: Code,
    pub setting: Setting,
    /// Why it matters, in one to three sentences.
    pub why: &'static str,
    /// What gives the code: whole sections, as text.
    pub bad: &'static str,
    /// Stands once in the line of `bad` that is pointed at.
    pub caret: &'static str,
    /// The same, mended: the code is gone and no error is left.
    pub good: &'static str,
}

/// Every example, in the order of the catalogue.
pub fn all() -> impl Iterator<Item = &'static Example> {
    let families = [
        reading::EXAMPLES,
        names::EXAMPLES,
        composition::EXAMPLES,
        waivers::EXAMPLES,
        limits::EXAMPLES,
        clients::EXAMPLES,
        mail_flow::EXAMPLES,
        outward::EXAMPLES,
        redirects::EXAMPLES,
        scanning::EXAMPLES,
        response::EXAMPLES,
        accounts::EXAMPLES,
        people::EXAMPLES,
        keeping::EXAMPLES,
        guarantees::EXAMPLES,
        commands::EXAMPLES,
    ];
    families.into_iter().flatten()
}

/// The first example of a code.
pub fn of(code: Code) -> Option<&'static Example> {
    all().find(|example| example.code == code)
}
