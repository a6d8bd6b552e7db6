//! Text as SEARCH compares it: without case and accents (RFC 9051 6.4.4, i;unicode-casemap of RFC 5051 in spirit).
//!
//! One function folds what is indexed, what is sought and what is looked through, so that the three cannot disagree.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

/// Folds a text: compatibility decomposition (NFKD), accents off, small letters, and `œ`, `æ`, `ß` as the letters people type
/// for them. Folding what is folded changes nothing.
///
/// What goes is what a reader would not miss: diacritics above, below and through letters, the points of Hebrew and Arabic,
/// and characters that are not seen (soft hyphens, joiners, variation selectors). Vowel signs and other marks that tell
/// words apart stay. Typographic apostrophes and hyphens become those of a keyboard.
///
/// The folded text of a part is part of the folded text, as long as the part does not begin between a letter and its marks.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    fold_onto(text, &mut folded);
    folded
}

/// The same, behind what `folded` holds. A folded text that is continued must end before a character that is no mark.
pub fn fold_onto(text: &str, folded: &mut String) {
    let mut rest = text;
    while !rest.is_empty() {
        // US-ASCII is its own decomposition, and no mark moves across it.
        let ascii = rest.bytes().position(|byte| !byte.is_ascii()).unwrap_or(rest.len());
        let start = folded.len();
        folded.push_str(&rest[..ascii]);
        folded[start..].make_ascii_lowercase();
        rest = &rest[ascii..];
        let other = rest.bytes().position(|byte| byte.is_ascii()).unwrap_or(rest.len());
        rest[..other].nfkd().filter(|character| !is_passed_over(*character)).for_each(|letter| small(letter, folded));
        rest = &rest[other..];
    }
}

/// Marks by their class of canonical ordering (UAX 44): 10 to 36 are the points of Hebrew, Arabic and Syriac, 200 and more
/// are placed around letters of any script. Overlays are of class 1.
fn is_passed_over(character: char) -> bool {
    let unseen = matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}');
    unseen || matches!(canonical_combining_class(character), 1 | 10..=36 | 200..)
}

fn small(letter: char, folded: &mut String) {
    let same = match letter {
        'œ' | 'Œ' => "oe",
        'æ' | 'Æ' => "ae",
        'ß' | 'ẞ' => "ss",
        'ø' | 'Ø' => "o",
        'ł' | 'Ł' => "l",
        'đ' | 'Đ' => "d",
        'ħ' | 'Ħ' => "h",
        'ŧ' | 'Ŧ' => "t",
        'ı' => "i",
        // The sigma at the end of a word is not another letter.
        'ς' => "σ",
        '‘' | '’' | 'ʼ' => "'",
        '‐' => "-",
        _ => {
            folded.extend(letter.to_lowercase());
            return;
        }
    };
    folded.push_str(same);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(fold(text), expected, "{text:?}");
    }

    #[test]
    fn letters_lose_case_and_accents() {
        check("ÉTÉ à Nîmes, ÇA ! Ÿ", "ete a nimes, ca ! y");
        check("e\u{301}te\u{301}", "ete");
        check("Œuf Cœur Æsop Straße STRASSE", "oeuf coeur aesop strasse strasse");
        check("Søren Łódź Đorđe İSTANBUL ısı", "soren lodz dorde istanbul isi");
        check("ΟΔΥΣΣΕΥΣ Ὀδυσσεύς", "οδυσσευσ οδυσσευσ");
        check("Ёлка ЙОД", "елка иод");
        check("ﬁn ２０２６ Å K ①", "fin 2026 a k 1");
        check("l’été‑là co\u{ad}opé\u{200b}rer", "l'ete-la cooperer");
        check("\u{feff}x\u{a0}y", "x y");
    }

    #[test]
    fn marks_that_tell_words_apart_stay() {
        check("कि की", "कि की");
        assert_ne!(fold("が"), fold("か"));
        assert_eq!(fold("が"), fold("か\u{3099}"));
        check("שָׁלוֹם", "שלום");
        check("한", "\u{1112}\u{1161}\u{11ab}");
    }

    #[test]
    fn every_character_is_folded_once_and_for_all() {
        for character in (0..=0x0010_ffff).filter_map(char::from_u32) {
            let once = fold(&character.to_string());
            assert_eq!(fold(&once), once, "{character:?}");
            assert!(!once.contains(|each: char| each.is_ascii_uppercase()));
            let lower: String = character.to_lowercase().collect();
            assert_eq!(fold(&lower), once, "{character:?}");
        }
    }

    proptest! {
        #[test]
        fn folding_is_idempotent(text in ".{0,40}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }

        #[test]
        fn the_fold_of_a_part_is_in_the_fold(before in ".{0,20}", part in "[a-zA-Zé-ÿœŁ€一-鿆]\\PC{0,10}", after in "\\PC{0,20}") {
            // What follows begins with no mark of the part's last letter.
            let whole = format!("{before}{part} {after}");
            prop_assert!(fold(&whole).contains(&fold(&part)));
        }
    }
}
