//! Suggested edits of the examples: made, they take the code away and bring no other.

use super::catalogue::{compiled, files};
use super::*;
use crate::diagnostic::Edit;
use crate::examples;

/// The text with all edits of one finding made.
fn edited(text: &str, edits: &[Edit]) -> String {
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.span.start));
    let mut text = text.to_owned();
    for edit in edits {
        text.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.text);
    }
    text
}

#[test]
fn suggested_edits_of_scanning_and_people_mend_what_they_are_about() {
    let mut wrong = Vec::new();
    let mut tried = 0;
    let ours = |code: &str| code[1..].starts_with("07") || code[1..].starts_with("08");
    for example in examples::all().filter(|example| ours(example.code.as_str())) {
        let Some((bad, entry)) = files(example.setting, example.good, example.bad) else { continue };
        let before = compiled(&bad, entry);
        let codes: Vec<Code> = before.diagnostics.iter().map(|found| found.code).collect();
        for found in before.diagnostics.iter().filter(|found| found.code == example.code && !found.fix.is_empty()) {
            let name = before.sources.name(found.fix[0].span.file).to_owned();
            let text = edited(&bad.0[&name], &found.fix);
            let mut mended = Files(bad.0.clone());
            mended.0.insert(name, text.clone());
            let after = compiled(&mended, entry);
            let new: Vec<Code> =
                after.diagnostics.iter().map(|found| found.code).filter(|c| !codes.contains(c)).collect();
            if !new.is_empty()
                || after.diagnostics.iter().filter(|f| f.code == example.code).count()
                    >= codes.iter().filter(|c| **c == example.code).count()
            {
                wrong.push(format!("{}: {new:?}\n{:?}\n{text}", example.code, found.fix));
            }
            tried += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(tried >= 20, "{tried} edits were tried");
}
