//! Words of running text: folded, taken apart as French and English readers do, numbers as their shape.

use crate::view::is_unseen;

/// Longest word kept, in characters; longer ones are told apart by length only.
const WORD_CHARS_MAX: usize = 24;
/// What stands before an apostrophe in French and is a word of its own.
const ELIDED: [&str; 14] =
    ["l", "d", "j", "m", "t", "s", "c", "n", "qu", "jusqu", "lorsqu", "puisqu", "quoiqu", "presqu"];

/// Days and months are dates. Sorted.
const CALENDAR: [&str; 66] = [
    "am",
    "aout",
    "apr",
    "april",
    "aug",
    "august",
    "avr",
    "avril",
    "dec",
    "december",
    "decembre",
    "dim",
    "dimanche",
    "feb",
    "february",
    "fev",
    "fevr",
    "fevrier",
    "fri",
    "friday",
    "jan",
    "january",
    "janv",
    "janvier",
    "jeu",
    "jeudi",
    "juil",
    "juillet",
    "juin",
    "jul",
    "july",
    "jun",
    "june",
    "lun",
    "lundi",
    "mar",
    "march",
    "mardi",
    "mars",
    "mer",
    "mercredi",
    "mon",
    "monday",
    "nov",
    "november",
    "novembre",
    "oct",
    "october",
    "octobre",
    "pm",
    "sam",
    "samedi",
    "sat",
    "saturday",
    "sep",
    "sept",
    "september",
    "septembre",
    "sun",
    "sunday",
    "thu",
    "thursday",
    "tue",
    "tuesday",
    "ven",
    "vendredi",
];

/// One word, or a mark that stands for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word<'a> {
    /// Folded: no case, no accents; digits are `0`.
    pub text: &'a str,
    /// Written in capitals alone, three letters or more.
    pub shouted: bool,
    /// A piece of a text without spaces: it stands beside its neighbours, never in a pair.
    pub gram: bool,
}

/// Calls `each` with the words of a text in order until it says that it has enough.
pub fn words(text: &str, each: &mut dyn FnMut(Word<'_>) -> bool) {
    let mut folded = String::with_capacity(64);
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c| !starts_word(c));
        let Some(first) = rest.chars().next() else { return };
        let end = if is_mark(first) {
            rest.find(|c| c != first).unwrap_or(rest.len())
        } else {
            rest.find(|c| !continues_word(c)).unwrap_or(rest.len())
        };
        let (raw, behind) = rest.split_at(end);
        rest = behind;
        let goes_on = if is_mark(first) {
            // One mark is punctuation; more are a voice.
            end < 2 || each(Word { text: if end > 2 { &raw[..3] } else { raw }, shouted: false, gram: false })
        } else {
            word(raw, &mut folded, each)
        };
        if !goes_on {
            return;
        }
    }
}

fn is_mark(c: char) -> bool {
    matches!(c, '!' | '?')
}

fn starts_word(c: char) -> bool {
    c.is_alphanumeric() || is_mark(c) || matches!(c, '$' | '€' | '£')
}

fn continues_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '\'' | '’' | 'ʼ' | '$' | '€' | '£' | '%') || is_unseen(c) || is_combining(c)
}

fn is_combining(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{900}'..='\u{dff}' | '\u{1ab0}'..='\u{1aff}' | '\u{fe00}'..='\u{fe0f}')
}

