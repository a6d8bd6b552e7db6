//! The test platform of Nantes.

use super::*;

/// As the language's description first writes it: three blocks contradict `OnlyFrom`.
const AS_WRITTEN: &str = r#"Overlay(
    base: "nantes",
    name: "plateforme de test",
    replace_hosts: { "univ-nantes.fr": "test.univ-nantes.fr", "univ-nantes.prive": "test.univ-nantes.prive" },
    set: {
        "routes.remote": Capture("essais@test.univ-nantes.fr"),
        "may_send.person-outside.each_account.recipients_attempted": ["20 / 15 min", "40 / 1 h"],
        "tls.certificate": SelfSigned,
        "mailboxes.profiles.standard.quota": Fixed("50 MB"),
        "backup": None,
    },
    add: {
        "networks.bench": In(["203.0.113.0/28"]),
        "may_send.person-inside.from": ["bench"],
        "guarantees": [NoMailLeaves, OnlyFrom(["inside", "private", "webmail-hosts", "bench"])],
    },
    remove: ["redirects.allow.inserm"],
)
"#;

fn beside_nantes(overlay: &str) -> Files {
    files(&[("nantes/policy.ron", NANTES), ("nantes/people.ron", NANTES_PEOPLE), ("nantes/staging.ron", overlay)])
}

fn compiled(overlay: &str) -> Compiled {
    compile(&beside_nantes(overlay), "nantes/staging.ron").expect("the file is there")
}

#[test]
fn as_first_written_it_breaks_its_own_promise_and_the_three_blocks_are_named() {
    let compiled = compiled(AS_WRITTEN);
    let promised = compiled.diagnostics.iter().find(|found| found.code == Code::E0901).expect("a broken promise");
    let said = format!("{promised:?}");
    for named in ["OnlyFrom", "outside", "reception", "reading", "person-outside"] {
        assert!(said.contains(named), "{named}: {promised:#?}");
    }
    // Its window of 20 is smaller than one message of 50 recipients, too.
    assert!(places(&compiled).iter().all(|(code, ..)| [Code::E0901, Code::E0203].contains(code)));
    let (_, file, line) = place(&compiled, promised);
    assert_eq!((file.as_str(), line), ("nantes/staging.ron", line_of(AS_WRITTEN, "NoMailLeaves")));
    assert!(compiled.plan.is_none());
}

#[test]
fn the_edits_for_the_broken_promise_are_made_in_the_overlay_and_mend_it() {
    // What goes stands last in `set` here, and `remove` is not there.
    let others = ["\"tls.certificate\"", "\"mailboxes.", "\"backup\"", "remove:"];
    let shown = AS_WRITTEN.lines().filter(|line| !others.iter().any(|other| line.contains(other)));
    let last: String = shown.map(|line| format!("{line}\n")).collect();
    let said = AS_WRITTEN.replacen("\"backup\": None,", "\"may_read.reading.from\": [\"outside\", \"inside\"],", 1);
    for overlay in [AS_WRITTEN, &last, &said] {
        let before = compiled(overlay);
        let found = before.diagnostics.iter().find(|found| found.code == Code::E0901).expect("a broken promise");
        assert!(!found.fix.is_empty());
        for edit in &found.fix {
            assert_eq!(before.sources.name(edit.span.file), "nantes/staging.ron", "{edit:?}");
        }
        let after = mended(&before, found);
        assert!(after.contains("\"may_send.person-outside\"") && !after.contains("40 / 1 h"), "{after}");
        let errors = places(&compiled(&after));
        assert_eq!(errors, [], "{after}");
    }
}

#[test]
fn as_shipped_it_compiles_under_its_own_names() {
    let compiled = compiled(STAGING);
    assert_eq!(places(&compiled), []);
    let text = plan_of(&compiled);
    for name in ["\"mx.test.univ-nantes.fr\"", "\"test.univ-nantes.fr\"", "smtp.test.univ-nantes.prive"] {
        assert!(text.contains(name), "{name}");
    }
    assert!(!text.contains("\"univ-nantes.fr") && !text.contains("@univ-nantes.fr") && !text.contains("inserm"));
    let people = compiled.people.as_ref().expect("people without mistakes");
    assert!(format!("{people:?}").contains("test.univ-nantes.fr"));
}

