//! What the letters of a message do, and the test message of spam filters.

use super::found::{Case, Found};
use super::rules;

/// <https://spamassassin.apache.org/gtube/>, split so that this file is no test message.
const GTUBE: [&str; 2] = ["XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL", "*C.34X"];

pub(super) fn judge(case: &Case<'_>, found: &mut Found) {
    let script = &case.view.script;
    if script.mixed_words >= 2 {
        found.say(&rules::MIXED_WORDS, format!("{} words", script.mixed_words));
    }
    if script.split_words >= 3 {
        found.say(&rules::SPLIT_BY_UNSEEN, format!("{} times", script.split_words));
    }
    if script.overrides > 0 {
        found.say(&rules::OVERRIDES, "");
    }
    if script.styled_letters >= 8 {
        found.say(&rules::STYLED_LETTERS, format!("{} letters", script.styled_letters));
    }
    if let Some(purse) = case.view.own_texts().find_map(|text| bitcoin(&text.text)) {
        found.say(&rules::BITCOIN, purse);
    }
    shouted(case, found);
    great_sum(case, found);
    let gtube = GTUBE.concat();
    let holds = |text: &str| text.contains(&gtube);
    if case.view.own_texts().any(|text| holds(&text.text)) || case.view.subject.as_deref().is_some_and(holds) {
        found.say(&rules::GTUBE, "");
    }
}

fn shouted(case: &Case<'_>, found: &mut Found) {
    let (mut large, mut small) = (0usize, 0usize);
    for text in case.view.own_texts() {
        large += text.text.bytes().filter(u8::is_ascii_uppercase).count();
        small += text.text.bytes().filter(u8::is_ascii_lowercase).count();
    }
    if large > 300 && large > small {
        found.say(&rules::SHOUTED_TEXT, "");
    }
}

/// Words for a million and money, in the languages that such letters come in.
const MILLIONS: [&str; 5] = ["million", "milliard", "billion", "millones", "milhoes"];
const MONEY: [&str; 12] =
    ["$", "usd", "dollar", "euro", "€", "£", "pound", "gbp", "livre", "fcfa", "dolares", "united states"];

/// A sum of a million or more of money, in a message that leads to no page.
fn great_sum(case: &Case<'_>, found: &mut Found) {
    if case.listed_mail || case.view.own_links().any(|link| link.scheme == crate::view::Scheme::Web) {
        return;
    }
    for text in case.view.own_texts() {
        let end = (0..=text.text.len().min(32 * 1024)).rev().find(|at| text.text.is_char_boundary(*at)).unwrap_or(0);
        let folded = mail::fold(&text.text[..end]);
        if let Some(at) = sum_in(&folded) {
            return found
                .say(&rules::GREAT_SUM, folded.get(at..).unwrap_or_default().lines().next().unwrap_or_default());
        }
    }
}

/// Where a great sum begins.
fn sum_in(folded: &str) -> Option<usize> {
    let mut at = 0;
    for word in folded.split_inclusive(|c: char| c.is_whitespace()) {
        let start = at;
        at += word.len();
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        let sum = word.trim_end_matches(|c: char| !c.is_ascii_digit());
        let grouped = digits >= 7 && sum.matches([',', '.', '\'']).count() >= 2 && !sum.contains([':', '/', '-', '@']);
        let named = MILLIONS.iter().any(|name| word.starts_with(name));
        if !(grouped || named) {
            continue;
        }
        let window = |from: usize, to: usize| {
            let from = (0..=from).rev().find(|at| folded.is_char_boundary(*at)).unwrap_or(0);
            let to =
                (to.min(folded.len())..=folded.len()).find(|at| folded.is_char_boundary(*at)).unwrap_or(folded.len());
            &folded[from..to]
        };
        let around = window(start.saturating_sub(24), at + 40);
        if MONEY.iter().any(|money| around.contains(money)) {
            return Some(start);
        }
    }
    None
}

/// A Bitcoin address by its form (Base58 of 26 to 35 characters, BIP 173): it has digits and letters of both cases.
fn bitcoin(text: &str) -> Option<&str> {
    // A word by itself: what is part of an address of a page is something else.
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, ':' | '(' | ')' | ',' | '"' | '*'));
    words.map(|word| word.trim_end_matches('.')).find(|word| {
        if !word.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return false;
        }
        let segwit = word.starts_with("bc1") && (42..=62).contains(&word.len());
        let base58 = (26..=35).contains(&word.len())
            && word.starts_with(['1', '3'])
            && !word.contains(['0', 'O', 'I', 'l'])
            && word.bytes().any(|b| b.is_ascii_lowercase())
            && word.bytes().any(|b| b.is_ascii_uppercase())
            && word.bytes().filter(u8::is_ascii_digit).count() >= 3;
        segwit && !word.bytes().any(|b| b.is_ascii_uppercase()) || base58
    })
}
