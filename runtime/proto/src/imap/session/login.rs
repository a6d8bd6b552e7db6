//! LOGIN and AUTHENTICATE (RFC 9051 6.2.2, 6.2.3; RFC 4959 for the initial response).

use super::capability::takes_passwords;
use super::state::{Authenticated, NotAuthenticated, Open, Turn, ask};
use crate::imap::command::Tag;
use crate::imap::question::{Answer, Question, Trouble};
use crate::imap::response::{Code, Out, Reply};
use crate::sasl::{Claim, Credentials, Exchange, LoginFailure, Mechanism, Progress, SaslError, Secret};

/// Wrong secrets on one connection before it is closed.
pub const LOGIN_FAILURES_MAX: u32 = 4;

/// RFC 5530 3: UNAVAILABLE is for what passes. Programs that do not know the code show or search the text, so that it has no
/// word of a login or a password that failed.
const BUSY: &str = "the server is busy, try again in a moment";

/// What the client's next line answers.
#[derive(Debug)]
pub enum Awaited {
    Response(Exchange),
    /// The last challenge of an exchange that has its verdict.
    Last {
        accepted: bool,
    },
}

pub fn login(state: NotAuthenticated, tag: Tag, login: Vec<u8>, secret: Vec<u8>, out: &mut Out) -> Turn {
    if !takes_passwords(&state.shared.config.mechanisms) {
        return state.done(&tag, &Reply::no(Code::Cannot, "passwords are not sent as they are here"), out);
    }
    let texts = (String::from_utf8(login), String::from_utf8(secret));
    match texts {
        // An empty secret is none: some directories take it for an anonymous bind (RFC 4513 5.1.2).
        (Ok(login), Ok(secret)) if !login.is_empty() && !secret.is_empty() => {
            verify(state, tag, Claim::Password(Credentials { login, secret: Secret::new(secret) }))
        }
        // Such a login cannot exist; the answer is the one for a wrong secret.
        _ => refused(state, tag, out),
    }
}

pub fn authenticate(state: NotAuthenticated, tag: Tag, mechanism: &str, initial: Option<&str>, out: &mut Out) -> Turn {
    let config = &state.shared.config;
    let known = Mechanism::from_name(mechanism).filter(|mechanism| config.mechanisms.contains(mechanism));
    let Some(mechanism) = known else {
        return state.done(&tag, &Reply::no(Code::Cannot, "that mechanism is not served"), out);
    };
    let begun = Exchange::begin(mechanism, initial, &config.bindings);
    progress(state, tag, begun, out)
}

/// Goes on with what the client answered to a challenge.
pub fn respond(state: NotAuthenticated, tag: Tag, awaited: Awaited, line: &[u8], out: &mut Out) -> Turn {
    match awaited {
        Awaited::Response(exchange) => progress(state, tag, exchange.respond(line), out),
        Awaited::Last { .. } if line == b"*" => progress(state, tag, Err(SaslError::Cancelled), out),
        Awaited::Last { accepted } => ended(state, tag, accepted, out),
    }
}

fn progress(state: NotAuthenticated, tag: Tag, progress: Result<Progress, SaslError>, out: &mut Out) -> Turn {
    match progress {
        Ok(Progress::Challenge(exchange, challenge)) => {
            challenged(state, tag, Awaited::Response(exchange), &challenge, out)
        }
        Ok(Progress::Salt(awaits)) => {
            ask(Question::Salt { login: awaits.login.clone() }, move |answer, out| match answer {
                Answer::Salt(salt) => self::progress(state, tag, Ok(awaits.salted(&salt)), out),
                other => not_accepted(state, tag, other, out),
            })
        }
        Ok(Progress::Done(claim)) => verify(state, tag, claim),
        // RFC 9051 6.2.2: BAD when the client cancels, and for what is not base64.
        Err(SaslError::Cancelled) => state.done(&tag, &Reply::bad("AUTHENTICATE cancelled"), out),
        Err(SaslError::Encoding) => state.done(&tag, &Reply::bad("that is not base64 of UTF-8"), out),
        Err(SaslError::Malformed | SaslError::OtherIdentity | SaslError::OtherChannel) => refused(state, tag, out),
    }
}

