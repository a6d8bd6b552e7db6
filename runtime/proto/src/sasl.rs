//! SASL mechanisms a server takes here: PLAIN (RFC 4616) and LOGIN (draft-murchison-sasl-login, what mail clients
//! mean by "simple"). One exchange serves SMTP (RFC 4954) and IMAP (RFC 9051 6.2.2): responses come in as the line the
//! client sent, in base64.

mod law;

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub use law::fuzz;

/// Longest response of a client in octets, before decoding (RFC 4954 4: 12,288).
pub const RESPONSE_OCTETS_MAX: usize = 12_288;

/// A password. It has no `Display`, and its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text itself, for the function that verifies it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A mechanism this server knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mechanism {
    Plain,
    Login,
}

impl Mechanism {
    /// The name as it is announced.
    pub fn name(self) -> &'static str {
        match self {
            Mechanism::Plain => "PLAIN",
            Mechanism::Login => "LOGIN",
        }
    }

    /// By name, in any case (RFC 4422 3.1 writes upper case; clients do not always).
    pub fn from_name(name: &str) -> Option<Mechanism> {
        [Mechanism::Plain, Mechanism::Login].into_iter().find(|mechanism| mechanism.name().eq_ignore_ascii_case(name))
    }
}

/// Who the client says it is, and the proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// As it was typed, never empty; folding it is the policy's matter.
    pub login: String,
    pub secret: Secret,
}

/// Why an exchange ended without credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaslError {
    /// The client sent `*`.
    Cancelled,
    /// Not base64, or not UTF-8 behind it.
    Encoding,
    /// Decoded well, but not what the mechanism says.
    Malformed,
    /// An authorization identity other than the login (RFC 4616 2): nobody acts for others here.
    OtherIdentity,
}

/// An exchange that waits for a response of the client.
#[derive(Debug, PartialEq, Eq)]
pub enum Exchange {
    Plain,
    LoginName,
    LoginSecret { login: String },
}

/// What a step of an exchange leads to.
#[derive(Debug, PartialEq, Eq)]
pub enum Progress {
    /// Send this challenge, already in base64, and give the next line to the exchange.
    Challenge(Exchange, &'static str),
    Done(Credentials),
}

impl Exchange {
    /// Begins an exchange. `initial` is the initial response as it stood in the command: base64, or `=` for an empty
    /// one (RFC 4954 4, RFC 4959 3).
    pub fn begin(mechanism: Mechanism, initial: Option<&str>) -> Result<Progress, SaslError> {
        let exchange = match mechanism {
            Mechanism::Plain => Exchange::Plain,
            Mechanism::Login => Exchange::LoginName,
        };
        match (initial, mechanism) {
            (None, Mechanism::Plain) => Ok(Progress::Challenge(exchange, "")),
            // "Username:"
            (None, Mechanism::Login) => Ok(Progress::Challenge(exchange, "VXNlcm5hbWU6")),
            (Some("="), _) => exchange.decoded(String::new()),
            (Some(text), _) => exchange.respond(text.as_bytes()),
        }
    }

    /// Takes the client's next line, without its line end.
    pub fn respond(self, line: &[u8]) -> Result<Progress, SaslError> {
        if line == b"*" {
            return Err(SaslError::Cancelled);
        }
        if line.len() > RESPONSE_OCTETS_MAX {
            return Err(SaslError::Encoding);
        }
        let octets = STANDARD.decode(line).map_err(|_| SaslError::Encoding)?;
        let text = String::from_utf8(octets).map_err(|_| SaslError::Encoding)?;
        self.decoded(text)
    }

