//! Files made to break the composer: large, deep, in circles, and with strange keys.

use super::*;
use crate::compose::FILES_MAX;

fn compiled(all: Vec<(String, String)>, entry: &str) -> Compiled {
    compile(&Files(all.into_iter().collect()), entry).expect("the file is there")
}

/// Nantes with many redirect rules.
fn wide(count: usize) -> String {
    let rules: String = (0..count).map(|n| format!("\"r{n}\": Exact(\"d{n}.example\"), ")).collect();
    NANTES.replacen("\"inserm\":   Suffix", &format!("{rules}\n            \"inserm\":   Suffix"), 1)
}

#[test]
fn ten_thousand_edits_of_one_map_take_one_look_each() {
    let count = 10_000;
    let set: String = (0..count).map(|n| format!("\"redirects.allow.r{n}\": Exact(\"e{n}.example\"), ")).collect();
    let add: String = (0..count).map(|n| format!("\"redirects.allow.s{n}\": Exact(\"s{n}.example\"), ")).collect();
    let remove: String = (0..count / 2).map(|n| format!("\"redirects.allow.r{n}\", ")).collect();
    let overlay = format!("Overlay(base: \"base\", set: {{ {set} }}, add: {{ {add} }}, remove: [{remove}])");
    let mut sources = crate::diagnostic::Sources::new();
    let mut sink = Vec::new();
    let all = Files([("base.ron".to_owned(), wide(count))].into());
    let entry = sources.add("over.ron", overlay.as_str());
    let entry = crate::syntax::read(entry, &overlay, &mut sink);
    let (defaults, _) = crate::defaults::document(&mut sources);
    let begun = std::time::Instant::now();
    let composed = crate::compose::compose(&all, &mut sources, entry, &defaults, &mut sink);
    // Quadratic work would take minutes here; the bound leaves room for a busy machine.
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
    assert_eq!(sink, []);
    let spans = composed.document.path_spans();
    let rules = spans.keys().filter(|path| path.starts_with("redirects.allow.")).count();
    assert_eq!(rules, count / 2 + count + 5);
    assert_eq!(sources.slice(spans["redirects.allow.r9999"]), "Exact(\"e9999.example\")");
}

#[test]
fn ten_thousand_wrong_edits_are_told_in_a_screenful() {
    let set: String = (0..10_000).map(|n| format!("\"redirects.allow.x{n}\": 1, ")).collect();
    let remove: String = (0..10_000).map(|n| format!("\"networks.y{n}\", ")).collect();
    let overlay = format!("Overlay(base: \"base\", set: {{ {set} }}, remove: [{remove}])");
    let found = compiled(vec![("base.ron".into(), wide(1_000)), ("o.ron".into(), overlay)], "o.ron");
    assert!(found.diagnostics.len() <= 2 * (crate::syntax::ERRORS_MAX + 1), "{}", found.diagnostics.len());
    assert!(found.plan.is_none() && found.diagnostics.iter().any(|one| one.code == Code::E0110));
}

#[test]
fn the_number_and_size_of_files_are_bounded() {
    let names: String = (0..200).map(|n| format!("\"p{n}.ron\", ")).collect();
    let mut all: Vec<(String, String)> = (0..200).map(|n| (format!("p{n}.ron"), "Part()".to_owned())).collect();
    all.push(("policy.ron".into(), including(&names)));
    let found = compiled(all, "policy.ron");
    let unknown = found.diagnostics.iter().filter(|one| one.code == Code::E0101 && one.is_error()).count();
    assert!(unknown > 0 && found.plan.is_none());
    assert_eq!(found.sources.name(crate::diagnostic::FileId(FILES_MAX as u32)), "p62.ron");

    // A megabyte of waivers and a megabyte of comments are read; four more are not.
    let big = format!("Part(\n{}\n)", "// a comment that says nothing\n".repeat(1 << 15));
    let part = |n: usize| format!("\"p{n}.ron\", ");
    let with = |count: usize| {
        let mut all: Vec<(String, String)> = (0..count).map(|n| (format!("p{n}.ron"), big.clone())).collect();
        all.push(("policy.ron".into(), including(&(0..count).map(part).collect::<String>())));
        compiled(all, "policy.ron")
    };
    assert!(with(1).plan.is_some());
    assert!(with(5).diagnostics.iter().any(|one| one.code == Code::E0101));
}

#[test]
fn deep_chains_end() {
    let chain: Vec<(String, String)> =
        (0..100).map(|n| (format!("p{n}.ron"), format!("Part(include: [\"p{}.ron\"])", n + 1))).collect();
    let mut all = chain;
    all.push(("policy.ron".into(), including("\"p0.ron\"")));
    let found = compiled(all, "policy.ron");
    assert_eq!(only(&found, Code::E0101).0.message, format!("unknown file \"p{}.ron\"", FILES_MAX - 1));

    let mut all: Vec<(String, String)> =
        (0..100).map(|n| (format!("o{n}.ron"), format!("Overlay(base: \"o{}\")", n + 1))).collect();
    all.push(("o100.ron".into(), NANTES.to_owned()));
    let found = compiled(all, "o0.ron");
    assert!(only(&found, Code::E0101).0.help.as_ref().is_some_and(|help| help.contains("overlays stand on")));
}

