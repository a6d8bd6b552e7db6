//! What is said of the policies of this repository: codes and rules, in the order of places.

use super::*;
use crate::model::literal::Date;
use crate::{Inputs, compile_with};

/// Codes of limits, clients and waivers with their rules, sorted.
fn said(text: &str) -> Vec<String> {
    let of_ours = |code: &str| {
        ["E02", "L02", "E03", "L03", "E04", "L04"].iter().any(|family| code.starts_with(family))
            || ["E0115", "L0116", "L0117"].contains(&code)
    };
    let compiled = check(text);
    let found = compiled.diagnostics.iter().filter(|found| of_ours(found.code.as_str()));
    let mut found: Vec<String> =
        found.map(|found| format!("{} {}", found.code, found.rule.as_deref().unwrap_or("?"))).collect();
    found.sort();
    found
}

#[test]
fn print() {
    for text in [NANTES, OFFICE, BENCH, include_str!("neighbours.ron")] {
        let compiled = check(text);
        for f in &compiled.diagnostics { println!("{} {:?} | {} | {:?} | {:?}", f.code, f.rule, f.message, f.notes, f.fix.iter().map(|e| (compiled.sources.slice(e.span), e.text.as_str())).collect::<Vec<_>>()); }
        println!();
    }
}
