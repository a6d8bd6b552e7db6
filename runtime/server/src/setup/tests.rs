//! Set-up as mail programs ask for it.

use super::*;

fn plan() -> Plan {
    plan::read(include_str!("../../../../policies/nantes/policy.plan.ron")).expect("a plan").0
}

fn what(host: &str, path: &str) -> Option<(What, String)> {
    let wanted = wanted(&plan(), "messagerie.univ-nantes.fr", host, &path.parse().expect("a path"))?;
    Some((wanted.what, wanted.domain.to_string()))
}

#[test]
fn hosts_of_set_up_are_those_of_our_domains() {
    use What::{Autoconfig, Autodiscover, AutodiscoverAt, Mobileconfig, MtaSts, Nothing};
    for (host, path, expected) in [
        ("autoconfig.univ-nantes.fr", "/mail/config-v1.1.xml?emailaddress=a@univ-nantes.fr", Some(Autoconfig)),
        ("autoconfig.univ-nantes.fr:443", "/mail/config-v1.1.xml", Some(Autoconfig)),
        ("AUTODISCOVER.univ-nantes.fr", "/Autodiscover/Autodiscover.xml", Some(Autodiscover)),
        ("autodiscover.univ-nantes.fr", "/autodiscover/autodiscover.json?Protocol=x", Some(AutodiscoverAt)),
        ("autoconfig.univ-nantes.fr", "/mail/apple.mobileconfig", Some(Mobileconfig)),
        ("mta-sts.univ-nantes.fr", "/.well-known/mta-sts.txt", Some(MtaSts)),
        ("mta-sts.univ-nantes.fr", "/", Some(Nothing)),
        ("autoconfig.univ-nantes.fr", "/sign-in", Some(Nothing)),
        ("messagerie.univ-nantes.fr", "/.well-known/autoconfig/mail/config-v1.1.xml", Some(Autoconfig)),
        ("messagerie.univ-nantes.fr", "/", None),
        ("messagerie.univ-nantes.fr", "/.well-known/mta-sts.txt", None),
        ("autoconfig.cnrs.fr", "/mail/config-v1.1.xml", None),
        ("autoconfig.{unit}.univ-nantes.fr", "/mail/config-v1.1.xml", None),
        ("autoconfig", "/mail/config-v1.1.xml", None),
        ("", "/mail/config-v1.1.xml", None),
    ] {
        let expected = expected.map(|what| (what, "univ-nantes.fr".to_owned()));
        assert_eq!(what(host, path), expected, "{host}{path}");
    }
}

fn request(address: &str, schema: &str) -> String {
    format!(
        "<Autodiscover><Request><EMailAddress>{address}</EMailAddress>\
         <AcceptableResponseSchema>{schema}</AcceptableResponseSchema></Request></Autodiscover>"
    )
}

#[test]
fn outlook_is_told_the_same_of_somebody_and_of_nobody() {
    let plan = plan();
    let of = |address: &str| discovered(&plan, request(address, pages::OUTLOOK).as_bytes());
    let somebody = of("Jean.Toto@univ-nantes.fr");
    assert!(somebody.contains("<Server>imaps.univ-nantes.fr</Server>") && somebody.contains("<Port>993</Port>"));
    assert_eq!(of("No.Body@univ-nantes.fr"), somebody.replace("Jean.Toto", "No.Body"));
}

#[test]
fn what_outlook_cannot_have_is_an_error_of_its_protocol() {
    let plan = plan();
    for (body, code) in [
        (request("a@cnrs.fr", pages::OUTLOOK), 500),
        (request("a@univ-nantes.fr", "http://schemas.example/mobilesync"), 601),
        (request("no address", pages::OUTLOOK), 600),
        ("hello".to_owned(), 600),
    ] {
        let answer = discovered(&plan, body.as_bytes());
        assert!(answer.contains(&format!("<ErrorCode>{code}</ErrorCode>")), "{body}: {answer}");
    }
    assert!(discovered(&plan, &[0xff, 0xfe]).contains("600"));
}

#[test]
fn every_answer_is_well_formed_whatever_the_address() {
    let plan = plan();
    for address in ["a&b@univ-nantes.fr", "\"<x>\"@univ-nantes.fr", "o'neil@univ-nantes.fr"] {
        let Ok(address) = address.parse::<Address>() else { panic!("{address} is an address") };
        let holder = Holder { address: address.clone(), login: "a<b".into(), name: "]]> & co".into() };
        let ids = profile::ids("univ-nantes.fr", &address.folded());
        for text in [
            pages::autodiscover(&plan, &address).expect("an answer"),
            pages::mobileconfig(&plan, &holder, &ids).expect("a profile"),
        ] {
            let mut reader = quick_xml::Reader::from_str(&text);
            loop {
                match reader.read_event() {
                    Ok(quick_xml::events::Event::Eof) => break,
                    Ok(_) => {}
                    Err(error) => panic!("{error}: {text}"),
                }
            }
        }
    }
}

#[test]
fn ids_of_a_profile_stay_and_are_its_own() {
    let ids = |account: &str| profile::ids("univ-nantes.fr", account);
    assert_eq!(ids("a@univ-nantes.fr"), ids("a@univ-nantes.fr"));
    assert_ne!(ids("a@univ-nantes.fr"), ids("b@univ-nantes.fr"));
    let [profile, account] = ids("a@univ-nantes.fr");
    assert_ne!(profile, account);
    assert!(profile.len() == 36 && profile.as_bytes()[14] == b'8', "{profile}");
}
