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
    let gtube = GTUBE.concat();
    let holds = |text: &str| text.contains(&gtube);
    if case.view.own_texts().any(|text| holds(&text.text)) || case.view.subject.as_deref().is_some_and(holds) {
        found.say(&rules::GTUBE, "");
    }
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
