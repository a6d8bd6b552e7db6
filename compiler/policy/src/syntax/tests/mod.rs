//! Tests of reading and decoding as a whole. `model` is a policy in small; the policy of Nantes is the one the
//! repository ships.

mod decoding;
mod model;
mod oracle;
mod reading;

use super::{Document, FileId, read};
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Sources};

pub(super) const NANTES: &str = include_str!("../../../../../policies/nantes/policy.ron");

pub(super) const STAGING: &str = include_str!("../../../../../policies/nantes/staging.ron");

/// Reads a text that stands alone.
fn read_alone(text: &str) -> (Document, Vec<Diagnostic>) {
    let mut sink = Vec::new();
    let document = read(FileId(0), text, &mut sink);
    (document, sink)
}

/// Code, line and text of the place of each diagnostic.
fn places(text: &str, found: &[Diagnostic]) -> Vec<(Code, u32, String)> {
    let mut sources = Sources::new();
    sources.add("policy.ron", text);
    let place = |diagnostic: &Diagnostic| {
        let span = diagnostic.place().expect("the reader and the decoder give every diagnostic a place");
        (diagnostic.code, sources.range(span).0.line, sources.slice(span).to_owned())
    };
    found.iter().map(place).collect()
}

fn codes(found: &[Diagnostic]) -> Vec<Code> {
    found.iter().map(|diagnostic| diagnostic.code).collect()
}

fn drawn(text: &str, found: &[Diagnostic]) -> String {
    let mut sources = Sources::new();
    sources.add("policy.ron", text);
    let drawn: Vec<String> = found.iter().map(|d| crate::render::human::render(d, &sources, false)).collect();
    drawn.join("\n\n")
}