fn challenged(state: NotAuthenticated, tag: Tag, awaited: Awaited, challenge: &str, out: &mut Out) -> Turn {
    out.text("+ ");
    out.text(challenge);
    out.end_line();
    Turn::Challenge(state, tag, awaited)
}

fn verify(state: NotAuthenticated, tag: Tag, claim: Claim) -> Turn {
    ask(Question::Authenticate(claim.clone()), move |answer, out| match answer {
        Answer::Authenticated { server_signature } => match claim.last_challenge(true, server_signature.as_deref()) {
            Some(challenge) => challenged(state, tag, Awaited::Last { accepted: true }, &challenge, out),
            None => ended(state, tag, true, out),
        },
        Answer::NotAuthenticated(LoginFailure::Wrong) => match claim.last_challenge(false, None) {
            Some(challenge) => challenged(state, tag, Awaited::Last { accepted: false }, &challenge, out),
            None => ended(state, tag, false, out),
        },
        other => not_accepted(state, tag, other, out),
    })
}

fn ended(state: NotAuthenticated, tag: Tag, accepted: bool, out: &mut Out) -> Turn {
    if !accepted {
        return refused(state, tag, out);
    }
    let reply = Reply::ok("logged in").with(Code::Capability(state.shared.capabilities()));
    out.tagged(&tag, &reply);
    Open::Authenticated(Authenticated { shared: state.shared }).ready()
}

fn not_accepted(state: NotAuthenticated, tag: Tag, answer: Answer, out: &mut Out) -> Turn {
    match answer {
        Answer::NotAuthenticated(LoginFailure::Wrong) => refused(state, tag, out),
        Answer::NotAuthenticated(LoginFailure::Private) => {
            state.done(&tag, &Reply::no(Code::PrivacyRequired, "no login here without TLS"), out)
        }
        Answer::NotAuthenticated(LoginFailure::Denied(why)) => {
            state.done(&tag, &Reply::no(Code::ContactAdmin, why), out)
        }
        Answer::NotAuthenticated(LoginFailure::Unavailable) => {
            state.done(&tag, &Reply::no(Code::Unavailable, BUSY), out)
        }
        Answer::NotAuthenticated(LoginFailure::Expired(why)) => state.done(&tag, &Reply::no(Code::Expired, why), out),
        other => {
            let trouble = other.done().err().unwrap_or(Trouble::Bug);
            state.done(&tag, &trouble.into(), out)
        }
    }
}

