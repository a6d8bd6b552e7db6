//! The corpus of broken policies: good policies with one to five slips planted in each. Every slip is reported in one
//! run, at its line, with little else; and what the compiler suggests mends it.
//!
//! A case in `broken/*.txt`:
//!
//! ```text
//! === hand: a comma is lost between two networks
//! base nantes
//! - "private":       In(["10.44.0.0/16"]),
//! + "private":       In(["10.44.0.0/16"])
//! ! E0001 "outside":       Rest
//! ```
//!
//! `-` lines stand once in the file and become the `+` lines; `in people.ron` turns to another file of the policy's
//! folder; `! CODE TEXT` is a planted slip and what stands in the line it is reported at. A title that begins with `hand:`
//! was written after a real slip; `only overlay.ron` compiles another file of the folder. To these come the bad examples
//! of `facteur explain`, and policies with several of them.

use std::collections::{BTreeMap, BTreeSet};

use policy::codes::{Code, Standing};
use policy::compile::Compiled;
use policy::diagnostic::{Diagnostic, Level, Sources};
use policy::examples::{self, Base, Example, Setting};
use policy::model::literal::Date;
use policy::syntax::read;
use policy::{Inputs, LoadError, Loader, compile_with};
use tests::program;
use tests::random::Random;

/// The day the corpus is judged on.
const TODAY: &str = "2026-11-23";
/// Cases there must be, and cases written by hand.
const CASES_MIN: usize = 200;
const BY_HAND_MIN: usize = 40;
/// Policies with several bad examples.
const TOGETHER: usize = 60;
/// Suggestions that must work, in percent.
const MENDED_PERCENT_MIN: usize = 80;

#[derive(Clone, Debug, Default)]
struct Case {
    file: String,
    line: usize,
    title: String,
    entry: String,
    files: BTreeMap<String, String>,
    planted: Vec<(Code, String)>,
}

struct Files<'c>(&'c BTreeMap<String, String>);

impl Loader for Files<'_> {
    fn load(&self, name: &str) -> Result<String, LoadError> {
        self.0.get(name).cloned().ok_or(LoadError::NotFound)
    }
}

fn compiled(case: &Case) -> Compiled {
    let today = Date::of(TODAY).expect("a day of the calendar");
    let inputs = Inputs { today: Some(&today), deployed: None };
    compile_with(&Files(&case.files), &case.entry, inputs).expect("the entry is there")
}

/// The files of a shipped policy, by the names the compiler asks for.
fn base(name: &str) -> BTreeMap<String, String> {
    let folder = program::top().join("policies").join(name);
    let mut files = BTreeMap::new();
    for file in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = file.expect("the folder can be read").path();
        let text = std::fs::read_to_string(&path).expect("policies are text");
        files.insert(format!("{name}/{}", path.file_name().unwrap_or_default().to_string_lossy()), text);
    }
    files
}

/// Reads the cases of one file.
fn cases(file: &str, text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let (mut folder, mut target) = (String::new(), String::new());
    let lines: Vec<&str> = text.lines().collect();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at += 1;
        let place = || format!("{file}:{at}: {line}");
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "" | "#" => {}
            "===" => cases.push(Case { file: file.into(), line: at, title: rest.into(), ..Case::default() }),
            "-" => {
                let take = |sign: &str, mut from: usize| {
                    let mut taken = Vec::new();
                    while let Some(text) = lines.get(from).and_then(|line| line.strip_prefix(sign)) {
                        taken.push(text.strip_prefix(' ').unwrap_or(text));
                        from += 1;
                    }
                    (taken.join("\n"), from)
                };
                let (was, next) = take("-", at - 1);
                let (becomes, next) = take("+", next);
                let case = cases.last_mut().unwrap_or_else(|| panic!("{}", place()));
                let text = case.files.get_mut(&target).unwrap_or_else(|| panic!("no {target}: {}", place()));
                assert_eq!(text.matches(&was).count(), 1, "`{was}` stands once in {target}: {}", place());
                *text = text.replacen(&was, &becomes, 1);
                at = next;
            }
            "base" => {
                let case = cases.last_mut().unwrap_or_else(|| panic!("{}", place()));
                folder = rest.to_owned();
                target = format!("{folder}/policy.ron");
                case.files = base(rest);
                case.entry = target.clone();
            }
            "in" => target = format!("{folder}/{rest}"),
            "only" => cases.last_mut().unwrap_or_else(|| panic!("{}", place())).entry = format!("{folder}/{rest}"),
            "!" => {
                let (code, needle) = rest.split_once(' ').unwrap_or_else(|| panic!("{}", place()));
                let code = code.parse().unwrap_or_else(|_| panic!("{}", place()));
                let case = cases.last_mut().unwrap_or_else(|| panic!("{}", place()));
                case.planted.push((code, needle.to_owned()));
            }
            _ => panic!("what is this? {}", place()),
        }
    }
    cases
}

