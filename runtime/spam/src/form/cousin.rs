//! Names that pass for ours.

use crate::view::{host, skeleton};

/// Why a domain is not what it looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Likeness {
    /// It looks like one of ours: a letter off, or letters that look the same.
    Looks,
    /// Our name stands in it: `univ-nantes.fr.example.net`, `univ-nantes-login.example`.
    Bears,
}

/// Shortest name of ours that another name can be near to; shorter ones are near to everything.
const NEAR_CHARS_MIN: usize = 6;

/// Our names, ready to be compared.
pub(super) struct OurNames<'a> {
    /// The registered part, its first label, and what that looks like.
    names: Vec<(&'a str, &'a str, String)>,
}

impl<'a> OurNames<'a> {
    pub(super) fn of(own_domains: &[&'a str]) -> OurNames<'a> {
        let mut names: Vec<(&str, &str, String)> = Vec::new();
        for own in own_domains {
            let site = host::registered(own);
            let name = site.split('.').next().unwrap_or_default();
            if !names.iter().any(|known| known.0 == site) {
                names.push((site, name, skeleton(name)));
            }
        }
        OurNames { names }
    }

    /// What a foreign domain does with our names. `domain` is none of ours.
    pub(super) fn likeness(&self, domain: &str) -> Option<Likeness> {
        if self.names.is_empty() {
            return None;
        }
        let shown = host::u_labels(domain);
        let foreign_name = host::registered(&shown).split('.').next().unwrap_or_default();
        let looks = skeleton(foreign_name);
        self.names.iter().find_map(|(site, name, ours)| {
            if name.len() < NEAR_CHARS_MIN {
                // A short name counts only whole, with its ending: `lab.fr.example.net`.
                let whole = domain.strip_prefix(site).is_some_and(|rest| rest.starts_with('.'));
                return whole.then_some(Likeness::Bears);
            }
            // Institutions that were one are told apart by a number: `univ-lyon1`, `univ-lyon2`.
            let number = |c: char| c.is_ascii_digit();
            if foreign_name != *name && foreign_name.trim_end_matches(number) == name.trim_end_matches(number) {
                return None;
            }
            // The same name under another ending is often a partner or a former name, so it bears it only.
            let near = foreign_name != *name && (looks == *ours || distance_is_one(&looks, ours));
            let bears = shown.split('.').any(|label| holds_word(label, name));
            near.then_some(Likeness::Looks).or(bears.then_some(Likeness::Bears))
        })
    }
}

/// Whether our name stands in a label with hyphens or nothing around it.
fn holds_word(label: &str, own_name: &str) -> bool {
    let whole = |at: usize| {
        let behind = at + own_name.len();
        let before = at == 0 || label.as_bytes()[at - 1] == b'-';
        before && (behind == label.len() || label.as_bytes()[behind] == b'-')
    };
    label.match_indices(own_name).any(|(at, _)| whole(at))
}

/// One letter more, less, other, or two changed places (Damerau-Levenshtein distance of 1).
fn distance_is_one(one: &str, other: &str) -> bool {
    let one: Vec<char> = one.chars().take(64).collect();
    let other: Vec<char> = other.chars().take(64).collect();
    let (short, long) = if one.len() <= other.len() { (&one, &other) } else { (&other, &one) };
    let start = short.iter().zip(long.iter()).take_while(|(a, b)| a == b).count();
    let end = short[start..].iter().rev().zip(long[start..].iter().rev()).take_while(|(a, b)| a == b).count();
    let (left_short, left_long) = (&short[start..short.len() - end], &long[start..long.len() - end]);
    match (left_short, left_long) {
        ([], [_]) | ([_], [_]) => true,
        ([a, b], [c, d]) => a == d && b == c,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(domain: &str, expected: Option<Likeness>) {
        assert_eq!(OurNames::of(&["univ-nantes.fr", "lab.fr"]).likeness(domain), expected, "{domain}");
    }

    #[test]
    fn cousins_are_found_and_strangers_are_not() {
        for domain in ["univ-nante.fr", "univ-nantess.com", "univ-natnes.fr", "unlv-nantes.fr", "www.univ-nantez.fr"] {
            check(domain, Some(Likeness::Looks));
        }
        for domain in [
            "univ-nantes.fr.evil.example",
            "login.univ-nantes-secure.example",
            "univ-nantes.example",
            "lab.fr.evil.example",
        ] {
            check(domain, Some(Likeness::Bears));
        }
        for domain in
            ["univ-rennes.fr", "nantes.fr", "example.org", "lap.fr", "universite-nantes.fr", "univ-nantes2.fr", ""]
        {
            check(domain, None);
        }
    }

    #[test]
    fn a_homograph_is_a_cousin() {
        let cyrillic: mail::Domain = "univ-n\u{430}ntes.fr".parse().unwrap();
        check(cyrillic.as_str(), Some(Likeness::Looks));
    }
}
