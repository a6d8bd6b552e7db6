//! Patterns of LIST (RFC 9051 6.3.9): `*` stands for anything, `%` for anything without a separator.

use mail::mailbox_name::SEPARATOR;

/// Longest pattern that is compared, in characters; a longer one matches nothing. Names have 512 octets, so only
/// wildcards in a row could make a longer one match.
const PATTERN_CHARS_MAX: usize = 1_024;

/// A pattern ready to be compared with many names.
#[derive(Debug)]
pub struct Glob(Vec<char>);

impl Glob {
    /// RFC 9051 6.3.9: the reference is put before the pattern.
    pub fn new(reference: &str, pattern: &str) -> Glob {
        let mut chars: Vec<char> = Vec::new();
        for c in reference.chars().chain(pattern.chars()) {
            match (chars.last(), c) {
                // A wildcard beside `*` adds nothing; a second `%` neither.
                (Some('*'), '*' | '%') | (Some('%'), '%') => (),
                (Some('%'), '*') => {
                    chars.pop();
                    chars.push('*');
                }
                _ => chars.push(c),
            }
        }
        Glob(chars)
    }

    /// Steps along the name with the set of pattern positions that are possible: pattern length times name length at most.
    pub fn matches(&self, name: &str) -> bool {
        let pattern = &self.0;
        if pattern.len() > PATTERN_CHARS_MAX {
            return false;
        }
        let inbox = name.split(SEPARATOR).next() == Some("INBOX");
        let mut now = vec![false; pattern.len() + 1];
        now[0] = true;
        skip_wildcards(pattern, &mut now);
        for (index, c) in name.chars().enumerate() {
            let mut next = vec![false; pattern.len() + 1];
            for at in (0..pattern.len()).filter(|at| now[*at]) {
                match pattern[at] {
                    '*' => next[at] = true,
                    '%' if c != SEPARATOR => next[at] = true,
                    '%' => (),
                    // INBOX is INBOX in any case (RFC 9051 5.1).
                    p if p == c || (inbox && index < "INBOX".len() && p.eq_ignore_ascii_case(&c)) => {
                        next[at + 1] = true;
                    }
                    _ => (),
                }
            }
            skip_wildcards(pattern, &mut next);
            now = next;
        }
        now[pattern.len()]
    }
}

/// A wildcard may stand for nothing.
fn skip_wildcards(pattern: &[char], possible: &mut [bool]) {
    for at in 0..pattern.len() {
        if possible[at] && matches!(pattern[at], '*' | '%') {
            possible[at + 1] = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        check("", &"*a".repeat(2_000), &"a".repeat(512), false);
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
        fn matching_is_what_the_definition_says(pattern in "[ab/*%]{0,8}", name in "[ab/]{0,8}") {
            let chars = |text: &str| text.chars().collect::<Vec<char>>();
            prop_assert_eq!(Glob::new("", &pattern).matches(&name), naive(&chars(&pattern), &chars(&name)));
        }
    }
}