/// Scripts written without spaces between words.
fn is_dense(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Folds one run of letters and takes it apart.
fn word(raw: &str, folded: &mut String, each: &mut dyn FnMut(Word<'_>) -> bool) -> bool {
    folded.clear();
    mail::fold_onto(raw, folded);
    if !raw.is_ascii() && folded.chars().any(is_dense) {
        return grams(folded, each);
    }
    let shouted = is_shouted(raw);
    let mut from = 0;
    while let Some(at) = folded[from..].find('\'').map(|at| from + at) {
        let before = &folded[from..at];
        if ELIDED.contains(&before) && at + 1 < folded.len() {
            from = at + 1;
            continue;
        }
        // `John's` is John, `don't` is one word, `aujourd'hui` too, and quotes around a word are none of it.
        let behind = &folded[at + 1..];
        match behind {
            "" | "s" => folded.truncate(at),
            _ => drop(folded.remove(at)),
        }
    }
    shaped(&folded[from..], shouted, each)
}

fn is_shouted(raw: &str) -> bool {
    let mut capitals = 0;
    for c in raw.chars() {
        if c.is_lowercase() {
            return false;
        }
        capitals += usize::from(c.is_uppercase());
    }
    capitals >= 3
}

fn shaped(folded: &str, shouted: bool, each: &mut dyn FnMut(Word<'_>) -> bool) -> bool {
    let length = folded.chars().count();
    if length < 2 || CALENDAR.binary_search(&folded).is_ok() {
        return true;
    }
    if length > WORD_CHARS_MAX {
        let text = if length > 60 { "long word 60" } else { "long word 24" };
        return each(Word { text, shouted: false, gram: true });
    }
    if !folded.bytes().any(|octet| octet.is_ascii_digit()) {
        return each(Word { text: folded, shouted, gram: false });
    }
    // Years, prices and counters would teach the calendar; their shape is enough.
    let shape: String = folded.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    if shape.bytes().all(|octet| octet == b'0') && shape.len() <= 4 {
        return true;
    }
    each(Word { text: &shape, shouted: false, gram: false })
}

/// Pieces of two characters each, overlapping.
fn grams(folded: &str, each: &mut dyn FnMut(Word<'_>) -> bool) -> bool {
    // The marks of kana belong to the letter before them.
    let letters = folded.char_indices().filter(|(_, c)| !matches!(c, '\u{3099}' | '\u{309a}'));
    let starts: Vec<usize> = letters.map(|it| it.0).chain([folded.len()]).collect();
    if starts.len() < 2 {
        return true;
    }
    if starts.len() == 2 {
        return each(Word { text: folded, shouted: false, gram: true });
    }
    starts.windows(3).all(|ends| each(Word { text: &folded[ends[0]..ends[2]], shouted: false, gram: true }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        words(text, &mut |word| {
            found.push(format!("{}{}", word.text, if word.shouted { "!" } else { "" }));
            true
        });
        found
    }

    #[test]
    fn french_and_english_words_are_taken_apart() {
        let cases: &[(&str, &[&str])] = &[
            ("L'été de l’élève", &["ete", "de", "eleve"]),
            ("qu'il s'agit jusqu'ici", &["il", "agit", "ici"]),
            ("aujourd'hui, presqu'île", &["aujourdhui", "ile"]),
            ("John's don't 'quoted' they're", &["john", "dont", "quoted", "theyre"]),
            ("dys-orthographie e-mail", &["dys", "orthographie", "mail"]),
            ("Cœur CŒUR straße", &["coeur", "coeur!", "strasse"]),
            ("a à y", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(of(text), *expected, "{text}");
        }
    }

    #[test]
    fn shouting_and_marks_are_heard() {
        assert_eq!(of("FREE money NOW!!! Really?? ok!"), ["free!", "money", "now!", "!!!", "really", "??", "ok"]);
        assert_eq!(of("IT is UN"), ["it", "is", "un"]);
    }

    #[test]
    fn numbers_are_shapes_and_years_are_nothing() {
        assert_eq!(of("in 2026 and 12345678 $100 50% x86"), ["in", "and", "00000000", "$000", "00%", "x00"]);
        assert_eq!(of("1 2003 1999"), Vec::<String>::new());
    }

    #[test]
    fn words_hidden_by_unseen_characters_are_found() {
        assert_eq!(of("pass\u{200b}word pa\u{ad}ss"), ["password", "pass"]);
    }

    #[test]
    fn scripts_without_spaces_are_read_in_pieces() {
        assert_eq!(of("日本語 です"), ["日本", "本語", "て\u{3099}す"]);
        assert_eq!(of("字"), ["字"]);
    }

    #[test]
    fn long_words_are_lengths() {
        assert_eq!(of(&"x".repeat(25)), ["long word 24"]);
        assert_eq!(of(&"x".repeat(90)), ["long word 60"]);
    }

    #[test]
    fn enough_is_enough() {
        let mut count = 0;
        words("one two three four", &mut |_| {
            count += 1;
            count < 2
        });
        assert_eq!(count, 2);
    }
}
