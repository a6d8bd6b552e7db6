//! What must hold of an exchange whatever a client answers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Bindings, Claim, Credentials, Exchange, Mechanism, Progress, RESPONSE_OCTETS_MAX, Salt, plain_response};

/// Responses any exchange may take before it is over.
const RESPONSES_MAX: usize = 8;

/// The first octet chooses: four bits the mechanism, the others an initial response, lines that are encoded for the client,
/// and a channel to bind to. The lines behind it are the client's. An exchange ends after few lines, in a claim of its
/// mechanism that is whole.
pub fn fuzz(octets: &[u8]) {
    let [kind, responses @ ..] = octets else { return };
    let mechanism = Mechanism::ALL[usize::from(kind & 15) % Mechanism::ALL.len()];
    let encodes = kind & 32 != 0;
    let bindings = Bindings { exporter: (kind & 64 != 0).then(|| vec![1; 32]), end_point: None };
    let wire = |line: &[u8]| if encodes { STANDARD.encode(line).into_bytes() } else { line.to_vec() };
    let mut lines = responses.split(|octet| *octet == b'\n').map(wire);
    let initial = if kind & 16 == 0 { None } else { lines.next().and_then(|line| String::from_utf8(line).ok()) };
    let mut progress = Exchange::begin(mechanism, initial.as_deref(), &bindings);
    let mut salted_for = None;
    let mut taken = 0;
    loop {
        match progress {
            Err(_) => return,
            Ok(Progress::Done(claim)) => return check(mechanism, &claim, salted_for.as_deref(), &bindings),
            Ok(Progress::Salt(awaits)) => {
                assert!(salted_for.is_none(), "salted twice");
                check_login(&awaits.login);
                salted_for = Some(awaits.login.clone());
                progress = Ok(awaits.salted(&Salt { octets: vec![7; 16], iterations: 4_096, nonce: "n".into() }));
            }
            Ok(Progress::Challenge(exchange, challenge)) => {
                assert!(!challenge.contains(char::is_control), "{challenge:?} is no line");
                assert!(taken < RESPONSES_MAX, "an exchange without end");
                let Some(line) = lines.next() else { return };
                taken += 1;
                progress = exchange.respond(&line);
            }
        }
    }
}

fn check(mechanism: Mechanism, claim: &Claim, salted_for: Option<&str>, bindings: &Bindings) {
    if let Some(login) = claim.login() {
        check_login(login);
    }
    for challenge in [true, false].into_iter().filter_map(|accepted| claim.last_challenge(accepted, Some(&[1; 32]))) {
        assert!(STANDARD.decode(&challenge).is_ok(), "{challenge:?} is no line");
    }
    match (claim, mechanism) {
        (Claim::Password(credentials), Mechanism::Plain | Mechanism::Login) => check_password(credentials),
        (Claim::Scram(proof), Mechanism::ScramSha256 | Mechanism::ScramSha256Plus) => {
            assert_eq!(Some(proof.login.as_str()), salted_for, "salted for another");
            assert!(mechanism == Mechanism::ScramSha256 || !bindings.is_empty(), "bound to nothing");
            assert!(proof.auth_message.starts_with("n=") && proof.auth_message.contains(",i=4096,c="), "{proof:?}");
        }
        (Claim::Token(bearer), Mechanism::OAuthBearer | Mechanism::XOAuth2) => {
            let token = bearer.token.reveal();
            assert!(!token.is_empty() && token.bytes().all(|octet| octet.is_ascii_graphic()), "no token");
            assert!(bearer.login.is_some() || mechanism == Mechanism::OAuthBearer, "a token for nobody");
        }
        _ => panic!("{mechanism:?} ended in {claim:?}"),
    }
}

fn check_login(login: &str) {
    assert!(!login.is_empty() && !login.contains('\0'), "{login:?} is no login");
}

fn check_password(credentials: &Credentials) {
    let secret = credentials.secret.reveal();
    assert!(!secret.is_empty() && !secret.contains('\0'), "half a login");
    let response = plain_response(credentials);
    if response.len() <= RESPONSE_OCTETS_MAX {
        match Exchange::begin(Mechanism::Plain, Some(&response), &Bindings::default()) {
            Ok(Progress::Done(Claim::Password(again))) => assert_eq!(&again, credentials, "PLAIN reads back"),
            other => panic!("{other:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_responses_break_the_law(
            kind in any::<u8>(),
            texts in prop::collection::vec("[a\0é*]{0,6}", 0..4),
            messages in prop::collection::vec(
                prop::sample::select(&[
                    "n,,n=a,r=b", "p=tls-exporter,,n=a,r=b", "c=biws,r=bn,p=", "user=a\u{1}auth=Bearer t\u{1}\u{1}",
                    "user=\0\u{1}auth=Bearer t\u{1}\u{1}", "n,a=a,\u{1}auth=Bearer t\u{1}\u{1}",
                ][..]),
                0..4,
            ),
            noise in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let lines: Vec<String> = texts.iter().map(|text| STANDARD.encode(text)).collect();
            fuzz(&[&[kind], lines.join("\n").as_bytes()].concat());
            fuzz(&[&[kind | 32], messages.join("\n").as_bytes()].concat());
            fuzz(&[&[kind], &noise[..]].concat());
        }
    }
}
