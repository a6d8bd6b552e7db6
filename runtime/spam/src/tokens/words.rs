//! Words of running text: folded, taken apart as French and English readers do, numbers as their shape.

use super::lexicon::Lexicon;
use crate::view::is_unseen;

/// Longest word kept, in characters; longer ones are told apart by length only.
const WORD_CHARS_MAX: usize = 24;
/// What stands before an apostrophe in French and is a word of its own.
const ELIDED: [&str; 14] =
    ["l", "d", "j", "m", "t", "s", "c", "n", "qu", "jusqu", "lorsqu", "puisqu", "quoiqu", "presqu"];

/// Days and months are dates.
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

static DATES: Lexicon<256> = Lexicon::new().with(&CALENDAR, 1);

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
pub fn words(text: &str, each: &mut impl FnMut(Word<'_>) -> bool) {
    let mut folded = String::with_capacity(64);
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        while bytes.get(at).is_some_and(|octet| CLASSES[usize::from(*octet)] == BETWEEN) {
            at += 1;
        }
        let goes_on = match run(&text[at..]) {
            None => return,
            Some(Run::Between(length)) => {
                at += length;
                true
            }
            Some(Run::Marks(length)) => {
                let raw = &text[at..at + length];
                at += length;
                // One mark is punctuation; more are a voice.
                length < 2 || each(Word { text: if length > 2 { &raw[..3] } else { raw }, shouted: false, gram: false })
            }
            Some(Run::Letters(length)) => {
                let raw = &text[at..at + length];
                at += length;
                plain(raw, &mut folded, each)
            }
            Some(Run::Word(length)) => {
                let raw = &text[at..at + length];
                at += length;
                word(raw, &mut folded, each)
            }
        };
        if !goes_on {
            return;
        }
    }
}

/// What stands at the beginning of a text, with how many octets it has.
enum Run {
    Between(usize),
    Marks(usize),
    /// A word of the letters a to z alone, in either case.
    Letters(usize),
    Word(usize),
}

fn run(text: &str) -> Option<Run> {
    let bytes = text.as_bytes();
    let class = |octet: u8| CLASSES[usize::from(octet)];
    let first = *bytes.first()?;
    if class(first) == LETTER {
        let length = bytes.iter().position(|octet| class(*octet) != LETTER).unwrap_or(bytes.len());
        if bytes.get(length).is_none_or(|next| matches!(class(*next), BETWEEN | MARK)) {
            return Some(Run::Letters(length));
        }
    } else if class(first) == MARK {
        return Some(Run::Marks(bytes.iter().position(|octet| *octet != first).unwrap_or(bytes.len())));
    }
    let first = text.chars().next()?;
    if !starts_word(first) {
        return Some(Run::Between(first.len_utf8()));
    }
    Some(Run::Word(text.find(|c| !continues_word(c)).unwrap_or(text.len())))
}

/// What an octet is by itself: between words, a letter, a mark, and whatever must be looked at with its neighbours.
const BETWEEN: u8 = 0;
const LETTER: u8 = 1;
const MARK: u8 = 2;
const OTHER: u8 = 3;

const CLASSES: [u8; 256] = {
    let mut classes = [BETWEEN; 256];
    let mut octet = 0;
    while octet < 256 {
        classes[octet] = match octet as u8 {
            b'a'..=b'z' | b'A'..=b'Z' => LETTER,
            b'!' | b'?' => MARK,
            b'0'..=b'9' | b'\'' | b'$' | b'%' | 128.. => OTHER,
            _ => BETWEEN,
        };
        octet += 1;
    }
    classes
};

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

/// A word of the letters a to z.
fn plain(raw: &str, folded: &mut String, each: &mut impl FnMut(Word<'_>) -> bool) -> bool {
    if raw.len() < 2 {
        return true;
    }
    if raw.len() > WORD_CHARS_MAX {
        return each(too_long(raw.len()));
    }
    folded.clear();
    folded.push_str(raw);
    folded.make_ascii_lowercase();
    if DATES.of(folded) != 0 {
        return true;
    }
    let shouted = raw.len() >= 3 && raw.bytes().all(|octet| octet.is_ascii_uppercase());
    each(Word { text: folded, shouted, gram: false })
}

fn too_long(length: usize) -> Word<'static> {
    Word { text: if length > 60 { "long word 60" } else { "long word 24" }, shouted: false, gram: true }
}

/// Folds one run of letters and takes it apart.
fn word(raw: &str, folded: &mut String, each: &mut impl FnMut(Word<'_>) -> bool) -> bool {
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

fn shaped(folded: &str, shouted: bool, each: &mut impl FnMut(Word<'_>) -> bool) -> bool {
    let length = folded.chars().count();
    if length < 2 || DATES.of(folded) != 0 {
        return true;
    }
    if length > WORD_CHARS_MAX {
        return each(too_long(length));
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
fn grams(folded: &str, each: &mut impl FnMut(Word<'_>) -> bool) -> bool {
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