/// The text of a base of the examples.
fn base_text(base: Base) -> String {
    let path = match base {
        Base::Office => "policies/office/policy.ron",
        Base::Nantes => "policies/nantes/policy.ron",
        Base::Neighbours => "compiler/policy/src/tests/neighbours.ron",
    };
    std::fs::read_to_string(program::top().join(path)).expect("the base is here")
}

/// Names of the sections a text writes.
fn sections(text: &str) -> Vec<String> {
    let text = format!("Policy(\n{text}\n)");
    let mut sources = Sources::new();
    let file = sources.add("example", text.as_str());
    read(file, &text, &mut Vec::new()).sections().map(|section| section.name.to_owned()).collect()
}

/// The base with these sections left out and these texts at its end.
fn policy_with(base: &str, without: &[String], texts: &[&str]) -> String {
    let mut sources = Sources::new();
    let file = sources.add("base", base);
    let document = read(file, base, &mut Vec::new());
    let kept = document.sections().filter(|section| !without.iter().any(|name| name == section.name));
    let mut text = String::from("Policy(\n");
    for section in kept {
        text += &format!("    {}: {},\n", section.name, document.tree().slice(section.node));
    }
    text + &texts.join("\n") + "\n)\n"
}

/// The bad examples of `facteur explain`, each a case.
fn of_examples() -> Vec<Case> {
    let case = |example: &Example| {
        let mut files = BTreeMap::new();
        let entry = match example.setting {
            Setting::Command => return None,
            Setting::Sections(base) => {
                files.insert("x/policy.ron", policy_with(&base_text(base), &sections(example.good), &[example.bad]));
                "x/policy.ron"
            }
            Setting::People(base) => {
                files.insert("x/policy.ron", base_text(base));
                files.insert("x/people.ron", format!("People(\n{}\n)\n", example.bad));
                "x/policy.ron"
            }
            Setting::Overlay(base) => {
                files.insert("x/base.ron", base_text(base));
                let overlay = format!("Overlay(\n    base: \"base\", name: \"example\",\n{}\n)\n", example.bad);
                files.insert("x/overlay.ron", overlay);
                "x/overlay.ron"
            }
            Setting::Part(base) => {
                let policy = base_text(base).replacen("Policy(", "Policy(include: [\"part.ron\"],", 1);
                files.insert("x/policy.ron", policy);
                files.insert("x/part.ron", format!("Part(\n{}\n)\n", example.bad));
                "x/policy.ron"
            }
        };
        Some(Case {
            file: "explain".into(),
            title: example.code.to_string(),
            entry: entry.into(),
            files: files.into_iter().map(|(name, text)| (name.to_owned(), text)).collect(),
            planted: vec![(example.code, example.caret.to_owned())],
            ..Case::default()
        })
    };
    examples::all().filter_map(case).collect()
}

/// Sections many others read: a slip that replaces one of them changes more than itself.
const READ_BY_OTHERS: [&str; 8] =
    ["language", "institution", "networks", "listeners", "domains", "guarantees", "scanners", "include"];

