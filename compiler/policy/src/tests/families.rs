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

/// (code, rule) about mail flow, redirects, storage and time.
fn found_flow(text: &str, people: &str) -> Vec<String> {
    let ours = |code: Code| {
        let number: u32 = code.as_str()[1..].parse().unwrap_or(0);
        (502..=699).contains(&number) || (903..=999).contains(&number)
    };
    let compiled = check_with(text, people);
    let of_ours = compiled.diagnostics.iter().filter(|found| ours(found.code));
    let mut found: Vec<String> =
        of_ours.map(|found| format!("{} {}", found.code, found.rule.as_deref().unwrap_or_default())).collect();
    found.sort();
    found
}

#[test]
fn mail_flow_and_keeping_of_nantes_are_what_its_guide_leaves_open() {
    let expected = [
        "E0903 guarantees.RedirectsStayProfessional",
        "L0502 mailboxes.profiles.visitor",
        "L0512 mailboxes.message_size",
        "L0517 senders.unknown",
        "L0606 redirects.allow.subatech",
        "L0607 antispam.tag.copies",
        "L0905 backup.every",
        "L0907 retention.losses",
    ];
    assert_eq!(found_flow(NANTES, NANTES_PEOPLE), expected);
}

#[test]
fn mail_flow_and_keeping_of_the_other_policies() {
    assert_eq!(found_flow(OFFICE, OFFICE_PEOPLE), ["L0909 backup.to"]);
    assert_eq!(found_flow(BENCH, BENCH_PEOPLE), ["L0512 mailboxes.message_size"]);
    let neighbours = include_str!("neighbours.ron");
    let nobody = "People(people: [(first: \"Ada\", last: \"L\", registered: \"2026-01-01\")])";
    let expected = ["L0512 mailboxes.message_size", "L0607 antispam.tag.copies", "L0909 backup.to"];
    assert_eq!(found_flow(neighbours, nobody), expected);
}

#[test]
fn an_engine_out_of_the_way_is_one_error_at_the_line_to_change() {
    for (from, to, engines) in [
        ("sending: [Limits, Antivirus, Accept, Route]", "sending: [Limits, Accept, Route]", "outbound"),
        ("engines: [\"mcafee\", \"clamav\"], on", "engines: [\"mcafee\"], on", "inbound and outbound"),
        ("on: [Inbound, Outbound], infected_when", "on: [Inbound], infected_when", "outbound"),
    ] {
        let text = with(NANTES, from, to);
        let compiled = check(&text);
        assert_eq!(errors(&compiled), [(Code::E0701, line_of(&text, to))], "{:?}", compiled.diagnostics);
        let found = compiled.diagnostics.iter().find(|found| found.is_error()).expect("it");
        assert!(found.message.starts_with(&format!("{engines} mail is not scanned by ")), "{}", found.message);
        assert_eq!(found.rule.as_deref(), Some("guarantees.EveryMessageScanned"));
    }
    let off =
        check(&with(NANTES, "EveryMessageScanned(by: [\"mcafee\", \"clamav\"]", "EveryMessageScanned(by: [\"form\"]"));
    assert_eq!(off.diagnostics.iter().filter(|found| found.code == Code::E0701).count(), 1, "a spam pass is no engine");
}

#[test]
fn a_login_form_is_judged_before_its_examples() {
    for (form, message) in [
        ("{last}", "login form can give an invalid or reserved name (`abuse`, of Jean Abuse)"),
        ("{first}.{nom}", "login form can give an invalid or reserved name (`jean.{nom}-1`)"),
        ("toto", "login form can give an invalid or reserved name (`toto-1`)"),
    ] {
        let compiled = check(&with(NANTES, "form: \"{last}-{initials}\"", &format!("form: \"{form}\"")));
        let messages: Vec<&str> =
            compiled.diagnostics.iter().filter(|f| f.is_error()).map(|f| f.message.as_str()).collect();
        assert_eq!(messages, [message]);
    }
    let long = check(&with(NANTES, "form: \"{last}-{initials}\"", &format!("form: \"{}\"", "{last}".repeat(100_000))));
    assert!(long.diagnostics.iter().any(|found| found.code == Code::E0808));
}

#[test]
fn a_login_of_two_people_is_shown_with_names() {
    let compiled =
        check(&with(NANTES, "suffix: \"-{n}\"", "suffix: \"{n}\"").replace("{last}-{initials}", "{initials}.{last}"));
    let found = compiled.diagnostics.iter().find(|found| found.code == Code::E0803).expect("it");
    let message = "login `j.toto1` can come from two different people: Jean Toto1 plain, Jean Toto with suffix";
    assert_eq!(found.message, message);
}

#[test]
fn an_address_form_gives_addresses() {
    let text = with(NANTES, "official: \"{First}.{Last}@univ-nantes.fr\"", "official: \"{First} {Last}\"");
    assert_eq!(errors(&check_with(&text, NANTES_PEOPLE)), [(Code::E0104, line_of(&text, "official: "))]);
}
