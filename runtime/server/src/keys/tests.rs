use plan::signed::{OneSignature, Signature, signed_octets};

use super::*;

const PLAN: &str = "5f0c1fa3b1c7e6d2a4985f0c1fa3b1c7e6d2a4985f0c1fa3b1c7e6d2a4980000";
const OTHER: &str = "00001fa3b1c7e6d2a4985f0c1fa3b1c7e6d2a4985f0c1fa3b1c7e6d2a4980000";

fn key(name: &str) -> SigningKey {
    SigningKey::generate(name).unwrap().0
}

fn trusting(keys: &[&SigningKey], needed: u8) -> TrustedKeys {
    let keys: Vec<PublicKey> = keys.iter().map(|key| key.public().clone()).collect();
    TrustedKeys::of(&keys, needed)
}

fn statement() -> Signature {
    Signature {
        plan: PLAN.into(),
        author: "Anne Durand".into(),
        at: "2026-11-30T14:00:00Z".into(),
        reason: "ticket 4417".into(),
        signatures: Vec::new(),
    }
}

fn signed(keys: &[&SigningKey]) -> Signature {
    let mut signature = statement();
    signature.signatures = keys.iter().map(|key| key.sign(&signed_octets(&signature))).collect();
    signature
}

fn text(signature: &Signature) -> String {
    plan::emit(signature)
}

#[test]
fn a_plan_is_taken_when_as_many_enrolled_keys_signed_it_as_have_to() {
    let (anne, jean, nobody) = (key("anne"), key("jean"), key("nobody"));
    let both = trusting(&[&anne, &jean], 2);
    let judged = |keys: &[&SigningKey]| judge(&both, PLAN, Some(&text(&signed(keys))));
    assert_eq!(judged(&[&anne, &jean]), Ok(vec!["anne".into(), "jean".into()]));
    assert_eq!(judged(&[&jean, &nobody, &anne]), Ok(vec!["jean".into(), "anne".into()]));
    let too_few =
        |by: &[&str]| Err(NotSigned::TooFew { by: by.iter().map(|name| (*name).to_owned()).collect(), needed: 2 });
    assert_eq!(judged(&[]), too_few(&[]));
    assert_eq!(judged(&[&anne]), too_few(&["anne"]));
    assert_eq!(judged(&[&anne, &anne]), too_few(&["anne"]), "one key twice is one");
    assert_eq!(judged(&[&anne, &nobody]), too_few(&["anne"]));
    assert_eq!(judge(&both, PLAN, None), Err(NotSigned::Nothing));
}

#[test]
fn without_a_key_every_plan_is_taken() {
    let none = TrustedKeys::default();
    for signature in [None, Some("no signature at all"), Some(text(&signed(&[&key("anne")])).as_str())] {
        assert_eq!(judge(&none, PLAN, signature), Ok(Vec::new()));
    }
}

#[test]
fn what_was_altered_or_belongs_to_another_plan_is_refused_with_the_code() {
    let (anne, nobody) = (key("anne"), key("nobody"));
    let trusted = trusting(&[&anne], 1);
    let good = signed(&[&anne]);
    let stolen = OneSignature { key: anne.public().id(), ..nobody.sign(&signed_octets(&good)) };
    let wrong = || Err(NotSigned::Wrong("anne".into()));
    for (plan, signature, verdict) in [
        (PLAN, text(&Signature { reason: "another".into(), ..good.clone() }), wrong()),
        (PLAN, text(&Signature { author: "another".into(), ..good.clone() }), wrong()),
        (PLAN, text(&Signature { at: "2027-11-30T14:00:00Z".into(), ..good.clone() }), wrong()),
        (PLAN, text(&Signature { signatures: vec![stolen], ..good.clone() }), wrong()),
        // The plan was altered: its hash is another one than the file names.
        (OTHER, text(&good), Err(NotSigned::OtherPlan(PLAN.into()))),
        // The file was made to name it.
        (OTHER, text(&Signature { plan: OTHER.into(), ..good.clone() }), wrong()),
    ] {
        let judged = judge(&trusted, plan, Some(&signature));
        assert_eq!(judged, verdict, "{signature}");
        let told = judged.unwrap_err().to_string();
        assert!(told.starts_with("E1001: plan is not signed by a key enrolled here: "), "{told}");
    }
    let noise = format!("{} ", text(&good));
    assert_eq!(
        judge(&trusted, PLAN, Some(&noise)),
        Err(NotSigned::Unreadable(plan::signed::BadSignature::NotCanonical))
    );
}

#[test]
fn a_plan_that_was_signed_before_the_one_taken_last_is_a_replay() {
    let newest = Some("2026-11-30T14:00:00Z");
    let latest = "2026-12-01T15:00:00Z";
    assert_eq!(judge_newer("2026-11-30T14:00:01Z", newest, latest), Ok(()));
    assert_eq!(judge_newer("2026-11-30T14:00:00Z", newest, latest), Ok(()), "it was rolled back, and is tried again");
    assert_eq!(judge_newer("2020-01-01T00:00:00Z", None, latest), Ok(()));
    let older = judge_newer("2026-11-30T13:59:59Z", newest, latest).unwrap_err();
    assert!(matches!(older, NotSigned::Older { .. }) && older.to_string().contains("sign it again"), "{older}");
    assert!(matches!(judge_newer("2026-12-02T00:00:00Z", newest, latest), Err(NotSigned::Future { .. })));
}

