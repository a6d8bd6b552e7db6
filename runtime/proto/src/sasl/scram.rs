//! SCRAM-SHA-256 (RFC 5802, RFC 7677), the messages alone: salts and keys are the driver's. Names and passwords are taken as
//! they are; SASLprep (RFC 4013) changes nothing in what people here can have as a login.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Bindings, Exchange, Progress, SaslError};

/// Octets of a proof, of a key and of a signature.
const KEY_OCTETS: usize = 32;

/// How a login's verifier is salted, and the server's part of the nonce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Salt {
    pub octets: Vec<u8>,
    pub iterations: u32,
    /// Visible characters without a comma, drawn for this exchange.
    pub nonce: String,
}

/// The client's first message was read.
#[derive(Debug, PartialEq, Eq)]
pub struct AwaitsSalt {
    /// As it was typed, never empty.
    pub login: String,
    /// `client-first-message-bare`.
    bare: String,
    nonce: String,
    /// What `c=` must hold: the header, and the binding behind it.
    channel: Vec<u8>,
}

/// The server's first message was sent.
#[derive(Debug, PartialEq, Eq)]
pub struct AwaitsProof {
    login: String,
    /// The first two parts of `AuthMessage`, a comma behind each.
    said: String,
    nonce: String,
    channel: Vec<u8>,
}

/// What is to be verified with the login's keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScramProof {
    pub login: String,
    /// RFC 5802 3.
    pub auth_message: String,
    pub proof: [u8; KEY_OCTETS],
}

/// RFC 5802 7: `client-first-message = gs2-header client-first-message-bare`.
pub(super) fn first(text: &str, plus: bool, bindings: Bindings) -> Result<AwaitsSalt, SaslError> {
    let mut parts = text.splitn(3, ',');
    let (Some(flag), Some(authzid), Some(bare)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(SaslError::Malformed);
    };
    let binding = binding(flag, plus, bindings)?;
    let mut fields = bare.split(',');
    // A first field `m=` would be an extension that must be understood.
    let name = fields.next().and_then(|field| field.strip_prefix("n=")).ok_or(SaslError::Malformed)?;
    let nonce = fields.next().and_then(|field| field.strip_prefix("r=")).ok_or(SaslError::Malformed)?;
    if nonce.is_empty() || !nonce.bytes().all(|octet| octet.is_ascii_graphic()) {
        return Err(SaslError::Malformed);
    }
    let login = saslname(name)?;
    if !authzid.is_empty() {
        let other = saslname(authzid.strip_prefix("a=").ok_or(SaslError::Malformed)?)?;
        if other != login {
            return Err(SaslError::OtherIdentity);
        }
    }
    let mut channel = format!("{flag},{authzid},").into_bytes();
    channel.extend(binding);
    Ok(AwaitsSalt { login, bare: bare.to_owned(), nonce: nonce.to_owned(), channel })
}

/// The octets the client must bind to. RFC 5802 6: `y` says that the client could bind and believes we cannot; if we offered
/// it, somebody between us took it away.
fn binding(flag: &str, plus: bool, bindings: Bindings) -> Result<Vec<u8>, SaslError> {
    match (flag, plus) {
        ("n", false) => Ok(Vec::new()),
        ("y", false) if bindings.is_empty() => Ok(Vec::new()),
        ("y", false) => Err(SaslError::OtherChannel),
        ("p=tls-exporter", true) => bindings.exporter.ok_or(SaslError::OtherChannel),
        ("p=tls-server-end-point", true) => bindings.end_point.ok_or(SaslError::OtherChannel),
        _ => Err(SaslError::Malformed),
    }
}

/// RFC 5802 5.1: a comma is `=2C`, an equals sign `=3D`. Never empty.
pub(super) fn saslname(text: &str) -> Result<String, SaslError> {
    let mut name = String::with_capacity(text.len());
    let mut parts = text.split('=');
    name.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (code, rest) = part.split_at_checked(2).ok_or(SaslError::Malformed)?;
        name.push(match code {
            "2C" => ',',
            "3D" => '=',
            _ => return Err(SaslError::Malformed),
        });
        name.push_str(rest);
    }
    if name.is_empty() || name.contains('\0') { Err(SaslError::Malformed) } else { Ok(name) }
}

impl AwaitsSalt {
    /// RFC 5802 7: `server-first-message = [reserved-mext ","] nonce "," salt "," iteration-count`.
    pub fn salted(self, salt: &Salt) -> Progress {
        let nonce = format!("{}{}", self.nonce, salt.nonce);
        let message = format!("r={nonce},s={},i={}", STANDARD.encode(&salt.octets), salt.iterations);
        let said = format!("{},{message},", self.bare);
        let awaits = AwaitsProof { login: self.login, said, nonce, channel: self.channel };
        Progress::Challenge(Exchange::ScramFinal(awaits), STANDARD.encode(message))
    }
}

