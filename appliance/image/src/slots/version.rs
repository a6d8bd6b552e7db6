//! Which of two versions is newer, as systemd-boot orders entries: UAPI.10, with the tilde below the end of the string.

use std::cmp::Ordering;

/// Compares two version strings, or two names that hold one.
pub fn compare(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        (a, b) = (skip_foreign(a), skip_foreign(b));
        if let Some(order) = step(&mut a, &mut b, b'~', false) {
            return order;
        }
        if a.is_empty() || b.is_empty() {
            return (!a.is_empty()).cmp(&!b.is_empty());
        }
        for (mark, higher) in [(b'-', false), (b'^', true), (b'.', false)] {
            if let Some(order) = step(&mut a, &mut b, mark, higher) {
                return order;
            }
        }
        let is_number = a.first().is_some_and(u8::is_ascii_digit) || b.first().is_some_and(u8::is_ascii_digit);
        let kind = if is_number { u8::is_ascii_digit } else { u8::is_ascii_alphabetic };
        let (of_a, of_b);
        (of_a, a) = split(a, kind);
        (of_b, b) = split(b, kind);
        let order = if is_number { numbers(of_a, of_b) } else { of_a.cmp(of_b) };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Takes `mark` off the front of both; when one alone has it that decides.
fn step(a: &mut &[u8], b: &mut &[u8], mark: u8, higher: bool) -> Option<Ordering> {
    let (rest_of_a, rest_of_b) = (a.strip_prefix(&[mark]), b.strip_prefix(&[mark]));
    match (rest_of_a, rest_of_b) {
        (Some(rest_of_a), Some(rest_of_b)) => {
            (*a, *b) = (rest_of_a, rest_of_b);
            None
        }
        (None, None) => None,
        (Some(_), None) => Some(if higher { Ordering::Greater } else { Ordering::Less }),
        (None, Some(_)) => Some(if higher { Ordering::Less } else { Ordering::Greater }),
    }
}

fn skip_foreign(text: &[u8]) -> &[u8] {
    let known = |octet: &u8| octet.is_ascii_alphanumeric() || b"-.~^".contains(octet);
    &text[text.iter().position(known).unwrap_or(text.len())..]
}

fn split(text: &[u8], kind: fn(&u8) -> bool) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(|octet| !kind(octet)).unwrap_or(text.len()))
}

/// Digits of any length; a number is higher than none.
fn numbers(a: &[u8], b: &[u8]) -> Ordering {
    let significant = |digits: &[u8]| digits.iter().position(|digit| *digit != b'0').unwrap_or(digits.len());
    let (short_a, short_b) = (&a[significant(a)..], &b[significant(b)..]);
    (!a.is_empty()).cmp(&!b.is_empty()).then(short_a.len().cmp(&short_b.len())).then(short_a.cmp(short_b))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of UAPI.10; the tilde as the loader has it.
    #[test]
    fn the_examples_of_the_specification_hold() {
        use Ordering::{Equal, Greater, Less};
        for (a, is, b) in [
            ("11", Equal, "11"),
            ("systemd-123", Equal, "systemd-123"),
            ("bar-123", Less, "foo-123"),
            ("123a", Greater, "123"),
            ("123.a", Greater, "123"),
            ("123.a", Less, "123.b"),
            ("123a", Greater, "123.a"),
            ("11α", Equal, "11β"),
            ("A", Less, "a"),
            ("", Less, "0"),
            ("0.", Greater, "0"),
            ("0.0", Greater, "0"),
            ("0", Greater, "~"),
            ("", Greater, "~"),
            ("1_", Equal, "1"),
            ("_1", Equal, "1"),
            ("1_", Less, "1.2"),
            ("1_2_3", Greater, "1.3.3"),
            ("1+", Equal, "1"),
            ("+1", Equal, "1"),
            ("1+", Less, "1.2"),
            ("1+2+3", Greater, "1.3.3"),
            ("1.10", Greater, "1.9"),
            ("1.0~rc1", Less, "1.0"),
            ("007", Equal, "7"),
            ("1.0^1", Greater, "1.0"),
        ] {
            assert_eq!(compare(a, b), is, "{a} {b}");
            assert_eq!(compare(b, a), is.reverse(), "{b} {a}");
        }
    }
}
