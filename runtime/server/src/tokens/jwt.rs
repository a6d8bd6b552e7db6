//! JWT access tokens (RFC 9068) and the keys that sign them (RFC 7517), without a network.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use plan::OAuth;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::Value;

/// Longest token in octets.
const TOKEN_OCTETS_MAX: usize = 8 * 1024;
/// Keys of one issuer that are kept.
const KEYS_MAX: usize = 64;
/// Clocks may differ by so much.
pub(super) const SLACK_S: i64 = 60;

/// Why a token is refused, for the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadToken(pub &'static str);

/// How a token is signed (RFC 7518 3.1, RFC 8037 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    Rs256,
    Es256,
    EdDsa,
}

impl Algorithm {
    fn from_name(name: &str) -> Option<Algorithm> {
        match name {
            "RS256" => Some(Algorithm::Rs256),
            "ES256" => Some(Algorithm::Es256),
            "EdDSA" => Some(Algorithm::EdDsa),
            _ => None,
        }
    }
}

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// RFC 9068.
    Access,
    /// OpenID Connect Core 2.
    Id,
}

impl Kind {
    /// RFC 9068 4: an ID token is no access token, and neither is taken for the other.
    fn judge(self, typ: &str) -> Result<(), BadToken> {
        match self {
            Kind::Access if ["at+jwt", "application/at+jwt"].contains(&typ) => Ok(()),
            Kind::Access => Err(BadToken("the type is not at+jwt")),
            Kind::Id if ["", "jwt", "application/jwt"].contains(&typ) => Ok(()),
            Kind::Id => Err(BadToken("the type is not jwt")),
        }
    }
}

/// A token's three parts, decoded; nothing of it is verified.
pub struct Token<'a> {
    algorithm: Algorithm,
    kid: Option<String>,
    claims: Value,
    signed: &'a [u8],
    signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
    crit: Option<Value>,
}

impl<'a> Token<'a> {
    pub fn read(text: &'a str, kind: Kind) -> Result<Token<'a>, BadToken> {
        if text.len() > TOKEN_OCTETS_MAX {
            return Err(BadToken("too long"));
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(BadToken("not three parts"))?;
        let (header, claims) = signed.split_once('.').ok_or(BadToken("not three parts"))?;
        let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| BadToken("not base64url"));
        let header: Header =
            serde_json::from_slice(&decoded(header)?).map_err(|_| BadToken("the header is no JSON"))?;
        kind.judge(&header.typ.unwrap_or_default().to_ascii_lowercase())?;
        // RFC 7515 4.1.11.
        if header.crit.is_some() {
            return Err(BadToken("an extension is critical"));
        }
        let algorithm = Algorithm::from_name(&header.alg).ok_or(BadToken("the algorithm is none of ours"))?;
        let claims = serde_json::from_slice(&decoded(claims)?).map_err(|_| BadToken("the claims are no JSON"))?;
        let signature = decoded(signature)?;
        Ok(Token { algorithm, kid: header.kid, claims, signed: signed.as_bytes(), signature })
    }

    /// Does one of these keys sign it? With a `kid` only the key of that name.
    pub fn is_signed(&self, keys: &[Key]) -> bool {
        keys.iter().filter(|key| self.is_by(key)).any(|key| key.verifies(self))
    }

    /// Is there a key it could be signed by?
    pub fn has_key(&self, keys: &[Key]) -> bool {
        keys.iter().any(|key| self.is_by(key))
    }

    fn is_by(&self, key: &Key) -> bool {
        key.algorithm == self.algorithm && (self.kid.is_none() || key.kid == self.kid)
    }

    /// Who the token is for, if its claims hold at `now_s` (RFC 9068 4).
    pub fn login(&self, rules: &OAuth, now_s: i64) -> Result<&str, BadToken> {
        self.holds(&rules.issuer, &rules.audience, now_s)?;
        self.text(&rules.login_claim).ok_or(BadToken("the claim with the login is missing"))
    }

    pub(super) fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.get(name)
    }

