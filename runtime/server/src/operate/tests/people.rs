//! People and passwords by an operator.

use super::super::{
    AddAppPassword, Advice, GivenAddress, GivenKind, GivenPerson, ImportPassword, ListAppPasswords, OperateError,
    PutPeople, PutResult, RemoveAppPassword, SetPassword, WeakPasswords,
};
use super::House;

fn given(login: &str, quota_octets: u64) -> GivenPerson {
    GivenPerson {
        login: login.into(),
        first: String::new(),
        last: String::new(),
        address: format!("{login}@example.org").parse().unwrap(),
        profile: "standard".into(),
        unit: String::new(),
        home: None,
        quota_octets,
        registered: String::new(),
        until: String::new(),
        redirect: None,
    }
}

#[test]
fn people_are_created_once_and_brought_up_to_date_and_only_who_is_there_gets_a_password() {
    let house = House::new();
    let put = |quota_octets| PutPeople {
        people: vec![given("carol", quota_octets)],
        addresses: vec![GivenAddress {
            address: "desk@example.org".parse().unwrap(),
            members: vec!["carol".into()],
            kind: GivenKind::Function,
        }],
        mailboxes: vec![("Junk".into(), "\\Junk".into())],
        ..PutPeople::default()
    };
    assert_eq!(house.run(put(1_000)), Ok(PutResult { new: vec!["carol".into()], said: Vec::new() }));
    let password =
        |login: &str, password: &str| house.run(SetPassword { login: login.into(), password: password.into() });
    assert_eq!(password("carol", "long enough"), Ok(()));
    assert_eq!(house.run(put(2_000)), Ok(PutResult::default()), "nobody is new twice");
    let login = mail::Login::new("carol").unwrap();
    let row = house.store().person(&login).unwrap().unwrap();
    assert_eq!(row.person.quota_octets, 2_000);
    assert!(row.verifier.is_some(), "an update keeps the password");
    assert!(house.store().owns(&login, &"desk@example.org".parse().unwrap()).unwrap());
    assert!(matches!(password("dave", "x"), Err(OperateError::NoSuchLogin { .. })));
    assert_eq!(password("carol", ""), Err(OperateError::WeakPassword { advice: vec![Advice::Empty] }));
}

#[test]
fn app_passwords_are_made_listed_and_removed_by_name() {
    let house = House::new();
    let add = |login: &str, name: &str| house.run(AddAppPassword { login: login.into(), name: name.into() });
    let added = add("one", "phone").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((added.login.as_str(), added.name.as_str()), ("one", "phone"));
    for (login, name) in [("one", "phone"), ("one", " "), ("one", "a\nb"), ("one", &"x".repeat(65))] {
        assert!(matches!(add(login, name), Err(OperateError::BadRequest { .. })), "{name}");
    }
    assert!(matches!(add("nobody", "phone"), Err(OperateError::NoSuchLogin { .. })));
    assert!(add("one", "laptop").is_ok() && add("two", "phone").is_ok());
    let names = |login: &str| -> Vec<String> {
        let listed = house.run(ListAppPasswords { login: login.into() }).unwrap();
        assert!(listed.iter().all(|one| one.created_s > 0 && one.used_on.is_none()));
        listed.into_iter().map(|one| one.name).collect()
    };
    assert_eq!(names("one"), ["phone", "laptop"]);
    let remove = |name: &str| house.run(RemoveAppPassword { login: "one".into(), name: name.into() });
    assert_eq!((remove("phone"), remove("phone")), (Ok(true), Ok(false)));
    assert_eq!((names("one"), names("two")), (vec!["laptop".to_owned()], vec!["phone".to_owned()]));
    for number in 1..32 {
        assert!(add("one", &format!("program {number}")).is_ok());
    }
    assert!(matches!(add("one", "one too many"), Err(OperateError::BadRequest { .. })));
    let told: Vec<String> = house.store().audit(100).unwrap().into_iter().map(|(_, _, what)| what).collect();
    assert!(told.iter().any(|what| what == "app password phone of one removed"), "{told:?}");
    assert!(!told.iter().any(|what| what.contains(&added.secret)), "a secret is on no record");
}

#[test]
fn a_password_does_not_come_back_and_an_imported_hash_is_told_by_its_scheme() {
    let house = House::new();
    let set = |password: &str| house.run(SetPassword { login: "one".into(), password: password.into() });
    let before = |password: &str| Err(OperateError::WeakPassword { advice: vec![Advice::UsedBefore] }) == set(password);
    for n in 0..6 {
        assert_eq!(set(&format!("password number {n}")), Ok(()));
    }
    assert!(before("password number 5") && before("password number 1"));
    assert_eq!(set("password number 0"), Ok(()), "only the last few are remembered");
    let import = |hash: &str, changed_on: Option<&str>| {
        let changed_on = changed_on.map(str::to_owned);
        house.run(ImportPassword { login: "two".into(), hash: hash.into(), changed_on })
    };
    let ssha = "{SSHA}0jrj1dmvjcQiIGGzqh0vwSBl1b1zYWx0c2FsdA==";
    assert!(matches!(import("{CRYPT}rl.3StKT.4T8M", None), Err(OperateError::BadRequest { .. })));
    assert!(matches!(import(ssha, Some("yesterday")), Err(OperateError::BadDate { .. })));
    assert_eq!(import(ssha, Some("2026-05-01")), Ok(()));
    let row = house.store().person(&mail::Login::new("two").unwrap()).unwrap().unwrap();
    assert_eq!((row.verifier.as_deref(), row.secret.as_slice()), (Some(ssha), br#"{"s":1777593600}"#.as_slice()));
    let counted = house.run(WeakPasswords {}).unwrap();
    let weak: Vec<_> = counted.weak.iter().map(|(word, named)| (word.as_str(), named.count)).collect();
    assert_eq!((counted.people, weak, counted.never.count), (2, vec![("SSHA", 1)], 2));
    let told: Vec<String> = house.store().audit(100).unwrap().into_iter().map(|(_, _, what)| what).collect();
    assert!(!told.iter().any(|what| what.contains("number") || what.contains("SSHA")), "{told:?}");
}