    fn decoded(self, text: String) -> Result<Progress, SaslError> {
        match self {
            Exchange::Plain => plain(&text).map(Progress::Done),
            Exchange::LoginName if text.is_empty() || text.contains('\0') => Err(SaslError::Malformed),
            // "Password:"
            Exchange::LoginName => Ok(Progress::Challenge(Exchange::LoginSecret { login: text }, "UGFzc3dvcmQ6")),
            Exchange::LoginSecret { .. } if text.is_empty() || text.contains('\0') => Err(SaslError::Malformed),
            Exchange::LoginSecret { login } => Ok(Progress::Done(Credentials { login, secret: Secret(text) })),
        }
    }
}

/// RFC 4616 2: `message = [authzid] UTF8NUL authcid UTF8NUL passwd`.
fn plain(message: &str) -> Result<Credentials, SaslError> {
    let mut parts = message.split('\0');
    let (Some(authzid), Some(login), Some(secret), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(SaslError::Malformed);
    };
    if login.is_empty() || secret.is_empty() {
        return Err(SaslError::Malformed);
    }
    if !authzid.is_empty() && authzid != login {
        return Err(SaslError::OtherIdentity);
    }
    Ok(Credentials { login: login.to_owned(), secret: Secret::new(secret) })
}

/// The response of a PLAIN client in base64, for a smart host that wants a login.
pub fn plain_response(credentials: &Credentials) -> String {
    STANDARD.encode(format!("\0{}\0{}", credentials.login, credentials.secret.reveal()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(login: &str, secret: &str) -> Credentials {
        Credentials { login: login.into(), secret: Secret::new(secret) }
    }

    /// Runs an exchange over `lines`; the first is the initial response unless it is `None`.
    fn check(mechanism: Mechanism, initial: Option<&str>, lines: &[&str], expected: Result<Credentials, SaslError>) {
        let mut progress = Exchange::begin(mechanism, initial);
        for line in lines {
            progress = match progress {
                Ok(Progress::Challenge(exchange, _)) => exchange.respond(line.as_bytes()),
                other => panic!("{line:?} came after {other:?}"),
            };
        }
        match progress {
            Ok(Progress::Done(found)) => assert_eq!(Ok(found), expected),
            Ok(Progress::Challenge(exchange, _)) => panic!("still waiting in {exchange:?}"),
            Err(error) => assert_eq!(Err(error), expected),
        }
    }

    fn b64(text: &str) -> String {
        STANDARD.encode(text)
    }

    #[test]
    fn plain_takes_an_initial_response_or_a_line() {
        let good = plain_response(&credentials("toto-j", "pâte"));
        check(Mechanism::Plain, Some(&good), &[], Ok(credentials("toto-j", "pâte")));
        check(Mechanism::Plain, None, &[&good], Ok(credentials("toto-j", "pâte")));
        check(Mechanism::Plain, Some(&b64("a\0a\0x")), &[], Ok(credentials("a", "x")));
    }

    #[test]
    fn plain_refuses_what_is_not_its_message() {
        check(Mechanism::Plain, Some("="), &[], Err(SaslError::Malformed));
        check(Mechanism::Plain, Some(&b64("b\0a\0x")), &[], Err(SaslError::OtherIdentity));
        check(Mechanism::Plain, Some(&b64("\0a\0x\0y")), &[], Err(SaslError::Malformed));
        check(Mechanism::Plain, Some(&b64("\0\0x")), &[], Err(SaslError::Malformed));
        check(Mechanism::Plain, Some(&b64("\0a\0")), &[], Err(SaslError::Malformed));
        check(Mechanism::Plain, None, &["*"], Err(SaslError::Cancelled));
        check(Mechanism::Plain, None, &["AGE"], Err(SaslError::Encoding));
        check(Mechanism::Plain, None, &["AGEAeA== "], Err(SaslError::Encoding));
        check(Mechanism::Plain, None, &["/w=="], Err(SaslError::Encoding));
    }

    #[test]
    fn login_asks_for_name_and_password() {
        let name = b64("toto-j");
        let secret = b64("pass word");
        check(Mechanism::Login, None, &[&name, &secret], Ok(credentials("toto-j", "pass word")));
        check(Mechanism::Login, Some(&name), &[&secret], Ok(credentials("toto-j", "pass word")));
        check(Mechanism::Login, None, &[""], Err(SaslError::Malformed));
        check(Mechanism::Login, Some(&name), &["*"], Err(SaslError::Cancelled));
    }

    #[test]
    fn a_secret_is_not_printed() {
        assert!(!format!("{:?}", credentials("toto-j", "hunter2")).contains("hunter2"));
    }

    #[test]
    fn names_of_mechanisms_are_found_in_any_case() {
        assert_eq!(Mechanism::from_name("plain"), Some(Mechanism::Plain));
        assert_eq!(Mechanism::from_name("Login"), Some(Mechanism::Login));
        assert_eq!(Mechanism::from_name("CRAM-MD5"), None);
    }
}
