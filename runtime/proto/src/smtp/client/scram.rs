//! The client's messages of SCRAM-SHA-256 (RFC 5802, RFC 7677), without a channel binding. Keys are the driver's work.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// More iterations than this are a server's way to keep us busy.
const ITERATIONS_MAX: u32 = 1_000_000;

/// What the driver computes a proof from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    pub salt: Vec<u8>,
    pub iterations: u32,
    /// `AuthMessage` of RFC 5802 3.
    pub auth_message: String,
}

/// ClientProof and ServerSignature of RFC 5802 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    pub client: [u8; 32],
    pub server: [u8; 32],
}

#[derive(Debug)]
pub(super) struct Exchange {
    bare: String,
    nonce: String,
    /// Behind the server's first message: our last one without its proof.
    last: String,
    expected: Option<[u8; 32]>,
}

impl Exchange {
    /// The exchange and its first message in base64. `nonce` is visible ASCII without a comma.
    pub fn begin(login: &str, nonce: &str) -> (Exchange, String) {
        let name = login.replace('=', "=3D").replace(',', "=2C");
        let bare = format!("n={name},r={nonce}");
        let first = STANDARD.encode(format!("n,,{bare}"));
        (Exchange { bare, nonce: nonce.to_owned(), last: String::new(), expected: None }, first)
    }

    /// Reads the server's first message, in base64. `None`: it is no answer to ours.
    pub fn challenged(&mut self, text: &str) -> Option<Challenge> {
        let message = String::from_utf8(STANDARD.decode(text.trim()).ok()?).ok()?;
        let mut fields = message.split(',');
        let nonce = fields.next()?.strip_prefix("r=")?;
        let salt = STANDARD.decode(fields.next()?.strip_prefix("s=")?).ok()?;
        let iterations: u32 = fields.next()?.strip_prefix("i=")?.parse().ok()?;
        let ours = nonce.len() > self.nonce.len() && nonce.starts_with(&self.nonce);
        if !ours || iterations == 0 || iterations > ITERATIONS_MAX || salt.is_empty() {
            return None;
        }
        // "biws" is the header "n,," in base64.
        self.last = format!("c=biws,r={nonce}");
        let auth_message = format!("{},{message},{}", self.bare, self.last);
        Some(Challenge { salt, iterations, auth_message })
    }

    /// Our last message in base64.
    pub fn proved(&mut self, proof: &Proof) -> String {
        self.expected = Some(proof.server);
        STANDARD.encode(format!("{},p={}", self.last, STANDARD.encode(proof.client)))
    }

    /// Does the server's last message, in base64, show that it knows the password?
    pub fn is_known_to_server(&self, text: &str) -> bool {
        let message = STANDARD.decode(text.trim()).ok().and_then(|octets| String::from_utf8(octets).ok());
        let signature = message.as_deref().and_then(|message| message.strip_prefix("v=")?.split(',').next());
        let signature = signature.and_then(|signature| STANDARD.decode(signature).ok());
        signature.is_some() && signature.as_deref() == self.expected.as_ref().map(<[u8; 32]>::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7677 3.
    #[test]
    fn the_example_of_the_rfc_is_spoken() {
        let (mut exchange, first) = Exchange::begin("user", "rOprNGfwEbeRWgbNEkqO");
        assert_eq!(STANDARD.decode(first).unwrap(), b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let server = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let challenge = exchange.challenged(&STANDARD.encode(server)).unwrap();
        assert_eq!(challenge.iterations, 4_096);
        assert_eq!(
            challenge.auth_message,
            format!(
                "n=user,r=rOprNGfwEbeRWgbNEkqO,{server},c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
            )
        );
        let octets = |text: &str| <[u8; 32]>::try_from(STANDARD.decode(text).unwrap()).unwrap();
        let proof = Proof {
            client: octets("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="),
            server: octets("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="),
        };
        let last = exchange.proved(&proof);
        assert!(STANDARD.decode(last).unwrap().ends_with(b",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="));
        assert!(exchange.is_known_to_server(&STANDARD.encode("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")));
        assert!(!exchange.is_known_to_server(&STANDARD.encode("v=AAAA")));
        assert!(!exchange.is_known_to_server(""));
    }

    #[test]
    fn a_server_that_answers_another_is_not_believed() {
        for server in ["r=x,s=AAAA,i=1", "r=nonce,s=AAAA,i=1", "r=nonce1,s=,i=1", "r=nonce1,s=AAAA,i=0", "e=x", ""] {
            let (mut exchange, _) = Exchange::begin("a", "nonce");
            assert_eq!(exchange.challenged(&STANDARD.encode(server)), None, "{server}");
        }
        let (mut exchange, _) = Exchange::begin("a", "nonce");
        assert!(exchange.challenged(&STANDARD.encode("r=nonce1,s=AAAA,i=9999999")).is_none());
    }
}
