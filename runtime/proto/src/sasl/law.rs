//! What must hold of an exchange whatever a client answers.

use super::{Credentials, Exchange, Mechanism, Progress, plain_response};

/// Responses any exchange may take before it is over.
const RESPONSES_MAX: usize = 8;

/// The first octet chooses mechanism and initial response; the lines behind it are the client's. An exchange ends after few
/// lines, and credentials are whole, hold no NUL and come back from PLAIN.
pub fn fuzz(octets: &[u8]) {
    let [kind, responses @ ..] = octets else { return };
    let mechanism = if kind & 1 == 0 { Mechanism::Plain } else { Mechanism::Login };
    let mut lines = responses.split(|octet| *octet == b'\n');
    let initial = if kind & 2 == 0 { None } else { lines.next().and_then(|line| std::str::from_utf8(line).ok()) };
    let mut progress = Exchange::begin(mechanism, initial);
    let mut taken = 0;
    loop {
        match progress {
            Err(_) => return,
            Ok(Progress::Done(credentials)) => return check(&credentials),
            Ok(Progress::Challenge(exchange, challenge)) => {
                assert!(!challenge.contains(char::is_control), "{challenge:?} is no line");
                assert!(taken < RESPONSES_MAX, "an exchange without end");
                let Some(line) = lines.next() else { return };
                taken += 1;
                progress = exchange.respond(line);
            }
        }
    }
}

fn check(credentials: &Credentials) {
    let secret = credentials.secret.reveal();
    assert!(!credentials.login.is_empty() && !secret.is_empty(), "half a login");
    assert!(!credentials.login.contains('\0') && !secret.contains('\0'), "NUL in a login");
    let response = plain_response(credentials);
    if response.len() <= super::RESPONSE_OCTETS_MAX {
        match Exchange::begin(Mechanism::Plain, Some(&response)) {
            Ok(Progress::Done(again)) => assert_eq!(&again, credentials, "PLAIN reads back"),
            other => panic!("{other:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_responses_break_the_law(
            kind in any::<u8>(),
            texts in prop::collection::vec("[a\0é*]{0,6}", 0..4),
            noise in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let lines: Vec<String> = texts.iter().map(|text| STANDARD.encode(text)).collect();
            fuzz(&[&[kind], lines.join("\n").as_bytes()].concat());
            fuzz(&[&[kind], &noise[..]].concat());
        }
    }
}
