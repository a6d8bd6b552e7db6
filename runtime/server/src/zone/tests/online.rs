//! The doctor, with a name server and certificates that are right, and then are not.

use std::collections::BTreeMap;

use super::name_server::NameServer;
use super::*;
use crate::site::World;

fn place() -> Place {
    let own: Domain = "univ-nantes.fr".parse().unwrap();
    // As long as the record of a real RSA key: two strings.
    let keys = vec![key("new", KeyState::Signing, &"AB".repeat(180)), key("old", KeyState::Revoked, "")];
    Place {
        keys: Some(BTreeMap::from([(own, keys)])),
        sources: ["192.0.2.26".parse().unwrap()].into(),
        listeners: BTreeMap::from([(
            "mx".to_owned(),
            vec!["192.0.2.25".parse().unwrap(), "2001:db8::25".parse().unwrap()],
        )]),
        ..Place::default()
    }
}

/// A name server that has the zones as the policy wants them.
async fn published(zones: &[Zone]) -> (NameServer, Lookup) {
    let server = NameServer::start().await;
    for record in zones.iter().flat_map(|zone| &zone.records) {
        server.add(&record.name, record.data.clone());
    }
    let world = World { name_servers: vec![server.address], ..World::default() };
    (server, Lookup::new(&world).unwrap())
}

fn troubles(findings: Vec<Finding>) -> Vec<(Standing, String)> {
    let bad = findings.into_iter().filter(|finding| finding.standing != Standing::Ok);
    bad.map(|finding| (finding.standing, finding.what)).collect()
}

#[tokio::test]
async fn a_zone_that_drifted_is_told_record_by_record() {
    let zones = implied(&plan("nantes"), &place());
    let (server, lookup) = published(&zones).await;
    let findings = compared_with_dns(&lookup, &zones).await;
    assert!(findings.len() > 10);
    assert_eq!(troubles(findings), []);

    server.remove("univ-nantes.fr", Kind::Mx);
    server.add("univ-nantes.fr", Data::Mx { preference: 10, host: "old.univ-nantes.fr".into() });
    server.remove("_dmarc.univ-nantes.fr", Kind::Txt);
    server.remove("new._domainkey.univ-nantes.fr", Kind::Txt);
    server.add("new._domainkey.univ-nantes.fr", Data::Txt("v=DKIM1; k=rsa; p=AC".into()));
    server.add("univ-nantes.fr", Data::Txt("v=spf1 +all".into()));
    server.remove("old._domainkey.univ-nantes.fr", Kind::Txt);
    server.remove("_imaps._tcp.univ-nantes.fr", Kind::Srv);
    let expected = [
        (Standing::Missing, "_dmarc.univ-nantes.fr TXT v=DMARC1"),
        (Standing::Missing, "_imaps._tcp.univ-nantes.fr SRV"),
        (Standing::Different, "new._domainkey.univ-nantes.fr TXT v=DKIM1"),
        (Standing::Different, "univ-nantes.fr MX"),
        (Standing::Bad, "univ-nantes.fr TXT v=spf1"),
    ];
    let told = troubles(compared_with_dns(&lookup, &zones).await);
    assert_eq!(told, expected.map(|(standing, what)| (standing, what.to_owned())));
}

#[tokio::test]
async fn an_address_has_a_name_that_leads_back_to_it() {
    let zones = implied(&plan("nantes"), &place());
    let (server, lookup) = published(&zones).await;
    let host = || Data::Ptr("mx.univ-nantes.fr".into());
    server.add("25.2.0.192.in-addr.arpa", host());
    server.add(&format!("5.2.0.0.{}8.b.d.0.1.0.0.2.ip6.arpa", "0.".repeat(20)), host());
    // A source that has the name of another host, and then its own.
    server.add("26.2.0.192.in-addr.arpa", host());
    let told = troubles(reverse_names(&lookup, &place()).await);
    assert_eq!(told, [(Standing::Different, "192.0.2.26 PTR".to_owned())]);
    server.remove("26.2.0.192.in-addr.arpa", Kind::Ptr);
    let told = troubles(reverse_names(&lookup, &place()).await);
    assert_eq!(told, [(Standing::Missing, "192.0.2.26 PTR".to_owned())]);
}

#[tokio::test]
async fn where_nobody_answers_nothing_is_called_missing() {
    let zones = implied(&plan("nantes"), &place());
    let nobody = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let lookup = Lookup::new(&World { name_servers: vec![nobody], ..World::default() }).unwrap();
    let one = Zone { records: zones[0].records[..1].to_vec(), ..zones[0].clone() };
    let told = troubles(compared_with_dns(&lookup, &[one]).await);
    assert_eq!(told, [(Standing::Unknown, "univ-nantes.fr MX".to_owned())]);
}
