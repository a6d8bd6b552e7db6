//! AUTH (RFC 5034 4), and what every login leads to.

use super::maildrop::Numbered;
use super::state::{Authorization, Transaction, Turn, ask};
use super::user::may_log_in;
use crate::pop3::command::Auth;
use crate::pop3::question::{Answer, Question};
use crate::pop3::response::{Code, Out, Refusal};
use crate::sasl::{Claim, Exchange, LoginFailure, Mechanism, Progress, SaslError};

/// Wrong secrets on one connection before it is closed.
const LOGIN_FAILURES_MAX: u32 = 4;

/// What the client's next line answers.
#[derive(Debug)]
pub enum Awaited {
    Response(Exchange),
    /// The last challenge of an exchange that has its verdict.
    Last {
        accepted: bool,
    },
}

/// AUTH alone, from before CAPA: which mechanisms are there? Outlook asks so.
pub fn mechanisms(state: Authorization, out: &mut Out) -> Turn {
    if let Err(refusal) = may_log_in(&state.shared.config) {
        return state.refuse(&refusal, out);
    }
    out.ok("mechanisms");
    state.shared.config.mechanisms.iter().for_each(|mechanism| out.line(format_args!("{}", mechanism.name())));
    out.end();
    state.ready()
}

pub fn auth(mut state: Authorization, command: &Auth, out: &mut Out) -> Turn {
    state.login = None;
    let config = &state.shared.config;
    if let Err(refusal) = may_log_in(config) {
        return state.refuse(&refusal, out);
    }
    let known = Mechanism::from_name(&command.mechanism).filter(|mechanism| config.mechanisms.contains(mechanism));
    let Some(mechanism) = known else {
        return state.refuse(&Refusal::new("that mechanism is not served"), out);
    };
    let begun = Exchange::begin(mechanism, command.initial.as_deref(), &config.bindings);
    progress(state, begun, out)
}

/// Goes on with what the client answered to a challenge.
pub fn respond(state: Authorization, awaited: Awaited, line: &[u8], out: &mut Out) -> Turn {
    match awaited {
        Awaited::Response(exchange) => progress(state, exchange.respond(line), out),
        Awaited::Last { .. } if line == b"*" => progress(state, Err(SaslError::Cancelled), out),
        Awaited::Last { accepted: true } => open(state),
        Awaited::Last { accepted: false } => state.wrong(out),
    }
}

fn progress(state: Authorization, progress: Result<Progress, SaslError>, out: &mut Out) -> Turn {
    match progress {
        Ok(Progress::Challenge(exchange, challenge)) => {
            out.challenge(&challenge);
            Turn::Challenge(state, Awaited::Response(exchange))
        }
        Ok(Progress::Salt(awaits)) => {
            ask(Question::Salt { login: awaits.login.clone() }, move |answer, out| match answer {
                Answer::Salt(salt) => self::progress(state, Ok(awaits.salted(&salt)), out),
                other => not_accepted(state, other, out),
            })
        }
        Ok(Progress::Done(claim)) => verify(state, claim),
        Err(SaslError::Cancelled) => state.refuse(&Refusal::new("AUTH is cancelled"), out),
        Err(SaslError::Encoding) => state.refuse(&Refusal::new("that is not base64 of UTF-8"), out),
        Err(SaslError::Malformed | SaslError::OtherIdentity | SaslError::OtherChannel) => state.wrong(out),
    }
}

pub fn verify(state: Authorization, claim: Claim) -> Turn {
    ask(Question::Authenticate(claim.clone()), move |answer, out| match answer {
        Answer::Authenticated { server_signature } => match claim.last_challenge(true, server_signature.as_deref()) {
            Some(challenge) => {
                out.challenge(&challenge);
                Turn::Challenge(state, Awaited::Last { accepted: true })
            }
            None => open(state),
        },
        Answer::NotAuthenticated(LoginFailure::Wrong) => match claim.last_challenge(false, None) {
            Some(challenge) => {
                out.challenge(&challenge);
                Turn::Challenge(state, Awaited::Last { accepted: false })
            }
            None => state.wrong(out),
        },
        other => not_accepted(state, other, out),
    })
}

