//! AUTH with mechanisms of several messages (RFC 4954 4).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::sasl::Bindings;

fn offering() -> Config {
    let mechanisms = vec![Mechanism::Plain, Mechanism::ScramSha256, Mechanism::OAuthBearer, Mechanism::XOAuth2];
    Config { mechanisms, ..submission_under_tls() }
}

fn b64(octets: impl AsRef<[u8]>) -> String {
    STANDARD.encode(octets)
}

fn proof(channel: &str, octet: u8) -> String {
    b64(format!("c={},r=xs,p={}", b64(channel), b64([octet; 32])))
}

#[test]
fn scram_has_its_verdict_behind_the_servers_signature() {
    let first = format!("AUTH SCRAM-SHA-256 {}", b64("n,,n=toto-j,r=x"));
    let talk = check(
        offering(),
        &["EHLO c", &first, &proof("n,,", 7), "", "MAIL FROM:<a@here.example>"],
        &["250", "334", "334", "235 2.7.0", "250 2.1.0"],
    );
    assert!(talk.text.contains("250-AUTH PLAIN SCRAM-SHA-256 OAUTHBEARER XOAUTH2\r\n"), "{}", talk.text);
    let wrong = ["EHLO c", &first, &proof("n,,", 8), "MAIL FROM:<a@here.example>"];
    check(offering(), &wrong, &["250", "334", "535 5.7.8", "530 5.7.0"]);
    let given_up = ["EHLO c", &first, &proof("n,,", 7), "*", "MAIL FROM:<a@here.example>"];
    check(offering(), &given_up, &["250", "334", "334", "501 5.5.2", "530 5.7.0"]);
    check(offering(), &["EHLO c", &first, "*", "NOOP"], &["250", "334", "501 5.5.2", "250 2.0.0"]);
    let plus = format!("AUTH SCRAM-SHA-256-PLUS {}", b64("p=tls-exporter,,n=toto-j,r=x"));
    check(offering(), &["EHLO c", &plus], &["250", "504 5.5.4"]);
}

#[test]
fn scram_is_bound_to_the_channel_where_there_is_one() {
    let bound = |script: &[&str]| {
        let mut session = Session::new(offering());
        session.set_bindings(Bindings { exporter: Some(b"exported".to_vec()), end_point: None });
        let input: String = script.iter().map(|line| format!("{line}\r\n")).collect();
        talk(session, input.as_bytes(), &[usize::MAX])
    };
    let plus = format!("AUTH SCRAM-SHA-256-PLUS {}", b64("p=tls-exporter,,n=toto-j,r=x"));
    let found = bound(&["EHLO c", &plus, &proof("p=tls-exporter,,exported", 7), ""]);
    assert_eq!(found.steps[1..], ["250", "334", "334", "235 2.7.0"]);
    assert!(found.text.contains("250-AUTH SCRAM-SHA-256-PLUS PLAIN SCRAM-SHA-256 "), "{}", found.text);
    let elsewhere = bound(&["EHLO c", &plus, &proof("p=tls-exporter,,another", 7)]);
    assert_eq!(elsewhere.steps[1..], ["250", "334", "535 5.7.8"]);
    // Somebody took -PLUS out of our list.
    let lied_to = format!("AUTH SCRAM-SHA-256 {}", b64("y,,n=toto-j,r=x"));
    assert_eq!(bound(&["EHLO c", &lied_to]).steps[1..], ["250", "535 5.7.8"]);
}

#[test]
fn a_refused_token_is_told_why_before_its_535() {
    let token = |token: &str| format!("AUTH OAUTHBEARER {}", b64(format!("n,,\u{1}auth=Bearer {token}\u{1}\u{1}")));
    check(offering(), &["EHLO c", &token("secret"), "NOOP"], &["250", "235 2.7.0", "250 2.0.0"]);
    let talk = check(offering(), &["EHLO c", &token("x"), "AQ==", "NOOP"], &["250", "334", "535 5.7.8", "250 2.0.0"]);
    assert!(talk.text.contains(&format!("334 {}\r\n", b64("{\"status\":\"invalid_token\"}"))), "{}", talk.text);
    let x = format!("AUTH XOAUTH2 {}", b64("user=toto-j\u{1}auth=Bearer x\u{1}\u{1}"));
    check(offering(), &["EHLO c", &x, "", "NOOP"], &["250", "334", "535 5.7.8", "250 2.0.0"]);
}

#[test]
fn no_mechanism_in_the_clear() {
    let clear = Config { mechanisms: offering().mechanisms, ..submission() };
    for name in ["PLAIN", "SCRAM-SHA-256", "OAUTHBEARER", "XOAUTH2"] {
        check(clear.clone(), &["EHLO c", &format!("AUTH {name}")], &["250", "538 5.7.11"]);
    }
}
