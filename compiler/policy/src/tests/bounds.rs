//! Hostile and outsized policies: what is said about them is bounded.

use super::*;
use crate::diagnostic::Level;
use crate::render::{human, json};
use crate::syntax::ERRORS_MAX;

/// Most octets one finding may be drawn with.
const DRAWN_BYTES_MAX: usize = 6_000;

/// Every finding, drawn both ways; each is short.
fn drawn(compiled: &Compiled) -> Vec<String> {
    let all = compiled.diagnostics.iter().map(|found| {
        let text = human::render(found, &compiled.sources, false);
        let line = json::render(found, &compiled.sources);
        assert!(text.len() <= DRAWN_BYTES_MAX, "{} bytes: {text:.2000}", text.len());
        assert!(line.len() <= DRAWN_BYTES_MAX, "{} bytes: {line:.2000}", line.len());
        text
    });
    all.collect()
}

#[test]
fn twenty_thousand_unknown_fields_on_one_line_are_fifty_errors_and_a_count() {
    let fields: Vec<String> = (0..20_000).map(|index| format!("field{index}: 1")).collect();
    let compiled = check(&format!("Policy({})", fields.join(", ")));
    assert_eq!(errors(&compiled).len(), ERRORS_MAX);
    assert_eq!(compiled.diagnostics.len(), ERRORS_MAX + 1);
    let last = compiled.diagnostics.last().expect("a note");
    assert_eq!(last.level, Level::Note);
    // The required sections that are missing count too.
    let (message, file) = (&last.message, "in policy.ron");
    assert!(message.starts_with("and 19954 more errors ") && message.ends_with(file), "{message}");
    let texts = drawn(&compiled);
    assert!(texts[40].contains(" --> policy.ron:1:") && texts[40].contains("^^^^^^"), "{}", texts[40]);
}

#[test]
fn a_cut_line_shows_its_place_and_its_true_column() {
    let text = format!("Policy(a: [{}], lost: 1, {})", "\"é\", ".repeat(400), "z: [], ".repeat(99));
    let compiled = check(&text);
    let found = compiled.diagnostics.iter().find(|found| found.message.contains("`lost`")).expect("an unknown field");
    let column = text.split("lost").next().expect("a beginning").chars().count() + 1;
    let shown = human::render(found, &compiled.sources, false);
    assert!(shown.contains(&format!(" --> policy.ron:1:{column}\n")), "{shown}");
    let lines: Vec<&str> = shown.lines().collect();
    let carets = lines.iter().position(|line| line.contains("^^^^")).expect("an underline");
    let column_of = |line: &str, part: &str| line.find(part).map(|at| line[..at].chars().count());
    assert_eq!(column_of(lines[carets], "^^^^"), column_of(lines[carets - 1], "lost"), "{shown}");
}

#[test]
fn deep_brackets_and_endless_strings_are_excerpts() {
    let deep = "[".repeat(1_000_000);
    let string = format!("Policy(a: \"{}", "x".repeat(1_000_000));
    let word = format!("Policy({}: 1, b: [{}", "w".repeat(500_000), "é".repeat(250_000));
    let lines = "(\n".repeat(300_000);
    let raw = format!("Policy(a: r\"{}", "x\n".repeat(300_000));
    let name = "n".repeat(1_000_000);
    let key = OFFICE.replace("\"inside\": In", &format!("\"{name}\": In"));
    let body = OFFICE.trim_end().strip_suffix(')').expect("a policy");
    let reference = format!("{body}    senders: (of: [\"{name}\"], unknown: Refuse, known: {{}}),\n    {name}: 1,\n)");
    for text in [deep, string, word, lines, raw, key, reference] {
        let compiled = check(&text);
        assert!(compiled.has_errors(), "{text:.80}");
        assert!(!drawn(&compiled).is_empty());
    }
}

#[test]
fn an_error_in_an_empty_file_names_the_file() {
    for text in ["", " ", "\n", "// nothing\n"] {
        let compiled = check(text);
        let shown = drawn(&compiled).join("\n");
        assert!(shown.contains("error[E0001]: unexpected end of the file"), "{text:?}: {shown}");
        assert!(shown.contains("--> policy.ron:"), "{text:?}: {shown}");
        let line = json::render(&compiled.diagnostics[0], &compiled.sources);
        assert!(line.contains("\"file\":\"policy.ron\",\"span\":{\"line\":"), "{line}");
    }
}

fn networks(count: usize) -> String {
    let prefix = |n: usize| format!("\"n{n}\": In([\"10.{}.{}.0/24\"])", n / 256, n % 256);
    (0..count).map(|n| prefix(n) + ", ").collect()
}

#[test]
fn more_than_a_thousand_networks_are_refused_before_anything_is_derived() {
    let text = with(OFFICE, "networks: {", &format!("networks: {{ {}", networks(20_000)));
    let compiled = check(&text);
    let messages: Vec<(Code, &str)> = compiled.diagnostics.iter().map(|f| (f.code, f.message.as_str())).collect();
    let expected = "20002 networks, gateways and applications are too many, at most 1000 are decided";
    assert_eq!(messages, [(Code::E0207, expected)]);
    assert!(compiled.plan_unproved.is_none());
    drawn(&compiled);
}

#[test]
fn hundreds_of_networks_on_one_line_make_a_plan_and_a_map_of_bounded_size() {
    let text = with(OFFICE, "networks: {", &format!("networks: {{ {}", networks(300)));
    let sealed = check(&text).plan.expect("a plan");
    assert_eq!(sealed.plan.networks.len(), 302);
    assert!(sealed.map.places.values().all(|place| place.text.chars().count() <= 401));
}

#[test]
fn a_thousand_prefixes_in_one_network_are_the_most() {
    let prefixes: String = (0..1_001).map(|n| format!("\"10.{}.{}.0/24\", ", n / 256, n % 256)).collect();
    let text = with(OFFICE, "In([\"192.168.10.0/24\"])", &format!("In([{prefixes}])"));
    let compiled = check(&text);
    let messages: Vec<&str> = compiled.diagnostics.iter().map(|found| found.message.as_str()).collect();
    assert_eq!(messages, ["\"inside\" has 1001 prefixes, more than 1000"]);
}

#[test]
fn blocks_that_repeat_their_pairs_are_refused() {
    let many = |name: &str| format!("\"{name}\", ").repeat(2_000);
    let block = format!("\"in\": (connecting_to: [{}], from: [{}], to: OurAddresses)", many("mx"), many("outside"));
    let text = with(OFFICE, "    listeners: {", &format!("    may_receive: {{ {block} }},\n    listeners: {{"));
    let codes: Vec<Code> = errors(&check(&text)).into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, [Code::E0207]);
}
