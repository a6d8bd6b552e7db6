//! Plan keys and operators in a store without a server, and plans judged by what it has.

use plan::signed::{Signature, signed_octets};

use super::super::{
    AcknowledgeKeyAlarm, ApplyKeyRequest, BreakGlass, EnrollFirstKey, EnrollOperator, ListOperators, ListPlanKeys,
    OperateError, RemoveOperator, ShowControl,
};
use super::House;
use crate::keys::{KeyChange, KeyRequest, SigningKey, admit, moment, request_octets};
use crate::remote::OperatorRole;

const PLAN: &str = "5f0c1fa3b1c7e6d2a4985f0c1fa3b1c7e6d2a4985f0c1fa3b1c7e6d2a4980000";
const OTHER: &str = "00001fa3b1c7e6d2a4985f0c1fa3b1c7e6d2a4985f0c1fa3b1c7e6d2a4980000";
/// 2026-11-30T14:00:00Z.
const NOW_S: i64 = 1_796_047_200;

fn key(name: &str) -> SigningKey {
    SigningKey::generate(name).unwrap().0
}

fn signed(plan: &str, at_s: i64, key: &SigningKey) -> String {
    let (author, reason) = ("Anne".to_owned(), "ticket 4417".to_owned());
    let mut file = Signature { plan: plan.into(), author, at: moment(at_s), reason, signatures: Vec::new() };
    file.signatures = vec![key.sign(&signed_octets(&file))];
    plan::emit(&file)
}

fn enroll(house: &House, key: &SigningKey) {
    house.run(EnrollFirstKey { key: key.public().to_string() }).unwrap();
}

#[test]
fn a_store_takes_every_plan_until_a_key_is_enrolled_and_then_signed_ones_in_their_order() {
    let house = House::new();
    let (anne, eve) = (key("anne"), key("eve"));
    let take = |plan: &str, signature: Option<&str>| {
        let admitted = admit(house.store(), plan, signature, NOW_S)?;
        if !admitted.ops.is_empty() {
            house.store().commit_wait(admitted.ops)?;
        }
        Ok::<_, OperateError>(admitted.by)
    };
    assert_eq!(take(PLAN, None), Ok(Vec::new()));
    enroll(&house, &anne);
    let refused = |plan: &str, signature: Option<&str>| match take(plan, signature).unwrap_err() {
        OperateError::NotSigned { why } => why,
        OperateError::Refused { why, rule } => format!("{rule}: {why}"),
        other => panic!("{other}"),
    };
    assert!(refused(PLAN, None).starts_with("E1001: plan is not signed by a key enrolled here"));
    assert!(refused(PLAN, Some(&signed(PLAN, NOW_S, &eve))).starts_with("E1001"));
    assert_eq!(take(PLAN, Some(&signed(PLAN, NOW_S - 60, &anne))), Ok(vec!["anne".to_owned()]));
    assert_eq!(take(OTHER, Some(&signed(OTHER, NOW_S, &anne))), Ok(vec!["anne".to_owned()]));
    // The first is the word of its author, and not for now.
    assert!(refused(PLAN, Some(&signed(PLAN, NOW_S - 60, &anne))).starts_with("E1006: "));
    assert!(refused(PLAN, Some(&signed(PLAN, NOW_S + 90_000, &anne))).contains("has not come yet"));
    assert_eq!(take(OTHER, Some(&signed(OTHER, NOW_S, &anne))), Ok(vec!["anne".to_owned()]), "tried again");
    assert_eq!(moment(NOW_S), "2026-11-30T14:00:00Z");
}

#[test]
fn keys_that_cannot_be_read_are_no_reason_to_take_every_plan() {
    let house = House::new();
    enroll(&house, &key("anne"));
    let op = store::Op::Setting { key: "plans.trusted_keys".into(), value: Some(b"{".to_vec()) };
    house.store().commit_wait(vec![op]).unwrap();
    assert!(matches!(admit(house.store(), PLAN, None, NOW_S), Err(OperateError::Store { .. })));
    assert!(house.run(ListPlanKeys {}).is_err());
    assert!(house.run(EnrollFirstKey { key: key("eve").public().to_string() }).is_err());
}

#[test]
fn a_request_is_applied_without_a_server_and_break_glass_is_not() {
    let house = House::new();
    let (anne, jean) = (key("anne"), key("jean"));
    enroll(&house, &anne);
    assert!(house.run(EnrollFirstKey { key: jean.public().to_string() }).is_err(), "one is enrolled");
    let state = house.run(ListPlanKeys {}).unwrap().state;
    let change = KeyChange::Enroll { name: "jean".into(), public: jean.public().base64() };
    let (author, at, reason) = ("Anne".to_owned(), moment(NOW_S), "Jean comes".to_owned());
    let mut request = KeyRequest { state, change, author, at, reason, signatures: Vec::new() };
    request.signatures = vec![anne.sign(&request_octets(&request))];
    let apply = || house.run(ApplyKeyRequest { request: plan::emit(&request) });
    assert_eq!(apply().unwrap().keys.len(), 2);
    assert!(apply().is_err(), "once");
    let (keys, because) = (vec![jean.public().to_string()], "burnt".to_owned());
    // Nobody would hear of it; whoever is not root is not asked further.
    let broken = house.run(BreakGlass { keys, needed: 1, because }).unwrap_err();
    assert!(matches!(broken, OperateError::NoServer | OperateError::NotAllowed { .. }), "{broken}");
    assert_eq!(house.run(ListPlanKeys {}).unwrap().keys.len(), 2);
    assert_eq!(house.run(AcknowledgeKeyAlarm {}), Ok(false));
}

#[test]
fn operators_are_enrolled_before_the_first_start_and_the_server_keeps_its_key() {
    let house = House::new();
    let fingerprint = "ab01".repeat(16);
    let ask = |name: &str, fingerprint: &str| {
        house.run(EnrollOperator {
            name: name.into(),
            role: OperatorRole::Administrator,
            fingerprint: fingerprint.into(),
        })
    };
    assert_eq!(ask("anne", &fingerprint.to_uppercase()).unwrap().fingerprint, fingerprint);
    for (name, other) in [("Anne", "cd01".repeat(16)), ("jean", fingerprint.clone()), ("", "cd01".repeat(16))] {
        assert!(ask(name, &other).is_err(), "{name}");
    }
    assert!(ask("jean", "ab01").is_err());
    assert_eq!(house.run(ListOperators {}).unwrap().len(), 1);
    assert_eq!(house.run(RemoveOperator { name: "ANNE".into() }), Ok(true));
    assert_eq!(house.run(RemoveOperator { name: "anne".into() }), Ok(false));
    let shown = house.run(ShowControl {}).unwrap();
    assert_eq!(house.run(ShowControl {}), Ok(shown));
}
