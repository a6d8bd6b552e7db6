//! The login program: candidates in order, and the addresses people get (guide §2 to §4).
//!
//! `candidates` yields `toto-j`, `toto-j-1`, `toto-j-2`, …; the caller commits the first that the ledger does not hold.

use plan::{Collision, Fold, Identity, LoginRules};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Longest login (see `mail::Login`).
const LOGIN_OCTETS_MAX: usize = 64;
/// Most initials that are used: a first name with more parts is no name.
const INITIALS_MAX: usize = 8;
/// Never endless: this many homonyms are a mistake.
const NUMBERS: u32 = 10_000;

/// A part of a login form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// As it stands in the form.
    Text(String),
    Last,
    First,
    /// One letter for each part of the first name.
    Initials,
}

impl Piece {
    /// Can what stands for this piece hold that octet, when names are folded to ASCII?
    pub fn gives(&self, octet: u8) -> bool {
        match self {
            Piece::Text(text) => text.as_bytes().contains(&octet),
            Piece::Last | Piece::First => octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-',
            Piece::Initials => octet.is_ascii_lowercase(),
        }
    }
}

/// The pieces of a form. Braces around anything but `last`, `first` and `initials` are text.
pub fn pieces(form: &str) -> Vec<Piece> {
    let names = [("{last}", Piece::Last), ("{first}", Piece::First), ("{initials}", Piece::Initials)];
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = form;
    while let Some(c) = rest.chars().next() {
        if let Some((name, piece)) = names.iter().find(|(name, _)| rest.starts_with(name)) {
            if !text.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut text)));
            }
            pieces.push(piece.clone());
            rest = &rest[name.len()..];
        } else {
            text.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    pieces
}

/// The numbers `{n}` stands for, in order.
pub fn numbers(first: u32) -> std::ops::Range<u32> {
    first..first.saturating_add(NUMBERS)
}

/// Octets each name may have, so that the login with its suffix is never cut: a cut login could end like a suffix.
/// 0 when the texts of form and suffix leave no room.
pub fn name_octets_max(rules: &LoginRules) -> usize {
    let suffix = match &rules.collision {
        Collision::NotSet => 0,
        Collision::Append { suffix, first } => numbered(suffix, numbers(*first).end).len(),
    };
    let mut taken = suffix;
    let mut names = 0;
    for piece in pieces(&rules.form) {
        match piece {
            Piece::Text(text) => taken += text.len(),
            Piece::Initials => taken += INITIALS_MAX,
            Piece::Last | Piece::First => names += 1,
        }
    }
    match LOGIN_OCTETS_MAX.checked_sub(taken) {
        Some(left) => left.checked_div(names).unwrap_or(LOGIN_OCTETS_MAX),
        None => 0,
    }
}

/// Candidates in order; without a collision rule only the plain one.
pub fn candidates(rules: &LoginRules, first: &str, last: &str) -> impl Iterator<Item = String> + use<> {
    let plain = plain(rules, first, last);
    let suffixed: Box<dyn Iterator<Item = String>> = match &rules.collision {
        Collision::NotSet => Box::new(std::iter::empty()),
        Collision::Append { suffix, first } => {
            let (plain, suffix) = (plain.clone(), suffix.clone());
            Box::new(numbers(*first).map(move |n| format!("{plain}{}", numbered(&suffix, n))))
        }
    };
    std::iter::once(plain).chain(suffixed)
}

/// The candidate number `n` of a plain one, which is number 0, without those before it; `None` past the last.
pub fn candidate(rules: &LoginRules, plain: &str, n: u32) -> Option<String> {
    match (&rules.collision, n.checked_sub(1)) {
        (_, None) => Some(plain.to_owned()),
        (Collision::NotSet, Some(_)) => None,
        (Collision::Append { suffix, first }, Some(behind)) => {
            let number = first.checked_add(behind).filter(|number| numbers(*first).contains(number))?;
            Some(format!("{plain}{}", numbered(suffix, number)))
        }
    }
}

fn numbered(suffix: &str, n: u32) -> String {
    suffix.replace("{n}", &n.to_string())
}

fn plain(rules: &LoginRules, first: &str, last: &str) -> String {
    let name_octets_max = name_octets_max(rules);
    let mut login = String::new();
    for piece in pieces(&rules.form) {
        match piece {
            Piece::Text(text) => login.push_str(&text),
            Piece::Last => login.push_str(cut(&fold(rules.fold, last), name_octets_max)),
            Piece::First => login.push_str(cut(&fold(rules.fold, first), name_octets_max)),
            Piece::Initials => login.push_str(&initials(rules.fold, first)),
        }
    }
    login
}

/// At most so many octets, whole characters.
fn cut(text: &str, octets_max: usize) -> &str {
    let end = (0..=octets_max.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or(0)]
}

/// Letters only: a digit among them would look like a suffix.
fn initials(rule: Fold, first: &str) -> String {
    let letters: String = parts(first).filter_map(|part| part.chars().find(|c| c.is_alphabetic())).collect();
    fold(rule, &letters).chars().filter(|c| c.is_alphabetic()).take(INITIALS_MAX).collect()
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
    official_form(&identity.address.official, first, last)
}

/// What an address form makes of a name.
pub fn official_form(form: &str, first: &str, last: &str) -> String {
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
    fn initials_are_letters_so_no_plain_login_ends_like_a_suffix() {
        check("2Jean", "Toto", "toto-j");
        check("Jean-2", "Toto-J", "toto-j-j");
        check("99", "Toto", "toto-");
        // A name as long as a login leaves room for the initials and the suffix.
        let long = candidates(&nantes(), "Jean", &format!("{}-1", "a".repeat(47))).next().unwrap();
        assert!(long.ends_with("-1-j"), "{long}");
        let cut = candidates(&nantes(), "Jean", &"a".repeat(200)).last().unwrap();
        assert!(cut.len() <= 64 && cut.ends_with("-j-10000"), "{cut}");
    }

    #[test]
    fn a_name_is_never_read_as_a_form() {
        let rules = LoginRules { fold: Fold::Keep, form: "{last}.{first}".into(), ..nantes() };
        assert_eq!(candidates(&rules, "Ann", "{first}").next().unwrap(), "{first}.Ann");
        assert_eq!(pieces("a{last}{n}"), [Piece::Text("a".into()), Piece::Last, Piece::Text("{n}".into())]);
    }

    #[test]
    fn a_candidate_by_its_number_is_the_one_in_that_place() {
        for rules in [nantes(), LoginRules { collision: Collision::NotSet, ..nantes() }] {
            let all: Vec<String> = candidates(&rules, "Jean", "Toto").collect();
            for (n, one) in (0..).zip(&all) {
                assert_eq!(candidate(&rules, &all[0], n).as_ref(), Some(one), "{n}");
            }
            assert_eq!(candidate(&rules, &all[0], all.len() as u32), None);
        }
    }

    #[test]
    fn candidates_end() {
        assert_eq!(candidates(&nantes(), "A", "B").count(), 10_001);
        assert!(candidates(&nantes(), &"a-".repeat(500), &"b".repeat(500)).all(|c| c.len() <= 64));
    }
}