/// Two to five bad examples in one policy. The choice is the same each time.
fn together(count: usize) -> Vec<Case> {
    let alone = |example: &&Example| match example.setting {
        Setting::Sections(_) => !sections(example.good).iter().any(|name| READ_BY_OTHERS.contains(&name.as_str())),
        Setting::People(_) | Setting::Overlay(_) | Setting::Part(_) | Setting::Command => false,
    };
    // Whether a waiver matches nothing is not judged while an error may hide what it matches.
    let pool: Vec<&Example> = examples::all().filter(alone).filter(|example| example.code != Code::L0116).collect();
    let mut random = Random::from(7);
    let mut cases = Vec::new();
    for round in 0..count {
        let wanted = 2 + random.below(4) as usize;
        let first = pool[round % pool.len()];
        let mut chosen = vec![first];
        let mut without = sections_of(first);
        for _ in 0..40 {
            let next = pool[random.below(pool.len() as u64) as usize];
            let its = sections_of(next);
            let apart = next.setting == first.setting && !its.iter().any(|name| without.contains(name));
            // A caret must tell its slip from the others.
            let clear = !chosen.iter().any(|one| one.bad.contains(next.caret) || next.bad.contains(one.caret));
            if chosen.len() < wanted && apart && clear {
                without.extend(its);
                chosen.push(next);
            }
        }
        let Setting::Sections(base) = first.setting else { continue };
        let texts: Vec<&str> = chosen.iter().map(|example| example.bad).collect();
        let codes: Vec<&str> = chosen.iter().map(|example| example.code.as_str()).collect();
        let planted = chosen.iter().map(|example| (example.code, example.caret.to_owned()));
        cases.push(Case {
            file: "together".into(),
            line: round,
            title: codes.join(" "),
            entry: "x/policy.ron".into(),
            files: [("x/policy.ron".to_owned(), policy_with(&base_text(base), &without, &texts))].into(),
            planted: planted.collect(),
        });
    }
    cases
}

/// The sections either text has.
fn sections_of(example: &Example) -> Vec<String> {
    [example.good, example.bad].into_iter().flat_map(sections).collect()
}

fn corpus() -> Vec<Case> {
    let folder = program::top().join("tests/policies/broken");
    let mut files: Vec<_> =
        std::fs::read_dir(&folder).expect("the corpus is here").flatten().map(|it| it.path()).collect();
    files.sort();
    let by_hand = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        cases(&name, &std::fs::read_to_string(path).expect("cases are text"))
    };
    files.iter().flat_map(by_hand).chain(of_examples()).chain(together(TOGETHER)).collect()
}

/// The line a finding points at.
fn line_of(compiled: &Compiled, found: &Diagnostic) -> String {
    let Some(place) = found.place() else { return String::new() };
    let number = compiled.sources.position(place.file, place.start).line as usize;
    compiled.sources.text(place.file).lines().nth(number - 1).unwrap_or_default().to_owned()
}

/// What is wrong with what the compiler says of a case.
fn faults(case: &Case, compiled: &Compiled) -> Vec<String> {
    let mut faults = Vec::new();
    let mut explained = vec![false; compiled.diagnostics.len()];
    for (code, needle) in &case.planted {
        let at = compiled.diagnostics.iter().zip(&explained).position(|(found, explained)| {
            !explained && found.code == *code && line_of(compiled, found).contains(needle.as_str())
        });
        match at {
            Some(at) => explained[at] = true,
            None => faults.push(format!("{code} is not found at `{needle}`")),
        }
    }
    let more = compiled.diagnostics.iter().zip(&explained).filter(|(found, explained)| {
        found.level == Level::Error && !**explained && !case.planted.iter().any(|(code, _)| *code == found.code)
    });
    let more: Vec<String> = more
        .map(|(found, _)| format!("{}: {} at `{}`", found.code, found.message, line_of(compiled, found).trim()))
        .collect();
    if more.len() > case.planted.len() {
        faults.push(format!("more than one follow-on for each slip: {more:?}"));
    }
    if !faults.is_empty() {
        let found = compiled
            .diagnostics
            .iter()
            .filter(|found| found.level == Level::Error || case.planted.iter().any(|(code, _)| *code == found.code));
        faults.extend(found.map(|found| {
            format!("    found {}: {} at `{}`", found.code, found.message, line_of(compiled, found).trim())
        }));
    }
    faults
}

/// The case with a finding's suggestion carried out; `None` when there is none.
fn mended(case: &Case, compiled: &Compiled, found: &Diagnostic) -> Option<Case> {
    if found.fix.is_empty() {
        return None;
    }
    let mut edits: Vec<_> = found.fix.iter().collect();
    edits.sort_by_key(|edit| std::cmp::Reverse((edit.span.file, edit.span.start)));
    let mut case = case.clone();
    for edit in edits {
        let text = case.files.get_mut(compiled.sources.name(edit.span.file))?;
        text.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.text);
    }
    Some(case)
}

/// Does the suggestion take this slip away and bring no new one?
fn helps(before: &Compiled, after: &Compiled, code: Code) -> bool {
    let count =
        |compiled: &Compiled| compiled.diagnostics.iter().filter(|found| found.code == code && !found.waived).count();
    let errors = |compiled: &Compiled| -> BTreeSet<Code> {
        compiled.diagnostics.iter().filter(|found| found.is_error()).map(|found| found.code).collect()
    };
    count(after) < count(before) && errors(after).is_subset(&errors(before))
}