    /// A claim that is a text and not empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.claim(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// Is it of this issuer, for this audience, and in time (RFC 7519 4.1)?
    pub(super) fn holds(&self, issuer: &str, audience: &str, now_s: i64) -> Result<(), BadToken> {
        let claim = |name: &str| self.claim(name);
        if claim("iss").and_then(Value::as_str) != Some(issuer) {
            return Err(BadToken("another issuer"));
        }
        let for_us = match claim("aud") {
            Some(Value::String(one)) => one == audience,
            Some(Value::Array(all)) => all.iter().any(|one| one.as_str() == Some(audience)),
            _ => false,
        };
        if !for_us {
            return Err(BadToken("another audience"));
        }
        let expires_s = claim("exp").and_then(seconds).ok_or(BadToken("no expiry"))?;
        if now_s >= expires_s.saturating_add(SLACK_S) {
            return Err(BadToken("expired"));
        }
        if let Some(not_before) = claim("nbf") {
            let not_before_s = seconds(not_before).ok_or(BadToken("nbf is no time"))?;
            if now_s < not_before_s.saturating_sub(SLACK_S) {
                return Err(BadToken("not valid yet"));
            }
        }
        Ok(())
    }
}

/// RFC 7519 2: NumericDate may have a fraction.
pub(super) fn seconds(value: &Value) -> Option<i64> {
    value.as_i64().or(value.as_f64().map(|it| it as i64))
}

/// A public key of the issuer.
#[derive(Clone, Debug)]
pub struct Key {
    kid: Option<String>,
    algorithm: Algorithm,
    /// The modulus for RSA; else the point or key as `ring` takes it.
    public: Vec<u8>,
    /// RSA only.
    exponent: Vec<u8>,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    r#use: Option<String>,
    alg: Option<String>,
    crv: String,
    n: String,
    e: String,
    x: String,
    y: String,
}

/// The keys of a set that we can use; others are passed over. `None` when it is no set.
pub fn keys(octets: &[u8]) -> Option<Vec<Key>> {
    let set: KeySet = serde_json::from_slice(octets).ok()?;
    let keys = set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).filter_map(key);
    Some(keys.take(KEYS_MAX).collect())
}

fn key(jwk: Jwk) -> Option<Key> {
    if jwk.r#use.as_deref().is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text).ok().filter(|octets| !octets.is_empty());
    let (algorithm, public, exponent) = match (jwk.kty.as_str(), jwk.crv.as_str()) {
        ("RSA", _) => (Algorithm::Rs256, decoded(&jwk.n)?, decoded(&jwk.e)?),
        // SEC 1 2.3.3: an uncompressed point.
        ("EC", "P-256") => (Algorithm::Es256, [vec![4], decoded(&jwk.x)?, decoded(&jwk.y)?].concat(), Vec::new()),
        ("OKP", "Ed25519") => (Algorithm::EdDsa, decoded(&jwk.x)?, Vec::new()),
        _ => return None,
    };
    if jwk.alg.as_deref().is_some_and(|name| Algorithm::from_name(name) != Some(algorithm)) {
        return None;
    }
    Some(Key { kid: jwk.kid, algorithm, public, exponent })
}