#[test]
fn many_includes_of_nothing_are_looked_for_a_bounded_number_of_times() {
    struct Counting(std::cell::Cell<usize>, String);
    impl Loader for Counting {
        fn load(&self, name: &str) -> Result<String, LoadError> {
            self.0.set(self.0.get() + 1);
            if name == "policy.ron" { Ok(self.1.clone()) } else { Err(LoadError::NotFound) }
        }
    }
    let names: String = (0..20_000).map(|n| format!("\"p{n}.ron\", ")).collect();
    let files = Counting(std::cell::Cell::new(0), including(&names));
    let found = compile(&files, "policy.ron").expect("the file is there");
    assert!(found.plan.is_none() && files.0.get() < 300, "{} looks", files.0.get());
}

#[test]
fn odd_keys_and_paths_are_errors_at_most() {
    let keys = [
        "",
        ".",
        "..",
        "[",
        "]",
        "[0]",
        "[-1]",
        "[+1]",
        "[99999999999]",
        "networks.",
        "networks..",
        "networks.[0]",
        "networks.inside[0][0]",
        "networks.inside.",
        "é",
        "networks.é",
        "networks.inside[é]",
        "domains.",
        "language",
        "language.x",
        "guarantees[",
        "a\\u{0}b",
        "domains.univ-nantes.fr.",
        "institution.name[0]",
        "guarantees[0",
        "[0].x",
    ];
    for key in keys {
        for fields in [
            format!("    set: {{ \"{key}\": [] }},"),
            format!("    add: {{ \"{key}\": [] }},"),
            format!("    add: {{ \"{key}\": None }},"),
            format!("    remove: [\"{key}\"],"),
            format!("    locked: [\"{key}\"],"),
        ] {
            let compiled = overlaid(&fields);
            for found in &compiled.diagnostics {
                crate::render::human::render(found, &compiled.sources, false);
                assert!(found.place().is_some(), "{found:?}");
            }
        }
    }
}

/// xorshift64*: the same mutations in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound.max(1)
    }

    /// The text with some of its tokens removed, repeated, or put in the place of others.
    fn mutate(&mut self, text: &str) -> String {
        let document = crate::syntax::read(crate::diagnostic::FileId(0), text, &mut Vec::new());
        let tokens = &document.tree().tokens;
        let mut pieces: Vec<&str> =
            tokens.iter().map(|token| &text[token.start as usize..token.end as usize]).collect();
        for _ in 0..=self.below(3) {
            let (at, other) = (self.below(pieces.len()), self.below(pieces.len()));
            match self.below(4) {
                0 => drop(pieces.remove(at)),
                1 => pieces.insert(at, pieces[other]),
                2 => pieces.swap(at, other),
                _ => pieces[at] = ["[0]", "None", "\"networks\"", "{}", "Part(", "\"guarantees\""][self.below(6)],
            }
        }
        pieces.concat()
    }
}

#[test]
fn mutated_overlays_and_parts_are_read_without_a_panic() {
    let part = "Part(include: [\"q.ron\"], redirects: (allow: { \"cea\": Suffix(\"cea.fr\") }), networks: { \"bench2\": In([\"203.0.113.64/28\"]) }, waivers: [])";
    let base = including("\"part.ron\"");
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let mut whole = 0;
    for round in 0..150 {
        let (staging, part) = match round % 2 {
            0 => (dice.mutate(STAGING), part.to_owned()),
            _ => (STAGING.to_owned(), dice.mutate(part)),
        };
        let all = [("nantes.ron", base.as_str()), ("part.ron", &part), ("q.ron", "Part()"), ("s.ron", &staging)];
        let compiled = compile(&files(&all), "s.ron").expect("the file is there");
        assert_eq!(compiled.plan.is_none(), compiled.has_errors(), "{staging}\n{part}\n{:#?}", compiled.diagnostics);
        whole += usize::from(compiled.plan.is_some());
        for found in &compiled.diagnostics {
            let place = found.place().expect("what is found has a place");
            assert!(place.is_empty() || !compiled.sources.slice(place).is_empty(), "{found:?}");
            for edit in &found.fix {
                let text = compiled.sources.text(edit.span.file);
                assert!(text.get(edit.span.start as usize..edit.span.end as usize).is_some(), "{found:?}");
            }
        }
    }
    assert!(whole > 0 && whole < 150, "{whole} of 150 compile: the test says little");
}
