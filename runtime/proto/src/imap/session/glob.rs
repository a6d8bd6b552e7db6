//! Patterns of LIST (RFC 9051 6.3.9): `*` stands for anything, `%` for anything without a separator.

use std::collections::BTreeMap;

use mail::mailbox_name::SEPARATOR;

/// A pattern ready to be compared with many names: for each of its positions a bit, for each of its characters the positions
/// where it stands. The work for a name is its characters times the words of such a set; no pattern makes it more.
#[derive(Debug)]
pub struct Glob {
    chars: BTreeMap<char, Positions>,
    stars: Positions,
    percents: Positions,
    /// Behind the last character.
    end: usize,
}

/// A set of positions in a pattern, 64 to a word.
type Positions = Vec<u64>;

impl Glob {
    /// RFC 9051 6.3.9: the reference is put before the pattern.
    pub fn new(reference: &str, pattern: &str) -> Glob {
        let pattern = without_idle_wildcards(reference.chars().chain(pattern.chars()));
        let none = vec![0; pattern.len() / 64 + 1];
        let mut glob = Glob { chars: BTreeMap::new(), stars: none.clone(), percents: none, end: pattern.len() };
        for (at, c) in pattern.into_iter().enumerate() {
            let words = glob.stars.len();
            let positions = match c {
                '*' => &mut glob.stars,
                '%' => &mut glob.percents,
                _ => glob.chars.entry(c).or_insert_with(|| vec![0; words]),
            };
            positions[at / 64] |= 1 << (at % 64);
        }
        glob
    }

    pub fn matches(&self, name: &str) -> bool {
        let inbox = name.split(SEPARATOR).next() == Some("INBOX");
        let mut possible = vec![0; self.stars.len()];
        possible[0] = 1;
        self.skip_wildcards(&mut possible);
        for (index, c) in name.chars().enumerate() {
            // INBOX is INBOX in any case (RFC 9051 5.1).
            let small = (inbox && index < "INBOX".len()).then(|| c.to_ascii_lowercase());
            let same = [self.chars.get(&c), small.and_then(|small| self.chars.get(&small))];
            let mut carry = 0;
            for (word, now) in possible.iter_mut().enumerate() {
                let stay = *now & (self.stars[word] | if c == SEPARATOR { 0 } else { self.percents[word] });
                let step = *now & same.iter().flatten().fold(0, |all, positions| all | positions[word]);
                *now = stay | step << 1 | carry;
                carry = step >> 63;
            }
            if possible.iter().all(|word| *word == 0) {
                return false;
            }
            self.skip_wildcards(&mut possible);
        }
        possible[self.end / 64] >> (self.end % 64) & 1 == 1
    }

    /// A wildcard may stand for nothing. No two of them are side by side.
    fn skip_wildcards(&self, possible: &mut [u64]) {
        let mut carry = 0;
        for (word, now) in possible.iter_mut().enumerate() {
            let wild = *now & (self.stars[word] | self.percents[word]);
            *now |= wild << 1 | carry;
            carry = wild >> 63;
        }
    }
}

/// A wildcard beside `*` adds nothing; a second `%` neither.
fn without_idle_wildcards(pattern: impl Iterator<Item = char>) -> Vec<char> {
    let mut chars: Vec<char> = Vec::new();
    for c in pattern {
        match (chars.last(), c) {
            (Some('*'), '*' | '%') | (Some('%'), '%') => (),
            (Some('%'), '*') => {
                chars.pop();
                chars.push('*');
            }
            _ => chars.push(c),
        }
    }
    chars
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::grammar::PATTERN_OCTETS_MAX;
    use proptest::prelude::*;

    fn check(reference: &str, pattern: &str, name: &str, expected: bool) {
        assert_eq!(Glob::new(reference, pattern).matches(name), expected, "{reference} {pattern} {name}");
    }

    #[test]
    fn stars_cross_levels_and_percents_do_not() {
        check("", "*", "a/b/c", true);
        check("", "%", "a/b", false);
        check("", "%/%", "a/b", true);
        check("", "a%", "abc", true);
        check("", "a*c", "a/b/c", true);
        check("", "a%*", "a/b", true);
        check("a/", "%", "a/b", true);
        check("", "", "a", false);
        check("", "a", "A", false);
    }

    #[test]
    fn inbox_matches_in_any_case_and_other_names_do_not() {
        check("", "inbox", "INBOX", true);
        check("", "inBox/%", "INBOX/Lists", true);
        check("", "inbox/lists", "INBOX/Lists", false);
        check("", "inboxes", "INBOXES", false);
    }

    #[test]
    fn a_pattern_made_to_be_slow_is_not() {
        check("", &format!("{}b", "%a".repeat(500)), &"a".repeat(512), false);
        check("", &format!("{}b", "%a".repeat(200)), &"a".repeat(512), false);
        check("", &"%a".repeat(256), &"a".repeat(512), true);
        check("", &format!("{}%/b", "%a".repeat(200)), &format!("{}/b", "a".repeat(400)), true);
        // The longest the grammar lets through: so many words for each character of a name, whatever it says.
        let longest = Glob::new("", &"%a".repeat(PATTERN_OCTETS_MAX / 2));
        assert_eq!(longest.stars.len(), PATTERN_OCTETS_MAX / 64 + 1);
    }

    /// The definition, by recursion.
    fn naive(pattern: &[char], name: &[char]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, None) => true,
            (None, Some(_)) => false,
            (Some((wild @ ('*' | '%'), rest)), more) => {
                naive(rest, name) || more.is_some_and(|(c, left)| (*wild == '*' || *c != '/') && naive(pattern, left))
            }
            (Some((p, rest)), Some((c, left))) => p == c && naive(rest, left),
            (Some(_), None) => false,
        }
    }

    proptest! {
        #[test]
        fn long_patterns_match_across_words(pattern in "([ab]{1,30}[*%/]){1,9}", name in "([ab]{1,30}/?){1,9}") {
            let filled = pattern.replace('*', "a/b").replace('%', "");
            prop_assert!(Glob::new("", &pattern).matches(&filled));
            prop_assert!(Glob::new(&name, "%").matches(&name));
            prop_assert!(Glob::new("*", &name[name.len() / 2..]).matches(&name));
            prop_assert!(!Glob::new(&name, "c*").matches(&name));
        }

        #[test]
        fn matching_is_what_the_definition_says(pattern in "[ab/*%]{0,8}", name in "[ab/]{0,8}") {
            let chars = |text: &str| text.chars().collect::<Vec<char>>();
            prop_assert_eq!(Glob::new("", &pattern).matches(&name), naive(&chars(&pattern), &chars(&name)));
        }
    }
}