impl Key {
    fn verifies(&self, token: &Token<'_>) -> bool {
        let verified = match self.algorithm {
            Algorithm::Rs256 => RsaPublicKeyComponents { n: &self.public, e: &self.exponent }.verify(
                &signature::RSA_PKCS1_2048_8192_SHA256,
                token.signed,
                &token.signature,
            ),
            Algorithm::Es256 => UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, &self.public)
                .verify(token.signed, &token.signature),
            Algorithm::EdDsa => {
                UnparsedPublicKey::new(&signature::ED25519, &self.public).verify(token.signed, &token.signature)
            }
        };
        verified.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};

    use super::*;

    fn b64(text: impl AsRef<[u8]>) -> String {
        URL_SAFE_NO_PAD.encode(text)
    }

    fn rules() -> OAuth {
        OAuth {
            issuer: "https://id.example".into(),
            keys: "https://id.example/keys".into(),
            audience: "mail".into(),
            login_claim: "uid".into(),
        }
    }

    fn ed25519() -> (Ed25519KeyPair, Vec<Key>) {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let set = format!(
            r#"{{"keys":[{{"kty":"oct","k":"AA"}},{{"kty":"OKP","crv":"Ed25519","kid":"k1","use":"sig","x":"{}"}}]}}"#,
            b64(pair.public_key())
        );
        (pair, keys(set.as_bytes()).unwrap())
    }

    fn signed(pair: &Ed25519KeyPair, header: &str, claims: &str) -> String {
        let said = format!("{}.{}", b64(header), b64(claims));
        format!("{said}.{}", b64(pair.sign(said.as_bytes())))
    }

    const HEADER: &str = r#"{"alg":"EdDSA","typ":"at+jwt","kid":"k1"}"#;
    const CLAIMS: &str = r#"{"iss":"https://id.example","aud":["web","mail"],"exp":1000,"nbf":500,"uid":"toto-j"}"#;

    #[test]
    fn a_token_tells_its_login_while_it_holds() {
        let (pair, keys) = ed25519();
        let text = signed(&pair, HEADER, CLAIMS);
        let token = Token::read(&text, Kind::Access).unwrap();
        assert!(token.is_signed(&keys));
        let cases = [
            (700, Ok("toto-j")),
            (440, Ok("toto-j")),
            (439, Err(BadToken("not valid yet"))),
            (1_059, Ok("toto-j")),
            (1_060, Err(BadToken("expired"))),
        ];
        for (now_s, expected) in cases {
            assert_eq!(token.login(&rules(), now_s), expected, "{now_s}");
        }
    }

    #[test]
    fn claims_for_others_and_without_an_end_are_refused() {
        let (pair, _) = ed25519();
        for (old, new, why) in [
            ("https://id.example", "https://id.examplf", "another issuer"),
            ("\"mail\"", "\"files\"", "another audience"),
            ("\"exp\":1000,", "", "no expiry"),
            ("\"exp\":1000,", "\"exp\":\"1000\",", "no expiry"),
            ("\"nbf\":500", "\"nbf\":\"now\"", "nbf is no time"),
            ("\"uid\"", "\"sub\"", "the claim with the login is missing"),
            ("\"toto-j\"", "\"\"", "the claim with the login is missing"),
        ] {
            let text = signed(&pair, HEADER, &CLAIMS.replace(old, new));
            assert_eq!(Token::read(&text, Kind::Access).unwrap().login(&rules(), 700), Err(BadToken(why)), "{new}");
        }
    }

    #[test]
    fn forged_tokens_have_no_key() {
        let (pair, keys) = ed25519();
        let good = signed(&pair, HEADER, CLAIMS);
        let other = Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap();
        assert!(!Token::read(&signed(&other, HEADER, CLAIMS), Kind::Access).unwrap().is_signed(&keys));
        let (said, signature) = good.rsplit_once('.').unwrap();
        let (header, _) = said.split_once('.').unwrap();
        let forged = format!("{header}.{}.{signature}", b64(CLAIMS.replace("toto-j", "dupont")));
        assert!(!Token::read(&forged, Kind::Access).unwrap().is_signed(&keys));
        let unknown = signed(&pair, &HEADER.replace("k1", "k2"), CLAIMS);
        assert!(!Token::read(&unknown, Kind::Access).unwrap().has_key(&keys));
        // The public key as a secret (RFC 8725 2.1), and no signature at all.
        for name in ["HS256", "none", "RS512"] {
            let text = signed(&pair, &HEADER.replace("EdDSA", name), CLAIMS);
            assert_eq!(Token::read(&text, Kind::Access).err(), Some(BadToken("the algorithm is none of ours")));
        }
        assert!(
            !Token::read(&signed(&pair, &HEADER.replace("EdDSA", "RS256"), CLAIMS), Kind::Access)
                .unwrap()
                .has_key(&keys)
        );
        assert!(
            Token::read(&signed(&pair, &HEADER.replace("at+jwt", "JWT"), CLAIMS), Kind::Access).is_err(),
            "an ID token"
        );
        for text in ["", "a", "a.b", "a.b.c", "!.!.!", &"x".repeat(TOKEN_OCTETS_MAX + 1)] {
            assert!(Token::read(text, Kind::Access).is_err(), "{text}");
        }
    }

    #[test]
    fn an_elliptic_curve_key_verifies() {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
        let point = pair.public_key().as_ref();
        let (x, y) = (b64(&point[1..33]), b64(&point[33..]));
        let set = format!(r#"{{"keys":[{{"kty":"EC","crv":"P-256","alg":"ES256","x":"{x}","y":"{y}"}}]}}"#);
        let said = format!("{}.{}", b64(HEADER.replace("EdDSA", "ES256").replace(",\"kid\":\"k1\"", "")), b64(CLAIMS));
        let text = format!("{said}.{}", b64(pair.sign(&random, said.as_bytes()).unwrap()));
        assert!(Token::read(&text, Kind::Access).unwrap().is_signed(&keys(set.as_bytes()).unwrap()));
        assert!(keys(b"[]").is_none());
        assert!(keys(set.replace("ES256", "ES384").as_bytes()).unwrap().is_empty());
    }
}
