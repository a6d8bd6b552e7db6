//! USER and PASS (RFC 1939 7).

use super::auth::verify;
use super::capa::takes_passwords;
use super::state::{Authorization, Turn};
use super::{Config, Logins};
use crate::pop3::response::{Out, Refusal};
use crate::sasl::{Claim, Credentials, Secret};

/// Every login is welcome: whether somebody has it is not told.
pub fn user(mut state: Authorization, login: String, out: &mut Out) -> Turn {
    state.login = None;
    if let Err(refusal) = may_log_in(&state.shared.config).and_then(|()| may_say_password(&state.shared.config)) {
        return state.refuse(&refusal, out);
    }
    state.login = Some(login);
    out.ok("the password, please");
    state.ready()
}

pub fn pass(mut state: Authorization, secret: Option<Secret>, out: &mut Out) -> Turn {
    if let Err(refusal) = may_log_in(&state.shared.config) {
        return state.refuse(&refusal, out);
    }
    match (state.login.take(), secret) {
        (None, _) => state.refuse(&Refusal::new("USER first"), out),
        (Some(login), Some(secret)) if !login.is_empty() => {
            verify(state, Claim::Password(Credentials { login, secret }))
        }
        // Nobody has such a one; the answer is the one for a wrong secret.
        (Some(_), _) => state.wrong(out),
    }
}

/// Does the listener take logins, and take them now?
pub fn may_log_in(config: &Config) -> Result<(), Refusal> {
    match config.logins {
        Logins::Now => Ok(()),
        Logins::UnderTls if config.stls => Err(Refusal::new("TLS first: say STLS")),
        Logins::UnderTls => Err(Refusal::new("no login here without TLS")),
        Logins::Never => Err(Refusal::new("there is no login here")),
    }
}

fn may_say_password(config: &Config) -> Result<(), Refusal> {
    if takes_passwords(config) { Ok(()) } else { Err(Refusal::new("passwords are not sent as they are here")) }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Client, clear, config};
    use super::*;
    use crate::pop3::question::Trouble;
    use crate::sasl::LoginFailure;
    use crate::sasl::Mechanism;

    const WRONG: &str = "-ERR [AUTH] login or secret is wrong\n";

    #[test]
    fn user_and_pass_lead_to_the_maildrop() {
        let mut client = Client::stranger(config());
        client.deliver("a: 1\n\n");
        client.check("PASS secret", "-ERR USER first\n");
        client.check("USER toto-j", "+OK the password, please\n");
        client.check("CAPAS", "-ERR that command is not known\n");
        client.check("PASS secret", "+OK 1 messages (8 octets)\n");
        client.check("USER toto-j", "-ERR somebody is logged in already\n");
    }

    #[test]
    fn a_wrong_secret_and_a_login_nobody_has_look_alike_and_four_are_enough() {
        let mut client = Client::stranger(config());
        client.check("USER toto-j", "+OK the password, please\n");
        client.check("PASS wrong", WRONG);
        client.check("PASS secret", "-ERR USER first\n");
        client.check("USER nobody", "+OK the password, please\n");
        client.check("PASS secret", WRONG);
        client.check("USER toto-j", "+OK the password, please\n");
        client.check("PASS ", WRONG);
        assert_eq!(client.asked.len(), 2, "an empty secret is none");
        client.check("USER toto-j", "+OK the password, please\n");
        client.check("PASS wrong", WRONG);
        assert!(client.closed);
    }

    #[test]
    fn no_password_is_asked_for_in_the_clear() {
        let mut client = Client::stranger(clear());
        for line in ["USER toto-j", "PASS secret", "AUTH PLAIN", "AUTH PLAIN AHRvdG8tagBzZWNyZXQ="] {
            client.check(line, "-ERR TLS first: say STLS\n");
        }
        let mut client = Client::stranger(Config { stls: false, ..clear() });
        client.check("USER toto-j", "-ERR no login here without TLS\n");
        let mut client = Client::stranger(Config { logins: Logins::Never, ..config() });
        client.check("USER toto-j", "-ERR there is no login here\n");
        let mut client = Client::stranger(Config { mechanisms: vec![Mechanism::ScramSha256], ..config() });
        client.check("USER toto-j", "-ERR passwords are not sent as they are here\n");
        client.check("PASS secret", "-ERR USER first\n");
        assert!(client.asked.is_empty());
    }

    #[test]
    fn trouble_is_no_wrong_secret() {
        let mut client = Client::stranger(config());
        for (failure, expected) in [
            (LoginFailure::Unavailable, "-ERR [SYS/TEMP] logins are not possible now, try again later\n"),
            (LoginFailure::Private, "-ERR no login here without TLS\n"),
            (LoginFailure::Expired("ended; change it".into()), "-ERR [AUTH] ended; change it\n"),
            (LoginFailure::Denied("suspended; ask us".into()), "-ERR [SYS/PERM] suspended; ask us\n"),
        ] {
            client.logins = Some(failure);
            for _ in 0..5 {
                client.say("USER toto-j");
                client.check("PASS secret", expected);
            }
        }
    }

    #[test]
    fn a_maildrop_in_use_or_in_trouble_logs_nobody_in() {
        let mut client = Client::stranger(config());
        for (trouble, expected) in [
            (Trouble::InUse, "-ERR [IN-USE] another session has the mailbox, try again when it is over\n"),
            (Trouble::Unavailable, "-ERR [SYS/TEMP] the mail store is not available, try again later\n"),
        ] {
            client.broken = Some((trouble, 0));
            client.say("USER toto-j");
            client.check("PASS secret", expected);
            client.check("STAT", "-ERR log in first\n");
        }
        client.log_in();
        client.check("STAT", "+OK 0 0\n");
    }
}
