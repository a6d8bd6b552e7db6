//! `facteur dns` and `facteur doctor` on a site with certificates.

use std::fs;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tests::program::{self, Ran};
use tests::scratch::Scratch;

const DAY: Duration = Duration::from_secs(86_400);
/// The names the listeners of the bench policy have.
const NAMES: [&str; 2] = ["mx.example.org", "mail.example.org"];

/// A site whose certificate is for `names` and ends so many days from now; its key as SubjectPublicKeyInfo.
fn site(scratch: &Scratch, names: &[&str], days_left: i32) -> Vec<u8> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("the names are sound");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is set");
    let end = now + DAY * (days_left + 1_000).unsigned_abs() - 1_000 * DAY;
    params.not_before = date_time_ymd(2000, 1, 1);
    params.not_after = date_time_ymd(1970, 1, 1) + end;
    let key = KeyPair::generate().expect("a key can be made");
    let certificate = params.self_signed(&key).expect("a certificate can be made");
    let write = |name: &str, text: &str| fs::write(scratch.join(name), text).expect("the scratch folder is ours");
    write("chain.pem", &certificate.pem());
    write("key.pem", &key.serialize_pem());
    let site = format!(
        "Site(data: {:?}, listeners: {{\"mx\": [\"192.0.2.25:25\"], \"subm\": [\"127.0.0.1:587\"]}}, outbound: Network,\n\
         sources: {{\"usual\": [\"192.0.2.26\"]}}, certificates: {{\"default\": File(chain: {:?}, key: {:?})}})\n",
        scratch.join("data"),
        scratch.join("chain.pem"),
        scratch.join("key.pem")
    );
    write("site.ron", &site);
    rcgen::PublicKeyData::subject_public_key_info(&key)
}

fn facteur(command: &str, scratch: &Scratch, more: &[&str]) -> Ran {
    let policy = program::top().join("policies/bench");
    let mut facteur = Command::new(program::facteur());
    program::run(facteur.arg(command).arg(policy).arg("--site").arg(scratch.join("site.ron")).args(more))
}

#[test]
fn the_zone_of_a_site_has_its_addresses_and_the_key_of_its_certificate() {
    let scratch = Scratch::new("zone");
    let key = site(&scratch, &NAMES, 90);
    fs::write(scratch.join("key.der"), key).expect("the scratch folder is ours");
    let sum = program::run(Command::new("sha256sum").arg(scratch.join("key.der"))).ends(0).out;
    let sum = sum.split(' ').next().expect("a sum, and a name");
    let zone = facteur("dns", &scratch, &[]).ends(0).out;
    for line in [
        format!("_25._tcp.mx.example.org. 3600 IN TLSA 3 1 1 {sum} ;"),
        "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.26 -all\" ;".to_owned(),
        "mx.example.org. 3600 IN A 192.0.2.25 ;".to_owned(),
        "; no DKIM keys yet".to_owned(),
    ] {
        assert!(zone.lines().any(|one| one.starts_with(&line)), "{line}\n{zone}");
    }
    assert!(!zone.contains("127.0.0.1"), "{zone}");
    let json = facteur("dns", &scratch, &["--format", "json"]).ends(0).out;
    let records = zone.lines().filter(|line| !line.is_empty() && !line.starts_with(';')).count();
    assert_eq!(json.matches("\"kind\":\"dns_record\"").count(), records);
    facteur("dns", &scratch, &["--domain", "elsewhere.example"]).ends(2);
}

#[test]
fn the_doctor_tells_of_a_certificate_before_clients_do() {
    let scratch = Scratch::new("doctor");
    for (names, days_left, exit, says) in [
        (&NAMES[..], 90, 0, "0 to look at"),
        (&NAMES[..1], 90, 2, "BAD       certificate of listeners.subm for mail.example.org: it is for other names"),
        (&NAMES[..], 5, 2, "it ends within 14 days"),
        (&NAMES[..], -5, 2, "it is past its end"),
    ] {
        site(&scratch, names, days_left);
        let told = facteur("doctor", &scratch, &[]).ends(exit).out;
        assert!(told.contains(says), "{says}\n{told}");
    }
    let json = facteur("doctor", &scratch, &["--format", "json"]).ends(2).out;
    assert!(json.lines().all(|line| line.contains("\"kind\":\"doctor_finding\"")), "{json}");
    assert!(json.contains("\"standing\":\"bad\""), "{json}");
}
