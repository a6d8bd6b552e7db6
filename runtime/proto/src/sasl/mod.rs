//! SASL mechanisms (RFC 4422) a server takes here: PLAIN (RFC 4616), LOGIN (draft-murchison-sasl-login, what mail clients mean
//! by "simple"), SCRAM-SHA-256 with and without channel binding, OAUTHBEARER and XOAUTH2. One exchange serves SMTP
//! (RFC 4954), IMAP (RFC 9051 6.2.2) and POP3 (RFC 5034): responses come in as the line the client sent, in base64. Nothing is
//! verified here: an exchange ends in a `Claim`, which the driver judges.

mod bearer;
mod law;
mod plain;
mod scram;

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub use bearer::Bearer;
pub use law::fuzz;
pub use plain::plain_response;
pub use scram::{AwaitsSalt, Salt, ScramProof};

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
    ScramSha256,
    /// With channel binding.
    ScramSha256Plus,
    OAuthBearer,
    XOAuth2,
}

impl Mechanism {
    pub const ALL: [Mechanism; 6] = [
        Mechanism::Plain,
        Mechanism::Login,
        Mechanism::ScramSha256,
        Mechanism::ScramSha256Plus,
        Mechanism::OAuthBearer,
        Mechanism::XOAuth2,
    ];

    /// The name as it is announced.
    pub fn name(self) -> &'static str {
        match self {
            Mechanism::Plain => "PLAIN",
            Mechanism::Login => "LOGIN",
            Mechanism::ScramSha256 => "SCRAM-SHA-256",
            Mechanism::ScramSha256Plus => "SCRAM-SHA-256-PLUS",
            Mechanism::OAuthBearer => "OAUTHBEARER",
            Mechanism::XOAuth2 => "XOAUTH2",
        }
    }

    /// By name, in any case (RFC 4422 3.1 writes upper case; clients do not always).
    pub fn from_name(name: &str) -> Option<Mechanism> {
        Mechanism::ALL.into_iter().find(|mechanism| mechanism.name().eq_ignore_ascii_case(name))
    }
}

/// What both ends of a TLS connection know of it (RFC 5056). Empty without TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bindings {
    /// `tls-exporter` (RFC 9266), of TLS 1.3.
    pub exporter: Option<Vec<u8>>,
    /// `tls-server-end-point` (RFC 5929 4): the hash of the server's certificate.
    pub end_point: Option<Vec<u8>>,
}

impl Bindings {
    pub fn is_empty(&self) -> bool {
        self.exporter.is_none() && self.end_point.is_none()
    }
}

/// The mechanisms of a listener as they are offered on a connection: SCRAM with channel binding where there is a channel to
/// bind.
pub fn offered(mechanisms: &[Mechanism], bindings: &Bindings) -> Vec<Mechanism> {
    let plus = mechanisms.contains(&Mechanism::ScramSha256) && !bindings.is_empty();
    let mut offered: Vec<Mechanism> = plus.then_some(Mechanism::ScramSha256Plus).into_iter().collect();
    offered.extend(mechanisms.iter().filter(|mechanism| **mechanism != Mechanism::ScramSha256Plus));
    offered
}

/// Who the client says it is, and its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// As it was typed, never empty; folding it is the policy's matter.
    pub login: String,
    pub secret: Secret,
}

/// Why nobody is logged in, as sessions that read mail are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginFailure {
    /// Unknown login, wrong secret, or not allowed here: the three look alike.
    Wrong,
    /// The directory does not answer, or too many wrong secrets arrived lately: try later.
    Unavailable,
    /// TLS first (RFC 5530).
    Private,
    /// The secret is right and too old to be taken (RFC 5530, EXPIRED).
    Expired(String),
    /// Who it is was proved, and the account may not be used: why, and whom to ask.
    Denied(String),
}

/// What an exchange comes to, for whoever keeps verifiers and keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    Password(Credentials),
    Scram(ScramProof),
    Token(Bearer),
}

impl Claim {
    /// The login as it was typed; a token alone may name its own.
    pub fn login(&self) -> Option<&str> {
        match self {
            Claim::Password(credentials) => Some(&credentials.login),
            Claim::Scram(proof) => Some(&proof.login),
            Claim::Token(bearer) => bearer.login.as_deref(),
        }
    }

    /// What is said before the verdict, in base64, to be answered by the client with a line that says nothing: the server's
    /// signature of SCRAM (RFC 5802 3), or why a token is refused (RFC 7628 3.2.2).
    pub fn last_challenge(&self, accepted: bool, server_signature: Option<&[u8]>) -> Option<String> {
        match self {
            Claim::Password(_) => None,
            Claim::Scram(_) if !accepted => None,
            Claim::Scram(_) => {
                let signature = STANDARD.encode(server_signature.unwrap_or_default());
                Some(STANDARD.encode(format!("v={signature}")))
            }
            Claim::Token(_) if accepted => None,
            Claim::Token(_) => Some(STANDARD.encode(bearer::REFUSED)),
        }
    }
}