fn refused(mut state: NotAuthenticated, tag: Tag, out: &mut Out) -> Turn {
    state.shared.login_failures += 1;
    let reply = Reply::no(Code::AuthenticationFailed, "login or secret is wrong");
    if state.shared.login_failures < LOGIN_FAILURES_MAX {
        return state.done(&tag, &reply, out);
    }
    out.untagged_reply(&Reply::bye("too many failed logins"));
    out.tagged(&tag, &reply);
    Turn::Close
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use crate::imap::session::tests::{Client, Store};
    use crate::sasl::LoginFailure;

    fn stranger() -> Client {
        Client::stranger(&Rc::new(RefCell::new(Store::new())))
    }

    const WRONG: &str = "a NO [AUTHENTICATIONFAILED] login or secret is wrong\n";

    #[test]
    fn login_and_authenticate_lead_to_the_same() {
        for line in
            ["a LOGIN toto-j secret", "a LOGIN \"toto-j\" \"secret\"", "a AUTHENTICATE plain AHRvdG8tagBzZWNyZXQ="]
        {
            let said = stranger().say(line);
            assert!(said.starts_with("a OK [CAPABILITY IMAP4rev1 ") && said.ends_with("] logged in\n"), "{said}");
        }
        let mut client = stranger();
        client.check("a AUTHENTICATE PLAIN", "+ \n");
        assert!(client.say("AHRvdG8tagBzZWNyZXQ=").starts_with("a OK "));
        client.check("b LOGIN toto-j secret", "b BAD somebody is logged in already\n");
    }

    #[test]
    fn wrong_secrets_wrong_logins_and_wrong_encodings_do_not_log_in() {
        let mut client = stranger();
        client.check("a LOGIN toto-j \"\"", WRONG);
        assert!(client.asked.is_empty());
        client.check("a AUTHENTICATE PLAIN AGEAYg==", WRONG);
        client.check("a AUTHENTICATE PLAIN =", WRONG);
        client.check("a AUTHENTICATE PLAIN !", "a BAD AUTHENTICATE does not take that\n");
        client.check("a AUTHENTICATE PLAIN", "+ \n");
        client.check("*", "a BAD AUTHENTICATE cancelled\n");
        client.check("a AUTHENTICATE CRAM-MD5", "a NO [CANNOT] that mechanism is not served\n");
        client.check(
            "a LOGIN x y",
            "* BYE too many failed logins\na NO [AUTHENTICATIONFAILED] login or secret is wrong\n",
        );
        assert!(client.closed);
    }

    #[test]
    fn scram_ends_with_the_servers_signature_and_a_refused_token_with_its_reason() {
        let mut client = stranger();
        let first = client.say("a AUTHENTICATE SCRAM-SHA-256 biwsbj10b3RvLWoscj14");
        assert!(first.starts_with("+ ") && first.ends_with('\n'), "{first}");
        // c=biws,r=xs,p=BwcH…
        let proof = "Yz1iaXdzLHI9eHMscD1Cd2NIQndjSEJ3Y0hCd2NIQndjSEJ3Y0hCd2NIQndjSEJ3Y0hCd2NIQndjPQ==";
        // v=c2lnbmVk
        client.check(proof, "+ dj1jMmxuYm1Waw==\n");
        assert!(client.say("").starts_with("a OK "));
        let mut client = stranger();
        // n,,^Aauth=Bearer x^A^A
        client.check(
            "a AUTHENTICATE OAUTHBEARER biwsAWF1dGg9QmVhcmVyIHgBAQ==",
            "+ eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0=\n",
        );
        client.check("AQ==", WRONG);
    }

    #[test]
    fn trouble_with_the_directory_is_no_wrong_secret() {
        let mut client = stranger();
        client.store.borrow_mut().logins = Some(LoginFailure::Unavailable);
        for _ in 0..10 {
            client.check("a LOGIN toto-j secret", "a NO [UNAVAILABLE] the server is busy, try again in a moment\n");
        }
    }

    #[test]
    fn a_right_secret_that_is_too_old_is_told_so() {
        let mut client = stranger();
        client.store.borrow_mut().logins = Some(LoginFailure::Expired("your password ended; change it".into()));
        client.check("a LOGIN toto-j secret", "a NO [EXPIRED] your password ended; change it\n");
    }

    #[test]
    fn an_account_that_may_not_be_used_is_no_wrong_secret() {
        let mut client = stranger();
        client.store.borrow_mut().logins = Some(LoginFailure::Denied("this account is suspended; ask us".into()));
        for _ in 0..10 {
            client.check("a LOGIN toto-j secret", "a NO [CONTACTADMIN] this account is suspended; ask us\n");
        }
    }

    #[test]
    fn a_login_that_needs_tls_is_no_wrong_secret() {
        let mut client = stranger();
        client.store.borrow_mut().logins = Some(LoginFailure::Private);
        for _ in 0..10 {
            client.check("a LOGIN toto-j secret", "a NO [PRIVACYREQUIRED] no login here without TLS\n");
        }
    }

    #[test]
    fn silence_is_short_before_login_and_long_after_it() {
        let mut client = stranger();
        assert_eq!(client.timeout_s(), 60);
        client.say("a LOGIN toto-j secret");
        assert_eq!(client.timeout_s(), 1_800);
    }
}
