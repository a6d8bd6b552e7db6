//! Which lints of the families about scanning and people the policies of this repository are expected to have.

use super::*;

/// (code, rule) of the lints and errors whose numbers begin with 07 or 08.
fn found(text: &str, people: Option<&str>) -> Vec<(&'static str, String)> {
    let compiled = people.map_or_else(|| check(text), |people| check_with(text, people));
    let of_ours = compiled.diagnostics.iter().filter(|found| {
        let number = &found.code.as_str()[1..3];
        ["07", "08"].contains(&number)
    });
    let mut found: Vec<(&'static str, String)> =
        of_ours.map(|found| (found.code.as_str(), found.rule.clone().unwrap_or_default())).collect();
    found.sort();
    found
}

fn expected(rules: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    rules.iter().map(|(code, rule)| (*code, (*rule).to_owned())).collect()
}

#[test]
fn nantes_is_told_what_its_guide_leaves_open() {
    let lints = expected(&[
        ("L0709", "antispam.tag.subject"),
        ("L0715", "antivirus.outbound_from_person.infected"),
        ("L0717", "authenticate.own_domains_from_outside"),
        ("L0806", "identity.password.change_from"),
        ("L0807", "identity.password.renew_every"),
    ]);
    assert_eq!(found(NANTES, None), lints);
    assert_eq!(found(NANTES, Some(NANTES_PEOPLE)), lints, "the people of Nantes add nothing");
}

#[test]
fn the_office_is_told_what_its_defaults_do() {
    let lints = expected(&[
        ("L0709", "antispam.tag.subject"),
        ("L0713", "antivirus"),
        ("L0717", "authenticate.own_domains_from_outside"),
    ]);
    assert_eq!(found(OFFICE, Some(OFFICE_PEOPLE)), lints);
}

#[test]
fn the_university_with_neighbours_refuses_who_poses_as_it() {
    let lints = expected(&[("L0709", "antispam.tag.subject"), ("L0713", "antivirus")]);
    assert_eq!(found(include_str!("neighbours.ron"), None), lints);
}

#[test]
fn lints_about_defaults_stand_at_a_written_place() {
    let compiled = check(OFFICE);
    for found in &compiled.diagnostics {
        let place = found.place().expect("a place");
        assert_eq!(compiled.sources.name(place.file), "policy.ron", "{found:?}");
        assert!(!place.is_empty(), "{found:?}");
    }
}
