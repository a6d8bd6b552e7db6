//! People and passwords by an operator.

use super::super::{GivenAddress, GivenKind, GivenPerson, OperateError, PutPeople, PutResult, SetPassword};
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
    };
    assert_eq!(house.run(put(1_000)), Ok(PutResult { new: vec!["carol".into()] }));
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
    assert!(matches!(password("carol", ""), Err(OperateError::BadRequest { .. })));
}
