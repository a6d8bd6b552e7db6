//! What must hold of tokens and keys whatever a client and an issuer send.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use plan::OAuth;

use super::jwt::{Key, Kind, Token, keys};

/// The keys of nobody: no token is signed by them.
const NOBODY: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
/// Keys of one issuer.
const KEYS_MAX: usize = 64;
const NOW_S: i64 = 1_796_000_000;

/// Four lines: header and claims as JSON, the signature, the issuer's keys. Nobody signs without the key, bounds hold, and a
/// login comes from claims of our issuer, for us, that end some day.
pub fn fuzz_jwt(octets: &[u8]) {
    let mut lines = octets.splitn(4, |octet| *octet == b'\n');
    let mut next = || lines.next().unwrap_or_default();
    let encoded = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
    let (header, claims, signature) = (encoded(next()), encoded(next()), encoded(next()));
    let theirs = keys(next());
    assert!(theirs.as_ref().is_none_or(|keys| keys.len() <= KEYS_MAX), "too many keys");
    check(&format!("{header}.{claims}.{signature}"), theirs.as_deref().unwrap_or_default());
    check(&String::from_utf8_lossy(octets), &[]);
}

fn check(text: &str, theirs: &[Key]) {
    let Ok(token) = Token::read(text, Kind::Access) else { return };
    let nobody = keys(NOBODY.as_bytes()).expect("keys");
    assert!(!token.is_signed(&nobody), "signed without a key: {text}");
    assert!(!token.is_signed(theirs) || token.has_key(theirs), "signed by a key that is not there");
    let rules = OAuth {
        issuer: "https://id.example".into(),
        keys: "https://id.example/keys".into(),
        audience: "mail".into(),
        login_claim: "uid".into(),
    };
    if let Ok(login) = token.login(&rules, NOW_S) {
        assert!(!login.is_empty(), "a token for nobody");
        assert!(token.login(&rules, i64::MAX).is_err(), "good for ever");
        let other = OAuth { audience: "another".into(), issuer: "https://other.example".into(), ..rules };
        assert!(token.login(&other, NOW_S).is_err(), "good everywhere");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_token_breaks_the_law(
            alg in "RS256|ES256|EdDSA|none",
            exp in "-?[0-9]{1,20}(\\.5|e300)?|null|\"1\"",
            claims in "(,\"(nbf|uid|aud|iss)\":(\"mail\"|\"a\"|1|\\[\"mail\"\\]|null)){0,4}",
            signature in prop::collection::vec(any::<u8>(), 0..70),
            noise in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let header = format!(r#"{{"alg":"{alg}","typ":"at+jwt"}}"#);
            let claims = format!(r#"{{"iss":"https://id.example","aud":"mail","uid":"a","exp":{exp}{claims}}}"#);
            let set = format!(r#"{{"keys":[{{"kty":"RSA","n":"{0}","e":"AQAB"}},{{"kty":"EC","crv":"P-256","x":"{0}","y":"{0}"}}]}}"#, "AQAB");
            let text = [header.as_bytes(), claims.as_bytes(), &signature.iter().copied().filter(|it| *it != b'\n').collect::<Vec<_>>(), set.as_bytes()];
            fuzz_jwt(&text.join(&b'\n'));
            fuzz_jwt(&noise);
        }
    }
}
