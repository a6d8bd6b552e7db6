//! Layout: what it does to a line, that it changes no meaning, and that it has nothing to do twice.

use super::*;
use crate::tests::{BENCH, BENCH_PEOPLE, NANTES, NANTES_PEOPLE, OFFICE, OFFICE_PEOPLE, check};

fn formatted(text: &str) -> String {
    format("policy.ron", text).expect("the text can be read")
}

#[test]
fn spaces_commas_and_indentation_are_ours_and_line_breaks_the_authors() {
    let text = "// head\nPolicy(  language:1,\n\n\n  institution : (name:\"A\" ,\n domain:\"a.example\",),  // why\n\
                networks:{\"inside\":In([\"10.0.0.0/8\",]),\n  \"o\":Rest},\n  web: { },\n   listeners: {\n\n  \
                // one\n \"a\": (host: \"a\", port: 25)\n  ,\"bcd\": (host: \"bcde\", port: 4)\n } )";
    insta::assert_snapshot!(formatted(text), @r#"
    // head
    Policy(language: 1,

        institution: (name: "A",
            domain: "a.example"),  // why
        networks: { "inside": In(["10.0.0.0/8"]),
            "o": Rest },
        web: {},
        listeners: {
            // one
            "a":   (host: "a",    port: 25),
            "bcd": (host: "bcde", port: 4),
    })
    "#);
}

#[test]
fn entries_of_one_line_each_are_a_table() {
    let text = "Policy(\nlisteners: {\n\"mx\": (host: \"mx.a\", port: 25, auth: Never), // SITE\n\
                \"smtp\": (host: \"smtp.a\", port: 587, auth: Required),\n},\n)\n";
    insta::assert_snapshot!(formatted(text), @r#"
    Policy(
        listeners: {
            "mx":   (host: "mx.a",   port: 25,  auth: Never),  // SITE
            "smtp": (host: "smtp.a", port: 587, auth: Required),
        },
    )
    "#);
}

#[test]
fn a_long_line_is_broken_at_its_outermost_bracket() {
    let prefixes: Vec<String> = (0..20).map(|n| format!("\"10.{n}.0.0/16\"")).collect();
    let text = format!("Policy(networks: {{ \"inside\": In([{}]) }})", prefixes.join(","));
    let out = formatted(&text);
    assert!(out.contains("In([\n"), "{out}");
    assert!(out.lines().all(|line| line.chars().count() <= WIDTH_CHARS_MAX), "{out}");
    assert_eq!(formatted(&out), out);
}

#[test]
fn units_have_one_spelling_and_prose_keeps_its_words() {
    let text = OFFICE.replacen(
        "networks:",
        "mailboxes: (message_size: \"20 Mo\", otherwise: \"a\", counts: [Inbox], profiles: { \"a\": (label: \"20 Mo\", quota: \
         Fixed(\"1Go\")) }, when_full: (warn_at: [\"80%\"], grace: \"10 %\", full: TryLater(for: \"1 days\"), then: Refuse)),\n    networks:",
        1,
    );
    let out = formatted(&text);
    for spelled in ["message_size: \"20 MB\"", "label: \"20 Mo\"", "Fixed(\"1 GB\")", "[\"80 %\"]", "for: \"1 day\""] {
        assert!(out.contains(spelled), "{spelled} in\n{out}");
    }
    let hash = |text: &str| check(text).plan_unproved.map(|sealed| sealed.hash);
    assert!(hash(&text).is_some());
    assert_eq!(hash(&text), hash(&out));
}

#[test]
fn formatting_twice_is_formatting_once_and_no_plan_moves() {
    for text in [NANTES, OFFICE, BENCH, NANTES_PEOPLE, OFFICE_PEOPLE, BENCH_PEOPLE] {
        let once = formatted(text);
        assert_eq!(formatted(&once), once);
        if text.contains("Policy(") {
            let hash = |text: &str| check(text).plan_unproved.map(|sealed| sealed.hash);
            assert_eq!(hash(text), hash(&once));
        }
    }
}

/// Every word and comment of the text, without spaces and without commas before a closing bracket.
fn words(text: &str) -> Vec<String> {
    let pieces = pieces::cut(text);
    let said = pieces.iter().enumerate().filter(|(index, piece)| {
        let next = pieces[index + 1..].iter().find(|piece| !piece.is_comment());
        piece.mark() != Some(b',') || !next.is_some_and(Piece::closes)
    });
    said.map(|(_, piece)| piece.text.to_owned()).collect()
}

#[test]
fn whatever_the_layout_was_every_word_and_comment_stays() {
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below as u64) as usize
    };
    for round in 0..60 {
        let source = [NANTES, OFFICE, NANTES_PEOPLE][round % 3];
        let mut text = String::new();
        for token in crate::syntax::lex(source) {
            let slice = &source[token.start as usize..token.end as usize];
            let after_comment = text.ends_with('\n') || token.kind != crate::syntax::TokenKind::Space;
            match next(6) {
                0 if token.kind == crate::syntax::TokenKind::Space && after_comment => text.push('\n'),
                1 if token.kind == crate::syntax::TokenKind::Space => text += "\n\n\n  ",
                2 if token.kind == crate::syntax::TokenKind::Space => text += " /* here */ ",
                _ => text += slice,
            }
        }
        let Ok(once) = format("policy.ron", &text) else { continue };
        assert_eq!(words(&text), words(&once));
        assert_eq!(formatted(&once), once, "round {round}");
    }
}

#[test]
fn a_megabyte_is_laid_out_in_linear_time() {
    // Not timed: a quadratic layout would not end.
    let entries: String = (0..30_000).map(|n| format!("\"d{n}\": Suffix(\"d{n}.example\"),")).collect();
    let out = formatted(&format!("Policy(redirects: (allow: {{{entries}}}))"));
    assert!(out.lines().count() > 30_000);
    let deep = format!("Policy({}1{})", "a: (".repeat(25), ")".repeat(25));
    assert_eq!(formatted(&formatted(&deep)), formatted(&deep));
}