impl AwaitsProof {
    /// RFC 5802 7: `client-final-message = channel-binding "," nonce ["," extensions] "," proof`.
    pub(super) fn proof(self, text: &str) -> Result<ScramProof, SaslError> {
        let (without, proof) = text.rsplit_once(",p=").ok_or(SaslError::Malformed)?;
        let mut fields = without.split(',');
        let channel = fields.next().and_then(|field| field.strip_prefix("c=")).ok_or(SaslError::Malformed)?;
        let nonce = fields.next().and_then(|field| field.strip_prefix("r=")).ok_or(SaslError::Malformed)?;
        if STANDARD.decode(channel).map_err(|_| SaslError::Malformed)? != self.channel {
            return Err(SaslError::OtherChannel);
        }
        let proof = STANDARD.decode(proof).ok().and_then(|octets| octets.try_into().ok());
        let proof = proof.filter(|_| nonce == self.nonce).ok_or(SaslError::Malformed)?;
        Ok(ScramProof { login: self.login, auth_message: self.said + without, proof })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound() -> Bindings {
        Bindings { exporter: Some(b"exported".to_vec()), end_point: None }
    }

    /// RFC 7677 3.
    #[test]
    fn the_example_of_the_rfc_comes_to_its_auth_message() {
        let awaits = first("n,,n=user,r=rOprNGfwEbeRWgbNEkqO", false, Bindings::default()).unwrap();
        assert_eq!(awaits.login, "user");
        let octets = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let nonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0".to_owned();
        let progress = awaits.salted(&Salt { octets, iterations: 4_096, nonce });
        let Progress::Challenge(Exchange::ScramFinal(awaits), challenge) = progress else { panic!("{progress:?}") };
        let server_first = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        assert_eq!(STANDARD.decode(challenge).unwrap(), server_first.as_bytes());
        let last = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let proof = awaits.proof(&format!("{last},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")).unwrap();
        assert_eq!(proof.auth_message, format!("n=user,r=rOprNGfwEbeRWgbNEkqO,{server_first},{last}"));
    }

    #[test]
    fn first_messages_that_are_none_are_refused() {
        let cases = [
            ("n,,n=user", SaslError::Malformed),
            ("n,,n=,r=x", SaslError::Malformed),
            ("n,,n=u=2,r=x", SaslError::Malformed),
            ("n,,m=x,n=user,r=x", SaslError::Malformed),
            ("n,,n=user,r=", SaslError::Malformed),
            ("n,a=other,n=user,r=x", SaslError::OtherIdentity),
            ("p=tls-exporter,,n=user,r=x", SaslError::Malformed),
            ("y,,n=user,r=x", SaslError::OtherChannel),
        ];
        for (text, error) in cases {
            assert_eq!(first(text, false, bound()).unwrap_err(), error, "{text}");
        }
        assert!(first("y,,n=user,r=x", false, Bindings::default()).is_ok());
        assert_eq!(first("n,a=u=2Cv,n=u=2Cv,r=x", false, bound()).unwrap().login, "u,v");
    }

    #[test]
    fn a_bound_client_proves_that_this_is_its_channel() {
        let begun = || {
            let awaits = first("p=tls-exporter,,n=user,r=x", true, bound()).unwrap();
            match awaits.salted(&Salt { octets: vec![1], iterations: 4_096, nonce: "y".into() }) {
                Progress::Challenge(Exchange::ScramFinal(awaits), _) => awaits,
                other => panic!("{other:?}"),
            }
        };
        let last = |channel: &[u8], nonce: &str| {
            begun().proof(&format!("c={},r={nonce},p={}", STANDARD.encode(channel), STANDARD.encode([0; 32])))
        };
        assert!(last(b"p=tls-exporter,,exported", "xy").is_ok());
        assert_eq!(last(b"p=tls-exporter,,another", "xy").unwrap_err(), SaslError::OtherChannel);
        assert_eq!(last(b"n,,", "xy").unwrap_err(), SaslError::OtherChannel);
        assert_eq!(last(b"p=tls-exporter,,exported", "xz").unwrap_err(), SaslError::Malformed);
        assert_eq!(
            first("p=tls-server-end-point,,n=user,r=x", true, bound()).unwrap_err(),
            SaslError::OtherChannel,
            "not known of this connection"
        );
    }
}
