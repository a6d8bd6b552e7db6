//! The zones of the policies of this tree.

mod name_server;
mod online;

use std::collections::BTreeMap;

use mail::Domain;
use plan::{Plan, SigningAlgorithm};

use super::*;
use crate::operate::{KeyState, PublicKey};

fn plan(name: &str) -> Plan {
    let path = format!("{}/../../policies/{name}/policy.plan.ron", env!("CARGO_MANIFEST_DIR"));
    plan::read(&std::fs::read_to_string(path).unwrap()).unwrap().0
}

fn at<'a>(zones: &'a [Zone], name: &str, kind: Kind) -> Vec<String> {
    let records = zones.iter().flat_map(|zone: &'a Zone| &zone.records);
    records.filter(|record| record.name == name && record.data.kind() == kind).map(|one| one.data.to_string()).collect()
}

fn key(selector: &str, state: KeyState, public: &str) -> PublicKey {
    PublicKey { selector: selector.into(), algorithm: SigningAlgorithm::RsaSha256, state, public: public.into() }
}

#[test]
fn a_zone_says_who_takes_mail_who_sends_it_and_who_signs_it() {
    let plan = plan("nantes");
    let domain: Domain = "univ-nantes.fr".parse().unwrap();
    let keys = vec![key("new", KeyState::Signing, "AB"), key("old", KeyState::Revoked, "")];
    let place = Place {
        keys: Some(BTreeMap::from([(domain, keys)])),
        sources: ["192.0.2.25", "2001:db8::25"].map(|address| address.parse().unwrap()).into(),
        listeners: BTreeMap::from([("mx".to_owned(), vec!["192.0.2.25".parse().unwrap()])]),
        ..Place::default()
    };
    let zones = implied(&plan, &place);
    for (name, kind, expected) in [
        ("univ-nantes.fr", Kind::Mx, &["10 mx.univ-nantes.fr."][..]),
        ("univ-nantes.fr", Kind::Txt, &["\"v=spf1 ip4:192.0.2.25 ip6:2001:db8::25 -all\""]),
        ("new._domainkey.univ-nantes.fr", Kind::Txt, &["\"v=DKIM1; k=rsa; p=AB\""]),
        ("old._domainkey.univ-nantes.fr", Kind::Txt, &["\"v=DKIM1; k=rsa; p=\""]),
        ("_smtp._tls.univ-nantes.fr", Kind::Txt, &["\"v=TLSRPTv1; rua=mailto:postmaster@univ-nantes.fr\""]),
        ("mx.univ-nantes.fr", Kind::A, &["192.0.2.25"]),
        ("_imaps._tcp.univ-nantes.fr", Kind::Srv, &["0 1 993 imaps.univ-nantes.fr."]),
    ] {
        assert_eq!(at(&zones, name, kind), expected, "{name} {kind}\n{}", written(&zones));
    }
    assert_eq!(implied(&plan, &place), zones, "the same again");
}

#[test]
fn without_a_site_the_zone_says_what_is_missing() {
    let zones = implied(&plan("nantes"), &Place::default());
    assert_eq!(at(&zones, "univ-nantes.fr", Kind::Txt), ["\"v=spf1 mx -all\""]);
    let notes = zones[0].notes.join("\n");
    assert!(notes.contains("no DKIM keys") && notes.contains("no TLSA"), "{notes}");
}

#[test]
fn every_line_is_a_record_or_a_comment() {
    for name in ["nantes", "office", "university", "hospital", "bench"] {
        let zones = implied(&plan(name), &Place::default());
        assert!(zones[0].domain == plan(name).institution.domain.as_str());
        for line in written(&zones).lines().filter(|line| !line.is_empty()) {
            let words: Vec<&str> = line.split(' ').collect();
            let record = words.len() > 4 && words[0].ends_with('.') && words[1..3] == ["3600", "IN"];
            assert!(record || line.starts_with(';'), "{line}");
        }
    }
}

#[test]
fn a_policy_without_senders_says_that_nobody_sends() {
    let mut plan = plan("office");
    plan.may_send.clear();
    let zones = implied(&plan, &Place::default());
    let domain = plan.institution.domain.as_str();
    assert_eq!(at(&zones, domain, Kind::Txt), ["\"v=spf1 -all\""]);
    assert!(at(&zones, &format!("_dmarc.{domain}"), Kind::Txt)[0].contains("p=reject"));
}

#[test]
fn the_sts_id_follows_the_policy() {
    let mut plan = plan("office");
    let ids = |plan: &Plan| {
        let zones = implied(plan, &Place::default());
        (at(&zones, &format!("_mta-sts.{}", plan.institution.domain), Kind::Txt), zones[0].mta_sts.clone())
    };
    plan.tls.certificate = plan::Certificate::Acme("postmaster@office.example".into());
    let (before, policy) = ids(&plan);
    assert!(
        policy.as_deref().is_some_and(|policy| policy.starts_with("version: STSv1\r\nmode: enforce\r\nmx: ")),
        "{policy:?}"
    );
    plan.listeners.get_mut("mx").unwrap().host = "mx2.office.example".parse().unwrap();
    assert_ne!(ids(&plan).0, before);
    plan.tls.certificate = plan::Certificate::SelfSigned;
    assert_eq!(ids(&plan), (Vec::new(), None));
}
