//! ID tokens (OpenID Connect Core 2, 3.1.3.7): an issuer's word on who signs in, for this client and this one sign-in.

use super::jwt::{BadToken, Kind, SLACK_S, Token, seconds};

/// A token that was made longer ago is not of this sign-in.
const AGE_MAX_S: i64 = 900;

/// What the claims have to be.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub nonce: &'a str,
    pub login_claim: &'a str,
}

/// A token whose signature is yet to be verified.
pub fn read(text: &str) -> Result<Token<'_>, BadToken> {
    Token::read(text, Kind::Id)
}

/// Who signs in, if the claims hold at `now_s`.
pub fn login<'a>(token: &'a Token<'_>, expected: Expected<'_>, now_s: i64) -> Result<&'a str, BadToken> {
    let Expected { issuer, client_id, nonce, login_claim } = expected;
    token.holds(issuer, client_id, now_s)?;
    let is_for_others = token.claim("aud").and_then(|all| all.as_array()).is_some_and(|all| all.len() > 1);
    match token.claim("azp") {
        None if is_for_others => return Err(BadToken("for others too, and nothing says who asked for it")),
        Some(azp) if azp.as_str() != Some(client_id) => return Err(BadToken("another client asked for it")),
        None | Some(_) => {}
    }
    let made_s = token.claim("iat").and_then(seconds).ok_or(BadToken("nothing says when it was made"))?;
    if made_s > now_s.saturating_add(SLACK_S) {
        return Err(BadToken("made in the future"));
    }
    if made_s < now_s.saturating_sub(AGE_MAX_S) {
        return Err(BadToken("made too long ago"));
    }
    if token.text("nonce") != Some(nonce) {
        return Err(BadToken("of another sign-in"));
    }
    token.text(login_claim).ok_or(BadToken("the claim with the login is missing"))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    const HEADER: &str = r#"{"alg":"ES256","typ":"JWT"}"#;
    const CLAIMS: &str =
        r#"{"iss":"https://id.example","aud":"mail","exp":2000,"iat":1000,"nonce":"n","uid":"toto-j"}"#;
    const EXPECTED: Expected<'_> =
        Expected { issuer: "https://id.example", client_id: "mail", nonce: "n", login_claim: "uid" };

    fn judged(header: &str, claims: &str, now_s: i64) -> Result<String, BadToken> {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let text = format!("{}.{}.{}", part(header), part(claims), part("signature"));
        let token = read(&text)?;
        login(&token, EXPECTED, now_s).map(str::to_owned)
    }

    #[test]
    fn a_token_says_who_signs_in_this_once() {
        for (now_s, expected) in [
            (1_000, Ok("toto-j".to_owned())),
            (940, Ok("toto-j".to_owned())),
            (939, Err(BadToken("made in the future"))),
            (1_900, Ok("toto-j".to_owned())),
            (1_901, Err(BadToken("made too long ago"))),
            (2_060, Err(BadToken("expired"))),
        ] {
            assert_eq!(judged(HEADER, CLAIMS, now_s), expected, "{now_s}");
        }
        assert!(judged(&HEADER.replace(r#","typ":"JWT""#, ""), CLAIMS, 1_000).is_ok(), "no type has to be said");
        let both = CLAIMS.replace(r#""mail""#, r#"["web","mail"],"azp":"mail""#);
        assert!(judged(HEADER, &both, 1_000).is_ok());
    }

    #[test]
    fn what_is_for_others_or_another_time_is_refused() {
        for (old, new, why) in [
            ("https://id.example", "https://id.example/", "another issuer"),
            (r#""mail""#, r#""files""#, "another audience"),
            (r#""mail""#, r#"["web","mail"]"#, "for others too, and nothing says who asked for it"),
            (r#""mail""#, r#""mail","azp":"files""#, "another client asked for it"),
            (r#""exp":2000,"#, "", "no expiry"),
            (r#""iat":1000,"#, "", "nothing says when it was made"),
            (r#""iat":1000"#, r#""iat":1000,"nbf":3000"#, "not valid yet"),
            (r#""nonce":"n""#, r#""nonce":"m""#, "of another sign-in"),
            (r#""nonce":"n","#, "", "of another sign-in"),
            (r#""uid":"toto-j""#, r#""uid":["toto-j"]"#, "the claim with the login is missing"),
        ] {
            assert_eq!(judged(HEADER, &CLAIMS.replace(old, new), 1_000), Err(BadToken(why)), "{new}");
        }
        for (header, why) in [
            (r#"{"alg":"none"}"#, "the algorithm is none of ours"),
            (r#"{"alg":"HS256"}"#, "the algorithm is none of ours"),
            (r#"{"alg":"ES256","typ":"at+jwt"}"#, "the type is not jwt"),
            (r#"{"alg":"ES256","crit":["b64"]}"#, "an extension is critical"),
        ] {
            assert_eq!(judged(header, CLAIMS, 1_000), Err(BadToken(why)), "{header}");
        }
    }
}
