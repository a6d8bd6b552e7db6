use super::*;
use crate::syntax::{ERRORS_MAX, Kind, NESTING_MAX, SIZE_BYTES_MAX};

/// The tokens of a document are its text.
fn assert_lossless(document: &Document, text: &str) {
    let mut end = 0;
    for token in &document.tree().tokens {
        assert_eq!(token.start, end);
        assert!(token.end > token.start);
        end = token.end;
    }
    assert_eq!(end as usize, text.len());
    assert_eq!(&*document.tree().text, text);
}

#[test]
fn the_policy_of_nantes_reads_without_a_mistake_and_loses_no_byte() {
    let (document, found) = read_alone(NANTES);
    assert!(found.is_empty(), "{}", drawn(NANTES, &found));
    assert_lossless(&document, NANTES);
    assert_eq!(document.name().map(|(name, _)| name), Some("Policy"));
    let sections: Vec<&str> = document.sections().map(|section| section.name).collect();
    assert_eq!((sections.first(), sections.last()), (Some(&"language"), Some(&"waivers")));
}

#[test]
fn policy_paths_lead_to_the_places_of_their_values() {
    let (document, _) = read_alone(NANTES);
    let spans = document.path_spans();
    let at = |path: &str| {
        let span = spans.get(path).copied().unwrap_or_default();
        &NANTES[span.start as usize..span.end as usize]
    };
    assert_eq!(at("language"), "1");
    assert_eq!(at("may_send.person-outside.each_account.recipients_attempted[0]"), "\"250 / 15 min\"");
    assert_eq!(at("networks.outside"), "Rest");
    assert_eq!(at("networks.inside[2]"), "\"2001:db8:44::/48\"");
    assert_eq!(at("networks.webmail-hosts.carries"), "ClientAddress");
    assert_eq!(at("domains.univ-nantes.fr"), "Held()");
    assert_eq!(at("never_reachable_beyond.Relay[0]"), "\"private\"");
    assert_eq!(at("identity.login.examples[1][2]"), "\"toto-jp\"");
    assert_eq!(at("nowhere"), "");
}

#[test]
fn three_mistakes_in_different_sections_are_three_reports_at_their_lines() {
    let text = NANTES
        .replace("auth: Never),  // SITE host", "auth: Never)")
        .replace("never_reachable_beyond: {", "never_reachable_beyond: = {")
        .replace("profiles: {", "profiles {");
    let line = |wanted: &str| text.lines().position(|line| line.contains(wanted)).unwrap_or(0) as u32 + 1;
    let (document, found) = read_alone(&text);
    let places = places(&text, &found);
    assert_eq!(
        places,
        [
            (Code::E0001, line("\"smtp\":  (host"), "\"smtp\"".to_owned()),
            (Code::E0001, line("never_reachable_beyond: ="), "=".to_owned()),
            (Code::E0001, line("profiles {"), "{".to_owned()),
        ],
        "{}",
        drawn(&text, &found)
    );
    assert_eq!(document.sections().count(), read_alone(NANTES).0.sections().count(), "every section is still there");
}