/// Why an exchange ended without a claim.
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
    /// The channel the client is bound to is not this one, or it was made to believe that none can be bound.
    OtherChannel,
}

/// An exchange that waits for a response of the client.
#[derive(Debug, PartialEq, Eq)]
pub enum Exchange {
    Plain,
    LoginName,
    LoginSecret { login: String },
    ScramFirst { plus: bool, bindings: Bindings },
    ScramFinal(scram::AwaitsProof),
    Bearer(Mechanism),
}

/// What a step of an exchange leads to.
#[derive(Debug, PartialEq, Eq)]
pub enum Progress {
    /// Send this challenge, already in base64, and give the next line to the exchange.
    Challenge(Exchange, String),
    /// Find out how the login's verifier is salted, then go on with `AwaitsSalt::salted`.
    Salt(AwaitsSalt),
    Done(Claim),
}

impl Exchange {
    /// Begins an exchange. `initial` is the initial response as it stood in the command: base64, or `=` for an empty
    /// one (RFC 4954 4, RFC 4959 3). `bindings` are those of the connection when -PLUS was offered on it.
    pub fn begin(mechanism: Mechanism, initial: Option<&str>, bindings: &Bindings) -> Result<Progress, SaslError> {
        let exchange = match mechanism {
            Mechanism::Plain => Exchange::Plain,
            Mechanism::Login => Exchange::LoginName,
            Mechanism::ScramSha256 => Exchange::ScramFirst { plus: false, bindings: bindings.clone() },
            Mechanism::ScramSha256Plus => Exchange::ScramFirst { plus: true, bindings: bindings.clone() },
            Mechanism::OAuthBearer | Mechanism::XOAuth2 => Exchange::Bearer(mechanism),
        };
        match (initial, mechanism) {
            (None, Mechanism::Login) => Ok(Progress::Challenge(exchange, STANDARD.encode("Username:"))),
            (None, _) => Ok(Progress::Challenge(exchange, String::new())),
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
            Exchange::Plain => plain::plain(&text).map(password),
            Exchange::LoginName if text.is_empty() || text.contains('\0') => Err(SaslError::Malformed),
            Exchange::LoginName => {
                Ok(Progress::Challenge(Exchange::LoginSecret { login: text }, STANDARD.encode("Password:")))
            }
            Exchange::LoginSecret { .. } if text.is_empty() || text.contains('\0') => Err(SaslError::Malformed),
            Exchange::LoginSecret { login } => Ok(password(Credentials { login, secret: Secret(text) })),
            Exchange::ScramFirst { plus, bindings } => scram::first(&text, plus, bindings).map(Progress::Salt),
            Exchange::ScramFinal(awaits) => awaits.proof(&text).map(|proof| Progress::Done(Claim::Scram(proof))),
            Exchange::Bearer(mechanism) => {
                bearer::read(mechanism, &text).map(|bearer| Progress::Done(Claim::Token(bearer)))
            }
        }
    }
}

fn password(credentials: Credentials) -> Progress {
    Progress::Done(Claim::Password(credentials))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(login: &str, secret: &str) -> Credentials {
        Credentials { login: login.into(), secret: Secret::new(secret) }
    }

    /// Runs an exchange over `lines`; the first is the initial response unless it is `None`.
    fn check(mechanism: Mechanism, initial: Option<&str>, lines: &[&str], expected: Result<Credentials, SaslError>) {
        let mut progress = Exchange::begin(mechanism, initial, &Bindings::default());
        for line in lines {
            progress = match progress {
                Ok(Progress::Challenge(exchange, _)) => exchange.respond(line.as_bytes()),
                other => panic!("{line:?} came after {other:?}"),
            };
        }
        match progress {
            Ok(Progress::Done(Claim::Password(found))) => assert_eq!(Ok(found), expected),
            Ok(other) => panic!("{other:?}"),
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
    fn channel_binding_is_offered_where_there_is_a_channel() {
        let mechanisms = [Mechanism::Plain, Mechanism::ScramSha256];
        assert_eq!(offered(&mechanisms, &Bindings::default()), mechanisms);
        let bindings = Bindings { end_point: Some(vec![1]), exporter: None };
        let plus = [Mechanism::ScramSha256Plus, Mechanism::Plain, Mechanism::ScramSha256];
        assert_eq!(offered(&mechanisms, &bindings), plus);
        assert_eq!(offered(&mechanisms[..1], &bindings), mechanisms[..1]);
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

    proptest::proptest! {
        #[test]
        fn no_line_makes_an_exchange_panic(octets in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            fuzz(&octets);
        }
    }
}
