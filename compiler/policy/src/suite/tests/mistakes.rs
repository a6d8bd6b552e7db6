//! Mistakes in files of tests have the codes they would have in a policy, at their line.

use super::{case, mistakes};
use crate::codes::Code;

#[track_caller]
fn one(text: &str, code: Code, line: u32) {
    assert_eq!(mistakes(text), [(code, line)], "{text}");
}

#[track_caller]
fn in_case(given: &str, when: &str, code: Code) {
    one(&case(given, when, "Nothing"), code, 1);
}

#[test]
fn names_that_are_not_there_are_found_where_they_stand() {
    let text = |given: &str| {
        format!(
            "Tests(\n    cases: [\n        Case(name: \"it\",\n            given: ({given}),\n            when: [LogsIn],\n            expect: [AllAccepted],\n        ),\n    ],\n)"
        )
    };
    one(&text("block: \"person-outsid\", login: \"toto-j\""), Code::E0101, 4);
    one(&text("block: \"person-outside\", login: \"toto-jj\""), Code::E0101, 4);
    one(&text("listener: \"submission\""), Code::E0101, 4);
    one(&text("listener: \"mx\", network: \"outsides\""), Code::E0101, 4);
    one(&text("listener: \"mx\", clamv: Infected(\"Eicar\")"), Code::E0101, 4);
    one(&text("lgoin: \"toto-j\", block: \"person-inside\""), Code::E0002, 4);
    one(&text("login: \"toto-j\""), Code::E0003, 3);
}

#[test]
fn values_of_another_kind_are_found() {
    in_case("listener: \"mx\", client: \"203.0.113\"", "Connects()", Code::E0104);
    in_case("listener: \"mx\", at: \"tomorrow\"", "Connects()", Code::E0104);
    in_case("listener: \"mx\", client: \"203.0.113.9\", network: \"inside\"", "Connects()", Code::E0104);
    in_case("block: \"person-inside\", client: \"203.0.113.9\"", "Connects()", Code::E0104);
    in_case("listener: \"mx\"", "Mail(from: \"nobody\", to: [])", Code::E0104);
    in_case("listener: \"mx\"", "Mail(to: [\"nobody\"])", Code::E0104);
    in_case("listener: \"imaps\"", "Mail(to: [])", Code::E0104);
    in_case("listener: \"mx\"", "Wait(15)", Code::E0107);
    in_case("listener: \"mx\"", "Waits(\"15 min\")", Code::E0101);
    in_case("listener: \"mx\"", "Connects(time: 3)", Code::E0002);
    one(&case("listener: \"mx\"", "Connects()", "AllAccepted, Nothing"), Code::E0104, 1);
    // Neither the hour that is skipped nor the one that comes twice.
    in_case("listener: \"mx\", at: \"2026-03-29 02:30:00\"", "Connects()", Code::E0908);
    in_case("listener: \"mx\", at: \"2026-10-25 02:30:00\"", "Connects()", Code::E0908);
}

#[test]
fn tables_have_known_columns_and_a_value_for_each() {
    let table = |columns: &str, row: &str| {
        format!("Tests(cases: [\n  Each(name: \"t\", columns: [{columns}],\n    rows: [{row}])])")
    };
    one(&table("\"block\", \"rcpt_per_message\"", "(\"machine\", 50)"), Code::E0101, 2);
    one(&table("\"block\", \"rcpt_per_msg\"", "(\"machine\",)"), Code::E0104, 3);
    one(&table("\"block\", \"rcpt_per_msg\"", "(\"machin\", 50)"), Code::E0101, 3);
    one(&table("\"block\", \"rcpt_per_msg\"", "(\"machine\", \"fifty\")"), Code::E0104, 3);
    one(&table("\"profile\", \"quota\"", "(\"visiteur\", \"2 GB\")"), Code::E0101, 3);
    one(&table("\"profile\", \"quota\"", "(\"visitor\", \"2 G\")"), Code::E0105, 3);
    one(&table("\"rcpt_per_msg\"", "(50,)"), Code::E0003, 3);
}

#[test]
fn names_are_written_once_and_profiles_exist() {
    let twice =
        "Tests(cases: [\n  Case(name: \"a\", when: [], expect: []),\n  Case(name: \"a\", when: [], expect: []),\n])";
    one(twice, Code::E0004, 3);
    one("Tests(people: {\n  \"toto-j\": (profile: \"standrad\"),\n})", Code::E0101, 2);
    one("Tests(people: {\n  \"toto j\": (),\n})", Code::E0104, 2);
    one("Tests(cases: [\n  Case(name: \"a\" when: [], expect: []),\n])", Code::E0001, 2);
    one("Policy(\n)", Code::E0104, 1);
}

#[test]
fn a_case_that_would_not_end_is_refused_before_it_begins() {
    for when in [
        "Attempts(recipients: 4000000000)",
        "Sends(messages: 4000000000, recipients_each: 4000000000)",
        "Connects(times: 4000000000)",
        "FailsLogin(times: 1000001)",
        "Wait(\"36500 days\"), Wait(\"36500 days\")",
        "Sends(messages: 1000, recipients_each: 1, every: \"30 days\")",
    ] {
        in_case("block: \"person-outside\", login: \"toto-j\"", when, Code::E0108);
    }
    let one = |n: usize| {
        format!(
            "Case(name: \"{n}\", given: (block: \"machine\"), when: [Attempts(recipients: 400000)], expect: [Nothing]),"
        )
    };
    let many: String = (0..8).map(one).collect();
    let found = mistakes(&format!("Tests(cases: [{many}])"));
    assert_eq!(found.iter().map(|(code, _)| *code).collect::<Vec<_>>(), [Code::E0108]);
    let rows = "(\"Jean\", \"Toto\"),".repeat(100_000);
    let table = format!("Tests(cases: [\n  Each(name: \"t\", columns: [\"first\", \"last\"], rows: [{rows}])])");
    one_code(&table, Code::E0108);
}

#[track_caller]
fn one_code(text: &str, code: Code) {
    let found: Vec<Code> = mistakes(text).into_iter().map(|(code, _)| code).collect();
    assert_eq!(found, [code]);
}

#[test]
fn a_file_of_ten_thousand_mistakes_says_a_bounded_number_of_them() {
    let one =
        |n: usize| format!("Case(name: \"{n}\", given: (block: \"nowhere{n}\"), when: [LogsIn], expect: [Nothing]),\n");
    let many: String = (0..10_000).map(one).collect();
    let found = mistakes(&format!("Tests(cases: [{many}])"));
    assert!((50..=200).contains(&found.len()), "{}", found.len());
}