#[test]
fn places_of_people_stay_right_under_other_names() {
    let people = NANTES_PEOPLE.replacen("toto-jp\"]", "toto-xx\"]", 1);
    assert_ne!(people, NANTES_PEOPLE);
    let mut all = beside_nantes(STAGING);
    all.0.insert("nantes/people.ron".to_owned(), people.clone());
    let compiled = compile(&all, "nantes/staging.ron").expect("the file is there");
    let errors = places(&compiled);
    assert!(!errors.is_empty());
    let line = line_of(&people, "toto-xx");
    assert!(errors.iter().all(|(_, file, at)| file == "nantes/people.ron" && *at == line), "{errors:?}");
}

#[test]
fn the_source_map_names_the_file_a_rule_stands_in() {
    let compiled = compiled(STAGING);
    let map = &compiled.plan.as_ref().expect("a plan").map;
    let of = |rule: &str| {
        let place = map.places.get(rule).unwrap_or_else(|| panic!("{rule} has a place"));
        (map.files[place.file as usize].as_str(), place.line)
    };
    assert_eq!(of("routes.remote"), ("nantes/staging.ron", line_of(STAGING, "\"routes.remote\"")));
    assert_eq!(of("networks.bench"), ("nantes/staging.ron", line_of(STAGING, "\"networks.bench\"")));
    assert_eq!(of("routes.held"), ("nantes/policy.ron", line_of(NANTES, "    routes: (")));
    let window = "may_send.person-webmail.recipients_attempted/15min";
    assert_eq!(of(window), ("nantes/policy.ron", line_of(NANTES, "\"person-webmail\": (") + 2));
    assert!(!map.files.iter().any(|name| name.ends_with("people.ron")));
}

#[test]
fn a_base_is_found_beside_the_overlay_in_its_folder_or_next_to_it() {
    let staging = STAGING;
    for (entry, base) in [
        ("a/staging.ron", "a/nantes.ron"),
        ("nantes/staging.ron", "nantes/policy.ron"),
        ("a/staging.ron", "a/nantes/policy.ron"),
        ("a/b/staging.ron", "a/b/../nantes/policy.ron"),
        ("staging.ron", "policy.ron"),
        ("./staging.ron", "./policy.ron"),
    ] {
        let compiled = compile(&files(&[(entry, staging), (base, NANTES)]), entry).expect("the file is there");
        assert!(compiled.plan.is_some(), "{base} for {entry}: {:#?}", compiled.diagnostics);
    }
    let lost = compile(&files(&[("a/staging.ron", staging)]), "a/staging.ron").expect("the file is there");
    let (found, at) = only(&lost, Code::E0101);
    assert_eq!((found.message.as_str(), at), ("unknown base \"nantes\"", "\"nantes\""));
    for base in ["../nantes", "/etc/nantes", "nantes/policy", "..", ""] {
        let overlay = format!("Overlay(base: {base:?})");
        let refused = compile(&files(&[("o.ron", &overlay)]), "o.ron").expect("the file is there");
        only(&refused, Code::E0104);
    }
}

#[test]
fn people_beside_the_overlay_come_before_those_of_the_base() {
    let mine = "People(people: [(first: \"Ada\", last: \"Essai\", registered: \"2024-01-02\")], functions: [(address: \"traitementspam@test.univ-nantes.fr\", members: [\"essai-a\"])], aliases: [])";
    let all = [
        ("test/staging.ron", STAGING),
        ("test/people.ron", mine),
        ("test/../nantes/policy.ron", NANTES),
        ("test/../nantes/people.ron", NANTES_PEOPLE),
    ];
    let names = |compiled: &Compiled| format!("{:?}", compiled.people);
    let with_mine = compile(&files(&all), "test/staging.ron").expect("the file is there");
    assert!(names(&with_mine).contains("essai-a"), "{:#?}", with_mine.diagnostics);
    let without = compile(&files(&[all[0], all[2], all[3]]), "test/staging.ron").expect("the file is there");
    assert!(names(&without).contains("toto-j"), "{:#?}", without.diagnostics);
}