#[test]
fn private_keys_are_read_as_they_are_written_and_as_others_write_them() {
    let (anne, pem) = SigningKey::generate("anne").unwrap();
    let again = SigningKey::read("anne", &pem).unwrap();
    assert_eq!(again.public(), anne.public());
    assert!(!format!("{again:?}").contains("PRIVATE"));
    // RFC 8410 10.3: without the public half.
    let example = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
    let example = SigningKey::read("example", example).unwrap();
    // RFC 8410 10.1.
    assert_eq!(example.public().base64(), "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=");
    assert_eq!(SigningKey::read("anne", "").unwrap_err(), BadKeyFile::NotPem);
    assert_eq!(SigningKey::read("anne", &of_p256()).unwrap_err(), BadKeyFile::NotEd25519);
    assert!(matches!(SigningKey::read("a b", &pem).unwrap_err(), BadKeyFile::Public(_)));
}

/// PEM with octets that are no key of ours.
fn of_p256() -> String {
    "-----BEGIN PRIVATE KEY-----\nMAwwAAYIKoZIzj0DAQcA\n-----END PRIVATE KEY-----\n".to_owned()
}

fn request(trusted: &TrustedKeys, change: KeyChange, keys: &[&SigningKey]) -> KeyRequest {
    let mut request = KeyRequest {
        state: trusted.digest(),
        change,
        author: "Anne Durand".into(),
        at: "2026-11-30T14:00:00Z".into(),
        reason: "Jean comes".into(),
        signatures: Vec::new(),
    };
    request.signatures = keys.iter().map(|key| key.sign(&request_octets(&request))).collect();
    request
}

fn enroll(key: &SigningKey) -> KeyChange {
    KeyChange::Enroll { name: key.public().name.clone(), public: key.public().base64() }
}

#[test]
fn keys_are_changed_by_those_who_are_enrolled() {
    let (anne, jean, luc, eve) = (key("anne"), key("jean"), key("luc"), key("eve"));
    let start = TrustedKeys { origin: "one".into(), ..trusting(&[&anne, &jean], 2) };
    let too_few = |by: &[&SigningKey]| {
        let by = by.iter().map(|key| key.public().name.clone()).collect();
        NotApplied::NotSigned(NotSigned::TooFew { by, needed: 2 })
    };
    let ask = |keys: &[&SigningKey]| applied(&start, &request(&start, enroll(&luc), keys));
    assert_eq!(ask(&[&anne]).unwrap_err(), too_few(&[&anne]));
    assert_eq!(ask(&[&anne, &luc]).unwrap_err(), too_few(&[&anne]), "who is to be enrolled has no say");
    assert_eq!(ask(&[&eve, &luc]).unwrap_err(), too_few(&[]));
    let (three, by) = ask(&[&anne, &jean]).unwrap();
    assert_eq!((three.keys.len(), three.serial, by.len()), (3, 1, 2));

    let mut altered = request(&start, enroll(&luc), &[&anne, &jean]);
    altered.change = enroll(&eve);
    assert!(matches!(applied(&start, &altered), Err(NotApplied::NotSigned(NotSigned::Wrong(_)))));
    let text = plan::emit(&altered);
    assert_eq!(read_request(&text), Ok(altered));
}

#[test]
fn a_request_is_good_for_one_state_of_one_appliance() {
    let (anne, jean) = (key("anne"), key("jean"));
    let start = TrustedKeys { origin: "one".into(), ..trusting(&[&anne], 1) };
    let add = request(&start, enroll(&jean), &[&anne]);
    let (two, _) = applied(&start, &add).unwrap();
    assert_eq!(applied(&two, &add), Err(NotApplied::OtherState));
    let remove = request(&two, KeyChange::Remove { id: jean.public().id() }, &[&anne]);
    let (back, _) = applied(&two, &remove).unwrap();
    assert_eq!(back.keys, start.keys);
    assert_eq!(applied(&back, &add), Err(NotApplied::OtherState), "it looks the same and is a later state");
    let elsewhere = TrustedKeys { origin: "two".into(), ..start };
    assert_eq!(applied(&elsewhere, &add), Err(NotApplied::OtherState));
}

#[test]
fn no_change_leaves_keys_that_cannot_sign() {
    let (anne, jean) = (key("anne"), key("jean"));
    let two = trusting(&[&anne, &jean], 2);
    let one = trusting(&[&anne], 1);
    let remove = |key: &SigningKey| KeyChange::Remove { id: key.public().id() };
    for (trusted, change, why) in [
        (&two, remove(&anne), BadChange::TooFewLeft { left: 1, needed: 2 }),
        (&one, remove(&anne), BadChange::TooFewLeft { left: 0, needed: 1 }),
        (&one, remove(&jean), BadChange::NoSuchKey(jean.public().id())),
        (&two, KeyChange::Needed(3), BadChange::Needed { needed: 3, keys: 2 }),
        (&two, KeyChange::Needed(0), BadChange::Needed { needed: 0, keys: 2 }),
        (&two, enroll(&anne), BadChange::Enrolled("anne".into())),
        (
            &one,
            KeyChange::Enroll { name: "ANNE".into(), public: jean.public().base64() },
            BadChange::Enrolled("ANNE".into()),
        ),
        (
            &one,
            KeyChange::Enroll { name: "eve".into(), public: "AAAA".into() },
            BadChange::Public("a public key is 32 octets in base 64".into()),
        ),
    ] {
        assert_eq!(changed(trusted, &change), Err(why), "{change:?}");
    }
    assert!(changed(&two, &KeyChange::Needed(1)).is_ok());
}
