//! The examples `facteur explain` prints, compiled: the bad one gives its code at its line and little else, the good one
//! gives neither the code nor any error.

use super::*;
use crate::codes::Standing;
use crate::diagnostic::Level;
use crate::examples::{self, Base, Example, Setting};
use crate::model::literal::Date;
use crate::syntax::read;
use crate::{Inputs, compile_with};

const NEIGHBOURS: &str = include_str!("neighbours.ron");
/// The day the examples are judged on.
const TODAY: &str = "2026-11-23";

fn base_text(base: Base) -> &'static str {
    match base {
        Base::Office => OFFICE,
        Base::Nantes => NANTES,
        Base::Neighbours => NEIGHBOURS,
    }
}

/// The base without the sections that `snippet` has, and the text of `instead` at its end.
fn replaced(base: &str, snippet: &str, instead: &str) -> String {
    let mut sources = crate::diagnostic::Sources::new();
    let whole = format!("Policy(\n{snippet}\n)");
    let file = sources.add("snippet", whole.as_str());
    let mut sink = Vec::new();
    let written: Vec<String> =
        read(file, &whole, &mut sink).sections().map(|section| section.name.to_owned()).collect();
    assert_eq!(sink, [], "the good example can be read");
    let file = sources.add("base", base);
    let document = read(file, base, &mut sink);
    let mut text = String::from("Policy(\n");
    for section in document.sections().filter(|section| !written.iter().any(|name| name == section.name)) {
        text += &format!("    {}: {},\n", section.name, document.tree().slice(section.node));
    }
    text + instead + "\n)\n"
}

/// The files of an example, the one that is compiled, and the one that holds the example's text.
pub(super) fn files(setting: Setting, good: &str, text: &str) -> Option<(Files, &'static str)> {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let mut add = |name: &str, text: String| files.insert(name.to_owned(), text);
    let entry = match setting {
        Setting::Sections(base) => {
            add("x/policy.ron", replaced(base_text(base), good, text));
            "x/policy.ron"
        }
        Setting::People(base) => {
            add("x/policy.ron", base_text(base).to_owned());
            add("x/people.ron", format!("People(\n{text}\n)\n"));
            "x/policy.ron"
        }
        Setting::Overlay(base) => {
            add("x/base.ron", base_text(base).to_owned());
            add("x/overlay.ron", format!("Overlay(\n    base: \"base\", name: \"example\",\n{text}\n)\n"));
            "x/overlay.ron"
        }
        Setting::Part(base) => {
            add("x/policy.ron", base_text(base).replacen("Policy(", "Policy(include: [\"part.ron\"],", 1));
            add("x/part.ron", format!("Part(\n{text}\n)\n"));
            "x/policy.ron"
        }
        Setting::Command => return None,
    };
    Some((Files(files), entry))
}

pub(super) fn compiled(files: &Files, entry: &str) -> Compiled {
    let today = Date(TODAY.to_owned());
    compile_with(files, entry, Inputs { today: Some(&today), deployed: None }).expect("the file is there")
}

/// What is wrong with an example, in words.
fn faults(example: &Example) -> Vec<String> {
    let Example { code, setting, bad, caret, good, .. } = example;
    let mut faults = Vec::new();
    let Some((with_bad, entry)) = files(*setting, good, bad) else { return faults };
    let bad = compiled(&with_bad, entry);
    let lines = |compiled: &Compiled| -> Vec<(Code, bool, String)> {
        let line = |found: &crate::diagnostic::Diagnostic| match found.place() {
            Some(span) => {
                let number = compiled.sources.position(span.file, span.start).line as usize;
                let text = compiled.sources.text(span.file).lines().nth(number - 1).unwrap_or_default();
                text.to_owned()
            }
            None => String::new(),
        };
        // Examples of sections stand alone: that nobody is registered beside them is no part of them.
        let shown = compiled.diagnostics.iter().filter(|found| found.rule.as_deref() != Some("people"));
        shown.map(|found| (found.code, found.is_error(), line(found))).collect()
    };
    let found = lines(&bad);
    if !found.iter().any(|(is, _, line)| is == code && line.contains(caret)) {
        faults.push(format!("{code}: the bad example is not found at {caret:?}: {found:?}"));
    }
    let others = found.iter().filter(|(is, error, _)| *error && is != code).count();
    if others > 0 {
        faults.push(format!("{code}: the bad example has other errors: {found:?}"));
    }
    if code.as_str().starts_with('E') && *code != Code::E0903 && bad.plan.is_some() && bad.people.is_some() {
        faults.push(format!("{code}: the bad example gives a plan"));
    }
    let Some((with_good, entry)) = files(*setting, good, good) else { return faults };
    let good = lines(&compiled(&with_good, entry));
    if good.iter().any(|(is, error, _)| is == code || *error) {
        faults.push(format!("{code}: the good example is not good: {good:?}"));
    }
    faults
}

#[test]
fn each_bad_example_gives_its_code_at_its_line_and_each_good_one_is_good() {
    let wrong: Vec<String> = examples::all().flat_map(faults).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn examples_explain_in_sentences() {
    for example in examples::all() {
        assert!(example.why.ends_with('.') && example.why.len() > 40, "{}: {:?}", example.code, example.why);
        assert_eq!(example.code.standing(), Standing::Judged, "{}", example.code);
        assert_eq!(example.bad.matches(example.caret).count(), 1, "{}: the caret stands once", example.code);
    }
}

/// What is wrong with the suggested edits of an example's bad text, in words.
fn bad_mending(example: &Example) -> Option<String> {
    let (mut with_bad, entry) = files(example.setting, example.good, example.bad)?;
    let bad = compiled(&with_bad, entry);
    let codes = |compiled: &Compiled| -> Vec<Code> {
        // A note is no fault: it says what could not be looked at before.
        let faults = compiled.diagnostics.iter().filter(|found| found.level != Level::Note);
        faults.map(|found| found.code).collect()
    };
    let found = bad.diagnostics.iter().find(|found| found.code == example.code && !found.fix.is_empty())?;
    let mut edits = found.fix.clone();
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.span.start));
    for edit in edits {
        let text = with_bad.0.get_mut(bad.sources.name(edit.span.file))?;
        text.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.text);
    }
    let mended = codes(&compiled(&with_bad, entry));
    let before = codes(&bad);
    let good = codes(&compiled(&files(example.setting, example.good, example.good)?.0, entry));
    // An overlay that removes less leaves the lints of its base.
    let of_base = |code: &Code| code.is_lint() && matches!(example.setting, Setting::Overlay(_));
    let known = |code: &Code| before.contains(code) || good.contains(code) || of_base(code);
    let new: Vec<&Code> = mended.iter().filter(|code| !known(code)).collect();
    let stays = mended.iter().filter(|code| **code == example.code).count();
    let gone = stays < before.iter().filter(|code| **code == example.code).count();
    (!gone || !new.is_empty()).then(|| format!("{}: gone {gone}, new {new:?}: {:?}", example.code, found.fix))
}

#[test]
fn suggested_edits_take_the_code_away_and_bring_no_other() {
    let wrong: Vec<String> = examples::all().filter_map(bad_mending).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
