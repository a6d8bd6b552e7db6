//! Spaces and apostrophes as each language sets them. Sources of pages are typed with ordinary spaces.

use plan::Language;

/// Before a colon and inside « ».
const NO_BREAK: char = '\u{a0}';
/// Before other high punctuation, and between thousands.
pub const NARROW_NO_BREAK: char = '\u{202f}';

/// Makes the spaces of French punctuation unbreakable; control characters, which only a strange Plan could hold,
/// become spaces.
pub fn spaced(language: Language, text: &str) -> String {
    let letters: Vec<char> = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut set = String::with_capacity(text.len() + 8);
    for (at, &letter) in letters.iter().enumerate() {
        let next = letters.get(at + 1).copied();
        let before = at.checked_sub(1).and_then(|at| letters.get(at)).copied();
        set.push(match (language, letter, next) {
            (Language::French, ' ', Some(':' | '»')) => NO_BREAK,
            (Language::French, ' ', Some(';' | '?' | '!')) => NARROW_NO_BREAK,
            (Language::French, ' ', _) if before == Some('«') => NO_BREAK,
            (Language::French | Language::English, letter, _) => letter,
        });
    }
    set
}

/// Typed apostrophes become printed ones.
pub fn printed(text: &str) -> String {
    text.replace('\'', "’")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn french_punctuation_keeps_to_its_word() {
        assert_eq!(spaced(Language::French, "Quoi ? « oui » : a"), "Quoi\u{202f}? «\u{a0}oui\u{a0}»\u{a0}: a");
        assert_eq!(spaced(Language::English, "What: \"a\" ?"), "What: \"a\" ?");
        assert_eq!(spaced(Language::English, "a\nb\u{1b}c"), "a b c");
    }
}
