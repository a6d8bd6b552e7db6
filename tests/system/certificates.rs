//! Certificates that nobody brings: self-signed at first, then ordered by ACME from Debian's `pebble` over real challenges, kept,
//! renewed under a listener that goes on.

mod house;
mod pebble;

use std::fs;
use std::net::TcpStream;
use std::time::Duration;

use rustls_pki_types::CertificateDer;
use tests::dns::Dns;
use tests::skip::{self, Missing};
use tests::wire::{self, Wire};
use tests::{Outcome, wait};

use house::{House, Serving};
use pebble::{BOUND_KEY, BOUND_SECRET, Pebble};

/// A loaded machine is slow; this is generous.
pub const WITHIN: Duration = Duration::from_secs(90);
const DAY_S: u64 = 86_400;

fn names() -> Dns {
    Dns::start("mx.example.org A 127.0.0.1\nmail.example.org A 127.0.0.1")
}

/// What a site says to order from `pebble`.
fn acme(pebble: &Pebble, challenge: &str, more: &str) -> String {
    format!(
        "hosts: {{{}}}, authorities: [{:?}], certificates: {{\"default\": Acme(directory: {:?}, contact: [\"postmaster@example.org\"],\n\
         challenge: {challenge}(\"{}\") {more})}}",
        pebble.host(),
        pebble.authority(),
        pebble.directory(),
        pebble.challenge
    )
}

/// The certificate the authority gave, once it is shown.
#[track_caller]
fn ordered(serving: &Serving, pebble: &Pebble) -> CertificateDer<'static> {
    let trust = pebble.trust();
    wait::until(WITHIN, "a certificate of the authority", || serving.shown(&trust).ok())
}

#[test]
fn without_a_certificate_a_self_signed_one_is_made_once_and_said() {
    let house = House::new("certificates: {\"default\": SelfSigned}");
    let serving = house.serve();
    let pem = house.data().join("certificates/default.pem");
    let first = serving.shown(&wire::trusting(&pem)).expect("whoever has its public half trusts it");
    assert!(serving.log().contains("self-signed"), "{}", serving.log());
    serving.stop();
    let serving = house.serve();
    assert_eq!(serving.shown(&wire::trusting(&pem)).as_ref(), Ok(&first), "it stays the same over a restart");
    assert!(serving.log().contains("no client believes it unasked"), "every start says it");
    assert!(!house.holds("PRIVATE KEY"), "the key is sealed");
}

#[test]
fn a_certificate_is_ordered_over_http_by_a_bound_account_and_outlives_a_restart() -> Outcome {
    let test = "a_certificate_is_ordered_over_http_by_a_bound_account_and_outlives_a_restart";
    if !Pebble::is_here() {
        skip::skip(test, Missing::Program("pebble"));
        return Ok(());
    }
    let dns = names();
    let mut pebble = Pebble::start(&dns, 90 * DAY_S, true);
    let binding = format!(", account_binding: (key: \"{BOUND_KEY}\", secret: \"acme\")");
    let house = House::new("");
    let secrets = house.scratch.join("secrets");
    fs::create_dir(&secrets)?;
    fs::write(secrets.join("acme"), format!("{BOUND_SECRET}\n"))?;
    house.says(&(acme(&pebble, "Http01", &binding) + &format!(", secrets: Folder({secrets:?})")));
    let serving = house.serve();
    // Who came before the certificate did is not disturbed by it.
    let mut early = Wire::plain(TcpStream::connect(serving.address("mx"))?);
    assert!(early.line()?.starts_with("220 "));
    let given = ordered(&serving, &pebble);
    early.send(b"NOOP\r\n")?;
    assert!(early.line()?.starts_with("250 "), "the connection goes on");
    assert!(TcpStream::connect(pebble.challenge).is_err(), "the door of challenges is closed again");
    let trust = pebble.trust();
    serving.stop();
    pebble.stop();
    let serving = house.serve();
    assert_eq!(serving.shown(&trust), Ok(given), "it is kept, and nobody is asked");
    assert!(!serving.log().contains("self-signed"), "{}", serving.log());
    assert!(!house.holds("PRIVATE KEY") && !house.holds(BOUND_SECRET), "keys are sealed");
    Ok(())
}

#[test]
fn a_certificate_is_ordered_over_tls_and_renewed_in_time_under_the_same_key() -> Outcome {
    let test = "a_certificate_is_ordered_over_tls_and_renewed_in_time_under_the_same_key";
    if !Pebble::is_here() {
        skip::skip(test, Missing::Program("pebble"));
        return Ok(());
    }
    let dns = names();
    let pebble = Pebble::start(&dns, 30, false);
    let house = House::new(&acme(&pebble, "TlsAlpn01", ""));
    let serving = house.serve();
    let first = ordered(&serving, &pebble);
    let trust = pebble.trust();
    let second = wait::until(WITHIN, "it is renewed", || serving.shown(&trust).ok().filter(|now| *now != first));
    assert_eq!(key(&first), key(&second), "TLSA records stay true");
    Ok(())
}

/// The SubjectPublicKeyInfo of a certificate.
fn key(certificate: &CertificateDer<'_>) -> Vec<u8> {
    let read = rustls::server::ParsedCertificate::try_from(certificate).expect("a certificate");
    read.subject_public_key_info().to_vec()
}

#[test]
fn what_the_authority_refuses_leaves_a_self_signed_certificate_and_is_said() -> Outcome {
    let test = "what_the_authority_refuses_leaves_a_self_signed_certificate_and_is_said";
    if !Pebble::is_here() {
        skip::skip(test, Missing::Program("pebble"));
        return Ok(());
    }
    // Nobody there has these names.
    let dns = Dns::start("elsewhere.example A 127.0.0.1");
    let pebble = Pebble::start(&dns, 90 * DAY_S, false);
    let house = House::new(&acme(&pebble, "Http01", ""));
    let serving = house.serve();
    wait::until(WITHIN, "the refusal is said", || {
        serving.log().contains("no certificate was had by ACME").then_some(())
    });
    assert!(serving.log().contains("mail.example.org"), "{}", serving.log());
    let own = wire::trusting(&house.data().join("certificates/default.pem"));
    assert!(serving.shown(&own).is_ok(), "mail goes on under the self-signed one");
    serving.stop();
    let before = pebble.log().matches("POST /order-plz").count();
    let serving = house.serve();
    wait::until(WITHIN, "it warns", || serving.log().contains("no client believes it unasked").then_some(()));
    assert_eq!(pebble.log().matches("POST /order-plz").count(), before, "a restart does not order again at once");
    Ok(())
}

#[test]
fn one_host_that_is_not_ours_does_not_cost_the_others_their_certificate() -> Outcome {
    let test = "one_host_that_is_not_ours_does_not_cost_the_others_their_certificate";
    if !Pebble::is_here() {
        skip::skip(test, Missing::Program("pebble"));
        return Ok(());
    }
    let dns = Dns::start("mail.example.org A 127.0.0.1");
    let pebble = Pebble::start(&dns, 90 * DAY_S, false);
    let house = House::new(&acme(&pebble, "Http01", ""));
    let serving = house.serve();
    ordered(&serving, &pebble);
    assert!(serving.log().contains("the authority refused some hosts"), "{}", serving.log());
    assert!(serving.log().contains("mx.example.org"), "{}", serving.log());
    Ok(())
}