/// Somebody proved who they are: the maildrop is theirs if nobody has it (RFC 1939 4).
fn open(state: Authorization) -> Turn {
    ask(Question::Maildrop, move |answer, out| match answer.maildrop() {
        Ok(maildrop) => {
            let maildrop = Numbered::new(maildrop);
            let text = maildrop.in_words();
            Transaction { shared: state.shared, maildrop }.done(&text, out)
        }
        Err(trouble) => state.refuse(&trouble.into(), out),
    })
}

fn not_accepted(state: Authorization, answer: Answer, out: &mut Out) -> Turn {
    let refusal = match answer {
        Answer::NotAuthenticated(LoginFailure::Wrong) => return state.wrong(out),
        Answer::NotAuthenticated(LoginFailure::Private) => Refusal::new("no login here without TLS"),
        // RFC 3206 4: nothing the client does mends it.
        Answer::NotAuthenticated(LoginFailure::Denied(why)) => Refusal::new(why).with(Code::SysPerm),
        Answer::NotAuthenticated(LoginFailure::Unavailable) => {
            Refusal::new("logins are not possible now, try again later").with(Code::SysTemp)
        }
        Answer::NotAuthenticated(LoginFailure::Expired(why)) => Refusal::new(why).with(Code::Auth),
        other => match other.done() {
            Ok(()) => crate::pop3::question::Trouble::Bug.into(),
            Err(trouble) => trouble.into(),
        },
    };
    state.refuse(&refusal, out)
}

impl Authorization {
    /// RFC 3206 4: what is wrong is what the client said of itself.
    pub fn wrong(mut self, out: &mut Out) -> Turn {
        self.shared.login_failures += 1;
        out.refuse(&Refusal::new("login or secret is wrong").with(Code::Auth));
        if self.shared.login_failures < LOGIN_FAILURES_MAX { self.ready() } else { Turn::Close }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Client, config};

    const WRONG: &str = "-ERR [AUTH] login or secret is wrong\n";
    const NONE: &str = "+OK 0 messages (0 octets)\n";

    #[test]
    fn plain_takes_an_initial_response_or_a_line() {
        Client::stranger(config()).check("AUTH plain AHRvdG8tagBzZWNyZXQ=", NONE);
        let mut client = Client::stranger(config());
        client.check("AUTH PLAIN", "+ \n");
        client.check("AHRvdG8tagBzZWNyZXQ=", NONE);
        client.check("AUTH PLAIN", "-ERR somebody is logged in already\n");
    }

    #[test]
    fn what_proves_nothing_logs_nobody_in() {
        let mut client = Client::stranger(config());
        client.check("AUTH PLAIN", "+ \n");
        client.check("*", "-ERR AUTH is cancelled\n");
        client.check("AUTH PLAIN", "+ \n");
        client.check("!", "-ERR that is not base64 of UTF-8\n");
        client.check("AUTH CRAM-MD5", "-ERR that mechanism is not served\n");
        client.check("AUTH PLAIN =", WRONG);
        assert!(client.asked.is_empty());
        client.check("AUTH PLAIN AHRvdG8tagB4", WRONG);
        client.check("USER toto-j", "+OK the password, please\n");
        client.check("AUTH PLAIN =", WRONG);
        client.check("PASS secret", "-ERR USER first\n");
    }

    #[test]
    fn scram_ends_with_the_servers_signature_and_a_refused_token_with_its_reason() {
        let mut client = Client::stranger(config());
        let first = client.say("AUTH SCRAM-SHA-256 biwsbj10b3RvLWoscj14");
        assert!(first.starts_with("+ ") && first.ends_with('\n'), "{first}");
        // c=biws,r=xs,p=BwcH…
        let proof = "Yz1iaXdzLHI9eHMscD1Cd2NIQndjSEJ3Y0hCd2NIQndjSEJ3Y0hCd2NIQndjSEJ3Y0hCd2NIQndjPQ==";
        // v=c2lnbmVk
        client.check(proof, "+ dj1jMmxuYm1Waw==\n");
        client.check("", NONE);
        let mut client = Client::stranger(config());
        // n,,^Aauth=Bearer x^A^A
        client.check("AUTH OAUTHBEARER biwsAWF1dGg9QmVhcmVyIHgBAQ==", "+ eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0=\n");
        client.check("AQ==", WRONG);
    }

    #[test]
    fn auth_alone_names_the_mechanisms() {
        Client::stranger(config()).check("AUTH", "+OK mechanisms\nPLAIN\nSCRAM-SHA-256\nOAUTHBEARER\n.\n");
    }
}
