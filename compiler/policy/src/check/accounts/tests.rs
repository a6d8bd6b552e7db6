//! The proof about logins against trying every person of a small world.

use std::collections::BTreeSet;

use decide::login;
use plan::{Collision, Fold, LoginRules};
use proptest::prelude::*;

use super::logins::{imitated, person};

fn rules(form: &str, suffix: &str, first: u32) -> LoginRules {
    LoginRules {
        form: form.into(),
        fold: Fold::AsciiLower,
        collision: Collision::Append { suffix: suffix.into(), first },
        examples: Vec::new(),
    }
}

fn proved(rules: &LoginRules) -> Option<String> {
    let Collision::Append { suffix, first } = &rules.collision else { return None };
    imitated(rules, suffix.split_once("{n}")?, *first).map(|shared| shared.text)
}

/// Every name of at most `longest` characters of the alphabet.
fn names(alphabet: &str, longest: usize) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut last = names.clone();
    for _ in 0..longest {
        last = last.iter().flat_map(|name| alphabet.chars().map(move |c| format!("{name}{c}"))).collect();
        names.extend(last.clone());
    }
    names
}

/// A login that is plain for one person and suffixed for another, found by trying.
fn tried(rules: &LoginRules) -> Option<String> {
    let (firsts, lasts) = (names("a1-", 2), names("a1-", 3));
    let people = || firsts.iter().flat_map(|first| lasts.iter().map(move |last| (first, last)));
    let given = |(first, last): (&String, &String)| login::candidates(rules, first, last).take(13).collect::<Vec<_>>();
    let plain: BTreeSet<String> = people().filter_map(|who| given(who).into_iter().next()).collect();
    people().find_map(|who| given(who).into_iter().skip(1).find(|login| plain.contains(login)))
}

#[test]
fn the_logins_of_nantes_are_told_apart() {
    assert_eq!(proved(&rules("{last}-{initials}", "-{n}", 1)), None);
    assert_eq!(tried(&rules("{last}-{initials}", "-{n}", 1)), None);
}

#[test]
fn a_counterexample_is_two_people_who_get_that_login() {
    for (form, suffix) in
        [("{last}", "{n}"), ("{first}.{last}", "{n}"), ("{initials}-{last}", "-{n}"), ("{last}{first}", "1{n}")]
    {
        let rules = rules(form, suffix, 1);
        let shared = imitated(&rules, suffix.split_once("{n}").expect("a number"), 1).expect("a collision");
        let pieces = login::pieces(form);
        let (p, q) = (person(&pieces, &shared.left), person(&pieces, &shared.right));
        assert_eq!(login::candidates(&rules, &p.first, &p.last).next(), Some(shared.text.clone()), "{form}");
        let mut suffixed = login::candidates(&rules, &q.first, &q.last).skip(1);
        assert!(suffixed.any(|login| login == shared.text), "{form}: {}", shared.text);
    }
}

#[test]
fn a_long_name_is_never_cut_into_an_imitation() {
    let rules = rules("{last}-{initials}", "-{n}", 1);
    for length in 40..70 {
        let last = format!("{}-j-1", "a".repeat(length));
        let plain = login::candidates(&rules, "", &last).next().expect("a login");
        assert!(plain.ends_with('-'), "{plain}");
    }
}

fn piece() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("{last}"), Just("{first}"), Just("{initials}"), Just("-"), Just("a"), Just("1"), Just(".")]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_proof_agrees_with_trying_everybody(
        form in proptest::collection::vec(piece(), 1..4),
        suffix in prop_oneof![Just("{n}"), Just("-{n}"), Just(".{n}"), Just("a{n}"), Just("{n}a"), Just("-{n}-")],
        first in 0_u32..3,
    ) {
        let form = form.concat();
        let rules = rules(&form, suffix, first);
        if let Some(login) = tried(&rules) {
            prop_assert!(proved(&rules).is_some(), "{} gives {} twice", form, login);
        }
        // Where each name stands once and apart, a collision that is proved is one that happens.
        let dependent = form.contains("{first}") && form.contains("{initials}");
        let twice = ["{last}", "{first}", "{initials}"].iter().any(|name| form.matches(name).count() > 1);
        if let (false, false, Some((before, after))) = (dependent, twice, suffix.split_once("{n}"))
            && let Some(shared) = imitated(&rules, (before, after), first)
        {
            let pieces = login::pieces(&form);
            let (p, q) = (person(&pieces, &shared.left), person(&pieces, &shared.right));
            prop_assert_eq!(login::candidates(&rules, &p.first, &p.last).next(), Some(shared.text.clone()));
            prop_assert!(login::candidates(&rules, &q.first, &q.last).skip(1).any(|login| login == shared.text));
        }
    }
}
