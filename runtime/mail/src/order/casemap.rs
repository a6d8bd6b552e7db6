//! The collation i;unicode-casemap (RFC 5051 2): what two texts are compared as, octet for octet.

use unicode_normalization::UnicodeNormalization;

/// The "titlecased canonicalized UTF-8" of a text, by the tables of Unicode this program is built with.
pub fn casemap(text: &str) -> String {
    let mut mapped = String::with_capacity(text.len());
    casemap_onto(text, &mut mapped);
    mapped
}

/// The same, behind what `mapped` holds.
pub fn casemap_onto(text: &str, mapped: &mut String) {
    let mut rest = text;
    while !rest.is_empty() {
        // US-ASCII has nothing to decompose.
        let ascii = rest.bytes().position(|octet| !octet.is_ascii()).unwrap_or(rest.len());
        let start = mapped.len();
        mapped.push_str(&rest[..ascii]);
        mapped[start..].make_ascii_uppercase();
        rest = &rest[ascii..];
        let other = rest.bytes().position(|octet| octet.is_ascii()).unwrap_or(rest.len());
        mapped.extend(rest[..other].chars().map(titlecase).nfkd());
        rest = &rest[other..];
    }
}

/// The simple title case mapping of UnicodeData.txt. It is the capital letter where that is one letter, but for digraphs, the
/// letters of Georgian, and those of Greek that have an iota below them.
fn titlecase(letter: char) -> char {
    match letter {
        'Ǆ'..='ǆ' => 'ǅ',
        'Ǉ'..='ǉ' => 'ǈ',
        'Ǌ'..='ǌ' => 'ǋ',
        'Ǳ'..='ǳ' => 'ǲ',
        'ა'..='ჺ' | 'ჽ'..='ჿ' => letter,
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => above(letter, 8),
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => above(letter, 9),
        _ => {
            let mut capital = letter.to_uppercase();
            match (capital.next(), capital.next()) {
                (Some(one), None) => one,
                _ => letter,
            }
        }
    }
}

fn above(letter: char, by: u32) -> char {
    char::from_u32(u32::from(letter) + by).unwrap_or(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(casemap(text), expected, "{text:?}");
    }

    #[test]
    fn letters_become_capital_and_are_taken_apart() {
        check("Été à Nîmes", "E\u{301}TE\u{301} A\u{300} NI\u{302}MES");
        check("straße ŒUF œuf", "STRAßE ŒUF ŒUF");
        check("ﬁn ２０ Å", "fiN 20 A\u{30a}");
        check("ς σ Σ", "Σ Σ Σ");
    }

    #[test]
    fn title_case_is_not_always_the_capital_letter() {
        // The example of RFC 5051.
        check("\u{1c4}", "Dz\u{30c}");
        check("ǆ ǉ ǌ ǳ", "Dz\u{30c} Lj Nj Dz");
        check("ა", "ა");
        check("\u{1f80}", "\u{391}\u{313}\u{345}");
        check("\u{1fb3}", "\u{391}\u{345}");
    }

    #[test]
    fn a_mapped_text_is_mapped_to_itself_where_no_small_letter_is_left() {
        for letter in (0..=0x0010_ffff).filter_map(char::from_u32) {
            let once = casemap(&letter.to_string());
            assert_eq!(once.chars().nfkd().collect::<String>(), once, "{letter:?}");
        }
    }
}
