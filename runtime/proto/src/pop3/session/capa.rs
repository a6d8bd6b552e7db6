//! CAPA (RFC 2449 5).

use super::{Config, Logins};
use crate::pop3::response::Out;
use crate::sasl::Mechanism;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    Nobody,
    Somebody,
}

/// What is possible on this connection as it is: USER and SASL only where a login is, STLS only before it (RFC 2595 4). Which
/// program this is, is nobody's business before login (RFC 2449 6.9).
pub fn capa(config: &Config, known: Known, out: &mut Out) {
    out.ok("what is possible");
    for name in ["TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "EXPIRE NEVER", "UTF8 USER"] {
        out.line(format_args!("{name}"));
    }
    if config.logins == Logins::Now {
        if takes_passwords(config) {
            out.line(format_args!("USER"));
        }
        let names: Vec<&str> = config.mechanisms.iter().map(|mechanism| mechanism.name()).collect();
        if !names.is_empty() {
            out.line(format_args!("SASL {}", names.join(" ")));
        }
    }
    match known {
        Known::Nobody if config.stls => out.line(format_args!("STLS")),
        Known::Nobody => {}
        Known::Somebody => out.line(format_args!("IMPLEMENTATION Facteur")),
    }
    out.end();
}

/// May PASS be said?
pub fn takes_passwords(config: &Config) -> bool {
    config.mechanisms.iter().any(|mechanism| matches!(mechanism, Mechanism::Plain | Mechanism::Login))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Client, clear, config};
    use super::*;

    const ALWAYS: &str =
        "+OK what is possible\nTOP\nUIDL\nRESP-CODES\nAUTH-RESP-CODE\nPIPELINING\nEXPIRE NEVER\nUTF8 USER\n";

    #[test]
    fn what_is_possible_is_told_and_nothing_else() {
        let logins = "USER\nSASL PLAIN SCRAM-SHA-256 OAUTHBEARER\n";
        Client::stranger(config()).check("CAPA", &format!("{ALWAYS}{logins}.\n"));
        Client::stranger(clear()).check("CAPA", &format!("{ALWAYS}STLS\n.\n"));
        let scram = Config { mechanisms: vec![Mechanism::ScramSha256], ..config() };
        Client::stranger(scram).check("CAPA", &format!("{ALWAYS}SASL SCRAM-SHA-256\n.\n"));
        let never = Config { logins: Logins::Never, ..config() };
        Client::stranger(never).check("CAPA", &format!("{ALWAYS}.\n"));
        Client::with(&[]).check("capa", &format!("{ALWAYS}{logins}IMPLEMENTATION Facteur\n.\n"));
    }
}
