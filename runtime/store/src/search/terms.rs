//! The terms of a text: its groups of three characters, each once.
//!
//! Whoever holds a text holds all its groups, so a message that lacks one of them does not hold the text. Scripts that write
//! words in one or two characters are found by pairs too. FTS5 gets the terms ready, separated by spaces: that costs less
//! than half of what its own trigram tokenizer does, which hands on each group as often as it occurs.

use std::collections::HashSet;
use std::hash::{BuildHasher, Hasher, RandomState};

/// Most terms of one message. Writing has few thousand, what is no writing may have as many as it has letters.
pub(super) const TERMS_MAX: usize = 65_536;
/// Most terms of one query: more of a long text exclude hardly more messages.
const QUERY_TERMS_MAX: usize = 32;
/// From here on stand the scripts of East Asia.
const PAIRS_FROM: char = '\u{2e80}';

/// Collects the terms of a message. Used again for the next one, so that its memory is.
pub(super) struct Terms {
    seen: HashSet<u64, Mix>,
    text: String,
}

impl Terms {
    pub(super) fn new() -> Terms {
        Terms { seen: HashSet::with_hasher(Mix::new()), text: String::new() }
    }

    pub(super) fn clear(&mut self) {
        self.seen.clear();
        self.text.clear();
    }

    /// Takes the terms of a folded text; false when they become too many.
    #[must_use]
    pub(super) fn add(&mut self, folded: &str) -> bool {
        let mut windows = Windows::default();
        for character in folded.chars() {
            let (pair, group) = windows.push(character);
            for term in [pair, group].into_iter().flatten() {
                if self.seen.insert(key(term)) {
                    self.text.extend(letters(term));
                    self.text.push(' ');
                }
            }
            if self.seen.len() > TERMS_MAX {
                return false;
            }
        }
        true
    }

    /// As the tokenizer `ascii` reads them.
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

/// The FTS5 query whose answer holds every message that holds `folded`. `None` when the text is too short for terms.
pub(super) fn query(folded: &str) -> Option<String> {
    let mut windows = Windows::default();
    let (mut pairs, mut groups) = (Vec::new(), Vec::new());
    for character in folded.chars() {
        let (pair, group) = windows.push(character);
        pairs.extend(pair);
        groups.extend(group);
    }
    let mut terms = if groups.is_empty() { pairs } else { groups };
    terms.sort_unstable();
    terms.dedup();
    let step = terms.len().div_ceil(QUERY_TERMS_MAX).max(1);
    // No term holds a quotation mark: it is no letter.
    let quoted = terms.iter().step_by(step).map(|term| format!("\"{}\"", letters(*term).collect::<String>()));
    let quoted: Vec<String> = quoted.collect();
    (!quoted.is_empty()).then(|| quoted.join(" AND "))
}

/// Three characters; the first is NUL in a pair, which no text has.
type Term = [char; 3];

/// The last characters of a text.
#[derive(Default)]
struct Windows {
    last: Term,
}

impl Windows {
    /// The pair and the group that end with this character.
    fn push(&mut self, character: char) -> (Option<Term>, Option<Term>) {
        let [_, first, second] = self.last;
        let third = term_letter(character);
        self.last = [first, second, third];
        let pair = second >= PAIRS_FROM && third >= PAIRS_FROM;
        (pair.then_some(['\0', second, third]), (first != '\0').then_some(self.last))
    }
}

/// The tokenizer parts terms where US-ASCII has no letter or digit, so those become characters above it. They may meet
/// others there, which gives a candidate too many.
fn term_letter(character: char) -> char {
    if character.is_ascii() && !character.is_ascii_alphanumeric() {
        char::from(character as u8 | 0x80)
    } else {
        character
    }
}

fn letters(term: Term) -> impl Iterator<Item = char> {
    term.into_iter().filter(|character| *character != '\0')
}

/// A character has 21 bits.
fn key(term: Term) -> u64 {
    term.iter().fold(0, |key, character| key << 21 | u64::from(*character as u32))
}

/// Multiplies by a secret odd number: much less work than the standard hash, and nobody can write a message whose terms meet.
#[derive(Clone)]
struct Mix(u64);

impl Mix {
    fn new() -> Mix {
        Mix(RandomState::new().hash_one(0) | 1)
    }
}

impl BuildHasher for Mix {
    type Hasher = Mixed;

    fn build_hasher(&self) -> Mixed {
        Mixed { factor: self.0, hash: 0 }
    }
}

struct Mixed {
    factor: u64,
    hash: u64,
}

impl Hasher for Mixed {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, key: u64) {
        self.hash = (self.hash ^ key).wrapping_mul(self.factor);
        // The table looks at the lowest bits, which depend on the fewest.
        self.hash ^= self.hash >> 32;
    }

    fn finish(&self) -> u64 {
        self.hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail::fold;
    use proptest::prelude::*;

    fn terms(text: &str) -> HashSet<String> {
        let mut terms = Terms::new();
        assert!(terms.add(&fold(text)));
        terms.text().split(' ').filter(|term| !term.is_empty()).map(str::to_owned).collect()
    }

    fn asked(text: &str) -> Option<Vec<String>> {
        let query = query(&fold(text))?;
        Some(query.split(" AND ").map(|term| term.trim_matches('"').to_owned()).collect())
    }

    #[test]
    fn texts_of_less_than_three_characters_have_no_query() {
        for text in ["", "a", "ab", "é!", "日"] {
            assert_eq!(asked(text), None, "{text:?}");
        }
        assert_eq!(asked("abc").unwrap(), ["abc"]);
        assert_eq!(asked("日本").unwrap(), ["日本"]);
        assert_eq!(asked("日本語").unwrap(), ["日本語"]);
        assert_eq!(asked("a\" OR \u{0}").unwrap().len(), 5);
    }

    #[test]
    fn a_query_is_bounded_and_a_message_too() {
        let long: String = ('a'..='z').flat_map(|a| ('a'..='z').flat_map(move |b| [a, b, '0'])).collect();
        assert!(asked(&long).unwrap().len() <= QUERY_TERMS_MAX);
        let many: String = (0x4e00..0x9fa0).filter_map(char::from_u32).cycle().take(70_000).collect();
        let mixed: String = many.chars().zip(('a'..='z').cycle()).flat_map(|(a, b)| [a, b]).collect();
        assert!(!Terms::new().add(&mixed));
    }

    proptest! {
        #[test]
        fn who_holds_a_text_holds_its_terms(before in ".{0,30}", text in "[a-zA-Zß0-9一-鿆].{0,30}", after in ".{0,30}") {
            // Behind a space no mark of what follows belongs to the text.
            let whole = terms(&format!("{before}{text} {after}"));
            if let Some(asked) = asked(&text) {
                prop_assert!(asked.iter().all(|term| whole.contains(term)), "{:?} in {:?}", asked, whole);
            }
        }
    }
}
