//! One spelling of a unit: `"20 Mo"` is `"20 MB"`, `"500/15 min"` is `"500 / 15 min"`. Only where the meaning stays: the
//! same words in a label are left alone.

use crate::model::Policy;
use crate::model::people::People;
use crate::syntax::{Document, Kind, Node, read};
use crate::syntax::{GroupBody, Tree};

/// The text with quantities in their one spelling.
pub(super) fn respelled(document: &Document, text: &str) -> String {
    let mut found = Vec::new();
    quantities(document.tree(), &document.tree().root, &mut found);
    if found.is_empty() {
        return text.to_owned();
    }
    let all = replaced(text, &found);
    if same(document, text, &all) {
        return all;
    }
    // Some of them are prose: each on its own.
    let kept: Vec<_> =
        found.into_iter().filter(|one| same(document, text, &replaced(text, std::slice::from_ref(one)))).collect();
    replaced(text, &kept)
}

/// A range of the text and what should stand there.
type Respelling = (usize, usize, String);

fn replaced(text: &str, respellings: &[Respelling]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (start, end, instead) in respellings {
        out += text.get(done..*start).unwrap_or("");
        out += instead;
        done = *end;
    }
    out + text.get(done..).unwrap_or("")
}

/// Do two texts mean the same? Only files whose types are known are respelled.
fn same(document: &Document, one: &str, other: &str) -> bool {
    let file = document.tree().file;
    let decoded = |text: &str| {
        let mut sink = Vec::new();
        let document = read(file, text, &mut sink);
        match document.name() {
            Some(("Policy", _)) => Some((Some(Policy::decode(&document, &mut sink)), None)),
            Some(("People", _)) => Some((None, Some(People::decode(&document, &mut sink)))),
            _ => None,
        }
    };
    match (decoded(one), decoded(other)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

/// Strings that are quantities in another spelling, in the order of the text. Recursion is as deep as the brackets.
fn quantities(tree: &Tree, node: &Node, found: &mut Vec<Respelling>) {
    match &node.kind {
        Kind::Text(text) => {
            if let Some(spelling) = spelling(text) {
                let (start, end) = (node.start as usize, node.end as usize);
                let written = format!("\"{text}\"");
                // A raw string stays as it is.
                if tree.slice(node) == written && spelling != **text {
                    found.push((start, end, format!("\"{spelling}\"")));
                }
            }
        }
        Kind::List(items) => items.iter().for_each(|item| quantities(tree, item, found)),
        Kind::Map(entries) => entries.iter().for_each(|entry| quantities(tree, &entry.value, found)),
        Kind::Group(group) => match &group.body {
            GroupBody::Fields(fields) => fields.iter().for_each(|field| quantities(tree, &field.value, found)),
            GroupBody::Items(items) => items.iter().for_each(|item| quantities(tree, item, found)),
            GroupBody::Absent | GroupBody::Empty => {}
        },
        Kind::Broken | Kind::Bool(_) | Kind::Integer(_) | Kind::OddNumber | Kind::Char(_) => {}
    }
}

/// The one spelling of a size, duration, rate or share.
fn spelling(text: &str) -> Option<String> {
    if let Some((count, width)) = text.split_once('/') {
        let count = count.trim();
        let digits = !count.is_empty() && count.bytes().all(|b| b.is_ascii_digit());
        return digits.then(|| quantity(width.trim())).flatten().map(|width| format!("{count} / {width}"));
    }
    quantity(text)
}

fn quantity(text: &str) -> Option<String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = (text.get(..digits)?, text.get(digits..)?.trim_start_matches([' ', '\u{a0}', '\u{202f}']));
    if number.is_empty() || number.len() > 19 {
        return None;
    }
    let one = number.trim_start_matches('0') == "1";
    let unit = match unit {
        "B" | "o" => "B",
        "kB" | "KB" | "ko" | "Ko" => "kB",
        "MB" | "Mo" => "MB",
        "GB" | "Go" => "GB",
        "TB" | "To" => "TB",
        "KiB" | "kiB" | "Kio" | "kio" => "KiB",
        "MiB" | "Mio" => "MiB",
        "GiB" | "Gio" => "GiB",
        "TiB" | "Tio" => "TiB",
        "s" | "min" | "h" | "%" => unit,
        "day" | "days" if one => "day",
        "day" | "days" => "days",
        "month" | "months" if one => "month",
        "month" | "months" => "months",
        "year" | "years" if one => "year",
        "year" | "years" => "years",
        _ => return None,
    };
    Some(format!("{number} {unit}"))
}
