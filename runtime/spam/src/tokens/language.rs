//! Which language a message is in, by its most common small words. Words are counted for each language apart: where most mail
//! of a language happens to be of one kind, the language would otherwise be learned a hundred times over, once with each word.

use super::lexicon::Lexicon;
use super::words::{Word, words};

/// Words looked at.
const WORDS_MAX: usize = 400;
/// Fewer small words than this are chance.
const SMALL_WORDS_MIN: usize = 3;

/// Folded.
const SMALL_WORDS: [(&str, &[&str]); 7] = [
    (
        "en",
        &[
            "the", "and", "of", "to", "you", "is", "for", "this", "that", "with", "your", "are", "have", "not", "be",
            "it", "we", "from", "on", "in", "will", "was", "can", "our",
        ],
    ),
    (
        "fr",
        &[
            "le", "la", "les", "des", "du", "une", "et", "est", "pour", "vous", "nous", "dans", "que", "qui", "sur",
            "pas", "avec", "votre", "au", "aux", "ce", "cette", "de", "par", "notre", "en",
        ],
    ),
    (
        "de",
        &[
            "der", "die", "das", "und", "ist", "nicht", "sie", "mit", "fur", "ein", "eine", "den", "auf", "ihre",
            "ihr", "wir", "zu", "von", "im", "es", "bitte", "dem",
        ],
    ),
    (
        "es",
        &[
            "el", "los", "las", "una", "para", "por", "con", "su", "es", "del", "que", "se", "usted", "en", "de", "la",
            "no", "sus", "nuestra", "esta",
        ],
    ),
    (
        "pt",
        &[
            "os", "as", "um", "uma", "para", "por", "com", "nao", "voce", "seu", "sua", "do", "da", "no", "na", "em",
            "que", "de", "ao", "esta",
        ],
    ),
    (
        "it",
        &[
            "il", "lo", "gli", "una", "per", "con", "non", "che", "di", "del", "della", "sono", "questo", "la", "le",
            "si", "un", "tuo",
        ],
    ),
    (
        "nl",
        &["de", "het", "een", "en", "van", "voor", "niet", "met", "uw", "op", "wij", "zijn", "je", "dat", "te", "is"],
    ),
];

/// Bit `n` for the small words of language `n`.
static SMALL: Lexicon<512> = lexicon();

const fn lexicon() -> Lexicon<512> {
    let mut lexicon = Lexicon::new();
    let mut at = 0;
    while at < SMALL_WORDS.len() {
        lexicon = lexicon.with(SMALL_WORDS[at].1, 1 << at);
        at += 1;
    }
    lexicon
}

/// The language of these texts: a code of ISO 639, `dense` for scripts without spaces, `other` for scripts that none of the
/// languages known here uses, `unknown` for too little text.
pub fn of<'a>(texts: impl Iterator<Item = &'a str>) -> &'static str {
    let mut hits = [0usize; SMALL_WORDS.len()];
    let (mut seen, mut dense, mut foreign) = (0usize, 0usize, 0usize);
    for text in texts {
        words(text, &mut |word: Word<'_>| {
            seen += 1;
            dense += usize::from(word.gram);
            foreign += usize::from(
                !word.text.is_ascii() && word.text.chars().all(|c| c.is_alphabetic() && u32::from(c) > 0x24f),
            );
            let mut languages = SMALL.of(word.text);
            while languages != 0 {
                hits[languages.trailing_zeros() as usize] += 1;
                languages &= languages - 1;
            }
            seen < WORDS_MAX
        });
        if seen >= WORDS_MAX {
            break;
        }
    }
    if 2 * dense > seen {
        return "dense";
    }
    if 2 * foreign > seen {
        return "other";
    }
    // Of languages that are as likely the first stays.
    let mut best = (0, "unknown");
    for (count, (name, _)) in hits.iter().zip(&SMALL_WORDS) {
        if *count > best.0 {
            best = (*count, *name);
        }
    }
    if best.0 >= SMALL_WORDS_MIN && 20 * best.0 >= seen { best.1 } else { "unknown" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_told_by_their_small_words() {
        let cases = [
            ("Bonjour, le dossier de la candidate est dans le dépôt, pour votre avis.", "fr"),
            ("Hello, the file is in the usual place, please tell us what you think of it.", "en"),
            ("Sehr geehrte Damen und Herren, das ist nicht für Sie, bitte wenden Sie sich an die Leitung.", "de"),
            ("Prezado, você não recebeu a sua fatura, para ver os dados clique em uma opção.", "pt"),
            ("Добрый день, посылаю документы", "other"),
            ("日本語の文章です。日本語の文章です。", "dense"),
            ("ok", "unknown"),
            ("", "unknown"),
        ];
        for (text, expected) in cases {
            assert_eq!(of([text].into_iter()), expected, "{text}");
        }
    }
}
