//! Where mail goes: redirects of Nantes.

use decide::{RedirectDenial, RedirectVerdict, Tables, redirect, redirect_from};

use super::*;

fn tables(text: &str) -> Tables {
    Tables::new(check(text).plan.expect("no error").plan).expect("a sound plan")
}

#[test]
fn redirects_of_nantes_go_to_laboratories_and_not_to_free_mailboxes() {
    let tables = tables(NANTES);
    let allowed = |rule: &str| RedirectVerdict::Allowed { rule: rule.to_owned() };
    let denied = |rule: &str, because| RedirectVerdict::Denied { rule: rule.to_owned(), because };
    for (target, expected) in [
        ("jean@in2p3.fr", allowed("redirects.allow.in2p3")),
        // The wider of two suffixes decides (L0606).
        ("jean@subatech.in2p3.fr", allowed("redirects.allow.in2p3")),
        ("jean@mail.CNRS.fr", allowed("redirects.allow.cnrs")),
        ("jean@hotmail.co.uk", denied("redirects.refused_examples", RedirectDenial::Example)),
        ("jean@laposte.net", denied("redirects.refused_examples", RedirectDenial::Example)),
        ("jean@mon-site.example", denied("redirects.otherwise", RedirectDenial::NotAllowed)),
        ("jean@notcnrs.fr", denied("redirects.otherwise", RedirectDenial::NotAllowed)),
        ("jean@[192.0.2.1]", denied("redirects.otherwise", RedirectDenial::NotAllowed)),
        ("jean@univ-nantes.fr", denied("domains.univ-nantes.fr", RedirectDenial::Ours)),
        ("jean@droit.univ-nantes.fr", denied("domains.{unit}.univ-nantes.fr", RedirectDenial::Ours)),
    ] {
        assert_eq!(redirect(&tables, &target.parse().unwrap()), expected, "{target}");
    }
}

#[test]
fn a_foreign_researcher_is_sent_home_on_grant_alone() {
    let home = "uni-heidelberg.example".parse().unwrap();
    let verdict = |target: &str| redirect_from(&tables(NANTES), &target.parse().unwrap(), Some(&home));
    let granted = RedirectVerdict::OnGrant { rule: "redirects.on_grant.foreign-researcher".to_owned() };
    assert_eq!(verdict("eva@physik.uni-heidelberg.example"), granted);
    assert!(matches!(verdict("eva@gmail.com"), RedirectVerdict::Denied { .. }));
}

#[test]
fn a_policy_that_asks_denies_its_examples_all_the_same() {
    let tables = tables(&with(NANTES, "otherwise: Refuse,\n    ),\n    routes", "otherwise: Ask,\n    ),\n    routes"));
    let asked = RedirectVerdict::OnGrant { rule: "redirects.otherwise".to_owned() };
    assert_eq!(redirect(&tables, &"jean@mon-site.example".parse().unwrap()), asked);
    let verdict = redirect(&tables, &"jean@yahoo.fr".parse().unwrap());
    assert!(matches!(verdict, RedirectVerdict::Denied { because: RedirectDenial::Example, .. }), "{verdict:?}");
}

const GRANTED: &str = "grants: [(login: \"toto-j\", quota: \"1500 MB\", because: \"x\", until: \"2027-01-01\")],";

#[test]
fn a_grant_is_judged_by_the_profile_of_its_holder() {
    let nantes = with(NANTES, "quota: OnRequest(above: \"1 GB\")", "quota: OnRequest(above: \"2 GB\")");
    let grants = nantes.lines().find(|line| line.trim_start().starts_with("grants:")).expect("a line of grants");
    let nantes = with(&nantes, grants, GRANTED);
    let toto = |profile: &str| {
        format!(
            "People(people: [(first: \"Jean\", last: \"Toto\", {profile}registered: \"2004-09-01\")],\naliases: [(address: \"traitementspam@univ-nantes.fr\", to: [\"toto-j\"])])"
        )
    };
    assert_eq!(errors(&check_with(&nantes, &toto(""))), []);
    assert_eq!(errors(&check_with(&nantes, &toto("profile: \"director\", "))), [(Code::E0509, 1)]);
}

#[test]
fn what_needs_people_is_noted_where_there_are_none() {
    let notes = |compiled: &Compiled| compiled.diagnostics.iter().filter(|found| found.code == Code::E0903).count();
    assert_eq!(notes(&check(OFFICE)), 1);
    assert!(check(OFFICE).plan.is_some(), "a note stops nothing");
    assert_eq!(notes(&check_with(OFFICE, OFFICE_PEOPLE)), 0);
}

#[test]
fn end_dates_pass_with_the_day_that_is_given() {
    let nantes = with(
        NANTES,
        "known: {}",
        "known: { \"moodle\": (from: [\"10.44.3.4/32\"], as: [\"m@univ-nantes.fr\"], owner: \"o@univ-nantes.fr\", until: \"2026-12-01\", limits: (recipients_in_one_message: 100, messages_accepted: Unlimited, recipients_attempted: [\"20000 / 1 h\"])) }",
    );
    let on = |today: Option<&str>| {
        let files = Files([("policy.ron".to_owned(), nantes.clone())].into());
        let today = today.map(|today| crate::model::literal::Date(today.to_owned()));
        let inputs = crate::Inputs { today: today.as_ref(), deployed: None };
        let compiled = crate::compile_with(&files, "policy.ron", inputs).expect("the file is there");
        let ours = [Code::E0518, Code::L0520];
        let codes = compiled.diagnostics.iter().map(|found| found.code).filter(|code| ours.contains(code));
        codes.collect::<Vec<Code>>()
    };
    assert_eq!(on(None), []);
    assert_eq!(on(Some("2026-10-01")), []);
    assert_eq!(on(Some("2026-11-01")), [Code::L0520]);
    assert_eq!(on(Some("2026-12-01")), [Code::L0520]);
    assert_eq!(on(Some("2026-12-02")), [Code::E0518]);
}

#[test]
fn nobody_blocks_a_whole_registry_or_provider_without_a_word() {
    for (domain, warned) in [("com", true), ("co.uk", true), ("gmail.com", true), ("phish.example.com", false)] {
        let entry = format!("    blocked: [(what: SenderDomain(\"{domain}\"), because: \"phish\")],\n    routes:");
        let checked = check(&with(NANTES, "    routes:", &entry));
        assert_eq!(checked.diagnostics.iter().any(|it| it.code == Code::L0725), warned, "{domain}");
    }
}
