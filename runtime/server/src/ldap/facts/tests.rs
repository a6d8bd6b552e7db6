use plan::{Ldap, Plan};
use proptest::prelude::*;

use super::*;

fn tables() -> Tables {
    let path = format!("{}/../../policies/university/policy.plan.ron", env!("CARGO_MANIFEST_DIR"));
    let plan: Plan = plan::read(&std::fs::read_to_string(path).unwrap()).unwrap().0;
    Tables::new(plan).unwrap()
}

fn rules(tables: &Tables) -> Ldap {
    let mut ldap = tables.plan().identity.ldap.clone().unwrap();
    let names = &mut ldap.attributes;
    names.redirect = "mailForwardingAddress".into();
    names.home = "mailHost".into();
    names.quota_mb = "quota".into();
    names.registered = "registered".into();
    ldap
}

fn facts(attributes: &[(&str, &[&str])]) -> Result<Facts, Wrong> {
    let tables = tables();
    let ldap = rules(&tables);
    let time_zone = TimeZone::get("Europe/Paris").unwrap();
    let mapping = Mapping { attributes: &ldap.attributes, tables: &tables, time_zone: &time_zone };
    mapping.facts(&Entry::of("uid=benali.a,ou=people", attributes))
}

const BENALI: [(&str, &[&str]); 5] = [
    ("entryUUID", &["0f2c"]),
    ("uid", &["Benali.A"]),
    ("givenName", &["Aïcha"]),
    ("sn", &["Benali"]),
    ("mail", &["Aicha.Benali@u-ambre.example"]),
];

