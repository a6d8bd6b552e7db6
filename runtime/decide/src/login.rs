//! The login program: candidates in order, and the addresses people get (guide §2 to §4).
//!
//! `candidates` yields `toto-j`, `toto-j-1`, `toto-j-2`, …; the caller commits the first that the ledger does not hold.

use plan::{Collision, Fold, Identity, LoginRules};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Longest login (see `mail::Login`).
const LOGIN_OCTETS_MAX: usize = 64;

/// Candidates in order; without a collision rule only the plain one. Never endless: 10,000 homonyms are a mistake.
pub fn candidates(rules: &LoginRules, first: &str, last: &str) -> impl Iterator<Item = String> + use<> {
    let plain = plain(rules, first, last);
    let numbered: Box<dyn Iterator<Item = String>> = match &rules.collision {
        Collision::NotSet => Box::new(std::iter::empty()),
        Collision::Append { suffix, first } => {
            let (plain, suffix) = (plain.clone(), suffix.clone());
            let numbers = *first..first.saturating_add(10_000);
            Box::new(numbers.map(move |n| format!("{plain}{}", suffix.replace("{n}", &n.to_string()))))
        }
    };
    std::iter::once(plain).chain(numbered)
}

fn plain(rules: &LoginRules, first: &str, last: &str) -> String {
    let initials: String = parts(first).filter_map(|part| part.chars().next()).collect();
    let built = [("{last}", last), ("{first}", first), ("{initials}", initials.as_str())]
        .into_iter()
        .fold(rules.form.clone(), |form, (name, value)| form.replace(name, &fold(rules.fold, value)));
    built.chars().take(LOGIN_OCTETS_MAX - 6).collect()
}

/// The parts of a first name: `Jean-Pierre` and `Jean Pierre` have two.
fn parts(first: &str) -> impl Iterator<Item = &str> {
    first.split(|c: char| c == '-' || c.is_whitespace()).filter(|part| !part.is_empty())
}

fn fold(rule: Fold, text: &str) -> String {
    match rule {
        Fold::Keep => text.to_owned(),
        Fold::AsciiLower => plain_letters(text)
            .chars()
            .map(|c| c.to_ascii_lowercase())
            .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
            .collect(),
    }
}

/// Accents off, ligatures apart; what has no Latin base is dropped.
fn plain_letters(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)) {
        match c {
            'œ' => plain.push_str("oe"),
            'Œ' => plain.push_str("Oe"),
            'æ' => plain.push_str("ae"),
            'Æ' => plain.push_str("Ae"),
            'ß' => plain.push_str("ss"),
            'ø' => plain.push('o'),
            'Ø' => plain.push('O'),
            'ł' => plain.push('l'),
            'Ł' => plain.push('L'),
            'đ' | 'ð' => plain.push('d'),
            'Đ' => plain.push('D'),
            'ı' => plain.push('i'),
            'þ' => plain.push_str("th"),
            c if c.is_ascii() => plain.push(c),
            _ => {}
        }
    }
    plain
}

/// `{First}.{Last}@domain` with accents off, the case kept, spaces as hyphens, apostrophes dropped: `D'Angelo Le Gall`
/// gives `DAngelo-Le-Gall`.
fn address_part(text: &str) -> String {
    let plain = plain_letters(text);
    let words: Vec<&str> = plain.split(|c: char| c.is_whitespace() || c == '-').filter(|w| !w.is_empty()).collect();
    words.join("-").chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect()
}

/// The official address as text; the caller parses it.
pub fn official_address(identity: &Identity, first: &str, last: &str) -> String {
    let form = &identity.address.official;
    form.replace("{First}", &address_part(first)).replace("{Last}", &address_part(last))
}

/// A former address kept as an alias.
pub fn former_address(identity: &Identity, local: &str, unit: &str) -> String {
    identity.address.former.replace("{local}", local).replace("{unit}", unit)
}

#[cfg(test)]
mod tests {
    use plan::{Collision, Fold, LoginRules};

    use super::*;

    fn nantes() -> LoginRules {
        LoginRules {
            form: "{last}-{initials}".into(),
            fold: Fold::AsciiLower,
            collision: Collision::Append { suffix: "-{n}".into(), first: 1 },
            examples: Vec::new(),
        }
    }

    fn check(first: &str, last: &str, expected: &str) {
        assert_eq!(candidates(&nantes(), first, last).next().unwrap(), expected, "{first} {last}");
    }

    #[test]
    fn the_guides_logins_come_out() {
        check("Jean", "Toto", "toto-j");
        check("Jean-Pierre", "Toto", "toto-jp");
        check("Jérôme", "Toto", "toto-j");
        let all: Vec<String> = candidates(&nantes(), "Jérôme", "Toto").take(3).collect();
        assert_eq!(all, ["toto-j", "toto-j-1", "toto-j-2"]);
    }

    #[test]
    fn accents_particles_and_ligatures_fold() {
        check("Anne-Laure", "Le Gall", "legall-al");
        check("Éloïse", "D'Angelo", "dangelo-e");
        check("Zoé", "Cœur", "coeur-z");
        check("Łukasz", "Straße", "strasse-l");
        assert_eq!(address_part("D'Angelo Le Gall"), "DAngelo-Le-Gall");
        assert_eq!(address_part("Jérôme"), "Jerome");
    }

    #[test]
    fn candidates_end() {
        assert_eq!(candidates(&nantes(), "A", "B").count(), 10_001);
        assert!(candidates(&nantes(), &"a-".repeat(500), &"b".repeat(500)).all(|c| c.len() <= 64));
    }
}
