//! Where an issuer wants to be asked (OpenID Connect Discovery 1.0).

use hyper::Uri;
use serde::Deserialize;

/// Of one issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    pub authorize: String,
    pub token: String,
    pub keys: String,
}

#[derive(Deserialize)]
struct Said {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
}

/// Where the configuration of an issuer is (4).
pub fn place(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
}

/// What an issuer says of itself; it has to be the one that was asked (4.3).
pub fn read(octets: &[u8], issuer: &str) -> Result<Configuration, &'static str> {
    let said: Said = serde_json::from_slice(octets).map_err(|_| "its configuration is not one")?;
    if said.issuer != issuer {
        return Err("its configuration is of another issuer");
    }
    let is_sound = |url: &String| {
        let uri: Option<Uri> = url.parse().ok();
        !url.contains('#') && uri.is_some_and(|uri| uri.scheme_str() == Some("https") && uri.host().is_some())
    };
    let places = [&said.authorization_endpoint, &said.token_endpoint, &said.jwks_uri];
    if !places.into_iter().all(is_sound) {
        return Err("its configuration names places that are no https URLs");
    }
    Ok(Configuration { authorize: said.authorization_endpoint, token: said.token_endpoint, keys: said.jwks_uri })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = r#"{"issuer":"https://id.example/realm","authorization_endpoint":"https://id.example/a?x=1",
        "token_endpoint":"https://id.example/t","jwks_uri":"https://keys.example/k","more":[1]}"#;

    #[test]
    fn an_issuer_speaks_for_itself_and_over_tls() {
        let issuer = "https://id.example/realm";
        assert_eq!(place("https://id.example/realm/"), "https://id.example/realm/.well-known/openid-configuration");
        assert_eq!(read(SAID.as_bytes(), issuer).unwrap().keys, "https://keys.example/k");
        for (said, why) in [
            (SAID.replace("/realm", "/other"), "its configuration is of another issuer"),
            (
                SAID.replace("https://id.example/t", "http://id.example/t"),
                "its configuration names places that are no https URLs",
            ),
            (
                SAID.replace("https://keys.example/k", "javascript:alert(1)"),
                "its configuration names places that are no https URLs",
            ),
            (SAID.replace("/a?x=1", "/a\\r\\nSet-Cookie: x"), "its configuration names places that are no https URLs"),
            (SAID.replace("jwks_uri", "jwks"), "its configuration is not one"),
            ("[".repeat(100_000), "its configuration is not one"),
        ] {
            assert_eq!(read(said.as_bytes(), issuer), Err(why), "{said:.200}");
        }
    }
}