/// Benali with other values of one attribute.
fn with(name: &str, values: &[&str]) -> Result<Facts, Wrong> {
    let others = BENALI.into_iter().filter(|(other, _)| *other != name);
    let all: Vec<(&str, &[&str])> = others.chain([(name, values)]).collect();
    facts(&all)
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

#[test]
fn an_entry_of_supann_is_a_person() {
    let more: [(&str, &[&str]); 5] = [
        ("supannAutreMail", &["aicha@gmail.com", "a.benali@ambre-2.example", "Aicha.Benali@u-ambre.example"]),
        ("eduPersonPrimaryAffiliation", &["Student"]),
        ("supannEntiteAffectationPrincipale", &["DSI"]),
        ("schacExpiryDate", &["20270831215959Z"]),
        ("registered", &["2026-09-01"]),
    ];
    let all: Vec<(&str, &[&str])> = BENALI.into_iter().chain(more).collect();
    let found = facts(&all).unwrap();
    assert_eq!(found.foreign_id, "0f2c");
    assert_eq!(found.login, Login::new("benali.a"), "logins have the case of the policy");
    assert_eq!(found.mail, Some(address("Aicha.Benali@u-ambre.example")));
    assert_eq!(found.aliases, [address("a.benali@u-ambre.example")], "the old name of the domain is followed");
    assert_eq!((found.profile.as_str(), found.unit.as_str()), ("student", "DSI"));
    assert_eq!((found.registered.as_str(), found.until.as_str()), ("2026-09-01", "2027-08-31"));
    assert_eq!(found.quota_octets, None);
    assert_eq!(found.left_out, []);
}

#[test]
fn what_a_person_cannot_be_without_refuses_the_entry() {
    let long = "x".repeat(2_000);
    for (name, values, why) in [
        ("entryUUID", &[][..], Why::Missing),
        ("entryUUID", &[long.as_str()], Why::TooLong),
        ("uid", &["two words"], Why::NoLogin),
        ("uid", &["$contact%u-ambre.example"], Why::NoLogin),
        ("uid", &["a/../b"], Why::NoLogin),
        ("sn", &[], Why::Missing),
        ("sn", &["Ben\r\nBcc: x"], Why::NoText),
        ("sn", &[long.as_str()], Why::TooLong),
        ("mail", &["aicha"], Why::NoAddress),
        ("mail", &["aicha@gmail.com"], Why::NotOurs),
        ("mail", &["Postmaster@u-ambre.example"], Why::Nobodys),
        ("mailHost", &["old-store.u-ambre.example"], Why::NoHome),
    ] {
        assert_eq!(with(name, values), Err(wrong(name, why)), "{name} {values:?}");
    }
}

#[test]
fn what_a_person_can_be_without_is_left_out_and_said() {
    for (name, values, why) in [
        ("supannAutreMail", &["abuse@u-ambre.example"][..], Why::Nobodys),
        ("supannAutreMail", &["not an address"], Why::NoAddress),
        ("eduPersonPrimaryAffiliation", &["wizard"], Why::NoProfile),
        ("supannEntiteAffectationPrincipale", &["D\u{7}I"], Why::NoText),
        ("quota", &["much"], Why::NoNumber),
        ("quota", &["99999999999999999999"], Why::NoNumber),
        ("schacExpiryDate", &["soon"], Why::NoDate),
        ("schacExpiryDate", &["20271301000000Z"], Why::NoDate),
        ("mailForwardingAddress", &["nowhere"], Why::NoAddress),
    ] {
        let found = with(name, values).unwrap();
        assert_eq!(found.left_out, [wrong(name, why)], "{name} {values:?}");
        assert_eq!((found.until.as_str(), &found.redirect, found.aliases.len()), ("", &None, 0), "{name}");
        assert_eq!((found.profile.as_str(), found.quota_octets), ("staff", None), "{name}");
    }
}

#[test]
fn what_the_directory_does_not_say_is_for_the_policy() {
    let found = with("uid", &[]).unwrap();
    assert_eq!(found.login, None);
    let found = with("mail", &[]).unwrap();
    assert_eq!((found.mail, found.aliases.len()), (None, 0));
    let found = with("mail", &["b@u-ambre.example", "a@u-ambre.example", "c@gmail.com"]).unwrap();
    assert_eq!(found.mail, Some(address("a@u-ambre.example")), "the same whatever the order");
    assert_eq!(found.aliases, [address("b@u-ambre.example")]);
    assert_eq!(with("quota", &["2500"]).unwrap().quota_octets, Some(2_500_000_000));
    let home = with("mailHost", &["old-store"]).unwrap().home;
    assert_eq!(home.as_deref(), Some("old-store"));
    let redirect = with("mailForwardingAddress", &["a@cnrs.fr"]).unwrap().redirect;
    assert_eq!(redirect, Some(address("a@cnrs.fr")), "whether it may be is not judged here");
}

#[test]
fn days_are_those_of_the_institution() {
    let paris = TimeZone::get("Europe/Paris").unwrap();
    for (text, expected) in [
        ("20270831", Some("2027-08-31")),
        ("2027-08-31", Some("2027-08-31")),
        ("20270831215959Z", Some("2027-08-31")),
        ("20270831220000Z", Some("2027-09-01")),
        ("20270831000000Z", Some("2027-08-31")),
        ("2027083123Z", Some("2027-09-01")),
        ("20270831235959.5+0200", Some("2027-08-31")),
        ("20270831235959-01", Some("2027-09-01")),
        ("20270831235960Z", Some("2027-09-01")),
        ("20270831245959Z", None),
        ("20270229000000Z", None),
        ("20270831000000", None),
        ("20270831000000+99", None),
        ("20270831000000Zulu", None),
        ("99999999999999Z", None),
        ("", None),
        ("é", None),
    ] {
        assert_eq!(day(text, &paris).map(|day| day.to_string()).as_deref(), expected, "{text}");
    }
}

#[test]
fn an_id_that_is_no_text_is_kept_in_hexadecimal_and_asked_for_again() {
    assert_eq!(id_in_filter("hex:00ff2a"), r"\00\ff\2a");
    assert_eq!(id_in_filter("a*b"), r"a\2ab");
}

proptest! {
    #[test]
    fn no_value_breaks_the_mapping(name in 0..13_usize, value in "\\PC{0,40}|[\\x00-\\x7f]{0,40}|[0-9]{0,20}Z?") {
        let tables = tables();
        let ldap = rules(&tables);
        let names = super::super::read::asked_for(&ldap.attributes);
        let time_zone = TimeZone::UTC;
        let mapping = Mapping { attributes: &ldap.attributes, tables: &tables, time_zone: &time_zone };
        let values: [&str; 1] = [&value];
        let attribute = names[name % names.len()].as_str();
        let others = BENALI.into_iter().filter(|(other, _)| *other != attribute);
        let all: Vec<(&str, &[&str])> = others.chain([(attribute, &values[..])]).collect();
        if let Ok(found) = mapping.facts(&Entry::of("x", &all)) {
            prop_assert!(!found.last.is_empty() && !found.last.chars().any(char::is_control));
            prop_assert!(!found.first.chars().any(char::is_control) && !found.unit.chars().any(char::is_control));
            prop_assert!(found.until.is_empty() || found.until.len() == 10);
            let ours = found.mail.iter().chain(&found.aliases).all(|one| tables.domain(one.domain()) != DomainKind::NotOurs);
            prop_assert!(ours);
        }
    }
}
