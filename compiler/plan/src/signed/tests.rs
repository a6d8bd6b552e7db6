use super::*;

const PUBLIC: &str = "facteur-key anne 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

fn signature() -> Signature {
    Signature {
        plan: "ab".repeat(32),
        author: "Anne Durand".into(),
        at: "2026-11-30T14:00:00Z".into(),
        reason: "ticket 4417".into(),
        signatures: vec![OneSignature { key: "0123456789abcdef".into(), ed25519: "AAAA".into() }],
    }
}

#[test]
fn a_file_of_signatures_has_one_text() {
    let text = emit(&signature());
    assert_eq!(read_signature(&text), Ok(signature()));
    for (from, to) in [("author", " author"), ("(\n", "(\n\n"), ("plan:", "plan :"), (",\n)", "\n)")] {
        let other = text.replacen(from, to, 1);
        assert_ne!(other, text, "{from}");
        assert_eq!(read_signature(&other), Err(BadSignature::NotCanonical), "{other}");
    }
    assert!(matches!(read_signature(&text.replace("reason", "because")), Err(BadSignature::Syntax(_))));
    assert_eq!(read_signature(&" ".repeat(FILE_OCTETS_MAX + 1)), Err(BadSignature::TooLarge));
}

#[test]
fn every_field_is_bounded() {
    let line = |text: &str| text.to_owned();
    let mut many = signature();
    many.signatures = vec![many.signatures[0].clone(); SIGNATURES_MAX + 1];
    for (bad, why) in [
        (Signature { author: line(""), ..signature() }, BadSignature::Field("author")),
        (Signature { author: line("a\nb"), ..signature() }, BadSignature::Field("author")),
        (Signature { author: "a".repeat(AUTHOR_OCTETS_MAX + 1), ..signature() }, BadSignature::Field("author")),
        (Signature { reason: line("  "), ..signature() }, BadSignature::Field("reason")),
        (Signature { reason: line("\u{1b}[2J"), ..signature() }, BadSignature::Field("reason")),
        (Signature { at: line("2026-11-30"), ..signature() }, BadSignature::Field("moment")),
        (Signature { at: line("2026-11-30T14:00:00+"), ..signature() }, BadSignature::Field("moment")),
        (many, BadSignature::TooMany),
    ] {
        assert_eq!(read_signature(&emit(&bad)), Err(why), "{bad:?}");
    }
}

#[test]
fn what_is_signed_says_one_thing_only() {
    let one = signature();
    let again = Signature { signatures: Vec::new(), ..one.clone() };
    assert_eq!(signed_octets(&again), signed_octets(&one), "the signatures are not part of it");
    for other in [
        Signature { plan: "cd".repeat(32), ..one.clone() },
        Signature { author: "Anne Duran".into(), ..one.clone() },
        Signature { author: "Anne Durand2".into(), at: "026-11-30T14:00:00Z".into(), ..one.clone() },
        Signature { reason: "ticket 4418".into(), ..one.clone() },
    ] {
        assert_ne!(signed_octets(&other), signed_octets(&one), "{other:?}");
    }
    assert_ne!(statement("a", &["b"]), statement("ab", &[""]));
    assert_ne!(statement(PLAN_DOMAIN, &[]), statement("facteur key change 1", &[]));
}

#[test]
fn a_public_key_is_one_line() {
    let key: PublicKey = PUBLIC.parse().unwrap();
    assert_eq!((key.name.as_str(), key.to_string()), ("anne", PUBLIC.to_owned()));
    assert_eq!(key.id().len(), 16);
    assert_eq!(format!("{PUBLIC}\n").parse(), Ok(key));
    for (text, why) in [
        ("", BadPublicKey::Form),
        ("ssh-ed25519 anne AAAA", BadPublicKey::Form),
        (&format!("{PUBLIC} more"), BadPublicKey::Form),
        ("facteur-key a/b 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", BadPublicKey::Name),
        ("facteur-key anne 11qYAYKx", BadPublicKey::Octets),
        ("facteur-key anne !!!", BadPublicKey::Octets),
    ] {
        assert_eq!(text.parse::<PublicKey>(), Err(why), "{text}");
    }
}

#[test]
fn a_key_anybody_could_sign_for_is_none() {
    let point = |first: u8, rest: u8, last: u8| {
        let mut octets = [rest; 32];
        (octets[0], octets[31]) = (first, last);
        octets
    };
    for octets in [
        point(0, 0, 0),
        point(1, 0, 0),
        point(1, 0, 0x80),
        point(0xec, 0xff, 0x7f),
        point(0xed, 0xff, 0x7f),
        point(0xee, 0xff, 0xff),
    ] {
        assert_eq!(PublicKey::new("anne", octets), Err(BadPublicKey::Weak), "{octets:?}");
    }
    assert!(PublicKey::new("anne", point(9, 0, 0)).is_ok());
}