#[test]
fn a_lost_comma_names_the_line_that_lost_it() {
    let text = "Policy(\n    language: 1\n    institution: (name: \"x\"),\n)\n";
    let (document, found) = read_alone(text);
    insta::assert_snapshot!(drawn(text, &found), @r##"
    error[E0001]: unexpected `institution`, expected `,` or `)`
     --> policy.ron:3:5
      |
    2 |     language: 1
      |               - after this
    3 |     institution: (name: "x"),
      |     ^^^^^^^^^^^
      |
      = help: did line 2 lose its comma?
    "##);
    assert_eq!(document.sections().count(), 2);
    assert!(!document.is_damaged());
}

#[test]
fn a_key_written_twice_shows_both_places() {
    let text = "Policy(\n    networks: {\n        \"inside\": In([]),\n        \"outside\": Rest,\n        \"inside\": Rest,\n    },\n)\n";
    let (_, found) = read_alone(text);
    insta::assert_snapshot!(drawn(text, &found), @r##"
    error[E0004]: "inside" is written twice in `networks`
     --> policy.ron:5:9
      |
    3 |         "inside": In([]),
      |         -------- first here
    4 |         "outside": Rest,
    5 |         "inside": Rest,
      |         ^^^^^^^^ again here
      |
      = help: the second would silently win, so keep one
    "##);
}

#[test]
fn a_field_written_twice_shows_both_places_and_the_first_is_kept() {
    let text = "Policy(a: (b: 1, c: 2, b: 3))";
    let (document, found) = read_alone(text);
    assert_eq!(places(text, &found), [(Code::E0004, 1, "b".to_owned())]);
    assert_eq!(found[0].message, "\"b\" is written twice in `a`");
    assert_eq!(found[0].labels[1].span.start, 11);
    assert_eq!(document.section("a").map(|section| section.node.fields().len()), Some(2));
}

#[test]
fn one_key_spelt_with_an_escape_is_still_written_twice() {
    let (_, found) = read_alone(r#"{"a": 1, "\x61": 2, r"a": 3, a: 4}"#);
    assert_eq!(codes(&found), [Code::E0004, Code::E0004]);
}

#[test]
fn a_bracket_that_is_never_closed_names_where_it_opened() {
    let text = "Policy(\n    networks: { \"inside\": In([\"a\"), },\n    language: 1,\n)\n";
    let (document, found) = read_alone(text);
    insta::assert_snapshot!(drawn(text, &found), @r##"
    error[E0001]: unexpected `)`, expected `]`
     --> policy.ron:2:34
      |
    2 |     networks: { "inside": In(["a"), },
      |                              -   ^
      |                              |
      |                              opened here, never closed
      |
      = help: close the bracket that line 2 opens
    "##);
    assert!(document.section("language").is_some());
}

#[test]
fn a_group_without_its_bracket_does_not_swallow_the_next_entry() {
    let text = "Policy(\n  listeners: {\n    \"mx\": (host: \"a\", port: 25,\n    \"subs\": (host: \"b\", port: 465),\n  },\n  language: 1,\n)";
    let (document, found) = read_alone(text);
    assert_eq!(places(text, &found), [(Code::E0001, 4, "\"subs\"".to_owned())]);
    let Some(Kind::Map(entries)) = document.section("listeners").map(|section| &section.node.kind) else {
        panic!("listeners is a map")
    };
    assert_eq!(entries.len(), 2);
    assert!(document.section("language").is_some());
}

#[test]
fn a_lost_quote_spoils_one_line() {
    let text = "Policy(\n    a: (name: \"x, b: 1),\n    c: 2,\n    d: = 3,\n)\n";
    let (document, found) = read_alone(text);
    insta::assert_snapshot!(drawn(text, &found), @r##"
    error[E0001]: unexpected end of the line, expected `"`
     --> policy.ron:2:15
      |
    2 |     a: (name: "x, b: 1),
      |               ^^^^^^^^ begins here
      |
      = help: close the string on its line, or end the line with a backslash to go on

    error[E0001]: unexpected `=`, expected a value
     --> policy.ron:4:8
      |
    4 |     d: = 3,
      |        ^
    "##);
    assert!(document.section("c").is_some());
}

#[test]
fn a_whole_string_in_the_wrong_place_is_not_called_unfinished() {
    let mut sink = Vec::new();
    let text = "Policy(\n    \"subs\": (port: 465),\n)\n";
    read(FileId(0), text, &mut sink);
    assert!(sink.iter().all(|found| !found.message.contains("end of the line")), "{sink:?}");
    assert!(sink.iter().any(|found| found.message.contains("`\"subs\"`")), "{sink:?}");
}

#[test]
fn characters_that_nobody_sees_are_reported_wherever_they_stand() {
    let check = |text: &str, message: &str| {
        let (_, found) = read_alone(text);
        let codes = codes(&found);
        assert_eq!(codes, [Code::E0006], "{text:?}");
        assert_eq!(found[0].message, message);
    };
    check("(a: \"x\u{202e}y\")", "direction character U+202E in a string");
    check("(a: \"x\u{2066}y\")", "direction character U+2066 in a string");
    check("(a: \"x\u{200b}y\")", "invisible character U+200B in a string");
    check("(a: \"x\u{7}y\")", "control character U+0007 in a string");
    check("(a: \"x\u{85}y\")", "control character U+0085 in a string");
    check("(a: r\"x\ry\")", "control character U+000D in a string");
    check("(a: \"\\u{202e}\")", "direction character U+202E in a string");
    check("(a: 1) // \u{2067}", "direction character U+2067 in a comment");
    check("\u{feff}(a: 1)", "byte order mark U+FEFF between words");
    check("(a:\u{200e} 1)", "direction character U+200E between words");
    let (_, found) = read_alone("(a: \"tab\t, \\n and é\",\r\n b: r\"1\n2\")");
    assert!(found.is_empty(), "what people see is not invisible");
}

#[test]
fn nesting_is_bounded_and_what_follows_is_still_read() {
    let deep = |depth: usize| format!("Policy(a: {}{}, b: = 1)", "[".repeat(depth), "]".repeat(depth));
    let (_, found) = read_alone(&deep(NESTING_MAX - 1).replace("= ", ""));
    assert!(found.is_empty());
    let text = deep(NESTING_MAX);
    let (_, found) = read_alone(&text);
    assert_eq!(codes(&found), [Code::E0001; 2]);
    assert!(found[0].message.contains("inside one another"));
}

#[test]
fn hostile_brackets_cost_neither_stack_nor_time() {
    // Large enough for anything quadratic to be felt.
    let many = SIZE_BYTES_MAX / 32;
    let hostile = [
        "[".repeat(many),
        "(a:".repeat(many / 3),
        "]".repeat(many),
        "[}".repeat(many / 2),
        "{\"a\":[".repeat(many / 6),
        "Some(".repeat(many / 5),
        ",".repeat(many),
        "[,".repeat(many / 2),
        "r##\"\n".repeat(many / 5),
        "/*".repeat(many / 2),
        "\"\n".repeat(many / 2),
        "'\n".repeat(many / 2),
        "a b ".repeat(many / 4),
        "#!".repeat(many / 2),
        "\u{202e}".repeat(many / 3),
        format!("[{}]", "1,".repeat(many / 2)),
        format!("[{}]", "\"\\q\",".repeat(many / 5)),
        format!("({})", (0..many / 16).map(|n| format!("f{n}: 1,")).collect::<String>()),
        format!("({})", "f: 1,".repeat(many / 5)),
    ];
    for text in hostile {
        let (document, found) = read_alone(&text);
        assert!(found.len() <= ERRORS_MAX);
        assert_lossless(&document, &text);
        let _: crate::syntax::Decoded<model::Policy> = document.decode(&mut Vec::new());
    }
}

#[test]
fn a_file_that_is_too_long_is_not_read() {
    let (document, found) = read_alone(&" ".repeat(SIZE_BYTES_MAX + 1));
    assert_eq!(codes(&found), [Code::E0001]);
    assert!(document.is_damaged());
    assert!(document.path_spans().is_empty());
}

#[test]
fn what_ron_does_not_read_is_refused() {
    let refused = [
        "",
        "// nothing",
        "(a: 1) (b: 2)",
        "(a: 1))",
        "[1 2]",
        "[,]",
        "[1,,2]",
        "(a: 1, 2)",
        "(1, a: 2)",
        "(\"a\": 1)",
        "{1: 2}",
        "{[1]: 2}",
        "{a: 1; b: 2}",
        "+5",
        "0x",
        "1e5",
        "5u8",
        "0b1",
        "'ab'",
        "''",
        "b\"x\"",
        "r#word",
        "\"\\q\"",
        "\"a\nb\"",
        "café",
        "Some",
        "Some()",
        "Some(1, 2)",
        "Some(a: 1)",
        "None()",
        "true()",
        "inf",
        "NaN(1)",
        "a-b",
        "a.b",
        "#![enable(explicit_struct_names)] 1",
        "#![enable()] 1",
        "#![type = \"x\"] 1",
        "#[a] 1",
        "99999999999999999999",
        "(a = 1)",
        "{\"a\" = 1}",
        "/* open",
        "(a: /* open",
        "1 /",
        "\u{a0}1",
    ];
    for text in refused {
        let (_, found) = read_alone(text);
        assert!(!found.is_empty(), "{text:?} was accepted");
    }
}

#[test]
fn attributes_may_switch_on_what_is_always_on() {
    for text in ["#![enable(implicit_some)]\n(a: 1)", "# ! [ enable ( implicit_some , unwrap_newtypes, ) ] 1"] {
        let (_, found) = read_alone(text);
        assert!(found.is_empty(), "{}", drawn(text, &found));
    }
}