/// What one case showed.
#[derive(Default)]
struct Shown {
    faults: Vec<String>,
    suggested: usize,
    helped: usize,
    /// Codes whose suggestion did not help.
    failed: Vec<String>,
    without: Vec<Code>,
}

fn play(case: &Case) -> Shown {
    let compiled = compiled(case);
    let mut shown = Shown { faults: faults(case, &compiled), ..Shown::default() };
    for (code, needle) in &case.planted {
        let found = compiled
            .diagnostics
            .iter()
            .find(|found| found.code == *code && line_of(&compiled, found).contains(needle.as_str()));
        let Some(found) = found else { continue };
        match mended(case, &compiled, found) {
            None => shown.without.push(*code),
            Some(mended) => {
                shown.suggested += 1;
                if helps(&compiled, &self::compiled(&mended), *code) {
                    shown.helped += 1;
                } else {
                    shown.failed.push(format!("{}:{} {code}", case.file, case.line));
                }
            }
        }
    }
    shown
}

#[test]
fn every_planted_slip_is_reported_at_its_line_and_suggestions_mend_it() {
    let corpus = corpus();
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let shown: Vec<(String, Shown)> = std::thread::scope(|scope| {
        let parts: Vec<_> = (0..threads)
            .map(|part| {
                let mine: Vec<&Case> = corpus.iter().skip(part).step_by(threads).collect();
                scope.spawn(move || {
                    mine.into_iter()
                        .map(|case| (format!("{}:{}: {}", case.file, case.line, case.title), play(case)))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        parts.into_iter().flat_map(|part| part.join().expect("a case panicked")).collect()
    });
    let wrong: Vec<String> = shown
        .iter()
        .filter(|(_, shown)| !shown.faults.is_empty())
        .map(|(name, shown)| format!("{name}\n  {}", shown.faults.join("\n  ")))
        .collect();
    let sum = |of: fn(&Shown) -> usize| shown.iter().map(|(_, shown)| of(shown)).sum::<usize>();
    let (suggested, helped) = (sum(|shown| shown.suggested), sum(|shown| shown.helped));
    let planted: usize = corpus.iter().map(|case| case.planted.len()).sum();
    let mut without: Vec<Code> = shown.iter().flat_map(|(_, shown)| shown.without.clone()).collect();
    without.sort_unstable();
    without.dedup();
    let failed: Vec<&String> = shown.iter().flat_map(|(_, shown)| &shown.failed).collect();
    println!(
        "{} cases, {planted} slips, {suggested} suggestions, {helped} of them mend; without: {without:?}; failed: {failed:?}",
        corpus.len()
    );
    assert!(wrong.is_empty(), "{} of {} cases\n\n{}", wrong.len(), corpus.len(), wrong.join("\n\n"));
    assert!(helped * 100 >= suggested * MENDED_PERCENT_MIN, "{helped} of {suggested} suggestions mend: {failed:?}");
}

#[test]
fn the_corpus_is_large_and_has_every_code() {
    let corpus = corpus();
    assert!(corpus.len() >= CASES_MIN, "{} cases", corpus.len());
    let by_hand = corpus.iter().filter(|case| case.title.starts_with("hand:")).count();
    assert!(by_hand >= BY_HAND_MIN, "{by_hand} written by hand");
    assert!(corpus.iter().all(|case| (1..=5).contains(&case.planted.len())));
    let planted: BTreeSet<Code> = corpus.iter().flat_map(|case| case.planted.iter().map(|(code, _)| *code)).collect();
    // What a command says beside the policy is tested where the command is.
    let of_commands: Vec<Code> =
        examples::all().filter(|example| example.setting == Setting::Command).map(|example| example.code).collect();
    let judged = Code::ALL.iter().filter(|code| code.standing() == Standing::Judged && !of_commands.contains(code));
    let missing: Vec<&Code> = judged.filter(|code| !planted.contains(code)).collect();
    assert!(missing.is_empty(), "no case plants {missing:?}");
}

#[test]
fn a_case_without_a_slip_would_be_found_out() {
    let text = "=== nothing\nbase office\n! E0101 Policy\n";
    let case = &cases("none", text)[0];
    assert!(!faults(case, &compiled(case)).is_empty());
}
