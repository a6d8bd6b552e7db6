//! One policy, one plan: order, comments and spellings do not move it; a number moves one line.

use super::*;
use crate::syntax::read;

#[test]
fn sections_maps_comments_and_units_do_not_move_the_plan() {
    let plain = plan_text(NANTES);
    let mut shuffled = NANTES.replace("\"20 MB\"", "\"20 Mo\"").replace("\"1 GB\"", "\"1 Go\"");
    shuffled = shuffled.replace("\"1 h\"", "\"60 min\"").replace("/ 1 h\"", "/ 60 min\"");
    shuffled = shuffled.replace("\"30 days\"", "\"720 h\"");
    assert_eq!(plan_text(&shuffled), plain, "units");
    let shuffled = reverse_sections(&reverse_entries(&shuffled));
    assert_ne!(shuffled, NANTES);
    assert_eq!(plan_text(&shuffled), plain, "order");
    let commented = shuffled.replace("),\n", "), // a word\n/* and\n more */\n").replace("    ", "\t ");
    assert_eq!(plan_text(&commented), plain, "comments and white space");
}

#[test]
fn windows_and_names_in_lists_may_stand_in_any_order() {
    let plain = plan_text(NANTES);
    let text = NANTES.replace("[\"500 / 15 min\", \"1000 / 1 h\"]", "[\"1000 / 1 h\", \"500 / 15 min\"]");
    let text = text.replace("[\"smtp\", \"subm\", \"subs\"]", "[\"subs\", \"smtp\", \"subm\"]");
    let text = with(&text, "engines: [\"mcafee\", \"clamav\"], on:", "engines: [\"clamav\", \"mcafee\"], on:");
    assert_eq!(plan_text(&text), plain);
}

/// The sections of a policy in the opposite order.
fn reverse_sections(text: &str) -> String {
    let mut sources = crate::diagnostic::Sources::new();
    let file = sources.add("policy.ron", text);
    let document = read(file, text, &mut Vec::new());
    let mut sections: Vec<String> = document
        .sections()
        .map(|section| {
            format!("{}: {},\n", section.name, &text[section.node.start as usize..section.node.end as usize])
        })
        .collect();
    sections.reverse();
    format!("Policy(\n{})", sections.concat())
}

/// The entries of every map directly under a section in the opposite order.
fn reverse_entries(text: &str) -> String {
    use crate::syntax::Kind;
    let mut sources = crate::diagnostic::Sources::new();
    let file = sources.add("policy.ron", text);
    let document = read(file, text, &mut Vec::new());
    let mut result = text.to_owned();
    let sections: Vec<_> = document.sections().collect();
    for section in sections.iter().rev() {
        let Kind::Map(entries) = &section.node.kind else { continue };
        let entries = entries.iter().rev().map(|entry| {
            let (key, value) = (&entry.key, &entry.value);
            format!(
                "{}: {},",
                &text[key.start as usize..key.end as usize],
                &text[value.start as usize..value.end as usize]
            )
        });
        let entries: Vec<String> = entries.collect();
        let (start, end) = (section.node.start as usize, section.node.end as usize);
        result.replace_range(start..end, &format!("{{ {} }}", entries.join("\n")));
    }
    result
}

/// How many lines differ; the plans have the same number of lines.
fn changed_lines(a: &str, b: &str) -> usize {
    let (a, b): (Vec<&str>, Vec<&str>) = (a.lines().collect(), b.lines().collect());
    assert_eq!(a.len(), b.len(), "same shape");
    a.iter().zip(&b).filter(|(a, b)| a != b).count()
}

/// The rows of §2.1, block by block.
const ROWS: [(&str, &[&str]); 4] = [
    ("\"person-webmail\": (", &["message: 50", "[\"100 /", "[\"500 /", "\"1000 /"]),
    ("\"person-inside\": (", &["message: 100", "[\"200 /", "[\"500 /", "\"1000 /"]),
    ("\"person-outside\": (", &["message: 50", "[\"50 /", "[\"250 /", "\"500 /"]),
    ("\"machine\": (", &["message: 50", "[\"100 /"]),
];

/// Replaces the number in `figure` after `block`.
fn change(text: &str, block: &str, figure: &str, number: &str) -> String {
    let block_at = text.find(block).expect("the block");
    let at = block_at + text[block_at..].find(figure).expect("the figure");
    let digits: String = figure.chars().filter(char::is_ascii_digit).collect();
    let changed = figure.replace(&digits, number);
    format!("{}{changed}{}", &text[..at], &text[at + figure.len()..])
}

#[test]
fn each_number_of_the_guides_table_changed_alone_changes_one_line() {
    let plain = plan_text(NANTES);
    let mut changed = 0;
    for (block, figures) in ROWS {
        for figure in figures {
            let digits: String = figure.chars().filter(char::is_ascii_digit).collect();
            let number: u32 = digits.parse().expect("a number");
            let text = change(NANTES, block, figure, &(number - 1).to_string());
            assert_eq!(changed_lines(&plain, &plan_text(&text)), 1, "{block} {figure}");
            changed += 1;
        }
    }
    assert_eq!(changed, 14);
}

#[test]
fn two_numbers_swapped_between_inside_and_outside_change_two_lines() {
    let plain = plan_text(NANTES);
    let text = change(NANTES, "\"person-inside\": (", "message: 100", "50");
    let text = change(&text, "\"person-outside\": (", "message: 50", "100");
    assert_eq!(changed_lines(&plain, &plan_text(&text)), 2);
    let text = change(NANTES, "\"person-inside\": (", "[\"500 /", "250");
    let text = change(&text, "\"person-outside\": (", "[\"250 /", "500");
    assert_eq!(changed_lines(&plain, &plan_text(&text)), 2);
}
