use std::collections::BTreeMap;
use std::path::PathBuf;

use store::Options;

use super::*;
use crate::random;
use crate::site::{Acme, Certificates, Challenge, ClientAddress, DirectoryAt, Outbound, PortalAddress, World};
use crate::tls::Acceptor;

const TLS12: plan::TlsVersion = plan::TlsVersion::Tls12;

struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        let name = format!("facteur-certificates-{:016x}", u64::from_le_bytes(random::octets()));
        Folder(std::env::temp_dir().join(name))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn tables(policy: &str) -> Tables {
    let file = format!("{}/../../policies/{policy}/policy.plan.ron", env!("CARGO_MANIFEST_DIR"));
    let (plan, _) = plan::read(&std::fs::read_to_string(file).unwrap()).unwrap();
    Tables::new(plan).unwrap()
}

fn site(data: &Path, default: CertificateFrom, by_listener: BTreeMap<String, CertificateFrom>) -> Site {
    Site {
        twin: false,
        data: data.to_owned(),
        listeners: BTreeMap::new(),
        hosts: BTreeMap::new(),
        certificates: Certificates { default, by_listener },
        outbound: Outbound::Sink,
        world: World::default(),
        sources: BTreeMap::new(),
        secrets: BTreeMap::new(),
        sealed_secrets: false,
        client_address: ClientAddress::FromSocket,
        scanners: BTreeMap::new(),
        backups: BTreeMap::new(),
        directory: DirectoryAt::StandIn,
        http: None,
        portal: vec![PortalAddress { bind: "127.0.0.1:0".parse().unwrap(), seen_as: None }],
        control: None,
        syslog: None,
    }
}

fn acme() -> CertificateFrom {
    CertificateFrom::Acme(Acme {
        directory: "https://acme.example/dir".to_owned(),
        contact: Vec::new(),
        challenge: Challenge::Http01("127.0.0.1:0".parse().unwrap()),
        account_binding: None,
    })
}

#[test]
fn a_certificate_is_for_the_hosts_of_whoever_shows_it() {
    let tables = tables("nantes");
    let plan = tables.plan();
    let all = site(Path::new("/"), CertificateFrom::SelfSigned, BTreeMap::new());
    let default = hosts(plan, &all, DEFAULT);
    for host in plan.listeners.values().filter(|rules| rules.tls != plan::TlsMode::None).map(|rules| &rules.host) {
        assert!(default.contains(&host.to_string()), "{host} in {default:?}");
    }
    let portal = zone_host(plan);
    assert!(default.contains(&portal), "{portal} in {default:?}");
    assert!(default.is_sorted() && default.windows(2).all(|two| two[0] != two[1]));

    let apart = BTreeMap::from([("portal".to_owned(), CertificateFrom::SelfSigned)]);
    let apart = site(Path::new("/"), CertificateFrom::SelfSigned, apart);
    assert!(hosts(plan, &apart, "portal").contains(&portal));
    assert!(hosts(plan, &apart, "portal").iter().all(|host| default.contains(host)));
    assert_eq!(hosts(plan, &apart, "nobody's"), Vec::<String>::new());
}

fn zone_host(plan: &plan::Plan) -> String {
    crate::zone::portal_host(plan.portal.as_ref().unwrap()).to_owned()
}

#[tokio::test]
async fn what_is_made_is_kept_sealed_and_shown_again() {
    let (folder, tables) = (Folder::new(), tables("bench"));
    let store = Store::open(&folder.0, Options::default()).unwrap();
    let seal = || Seal::of(&folder.0).unwrap();
    for default in [CertificateFrom::SelfSigned, acme()] {
        let site = site(&folder.0, default, BTreeMap::new());
        let first = Shelf::load(&tables, &site, &store, seal()).await.unwrap();
        let again = Shelf::load(&tables, &site, &store, seal()).await.unwrap();
        let (shown, now) = (again.of("imaps").now(), crate::clock::unix_s());
        assert_eq!(first.of("imaps").now().certificate.chain, shown.certificate.chain);
        assert!(shown.self_signed && shown.from_s < now && shown.until_s > now + 700 * 86_400, "{shown:?}");
        assert_eq!(site.chain("imaps"), shown.certificate.chain, "the public half is for commands");
        assert_eq!(again.warnings().len(), 1);
    }
    let kept = store.setting("certificate/default/self-signed").unwrap().unwrap();
    assert!(!kept.windows(7).any(|octets| octets == b"PRIVATE"));
}

#[tokio::test]
async fn a_slot_swaps_what_new_connections_are_given_and_refuses_what_cannot_be_used() {
    let (folder, tables) = (Folder::new(), tables("bench"));
    let store = Store::open(&folder.0, Options::default()).unwrap();
    let site = site(&folder.0, CertificateFrom::SelfSigned, BTreeMap::new());
    let shelf = Shelf::load(&tables, &site, &store, Seal::of(&folder.0).unwrap()).await.unwrap();
    let slot = shelf.of("imaps");
    let acceptor = Acceptor::new(TLS12, slot.clone()).unwrap();
    let before = acceptor.now(TLS12);
    assert_eq!(before.end_point, acceptor.now(TLS12).end_point);

    let other =
        || made::self_signed(&["other.example".to_owned()], crate::clock::unix_s()).unwrap().certificate().unwrap();
    let mixed = Certificate { chain: other().chain, key: other().key };
    assert!(slot.show(Shown::of(mixed, true)).is_err(), "the key is of another certificate");
    assert_eq!(before.end_point, acceptor.now(TLS12).end_point, "nothing changed");

    slot.show(Shown::of(other(), true)).unwrap();
    let after = acceptor.now(TLS12);
    assert!(before.end_point.is_some() && before.end_point != after.end_point);
    assert!(!Arc::ptr_eq(before.acceptor.config(), after.acceptor.config()));
    // Another plan speaks no older TLS any more, on the same socket.
    let stricter = acceptor.now(plan::TlsVersion::Tls13);
    assert!(!Arc::ptr_eq(stricter.acceptor.config(), after.acceptor.config()));
    assert!(stricter.end_point == after.end_point);
    assert!(Arc::ptr_eq(stricter.acceptor.config(), acceptor.now(plan::TlsVersion::Tls13).acceptor.config()));
}
