//! The terms of a text: its groups of three characters, each once.
//!
//! Whoever holds a text holds all its groups, so a message that lacks one of them does not hold the text. Scripts that write
//! words in one or two characters are found by pairs too. Groups that go on behind a word say little and are every third of
//! them: only the space in front of a word counts.
//!
//! FTS5 gets a number for each group, written in six letters. Its own trigram tokenizer hands on each group as often as it
//! occurs, and its hash table puts short words that differ in a letter into the same few places: either costs more than
//! all the rest. Two groups may have one number, which gives a candidate too many.

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
    seen: HashSet<Term, Mix>,
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
                if self.seen.insert(term) {
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
    let words: Vec<String> = terms.iter().step_by(step).map(|term| letters(*term).into_iter().collect()).collect();
    (!words.is_empty()).then(|| words.join(" AND "))
}

/// The number of a group, of 30 bits. The file depends on it.
type Term = u32;

/// The last characters of a text, 21 bits each.
#[derive(Default)]
struct Windows {
    last: u64,
    length: usize,
}

const CHARACTER_BITS: u32 = 21;

impl Windows {
    /// The pair and the group that end with this character.
    fn push(&mut self, character: char) -> (Option<Term>, Option<Term>) {
        if character.is_ascii_whitespace() {
            *self = Windows { last: u64::from(' '), length: 1 };
            return (None, None);
        }
        let before = (self.last & ((1 << CHARACTER_BITS) - 1)) as u32;
        self.last = (self.last << CHARACTER_BITS | u64::from(character)) & ((1 << (3 * CHARACTER_BITS)) - 1);
        self.length += 1;
        let pair = before >= PAIRS_FROM as u32 && character >= PAIRS_FROM;
        let pair = pair
            .then(|| number(1 << (3 * CHARACTER_BITS) | u64::from(before) << CHARACTER_BITS | u64::from(character)));
        (pair, (self.length >= 3).then(|| number(self.last)))
    }
}

/// The upper bits of the product depend on all of the group.
fn number(group: u64) -> Term {
    (group.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 34) as u32
}

/// Digits of five bits that are no operator of FTS5 together: those are in capitals.
fn letters(term: Term) -> [char; 6] {
    const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    [25, 20, 15, 10, 5, 0].map(|shift| char::from(DIGITS[(term >> shift & 31) as usize]))
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
        bytes.iter().for_each(|byte| self.write_u32(u32::from(*byte)));
    }

    fn write_u32(&mut self, key: u32) {
        self.hash = (self.hash ^ u64::from(key)).wrapping_mul(self.factor);
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
        Some(query.split(" AND ").map(str::to_owned).collect())
    }

    #[test]
    fn texts_of_less_than_three_characters_have_no_query() {
        for text in ["", "a", "ab", "é!", "日", "ab ", "a b c"] {
            assert_eq!(asked(text), None, "{text:?}");
        }
        for (text, terms) in
            [("abc", 1), ("日本", 1), ("日本語", 1), ("abab", 2), ("a\" OR \u{0}x", 2), ("a b\r\ncd e", 1)]
        {
            assert_eq!(asked(text).unwrap().len(), terms, "{text:?}");
        }
        assert_ne!(asked("日本"), asked("本語"));
        assert!(asked("a\" \"OR*").unwrap().iter().all(|term| term.len() == 6));
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
